"""One step of a simple recurrent network, in plain NumPy.

    (1)  h = tanh(x Wx + h_prev Wh + b)            hidden state

Elman, Finding structure in time (1990). Nothing protects what it remembers: backward,
every time step multiplies the gradient by 1 - h² and Whᵀ, so it vanishes or explodes
(Bengio, Simard and Frasconi 1994). The gates of an LSTM or a GRU are there to help.

Shapes: x (B, D), h (B, H); Wx (D, H), Wh (H, H), b (H,).
Backward, dX is dLoss/dX, shaped like X; a line names the equation it differentiates.
"""

from typing import NamedTuple

import numpy as np


class RNNStepCache(NamedTuple):
    """What backward needs of a step."""

    x: np.ndarray  # (B, D)
    h_prev: np.ndarray  # (B, H)
    h: np.ndarray  # (B, H)


class RNNGrads(NamedTuple):
    """Gradients of the parameters."""

    Wx: np.ndarray  # (D, H)
    Wh: np.ndarray  # (H, H)
    b: np.ndarray  # (H,)


def rnn_step(x, h_prev, Wx, Wh, b) -> tuple[np.ndarray, RNNStepCache]:
    """From (x, h_prev) to h, and a cache for ``rnn_step_backward``."""
    h = np.tanh(x @ Wx + h_prev @ Wh + b)          # (1)
    return h, RNNStepCache(x, h_prev, h)


def rnn_step_backward(
    dh, cache: RNNStepCache, Wx, Wh
) -> tuple[np.ndarray, np.ndarray, RNNGrads]:
    """From dh back to (dx, dh_prev) and the gradients of Wx, Wh and b.

    ``dh`` is the whole gradient of h: of this step's output and of the next step's
    h_prev, added up.
    """
    x, h_prev, h = cache
    da = dh * (1 - h**2)                           # (1), of the pre-activation (B, H)
    dx = da @ Wx.T                                 # (B, D)
    dh_prev = da @ Wh.T                            # (B, H)
    dWx = x.T @ da                                 # (D, H)
    dWh = h_prev.T @ da                            # (H, H)
    db = da.sum(axis=0)                            # (H,)
    return dx, dh_prev, RNNGrads(dWx, dWh, db)
