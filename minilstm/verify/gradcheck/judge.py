"""The verdict about one parameter: its gradient beside its slopes, entry by entry.

    relative error = |gradient - slope| / max(|gradient|, |slope|, floor)

The floor is a hundredth of the parameter's largest slope: neither 0/0 nor the last bit of a sum that nearly cancels
counts as a mistake. Differences of the loss have rounding errors of their own, and with them the floor is at least so
high that these pass; if it is then higher than the largest slope, the verdict is "unsure".

A parameter all of whose slopes vanish passes any check, wrong or right: "zero". At a kink any number between the
one-sided derivatives is right, but only one that equals a side, and is not zero, is evidence. Where there is no other
evidence the verdict is "kink". Neither is a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minilstm.verify.gradcheck.report import ParameterCheck

SEVERAL = "right code gives this only where several kinks meet, as at weights that are all zero: try other values"
Where = tuple[int, ...]
Sides = tuple[float, float]  # the derivatives from the left and from the right
KinkAt = Callable[[Where, float], Sides | None]


def nowhere(where: Where, gap: float) -> Sides | None:
    """No kink is looked for."""
    return None


@dataclass(frozen=True)
class Judge:
    """Compares gradients with slopes.

    ``rounding`` is the error that a slope may have, ``nothing`` what is as good as zero.
    """

    title: str
    tolerance: float
    rounding: float
    loss: float
    nothing: float = 0.0

    @property
    def smallest_floor(self) -> float:
        """Of all parameters: what the rounding of the loss hides."""
        return self.rounding / self.tolerance

    def row(self, name: str, yours: np.ndarray, slope: np.ndarray, kink_at: KinkAt = nowhere) -> ParameterCheck:
        """The comparison of one parameter, at its worst entry.

        ``kink_at`` : from an entry and a gap to the one-sided derivatives, if the loss has a
        kink there and they differ by more than the gap; else to None.
        """
        largest, nothing = float(np.abs(slope).max()), max(self.nothing, self.rounding)
        floor = max(1e-2 * largest, self.smallest_floor)
        absolute = np.asarray(np.abs(yours - slope))
        scale = np.maximum(np.maximum(np.abs(yours), np.abs(slope)), floor)
        with np.errstate(invalid="ignore"):
            relative = np.asarray(absolute / np.where(scale == 0, 1, scale))  # 0/0: two zeros agree
        relative[~np.isfinite(yours)] = np.inf
        evidence, kinks = np.asarray(np.abs(slope) > nothing), {}
        for where in map(tuple, np.argwhere(relative > self.tolerance).tolist()):
            sides, slack = kink_at(where, float(absolute[where])), self.tolerance * scale[where]
            if sides and min(sides) - slack <= yours[where] <= max(sides) + slack:
                kinks[where] = sides
                relative[where] = absolute[where] = 0
                nearest = min(abs(yours[where] - side) for side in sides)
                evidence[where] = abs(yours[where]) > nothing and nearest <= slack
        where = tuple(int(k) for k in np.unravel_index(relative.argmax(), relative.shape))
        if relative[where] > self.tolerance:
            verdict = "WRONG"
        elif kinks and not evidence.any():
            verdict = "kink"
        elif largest <= nothing:
            verdict = "zero"
        else:
            verdict = "unsure" if floor > largest else "ok"
        sentence = ""
        if verdict == "WRONG" and (sides := kink_at(where, 0.0)):
            sentence = f"{_kink(name, where, sides)}, and your gradient is not between them; {SEVERAL}"
        elif verdict != "WRONG" and kinks:
            first, sides = next(iter(kinks.items()))
            sentence = f"{_kink(name, first, sides)}, and your gradient {yours[first]:.6g} is as good as any between"
            sentence += f" (one of {len(kinks)} such entries)" if len(kinks) > 1 else ""
            sentence += "; that proves nothing, choose other values" if verdict == "kink" else ""
        return ParameterCheck(
            name, yours.shape, float(absolute.max()), float(relative[where]), where, float(yours[where]), float(slope[where]),
            verdict, self.title, int(np.sum(relative > self.tolerance)), largest <= nothing and not sentence, self.loss,
            floor, len(kinks), sentence,
        )  # fmt: skip


def _kink(name: str, where: Where, sides: Sides) -> str:
    place = f"{name}{list(where)}" if where else name
    return f"the loss has a kink at {place}: its one-sided derivatives are {sides[0]:.6g} and {sides[1]:.6g}"
