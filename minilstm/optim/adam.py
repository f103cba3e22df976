"""Adam: a step of similar size for every parameter, whatever the size of its gradients.

Adam keeps two running means of every gradient entry, of itself and of its square.

    (1)  m ← β₁ m + (1 - β₁) g                      first moment
    (2)  v ← β₂ v + (1 - β₂) g²                     second moment
    (3)  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)      bias correction: both began at 0
    (4)  θ ← θ - α m̂ / (√v̂ + ε)

Kingma and Ba, Adam: a method for stochastic optimization (2015), algorithm 1, with its
defaults. The end of their section 2 moves both corrections into the learning rate, and
has another constant instead of ε, called ε̂ (epsilon hat):

    (5)  θ ← θ - α_t m / (√v + ε̂),                  α_t = α √(1 - β₂ᵗ) / (1 - β₁ᵗ)

With ε̂ = ε √(1 - β₂ᵗ) that is (4). Keras keeps ε̂ constant instead, at 1e-7, and so
does ``epsilon_hat=True``. In the first steps a constant ε̂ has 1 / √(1 - β₂ᵗ) times the
effect: 32 times at t = 1, for β₂ = 0.999.

Shapes: g, θ, m, v are flat vectors (P,).
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.checks import check_flag, check_fraction, check_number
from minilstm.optim.optimizer import update_in_chunks


class AdamState(NamedTuple):
    """The state of Adam: both moments, and the number of steps taken."""

    m: np.ndarray  # (P,)
    v: np.ndarray  # (P,)
    t: int

    def __copy__(self) -> AdamState:
        # with shared arrays, a step of one copy would leave the other with a wrong t
        return copy.deepcopy(self)


def adam_step(
    theta: np.ndarray,
    g: np.ndarray,
    state: AdamState,
    rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    epsilon_hat: bool = False,
) -> tuple[np.ndarray, AdamState]:
    """One step in NumPy: the new parameters and state; changes nothing in place."""
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * g                                  # (1)
    v = beta2 * state.v + (1 - beta2) * g**2                               # (2)
    if epsilon_hat:
        alpha_t = rate * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        return theta - alpha_t * m / (np.sqrt(v) + epsilon), AdamState(m, v, t)  # (5)
    m_hat = m / (1 - beta1**t)                                             # (3)
    v_hat = v / (1 - beta2**t)                                             # (3)
    theta = theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)              # (4)
    return theta, AdamState(m, v, t)


@dataclass(frozen=True)
class Adam:
    """The Adam optimizer.

    Parameters
    ----------
    learning_rate : float
        α.
    beta1, beta2 : float
        β₁ and β₂, at least 0 and below 1.
    epsilon : float
        ε of (4), or ε̂ of (5).
    epsilon_hat : bool
        Use (5) with a constant ε̂, as Keras does. Default: (4).

    Raises
    ------
    InputError
        If an argument is not of this kind.
    """

    kind: ClassVar[str] = "adam"
    State: ClassVar[type[AdamState]] = AdamState

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False

    def __post_init__(self):
        check_number("learning_rate", self.learning_rate, above=0)
        check_fraction("beta1", self.beta1)
        check_fraction("beta2", self.beta2)
        check_number("epsilon", self.epsilon, above=0)
        check_flag("epsilon_hat", self.epsilon_hat)

    def init(self, theta: np.ndarray) -> AdamState:
        """The state before the first step: zeros."""
        return AdamState(np.zeros_like(theta), np.zeros_like(theta), 0)

    def step(
        self,
        theta: np.ndarray,
        g: np.ndarray,
        state: AdamState,
        rate: float | None = None,
        scale: float = 1.0,
    ) -> AdamState:
        """One compiled step, in place; see ``Optimizer.step``."""
        rate = self.learning_rate if rate is None else rate
        t = state.t + 1
        root = math.sqrt(1 - self.beta2**t)
        alpha_t = rate * root / (1 - self.beta1**t)
        epsilon_t = self.epsilon if self.epsilon_hat else self.epsilon * root
        cast = theta.dtype.type
        betas = cast(1 - self.beta1), cast(1 - self.beta2)
        scalars = cast(scale), *betas, cast(alpha_t), cast(epsilon_t)
        update_in_chunks(kernels.adam.adam_step, g, scalars, (theta, state.m, state.v))
        return AdamState(state.m, state.v, t)
