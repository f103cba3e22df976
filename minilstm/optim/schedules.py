"""Schedules: from the number of a training step s, from 0, to its learning rate ρ.

    (1)  ρ = α                                      constant
    (2)  ρ = α φ^⌊s / k⌋                            step decay: times φ every k steps
    (3)  ρ = α max(0.01, (1 + cos(π s / S)) / 2)    cosine decay over S steps

(2): Zaremba, Sutskever and Vinyals, Recurrent neural network regularization (2014),
section 4.1, where it acts once an epoch after the first epochs. (3): Loshchilov and
Hutter, SGDR (2017), equation 5, without restarts, and never quite zero.
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
        """The learning rate of a training step, counted from 0."""
        return self.rate


@dataclass(frozen=True)
class StepDecay:
    """Step decay (2): begins at ``peak``, times ``factor`` every ``every`` steps."""

    peak: float
    every: int
    factor: float

    def __post_init__(self):
        check_number("peak", self.peak, above=0)
        check_size("every", self.every)
        check_number("factor", self.factor, above=0)
        if self.factor > 1:
            raise InputError(
                f"factor must be greater than 0 and at most 1, not {self.factor!r}"
            )

    def __call__(self, step: int) -> float:
        """The learning rate of a training step, counted from 0."""
        return self.peak * self.factor ** (step // self.every)


@dataclass(frozen=True)
class CosineDecay:
    """Cosine decay (3): from ``peak`` to a hundredth of it, after ``total`` steps."""

    peak: float
    total: int

    def __post_init__(self):
        check_number("peak", self.peak, above=0)
        check_size("total", self.total)

    def __call__(self, step: int) -> float:
        """The learning rate of a training step, counted from 0."""
        cosine = math.cos(math.pi * min(step / self.total, 1))
        return self.peak * max(0.01, (1 + cosine) / 2)
