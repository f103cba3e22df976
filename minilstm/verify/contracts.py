"""Arguments and results of the functions under test.

    step           (x, h_prev, c_prev, Wx, Wh, b)     to  (h, c, cache)
    its backward   (dh, dc, cache, Wx, Wh)            to  (dx, dh_prev, dc_prev, grads)
    sequence       (x, (h0, c0), Wx, Wh, b)           to  (h, (hT, cT), caches)
    its backward   (dh, (dhT, dcT), caches, Wx, Wh)   to  (dx, (dh0, dc0), grads)
    loss           (logits, targets, lengths)         to  (loss, dlogits)

Caches may be anything. ``grads`` are the gradients of Wx, Wh and b, in this order or by
name (``Wx`` or ``dWx``). Shapes as in ``reference/lstm.py``, with T in front for
sequences; logits (T, B, V), targets (T, B), lengths (B,). This is the LSTM; ``cells.py``
has the same for any cell, calls the functions, and makes random arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minilstm.errors import InputError

Case = dict[str, Any]  # arguments by name


def call_loss(loss: Callable, logits, targets, lengths):
    """loss, dlogits."""
    check_function(loss)
    return unpack(
        loss(logits, targets, lengths), 2, "your loss must return (loss, dlogits)"
    )


def check_function(function) -> None:
    """InputError if it cannot be called."""
    if not callable(function):
        raise InputError(
            f"what is to be checked must be a function, not {type(function).__name__}"
        )


def check_shapes(axes: str, **outputs: tuple[Any, tuple[int, ...]]) -> None:
    """Name by name, an output of a forward pass and the shape that it must have.

    ``axes`` has the order of its axes in words.
    """
    for name, (array, shape) in outputs.items():
        if np.shape(array) != shape:
            raise InputError(
                f"your {name} must have the shape {shape}, not {np.shape(array)}:"
                f" {axes}"
            )


def unpack(answer: Any, count: int, sentence: str) -> Any:
    """The ``count`` values of a tuple or a list; else InputError with the sentence."""
    if answer is None:
        raise InputError(
            f"{sentence}; it returned nothing: does every branch of it end with a"
            " return?"
        )
    if not isinstance(answer, (tuple, list)):
        raise InputError(f"{sentence}; it returned one {type(answer).__name__}")
    if len(answer) != count:
        raise InputError(f"{sentence}; it returned {len(answer)} values")
    return answer


def grads_by_name(grads, names: Sequence[str]) -> dict[str, Any]:
    """Gradients in the order of ``names``, or by name, with a d before it or not."""
    of_what = f"{', '.join(names[:-1])} and {names[-1]}"
    if isinstance(grads, Mapping):
        found = {str(name).removeprefix("d"): array for name, array in grads.items()}
        if not set(names) <= set(found):
            raise InputError(
                f"the gradients must be those of {of_what}, not of"
                f" {', '.join(map(str, grads))}"
            )
        return {name: found[name] for name in names}
    count = {3: "three"}.get(len(names), len(names))
    sentence = f"the gradients must be {count} arrays, of {of_what}"
    return dict(zip(names, unpack(grads, len(names), sentence)))


def copy_of(value):
    """A copy of all arrays in dictionaries, lists and tuples; all else as it is."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: copy_of(v) for key, v in value.items()}
    if isinstance(value, tuple):
        if hasattr(value, "_fields"):
            return type(value)(*map(copy_of, value))
        return tuple(map(copy_of, value))
    return [copy_of(v) for v in value] if isinstance(value, list) else value


def arrays_in(value, name: str = "") -> dict[str, np.ndarray]:
    """All arrays of numbers inside of a value, by the names that Python would use."""
    if isinstance(value, np.ndarray):
        return {name: value} if value.dtype.kind in "biufc" else {}
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, (tuple, list)):
        inside = list(zip(getattr(value, "_fields", range(len(value))), value))
    else:
        return {}
    found: dict[str, np.ndarray] = {}
    for key, part in inside:
        found |= arrays_in(
            part,
            f"{name}.{key}".lstrip(".") if isinstance(key, str) else f"{name}[{key}]",
        )
    return found
