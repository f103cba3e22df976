"""One step of a simple recurrent network, by the book.

    (1)  h = tanh(x Wx + h_prev Wh + b)            hidden state

Elman, Finding structure in time (1990). Nothing protects what it remembers: on the way back through time the gradient is
multiplied by Whᵀ and by 1 - h² at every step, and vanishes or explodes (Bengio, Simard and Frasconi 1994). The gates of an
LSTM or a GRU are there to mend this.

Shapes: x (B, D), h (B, H); Wx (D, H), Wh (H, H), b (H,). Any float or complex dtype.
Going backward, dX stands for dLoss/dX and has the shape of X.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class RNNStepCache(NamedTuple):
    """What a step must remember to be taken backward."""

    x: np.ndarray  # (B, D)
    h_prev: np.ndarray  # (B, H)
    h: np.ndarray  # (B, H)


class RNNGrads(NamedTuple):
    """Gradients of the three parameters."""

    Wx: np.ndarray  # (D, H)
    Wh: np.ndarray  # (H, H)
    b: np.ndarray  # (H,)


def rnn_step(
    x: np.ndarray, h_prev: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, RNNStepCache]:
    """From (x, h_prev) to h, and a cache for the way back."""
    h = np.tanh(x @ Wx + h_prev @ Wh + b)          # (1)
    return h, RNNStepCache(x, h_prev, h)


def rnn_step_backward(
    dh: np.ndarray, cache: RNNStepCache, Wx: np.ndarray, Wh: np.ndarray
) -> tuple[np.ndarray, np.ndarray, RNNGrads]:
    """From dh back to (dx, dh_prev) and the gradients of Wx, Wh and b.

    ``dh`` is all that the loss feels through h: this step's output and the next step's h_prev, added up.
    """
    x, h_prev, h = cache
    da = dh * (1 - h**2)                           # (1), of the pre-activation
    dx = da @ Wx.T                                 # (B, D)
    dh_prev = da @ Wh.T                            # (B, H)
    dWx = x.T @ da                                 # (D, H)
    dWh = h_prev.T @ da                            # (H, H)
    db = da.sum(axis=0)                            # (H,)
    return dx, dh_prev, RNNGrads(dWx, dWh, db)
