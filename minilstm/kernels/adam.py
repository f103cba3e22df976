"""Adam, compiled: ``minilstm.optim.adam_step`` in one loop over the flat vectors.

Kingma and Ba, Adam: a method for stochastic optimization (2015): algorithm 1, in the
order of computation that the end of their section 2 proposes. Both bias corrections are
computed before the loop. (1) applies the factor of clipping by norm (see
``minilstm.optim.clipping``). Shapes: all (P,).

    (1)  g ← scale · g
    (2)  m ← m + (1 - β₁) (g - m)
    (3)  v ← v + (1 - β₂) (g² - v)
    (4)  θ ← θ - α_t m / (√v + ε_t),       α_t = α √(1 - β₂ᵗ) / (1 - β₁ᵗ),
                                           ε_t = ε √(1 - β₂ᵗ)
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.compile import kernel


@kernel
def adam_step(
    g, scale, one_minus_beta1, one_minus_beta2, alpha_t, epsilon_t, theta, m, v
):
    """Returns whether θ is finite. Scalars have the dtype of the vectors.

    With float64 scalars the whole loop would run in float64.
    """
    finite = True
    for p in range(g.size):
        g_p = scale * g[p]                                                 # (1)
        m[p] += one_minus_beta1 * (g_p - m[p])                             # (2)
        v[p] += one_minus_beta2 * (g_p * g_p - v[p])                       # (3)
        theta[p] -= alpha_t * m[p] / (np.sqrt(v[p]) + epsilon_t)           # (4)
        finite &= theta[p] - theta[p] == 0  # false for inf and NaN, without a branch
    return finite
