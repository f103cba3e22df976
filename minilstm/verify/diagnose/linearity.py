"""Backward is linear in dh and dc: twice the dh and dc give twice the gradients, zeros give zeros.

This is tested with dh and dc a thousand times smaller and larger, since gradients that
are clipped within the backward pass are right until they are large; and with zeros,
which show what is added besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from minilstm.verify.diagnose.diagnosis import RAISES, Finding, Parts, evidence
from minilstm.verify.diagnose.explain import agree, differences, same
from minilstm.verify.diagnose.trials import Trial
from minilstm.verify.diagnose.variant import Mistake

SMALL, LARGE = 1e-3, 1e3
USUAL_LIMITS = (0.1, 0.5, 1, 5, 10, 15, 50, 100)
CHANGED = ", changed in place"
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
    """What is not linear, if anything; and if gradients are bounded, the results for small dh and dc, which are not yet."""
    if not trial.linear_in or any(RAISES in parts for parts in yours):
        return None, []
    small, large, nothing = (
        trial.yours(function, scale) for scale in (SMALL, LARGE, 0)
    )
    for name, entry in _added(nothing):
        details = (
            "With zeros for dh and dc every gradient is zero;"
            f" your {name} then has an entry {entry:.6g}."
        )
        return Finding(
            None,
            (name,),
            details,
            PENALTY if name.startswith(("dWx", "dWh", "db")) else "",
            ADDED,
        ), []
    of_small = _times(1 / SMALL, small)
    bent = list(
        dict.fromkeys(
            [
                *differences(_times(1 / LARGE, large), of_small),
                *differences(yours, of_small),
            ]
        )
    )
    if not bent:
        return None, []
    for mistake in _clips(trial, large):
        if all(
            agree(got, trial.ours([mistake], scale))
            for scale, got in ((LARGE, large), (1, yours), (SMALL, small))
        ):
            right = list(trial.ours((), LARGE))
            return Finding(mistake, tuple(bent), _first(large, right, bent)), of_small
    belongs = _times(LARGE, of_small)
    size = lambda array: (
        np.abs(array).max(initial=0) if isinstance(array, np.ndarray) else np.inf
    )
    bounded = all(
        size(mine[name]) <= 10 * size(ours.get(name))
        for mine, ours in zip(large, belongs)
        for name in mine
    )
    details = "Twice the dh and dc give twice the gradients; yours do not. " + _first(
        large, belongs, bent
    )
    return Finding(
        None, tuple(bent), details, CLIPPED if bounded else UNKNOWN_LAW, NOT_LINEAR
    ), of_small if bounded else []


def _first(
    large: Sequence[Parts], belongs: Sequence[Parts], bent: Sequence[str]
) -> str:
    """An entry that shows the difference for large dh and dc."""
    for mine, ours in zip(large, belongs):
        if RAISES in mine:
            return f"With dh and dc a thousand times as large it raises {mine[RAISES]}."
        for name in bent:
            if name in ours and not same(mine.get(name), ours[name]):
                return "With dh and dc a thousand times as large: " + evidence(
                    name, mine.get(name), ours[name]
                )
    return "It shows only where they are small."


def _clips(trial: Trial, large: Sequence[Parts]) -> Iterator[Mistake]:
    """The mistakes that clip, at the usual limits and at those that the results do not go beyond."""
    arrays = [
        array
        for parts in large
        if RAISES not in parts
        for array in parts.values()
        if array.dtype.kind == "f"
    ]
    largest = {float(f"{np.abs(array).max(initial=0):.9g}") for array in arrays}
    for limit in dict.fromkeys([*USUAL_LIMITS, *sorted(largest)]):
        for mistake in (m for m in trial.catalogue if "np.clip" in m.wrong):
            at_limit = lambda text: text.replace("-1, 1", f"-{limit:.9g}, {limit:.9g}")
            yield replace(
                mistake, wrong=at_limit(mistake.wrong), shown=at_limit(mistake.shown)
            )


def _added(nothing: Sequence[Parts]) -> Iterator[tuple[str, float]]:
    """Parts that are not zero where dh and dc are, and their largest entries."""
    for parts in nothing:
        for name, array in parts.items():
            if (
                RAISES not in parts
                and not name.endswith(CHANGED)
                and array.dtype.kind in "fi"
                and np.isfinite(array).all()
            ):
                if array.any():
                    yield name, array.flat[np.abs(array).argmax()]


def _times(scale: float, results: Sequence[Parts]) -> list[Parts]:
    """All gradients multiplied; what is raised or changed stays as it is."""
    is_gradient = lambda name, part: (
        isinstance(part, np.ndarray)
        and part.dtype.kind in "fi"
        and not name.endswith(CHANGED)
    )
    return [
        {
            name: np.asarray(scale * p) if is_gradient(name, p) else p
            for name, p in parts.items()
        }
        for parts in results
    ]
