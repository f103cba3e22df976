"""One step of a GRU, compiled: equations (1) to (5) of ``minilstm.cells.gru``, row by row.

Shapes: a, ah, gates, dax and dah (B, 3H) in blocks r, z, n; bx and bh (3H,); everything else (B, H).
"""

from __future__ import annotations

from minilstm.kernels.activations import sigmoid_in_place, tanh_in_place
from minilstm.kernels.jit import kernel


@kernel
def gru_step(ah, bx, bh, h_prev, a, q, h):
    """a comes in as x Wx and goes out as the activated gates r, z, n; ah is h_prev Wh."""
    rows, H = h.shape
    for row in range(rows):
        r, z, n = a[row, :H], a[row, H : 2 * H], a[row, 2 * H :]
        for j in range(2 * H):
            a[row, j] += bx[j] + ah[row, j] + bh[j]
        sigmoid_in_place(r)                                                # (1)
        sigmoid_in_place(z)                                                # (2)
        for j in range(H):
            q[row, j] = ah[row, 2 * H + j] + bh[2 * H + j]                 # (3)
        for j in range(H):
            n[j] += bx[2 * H + j] + r[j] * q[row, j]
        tanh_in_place(n)                                                   # (4)
        for j in range(H):
            h[row, j] = (1 - z[j]) * n[j] + z[j] * h_prev[row, j]          # (5)


@kernel
def gru_step_backward(dh_out, gates, h_prev, q, dh, dax, dah):
    """dh comes in as what the next step sends back, to which dh_out is added, and goes out as what passes h_prev by z alone."""
    rows, H = h_prev.shape
    for row in range(rows):
        r, z, n = gates[row, :H], gates[row, H : 2 * H], gates[row, 2 * H :]
        dar, daz, dan = dax[row, :H], dax[row, H : 2 * H], dax[row, 2 * H :]
        dq = dah[row, 2 * H :]
        for j in range(H):
            dh[row, j] += dh_out[row, j]
        for j in range(H):
            dan[j] = dh[row, j] * (1 - z[j]) * (1 - n[j] * n[j])           # (5), (4)
        for j in range(H):
            daz[j] = dh[row, j] * (h_prev[row, j] - n[j]) * z[j] * (1 - z[j])  # (5), (2)
        for j in range(H):
            dar[j] = dan[j] * q[row, j] * r[j] * (1 - r[j])                # (4), (1)
        for j in range(H):
            dq[j] = dan[j] * r[j]                                          # (4)
        for j in range(2 * H):
            dah[row, j] = dax[row, j]
        for j in range(H):
            dh[row, j] *= z[j]                                             # (5): the carry
