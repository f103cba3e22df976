"""7. One-hot and embedding: solutions."""

import numpy as np


def embed(ids, W):
    return W[ids]


def embed_backward(ids, dx, dW):
    total = dW.copy()
    np.add.at(total, ids, dx)
    return total


def nearest(ids, W, k):
    unit = W / np.linalg.norm(W, axis=1, keepdims=True)
    alike = unit[ids] @ unit.T
    alike[np.arange(len(ids)), ids] = -np.inf
    return np.argsort(-alike, axis=1)[:, :k]
