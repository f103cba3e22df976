"""Rows of a table by their ids, compiled: onehot(ids) @ W without the one-hot array.

Shapes: ids (N,) integers in [0, V), W and dW (V, K), rows (N, K).
"""

from __future__ import annotations

from minilstm.kernels.compile import kernel


@kernel
def gather(ids, W, rows):
    """rows[n] = W[ids[n]], which is onehot(ids) @ W."""
    N, K = rows.shape
    for n in range(N):
        row, source = rows[n], W[ids[n]]
        for k in range(K):
            row[k] = source[k]


@kernel
def gather_backward(ids, drows, dW):
    """dW[ids[n]] += drows[n], for every n: adds onehot(ids).T @ drows to dW."""
    N, K = drows.shape
    for n in range(N):
        row, target = drows[n], dW[ids[n]]
        for k in range(K):
            target[k] += row[k]
