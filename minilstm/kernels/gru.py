"""One step of a GRU, compiled: ``minilstm.reference.gru``, row by row.

``gru_steps`` and ``gru_steps_backward`` are the loops over time, with their products
(see ``lstm.py``).

Shapes: a, ah, gates, dax and dah (B, 3H) in blocks r, z, n; bx, bh, dbx and dbh (3H,);
all else (B, H). Over time, in packed rows and state buffers (see
``minilstm.layers.packing``): a, dax, dah (N, 3H), q, dh_out (N, H), h (B + N, H);
counts, starts (T,), state_starts (T + 1,); Wh and Wh_T as packed weights.
"""

from __future__ import annotations

from minilstm.kernels.activations import sigmoid_in_place, tanh_in_place
from minilstm.kernels.compile import kernel
from minilstm.kernels.packed_weights import multiply_packed


@kernel
def gru_step(ah, bx, bh, h_prev, a, q, h):
    """a goes from x Wx to the activated gates r, z, n; ah is h_prev Wh."""
    rows, H = h.shape
    for row in range(rows):
        r, z, n = a[row, :H], a[row, H : 2 * H], a[row, 2 * H :]
        for j in range(2 * H):
            a[row, j] += bx[j] + ah[row, j] + bh[j]
        sigmoid_in_place(a[row, : 2 * H])                                  # (1), (2)
        for j in range(H):
            q[row, j] = ah[row, 2 * H + j] + bh[2 * H + j]                 # (3)
        for j in range(H):
            n[j] += bx[2 * H + j] + r[j] * q[row, j]
        tanh_in_place(n)                                                   # (4)
        for j in range(H):
            h[row, j] = (1 - z[j]) * n[j] + z[j] * h_prev[row, j]          # (5)


@kernel
def gru_step_backward(dh_out, gates, h_prev, q, dh, dax, dah, dbx, dbh):
    """dh comes in as the gradient of the next step, and dh_out is added to it.

    It goes out as the part of dh_prev that does not pass through Wh, dh ⊙ z. dbx and
    dbh are added to: they sum over all steps.
    """
    rows, H = h_prev.shape
    for row in range(rows):
        r, z, n = gates[row, :H], gates[row, H : 2 * H], gates[row, 2 * H :]
        dar, daz, dan = dax[row, :H], dax[row, H : 2 * H], dax[row, 2 * H :]
        dq = dah[row, 2 * H :]
        for j in range(H):
            dh[row, j] += dh_out[row, j]
        for j in range(H):
            dan[j] = dh[row, j] * (1 - z[j]) * (1 - n[j] * n[j])           # (5), (4)
        for j in range(H):                                                 # (5), (2)
            daz[j] = dh[row, j] * (h_prev[row, j] - n[j]) * z[j] * (1 - z[j])
        for j in range(H):
            dar[j] = dan[j] * q[row, j] * r[j] * (1 - r[j])                # (4), (1)
        for j in range(H):
            dq[j] = dan[j] * r[j]                                          # (4)
        for j in range(2 * H):
            dah[row, j] = dax[row, j]
        for j in range(H):
            dh[row, j] *= z[j]                                             # to dh_prev
        for j in range(3 * H):
            dbx[j] += dax[row, j]
        for j in range(3 * H):
            dbh[j] += dah[row, j]


@kernel
def gru_steps(counts, starts, state_starts, Wh, bx, bh, ah, a, q, h):
    """``gru_step`` over time. a comes in as x Wx; h begins with the initial state."""
    for t in range(counts.size):
        n = counts[t]
        rows = slice(starts[t], starts[t] + n)
        before = slice(state_starts[t], state_starts[t] + n)
        now = slice(state_starts[t + 1], state_starts[t + 1] + n)
        multiply_packed(h[before], Wh, ah[:n])
        gru_step(ah[:n], bx, bh, h[before], a[rows], q[rows], h[now])


@kernel
def gru_steps_backward(
    counts, starts, state_starts, Wh_T, dh_out, gates, h, q, through_gates, dh,
    dax, dah, dbx, dbh,
):
    """``gru_step_backward`` back through time.

    dh comes in as dL/d(final state) and goes out as dL/d(initial state).
    """
    for t in range(counts.size - 1, -1, -1):
        n = counts[t]
        rows = slice(starts[t], starts[t] + n)
        before = slice(state_starts[t], state_starts[t] + n)
        gru_step_backward(
            dh_out[rows], gates[rows], h[before], q[rows], dh[:n],
            dax[rows], dah[rows], dbx, dbh,
        )
        multiply_packed(dah[rows], Wh_T, through_gates[:n])
        for r in range(n):
            for j in range(dh.shape[1]):
                dh[r, j] += through_gates[r, j]
