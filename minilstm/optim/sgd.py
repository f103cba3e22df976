"""SGD, stochastic gradient descent: a step against the gradient, and with momentum also on along the steps before.

    (1)  u ← μ u - α g                              velocity
    (2)  θ ← θ + u                                  momentum (μ = 0: plain descent)
    (3)  θ ← θ + μ u - α g                          Nesterov's momentum, in the place of (2)

(1) and (2): Polyak, Some methods of speeding up the convergence of iteration methods (1964), as Sutskever, Martens, Dahl and
Hinton, On the importance of initialization and momentum in deep learning (2013), write it in their equations 1 and 2.

Nesterov takes the gradient where momentum alone would lead to (equations 3 and 4 of the latter). (3) is the same way, told
of the points θ + μ u at which gradients are taken, so that one vector of parameters is enough: Bengio, Boulanger-Lewandowski
and Pascanu, Advances in optimizing recurrent networks (2013), section 3.5. Keras has (1) to (3) so, and our defaults.

Shapes: g, θ, u are flat vectors (P,).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.checks import check_flag, check_fraction, check_number
from minilstm.optim.optimizer import pass_over


class SGDState(NamedTuple):
    """What SGD remembers: velocity u, and how many steps it has taken.

    Without momentum the velocity is only the last step, and kept all the same: what a state holds depends on nothing but
    the kind of optimizer.
    """

    velocity: np.ndarray  # (P,)
    t: int

    def __copy__(self) -> SGDState:
        return copy.deepcopy(self)  # with arrays in common, a step of one would leave the other with a wrong t


def sgd_step(
    theta: np.ndarray, g: np.ndarray, state: SGDState, rate: float, momentum: float, nesterov: bool
) -> tuple[np.ndarray, SGDState]:
    """One step by the book: the new parameters and the new state; nothing is changed in place."""
    u = momentum * state.velocity - rate * g                               # (1)
    theta = theta + momentum * u - rate * g if nesterov else theta + u     # (3) or (2)
    return theta, SGDState(u, state.t + 1)


@dataclass(frozen=True)
class SGD:
    """SGD with its constants: step size α (``learning_rate``), momentum μ, and whether it is Nesterov's."""

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
        self, theta: np.ndarray, g: np.ndarray, state: SGDState, rate: float | None = None, scale: float = 1.0
    ) -> SGDState:
        """One step in one compiled pass: ``theta`` and ``state.velocity`` are changed in place.

        ``rate`` takes the place of ``learning_rate`` for this step, where a schedule says so; g is multiplied by ``scale``.
        Raises NotFiniteError when a parameter has become NaN or infinite; all of them are changed all the same.
        """
        rate = self.learning_rate if rate is None else rate
        cast = theta.dtype.type
        scalars = cast(scale), cast(self.momentum), cast(rate), self.nesterov
        pass_over(kernels.sgd.sgd_step, g, scalars, (theta, state.velocity))
        return SGDState(state.velocity, state.t + 1)
