"""Do these arrays fit, and if not, whose are they?

Before the first number is used, every name, shape and dtype is checked, and that all
numbers are finite. Where a shape is wrong it is read the other way round: the matrix
from hidden states to gates tells the cell, the hidden size and the framework.

    (4H, H)  PyTorch's LSTM        (3H, H)  PyTorch's GRU
    (H, 4H)  Keras's LSTM          (H, 3H)  Keras's GRU         (H, H)  a simple RNN
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from minilstm.checks import check_array, check_dtype
from minilstm.errors import InputError

READERS = {
    "PyTorch": "load_torch or stack_from_torch",
    "Keras": "load_keras or layer_from_keras",
}
MARKS = {"PyTorch": ("weight_ih_l", "weight_hh_l"), "Keras": ("kernel", "embeddings")}
UNKNOWN_KINDS = {  # parts of names that only weights of another architecture have
    "_reverse": "a bidirectional layer; minilstm's read in one direction",
    "backward_": "a bidirectional layer; minilstm's read in one direction",
    "weight_hr_l": "an LSTM with proj_size; minilstm's shows its hidden state as it is",
}


class Expected(NamedTuple):
    """An array that is wanted: its shape, in numbers and letters, and its owner.

    Also: what arrays of other shapes would be.
    """

    shape: tuple[int, ...]
    letters: str
    owner: str = ""
    known: Mapping[tuple[int, ...], str] = MappingProxyType({})
    recurrent: bool = False  # whether it is a matrix from hidden states to gates


def check_fit(
    weights: Any, expected: dict[str, Expected], framework: str, dtype=None
) -> np.dtype:
    """Check for all of ``expected`` and nothing else, of one dtype, which is returned.

    All numbers must be finite.
    """
    if not isinstance(weights, Mapping) or not all(
        isinstance(name, str) for name in weights
    ):
        raise InputError(
            "weights must be a dictionary from names to NumPy arrays, not"
            f" {type(weights).__name__}"
        )
    _check_names(weights, expected, framework)
    for name in expected:
        if not isinstance(weights[name], np.ndarray):
            what = type(weights[name]).__name__
            raise InputError(
                f"{name} must be a NumPy array, not {what}; a tensor's .numpy() makes"
                " one"
            )
    # those that tell most come first
    for name in sorted(expected, key=lambda name: not expected[name].recurrent):
        if weights[name].shape != expected[name].shape:
            raise InputError(
                _wrong_shape(name, weights[name].shape, expected[name], framework)
            )
    first = next(iter(expected))
    dtype = (
        check_dtype(first, weights[first].dtype).newbyteorder("=")
        if dtype is None
        else np.dtype(dtype)
    )
    for name, want in expected.items():
        check_array(name, weights[name], want.shape, dtype)
        if not np.isfinite(weights[name]).all():
            raise InputError(
                f"{name} holds NaN or infinite numbers; such a model has diverged"
            )
    return dtype


def _check_names(
    weights: Mapping[str, Any], expected: dict[str, Expected], framework: str
) -> None:
    extra = [name for name in weights if name not in expected]
    for name in extra:
        for part, kind in UNKNOWN_KINDS.items():
            if part in name:
                raise InputError(f"{name} is of {kind}")
    for name in expected:
        if name not in weights:
            raise InputError(
                f"the weights lack {name}, of shape"
                f" {expected[name].shape}{_hint(name, extra, framework)}"
            )
    for name in extra:
        raise InputError(
            f"the weights have {name}, for which there is no place here;"
            " take it out if it is not needed"
        )


def _hint(missing: str, extra: list[str], framework: str) -> str:
    """Why a name may be missing, from the names that are there instead."""
    last = lambda name: name.replace("/", ".").rpartition(".")[2]
    for name in extra:
        if last(name) == last(missing):
            return (
                f", but have {name}; say by rnn=, embedding= and output= what stands"
                " before the last part of a name"
            )
    for other, marks in MARKS.items():
        if other != framework and any(
            mark in last(name) for name in extra for mark in marks
        ):
            return (
                f", but have {other}'s name {extra[0]}; {READERS[other]} read such"
                " names"
            )
    return (
        "; zeros stand for a bias that is not used" if "bias" in last(missing) else ""
    )


def _wrong_shape(
    name: str, shape: tuple[int, ...], want: Expected, framework: str
) -> str:
    sentence = (
        f"{name} must have the shape {want.letters} ="
        f" {want.shape}{want.owner and ' of ' + want.owner}, not {shape}"
    )
    if shape in want.known:
        return f"{sentence}, {want.known[shape]}"
    for cell, H, owner in readings(shape) if want.recurrent else ():
        whose = f"{owner}'s layout" if owner else "either layout"
        remedy = (
            f"{READERS[owner]} read it"
            if owner not in ("", framework)
            else "take the same cell and size here"
        )
        return f"{sentence}, that of {cell} of hidden size {H} in {whose}; {remedy}"
    return sentence


def readings(shape: tuple[int, ...]) -> list[tuple[str, int, str]]:
    """Whose matrix from hidden states to gates has this shape?

    Returns cell, hidden size and framework, which is empty for either.
    """
    found = []
    if len(shape) == 2 and min(shape) > 0:
        rows, columns = shape
        for cell, gates in (("an LSTM", 4), ("a GRU", 3)):
            if rows == gates * columns:
                found.append((cell, columns, "PyTorch"))
            if columns == gates * rows:
                found.append((cell, rows, "Keras"))
        if rows == columns:
            found.append(("a simple RNN", rows, ""))
    return found
