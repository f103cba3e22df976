"""A matrix product for one or two rows, compiled, as in generation.

A BLAS library packs both matrices before it multiplies them, which takes longer than
the product of a single row. This loop packs nothing. It takes four rows of W at a time,
so that a row of y is read and written once for the four. From four rows of x on, packed
weights are faster if they are used often enough (``packed_weights.py``).

    (1)  y_r = Σ_k x_rk W_k                   W_k: row k of W

``benchmarks/kernels.py`` compares both. Shapes: x (R, K), W (K, C), y (R, C).
"""

from __future__ import annotations

from minilstm.kernels.compile import kernel


@kernel
def multiply(x, W, y):
    """y = x W, for few rows."""
    (R, K), C = x.shape, W.shape[1]
    fours = K - K % 4
    for r in range(R):
        for j in range(C):
            y[r, j] = 0
    for k in range(0, fours, 4):
        for r in range(R):
            x0, x1, x2, x3 = x[r, k], x[r, k + 1], x[r, k + 2], x[r, k + 3]
            for j in range(C):
                y[r, j] += x0 * W[k, j] + x1 * W[k + 1, j] + x2 * W[k + 2, j] + x3 * W[k + 3, j]
    for k in range(fours, K):
        for r in range(R):
            for j in range(C):
                y[r, j] += x[r, k] * W[k, j]
