"""RMSprop: the gradient, divided by the root of a running mean of its square.

    (1)  s ← ρ s + (1 - ρ) g²                       mean square
    (2)  u ← μ u - α g / √(s + ε)                   velocity
    (3)  θ ← θ + u

Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012), has (1)
and the division by √s. Graves, Generating sequences with recurrent neural networks
(2013), equations 38 to 41, has ε inside the root and the momentum μ; he also subtracts
the square of the mean gradient from s. The defaults and the place of ε are those of
Keras, which keeps -u.

Unlike Adam, RMSprop does not correct the bias of s, which begins at zero. With μ = 0,
the first step of a gradient that is not tiny has size α / √(1 - ρ), about three times
α.

Shapes: g, θ, s, u are flat vectors (P,).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.checks import check_fraction, check_number
from minilstm.optim.optimizer import update_in_chunks


class RMSpropState(NamedTuple):
    """The state of RMSprop: mean square s, velocity u, and the number of steps taken.

    Without momentum the velocity is just the last step. It is kept nevertheless, so
    that what a state holds depends on the kind of optimizer alone.
    """

    mean_square: np.ndarray  # (P,)
    velocity: np.ndarray  # (P,)
    t: int

    def __copy__(self) -> RMSpropState:
        # with shared arrays, a step of one copy would leave the other with a wrong t
        return copy.deepcopy(self)


def rmsprop_step(
    theta: np.ndarray,
    g: np.ndarray,
    state: RMSpropState,
    rate: float,
    rho: float,
    momentum: float,
    epsilon: float,
) -> tuple[np.ndarray, RMSpropState]:
    """One step in NumPy: the new parameters and state; changes nothing in place."""
    s = rho * state.mean_square + (1 - rho) * g**2                         # (1)
    u = momentum * state.velocity - rate * g / np.sqrt(s + epsilon)        # (2)
    return theta + u, RMSpropState(s, u, state.t + 1)                      # (3)


@dataclass(frozen=True)
class RMSprop:
    """The RMSprop optimizer.

    Parameters
    ----------
    learning_rate : float
        α.
    rho : float
        ρ, at least 0 and below 1.
    momentum : float
        μ, at least 0 and below 1. Default: none.
    epsilon : float
        ε.

    Raises
    ------
    InputError
        If an argument is not of this kind.
    """

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
        self,
        theta: np.ndarray,
        g: np.ndarray,
        state: RMSpropState,
        rate: float | None = None,
        scale: float = 1.0,
    ) -> RMSpropState:
        """One compiled step, in place; see ``Optimizer.step``."""
        rate = self.learning_rate if rate is None else rate
        s, u, t = state
        cast = theta.dtype.type
        constants = scale, 1 - self.rho, self.momentum, rate, self.epsilon
        scalars = tuple(map(cast, constants))
        update_in_chunks(kernels.rmsprop.rmsprop_step, g, scalars, (theta, s, u))
        return RMSpropState(s, u, t + 1)
