"""13. Deeper, wider, other cells: solutions."""

import numpy as np

from minilstm.reference.functions import sigmoid


def parameters(cell, layers, H, V, E=None):
    gates, biases = {"rnn": (1, 1), "gru": (3, 2), "lstm": (4, 1)}[cell]
    total = 0 if E is None else V * E
    D = V if E is None else E
    for _ in range(layers):
        total += gates * H * (D + H + biases)
        D = H  # the next layer reads the hidden states of this one
    return total + H * V + V


def gru_step(x, h_prev, Wx, Wh, bx, bh):
    axr, axz, axn = np.split(x @ Wx + bx, 3, axis=1)
    ahr, ahz, q = np.split(h_prev @ Wh + bh, 3, axis=1)
    r = sigmoid(axr + ahr)
    z = sigmoid(axz + ahz)
    n = np.tanh(axn + r * q)
    return (1 - z) * n + z * h_prev


def gru_step_backward(dh, cache, Wx, Wh):
    x, h_prev, r, z, n, q = cache
    dn = dh * (1 - z)
    dz = dh * (h_prev - n)
    dan = dn * (1 - n**2)
    dr = dan * q
    dq = dan * r
    daz = dz * z * (1 - z)
    dar = dr * r * (1 - r)
    dax = np.concatenate([dar, daz, dan], axis=1)
    dah = np.concatenate([dar, daz, dq], axis=1)
    dx = dax @ Wx.T
    dh_prev = dah @ Wh.T + dh * z  # dh * z: the direct path in (5)
    return dx, dh_prev, x.T @ dax, h_prev.T @ dah, dax.sum(axis=0), dah.sum(axis=0)
