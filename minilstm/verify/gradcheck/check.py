"""Is this gradient right? Compares it with slopes that were found without it, entry by entry.

How two numbers are compared stands in ``judge``, how slopes are found in ``slopes``, and when a loss cannot be asked for
a complex step in ``objective``: then central differences take its place, and the report says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from minilstm.checks import check_number, check_seed
from minilstm.errors import InputError
from minilstm.verify.gradcheck import slopes
from minilstm.verify.gradcheck.judge import Judge, KinkAt
from minilstm.verify.gradcheck.kinks import kink
from minilstm.verify.gradcheck.objective import EPSILON, SUSPECTS, NotForComplex, Objective, check_kept, random_direction
from minilstm.verify.gradcheck.report import GradientCheck, ParameterCheck
from minilstm.verify.gradcheck.slopes import MATRIX, Loss, Params

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
    method: str = "auto",
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
    method : "auto", a complex step where the code takes complex numbers, and where it does not, central differences; the
        report then says so, and why. "complex", exact, for code that takes complex numbers, and InputError for other code;
        "central", central differences, for any code; "projections", some random directions for each parameter, for large
        models and any code. See ``minilstm.verify.gradcheck.slopes`` for when each is right and how exact it can be.
    tolerance : largest relative error that passes; 1e-10 for "complex", 1e-5 for the others. "auto" with a smaller one than
        1e-5 raises InputError where the code does not take complex numbers, since differences could not keep to it.
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
    if not isinstance(method, str) or method not in (*METHODS, "auto"):
        raise InputError(f"method must be one of {', '.join(METHODS)}, auto, not {method!r}")
    if tolerance is not None:
        check_number("tolerance", tolerance, above=0)
    rng = np.random.default_rng(check_seed("seed", seed))
    params, objective = slopes.check_parameters(params), Objective(f)
    loss = objective.check_repeatable(params)
    yours = check_gradient_arrays(_gradients(f, gradients, params), params)
    notes: tuple[str, ...] = ()
    try:
        judge, rows = _compare("complex" if method == "auto" else method, objective, params, yours, loss, tolerance, rng)
    except NotForComplex as error:
        if method != "auto" or tolerance is not None and tolerance < METHODS["central"].tolerance:
            raise
        judge, rows = _compare("central", objective, params, yours, loss, tolerance, rng)
        notes = (f"Checked by central differences, since a complex step, which is exact, cannot be used here: {error.why}.",)
    objective.check_unchanged(params, loss)
    return GradientCheck(
        judge.title, judge.tolerance, loss, objective.evaluations, tuple(rows), notes=notes, smallest_floor=judge.smallest_floor
    )


def _compare(
    method: str, objective: Objective, params: Params, yours: Params, loss: float, tolerance: float | None, rng
) -> tuple[Judge, list[ParameterCheck]]:
    """All parameters by one of the METHODS."""
    way = METHODS[method]
    judge = Judge(way.title, tolerance or way.tolerance, way.rounding * abs(loss), loss)
    if method == "projections":
        return judge, [_compare_projections(objective, params, name, yours[name], judge, rng) for name in params]
    if method == "central":
        found = slopes.central_differences(objective, params)
        return judge, [judge.row(name, yours[name], found[name], _kinks_of(objective, params, name)) for name in params]
    objective.check_complex_safe(params, rng)
    found = slopes.complex_step(objective, params)
    largest = max(float(np.abs(slope).max()) for slope in found.values())
    judge = replace(judge, nothing=16 * EPSILON * largest)
    rows = [judge.row(name, yours[name], found[name]) for name in params]
    _blame_the_method_if_it_is_to_blame(objective, params, rows, loss)
    return judge, rows


def _kinks_of(objective: Objective, params: Params, name: str) -> KinkAt:
    """What ``Judge.row`` asks about an entry."""
    return lambda where, gap: kink(objective, params, {name: _unit(params[name].shape, where)}, gap)


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
            remark = f" ({MATRIX})" if isinstance(gradients[name], np.matrix) else ""
            raise InputError(f"the gradient of {name} has the shape {gradient.shape}, but {name} has {array.shape}{remark}")
        if gradient.dtype.kind not in "fiu":
            raise InputError(f"the gradient of {name} must hold real numbers, not {gradient.dtype}")
        arrays[name] = gradient.astype(np.float64)
    return arrays


def _compare_projections(objective, params, name, yours, judge: Judge, rng) -> ParameterCheck:
    """Some directions through one parameter; if one is wrong, halve it until a single entry is left."""
    directions = [random_direction(rng, params[name]) for _ in range(PROJECTIONS)]
    slope = lambda v: slopes.projection(objective, params, {name: v})
    with np.errstate(invalid="ignore"):
        mine = np.array([np.sum(yours * v) for v in directions])
    row = judge.row(name, mine, np.array([slope(v) for v in directions]))
    worst = directions[row.where[0]] if row.where else directions[0]
    row = replace(row, shape=yours.shape, where=None, wrong_entries=0)
    if row.verdict != "WRONG":
        return row
    for _ in range(PROJECTIONS):  # a direction may happen to hide an error; then the search ends at an entry that is right
        where = _search(yours, slope, params[name], rng)
        at = float(yours[where]), slope(_unit(yours.shape, where))
        kink_at = lambda _, gap: _kinks_of(objective, params, name)(where, gap)
        if judge.row(name, np.full(1, at[0]), np.full(1, at[1]), kink_at).verdict == "WRONG":
            return replace(row, where=where, yours=at[0], slope=at[1])
    sides = kink(objective, params, {name: worst})
    if sides is None:
        return row
    sentence = (
        f"the loss has a kink here, its one-sided derivatives along a random direction are {sides[0]:.6g} and {sides[1]:.6g};"
        ' projections cannot judge that, use method="central"'
    )
    return replace(row, verdict="kink", kink=sentence)


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
    """Where the complex step contradicts the gradient, central differences must take its side, and there must be no kink."""
    for row in rows:
        if row.verdict != "WRONG" or row.where is None:
            continue
        direction, place = {row.name: _unit(row.shape, row.where)}, f"{row.name}{row.place}"
        objective.check_smooth(params, direction, f"in {place}")
        differences = objective.contradicts(row.slope, params, direction)
        if differences is not None:
            objective.check_unchanged(params, loss)
            raise NotForComplex(
                f"the complex step cannot be used on this loss: for {place} it says {row.slope:.9g}, but central"
                f" differences say {differences:.9g}. The loss is not smooth here, or something loses the imaginary"
                f" part: look for {SUSPECTS}"
            )
