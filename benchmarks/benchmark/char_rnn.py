"""The loops of min-char-rnn as a forward and a backward pass, with inputs of any kind.

min-char-rnn has one function, from characters to the loss and the gradients of the
weights. ``diagnose`` needs dx and dh0 too. Names, dictionaries over time and the lines
of the loop backward are as there; rows are examples.
"""

import numpy as np


def forward(inputs, state, Wxh, Whh, bh):
    xs, hs = {}, {}
    hs[-1] = np.copy(state[0])
    for t in range(len(inputs)):
        xs[t] = inputs[t]
        hs[t] = np.tanh(xs[t] @ Wxh + hs[t - 1] @ Whh + bh)
    T = len(inputs)
    return np.array([hs[t] for t in range(T)]), (hs[T - 1],), (xs, hs)


def backward(dhs, dstate, cache, Wxh, Whh):
    xs, hs = cache
    dxs = {}
    dWxh, dWhh, dbh = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros(len(Whh))
    (dhnext,) = dstate
    for t in reversed(range(len(dhs))):
        dh = dhs[t] + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw.sum(axis=0)
        dWxh += xs[t].T @ dhraw
        dWhh += hs[t - 1].T @ dhraw
        dxs[t] = dhraw @ Wxh.T
        dhnext = dhraw @ Whh.T
    return np.array([dxs[t] for t in range(len(dhs))]), (dhnext,), (dWxh, dWhh, dbh)
