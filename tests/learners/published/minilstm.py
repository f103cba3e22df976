"""The shapes of minilstm: the derivative of tanh is taken at tanh(c) in place of c.

https://github.com/nicklashansen/rnn_lstm_from_scratch/issues/1: no gradient check passes, where
``tanh(tanh(C[t]), derivative=True)`` computes one tanh too many.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    i, f, g, o = np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c_prev + i * g
    return o * np.tanh(c), c, (x, h_prev, c_prev, i, f, g, o, c)


def lstm_step_backward(dh, dc, cache, Wx, Wh):
    x, h_prev, c_prev, i, f, g, o, c = cache
    tanh_c = np.tanh(c)
    dc = dc + dh * o * (1 - np.tanh(tanh_c) ** 2)
    dzi = dc * g * i * (1 - i)
    dzf = dc * c_prev * f * (1 - f)
    dzg = dc * i * (1 - g**2)
    dzo = dh * tanh_c * o * (1 - o)
    dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1)
    return dz @ Wx.T, dz @ Wh.T, dc * f, (x.T @ dz, h_prev.T @ dz, dz.sum(axis=0))
