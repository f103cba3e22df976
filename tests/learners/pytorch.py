"""The cells of PyTorch in NumPy: weights (gates, inputs), two biases, gates i, f, g, o and r, z, n.

Arguments as in ``torch.nn.functional``'s cells; the gradients begin with ``grad_``.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_cell(input, hx, weight_ih, weight_hh, bias_ih, bias_hh):
    hy = np.tanh(input @ weight_ih.T + bias_ih + hx @ weight_hh.T + bias_hh)
    return hy, (input, hx, weight_ih, weight_hh, hy)


def rnn_cell_backward(grad_hy, cache):
    input, hx, weight_ih, weight_hh, hy = cache
    grad_gates = grad_hy * (1 - hy**2)
    grad_input = grad_gates @ weight_ih
    grad_hx = grad_gates @ weight_hh
    grad_weight_ih = grad_gates.T @ input
    grad_weight_hh = grad_gates.T @ hx
    grad_bias_ih = grad_gates.sum(0)
    grad_bias_hh = grad_gates.sum(0)
    return grad_input, grad_hx, grad_weight_ih, grad_weight_hh, grad_bias_ih, grad_bias_hh


def gru_cell(input, hx, weight_ih, weight_hh, bias_ih, bias_hh):
    i_r, i_z, i_n = np.split(input @ weight_ih.T + bias_ih, 3, axis=1)
    h_r, h_z, h_n = np.split(hx @ weight_hh.T + bias_hh, 3, axis=1)
    r = sigmoid(i_r + h_r)
    z = sigmoid(i_z + h_z)
    n = np.tanh(i_n + r * h_n)
    hy = (1 - z) * n + z * hx
    return hy, (input, hx, weight_ih, weight_hh, r, z, n, h_n)


def gru_cell_backward(grad_hy, cache):
    input, hx, weight_ih, weight_hh, r, z, n, h_n = cache
    grad_in = grad_hy * (1 - z) * (1 - n**2)
    grad_iz = grad_hy * (hx - n) * z * (1 - z)
    grad_ir = grad_in * h_n * r * (1 - r)
    grad_i = np.concatenate((grad_ir, grad_iz, grad_in), axis=1)
    grad_h = np.concatenate((grad_ir, grad_iz, grad_in * r), axis=1)
    grad_input = grad_i @ weight_ih
    grad_hx = grad_hy * z + grad_h @ weight_hh
    grad_weight_ih = grad_i.T @ input
    grad_weight_hh = grad_h.T @ hx
    grad_bias_ih = grad_i.sum(0)
    grad_bias_hh = grad_h.sum(0)
    return grad_input, grad_hx, grad_weight_ih, grad_weight_hh, grad_bias_ih, grad_bias_hh


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
    grad_c = grad_cy + grad_hy * o * (1 - np.tanh(cy) ** 2)
    grad_i = grad_c * g * i * (1 - i)
    grad_f = grad_c * cx * f * (1 - f)
    grad_g = grad_c * i * (1 - g**2)
    grad_o = grad_hy * np.tanh(cy) * o * (1 - o)
    grad_gates = np.concatenate((grad_i, grad_f, grad_g, grad_o), axis=1)
    grad_input = grad_gates @ weight_ih
    grad_hx = grad_gates @ weight_hh
    grad_cx = grad_c * f
    grad_weight_ih = grad_gates.T @ input
    grad_weight_hh = grad_gates.T @ hx
    grad_bias_ih = grad_gates.sum(0)
    grad_bias_hh = grad_gates.sum(0)
    return grad_input, (grad_hx, grad_cx), grad_weight_ih, grad_weight_hh, grad_bias_ih, grad_bias_hh


def _forward(cell, input, hx, weights):
    output, caches = [], []
    for t in range(len(input)):
        hx, cache = cell(input[t], hx, *weights)
        output.append(hx[0] if isinstance(hx, tuple) else hx)
        caches.append(cache)
    return np.stack(output), hx, caches


def _backward(cell_backward, grad_output, grad, caches):
    grad_input, total = [None] * len(caches), [0, 0, 0, 0]
    for t in reversed(range(len(caches))):
        if isinstance(grad, tuple):
            arriving = (grad_output[t] + grad[0], grad[1])
        else:
            arriving = grad_output[t] + grad
        grad_input[t], grad, *grads = cell_backward(arriving, caches[t])
        total = [one + more for one, more in zip(total, grads)]
    return np.stack(grad_input), grad, *total


def rnn(input, h_0, weight_ih, weight_hh, bias_ih, bias_hh):
    return _forward(rnn_cell, input, h_0, (weight_ih, weight_hh, bias_ih, bias_hh))


def rnn_backward(grad_output, grad_h_n, caches):
    return _backward(rnn_cell_backward, grad_output, grad_h_n, caches)


def gru(input, h_0, weight_ih, weight_hh, bias_ih, bias_hh):
    return _forward(gru_cell, input, h_0, (weight_ih, weight_hh, bias_ih, bias_hh))


def gru_backward(grad_output, grad_h_n, caches):
    return _backward(gru_cell_backward, grad_output, grad_h_n, caches)


def lstm(input, hx, weight_ih, weight_hh, bias_ih, bias_hh):
    return _forward(lstm_cell, input, hx, (weight_ih, weight_hh, bias_ih, bias_hh))


def lstm_backward(grad_output, grad_hx, caches):
    return _backward(lstm_cell_backward, grad_output, grad_hx, caches)
