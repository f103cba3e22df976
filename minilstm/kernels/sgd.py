"""SGD, compiled: ``minilstm.optim.sgd_step`` as one pass over the flat vectors.

Polyak (1964) and Nesterov's momentum, both as in Sutskever, Martens, Dahl and Hinton, On the importance of initialization
and momentum in deep learning (2013). (1) is what clipping by norm leaves of g (see
``minilstm.optim.clipping``). Shapes: all (P,).

    (1)  g ← scale · g
    (2)  u ← μ u - α g
    (3)  θ ← θ + u                                  momentum
    (4)  θ ← θ + μ u - α g                          Nesterov's
"""

from __future__ import annotations

from minilstm.kernels.compile import kernel


@kernel
def sgd_step(g, scale, momentum, rate, nesterov, theta, u):
    """The scalars come in the dtype of the vectors, or the whole loop would run in float64; ``nesterov`` is a bool.

    Returns whether θ is finite.
    """
    finite = True
    for p in range(g.size):
        g_p = scale * g[p]                                                 # (1)
        u[p] = momentum * u[p] - rate * g_p                                # (2)
        if nesterov:
            theta[p] += momentum * u[p] - rate * g_p                       # (4)
        else:
            theta[p] += u[p]                                               # (3)
        finite &= theta[p] - theta[p] == 0  # NaN for inf and NaN; no branch, or the loop would not be vectorised
    return finite
