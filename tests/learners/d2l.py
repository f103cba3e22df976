"""Dive into Deep Learning, from scratch, in NumPy: time first, each gate with matrices of its own in a list ``params``.

The book leaves backward to a framework. Here it has the book's names: a step is (X, state, params) to (state, cache),
backward (dstate, cache) to (dX, dstate, grads), and ``grads`` has the order of ``params``.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_step(X, state, params):
    W_xh, W_hh, b_h = params
    (H_prev,) = state
    H = np.tanh(X @ W_xh + H_prev @ W_hh + b_h)
    return (H,), (X, H_prev, H, params)


def rnn_step_backward(dstate, cache):
    X, H_prev, H, (W_xh, W_hh, b_h) = cache
    (dH,) = dstate
    da = dH * (1 - H**2)
    return da @ W_xh.T, (da @ W_hh.T,), [X.T @ da, H_prev.T @ da, da.sum(axis=0)]


def gru_step(X, state, params):
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h = params
    (H_prev,) = state
    Z = sigmoid(X @ W_xz + H_prev @ W_hz + b_z)
    R = sigmoid(X @ W_xr + H_prev @ W_hr + b_r)
    H_tilde = np.tanh(X @ W_xh + (R * H_prev) @ W_hh + b_h)
    H = Z * H_prev + (1 - Z) * H_tilde
    return (H,), (X, H_prev, Z, R, H_tilde, params)


def gru_step_backward(dstate, cache):
    X, H_prev, Z, R, H_tilde, params = cache
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h = params
    (dH,) = dstate
    dah = dH * (1 - Z) * (1 - H_tilde**2)
    dRH = dah @ W_hh.T
    daz = dH * (H_prev - H_tilde) * Z * (1 - Z)
    dar = dRH * H_prev * R * (1 - R)
    dX = daz @ W_xz.T + dar @ W_xr.T + dah @ W_xh.T
    dH_prev = dH * Z + daz @ W_hz.T + dar @ W_hr.T + dRH * R
    grads = [X.T @ daz, H_prev.T @ daz, daz.sum(axis=0), X.T @ dar, H_prev.T @ dar, dar.sum(axis=0),
             X.T @ dah, (R * H_prev).T @ dah, dah.sum(axis=0)]
    return dX, (dH_prev,), grads


def lstm_step(X, state, params):
    W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c = params
    H_prev, C_prev = state
    I = sigmoid(X @ W_xi + H_prev @ W_hi + b_i)
    F = sigmoid(X @ W_xf + H_prev @ W_hf + b_f)
    O = sigmoid(X @ W_xo + H_prev @ W_ho + b_o)
    C_tilde = np.tanh(X @ W_xc + H_prev @ W_hc + b_c)
    C = F * C_prev + I * C_tilde
    H = O * np.tanh(C)
    return (H, C), (X, H_prev, C_prev, I, F, O, C_tilde, C, params)


def lstm_step_backward(dstate, cache):
    X, H_prev, C_prev, I, F, O, C_tilde, C, params = cache
    W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c = params
    dH, dC_next = dstate
    tanh_C = np.tanh(C)
    dC = dC_next + dH * O * (1 - tanh_C**2)
    dC_prev = dC * F
    dai = dC * C_tilde * I * (1 - I)
    daf = dC * C_prev * F * (1 - F)
    dao = dH * tanh_C * O * (1 - O)
    dac = dC * I * (1 - C_tilde**2)
    dX = dai @ W_xi.T + daf @ W_xf.T + dao @ W_xo.T + dac @ W_xc.T
    dH_prev = dai @ W_hi.T + daf @ W_hf.T + dao @ W_ho.T + dac @ W_hc.T
    grads = []
    for da in (dai, daf, dao, dac):
        grads += [X.T @ da, H_prev.T @ da, da.sum(axis=0)]
    return dX, (dH_prev, dC_prev), grads


def _forward(step, inputs, state, params):
    outputs, caches = [], []
    for X in inputs:
        state, cache = step(X, state, params)
        outputs.append(state[0])
        caches.append(cache)
    return outputs, state, caches


def _backward(step_backward, doutputs, dstate, caches):
    dinputs, total = [], None
    for dH, cache in zip(doutputs[::-1], caches[::-1]):
        dX, dstate, grads = step_backward((dH + dstate[0], *dstate[1:]), cache)
        dinputs.insert(0, dX)
        total = grads if total is None else [one + more for one, more in zip(total, grads)]
    return np.stack(dinputs), dstate, total


def rnn(inputs, state, params):
    return _forward(rnn_step, inputs, state, params)


def rnn_backward(doutputs, dstate, caches):
    return _backward(rnn_step_backward, doutputs, dstate, caches)


def gru(inputs, state, params):
    return _forward(gru_step, inputs, state, params)


def gru_backward(doutputs, dstate, caches):
    return _backward(gru_step_backward, doutputs, dstate, caches)


def lstm(inputs, state, params):
    return _forward(lstm_step, inputs, state, params)


def lstm_backward(doutputs, dstate, caches):
    return _backward(lstm_step_backward, doutputs, dstate, caches)
