"""Is this gradient right? Compares it with slopes that were found without it, entry by entry.

The relative error of an entry is |ours - theirs| / max(|ours|, |theirs|, floor). The floor is a hundredth of the largest slope
of the same parameter: an entry below it is compared with the floor and not with itself, so that neither 0/0 nor the last bit of
a sum that nearly cancels counts as a mistake. Differences of the loss have rounding errors of their own, and with them the
floor is at least so high that these pass.

A parameter all of whose slopes vanish passes any check, wrong or right. It is therefore reported as "zero", and the check as
a whole has not passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from minilstm.checks import check_number, check_seed
from minilstm.errors import InputError
from minilstm.verify import slopes
from minilstm.verify.objective import Objective, check_parameters, disagree
from minilstm.verify.report import GradientCheck, ParameterCheck
from minilstm.verify.slopes import Loss, Params

EPSILON = float(np.finfo(np.float64).eps)
PROJECTIONS = 5  # directions for each parameter


@dataclass(frozen=True)
class Method:
    """A way to find slopes: what it is called, how much error passes, and what rounding does to a slope of a loss of size 1."""

    title: str
    tolerance: float
    rounding: float


METHODS = {
    "complex": Method("complex step", 1e-10, 0.0),
    "central": Method("central differences", 1e-6, 8 * EPSILON / slopes.CUBE_ROOT),
    "projections": Method("random projections", 1e-6, 8 * EPSILON / slopes.CUBE_ROOT),
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
    tolerance : largest relative error that passes; 1e-10 for "complex", 1e-6 for the others.
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
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    way = METHODS[method]
    tolerance = way.tolerance if tolerance is None else check_number("tolerance", tolerance, above=0)
    rng = np.random.default_rng(check_seed("seed", seed))
    params, objective = check_parameters(params), Objective(f)
    loss = objective.check_repeatable(params)
    ours = check_gradient_arrays(_gradients(f, gradients, params), params)
    compare = partial(_compare, tolerance=tolerance, rounding=way.rounding * abs(loss), nothing=16 * EPSILON * abs(loss))
    if method == "projections":
        rows = [_compare_projections(objective, params, name, ours[name], compare, rng) for name in params]
    else:
        if method == "complex":
            objective.check_complex_safe(params, rng)
        theirs = (slopes.complex_step if method == "complex" else slopes.central_differences)(objective, params)
        rows = [compare(name, ours[name], theirs[name], title=way.title) for name in params]
        if method == "complex":
            _blame_the_method_if_it_is_to_blame(objective, params, rows, loss)
    return GradientCheck(way.title, tolerance, loss, objective.evaluations, tuple(rows))


def _gradients(f: Loss, gradients, params: dict[str, np.ndarray]) -> Params:
    copies = {name: array.copy() for name, array in params.items()}
    if callable(gradients):
        return gradients(copies)
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
        missing, extra = sorted(set(params) - set(gradients)), sorted(set(gradients) - set(params))
        raise InputError(
            "the gradients must have the names of the parameters;"
            + (f" missing: {', '.join(missing)}" if missing else "")
            + (f" unknown: {', '.join(map(str, extra))}" if extra else "")
        )
    arrays = {}
    for name, array in params.items():
        gradient = np.asarray(gradients[name])
        if gradient.shape != array.shape:
            raise InputError(f"the gradient of {name} has the shape {gradient.shape}, but {name} has {array.shape}")
        if gradient.dtype.kind not in "fiu":
            raise InputError(f"the gradient of {name} must hold real numbers, not {gradient.dtype}")
        arrays[name] = gradient.astype(np.float64)
    return arrays


def _compare(name, ours, theirs, *, title, tolerance, rounding, nothing) -> ParameterCheck:
    """One row. Slopes up to ``nothing`` are as good as zero."""
    largest, nothing = np.abs(theirs).max(), max(nothing, rounding)
    if max(largest, np.abs(ours).max()) <= nothing:
        return ParameterCheck(name, ours.shape, 0.0, 0.0, (0,) * ours.ndim, ours.flat[0], theirs.flat[0], "zero", title)
    absolute = np.abs(ours - theirs)
    scale = np.maximum(np.maximum(np.abs(ours), np.abs(theirs)), max(1e-2 * largest, rounding / tolerance))
    with np.errstate(invalid="ignore"):
        relative = np.asarray(absolute / np.where(scale == 0, 1, scale))  # 0/0: two zeros agree
    relative[~np.isfinite(ours)] = np.inf
    where = tuple(int(k) for k in np.unravel_index(relative.argmax(), ours.shape))
    verdict = "ok" if relative[where] <= tolerance else "WRONG"
    return ParameterCheck(
        name, ours.shape, float(absolute.max()), float(relative[where]), where, float(ours[where]), float(theirs[where]),
        verdict, title, int(np.sum(relative > tolerance)), bool(largest <= nothing),
    )  # fmt: skip


def _compare_projections(objective, params, name, ours, compare, rng) -> ParameterCheck:
    """Some directions of length 1 through one parameter; if one is wrong, halve it until a single entry is left."""
    title, directions = METHODS["projections"].title, []
    for _ in range(PROJECTIONS):
        v = rng.standard_normal(ours.shape)
        directions.append(v / np.linalg.norm(v))
    slope = lambda v: slopes.projection(objective, params, {name: v})
    with np.errstate(invalid="ignore"):
        mine = np.array([np.sum(ours * v) for v in directions])
    theirs = np.array([slope(v) for v in directions])
    row = replace(compare(name, mine, theirs, title=title), shape=ours.shape, where=None, wrong_entries=0)
    if row.verdict != "WRONG":
        return row
    finite = np.isfinite(ours).ravel()
    entries = np.arange(ours.size) if finite.all() else np.flatnonzero(~finite)[:1]
    while entries.size > 1:
        halves = np.array_split(entries, 2)
        errors = []
        for half in halves:
            v = np.zeros(ours.size)
            v[half] = rng.choice([-1.0, 1.0], half.size) / np.sqrt(half.size)
            errors.append(abs(slope(v.reshape(ours.shape)) - np.sum(ours.ravel() * v)))
        entries = halves[int(errors[1] > errors[0])]
    where = tuple(int(k) for k in np.unravel_index(entries[0], ours.shape))
    unit = np.zeros(ours.shape)
    unit[where] = 1
    return replace(row, where=where, ours=float(ours[where]), theirs=slope(unit))


def _blame_the_method_if_it_is_to_blame(objective: Objective, params, rows: list[ParameterCheck], loss: float) -> None:
    """Where the complex step contradicts the gradient, central differences must take its side."""
    for row in rows:
        if row.verdict != "WRONG":
            continue
        unit = np.zeros(row.shape)
        unit[row.where] = 1
        differences = slopes.projection(objective, params, {row.name: unit})
        if disagree(row.theirs, differences, loss):
            raise InputError(
                f"the complex step cannot be used on this loss: for {row.name}{list(row.where or ())} it says"
                f" {row.theirs:.6g}, but central differences say {differences:.6g}. Something loses the imaginary part (abs,"
                ' max, a comparison, .real, a cast to float), or the loss is not smooth here; method="central" takes any code'
            )
