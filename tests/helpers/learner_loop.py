"""An LSTM as learners write it, with one loop over arrays, gate by gate.

Tests put a slip into it and read the diagnosis.
"""

import numpy as np

from minilstm.reference.functions import sigmoid
from minilstm.verify.diagnose.variant import Mistake, variant


def forward(x, state, Wx, Wh, b):
    """A loop over arrays, as in many courses."""
    T, B, _ = x.shape
    H = Wh.shape[0]
    hs, cs, gates = np.zeros((T, B, H)), np.zeros((T, B, H)), []
    h, c = state
    for t in range(T):
        z = x[t].dot(Wx) + h.dot(Wh) + b
        i, f, g, o = sigmoid(z[:, :H]), sigmoid(z[:, H : 2 * H]), np.tanh(z[:, 2 * H : 3 * H]), sigmoid(z[:, 3 * H :])
        c = f * c + i * g
        h = o * np.tanh(c)
        hs[t], cs[t] = h, c
        gates.append((i, f, g, o))
    return hs, (h, c), (x, state, hs, cs, gates)


def backward(dh, dstate, caches, Wx, Wh):
    x, (h0, c0), hs, cs, gates = caches
    T, B, H = dh.shape
    dx = np.empty_like(x)
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H)
    dh_next, dc_next = dstate
    for t in range(T - 1, -1, -1):
        i, f, g, o = gates[t]
        h_prev = hs[t - 1] if t > 0 else h0
        c_prev = cs[t - 1] if t > 0 else c0
        tanh_c = np.tanh(cs[t])
        dht = dh[t] + dh_next
        dct = dc_next + dht * o * (1 - tanh_c**2)
        dzi = dct * g * i * (1 - i)
        dzf = dct * c_prev * f * (1 - f)
        dzg = dct * i * (1 - g**2)
        dzo = dht * tanh_c * o * (1 - o)
        dz = np.hstack([dzi, dzf, dzg, dzo])
        dx[t] = dz.dot(Wx.T)
        dWx += x[t].T.dot(dz)
        dWh += h_prev.T.dot(dz)
        db += dz.sum(axis=0)
        dh_next = dz.dot(Wh.T)
        dc_next = dct * f
    return dx, (dh_next, dc_next), (dWx, dWh, db)


def step(x, h_prev, c_prev, Wx, Wh, b):
    _, (h, c), caches = forward(x[None], (h_prev, c_prev), Wx, Wh, b)
    return h, c, caches


def step_backward(dh, dc, caches, Wx, Wh):
    dx, (dh_prev, dc_prev), grads = backward(dh[None], (0 * dh, dc), caches, Wx, Wh)
    return dx[0], dh_prev, dc_prev, grads


def changed(*slips):
    """The learner's ``backward``, its source changed: right, wrong, right, …."""
    pairs = zip(slips[::2], slips[1::2])
    return variant(backward, [Mistake("a slip", backward, right, wrong, "", "") for right, wrong in pairs])


def step_with(*slips):
    """The same for a single step."""
    return variant(step_backward, [], backward=changed(*slips))
