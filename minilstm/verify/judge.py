"""The verdict about one parameter: its gradient beside its slopes, entry by entry.

    relative error = |gradient - slope| / max(|gradient|, |slope|, floor)

The floor is a hundredth of the parameter's largest slope: neither 0/0 nor the last bit of a sum that nearly cancels
counts as a mistake. Differences of the loss have rounding errors of their own, and with them the floor is at least so
high that these pass; if it is then higher than the largest slope, the verdict is "unsure".

A parameter all of whose slopes vanish passes any check, wrong or right: "zero". At a kink any number between the
one-sided derivatives is right; where nothing but kinks was compared, the verdict is "kink". Neither is a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minilstm.verify.report import ParameterCheck

Where = tuple[int, ...]
Sides = tuple[float, float]  # the derivatives from the left and from the right
KinkAt = Callable[[Where, float], Sides | None]


@dataclass(frozen=True)
class Judge:
    """Compares gradients with slopes. ``rounding`` is the error that a slope may have, ``nothing`` what is as good as zero."""

    title: str
    tolerance: float
    rounding: float
    loss: float
    nothing: float = 0.0

    @property
    def smallest_floor(self) -> float:
        """Of all parameters: what the rounding of the loss hides."""
        return self.rounding / self.tolerance

    def row(
        self, name: str, yours: np.ndarray, slope: np.ndarray, kink_at: KinkAt | None = None
    ) -> ParameterCheck:
        """The comparison of one parameter, at its worst entry.

        ``kink_at`` : for an entry its one-sided derivatives, if they differ by more than a gap and the loss has a kink there.
        """
        largest, nothing = float(np.abs(slope).max()), max(self.nothing, self.rounding)
        floor = max(1e-2 * largest, self.smallest_floor)
        absolute = np.asarray(np.abs(yours - slope))
        scale = np.maximum(np.maximum(np.abs(yours), np.abs(slope)), floor)
        with np.errstate(invalid="ignore"):
            relative = np.asarray(absolute / np.where(scale == 0, 1, scale))  # 0/0: two zeros agree
        relative[~np.isfinite(yours)] = np.inf
        smooth, kink = np.ones(slope.shape, bool), ""
        for where in map(tuple, np.argwhere(relative > self.tolerance).tolist() if kink_at else ()):
            sides = kink_at(where, float(absolute[where])) if kink_at else None
            if sides and _between(float(yours[where]), sides, self.tolerance * float(scale[where])):
                smooth[where], relative[where], absolute[where] = False, 0, 0
                kink = kink or f"{_sentence(name, where, sides)} and your gradient {yours[where]:.6g} is as good as any between"
        where = tuple(int(k) for k in np.unravel_index(relative.argmax(), relative.shape))
        kinks = int(np.sum(~smooth))
        if relative[where] > self.tolerance:
            verdict = "WRONG"
            sides = kink_at(where, 0.0) if kink_at else None
            kink = _sentence(name, where, sides) + " and your gradient is not between them" if sides else ""
        elif kinks and not (np.abs(slope[smooth]) > nothing).any():
            verdict = "kink"
        elif largest <= nothing:
            verdict = "zero"
        else:
            verdict = "unsure" if floor > largest else "ok"
        if kinks > 1 and verdict != "WRONG":
            kink += f" (one of {kinks} such entries)"
        return ParameterCheck(
            name, yours.shape, float(absolute.max()), float(relative[where]), where, float(yours[where]), float(slope[where]),
            verdict, self.title, int(np.sum(relative > self.tolerance)), largest <= nothing and not kink, self.loss,
            floor, kinks, kink,
        )  # fmt: skip


def _between(yours: float, sides: Sides, slack: float) -> bool:
    return min(sides) - slack <= yours <= max(sides) + slack


def _sentence(name: str, where: Where, sides: Sides) -> str:
    return (
        f"the loss has a kink at {name}{list(where) if where else ''}:"
        f" its one-sided derivatives are {sides[0]:.6g} and {sides[1]:.6g},"
    )
