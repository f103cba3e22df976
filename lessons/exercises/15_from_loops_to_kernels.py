"""15. From loops to kernels.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/15_from_loops_to_kernels.py. Leave the one in lessons/exercises blank.

    minilstm exercise 15           make the copy, the first time, and grade it
    minilstm exercise 15 --hint    a hint, when you are stuck
    minilstm exercise 15 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def operations(T, B, D, H):
    """Task 1. Operations of the products of an LSTM layer: (forward, backward).

    T time steps, B sequences, D inputs, H units. Forward is equation (1) of the lesson.
    Each forward product y = x W has two products backward: one for the gradient of x, one
    for the gradient of W.
    """
    forward = ...
    backward = ...
    return forward, backward


def gates_in_place(z, c, h):
    """Task 2. The gates of a time step without a single new array; returns nothing.

    z (B, 4H) contains the sums, in blocks i, f, g, o. You may overwrite it with anything.
    c (B, H) contains c_prev; write c into it. Write h into h (B, H). The equations are
    (1) to (6) of `minilstm/reference/lstm.py`. `np.tanh(a, out=a)` writes its result into
    a, and so does `a *= b`.
    """
    i, f, g, o = np.split(z, 4, axis=1)  # views of z, not new arrays
    for gate in (i, f, o):
        ...
    np.tanh(g, out=g)
    ...


def step_backward(dh, dc, gates, c_prev, tanh_c, dz):
    """Task 3. A kernel: the elementwise part of a step backward; returns nothing.

    dh (B, H) is the complete gradient of h. dc (B, H) contains the recurrent gradient
    dc_next; overwrite it with dc_prev. gates (B, 4H) are activated, in blocks i, f, g, o.
    c_prev and tanh_c are (B, H). Write the gradients of the sums into dz (B, 4H).

    Use loops and single numbers only. The kernel runs first as Python, then compiled by
    Numba. It must equal `lstm_step_backward` in `minilstm/reference/lstm.py` in float64.
    """
    rows, H = c_prev.shape
    for r in range(rows):
        i, f, g, o = gates[r, :H], gates[r, H : 2 * H], gates[r, 2 * H : 3 * H], gates[r, 3 * H :]
        dzi, dzf, dzg, dzo = dz[r, :H], dz[r, H : 2 * H], dz[r, 2 * H : 3 * H], dz[r, 3 * H :]
        for j in range(H):
            dc[r, j] += ...
            dzi[j] = ...
            dzf[j] = ...
            dzg[j] = ...
            dzo[j] = ...
            dc[r, j] = ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
