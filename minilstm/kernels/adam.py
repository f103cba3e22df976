"""Adam, compiled: ``minilstm.optim.adam_step`` as one pass over the flat vectors.

Kingma and Ba, Adam: a method for stochastic optimization (2015): algorithm 1, in the order of computation that the end of
their section 2 proposes, with both bias corrections drawn out of the loop. Shapes: all (P,).

    (1)  m ← m + (1 - β₁) (g - m)
    (2)  v ← v + (1 - β₂) (g² - v)
    (3)  θ ← θ - α_t m / (√v + ε_t),       α_t = α √(1 - β₂ᵗ) / (1 - β₁ᵗ),   ε_t = ε √(1 - β₂ᵗ)
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.jit import kernel


@kernel
def adam_step(g, one_minus_beta1, one_minus_beta2, alpha_t, epsilon_t, theta, m, v):
    """The scalars come in the dtype of the vectors, or the whole loop would run in float64."""
    for p in range(g.size):
        m[p] += one_minus_beta1 * (g[p] - m[p])                            # (1)
        v[p] += one_minus_beta2 * (g[p] * g[p] - v[p])                     # (2)
        theta[p] -= alpha_t * m[p] / (np.sqrt(v[p]) + epsilon_t)           # (3)
