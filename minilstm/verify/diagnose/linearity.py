"""Backward is linear in dh and dc: twice the dh and dc give twice the gradients.

This is tested with dh and dc a thousand times smaller and larger. Gradients that are
clipped within the backward pass are right until they are large. And it is tested with
zeros, which show what is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from minilstm.verify.diagnose.diagnosis import CHANGED, RAISES, Finding, Parts
from minilstm.verify.diagnose.explain import agree, differences, same
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.variant import Mistake
from minilstm.verify.diagnose.wording import evidence

SMALL, LARGE = 1e-3, 1e3
USUAL_LIMITS = (0.1, 0.5, 1, 5, 10, 15, 50, 100)
NOT_LINEAR = "not linear in dh and dc"
ADDED = "something is added that comes neither from dh nor from dc"
PENALTY = (
    "The gradient of a penalty on the weights, for instance, belongs to that penalty's"
    " own backward pass."
)
CLIPPED = (
    "Is something clipped, or a norm bounded, within the backward pass? That belongs"
    " after it."
)
UNKNOWN_LAW = (
    "Backward multiplies dh and dc by numbers of the forward pass."
    " It never takes a product or a power of them."
)


def not_linear(
    trial: Trial, function: Callable, yours: list[Parts]
) -> tuple[Finding | None, list[Parts]]:
    """What is not linear, if anything; and the results for small dh and dc.

    These results are given only if gradients are bounded, so that small ones are not.
    """
    if not trial.linear_in or not all(map(holds_numbers, yours)):
        return None, []
    added = _added(trial.yours(function, 0))
    if added:
        return added, []
    small, large = (trial.yours(function, scale) for scale in (SMALL, LARGE))
    of_small = _times(1 / SMALL, small)
    of_large = _times(1 / LARGE, large)
    differ = [*differences(of_large, of_small), *differences(yours, of_small)]
    wrong = tuple(dict.fromkeys(differ))
    if not wrong:
        return None, []
    for mistake in _clips(trial, large):
        if all(
            agree(results, trial.ours([mistake], scale))
            for scale, results in ((LARGE, large), (1, yours), (SMALL, small))
        ):
            right = list(trial.ours((), LARGE))
            return Finding(mistake, wrong, _first(large, right, wrong)), of_small
    belongs = _times(LARGE, of_small)
    first = _first(large, belongs, wrong)
    details = f"Twice the dh and dc give twice the gradients; yours do not. {first}"
    if _are_bounded(large, belongs):
        return Finding(None, wrong, details, CLIPPED, NOT_LINEAR), of_small
    return Finding(None, wrong, details, UNKNOWN_LAW, NOT_LINEAR), []


def holds_numbers(parts: Parts) -> bool:
    """Whether a call raised nothing, and returned arrays of real numbers only."""
    return RAISES not in parts and all(
        np.asarray(part).dtype.kind in "fiu" for part in parts.values()
    )


def _added(nothing: Sequence[Parts]) -> Finding | None:
    """A part that is not zero where dh and dc are zero."""
    for parts in nothing:
        for name, array in parts.items():
            if _is_gradient(name, array) and np.isfinite(array).all() and array.any():
                entry = array.flat[np.abs(array).argmax()]
                details = (
                    "With zeros for dh and dc every gradient is zero;"
                    f" your {name} then has an entry {entry:.6g}."
                )
                of_weights = name.startswith(("dWx", "dWh", "db"))
                place = PENALTY if of_weights else ""
                return Finding(None, (name,), details, place, ADDED)
    return None


def _clips(trial: Trial, large: Sequence[Parts]) -> Iterator[Mistake]:
    """The mistakes that clip, at usual limits and at the largest results."""
    largest = {
        float(f"{np.abs(array).max(initial=0):.9g}")
        for parts in large
        for array in parts.values()
        if isinstance(array, np.ndarray) and array.dtype.kind == "f"
    }
    for limit in dict.fromkeys([*USUAL_LIMITS, *sorted(largest)]):
        at_limit = lambda text: text.replace("-1, 1", f"-{limit:.9g}, {limit:.9g}")
        for mistake in trial.catalogue:
            if "np.clip" in mistake.wrong:
                wrong, shown = at_limit(mistake.wrong), at_limit(mistake.shown)
                yield replace(mistake, wrong=wrong, shown=shown)


def _first(
    large: Sequence[Parts], belongs: Sequence[Parts], wrong: Sequence[str]
) -> str:
    """An entry that shows the difference for large dh and dc."""
    for mine, ours in zip(large, belongs):
        if RAISES in mine:
            return f"With dh and dc a thousand times as large it raises {mine[RAISES]}."
        for name in wrong:
            if name in ours and not same(mine.get(name), ours[name]):
                entry = evidence(name, mine.get(name), ours[name])
                return f"With dh and dc a thousand times as large: {entry}"
    return "It shows only where they are small."


def _are_bounded(large: Sequence[Parts], belongs: Sequence[Parts]) -> bool:
    """Whether no part is much larger than what belongs there."""

    def size(array) -> float:
        is_array = isinstance(array, np.ndarray)
        return np.abs(array).max(initial=0) if is_array else np.inf

    return all(
        size(mine[name]) <= 10 * size(ours.get(name))
        for mine, ours in zip(large, belongs)
        for name in mine
    )


def _times(scale: float, results: Sequence[Parts]) -> list[Parts]:
    """All gradients multiplied; what is raised or changed stays as it is."""
    return [
        {
            name: np.asarray(scale * part) if _is_gradient(name, part) else part
            for name, part in parts.items()
        }
        for parts in results
    ]


def _is_gradient(name: str, part) -> bool:
    """Whether a part holds real numbers that are gradients."""
    if not isinstance(part, np.ndarray) or part.dtype.kind not in "fi":
        return False
    return not name.endswith(CHANGED)
