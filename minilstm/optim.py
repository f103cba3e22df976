"""Adam, and clipping of the gradient by its global norm.

Adam keeps two running means of every gradient entry, of itself and of its square, and takes a step of about the same size
for every parameter, however large or small its gradients are.

    (1)  m ← β₁ m + (1 - β₁) g                      first moment
    (2)  v ← β₂ v + (1 - β₂) g²                     second moment
    (3)  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)      bias correction: m and v began at zero
    (4)  θ ← θ - α m̂ / (√v̂ + ε)

Kingma and Ba, Adam: a method for stochastic optimization (2015), algorithm 1; its defaults are ours.

    (5)  g ← g · min(1, c / ‖g‖)                    Pascanu, Mikolov and Bengio, On the difficulty of training
                                                    recurrent neural networks (2013), algorithm 1

    (6)  ρ = α max(0.01, (1 + cos(π s / S)) / 2)    cosine decay, the rate of step s of S: Loshchilov and Hutter,
                                                    SGDR (2017), equation 5, without restarts, never quite zero

Shapes: g, θ, m, v are flat vectors (P,).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.checks import check_number, check_size
from minilstm.errors import InputError


class AdamState(NamedTuple):
    """What Adam remembers: both moments, and how many steps it has taken."""

    m: np.ndarray  # (P,)
    v: np.ndarray  # (P,)
    t: int


def adam_step(
    theta: np.ndarray, g: np.ndarray, state: AdamState, rate: float, beta1: float, beta2: float, epsilon: float
) -> tuple[np.ndarray, AdamState]:
    """One step by the book: the new parameters and the new state; nothing is changed in place."""
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * g                                  # (1)
    v = beta2 * state.v + (1 - beta2) * g**2                               # (2)
    m_hat = m / (1 - beta1**t)                                             # (3)
    v_hat = v / (1 - beta2**t)                                             # (3)
    theta = theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)              # (4)
    return theta, AdamState(m, v, t)


@dataclass(frozen=True)
class Adam:
    """Adam with its constants: step size α (``learning_rate``), β₁, β₂, ε."""

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self):
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("epsilon", self.epsilon, above=0)
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 0 and below 1, not {getattr(self, name)!r}")

    def init(self, theta: np.ndarray) -> AdamState:
        """The state before the first step: zeros."""
        return AdamState(np.zeros_like(theta), np.zeros_like(theta), 0)

    def step(self, theta: np.ndarray, g: np.ndarray, state: AdamState, rate: float | None = None) -> AdamState:
        """One step in one compiled pass: ``theta``, ``state.m`` and ``state.v`` are changed in place.

        ``rate`` takes the place of ``learning_rate`` for this step, where a schedule says so.
        """
        rate = self.learning_rate if rate is None else rate
        t = state.t + 1
        root = math.sqrt(1 - self.beta2**t)
        alpha_t, epsilon_t = rate * root / (1 - self.beta1**t), self.epsilon * root
        cast = theta.dtype.type
        kernels.adam.adam_step(
            g, cast(1 - self.beta1), cast(1 - self.beta2), cast(alpha_t), cast(epsilon_t), theta, state.m, state.v
        )
        return AdamState(state.m, state.v, t)


@dataclass(frozen=True)
class CosineDecay:
    """A learning rate that falls from ``peak`` along half a cosine (6), to a hundredth of it after ``total`` steps."""

    peak: float
    total: int

    def __post_init__(self):
        check_number("peak", self.peak, above=0)
        check_size("total", self.total)

    def __call__(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        return self.peak * max(0.01, (1 + math.cos(math.pi * min(step / self.total, 1))) / 2)


def clip_by_global_norm(g: np.ndarray, max_norm: float | None) -> float:
    """Scale ``g`` in place to norm ``max_norm`` if it is longer (5); returns the norm that it had.

    With ``max_norm=None`` the norm is only measured. A norm that is NaN or infinite leaves ``g`` as it is.
    """
    norm = float(np.linalg.norm(g))
    if max_norm is not None and math.isfinite(norm) and norm > max_norm:
        g *= g.dtype.type(max_norm / norm)
    return norm
