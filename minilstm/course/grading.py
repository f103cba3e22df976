"""Grade an answer.

An exercise is a file with blanks, each an ellipsis ``...``, in the definitions of its
tasks. The check of a ``Task`` gets the learner's definition and calls it. It returns a
sentence if the answer is right. If not, it raises ``Wrong`` with a message that says
what is wrong and where. If the answer equals a known wrong one, the message names the
mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilstm.errors import MinilstmError

# A difference of this fraction of the largest entry is rounding, not another formula.
FLOAT32 = 1e-6


class Wrong(MinilstmError):
    """An answer is not right; the message is for the learner."""


@dataclass(frozen=True)
class Task:
    """One task of an exercise.

    Parameters
    ----------
    name : the definition in the exercise file, a function or a number.
    check : gets that definition; returns a sentence or raises ``Wrong``.
    hints : two; the second is nearer to the solution.
    may_change : arguments that the definition may change in place. Default: none.
    """

    name: str
    check: Callable[[Any], str]
    hints: tuple[str, str]
    may_change: tuple[str, ...] = ()


def same(
    name: str,
    yours: Any,
    right: Any,
    known: Mapping[str, Any] | None = None,
    tolerance: float = 1e-9,
) -> None:
    """Raise ``Wrong`` unless the learner's value is right.

    Parameters
    ----------
    name : the name of the value in messages, such as ``"dc_prev"``.
    yours : the learner's value.
    right : a number, an array of any shape, or a string, list, tuple or dict.
    known : from messages to the wrong values that get them.
    tolerance : largest difference, relative to an entry, or to 1 if that is more.

    Raises
    ------
    Wrong
        With the message of a known wrong value, or else with the entry that is
        farthest from right.
    """
    if isinstance(right, (str, bool, list, tuple, dict)):
        for sentence, wrong in (known or {}).items():
            if type(yours) is type(wrong) and yours == wrong:
                raise Wrong(f"{name} is wrong: {sentence}")
        if yours != right:
            raise Wrong(f"{name} is {_short(yours)} where {_short(right)} belongs")
        return
    got, wanted = _numbers(name, yours), np.asarray(right)
    if got.shape != wanted.shape:
        raise Wrong(f"{name} has the shape {got.shape} where {wanted.shape} belongs")
    if _close(got, wanted, tolerance):
        return
    for sentence, wrong in (known or {}).items():
        if np.shape(wrong) == got.shape and _close(got, np.asarray(wrong), tolerance):
            raise Wrong(f"{name} is wrong: {sentence}")
    with np.errstate(invalid="ignore"):
        far = np.nan_to_num(np.abs(got - wanted), nan=np.inf)
    if far.max() <= FLOAT32 * np.abs(wanted).max():
        raise Wrong(
            f"{name} is right to six digits only: is it float32, a difference, or was a small number added?"
        )
    where = np.unravel_index(far.argmax(), wanted.shape)
    entry = f"entry {[int(k) for k in where]} of {name}" if where else name
    raise Wrong(f"{entry} is {got[where]:.6g} where {wanted[where]:.6g} belongs")


def check_array(name: str, yours: Any, shape: tuple[int, ...]) -> None:
    """Raise ``Wrong`` unless the learner's value is an array of this shape."""
    if not isinstance(yours, np.ndarray):
        raise Wrong(f"{name} must be an array, not {type(yours).__name__}")
    same(f"the shape of {name}", yours.shape, shape)


def _numbers(name: str, yours: Any) -> np.ndarray:
    if yours is None:
        raise Wrong(
            f"{name} is missing: does every path through your function return a value?"
            " A function that changes its argument, such as np.add.at or list.sort, returns None"
        )
    try:
        got = np.asarray(yours)
    except ValueError:
        got = np.asarray(None)
    if got.dtype.kind not in "biufc":
        raise Wrong(f"{name} must consist of numbers; yours is {_short(yours)}")
    return got


def _close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    return bool((np.abs(a - b) <= tolerance * np.maximum(1, np.abs(b))).all())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
