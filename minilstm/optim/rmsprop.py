"""RMSprop: the gradient, divided by the root of a running mean of its square.

    (1)  s ← ρ s + (1 - ρ) g²                       mean square
    (2)  u ← μ u - α g / √(s + ε)                   velocity
    (3)  θ ← θ + u

Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012), has (1) and the division by √s. The ε inside
the root and the momentum μ: Graves, Generating sequences with recurrent neural networks (2013), equations 38 to 41, there
with the square of the mean gradient taken from s besides. Defaults, and where ε stands, are those of Keras, which holds -u.

Unlike Adam, RMSprop does not correct s for its beginning at zero: with μ = 0, the first step of a gradient that is not tiny
has the size α / √(1 - ρ), about three times α.

Shapes: g, θ, s, u are flat vectors (P,).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.checks import check_fraction, check_number
from minilstm.optim.optimizer import pass_over


class RMSpropState(NamedTuple):
    """What RMSprop remembers: mean square s, velocity u, and how many steps it has taken.

    Without momentum the velocity is only the last step, and kept all the same: what a state holds depends on nothing but
    the kind of optimizer.
    """

    mean_square: np.ndarray  # (P,)
    velocity: np.ndarray  # (P,)
    t: int

    def __copy__(self) -> RMSpropState:
        return copy.deepcopy(self)  # with arrays in common, a step of one would leave the other with a wrong t


def rmsprop_step(
    theta: np.ndarray, g: np.ndarray, state: RMSpropState, rate: float, rho: float, momentum: float, epsilon: float
) -> tuple[np.ndarray, RMSpropState]:
    """One step by the book: the new parameters and the new state; nothing is changed in place."""
    s = rho * state.mean_square + (1 - rho) * g**2                         # (1)
    u = momentum * state.velocity - rate * g / np.sqrt(s + epsilon)        # (2)
    return theta + u, RMSpropState(s, u, state.t + 1)                      # (3)


@dataclass(frozen=True)
class RMSprop:
    """RMSprop with its constants: step size α (``learning_rate``), ρ, momentum μ, ε."""

    kind: ClassVar[str] = "rmsprop"
    State: ClassVar[type[RMSpropState]] = RMSpropState

    learning_rate: float = 0.001
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7

    def __post_init__(self):
        check_number("learning_rate", self.learning_rate, above=0)
        check_fraction("rho", self.rho)
        check_fraction("momentum", self.momentum)
        check_number("epsilon", self.epsilon, above=0)

    def init(self, theta: np.ndarray) -> RMSpropState:
        """The state before the first step: zeros."""
        return RMSpropState(np.zeros_like(theta), np.zeros_like(theta), 0)

    def step(
        self, theta: np.ndarray, g: np.ndarray, state: RMSpropState, rate: float | None = None, scale: float = 1.0
    ) -> RMSpropState:
        """One step in one compiled pass: ``theta`` and both arrays of ``state`` are changed in place.

        ``rate`` takes the place of ``learning_rate`` for this step, where a schedule says so; g is multiplied by ``scale``.
        Raises NotFiniteError when a parameter has become NaN or infinite; all of them are changed all the same.
        """
        rate = self.learning_rate if rate is None else rate
        s, u, t = state
        cast = theta.dtype.type
        scalars = cast(scale), cast(1 - self.rho), cast(self.momentum), cast(rate), cast(self.epsilon)
        pass_over(kernels.rmsprop.rmsprop_step, g, scalars, (theta, s, u))
        return RMSpropState(s, u, t + 1)
