"""Softmax and cross-entropy with the output layer's bias, compiled: loss and gradient while a row of logits is in the cache.

    (1)  a_nv = logits_nv + b_v
    (2)  loss_n = log Σ_v exp(a_nv - a_ny)            y = targets[n]
    (3)  da_nv = (p_nv - [v = y]) · scale             p = softmax(a), scale = dLoss/dloss_n, 1/N for a mean
    (4)  db_v = Σ_n da_nv

The row's maximum is taken off first (see ``reference/functions.py``): the loss is finite whenever the difference of the row's
largest and smallest logit can be written in its dtype. A NaN in a row makes its loss NaN.

A maximum or a sum over a row is a chain, each link waiting for the one before. It is therefore taken in ``LANES`` lanes:
lane l has the entries v = l, l + LANES, l + 2 LANES …, in this order; then the upper half of the lanes is added to the lower
half, and again, until one is left. That is many times as fast, and rounds less than one long chain does.
Shapes: logits (N, V), b and db (V,), targets (N,) integers, losses (N,), lanes (LANES,) to work in, of the logits' dtype.
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.exponential import exp
from minilstm.kernels.jit import kernel

LANES = 32  # a power of two


@kernel
def add_bias(b, row, lanes):
    """(1). Returns the largest entry of the row, of complex ones the largest real part."""
    lanes[:] = -np.inf
    for start in range(0, row.size, LANES):
        part, bias = row[start : start + LANES], b[start : start + LANES]
        for l in range(part.size):
            part[l] += bias[l]
            lanes[l] = np.fmax(lanes[l].real, part[l].real)  # leaves out a NaN, which the sum will find
    width = LANES // 2
    while width:
        for l in range(width):
            lanes[l] = np.fmax(lanes[l].real, lanes[width + l].real)
        width //= 2
    return lanes[0].real


@kernel
def exp_of_row(m, row, lanes):
    """Every entry a becomes exp(a - m). Returns their sum."""
    lanes[:] = 0
    for start in range(0, row.size, LANES):
        part = row[start : start + LANES]
        for l in range(part.size):
            part[l] = exp(part[l] - m)
            lanes[l] += part[l]
    width = LANES // 2
    while width:
        for l in range(width):
            lanes[l] += lanes[width + l]
        width //= 2
    return lanes[0]


@kernel
def softmax_cross_entropy(targets, b, logits, lanes, losses):
    """(1) and (2). What the logits hold afterwards is of no use."""
    for n in range(targets.size):
        row = logits[n]
        m = add_bias(b, row, lanes)                                        # (1)
        a_y = row[targets[n]]
        losses[n] = np.log(exp_of_row(m, row, lanes)) + (m - a_y)          # (2)


@kernel
def softmax_cross_entropy_backward(targets, b, scale, logits, lanes, losses, db):
    """(1) to (4), forward and backward in one. The logits go out as da; db is added to."""
    for n in range(targets.size):
        row, y = logits[n], targets[n]
        m = add_bias(b, row, lanes)                                        # (1)
        a_y = row[y]
        total = exp_of_row(m, row, lanes)
        losses[n] = np.log(total) + (m - a_y)                              # (2)
        share = scale / total
        for v in range(row.size):
            row[v] *= share                                                # (3)
            db[v] += row[v]                                                # (4)
        row[y] -= scale                                                    # (3)
        db[y] -= scale                                                     # (4)
