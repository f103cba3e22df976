"""RMSprop, compiled: ``minilstm.optim.rmsprop_step`` in one loop over the flat vectors.

Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012), with the
ε and the momentum of Graves, Generating sequences with recurrent neural networks
(2013). (1) applies the factor of clipping by norm (see ``minilstm.optim.clipping``).
Shapes: all (P,).

    (1)  g ← scale · g
    (2)  s ← s + (1 - ρ) (g² - s)
    (3)  u ← μ u - α g / √(s + ε)
    (4)  θ ← θ + u
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.compile import kernel


@kernel
def rmsprop_step(g, scale, one_minus_rho, momentum, rate, epsilon, theta, s, u):
    """Returns whether θ is finite. Scalars have the dtype of the vectors.

    With float64 scalars the whole loop would run in float64.
    """
    finite = True
    for p in range(g.size):
        g_p = scale * g[p]                                                 # (1)
        s[p] += one_minus_rho * (g_p * g_p - s[p])                         # (2)
        u[p] = momentum * u[p] - rate * g_p / np.sqrt(s[p] + epsilon)      # (3)
        theta[p] += u[p]                                                   # (4)
        finite &= theta[p] - theta[p] == 0  # false for inf and NaN, without a branch
    return finite
