"""Is this gradient right? Compares it with slopes that were found without it, entry by entry.

The relative error of an entry is |yours - slope| / max(|yours|, |slope|, floor). The floor is a hundredth of the largest slope
of the same parameter: an entry below it is compared with the floor and not with itself, so that neither 0/0 nor the last bit of
a sum that nearly cancels counts as a mistake. Differences of the loss have rounding errors of their own, and with them the
floor is at least so high that these pass; if it is then higher than the largest slope, the verdict is "unsure".

A parameter all of whose slopes vanish passes any check, wrong or right. It is therefore reported as "zero", and the check as
a whole has not passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from minilstm.checks import check_number, check_seed
from minilstm.errors import InputError
from minilstm.verify import slopes
from minilstm.verify.objective import EPSILON, Objective, check_kept, random_direction
from minilstm.verify.report import GradientCheck, ParameterCheck
from minilstm.verify.slopes import Loss, Params

PROJECTIONS = 5  # directions for each parameter


@dataclass(frozen=True)
class Method:
    """A way to find slopes: what it is called, how much error passes, and what rounding does to a slope of a loss of size 1."""

    title: str
    tolerance: float
    rounding: float


METHODS = {
    "complex": Method("complex step", 1e-10, 0.0),
    "central": Method("central differences", 1e-5, 4 * EPSILON / slopes.STEP),
    "projections": Method("random projections", 1e-5, 4 * EPSILON / slopes.STEP),
}


def check_gradients(
    f: Loss,
    params: Params,
    gradients: Params | Callable[[dict[str, np.ndarray]], Params] | None = None,
    *,
    method: str = "complex",
    tolerance: float | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compare gradients with slopes of the loss; the result prints as a table and is true if all is right.

    Parameters
    ----------
    f : from a dictionary of arrays to the loss, one number; or to a pair (loss, gradients).
    params : where to check: a dictionary of float64 arrays of any shapes. It is not changed.
    gradients : dLoss/dparams: a dictionary of the same names and shapes, or a function from params to one. Left out, f
        must return them as the second of its pair.
    method : "complex", exact, for code that takes complex numbers; "central", central differences, for any code;
        "projections", some random directions for each parameter, for large models and any code. See
        ``minilstm.verify.slopes`` for when each is right and how exact it can be.
    tolerance : largest relative error that passes; 1e-10 for "complex", 1e-5 for the others.
    seed : of the random directions.

    Raises InputError for a loss that differs from call to call, changes its inputs, is not one finite number, or cannot be
    differentiated in this way; for parameters that are not float64; for gradients of other names or shapes.

    >>> square = lambda p: np.sum(p["x"] ** 2)
    >>> check = check_gradients(square, {"x": np.array([1.0, 2.0])}, {"x": np.array([2.0, 5.0])})
    >>> check.passed
    False
    >>> print(check.wrong[0])
    x[1]: your gradient is 5, the slope by complex step 4
    """
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    way = METHODS[method]
    tolerance = way.tolerance if tolerance is None else check_number("tolerance", tolerance, above=0)
    rng = np.random.default_rng(check_seed("seed", seed))
    params, objective = slopes.check_parameters(params), Objective(f)
    loss = objective.check_repeatable(params)
    yours = check_gradient_arrays(_gradients(f, gradients, params), params)
    judge = Judge(way.title, tolerance, way.rounding * abs(loss), loss)
    if method == "projections":
        rows = [_compare_projections(objective, params, name, yours[name], judge, rng) for name in params]
    elif method == "central":
        found = slopes.central_differences(objective, params)
        rows = [judge.row(name, yours[name], found[name]) for name in params]
    else:
        objective.check_complex_safe(params, rng)
        found = slopes.complex_step(objective, params)
        largest = max(float(np.abs(slope).max()) for slope in found.values())
        judge = replace(judge, nothing=16 * EPSILON * largest)
        rows = [judge.row(name, yours[name], found[name]) for name in params]
        _blame_the_method_if_it_is_to_blame(objective, params, rows, loss)
    objective.check_unchanged(params, loss)
    return GradientCheck(way.title, tolerance, loss, objective.evaluations, tuple(rows))


def _gradients(f: Loss, gradients, params: dict[str, np.ndarray]) -> Params:
    copies = slopes.copies_of(params)
    if callable(gradients):
        found = gradients(copies)
        check_kept("the function of the gradients", params, copies)
        return found
    if gradients is not None:
        return gradients
    answer = f(copies)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise InputError("there are no gradients to check: hand them in, or let f return a pair (loss, gradients)")
    return answer[1]


