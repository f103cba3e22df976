"""Adam, compiled: ``minilstm.optim.adam_step`` as one pass over the flat vectors.

Kingma and Ba, Adam: a method for stochastic optimization (2015), algorithm 1. Shapes: all (P,).
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.jit import kernel


@kernel
def adam_step(g, rate, beta1, beta2, epsilon, correction1, correction2, parameters, m, v):
    """Scalars in the dtype of the vectors; correction1 = 1 - beta1ᵗ, correction2 = 1 - beta2ᵗ."""
    one = g.dtype.type(1)
    for p in range(g.size):
        m[p] = beta1 * m[p] + (one - beta1) * g[p]
        v[p] = beta2 * v[p] + (one - beta2) * g[p] * g[p]
        parameters[p] -= rate * (m[p] / correction1) / (np.sqrt(v[p] / correction2) + epsilon)
