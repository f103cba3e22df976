"""Learning-rate schedules: from the number of a step s, counted from 0, to the rate ρ of that step.

    (1)  ρ = α                                      constant
    (2)  ρ = α φ^⌊s / k⌋                            step decay, by the factor φ after every k steps: so, epoch by epoch,
                                                    Zaremba, Sutskever and Vinyals, Recurrent neural network
                                                    regularization (2014), section 4.1, once their first epochs are over
    (3)  ρ = α max(0.01, (1 + cos(π s / S)) / 2)    cosine decay over S steps: Loshchilov and Hutter, SGDR (2017),
                                                    equation 5, without restarts, never quite zero
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from minilstm.checks import check_number, check_size
from minilstm.errors import InputError


@dataclass(frozen=True)
class Constant:
    """The same learning rate for every step (1)."""

    rate: float

    def __post_init__(self):
        check_number("rate", self.rate, above=0)

    def __call__(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        return self.rate


@dataclass(frozen=True)
class StepDecay:
    """A learning rate that begins at ``peak`` and is multiplied by ``factor`` after ``every`` so many steps (2)."""

    peak: float
    every: int
    factor: float

    def __post_init__(self):
        check_number("peak", self.peak, above=0)
        check_size("every", self.every)
        check_number("factor", self.factor, above=0)
        if self.factor > 1:
            raise InputError(f"factor must be greater than 0 and at most 1, not {self.factor!r}")

    def __call__(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        return self.peak * self.factor ** (step // self.every)


@dataclass(frozen=True)
class CosineDecay:
    """A learning rate that falls from ``peak`` along half a cosine (3), to a hundredth of it after ``total`` steps."""

    peak: float
    total: int

    def __post_init__(self):
        check_number("peak", self.peak, above=0)
        check_size("total", self.total)

    def __call__(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        return self.peak * max(0.01, (1 + math.cos(math.pi * min(step / self.total, 1))) / 2)