def check_gradient_arrays(gradients, params: Params) -> dict[str, np.ndarray]:
    """The gradients as arrays, one for each parameter and of its shape."""
    if not isinstance(gradients, Mapping):
        raise InputError(f"gradients must be a dictionary of arrays, not {type(gradients).__name__}")
    if set(gradients) != set(params):
        missing, extra = sorted(set(params) - set(gradients)), sorted(map(str, set(gradients) - set(params)))
        raise InputError(
            "the gradients must have the names of the parameters;"
            + (f" missing: {', '.join(missing)}" if missing else "")
            + (f" unknown: {', '.join(extra)}" if extra else "")
        )
    arrays = {}
    for name, array in params.items():
        try:
            gradient = np.asarray(gradients[name])
        except ValueError as error:
            raise InputError(f"the gradient of {name} is not an array of numbers: {error}") from error
        if gradient.dtype in (np.float16, np.float32):
            raise InputError(f"the gradient of {name} holds {gradient.dtype}, of seven digits at most; compute it in float64")
        if gradient.shape != array.shape:
            raise InputError(f"the gradient of {name} has the shape {gradient.shape}, but {name} has {array.shape}")
        if gradient.dtype.kind not in "fiu":
            raise InputError(f"the gradient of {name} must hold real numbers, not {gradient.dtype}")
        arrays[name] = gradient.astype(np.float64)
    return arrays


@dataclass(frozen=True)
class Judge:
    """Compares gradients with slopes. ``rounding`` is the error that a slope may have, ``nothing`` what is as good as zero."""

    title: str
    tolerance: float
    rounding: float
    loss: float
    nothing: float = 0.0

    def row(self, name: str, yours: np.ndarray, slope: np.ndarray) -> ParameterCheck:
        """The comparison of one parameter, at its worst entry."""
        largest, nothing = float(np.abs(slope).max()), max(self.nothing, self.rounding)
        floor = max(1e-2 * largest, self.rounding / self.tolerance)
        absolute = np.abs(yours - slope)
        scale = np.maximum(np.maximum(np.abs(yours), np.abs(slope)), floor)
        with np.errstate(invalid="ignore"):
            relative = np.asarray(absolute / np.where(scale == 0, 1, scale))  # 0/0: two zeros agree
        relative[~np.isfinite(yours)] = np.inf
        where = tuple(int(k) for k in np.unravel_index(relative.argmax(), relative.shape))
        if relative[where] > self.tolerance:
            verdict = "WRONG"
        elif largest <= nothing:
            verdict = "zero"
        else:
            verdict = "unsure" if floor > largest else "ok"
        return ParameterCheck(
            name, yours.shape, float(absolute.max()), float(relative[where]), where, float(yours[where]), float(slope[where]),
            verdict, self.title, int(np.sum(relative > self.tolerance)), largest <= nothing, self.loss,
        )  # fmt: skip


def _compare_projections(objective, params, name, yours, judge: Judge, rng) -> ParameterCheck:
    """Some directions through one parameter; if one is wrong, halve it until a single entry is left."""
    directions = [random_direction(rng, params[name]) for _ in range(PROJECTIONS)]
    slope = lambda v: slopes.projection(objective, params, {name: v})
    with np.errstate(invalid="ignore"):
        mine = np.array([np.sum(yours * v) for v in directions])
    row = judge.row(name, mine, np.array([slope(v) for v in directions]))
    row = replace(row, shape=yours.shape, where=None, wrong_entries=0)
    if row.verdict != "WRONG":
        return row
    for _ in range(PROJECTIONS):  # a direction may happen to hide an error; then the search ends at an entry that is right
        where = _search(yours, slope, params[name], rng)
        at = float(yours[where]), slope(_unit(yours.shape, where))
        if judge.row(name, np.full(1, at[0]), np.full(1, at[1])).verdict == "WRONG":
            return replace(row, where=where, yours=at[0], slope=at[1])
    return row


def _search(yours: np.ndarray, slope: Callable[[np.ndarray], float], param: np.ndarray, rng) -> tuple[int, ...]:
    """Halve the parameter again and again, and stay with the half in which the error is larger."""
    finite = np.isfinite(yours).ravel()
    entries = np.arange(yours.size) if finite.all() else np.flatnonzero(~finite)[:1]
    while entries.size > 1:
        halves, errors = np.array_split(entries, 2), []
        for half in halves:
            v = np.zeros(yours.size)
            v[half] = random_direction(rng, param.ravel()[half])
            errors.append(abs(slope(v.reshape(yours.shape)) - np.sum(yours.ravel() * v)))
        entries = halves[int(errors[1] > errors[0])]
    return tuple(int(k) for k in np.unravel_index(entries[0], yours.shape))


def _unit(shape: tuple[int, ...], where: tuple[int, ...]) -> np.ndarray:
    unit = np.zeros(shape)
    unit[where] = 1
    return unit


def _blame_the_method_if_it_is_to_blame(objective: Objective, params, rows: list[ParameterCheck], loss: float) -> None:
    """Where the complex step contradicts the gradient, central differences must take its side."""
    for row in rows:
        if row.verdict != "WRONG" or row.where is None:
            continue
        differences = objective.contradicts(row.slope, params, {row.name: _unit(row.shape, row.where)})
        if differences is not None:
            objective.check_unchanged(params, loss)
            raise InputError(
                f"the complex step cannot be used on this loss: for {row.name}{list(row.where)} it says"
                f" {row.slope:.9g}, but central differences say {differences:.9g}. Something loses the imaginary part (abs,"
                ' max, a comparison, .real, a cast to float), or the loss is not smooth here; method="central" takes any code'
            )
