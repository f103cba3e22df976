"""A dense layer: the same product and bias at every place.

    (1)  y = x W + b

Shapes: x (…, D), W (D, K), b (K,), y (…, K), such as (B, K) or (T, B, K).
"""

import numpy as np


def dense_forward(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """From x (…, D) to y (…, K)."""
    return x @ W + b                                                           # (1)


def dense_backward(dy: np.ndarray, x: np.ndarray, W: np.ndarray) -> tuple:
    """From dy (…, K) back to dx (…, D), and the gradients of W and b."""
    places = list(range(dy.ndim - 1))  # all axes but the last
    dx = dy @ W.T                                                              # (1)
    dW = np.tensordot(x, dy, (places, places))                                 # (1)
    db = dy.sum(axis=tuple(places))                                            # (1)
    return dx, dW, db
