"""15. From loops to kernels.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/15_from_loops_to_kernels.py. Leave the one in lessons/exercises blank.

    minilstm exercise 15           make the copy, the first time, and grade it
    minilstm exercise 15 --hint    a hint, when you are stuck
    minilstm exercise 15 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def operations(T, B, D, H):
    """Task 1. Floating-point operations of the matrix products of an LSTM layer: (forward, backward).

    T steps, B sequences, D inputs, H units. Forward is equation (1) of the lesson. Backward, each product y = x W of the
    way forward is followed by two: one for the gradient of x, one for that of W.
    """
    forward = ...
    backward = ...
    return forward, backward


def gates_in_place(z, c, h):
    """Task 2. The gates of a step without a single new array: c and h are overwritten, nothing is returned.

    z (B, 4H) comes in as the sums, in blocks i, f, g, o, and may be overwritten with anything. c (B, H) comes in as c_prev
    and goes out as c, h (B, H) goes out as h: equations (1) to (6) of `minilstm/reference/lstm.py`. `np.tanh(a, out=a)` puts
    its result where a was, and so do `a *= b` and its like.
    """
    i, f, g, o = np.split(z, 4, axis=1)  # views of z, not new arrays
    for gate in (i, f, o):
        ...
    np.tanh(g, out=g)
    ...


def step_backward(dh, dc, gates, c_prev, tanh_c, dz):
    """Task 3. A kernel: the elementwise part of a step backward. dc and dz are overwritten, nothing is returned.

    dh (B, H) is the complete gradient of h. dc (B, H) comes in as the gradient from the next step and goes out as
    the gradient of c_prev. gates (B, 4H) are activated, in blocks i, f, g, o; c_prev and tanh_c (B, H). dz (B, 4H) goes out
    as the gradients of the sums. The book is `lstm_step_backward` in `minilstm/reference/lstm.py`.

    Loops and single numbers only. It is tried as Python first, then compiled by Numba, and must equal the book in float64.
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
