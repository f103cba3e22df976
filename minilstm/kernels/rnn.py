"""One step of a simple recurrent network, compiled: equation (1) of ``minilstm.reference.rnn``, row by row.

``rnn_steps`` and ``rnn_steps_backward`` are the loops over time, products and all (see ``lstm.py``).

Shapes: b and db (H,); everything else (B, H). Over time, packed rows and slots (see ``minilstm.layers.packing``): da, dh_out
(N, H), h (B + N, H); counts, starts (T,), slots (T + 1,).
"""

from __future__ import annotations

from minilstm.kernels.activations import tanh_in_place
from minilstm.kernels.jit import kernel
from minilstm.kernels.panels import multiply_packed


@kernel
def rnn_step(ah, b, h):
    """h comes in as x Wx and goes out as the hidden state; ah is h_prev Wh."""
    rows, H = h.shape
    for r in range(rows):
        for j in range(H):
            h[r, j] += ah[r, j] + b[j]
        tanh_in_place(h[r])                                                # (1)


@kernel
def rnn_step_backward(dh_out, dh_next, h, da, db):
    """dh is dh_out + dh_next, what this step's output and the next step send back. db is added to: it belongs to all steps."""
    rows, H = h.shape
    for r in range(rows):
        for j in range(H):
            da[r, j] = (dh_out[r, j] + dh_next[r, j]) * (1 - h[r, j] * h[r, j])  # (1)
        for j in range(H):
            db[j] += da[r, j]


@kernel
def rnn_steps(counts, slots, Wh, b, ah, h):
    """``rnn_step`` over time. h comes in as the initial state in slot 0 and x Wx in the others."""
    for t in range(counts.size):
        n = counts[t]
        before, now = slice(slots[t], slots[t] + n), slice(slots[t + 1], slots[t + 1] + n)
        multiply_packed(h[before], Wh, ah[:n])
        rnn_step(ah[:n], b, h[now])


@kernel
def rnn_steps_backward(counts, starts, slots, Wh_T, dh_out, dh_next, h, da, db):
    """``rnn_step_backward`` back through time. dh_next comes in from after the last step and goes out before the first."""
    for t in range(counts.size - 1, -1, -1):
        n = counts[t]
        rows, now = slice(starts[t], starts[t] + n), slice(slots[t + 1], slots[t + 1] + n)
        rnn_step_backward(dh_out[rows], dh_next[:n], h[now], da[rows], db)
        multiply_packed(da[rows], Wh_T, dh_next[:n])
