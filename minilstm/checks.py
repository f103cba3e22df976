"""Checks of arguments of public functions.

Each message says which argument is wrong, what was expected, and what was given. All
raise InputError.
"""

from __future__ import annotations

import math
import numbers

import numpy as np

from minilstm.errors import InputError


def check_size(name: str, value) -> int:
    """A whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise InputError(f"{name} must be a whole number of at least 1, not {value!r}")
    return int(value)


def check_seed(name: str, value) -> int:
    """A whole number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
        raise InputError(f"{name} must be a whole number of at least 0, not {value!r}")
    return int(value)


def check_dtype(name: str, dtype) -> np.dtype:
    """One of the four dtypes that kernels support."""
    dtype = np.dtype(dtype)
    if dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise InputError(
            f"{name} must be float32, float64, complex64 or complex128, not {dtype}"
        )
    return dtype


def check_params(params, shapes) -> np.dtype:
    """Arrays of these shapes by name, all of one dtype, which is returned."""
    for name, shape in shapes.items():
        if name not in params:
            raise InputError(
                f"the parameters lack {name}, of shape {shape};"
                " a layer's init() makes them all"
            )
        first = next(iter(shapes))
        check_array(name, params[name], shape, getattr(params[first], "dtype", None))
    return check_dtype(first, params[first].dtype)


def check_number(name: str, value, above: float) -> float:
    """A finite number greater than ``above``."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or not math.isfinite(value)
        or value <= above
    ):
        raise InputError(
            f"{name} must be a finite number greater than {above}, not {value!r}"
        )
    return float(value)


def check_fraction(name: str, value) -> float:
    """A number of at least 0 and below 1."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or value < 0
        or not value < 1
    ):
        raise InputError(f"{name} must be at least 0 and below 1, not {value!r}")
    return float(value)


def check_flag(name: str, value) -> bool:
    """True or False, not 0, 1 or None."""
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, not {value!r}")
    return value


def check_array(
    name: str, array, shape: tuple[int | None, ...], dtype, letters: str = ""
) -> np.ndarray:
    """An array of this shape (None: any size) and of exactly this dtype."""
    if not isinstance(array, np.ndarray):
        raise InputError(f"{name} must be a NumPy array, not {type(array).__name__}")
    fits = array.ndim == len(shape) and all(
        want in (None, have) for want, have in zip(shape, array.shape)
    )
    if not fits:
        wanted = (
            "("
            + ", ".join("any" if n is None else str(n) for n in shape)
            + ("," if len(shape) == 1 else "")
            + ")"
        )
        raise InputError(
            f"{name} must have the shape {letters + ' = ' if letters else ''}{wanted},"
            f" not {array.shape}"
        )
    if array.dtype != dtype:
        raise InputError(
            f"{name} must have the dtype {np.dtype(dtype)}, as the parameters have, not"
            f" {array.dtype};"
            f" convert it with .astype(np.{np.dtype(dtype)})"
        )
    return array


def check_ids(name: str, ids, size: int) -> np.ndarray:
    """An array of integers in [0, size)."""
    ids = np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise InputError(
            f"{name} must be integers, not {ids.dtype}; a tokenizer's encode() makes"
            " them"
        )
    if ids.size and not (0 <= ids.min() and ids.max() < size):
        wrong = ids[(ids < 0) | (ids >= size)].flat[0]
        where = tuple(int(k) for k in np.argwhere(ids == wrong)[0])
        raise InputError(
            f"{name} must be at least 0 and below {size}, but {name}{list(where)} is"
            f" {wrong}"
        )
    return ids


def check_lengths(lengths, T: int, B: int) -> np.ndarray:
    """Number of real steps of each of B sequences: integers in [0, T]. None: all T."""
    if lengths is None:
        return np.full(B, T)
    lengths = np.asarray(lengths)
    if lengths.shape != (B,) or lengths.dtype.kind not in "iu":
        raise InputError(
            f"lengths must be {B} integers, one a sequence, not {lengths.dtype} of"
            f" shape {lengths.shape}"
        )
    if B and not (0 <= lengths.min() and lengths.max() <= T):
        raise InputError(
            f"lengths must lie between 0 and T = {T}, not {lengths.min()} to"
            f" {lengths.max()}"
        )
    return lengths
