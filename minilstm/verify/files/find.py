"""Finds the functions of a file that belong to a known layout, by name and arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from minilstm.errors import InputError
from minilstm.verify.files.known import Known, described, known_in
from minilstm.verify.layouts.layout import SEQUENCE, STEP, Layout
from minilstm.verify.layouts.presets import LAYOUTS

CELL_OF_NOTEBOOK = re.compile(r"code cell \d+")


@dataclass(frozen=True)
class Function:
    """A function that was found."""

    name: str
    call: Callable
    arguments: tuple[str, ...]  # those that must be given
    place: str  # "line 12", "code cell 3, line 4" or "line 8 of layers.py"

    def __str__(self) -> str:
        return f"{self.name} ({self.place})"

    @property
    def signature(self) -> str:
        """Its name and arguments, with their defaults."""
        return f"{self.name}{inspect.signature(self.call)}"


@dataclass(frozen=True)
class Found:
    """Functions that are checked together."""

    known: Known
    forward: Function | None
    backward: Function | None

    @property
    def last(self) -> Function:
        """The one that a report is about: backward, if there is one."""
        last = self.backward or self.forward
        assert last is not None
        return last


def functions_in(names: dict[str, Any], path: Path) -> dict[str, Function]:
    """The functions of a file, and those that it imports from files beside it.

    ``path`` is absolute.
    """
    folder, found = path.parent, {}
    for name, value in names.items():
        if not isinstance(value, FunctionType) or name.startswith("__"):
            continue
        written = inspect.unwrap(value)
        code = written.__code__
        file, number = code.co_filename, code.co_firstlineno
        cell = CELL_OF_NOTEBOOK.match(file)
        if cell:
            place = f"{cell[0]}, line {number}"
        elif Path(file) == path:
            place = f"line {number}"
        elif Path(file).is_relative_to(folder) and "site-packages" not in file:
            place = f"line {number} of {Path(file).relative_to(folder).as_posix()}"
        else:
            continue
        found[name] = Function(name, value, required(value), place)
    return found


def required(function: Callable) -> tuple[str, ...]:
    """The arguments without a default; ``*arguments`` with its star."""
    return tuple(
        str(parameter.replace(annotation=parameter.empty))
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
    )


def find(
    functions: dict[str, Function],
    layout: Layout | None = None,
    cell: str | None = None,
    only: Sequence[str] = (),
) -> list[Found]:
    """The functions of known names, forward with backward.

    Parameters
    ----------
    functions : dict of Function
        As of ``functions_in``.
    layout : Layout, optional
        The one that is meant. Default: by names and arguments.
    cell : str, optional
        The one that is meant. Default: by the names.
    only : sequence of str
        Names of functions, known or not. Default: all that are known.

    Raises
    ------
    InputError
        If a name of ``only`` is not among the functions, or nothing says what it is.
    """
    for name in only:
        if name not in functions:
            raise InputError(f"there is no function {name}, only: {listed(functions)}")
    known = known_in(LAYOUTS.values() if layout is None else [layout])
    found = []
    for one in known:
        mine = [functions.get(name) for name in one.names]
        if any(mine) and cell in (None, one.cell):
            if one is _best(known, mine, functions, layout is None):
                forward, backward = (*mine, None)[:2]
                found.append(Found(one, forward, backward))
    if only:
        found = [one for one in found if _has(one, only)]
        rest = [name for name in only if not any(_has(one, [name]) for one in found)]
        found += _by_hand(functions, rest, layout, cell or "lstm")
    return sorted(found, key=lambda one: _order(one, functions))


def _has(found: Found, only: Sequence[str]) -> bool:
    both = found.forward, found.backward
    return any(one is not None and one.name in only for one in both)


def _order(found: Found, functions: dict[str, Function]) -> int:
    return list(functions).index(found.last.name)


def _fit(known: Known, functions: dict[str, Function]) -> float:
    """How well the arguments of the functions of these names are those of a layout.

    A wrong number of arguments counts against it. 0 is no better than nothing.
    """
    fit = 0.0
    for name, arguments in known.signatures:
        if name in functions:
            mine = functions[name].arguments
            common = len(set(mine) & set(arguments)) / len(arguments)
            fit += common + (len(mine) == len(arguments)) - 0.5
    return fit


def _best(
    known: Iterable[Known],
    mine: Iterable[Function | None],
    functions: dict[str, Function],
    must_fit: bool,
) -> Known | None:
    """Of all that have one of these names, the one whose arguments fit best."""
    names = {one.name for one in mine if one is not None}
    rivals = [one for one in known if names & set(one.names)]
    best = max(rivals, key=lambda one: _fit(one, functions))
    return None if must_fit and _fit(best, functions) <= 0 else best


def _by_hand(
    functions: dict[str, Function],
    only: Sequence[str],
    layout: Layout | None,
    cell: str,
) -> list[Found]:
    """Functions of other names: what they are is in the name, and in ``layout``."""
    if not only:
        return []
    if layout is None:
        raise InputError(
            f"{only[0]} is not the name of a known function; say with --layout what"
            " its arguments hold"
        )
    found, names = [], list(only)
    while names:
        name = names.pop(0)
        partner = _partner(name, names, functions)
        if partner in names:
            names.remove(partner)
        pair = [functions[one] for one in (name, partner) if one in functions]
        backward = next((one for one in pair if "back" in one.name.lower()), None)
        forward = next((one for one in pair if one is not backward), None)
        kind = STEP if re.search("step|cell", name, re.IGNORECASE) else SEQUENCE
        signatures = tuple((one.name, one.arguments) for one in pair)
        found.append(Found(Known(layout, cell, kind, signatures), forward, backward))
    return found


def _partner(name: str, names: Sequence[str], functions: dict[str, Function]) -> str:
    """The forward of a backward, or the other way round; "" if there is none."""
    is_back = "back" in name.lower()
    for other in names:
        if ("back" in other.lower()) != is_back:
            return other
    stem = lambda text: re.sub("_?(backward|forward)", "", text.lower())
    for other in functions:
        if other != name and stem(other) == stem(name):
            return other
    return ""


def listed(functions: dict[str, Function]) -> str:
    """The functions with their arguments, as a part of a sentence."""
    return ", ".join(one.signature for one in functions.values()) or "none"


def nothing_found(path: Path, functions: dict[str, Function]) -> str:
    """What was looked for, and what there is, for a terminal."""
    mine = "\n".join(f"  {one.signature}" for one in functions.values())
    if not mine:
        mine = (
            "  none; methods of a class can be checked in a test, see assert_gradients"
        )
    return (
        f"Functions in {path.name}:\n{mine}\n\nFunctions that are known, by layout:\n"
        f"{described()}\n\nFor other names: --function NAME --layout LAYOUT\n"
    )
