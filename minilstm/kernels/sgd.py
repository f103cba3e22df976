"""SGD, compiled: ``minilstm.optim.sgd_step`` as one pass over the flat vectors.

Polyak (1964) and Nesterov's momentum, both as in Sutskever, Martens, Dahl and Hinton, On the importance of initialization
and momentum in deep learning (2013). Shapes: all (P,).

    (1)  u ← μ u - α g
    (2)  θ ← θ + u                                  momentum
    (3)  θ ← θ + μ u - α g                          Nesterov's
"""

from __future__ import annotations

from minilstm.kernels.jit import kernel


@kernel
def sgd_step(g, momentum, rate, nesterov, theta, u):
    """The scalars come in the dtype of the vectors, or the whole loop would run in float64; ``nesterov`` is a bool."""
    for p in range(g.size):
        u[p] = momentum * u[p] - rate * g[p]                               # (1)
        if nesterov:
            theta[p] += momentum * u[p] - rate * g[p]                      # (3)
        else:
            theta[p] += u[p]                                               # (2)
