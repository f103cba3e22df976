"""Runs a learner's file, statement by statement.

A statement that fails, ends the program, or does not end is reported, and the next one
is run: a failing training loop does not hide the functions above or below it. The code
prints nothing, gets no answer to ``input()``, and sees the files beside it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from minilstm.verify.files.course_modules import CourseModules
from minilstm.verify.files.limits import TimeIsUp, at_most
from minilstm.verify.files.source import Cell, Source

DEFINITIONS = (
    ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign,
)  # fmt: skip
LAST = 0.5  # seconds for each definition when the time is up
FUTURE = 0x1FF0000  # the compiler's flags for ``from __future__ import …``


@contextlib.contextmanager
def surroundings(path: Path) -> Iterator[CourseModules]:
    """Where the code of this file expects to run; all is put back afterwards.

    Its folder is the working directory, and modules are imported from there, also
    relative ones. Nothing that it prints is shown.
    """
    here, folder = os.getcwd(), path.resolve().parent
    known, search = set(sys.modules), list(sys.path)
    sys.path[:0] = [str(folder)]
    sys.path += [here, str(folder.parent)]
    environment = dict(os.environ)
    os.environ["MPLBACKEND"] = "Agg"  # windows would wait
    with (
        contextlib.ExitStack() as stack,
        CourseModules() as modules,
        warnings.catch_warnings(),
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        stack.callback(setattr, sys, "stdin", sys.stdin)
        stack.callback(os.chdir, here)
        warnings.simplefilter("ignore")
        sys.stdin = io.StringIO()
        os.chdir(folder)
        try:
            yield modules
        finally:
            sys.path[:] = search
            for name in set(sys.modules) - known:
                if _is_below(getattr(sys.modules[name], "__file__", None), folder):
                    del sys.modules[name]
            os.environ.clear()
            os.environ.update(environment)


def _is_below(file: str | None, folder: Path) -> bool:
    return file is not None and Path(file).is_relative_to(folder)


def execute(
    source: Source, seconds: float, running: Callable[[str], None] = lambda place: None
) -> tuple[dict[str, Any], list[str]]:
    """Run a file inside of its ``surroundings``.

    Parameters
    ----------
    source : Source
        The file.
    seconds : float
        After this time, what is running is stopped, and only definitions are run.
    running : callable
        Called with the place of each statement, before it is run.

    Returns
    -------
    names : dict
        What the file defines.
    problems : list of str
        A sentence for each statement that could not be run.
    """
    path = source.path
    module = ModuleType(f"_checked_{path.stem}")  # no name of another module
    module.__file__, module.__package__ = str(path), path.parent.name
    sys.modules[module.__name__] = module  # where dataclasses look; see surroundings
    problems = list(source.problems)
    deadline, flags, skipped = time.monotonic() + seconds, 0, ""
    for cell in source.cells:
        lines = cell.text.splitlines(keepends=True)
        linecache.cache[cell.filename] = (len(cell.text), None, lines, cell.filename)
        for node in cell.tree.body:
            left = deadline - time.monotonic()
            if left <= 0 and not isinstance(node, DEFINITIONS):
                skipped = skipped or f"{cell.place}line {node.lineno}"
                continue
            running(f"{cell.place}line {node.lineno}")
            try:
                statement = ast.Module([node], [])
                code = compile(statement, cell.filename, "exec", flags, True)
                flags |= code.co_flags & FUTURE
                with at_most(max(left, LAST)):
                    exec(code, vars(module))
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                where = f"{cell.place}line {_line(error, cell) or node.lineno}"
                problems.append(f"{where}: {said(error, seconds)}")
    if skipped:
        problems.append(f"{skipped}: from here on, only definitions were run")
    return vars(module), problems


def _line(error: BaseException, cell: Cell) -> int | None:
    """The innermost line of this cell in a traceback."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == cell.filename:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def said(error: BaseException, seconds: float) -> str:
    """What went wrong, as a part of a sentence."""
    if isinstance(error, TimeIsUp):
        return f"it still ran after {seconds:g} s, and was stopped"
    if isinstance(error, SystemExit):
        return "it ends the program"
    if isinstance(error, EOFError):
        return "it asks for input, which a check cannot give"
    if isinstance(error, MemoryError):
        return f"it needs too much memory{_in_brackets(error)}"
    if isinstance(error, ModuleNotFoundError):
        return f"there is no module {error.name}"
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return f"there is no file {error.filename}"
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _in_brackets(error: BaseException) -> str:
    return f" ({error})" if str(error) else ""
