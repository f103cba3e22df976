"""A learner's file: its blanks and its functions, which are called safely.

If a function raises, exits the program, or changes an argument in place, the learner
gets a message; the first two name the line.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from minilstm.course.compare import Wrong
from minilstm.errors import InputError
from minilstm.verify.contracts import arrays_in, copy_of

MATMUL = re.compile(r"matmul: .*\(size (\d+) is different from (\d+)\)")


class Answers:
    """The definitions in a file: an exercise, its solutions, or its grading.

    Raises
    ------
    InputError
        If the file is not Python, or not UTF-8.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8-sig")
            self.tree = ast.parse(self.text)
            self._code = compile(self.tree, str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            place = f"line {error.lineno} of {path}" if error.lineno else path
            raise InputError(
                f"{place} is not Python: {error.msg}; correct it and try again"
            ) from None
        except UnicodeDecodeError:
            raise InputError(
                f"{path} is not a text in UTF-8; save it as one and try again"
            ) from None

    def source(self, name: str) -> str:
        """The source code of a definition; empty if the file has none of this name."""
        node = self._definition(name)
        return "" if node is None else ast.get_source_segment(self.text, node) or ""

    def blanks(self, name: str) -> list[int]:
        """The line numbers of the blanks ``...`` in a definition.

        An ellipsis in an index, ``x[..., 0]``, is not a blank.
        """
        node = self._definition(name)
        if node is None:
            return []
        indices = {
            id(part)
            for sub in ast.walk(node)
            if isinstance(sub, ast.Subscript)
            for part in ast.walk(sub.slice)
        }
        return sorted(
            sub.lineno
            for sub in ast.walk(node)
            if isinstance(sub, ast.Constant)
            and sub.value is Ellipsis
            and id(sub) not in indices
        )

    def uses(self, name: str, other: str) -> bool:
        """Whether a definition uses another one, by its name."""
        node = self._definition(name)
        return node is not None and any(
            isinstance(sub, ast.Name) and sub.id == other for sub in ast.walk(node)
        )

    def load(self) -> ModuleType:
        """Run the file as a module, which is removed from ``sys.modules`` afterwards.

        Raises
        ------
        InputError
            If the file raises an exception or exits, or if Ctrl-C stops it.
        """
        module = ModuleType(f"_answers_{self.path.stem}")
        module.__file__ = str(self.path)
        sys.modules[module.__name__] = module  # dataclasses look themselves up there
        try:
            exec(self._code, vars(module))
        except KeyboardInterrupt as stop:
            place = f"{self._place(stop)} of {self.path}"
            raise InputError(
                f"{place} was stopped by Ctrl-C; does a loop there never end?"
            ) from None
        except (Exception, SystemExit) as error:
            place = f"{self._place(error)} of {self.path}"
            raise InputError(
                f"{place} ends with {_said(error)}; correct it and try again"
            ) from None
        finally:
            del sys.modules[module.__name__]
        return module

    def guarded(self, definition: Any, may_change: Sequence[str] = ()) -> Any:
        """A definition as a check gets it: its exceptions become ``Wrong``.

        Parameters
        ----------
        definition : a function, or a value, which is returned unchanged.
        may_change : arguments that the function may change in place.

        Returns
        -------
        guarded : a function that raises ``Wrong`` where the learner's function raises,
            exits, or changes another argument.
        """
        if not callable(definition):
            return definition
        names = list(inspect.signature(definition).parameters)

        @functools.wraps(definition)  # inspect.unwrap finds the learner's own
        def call(*arguments: Any, **named: Any) -> Any:
            given = dict(zip(names, arguments)) | named
            kept = {
                name: value for name, value in given.items() if name not in may_change
            }
            before = arrays_in(copy_of(kept))
            try:
                result = definition(*arguments, **named)
            except KeyboardInterrupt as stop:
                raise Wrong(
                    f"{self._place(stop)}: stopped by Ctrl-C; does a loop there never end?"
                ) from None
            except (Exception, SystemExit) as error:
                raise Wrong(f"{self._place(error)}: {_said(error)}") from None
            after = arrays_in(kept)
            for name, array in before.items():
                if not _equal(array, after.get(name)):
                    raise Wrong(
                        f"{name} is changed in place, but it belongs to the caller; work on a copy"
                        f" (`y = {name}` is no copy, only another name for it)"
                    )
            return result

        return call

    def _definition(self, name: str) -> ast.stmt | None:
        for node in self.tree.body:
            names = (
                [node.name] if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else []
            )
            if isinstance(node, ast.Assign):
                names = [
                    target.id for target in node.targets if isinstance(target, ast.Name)
                ]
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            if name in names:
                return node
        return None

    def _place(self, error: BaseException) -> str:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if Path(frame.filename) == self.path
        ]
        return f"line {lines[-1]}" if lines else "a call"


def _equal(array: np.ndarray, other: np.ndarray | None) -> bool:
    return other is not None and np.array_equal(
        array, other, equal_nan=array.dtype.kind in "fc"
    )


def _said(error: BaseException) -> str:
    if isinstance(error, Wrong):  # of a function that the task has handed over
        return str(error)
    sizes = MATMUL.search(str(error))
    if sizes:
        return f"a product @ does not fit: the left array has {sizes[2]} columns, the right one {sizes[1]} rows"
    if isinstance(error, TypeError) and (
        "for ^" in str(error) or "bitwise_xor" in str(error)
    ):
        return "a power is written ** in Python; ^ is for the bits of integers"
    if isinstance(error, TypeError) and "'complex'" in str(error):
        return f"{error}. An array of floats cannot store an imaginary part"
    said = str(error).splitlines()
    if "could not be broadcast together" in str(error):
        said[0] += " (NumPy compares shapes from the right; a[:, None] is a column)"
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
