"""Numerical derivatives of a loss, by nothing but evaluating the loss.

    (1)  f'(x) = (f(x + h) - f(x - h)) / 2h  + O(h²) + O(ε/h)        central differences
    (2)  f'(x) = Im f(x + ih) / h            + O(h²)                   complex step
    (3)  ∇f · v = (f(x + hv) - f(x - hv)) / 2h  + O(h²) + O(ε/h)     along a direction v
    (4)  (f(x) - f(x - hv)) / h  and  (f(x + hv) - f(x)) / h         from left and right

(1) and (3) have two errors. A long step leaves the straight line; a short step cancels
all digits in the subtraction. Both are equal at h ≈ ∛ε, and then about ε^⅔ ≈ 4e-11
(Press et al., Numerical recipes, 2007, section 5.7). In (2) nothing is subtracted, so h
can be 1e-200, and the derivative is exact to the last digits: Squire and Trapp, Using
complex variables to estimate derivatives of real functions (1998). (4) finds kinks:
where the loss is smooth, its two numbers agree up to O(h).

A loss is a function from a dictionary of arrays to one number. It gets copies of the
arrays; nothing that is handed in is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from minilstm.checks import check_number
from minilstm.errors import InputError

Params = Mapping[str, np.ndarray]
Loss = Callable[[dict[str, np.ndarray]], Any]

STEP = float(np.cbrt(np.finfo(np.float64).eps))  # 6e-6, for a parameter of size 1
MATRIX = (
    "in a np.matrix * is the matrix product, and it always has two dimensions;"
    " use plain arrays (np.asarray), and @ for products"
)
TINY = 1e-200  # of a complex step: its square is zero, and no derivative is lost


def central_differences(
    loss: Loss, params: Params, step: float | None = None
) -> dict[str, np.ndarray]:
    """(1) for every entry of every array: derivatives, shaped as the parameters.

    It is right for any code that returns a number, if the loss is smooth between x - h
    and x + h. Its error is about 1e-10 of the loss: six to nine digits of an ordinary
    derivative are right, and none of a very small one. It costs two evaluations for
    each entry.

    The step is ∛ε max(|x|, 1): small beside the scale on which the loss bends, and
    large enough to change x. ``step`` replaces it for experiments. The difference is
    divided by the step really taken, which rounding makes a little different.
    """
    params = check_parameters(params)
    if step is not None:
        check_number("step", step, above=0)
    derivatives = {name: np.empty(array.shape) for name, array in params.items()}
    for name, index, x in _entries(params):
        h = STEP * max(abs(x), 1) if step is None else step
        above, below = x + h, x - h
        loss_above = loss(_moved(params, name, index, above))
        loss_below = loss(_moved(params, name, index, below))
        derivatives[name][index] = np.nan  # if h is too small beside x
        if above != below:
            difference = loss_above - loss_below
            derivatives[name][index] = difference / (above - below)  # (1)
    return derivatives


def complex_step(loss: Loss, params: Params) -> dict[str, np.ndarray]:
    """(2) for every entry of every array: derivatives, shaped as the parameters.

    It is right if the loss uses operations that are the same for complex numbers: + - *
    / and powers, exp, log, tanh, matrix products. It is wrong if an absolute value, a
    conjugate or a cast to float loses the imaginary part. It is as exact as the loss
    itself, some 15 digits, small derivatives included. It costs one evaluation for each
    entry, in complex128.
    """
    params = {
        name: array.astype(np.complex128)
        for name, array in check_parameters(params).items()
    }
    derivatives = {name: np.empty(array.shape) for name, array in params.items()}
    for name, index, x in _entries(params):
        value = loss(_moved(params, name, index, x + 1j * TINY))
        derivatives[name][index] = value.imag / TINY  # (2)
    return derivatives


def projection(
    loss: Loss, params: Params, direction: Params, step: float = STEP
) -> float:
    """(3): the derivative along ``direction``, which may lack some parameters.

    It is right where central differences are. Its error is about 1e-10 of the loss, if
    no entry of the direction is large beside the parameter (or 1). It costs two
    evaluations however many parameters there are, so it suits large models. A gradient
    g that is wrong everywhere passes only if g · v = ∇f · v, which does not happen for
    a random v. But the error of one entry among very many may be too small in the sum
    to be seen.

    For outputs y in place of a loss, f = uᵀy with random u. Then uᵀJv is compared,
    computed forward as uᵀ(Jv) and backward as (uᵀJ)v.
    """
    h, below, above = _along(params, direction, step)
    return float((loss(above) - loss(below)) / (2 * h))  # (3)


def one_sided(
    loss: Loss, params: Params, direction: Params, step: float = STEP
) -> tuple[float, float]:
    """(4): the derivatives along ``direction`` from the left and from the right.

    It is right for any code. Its error is of order h, much more than that of (3). Where
    a loss has a kink at this very place, the two stay apart however small the step. It
    costs three evaluations.
    """
    h, below, above = _along(params, direction, step)
    here = loss(copies_of(params))
    return float((here - loss(below)) / h), float((loss(above) - here) / h)  # (4)


def _along(
    params: Params, direction: Params, step: float
) -> tuple[float, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """h, x - hv and x + hv; no entry moves further than ``step`` of its size."""
    params = check_parameters(params)
    for name, v in direction.items():
        if name not in params or np.shape(v) != params[name].shape:
            raise InputError(
                f"the direction for {name} must have the shape of a parameter of this"
                " name"
            )
    reach = max(
        float(np.max(np.abs(v) / np.maximum(np.abs(params[name]), 1)))
        for name, v in direction.items()
    )
    if not 0 < reach < np.inf:
        raise InputError("a direction must be finite and not zero")
    h = step / reach
    moved = lambda sign: {
        **params,
        **{
            name: np.asarray(params[name] + sign * h * v)
            for name, v in direction.items()
        },
    }
    return h, copies_of(moved(-1)), copies_of(moved(+1))


def check_parameters(params: Params) -> dict[str, np.ndarray]:
    """Copies of the arrays: at least one, each of float64, finite and with entries."""
    if not isinstance(params, Mapping):
        raise InputError(
            f"params must be a dictionary of arrays, not {type(params).__name__}"
        )
    if not params:
        raise InputError(
            "params is empty, so there is nothing to check;"
            " hand in the arrays that the loss depends on"
        )
    for name, array in params.items():
        if not isinstance(name, str):
            raise InputError(f"the names of parameters must be strings, not {name!r}")
        if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
            raise InputError(
                f"{name} must be a NumPy array, not {type(array).__name__}"
            )
        if isinstance(array, np.matrix):
            raise InputError(f"{name} is a np.matrix: {MATRIX}")
        if array.dtype.kind in "iub":
            raise InputError(
                f"{name} holds {array.dtype}, which no small step can change;"
                " convert it with .astype(float)"
            )
        if array.dtype != np.float64:
            raise InputError(
                f"{name} holds {array.dtype}; a gradient check needs float64."
                " In float32 a loss has seven digits, and the"
                " difference of two that are nearly equal has none left;"
                " convert it with .astype(np.float64)"
            )
        if array.size == 0:
            raise InputError(f"{name} is empty, of shape {array.shape}; leave it out")
        if not np.isfinite(array).all():
            raise InputError(
                f"{name} holds NaN or infinity, where no derivative is defined"
            )
    return {name: np.array(array) for name, array in params.items()}


def _entries(params: Params) -> Iterator[tuple[str, tuple[int, ...], Any]]:
    for name, array in params.items():
        for index in np.ndindex(array.shape):
            yield name, index, array[index].item()


def copies_of(params: Params) -> dict[str, np.ndarray]:
    """Copies of the arrays, for a function that may change them."""
    return {name: array.copy() for name, array in params.items()}


def _moved(
    params: Params, name: str, index: tuple[int, ...], x
) -> dict[str, np.ndarray]:
    copies = copies_of(params)
    copies[name][index] = x
    return copies
