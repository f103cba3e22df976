"""5. Through time.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/05_through_time.py. Leave the one in lessons/exercises blank.

    minilstm exercise 5           make the copy, the first time, and grade it
    minilstm exercise 5 --hint    a hint, when you are stuck
    minilstm exercise 5 --reset   begin again; what you wrote is kept beside it

dX stands for dLoss/dX and has the shape of X. Time is the first axis: x is (T, B, D), h
and dh are (T, B, H). Steps count from 0, as array indices do.
"""

import numpy as np

from minilstm.reference import lstm_step_backward


def weights_over_time(x, h0, h, dz):
    """Task 1. The gradients of the weights over a sequence: returns (dWx, dWh, db).

    Their shapes are (D, 4H), (H, 4H) and (4H,). dz (T, B, 4H) is the gradient of the
    pre-activations z[t] = x[t] Wx + h[t-1] Wh + b of every step. h0 (B, H) is the
    initial hidden state. h[0] is the hidden state after the first step; the text of the
    lesson calls it h[1].

    Each gradient is a sum over time. For example, dWx is
    x[0].T @ dz[0] + x[1].T @ dz[1] and so on. You may use a loop or one product.
    """
    h_before = ...  # (T, B, H), the hidden state that went into each step
    dWx = ...
    dWh = ...
    db = ...
    return dWx, dWh, db


def in_two_parts(backward, dh, dstate, caches, Wx, Wh, cut):
    """Task 2. Backward in two parts: returns (dx, (dh0, dc0), (dWx, dWh, db)).

    backward(dh, dstate, caches, Wx, Wh) is a right backward pass for any number of
    steps. It returns three results of the same kind. dstate is (dhT, dcT), the gradient
    of the final state. Call it twice: for the steps from the cut on, and for those
    before it, dh[:cut] and caches[:cut]. The results must be those of one call for all
    steps. Adding two tuples with + joins them; add their arrays one by one.
    """
    dx_late, dstate_late, grads_late = ...
    dx_early, dstate_early, grads_early = ...
    dx = np.concatenate([dx_early, dx_late])
    grads = ...
    return dx, ..., grads


def lstm_sequence_backward(dh, dstate, caches, Wx, Wh):
    """Task 3. Backpropagation through time: returns (dx, (dh0, dc0), (dWx, dWh, db)).

    dh (T, B, H) is the gradient of every h[t] as an output, dstate = (dhT, dcT) that of
    the final state, (B, H) each. caches[t] is the cache of step t, for
    lstm_step_backward(dh, dc, cache, Wx, Wh), which returns (dx, dh_prev, dc_prev,
    (dWx, dWh, db)).
    """
    T, B, H = dh.shape
    dx = np.zeros((T, B, len(Wx)))
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H)
    dh_next, dc_next = ...
    for t in ...:
        ...
    return dx, (dh_next, dc_next), (dWx, dWh, db)


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
