"""PyTorch's cell: the bias of the input gate gets the gradient of the forget gate's.

https://github.com/hanbt/learn_dl/issues/53: ``bi_grad`` is made of ``delta_f_list`` (and ``bo_grad``, too).
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_cell(input, hx, weight_ih, weight_hh, bias_ih, bias_hh):
    hx, cx = hx
    gates = input @ weight_ih.T + bias_ih + hx @ weight_hh.T + bias_hh
    i, f, g, o = np.split(gates, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    cy = f * cx + i * g
    hy = o * np.tanh(cy)
    return (hy, cy), (input, hx, cx, weight_ih, weight_hh, i, f, g, o, cy)


def lstm_cell_backward(grad, cache):
    grad_hy, grad_cy = grad
    input, hx, cx, weight_ih, weight_hh, i, f, g, o, cy = cache
    grad_cy = grad_cy + grad_hy * o * (1 - np.tanh(cy) ** 2)
    delta_i = grad_cy * g * i * (1 - i)
    delta_f = grad_cy * cx * f * (1 - f)
    delta_g = grad_cy * i * (1 - g**2)
    delta_o = grad_hy * np.tanh(cy) * o * (1 - o)
    delta = np.concatenate([delta_i, delta_f, delta_g, delta_o], axis=1)
    grad_bias = np.concatenate([delta_f, delta_f, delta_g, delta_o], axis=1).sum(axis=0)
    grad_state = delta @ weight_hh, grad_cy * f
    return delta @ weight_ih, grad_state, delta.T @ input, delta.T @ hx, grad_bias, grad_bias
