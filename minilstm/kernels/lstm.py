"""One step of an LSTM, compiled: ``minilstm.reference.lstm``, row by row.

The matrix products stand outside. ``lstm_step`` and ``lstm_step_backward`` get their
results and do all that is elementwise. Every loop runs over one gate of one row and few
arrays, so that the compiler can use SIMD instructions.

``lstm_steps`` and ``lstm_steps_backward`` are the loops over time, with their products.

Shapes: z, zh and dz (B, 4H) in blocks i, f, g, o; b and db (4H,); all else (B, H).
Over time, in packed rows and state buffers (see ``minilstm.layers.packing``): z and dz
(N, 4H), tanh_c and dh (N, H), c and h (B + N, H); counts, starts (T,), state_starts
(T + 1,); Wh (H, 4H) and Wh_T (4H, H) as packed weights (see ``packed_weights.py``).
"""

from __future__ import annotations

from minilstm.kernels.activations import sigmoid_in_place, tanh, tanh_in_place
from minilstm.kernels.compile import kernel
from minilstm.kernels.packed_weights import multiply_packed


@kernel
def lstm_step(zh, b, c_prev, z, c, tanh_c, h):
    """z goes from x Wx to the activated gates i, f, g, o; zh is h_prev Wh."""
    rows, H = c.shape
    for r in range(rows):
        for j in range(4 * H):
            z[r, j] += zh[r, j] + b[j]
        i, f, g, o = z[r, :H], z[r, H : 2 * H], z[r, 2 * H : 3 * H], z[r, 3 * H :]
        sigmoid_in_place(z[r, : 2 * H])                                    # (1), (2)
        tanh_in_place(g)                                                   # (3)
        for j in range(H):
            c[r, j] = f[j] * c_prev[r, j] + i[j] * g[j]                    # (4)
        sigmoid_in_place(o)                                                # (5)
        for j in range(H):
            tanh_c[r, j] = tanh(c[r, j])
        for j in range(H):
            h[r, j] = o[j] * tanh_c[r, j]                                  # (6)


@kernel
def lstm_step_backward(dh_out, dh_next, gates, c_prev, tanh_c, dc, dz, db):
    """dh is dh_out + dh_next, the gradients of this step's output and of the next step.

    dc comes in as dc and goes out as dc_prev. db is added to: it sums over all steps.
    """
    rows, H = c_prev.shape
    for r in range(rows):
        i, f = gates[r, :H], gates[r, H : 2 * H]
        g, o = gates[r, 2 * H : 3 * H], gates[r, 3 * H :]
        dzi, dzf = dz[r, :H], dz[r, H : 2 * H]
        dzg, dzo = dz[r, 2 * H : 3 * H], dz[r, 3 * H :]
        for j in range(H):
            dzo[j] = (dh_out[r, j] + dh_next[r, j]) * o[j]                 # dh ⊙ o
        for j in range(H):
            dc[r, j] += dzo[j] * (1 - tanh_c[r, j] * tanh_c[r, j])         # (6)
        for j in range(H):
            dzo[j] *= tanh_c[r, j] * (1 - o[j])                            # (6), (5)
        for j in range(H):
            dzi[j] = dc[r, j] * g[j] * i[j] * (1 - i[j])                   # (4), (2)
        for j in range(H):
            dzf[j] = dc[r, j] * c_prev[r, j] * f[j] * (1 - f[j])           # (4), (1)
        for j in range(H):
            dzg[j] = dc[r, j] * i[j] * (1 - g[j] * g[j])                   # (4), (3)
        for j in range(H):
            dc[r, j] *= f[j]                                               # dc_prev (4)
        for j in range(4 * H):
            db[j] += dz[r, j]


@kernel
def lstm_steps(counts, starts, state_starts, Wh, b, zh, z, c, tanh_c, h):
    """``lstm_step`` over time. z begins as x Wx; c and h as the initial state."""
    for t in range(counts.size):
        n = counts[t]
        rows = slice(starts[t], starts[t] + n)
        before = slice(state_starts[t], state_starts[t] + n)
        now = slice(state_starts[t + 1], state_starts[t + 1] + n)
        multiply_packed(h[before], Wh, zh[:n])
        lstm_step(zh[:n], b, c[before], z[rows], c[now], tanh_c[rows], h[now])


@kernel
def lstm_steps_backward(
    counts, starts, state_starts, Wh_T, dh_out, dh_next, gates, c, tanh_c, dc, dz, db
):
    """``lstm_step_backward`` back through time.

    dh_next and dc come in as dL/d(final state) and go out as dL/d(initial state).
    """
    for t in range(counts.size - 1, -1, -1):
        n = counts[t]
        rows = slice(starts[t], starts[t] + n)
        before = slice(state_starts[t], state_starts[t] + n)
        lstm_step_backward(
            dh_out[rows], dh_next[:n], gates[rows], c[before], tanh_c[rows],
            dc[:n], dz[rows], db,
        )
        multiply_packed(dz[rows], Wh_T, dh_next[:n])
