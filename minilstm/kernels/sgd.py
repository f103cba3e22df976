"""SGD, compiled: ``minilstm.optim.sgd_step`` in one loop over the flat vectors.

Polyak (1964) and Nesterov's momentum, both as in Sutskever, Martens, Dahl and Hinton,
On the importance of initialization and momentum in deep learning (2013). (1) applies
the factor of clipping by norm (see ``minilstm.optim.clipping``). Shapes: all (P,).

    (1)  g ← scale · g
    (2)  u ← μ u - α g
    (3)  θ ← θ + u                                  momentum
    (4)  θ ← θ + μ u - α g                          Nesterov's
"""

from __future__ import annotations

from minilstm.kernels.compile import kernel


@kernel
def sgd_step(g, scale, momentum, rate, nesterov, theta, u):
    """Returns whether θ is finite. Scalars have the dtype of the vectors.

    With float64 scalars the whole loop would run in float64. ``nesterov`` is a bool.
    """
    finite = True
    for p in range(g.size):
        g_p = scale * g[p]                                                 # (1)
        u[p] = momentum * u[p] - rate * g_p                                # (2)
        if nesterov:
            theta[p] += momentum * u[p] - rate * g_p                       # (4)
        else:
            theta[p] += u[p]                                               # (3)
        finite &= theta[p] - theta[p] == 0  # false for inf and NaN, without a branch
    return finite
