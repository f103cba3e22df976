"""Compare an answer with the right one, and say where they differ.

The kind of the right value decides how: numbers and arrays up to rounding, and texts,
truth values, dictionaries, lists and tuples part by part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from minilstm.errors import MinilstmError

# A difference of this fraction of the largest entry is rounding, not another formula.
FLOAT32 = 1e-6
TOLERANCE = 1e-9


class Wrong(MinilstmError):
    """An answer is not right; the message is for the learner."""


def same(
    name: str,
    yours: Any,
    right: Any,
    known: Mapping[str, Any] | None = None,
    tolerance: float = TOLERANCE,
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
    said = difference(name, yours, right, tolerance)
    if not said:
        return
    for sentence, wrong in (known or {}).items():
        if equal(yours, wrong, tolerance):
            raise Wrong(f"{name} is wrong: {sentence}")
    raise Wrong(said)


def check_array(name: str, yours: Any, shape: tuple[int, ...]) -> None:
    """Raise ``Wrong`` unless the learner's value is an array of this shape."""
    if not isinstance(yours, np.ndarray):
        raise Wrong(f"{name} must be an array, not {type(yours).__name__}")
    same(f"the shape of {name}", yours.shape, shape)


def equal(a: Any, b: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether two values are the same, up to rounding; NaN equals NaN.

    >>> equal({"a": 1.0}, {"a": 1.0 + 1e-12}), equal([1, 2], [2, 1])
    (True, False)
    """
    return not difference("", a, b, tolerance)


def difference(name: str, yours: Any, right: Any, tolerance: float = TOLERANCE) -> str:
    """A sentence on how a value differs from the right one; "" if it does not.

    >>> difference("c", 0.5, 0.25)
    'c is 0.5 where 0.25 belongs'
    """
    if yours is None and right is not None:
        return (
            f"{name} is missing: does every path through your function return a value?"
            " A function that changes its argument, such as np.add.at or list.sort, returns None"
        )
    if isinstance(right, (bool, np.bool_)):
        if not isinstance(yours, (bool, np.bool_)):
            return f"{name} must be True or False, not {type(yours).__name__}"
        return _unequal(name, yours, right) if yours != right else ""
    if isinstance(right, dict):
        return _of_dicts(name, yours, right, tolerance)
    if isinstance(right, (list, tuple)):
        return _of_sequences(name, yours, right, tolerance)
    if right is None or isinstance(right, str):
        is_equal = type(yours) is type(right) and yours == right
        return "" if is_equal else _unequal(name, yours, right)
    return _of_numbers(name, yours, np.asarray(right), tolerance)


def has_the_form(yours: Any, right: Any) -> bool:
    """Whether a value consists of numbers, and has the shape of the right one."""
    if shape_of(yours) != shape_of(right):
        return False
    return np.asarray(yours).dtype.kind in "biufc"


def is_telling(value: Any) -> bool:
    """Whether two programs that compute a value must be alike.

    So they are if a number in it is not whole, or large.
    """
    if isinstance(value, (dict, list, tuple)):
        parts = value.values() if isinstance(value, dict) else value
        return any(map(is_telling, parts))
    array = np.asarray(value)
    if array.dtype.kind not in "iufc":
        return False
    with np.errstate(invalid="ignore"):  # of infinity
        return bool(np.any((array.real % 1 != 0) | (np.abs(array) > 100)))


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of a value as an array; None for rows of different lengths."""
    try:
        return np.shape(value)
    except ValueError:
        return None


def _of_dicts(name: str, yours: Any, right: dict, tolerance: float) -> str:
    if not isinstance(yours, dict):
        return f"{name} must be a dictionary, not {type(yours).__name__}"
    for key in sorted(right.keys() - yours.keys(), key=repr):
        return f"{key!r} is missing in {name}; {_short(right[key])} belongs there"
    for key in sorted(yours.keys() - right.keys(), key=repr):
        return f"{key!r} does not belong in {name}"
    parts = (
        difference(f"{name}[{key!r}]", yours[key], right[key], tolerance)
        for key in right
    )
    return next(filter(None, parts), "")


def _of_sequences(name: str, yours: Any, right: list | tuple, tolerance: float) -> str:
    is_row = isinstance(yours, np.ndarray) and yours.ndim == 1
    if not is_row and not isinstance(yours, (list, tuple)):
        kind = type(right).__name__
        return f"{name} must be a {kind}, not {type(yours).__name__}"
    parts = [
        difference(f"{name}[{k}]", mine, ours, tolerance)
        for k, (mine, ours) in enumerate(zip(yours, right))
    ]
    if len(yours) == len(right) and not any(parts):
        return ""
    if len(repr(right)) <= 60:
        return _unequal(name, yours, right)
    counts = f"{name} has {len(yours)} entries where {len(right)} belong"
    return next(filter(None, parts), counts)


def _of_numbers(name: str, yours: Any, right: np.ndarray, tolerance: float) -> str:
    try:
        got = np.asarray(yours)
    except ValueError:
        return f"{name} is made of rows of different lengths, which is not an array of numbers"
    if got.dtype.kind not in "biufc":
        return f"{name} must consist of numbers; yours is {_short(yours)}"
    if got.shape != right.shape:
        if not isinstance(yours, (np.ndarray, np.generic)) and np.ndim(yours):
            kind = type(yours).__name__
            return f"{name} must be an array of the shape {right.shape}, not a {kind} of the shape {got.shape}"
        turned = got.ndim > 1 and got.T.shape == right.shape
        more = " (is it transposed?)" if turned else ""
        return f"{name} has the shape {got.shape} where {right.shape} belongs{more}"
    if _close(got, right, tolerance):
        return ""
    with np.errstate(invalid="ignore"):
        far = np.abs(got - right)
    is_same = (got == right) | (np.isnan(got) & np.isnan(right))
    far = np.where(is_same, 0, np.nan_to_num(far, nan=np.inf))
    if far.max() <= FLOAT32 * np.abs(right).max():
        return f"{name} is right to six digits only: is it float32, a difference, or was a small number added?"
    got = got + 0 if got.dtype.kind == "b" else got
    where = np.unravel_index(far.argmax(), right.shape)
    entry = f"entry {[int(k) for k in where]} of {name}" if where else name
    return f"{entry} is {got[where]:.6g} where {right[where]:.6g} belongs"


def _close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    with np.errstate(all="ignore"):
        close = np.abs(a - b) <= tolerance * np.maximum(1, np.abs(b))
    if a.dtype.kind in "fc" or b.dtype.kind in "fc":
        infinite = np.isinf(b)
        close = np.where(infinite, a == b, close) | (np.isnan(a) & np.isnan(b))
    return bool(np.all(close))


def _unequal(name: str, yours: Any, right: Any) -> str:
    return f"{name} is {_short(yours)} where {_short(right)} belongs"


def _short(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    text = re.sub(r"np\.\w+\((.*?)\)", r"\1", text)  # of NumPy's numbers in a list
    return text if len(text) <= 60 else text[:57] + "..."
