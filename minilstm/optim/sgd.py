"""SGD, stochastic gradient descent, with momentum if wanted.

    (1)  u ← μ u - α g                              velocity
    (2)  θ ← θ + u                                  momentum (μ = 0: plain descent)
    (3)  θ ← θ + μ u - α g                          Nesterov's momentum, instead of (2)

(1) and (2): Polyak, Some methods of speeding up the convergence of iteration methods
(1964), as in equations 1 and 2 of Sutskever, Martens, Dahl and Hinton, On the
importance of initialization and momentum in deep learning (2013).

Nesterov computes the gradient at the point where momentum alone would lead, θ + μ u
(their equations 3 and 4). (3) is the same algorithm, written in terms of these points,
so that one vector of parameters is enough: Bengio, Boulanger-Lewandowski and Pascanu,
Advances in optimizing recurrent networks (2013), section 3.5. Equations and defaults
are those of Keras.

Shapes: g, θ, u are flat vectors (P,).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.checks import check_flag, check_fraction, check_number
from minilstm.optim.optimizer import update_in_chunks


class SGDState(NamedTuple):
    """The state of SGD: velocity u, and the number of steps taken.

    Without momentum the velocity is just the last step. It is kept nevertheless, so
    that what a state holds depends on the kind of optimizer alone.
    """

    velocity: np.ndarray  # (P,)
    t: int

    def __copy__(self) -> SGDState:
        # with shared arrays, a step of one copy would leave the other with a wrong t
        return copy.deepcopy(self)


def sgd_step(
    theta: np.ndarray,
    g: np.ndarray,
    state: SGDState,
    rate: float,
    momentum: float,
    nesterov: bool,
) -> tuple[np.ndarray, SGDState]:
    """One step in NumPy: the new parameters and state; changes nothing in place."""
    u = momentum * state.velocity - rate * g                               # (1)
    theta = theta + momentum * u - rate * g if nesterov else theta + u     # (3) or (2)
    return theta, SGDState(u, state.t + 1)


@dataclass(frozen=True)
class SGD:
    """The SGD optimizer.

    Parameters
    ----------
    learning_rate : float
        α.
    momentum : float
        μ, at least 0 and below 1. Default: none.
    nesterov : bool
        Whether the momentum is Nesterov's.

    Raises
    ------
    InputError
        If an argument is not of this kind.
    """

    kind: ClassVar[str] = "sgd"
    State: ClassVar[type[SGDState]] = SGDState

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self):
        check_number("learning_rate", self.learning_rate, above=0)
        check_fraction("momentum", self.momentum)
        check_flag("nesterov", self.nesterov)

    def init(self, theta: np.ndarray) -> SGDState:
        """The state before the first step: zeros."""
        return SGDState(np.zeros_like(theta), 0)

    def step(
        self,
        theta: np.ndarray,
        g: np.ndarray,
        state: SGDState,
        rate: float | None = None,
        scale: float = 1.0,
    ) -> SGDState:
        """One compiled step, in place; see ``Optimizer.step``."""
        rate = self.learning_rate if rate is None else rate
        cast = theta.dtype.type
        scalars = cast(scale), cast(self.momentum), cast(rate), self.nesterov
        update_in_chunks(kernels.sgd.sgd_step, g, scalars, (theta, state.velocity))
        return SGDState(state.velocity, state.t + 1)
