"""A whole sequence by the book: the cell step after step, and backpropagation through time.

What ``minilstm.layers.LSTM`` computes with packed rows and compiled gates stands here as plainly as it can be written: a loop
forward, a loop backward, two carries. It is what a learner's own loop is compared with.

    forward    h[t], c[t] = step(x[t], h[t-1], c[t-1])
    backward   the loss feels h[t] in two ways, as an output and through step t + 1, and c[t] through step t + 1:
               dh[t] + dh_next, dc_next   →   dx[t], and the dh_next, dc_next of the step before
               the weights are the same in every step: their gradients add up

Werbos, Backpropagation through time (1990). Shapes: x (T, B, D), h and dh (T, B, H), states (B, H), weights as in the cell.
"""

from __future__ import annotations

import numpy as np

from minilstm.reference import LSTMGrads, LSTMStepCache, lstm_step, lstm_step_backward

State = tuple[np.ndarray, np.ndarray]  # h and c, (B, H) each


def lstm_sequence(x, state: State, Wx, Wh, b) -> tuple[np.ndarray, State, list[LSTMStepCache]]:
    """From x (T, B, D) and (h0, c0) to h (T, B, H), (hT, cT), and one cache for each step."""
    T, B, D = x.shape
    h, c = state
    outputs, caches = [], []
    for t in range(T):
        h, c, cache = lstm_step(x[t], h, c, Wx, Wh, b)
        outputs.append(h)
        caches.append(cache)
    return np.stack(outputs), (h, c), caches


def lstm_sequence_backward(dh, dstate: State, caches, Wx, Wh) -> tuple[np.ndarray, State, LSTMGrads]:
    """From dh (T, B, H) and (dhT, dcT) back to dx (T, B, D), (dh0, dc0), and the gradients of Wx, Wh and b."""
    T, B, H = dh.shape
    dx = np.zeros((T, B, len(Wx)), Wx.dtype)
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H, Wx.dtype)
    dh_next, dc_next = dstate
    for t in reversed(range(T)):
        dh_t = dh[t] + dh_next
        dx_t, dh_prev, dc_prev, grads = lstm_step_backward(dh_t, dc_next, caches[t], Wx, Wh)
        dx[t] = dx_t
        dh_next, dc_next = dh_prev, dc_prev
        dWx += grads.Wx
        dWh += grads.Wh
        db += grads.b
    return dx, (dh_next, dc_next), LSTMGrads(dWx, dWh, db)
