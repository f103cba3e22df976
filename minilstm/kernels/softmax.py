"""Softmax and cross-entropy, compiled: one pass over each row of logits, loss and gradient together.

    (1)  loss_n = log Σ_v exp(logits_nv - logits_ny)         y = targets[n]
    (2)  dlogits_nv = (p_nv - [v = y]) · scale                p = softmax, scale = dLoss/dloss_n, 1/N for a mean

The row's maximum is taken off first (see ``minilstm.functions``): the loss is finite whenever the difference of the row's
largest and smallest logit can be written in its dtype.
Shapes: logits (N, V), targets (N,) integers, losses (N,).
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.jit import kernel


@kernel
def softmax_cross_entropy(targets, logits, losses):
    """(1). The logits go out as the probabilities p."""
    N, V = logits.shape
    for n in range(N):
        row = logits[n]
        y = row[targets[n]]
        m = row[0].real
        for v in range(V):
            m = max(m, row[v].real)
        for v in range(V):
            row[v] = np.exp(row[v] - m)
        total = row[0]
        for v in range(1, V):
            total += row[v]
        losses[n] = np.log(total) + (m - y)                                # (1)
        for v in range(V):
            row[v] /= total


@kernel
def softmax_cross_entropy_backward(targets, scale, p):
    """(2). The probabilities go out as dlogits."""
    N, V = p.shape
    for n in range(N):
        for v in range(V):
            p[n, v] *= scale                                               # (2)
        p[n, targets[n]] -= scale
