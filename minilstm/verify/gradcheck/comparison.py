"""The verdict about one parameter: its gradient beside its numerical derivatives.

    relative error = |gradient - derivative| / max(|gradient|, |derivative|, floor)

The denominator floor is a hundredth of the parameter's largest derivative. So neither
0/0 nor the last bit of a sum that nearly cancels counts as a mistake. Differences of
the loss have rounding errors of their own. With them the denominator floor is so high
that these pass. If it is then higher than the largest derivative, the verdict is
"unsure".

A parameter whose derivatives are all zero passes any check, wrong or right: "zero". At
a kink any number between the one-sided derivatives is right, but only one that equals a
side, and is not zero, is evidence. Without other evidence the verdict is "kink".
Neither passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minilstm.verify.gradcheck.report import ParameterCheck

SEVERAL = (
    "right code gives this only where several kinks meet, as at weights that are all"
    " zero: try other values"
)
Where = tuple[int, ...]
Sides = tuple[float, float]  # the derivatives from the left and from the right
KinkAt = Callable[[Where, float], Sides | None]


def nowhere(where: Where, gap: float) -> Sides | None:
    """No kink is looked for."""
    return None


@dataclass(frozen=True)
class Comparison:
    """Compares gradients with numerical derivatives.

    ``rounding`` is the error that a derivative may have; ``nothing`` is as good as
    zero.
    """

    title: str
    tolerance: float
    rounding: float
    loss: float
    nothing: float = 0.0

    @property
    def smallest_floor(self) -> float:
        """The smallest denominator floor: what the rounding of the loss hides."""
        return self.rounding / self.tolerance

    def row(
        self,
        name: str,
        yours: np.ndarray,
        derivative: np.ndarray,
        kink_at: KinkAt = nowhere,
    ) -> ParameterCheck:
        """The comparison of one parameter, at its worst entry.

        ``kink_at`` : from an entry and a gap to the one-sided derivatives, if the loss
        has a kink there and they differ by more than the gap; else to None.
        """
        largest = float(np.abs(derivative).max())
        nothing = max(self.nothing, self.rounding)
        floor = max(1e-2 * largest, self.smallest_floor)
        absolute = np.asarray(np.abs(yours - derivative))
        scale = np.maximum(np.maximum(np.abs(yours), np.abs(derivative)), floor)
        with np.errstate(invalid="ignore"):
            # 0/0: two zeros agree
            relative = np.asarray(absolute / np.where(scale == 0, 1, scale))
        relative[~np.isfinite(yours)] = np.inf
        evidence, kinks = np.asarray(np.abs(derivative) > nothing), {}
        for where in map(tuple, np.argwhere(relative > self.tolerance).tolist()):
            sides = kink_at(where, float(absolute[where]))
            slack = self.tolerance * scale[where]
            if sides and min(sides) - slack <= yours[where] <= max(sides) + slack:
                kinks[where] = sides
                relative[where] = absolute[where] = 0
                nearest = min(abs(yours[where] - side) for side in sides)
                evidence[where] = abs(yours[where]) > nothing and nearest <= slack
        where = tuple(
            int(k) for k in np.unravel_index(relative.argmax(), relative.shape)
        )
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
            sentence = (
                f"{_kink(name, where, sides)}, and your gradient is not between them;"
                f" {SEVERAL}"
            )
        elif verdict != "WRONG" and kinks:
            first, sides = next(iter(kinks.items()))
            sentence = (
                f"{_kink(name, first, sides)}, and your gradient {yours[first]:.6g} is"
                " as good as any between"
            )
            sentence += f" (one of {len(kinks)} such entries)" if len(kinks) > 1 else ""
            sentence += (
                "; that proves nothing, choose other values"
                if verdict == "kink"
                else ""
            )
        return ParameterCheck(
            name, yours.shape, float(absolute.max()), float(relative[where]), where,
            float(yours[where]), float(derivative[where]), verdict, self.title,
            int(np.sum(relative > self.tolerance)), largest <= nothing and not sentence,
            self.loss, floor, len(kinks), sentence,
        )  # fmt: skip


def _kink(name: str, where: Where, sides: Sides) -> str:
    place = f"{name}{list(where)}" if where else name
    return (
        f"the loss has a kink at {place}: its one-sided derivatives are {sides[0]:.6g}"
        f" and {sides[1]:.6g}"
    )
