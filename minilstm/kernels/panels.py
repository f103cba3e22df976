"""The matrix product of a recurrence, compiled: one matrix for all steps, laid out once for all of them.

A BLAS library copies both matrices into an order of its own before it multiplies them. A recurrent step multiplies a few rows,
one for each sequence, with the same W as the step before; to copy W anew for them takes about as long as the product. Here
``pack`` does so once, and ``multiply_packed`` takes it from there, step after step.

    W (K, C)  →  panels (P, K, L)             L columns of W, a line of numbers (``lines.py``), in each panel
    (1)  y_r[panel] = Σ_k x_rk panel_k        panel_k: row k of a panel

Four rows of y at a time: a line of W is read once for four products, and there are enough sums in registers for additions not
to wait for each other. Columns that fill no line stand in a panel with some of those before them, and where rows are no four
the last one is taken again: the same numbers are then written twice. Panels of another matrix than y has columns for would
write beyond it; a layer makes both of the same parameters.

Shapes: x (R, K), W (K, C), y (R, C). ``benchmarks/kernels.py`` has this product, ``product.py`` and BLAS in turn.
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.jit import kernel
from minilstm.kernels.lines import LINE, add_product, load, store, zeros
from minilstm.kernels.product import multiply


def shape(W: np.ndarray) -> tuple[int, int, int]:
    """(P, K, L) of the panels for W (K, C); with fewer columns than fill a line, W itself is the only panel."""
    K, C = W.shape
    L = min(LINE // W.itemsize, C)
    return -(-C // L), K, L


@kernel
def pack(W, panels):
    """Writes the panels of W."""
    (P, K, L), C = panels.shape, W.shape[1]
    for p in range(P):
        first = min(p * L, C - L)
        for k in range(K):
            for j in range(L):
                panels[p, k, j] = W[k, first + j]


@kernel
def multiply_packed(x, panels, y):
    """y = x W, by (1)."""
    (P, K, L), (R, C) = panels.shape, y.shape
    if L * panels.itemsize < LINE:
        multiply(x, panels[0], y)  # W itself
        return
    for p in range(P):
        panel, first = panels[p], min(p * L, C - L)
        columns = slice(first, first + L)
        for r in range(0, R, 4):
            r0, r1, r2, r3 = r, min(r + 1, R - 1), min(r + 2, R - 1), min(r + 3, R - 1)
            y0 = y1 = y2 = y3 = zeros(panel)  # (L,) each
            for k in range(K):
                panel_k = load(panel, k)
                y0 = add_product(y0, x[r0, k], panel_k)
                y1 = add_product(y1, x[r1, k], panel_k)
                y2 = add_product(y2, x[r2, k], panel_k)
                y3 = add_product(y3, x[r3, k], panel_k)
            store(y0, y[r0, columns])
            store(y1, y[r1, columns])
            store(y2, y[r2, columns])
            store(y3, y[r3, columns])
