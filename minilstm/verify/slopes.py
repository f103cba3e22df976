"""Three ways to the slope of a loss, by nothing but asking for the loss.

    (1)  f'(x) = (f(x + h) - f(x - h)) / 2h  + O(h²) + O(ε/h)          central differences
    (2)  f'(x) = Im f(x + ih) / h            + O(h²)                   complex step
    (3)  ∇f · v = (f(x + hv) - f(x - hv)) / 2h  + O(h²) + O(ε/h)       projection on a direction v

In (1) and (3) two errors pull against each other: a long step leaves the straight line, a short one lets the subtraction
cancel all digits. They are of one size at h ≈ ∛ε, and then about ε^⅔ ≈ 4e-11 (Press et al., Numerical recipes, 2007, section
5.7). In (2) nothing is subtracted, h can be 1e-200, and the slope is exact to the last digits: Squire and Trapp, Using complex
variables to estimate derivatives of real functions (1998).

A loss is a function from a dictionary of arrays to one number. Nothing that is handed in is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

Params = Mapping[str, np.ndarray]
Loss = Callable[[dict[str, np.ndarray]], Any]

CUBE_ROOT = float(np.cbrt(np.finfo(np.float64).eps))  # 6e-6, h for a parameter of size 1
TINY = 1e-200  # h of a complex step: its square is zero, and no slope that matters is lost


def central_differences(loss: Loss, params: Params, step: float | None = None) -> dict[str, np.ndarray]:
    """(1) for every entry of every array: a dictionary of slopes, shaped as the parameters.

    When it is right: for any code that returns a number, as long as the loss is smooth between x - h and x + h. How exact:
    about 1e-10 of the loss's own size, so six to nine digits of an ordinary slope, and none of a very small one.
    Costs two evaluations for each entry. The step is ∛ε max(|x|, 1), since it must be small beside the scale on which the loss
    bends and still be seen beside x; ``step`` takes its place for experiments. What divides is the step really taken, which
    after rounding is not quite the step that was meant.
    """
    nudged = {name: array.copy() for name, array in params.items()}
    slopes = {name: np.empty(array.shape) for name, array in params.items()}
    for name, index, x in _entries(params):
        array, h = nudged[name], CUBE_ROOT * max(abs(x), 1) if step is None else step
        array[index] = above = x + h
        loss_above = loss(nudged)
        array[index] = below = x - h
        loss_below = loss(nudged)
        array[index] = x
        slopes[name][index] = (loss_above - loss_below) / (above - below)  # (1)
    return slopes


def complex_step(loss: Loss, params: Params) -> dict[str, np.ndarray]:
    """(2) for every entry of every array: a dictionary of slopes, shaped as the parameters.

    When it is right: where the loss is computed by operations that take complex numbers as they take real ones: + - * / and
    powers, exp, log, tanh, matrix products. Not where an absolute value, a conjugate or a cast to float loses the imaginary
    part. How exact: as exact as the loss itself, some 15 digits, small slopes included. Costs one evaluation for each entry,
    in complex128.
    """
    nudged = {name: array.astype(np.complex128) for name, array in params.items()}
    slopes = {name: np.empty(array.shape) for name, array in params.items()}
    for name, index, x in _entries(params):
        nudged[name][index] = x + 1j * TINY
        slopes[name][index] = loss(nudged).imag / TINY                     # (2)
        nudged[name][index] = x
    return slopes


def projection(loss: Loss, params: Params, direction: Params) -> float:
    """(3): the slope along ``direction``, whose names may be some of the parameters' names only.

    When it is right: as central differences, for any code. How exact: about 1e-10 of the loss's size for a direction of length
    1. Costs two evaluations however many parameters there are, which makes it the way for large models: a wrong gradient
    g passes only if g · v = ∇f · v, which for a random v does not happen. For outputs y in place of a loss, f = uᵀy with random
    u: what is then compared is uᵀJv, computed forward as uᵀ(Jv) and backward as (uᵀJ)v.
    """
    length = np.sqrt(sum(np.sum(v**2) for v in direction.values()))
    size = max(1.0, *(float(np.abs(params[name]).max()) for name in direction))
    h = CUBE_ROOT * size / length
    moved = lambda sign: {**params, **{name: np.asarray(params[name] + sign * h * v) for name, v in direction.items()}}
    return float((loss(moved(+1)) - loss(moved(-1))) / (2 * h))            # (3)


def _entries(params: Params) -> Iterator[tuple[str, tuple[int, ...], float]]:
    for name, array in params.items():
        for index in np.ndindex(array.shape):
            yield name, index, float(array[index])
