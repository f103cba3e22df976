"""Is this gradient right? Compares it with numerical derivatives, entry by entry.

``numerical`` computes the derivatives from the loss alone, ``comparison`` compares two
numbers, and ``objective`` finds out when a loss does not allow a complex step. Then
central differences take its place, and the report says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from minilstm.checks import check_number, check_seed
from minilstm.errors import InputError
from minilstm.verify.gradcheck import numerical
from minilstm.verify.gradcheck.comparison import Comparison, KinkAt
from minilstm.verify.gradcheck.kinks import kink
from minilstm.verify.gradcheck.objective import (
    EPSILON,
    SUSPECTS,
    NotForComplex,
    Objective,
    check_kept,
    random_direction,
)
from minilstm.verify.gradcheck.report import GradientCheck, ParameterCheck
from minilstm.verify.gradcheck.numerical import MATRIX, Loss, Params

PROJECTIONS = 5  # directions for each parameter


@dataclass(frozen=True)
class Method:
    """A way to compute a numerical derivative."""

    title: str
    tolerance: float  # the largest relative error that passes
    rounding: float  # the error that rounding adds to a derivative of a loss of size 1


METHODS = {
    "complex": Method("complex step", 1e-10, 0.0),
    "central": Method("central differences", 1e-5, 4 * EPSILON / numerical.STEP),
    "projections": Method("random projections", 1e-5, 4 * EPSILON / numerical.STEP),
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
    """Compare gradients with numerical derivatives of the loss.

    Parameters
    ----------
    f : callable
        From a dictionary of arrays to the loss, one number; or to a pair (loss,
        gradients).
    params : dict of arrays
        Where to check: float64 arrays of any shapes. They are not changed.
    gradients : dict of arrays, or callable
        dLoss/dparams, with the names and shapes of ``params``; or a function from
        params to such a dictionary. Default: the second part of what ``f`` returns.
    method : str
        "complex": a complex step, exact, for code that accepts complex numbers.
        "central": central differences, for any code. "projections": some random
        directions for each parameter, for large models and any code. "auto" (default):
        a complex step if the code accepts complex numbers, and otherwise central
        differences; the report then says why. How exact each method is stands in
        ``minilstm.verify.gradcheck.numerical``.
    tolerance : float
        Largest relative error that passes. Default: 1e-10 for "complex", 1e-5 for the
        others.
    seed : int
        Of the random directions.

    Returns
    -------
    GradientCheck
        True if every gradient is right. It prints as a table.

    Raises
    ------
    InputError
        If the loss differs from call to call, changes its inputs, is not one finite
        number, or cannot be differentiated by this method; if parameters are not
        float64; if gradients have other names or shapes; if "auto" is given a tolerance
        below 1e-5 and the code does not accept complex numbers.

    >>> square = lambda p: np.sum(p["x"] ** 2)
    >>> params, gradients = {"x": np.array([1.0, 2.0])}, {"x": np.array([2.0, 5.0])}
    >>> check = check_gradients(square, params, gradients)
    >>> check.passed
    False
    >>> print(check.wrong[0])
    x[1]: your gradient is 5, the derivative by complex step 4
    """
    if not isinstance(method, str) or method not in (*METHODS, "auto"):
        raise InputError(
            f"method must be one of {', '.join(METHODS)}, auto, not {method!r}"
        )
    if tolerance is not None:
        check_number("tolerance", tolerance, above=0)
    rng = np.random.default_rng(check_seed("seed", seed))
    params, objective = numerical.check_parameters(params), Objective(f)
    loss = objective.check_repeatable(params)
    yours = check_gradient_arrays(_gradients(f, gradients, params), params)
    notes: tuple[str, ...] = ()
    try:
        comparison, rows = _compare(
            "complex" if method == "auto" else method,
            objective,
            params,
            yours,
            loss,
            tolerance,
            rng,
        )
    except NotForComplex as error:
        exact = tolerance is not None and tolerance < METHODS["central"].tolerance
        if method != "auto" or exact:
            raise
        comparison, rows = _compare(
            "central", objective, params, yours, loss, tolerance, rng
        )
        notes = (
            "Checked by central differences, since a complex step, which is exact,"
            f" cannot be used here: {error.why}.",
        )
    objective.check_unchanged(params, loss)
    return GradientCheck(
        comparison.title,
        comparison.tolerance,
        loss,
        objective.evaluations,
        tuple(rows),
        notes=notes,
        smallest_floor=comparison.smallest_floor,
    )


def _compare(
    method: str,
    objective: Objective,
    params: Params,
    yours: Params,
    loss: float,
    tolerance: float | None,
    rng,
) -> tuple[Comparison, list[ParameterCheck]]:
    """All parameters by one of the METHODS."""
    way = METHODS[method]
    comparison = Comparison(
        way.title, tolerance or way.tolerance, way.rounding * abs(loss), loss
    )
    if method == "projections":
        row = lambda name: _compare_projections(
            objective, params, name, yours[name], comparison, rng
        )
        return comparison, [row(name) for name in params]
    if method == "central":
        found = numerical.central_differences(objective, params)
        kinks = {name: _kinks_of(objective, params, name) for name in params}
        return comparison, [
            comparison.row(name, yours[name], found[name], kinks[name])
            for name in params
        ]
    objective.check_complex_safe(params, rng)
    found = numerical.complex_step(objective, params)
    largest = max(float(np.abs(derivative).max()) for derivative in found.values())
    comparison = replace(comparison, nothing=16 * EPSILON * largest)
    rows = [comparison.row(name, yours[name], found[name]) for name in params]
    _blame_the_method_if_it_is_to_blame(objective, params, rows, loss)
    return comparison, rows


def _kinks_of(objective: Objective, params: Params, name: str) -> KinkAt:
    """What ``Comparison.row`` asks about an entry."""
    return lambda where, gap: kink(
        objective, params, {name: _unit(params[name].shape, where)}, gap
    )


def _gradients(f: Loss, gradients, params: dict[str, np.ndarray]) -> Params:
    copies = numerical.copies_of(params)
    if callable(gradients):
        found = gradients(copies)
        check_kept("the function of the gradients", params, copies)
        return found
    if gradients is not None:
        return gradients
    answer = f(copies)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise InputError(
            "there are no gradients to check: hand them in, or let f return a pair"
            " (loss, gradients)"
        )
    return answer[1]


def check_gradient_arrays(gradients, params: Params) -> dict[str, np.ndarray]:
    """The gradients as arrays, one for each parameter and of its shape."""
    if not isinstance(gradients, Mapping):
        raise InputError(
            f"gradients must be a dictionary of arrays, not {type(gradients).__name__}"
        )
    if set(gradients) != set(params):
        missing = sorted(set(params) - set(gradients))
        extra = sorted(map(str, set(gradients) - set(params)))
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
            raise InputError(
                f"the gradient of {name} is not an array of numbers: {error}"
            ) from error
        if gradient.dtype in (np.float16, np.float32):
            raise InputError(
                f"the gradient of {name} holds {gradient.dtype}, of seven digits at"
                " most; compute it in float64"
            )
        if gradient.shape != array.shape:
            remark = f" ({MATRIX})" if isinstance(gradients[name], np.matrix) else ""
            raise InputError(
                f"the gradient of {name} has the shape {gradient.shape}, but {name} has"
                f" {array.shape}{remark}"
            )
        if gradient.dtype.kind not in "fiu":
            raise InputError(
                f"the gradient of {name} must hold real numbers, not {gradient.dtype}"
            )
        arrays[name] = gradient.astype(np.float64)
    return arrays


def _compare_projections(
    objective, params, name, yours, comparison: Comparison, rng
) -> ParameterCheck:
    """Some directions through one parameter; a wrong one is halved down to an entry."""
    directions = [random_direction(rng, params[name]) for _ in range(PROJECTIONS)]
    derivative = lambda v: numerical.projection(objective, params, {name: v})
    with np.errstate(invalid="ignore"):
        mine = np.array([np.sum(yours * v) for v in directions])
    row = comparison.row(name, mine, np.array([derivative(v) for v in directions]))
    worst = directions[row.where[0]] if row.where else directions[0]
    row = replace(row, shape=yours.shape, where=None, wrong_entries=0)
    if row.verdict != "WRONG":
        return row
    # a direction may happen to hide an error; then the search ends at an entry that is
    # right
    for _ in range(PROJECTIONS):
        where = _search(yours, derivative, params[name], rng)
        at = float(yours[where]), derivative(_unit(yours.shape, where))
        kink_at = lambda _, gap: _kinks_of(objective, params, name)(where, gap)
        entry, its_derivative = np.full(1, at[0]), np.full(1, at[1])
        if comparison.row(name, entry, its_derivative, kink_at).verdict == "WRONG":
            return replace(row, where=where, yours=at[0], derivative=at[1])
    sides = kink(objective, params, {name: worst})
    if sides is None:
        return row
    sentence = (
        "the loss has a kink here, its one-sided derivatives along a random direction"
        f" are {sides[0]:.6g} and {sides[1]:.6g};"
        ' projections cannot decide that, use method="central"'
    )
    return replace(row, verdict="kink", kink=sentence)


def _search(
    yours: np.ndarray, derivative: Callable[[np.ndarray], float], param: np.ndarray, rng
) -> tuple[int, ...]:
    """Halve the parameter again and again; keep the half of the larger error."""
    finite = np.isfinite(yours).ravel()
    entries = np.arange(yours.size) if finite.all() else np.flatnonzero(~finite)[:1]
    while entries.size > 1:
        halves, errors = np.array_split(entries, 2), []
        for half in halves:
            v = np.zeros(yours.size)
            v[half] = random_direction(rng, param.ravel()[half])
            errors.append(
                abs(derivative(v.reshape(yours.shape)) - np.sum(yours.ravel() * v))
            )
        entries = halves[int(errors[1] > errors[0])]
    return tuple(int(k) for k in np.unravel_index(entries[0], yours.shape))


def _unit(shape: tuple[int, ...], where: tuple[int, ...]) -> np.ndarray:
    unit = np.zeros(shape)
    unit[where] = 1
    return unit


def _blame_the_method_if_it_is_to_blame(
    objective: Objective, params, rows: list[ParameterCheck], loss: float
) -> None:
    """Where the complex step contradicts the gradient, central differences must agree.

    There must be no kink, either.
    """
    for row in rows:
        if row.verdict != "WRONG" or row.where is None:
            continue
        direction = {row.name: _unit(row.shape, row.where)}
        place = f"{row.name}{row.place}"
        objective.check_smooth(params, direction, f"in {place}")
        differences = objective.contradicts(row.derivative, params, direction)
        if differences is not None:
            objective.check_unchanged(params, loss)
            raise NotForComplex(
                "the complex step cannot be used on this loss:"
                f" for {place} it says {row.derivative:.9g}, but central"
                f" differences say {differences:.9g}. The loss is not smooth here, or"
                " something loses the imaginary"
                f" part: look for {SUSPECTS}"
            )
