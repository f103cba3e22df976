"""Dive into Deep Learning: a sigmoid where its derivative belongs, at the forget gate.

https://github.com/CaptainE/RNN-LSTM-in-numpy/issues/1: ``df = sigmoid(f[t]) * df`` without ``derivative=True``.
"""

import numpy as np


def sigmoid(z, derivative=False):
    if derivative:  # z is a sigmoid already
        return z * (1 - z)
    return 1 / (1 + np.exp(-z))


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
    dH, dC = dstate
    dC = dC + dH * O * (1 - np.tanh(C) ** 2)
    dO = sigmoid(O, derivative=True) * dH * np.tanh(C)
    dF = sigmoid(F) * dC * C_prev
    dI = sigmoid(I, derivative=True) * dC * C_tilde
    dC_tilde = (1 - C_tilde**2) * dC * I
    dX = dI @ W_xi.T + dF @ W_xf.T + dO @ W_xo.T + dC_tilde @ W_xc.T
    dH_prev = dI @ W_hi.T + dF @ W_hf.T + dO @ W_ho.T + dC_tilde @ W_hc.T
    grads = []
    for d in (dI, dF, dO, dC_tilde):
        grads += [X.T @ d, H_prev.T @ d, d.sum(axis=0)]
    return dX, (dH_prev, F * dC), grads
