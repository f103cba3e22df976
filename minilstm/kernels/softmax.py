"""Bias, softmax and cross-entropy, compiled, while a row of logits is in the cache.

    (1)  a_nv = logits_nv + b_v
    (2)  loss_n = log Σ_v exp(a_nv - a_ny)            y = targets[n]
    (3)  da_nv = (p_nv - [v = y]) · scale         p = softmax(a), scale = dLoss/dloss_n:
                                                      1/N for a mean
    (4)  db_v = Σ_n da_nv

The row's maximum is subtracted first (see ``reference/functions.py``). The loss is then
finite if the difference of the row's largest and smallest logit fits its dtype. A NaN
in a row makes its loss NaN.

A maximum or a sum over a row is a chain in which each operation waits for the one
before. It is therefore computed with ``ACCUMULATORS`` partial accumulators: number l
takes the entries v = l, l + ACCUMULATORS, l + 2 ACCUMULATORS …, in this order. Then the
upper half of them is added to the lower half, again and again, until one is left. That
is many times as fast, and rounds less than one long chain.

Shapes: logits (N, V), b and db (V,), targets (N,) integers, losses (N,), and partials
(ACCUMULATORS,), a buffer of the logits' dtype.
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.compile import kernel
from minilstm.kernels.exponential import exp

ACCUMULATORS = 32  # a power of two


@kernel
def add_bias(b, row, partials):
    """(1): the largest entry of the row; of complex ones, the largest real part."""
    partials[:] = -np.inf
    for start in range(0, row.size, ACCUMULATORS):
        part, bias = row[start : start + ACCUMULATORS], b[start : start + ACCUMULATORS]
        for l in range(part.size):
            part[l] += bias[l]
            # fmax ignores NaN; the sum finds it
            partials[l] = np.fmax(partials[l].real, part[l].real)
    width = ACCUMULATORS // 2
    while width:
        for l in range(width):
            partials[l] = np.fmax(partials[l].real, partials[width + l].real)
        width //= 2
    return partials[0].real


@kernel
def exp_of_row(m, row, partials):
    """Every entry a becomes exp(a - m). Returns their sum."""
    partials[:] = 0
    for start in range(0, row.size, ACCUMULATORS):
        part = row[start : start + ACCUMULATORS]
        for l in range(part.size):
            part[l] = exp(part[l] - m)
            partials[l] += part[l]
    width = ACCUMULATORS // 2
    while width:
        for l in range(width):
            partials[l] += partials[width + l]
        width //= 2
    return partials[0]


@kernel
def softmax_cross_entropy(targets, b, logits, partials, losses):
    """(1) and (2). Overwrites the logits."""
    for n in range(targets.size):
        row = logits[n]
        m = add_bias(b, row, partials)                                        # (1)
        a_y = row[targets[n]]
        losses[n] = np.log(exp_of_row(m, row, partials)) + (m - a_y)          # (2)


@kernel
def softmax_cross_entropy_backward(targets, b, scale, logits, partials, losses, db):
    """(1) to (4), forward and backward in one. Logits go out as da; db is added to."""
    for n in range(targets.size):
        row, y = logits[n], targets[n]
        m = add_bias(b, row, partials)                                        # (1)
        a_y = row[y]
        total = exp_of_row(m, row, partials)
        losses[n] = np.log(total) + (m - a_y)                              # (2)
        factor = scale / total
        for v in range(row.size):
            row[v] *= factor                                               # (3)
            db[v] += row[v]                                                # (4)
        row[y] -= scale                                                    # (3)
        db[y] -= scale                                                     # (4)
