"""17. One to many: solutions."""

import numpy as np

from minilstm.reference.sequence import lstm_sequence_backward


def teacher_forcing(texts, start, end):
    lengths = np.array([len(text) + 1 for text in texts])
    inputs = np.zeros((lengths.max(), len(texts)), int)
    targets = np.zeros_like(inputs)
    for k, text in enumerate(texts):
        n = len(text)
        inputs[0, k] = start
        inputs[1 : n + 1, k] = text
        targets[:n, k] = text
        targets[n, k] = end
    return inputs, targets, lengths


def back_to_the_vector(dh, caches, v, Wx, Wh, W_h, W_c):
    zeros = np.zeros_like(dh[0]), np.zeros_like(dh[0])
    dx, (dh0, dc0), grads = lstm_sequence_backward(dh, zeros, caches, Wx, Wh)
    dv = dh0 @ W_h.T + dc0 @ W_c.T  # v is read twice
    return dv, v.T @ dh0, dh0.sum(axis=0), v.T @ dc0, dc0.sum(axis=0)


def write(step, h, c, start, end, limit):
    ids, id = [], start
    while len(ids) < limit:
        logits, h, c = step(id, h, c)
        id = int(np.argmax(logits))
        if id == end:
            break
        ids.append(id)
    return ids
