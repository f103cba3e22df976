"""Which layout a function seems to have, by the names of its arguments.

Code of a course that is checked as if it were ours fails with an error of Python. The
message then names the layout that fits.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minilstm.errors import InputError
from minilstm.verify.layouts.layout import Layout
from minilstm.verify.layouts.presets import LAYOUTS
from minilstm.verify.layouts.signature import Signature, call, parse

ALIKE = 0.75  # of the names of arguments
FUNCTIONS = "step", "step_backward", "sequence", "sequence_backward", "loss", "whole"


@dataclass(frozen=True)
class Known:
    """A function of a layout."""

    layout: Layout
    cell: str
    kind: str  # one of FUNCTIONS
    signature: Signature


def known_functions() -> Iterator[Known]:
    """All functions of all layouts that have a name."""
    for layout in LAYOUTS.values():
        for cell, form in layout.cells.items():
            for kind in FUNCTIONS:
                if getattr(form, kind):
                    yield Known(layout, cell, kind, parse(getattr(form, kind)))


def recognize(function: Callable) -> Known | None:
    """The function of a layout that a function is, by its arguments and its name."""
    found = argument_names(function)
    if found is None:
        return None
    names, required = found
    own_name = getattr(function, "__name__", "")
    best: tuple[Known | None, float] = (None, 0.0)
    for known in known_functions():
        theirs = known.signature.argument_names
        if not required <= len(theirs) <= len(names):
            continue
        same = sum(name in names for name in theirs) / len(theirs)
        score = same + 0.5 * (own_name == known.signature.function)
        if same >= ALIKE and score > best[1]:
            best = known, score
    return best[0]


def argument_names(function: Callable) -> tuple[list[str], int] | None:
    """The names of a function's arguments, and how many have no default.

    None if they are not known.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    return [p.name for p in positional], sum(p.default is p.empty for p in positional)


def call_or_recognize(
    function: Callable,
    signature: Signature,
    values: Mapping[str, Any],
    collected: Mapping[str, str],
    what: str,
    held: Sequence[str] = (),
) -> dict[str, Any]:
    """``signature.call``, whose errors name the layout that fits better, if one does.

    Raises InputError where the function looks like one of another layout.
    """
    try:
        return call(function, signature, values, collected, what, held)
    except Exception as error:
        known = recognize(function) if callable(function) else None
        if known is None or known.signature == signature:
            raise
        raise InputError(
            f"{advice(known)} ({type(error).__name__}: {error})"
        ) from error


def as_ours(function: Callable) -> Callable:
    """A function that is called as ours; its errors name the layout that fits.

    It is the function itself, unless it looks like one of another layout.
    """
    known = of_another_layout(function)
    if known is None:
        return function

    def run(*arguments):
        try:
            return function(*arguments)
        except Exception as error:
            raise _refused(known, error) from error

    return run


def of_another_layout(function: Callable) -> Known | None:
    """What a function seems to be, if that is not of our own layout."""
    known = recognize(function) if callable(function) else None
    return None if known is None or known.layout.name == "minilstm" else known


def _refused(known: Known, error: Exception) -> InputError:
    return InputError(f"{advice(known)} ({type(error).__name__}: {error})")


def advice(known: Known) -> str:
    """What to add, in one sentence."""
    cell = f', cell="{known.cell}"' if known.cell != "lstm" else ""
    return (
        f"this looks like {known.layout.title}'s {known.signature}:"
        f' add layout="{known.layout.name}"{cell}'
    )
