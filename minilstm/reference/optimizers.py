"""From a gradient to a step: optimizers, and clipping.

An optimizer's step takes parameters θ and their gradient g, arrays of one shape, and
the state that it keeps between steps. It returns the new θ and the new state; nothing
changes in place. ``AdamState()`` and the like are the states before the first step.
Clipping takes the gradients of a whole model, by name.
"""

import math
from typing import NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]


class AdamState(NamedTuple):
    """Running means of the gradient and of its square, and the steps taken."""

    m: np.ndarray | float = 0.0
    v: np.ndarray | float = 0.0
    t: int = 0


def adam_step(
    theta, g, state: AdamState, rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8,
    epsilon_hat=False,
) -> tuple[np.ndarray, AdamState]:
    """A step of about ``rate`` for every parameter, however large its gradients are.

        (1)  m ← β₁ m + (1 - β₁) g                 first moment
        (2)  v ← β₂ v + (1 - β₂) g²                second moment
        (3)  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)    bias correction: both began at 0
        (4)  θ ← θ - α m̂ / (√v̂ + ε)

    Kingma and Ba, Adam: a method for stochastic optimization (2015), algorithm 1.
    With ``epsilon_hat``, ε is the ε̂ of their section 2: ε = ε̂ / √(1 - β₂ᵗ), as Keras.
    """
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * g                                      # (1)
    v = beta2 * state.v + (1 - beta2) * g**2                                   # (2)
    m_hat = m / (1 - beta1**t)                                                 # (3)
    v_hat = v / (1 - beta2**t)                                                 # (3)
    if epsilon_hat:
        epsilon = epsilon / math.sqrt(1 - beta2**t)
    theta = theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)                  # (4)
    return theta, AdamState(m, v, t)


class RMSpropState(NamedTuple):
    """Mean square s, velocity u, and the steps taken."""

    mean_square: np.ndarray | float = 0.0
    velocity: np.ndarray | float = 0.0
    t: int = 0


def rmsprop_step(
    theta, g, state: RMSpropState, rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7
) -> tuple[np.ndarray, RMSpropState]:
    """The gradient, divided by the root of a running mean of its square.

        (1)  s ← ρ s + (1 - ρ) g²                  mean square
        (2)  u ← μ u - α g / √(s + ε)              velocity
        (3)  θ ← θ + u

    Tieleman and Hinton, lecture 6.5 (2012); ε in the root and momentum: Graves (2013).
    """
    s = rho * state.mean_square + (1 - rho) * g**2                             # (1)
    u = momentum * state.velocity - rate * g / np.sqrt(s + epsilon)            # (2)
    return theta + u, RMSpropState(s, u, state.t + 1)                          # (3)


class SGDState(NamedTuple):
    """Velocity u, and the steps taken."""

    velocity: np.ndarray | float = 0.0
    t: int = 0


def sgd_step(
    theta, g, state: SGDState, rate=0.01, momentum=0.0, nesterov=False
) -> tuple[np.ndarray, SGDState]:
    """Stochastic gradient descent, with momentum.

        (1)  u ← μ u - α g                         velocity
        (2)  θ ← θ + u                             momentum (μ = 0: plain descent)
        (3)  θ ← θ + μ u - α g                     Nesterov's momentum, in place of (2)

    Sutskever, Martens, Dahl and Hinton (2013), equations 1 and 2; (3): Bengio,
    Boulanger-Lewandowski and Pascanu (2013), section 3.5.
    """
    u = momentum * state.velocity - rate * g                                   # (1)
    theta = theta + momentum * u - rate * g if nesterov else theta + u         # (3)/(2)
    return theta, SGDState(u, state.t + 1)


def clip_by_value(grads: Arrays, limit: float) -> Arrays:
    """Every entry brought between -limit and limit; the direction may change."""
    return {name: np.clip(g, -limit, limit) for name, g in grads.items()}


def clip_by_norm(grads: Arrays, max_norm: float) -> Arrays:
    """The gradient scaled to ``max_norm`` if its norm, over all arrays, is larger.

    Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks
    (2013), algorithm 1: g ← g min(1, c / ‖g‖). The direction stays.
    """
    norm = math.sqrt(sum(np.sum(g**2) for g in grads.values()))
    return {name: g * (max_norm / max(norm, max_norm)) for name, g in grads.items()}
