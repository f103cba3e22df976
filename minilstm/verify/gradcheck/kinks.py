"""Does a loss have a kink here? ReLU at 0, |x| at 0, the maximum of two that are equal.

In a smooth loss the derivatives from the left and from the right, taken over a step h,
differ by

    f'₊ - f'₋ = (f(x + h) - 2 f(x) + f(x - h)) / h = h f''(x) + O(h³)

which shrinks with h. In a kink the difference is the same for every h. What rounding
adds grows as h shrinks, and is none of both. At a kink any number between the two
derivatives is a subgradient, and which of them a program returns is a convention (ReLU:
mostly 0). Clarke, Optimization and nonsmooth analysis (1983).
"""

from __future__ import annotations

import numpy as np

from minilstm.verify.gradcheck import numerical
from minilstm.verify.gradcheck.numerical import STEP, Loss, Params

# a kink nearer than STEP, which spoils a central difference, is seen as well
STEPS = (4 * STEP, 8 * STEP, 16 * STEP)
# of a difference of derivatives, for a loss of size 1
ROUNDING = 100 * float(np.finfo(np.float64).eps) / STEPS[0]


def kink(
    loss: Loss, params: Params, direction: Params, gap: float = 0.0
) -> tuple[float, float] | None:
    """The derivatives from left and right along ``direction``; None without a kink.

    ``gap`` : what they must differ by at least. Most entries without a kink are done
    with after one step, which makes looking at many of them cheap.
    """
    gap = max(gap, ROUNDING * abs(loss(numerical.copies_of(params))))
    sides = []
    for step in STEPS:
        try:
            with np.errstate(all="ignore"):
                sides.append(numerical.one_sided(loss, params, direction, step))
        except Exception:  # so far from here the loss may not be finite, or raise
            return None
        if not abs(sides[-1][1] - sides[-1][0]) > gap:
            return None
    jumps = [right - left for left, right in sides]
    if not max(jumps) < 2 * min(jumps) and not min(jumps) > 2 * max(jumps):
        return None
    # to a step of 0, as if they were straight lines
    left, right = (2 * near - far for near, far in zip(*sides[:2]))
    return left, right
