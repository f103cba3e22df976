"""One step of a simple recurrent network, compiled: equation (1) of ``minilstm.cells.rnn``, row by row.

Shapes: b (H,); everything else (B, H).
"""

from __future__ import annotations

from minilstm.kernels.activations import tanh_in_place
from minilstm.kernels.jit import kernel


@kernel
def rnn_step(ah, b, h):
    """h comes in as x Wx and goes out as the hidden state; ah is h_prev Wh."""
    rows, H = h.shape
    for r in range(rows):
        for j in range(H):
            h[r, j] += ah[r, j] + b[j]
        tanh_in_place(h[r])                                                # (1)


@kernel
def rnn_step_backward(dh_out, dh_next, h, da):
    """dh is dh_out + dh_next, what this step's output and the next step send back."""
    rows, H = h.shape
    for r in range(rows):
        for j in range(H):
            da[r, j] = (dh_out[r, j] + dh_next[r, j]) * (1 - h[r, j] * h[r, j])  # (1)
