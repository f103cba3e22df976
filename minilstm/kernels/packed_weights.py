"""A matrix product with packed weights: one matrix for all time steps, packed once.

A BLAS library packs both matrices, which means that it copies them into an order of its
own, before it multiplies them. A recurrent layer multiplies a few rows by the same W at
every time step. To pack W again each time takes about as long as the product. Here
``pack`` does it once, and ``multiply_packed`` uses the packed weights at every step.

    W (K, C)  →  packed (P, K, L)     P blocks of L columns; a row fills a SIMD vector
    (1)  y_r[block] = Σ_k x_rk block_k                        block_k: row k of a block

Four rows of y are computed at a time. Each vector of W is then read once for four
products, and there are enough sums in registers that additions need not wait for each
other. If the last columns do not fill a vector, their block overlaps the one before. If
the last rows are fewer than four, the last row is computed again. Both write the same
numbers twice.

Nothing checks shapes here: packed weights of a larger matrix would write beyond y. The
layers check the shape before they pack (``layers/recurrent.py``).

Shapes: x (R, K), W (K, C), y (R, C). ``benchmarks/kernels.py`` compares this product
with ``product.py`` and BLAS.
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.compile import kernel
from minilstm.kernels.product import multiply
from minilstm.kernels.simd import VECTOR_BYTES, add_product, load, store, zeros


def shape(W: np.ndarray) -> tuple[int, int, int]:
    """(P, K, L) of the packed weights for W (K, C).

    If the columns do not fill one SIMD vector, W itself is the only block.
    """
    K, C = W.shape
    L = min(VECTOR_BYTES // W.itemsize, C)
    return -(-C // L), K, L


@kernel
def pack(W, packed):
    """Write W into ``packed``."""
    (P, K, L), C = packed.shape, W.shape[1]
    for p in range(P):
        first = min(p * L, C - L)
        for k in range(K):
            for j in range(L):
                packed[p, k, j] = W[k, first + j]


@kernel
def multiply_packed(x, packed, y):
    """y = x W, by (1)."""
    (P, K, L), (R, C) = packed.shape, y.shape
    if L * packed.itemsize < VECTOR_BYTES:
        multiply(x, packed[0], y)  # W itself
        return
    for p in range(P):
        block, first = packed[p], min(p * L, C - L)
        columns = slice(first, first + L)
        for r in range(0, R, 4):
            r0, r1, r2, r3 = r, min(r + 1, R - 1), min(r + 2, R - 1), min(r + 3, R - 1)
            y0 = y1 = y2 = y3 = zeros(block)  # (L,) each
            for k in range(K):
                block_k = load(block, k)
                y0 = add_product(y0, x[r0, k], block_k)
                y1 = add_product(y1, x[r1, k], block_k)
                y2 = add_product(y2, x[r2, k], block_k)
                y3 = add_product(y3, x[r3, k], block_k)
            store(y0, y[r0, columns])
            store(y1, y[r1, columns])
            store(y2, y[r2, columns])
            store(y3, y[r3, columns])
