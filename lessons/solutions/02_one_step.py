"""2. One step of an LSTM: solutions."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gates(z):
    zi, zf, zg, zo = np.split(z, 4, axis=1)
    return sigmoid(zi), sigmoid(zf), np.tanh(zg), sigmoid(zo)


def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    z = x @ Wx + h_prev @ Wh + b
    i, f, g, o = gates(z)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c


def remembering_bias():
    # i = σ(-12) writes nothing; f = σ(12) loses 6e-6 a step; o = σ(12) outputs all.
    # g does not matter.
    return np.array([-12.0, 12.0, 0.0, 12.0])
