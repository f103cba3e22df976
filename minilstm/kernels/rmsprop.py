"""RMSprop, compiled: ``minilstm.optim.rmsprop_step`` as one pass over the flat vectors.

Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012), with the ε and the momentum of Graves,
Generating sequences with recurrent neural networks (2013). Shapes: all (P,).

    (1)  s ← s + (1 - ρ) (g² - s)
    (2)  u ← μ u - α g / √(s + ε)
    (3)  θ ← θ + u
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.jit import kernel


@kernel
def rmsprop_step(g, one_minus_rho, momentum, rate, epsilon, theta, s, u):
    """The scalars come in the dtype of the vectors, or the whole loop would run in float64."""
    for p in range(g.size):
        s[p] += one_minus_rho * (g[p] * g[p] - s[p])                       # (1)
        u[p] = momentum * u[p] - rate * g[p] / np.sqrt(s[p] + epsilon)     # (2)
        theta[p] += u[p]                                                   # (3)
