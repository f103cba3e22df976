"""One step of a simple recurrent network, compiled: ``minilstm.reference.rnn``.

``rnn_steps`` and ``rnn_steps_backward`` are the loops over time, with their products
(see ``lstm.py``).

Shapes: b and db (H,); all else (B, H). Over time, in packed rows and state buffers (see
``minilstm.layers.packing``): da, dh_out (N, H), h (B + N, H); counts, starts (T,),
state_starts (T + 1,); Wh and Wh_T as packed weights.
"""

from __future__ import annotations

from minilstm.kernels.activations import tanh_in_place
from minilstm.kernels.compile import kernel
from minilstm.kernels.packed_weights import multiply_packed


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
    """dh is dh_out + dh_next, the gradients of this step's output and of the next step.

    db is added to: it sums over all steps.
    """
    rows, H = h.shape
    for r in range(rows):
        for j in range(H):
            dh = dh_out[r, j] + dh_next[r, j]
            da[r, j] = dh * (1 - h[r, j] * h[r, j])                        # (1)
        for j in range(H):
            db[j] += da[r, j]


@kernel
def rnn_steps(counts, state_starts, Wh, b, ah, h):
    """``rnn_step`` over time. h begins as the initial state, then x Wx of all steps."""
    for t in range(counts.size):
        n = counts[t]
        before = slice(state_starts[t], state_starts[t] + n)
        now = slice(state_starts[t + 1], state_starts[t + 1] + n)
        multiply_packed(h[before], Wh, ah[:n])
        rnn_step(ah[:n], b, h[now])


@kernel
def rnn_steps_backward(counts, starts, state_starts, Wh_T, dh_out, dh_next, h, da, db):
    """``rnn_step_backward`` back through time.

    dh_next comes in as dL/d(final state) and goes out as dL/d(initial state).
    """
    for t in range(counts.size - 1, -1, -1):
        n = counts[t]
        rows = slice(starts[t], starts[t] + n)
        now = slice(state_starts[t + 1], state_starts[t + 1] + n)
        rnn_step_backward(dh_out[rows], dh_next[:n], h[now], da[rows], db)
        multiply_packed(da[rows], Wh_T, dh_next[:n])
