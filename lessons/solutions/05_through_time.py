"""5. Through time: solutions."""

import numpy as np

from minilstm.reference import lstm_step_backward


def weights_over_time(x, h0, h, dz):
    h_before = np.concatenate([h0[None], h[:-1]])
    dWx = sum(x_t.T @ dz_t for x_t, dz_t in zip(x, dz))
    dWh = sum(h_t.T @ dz_t for h_t, dz_t in zip(h_before, dz))
    db = dz.sum(axis=(0, 1))
    return dWx, dWh, db


def in_two_parts(backward, dh, dstate, caches, Wx, Wh, cut):
    dx_late, dstate_late, grads_late = backward(dh[cut:], dstate, caches[cut:], Wx, Wh)
    dx_early, dstate_early, grads_early = backward(dh[:cut], dstate_late, caches[:cut], Wx, Wh)
    dx = np.concatenate([dx_early, dx_late])
    grads = tuple(early + late for early, late in zip(grads_early, grads_late))
    return dx, dstate_early, grads


def lstm_sequence_backward(dh, dstate, caches, Wx, Wh):
    T, B, H = dh.shape
    dx = np.zeros((T, B, len(Wx)))
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H)
    dh_next, dc_next = dstate
    for t in reversed(range(T)):
        dx[t], dh_next, dc_next, grads = lstm_step_backward(dh[t] + dh_next, dc_next, caches[t], Wx, Wh)
        dWx += grads[0]
        dWh += grads[1]
        db += grads[2]
    return dx, (dh_next, dc_next), (dWx, dWh, db)
