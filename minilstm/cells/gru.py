"""One step of a GRU, by the book: the form with the reset gate after the product.

A GRU has no cell state: what it remembers is what it shows. One gate decides how much of the old hidden state stays, another
how much of it the candidate gets to see.

    (1)  r = σ(x Wx_r + bx_r + h_prev Wh_r + bh_r)         reset gate
    (2)  z = σ(x Wx_z + bx_z + h_prev Wh_z + bh_z)         update gate
    (3)  q = h_prev Wh_n + bh_n                            what the candidate may hear of the past
    (4)  n = tanh(x Wx_n + bx_n + r ⊙ q)                   candidate
    (5)  h = (1 - z) ⊙ n + z ⊙ h_prev                      hidden state

Cho et al., Learning phrase representations using RNN encoder-decoder (2014), equations 5 to 8, where r scales h_prev before
the product with Wh_n. Here it scales the product, as in the first version of that paper (arXiv:1406.1078v1), in cuDNN, in
PyTorch (``GRU``) and in Keras (``reset_after``): all three products of a step are then one. bh_n is a bias that r can switch
off, which is why both sides have biases of their own.

Shapes: x (B, D), h (B, H); Wx (D, 3H), Wh (H, 3H), bx and bh (3H,), each in blocks r, z, n. Any float or complex dtype.
Going backward, dX stands for dLoss/dX and has the shape of X.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilstm.functions import sigmoid


class GRUStepCache(NamedTuple):
    """What a step must remember to be taken backward."""

    x: np.ndarray  # (B, D)
    h_prev: np.ndarray  # (B, H), as all that follow
    r: np.ndarray
    z: np.ndarray
    n: np.ndarray
    q: np.ndarray


class GRUGrads(NamedTuple):
    """Gradients of the four parameters."""

    Wx: np.ndarray  # (D, 3H)
    Wh: np.ndarray  # (H, 3H)
    bx: np.ndarray  # (3H,)
    bh: np.ndarray  # (3H,)


def gru_step(
    x: np.ndarray, h_prev: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, bx: np.ndarray, bh: np.ndarray
) -> tuple[np.ndarray, GRUStepCache]:
    """From (x, h_prev) to h, and a cache for the way back."""
    ax = x @ Wx + bx                               # (B, 3H), pre-activations: the side of the input
    ah = h_prev @ Wh + bh                          # (B, 3H), and that of the past
    axr, axz, axn = np.split(ax, 3, axis=1)        # (B, H) each
    ahr, ahz, q = np.split(ah, 3, axis=1)          # (3)
    r = sigmoid(axr + ahr)                         # (1)
    z = sigmoid(axz + ahz)                         # (2)
    n = np.tanh(axn + r * q)                       # (4)
    h = (1 - z) * n + z * h_prev                   # (5)
    return h, GRUStepCache(x, h_prev, r, z, n, q)


def gru_step_backward(
    dh: np.ndarray, cache: GRUStepCache, Wx: np.ndarray, Wh: np.ndarray
) -> tuple[np.ndarray, np.ndarray, GRUGrads]:
    """From dh back to (dx, dh_prev) and the gradients of Wx, Wh, bx and bh.

    ``dh`` is all that the loss feels through h: this step's output and the next step's h_prev, added up.
    """
    x, h_prev, r, z, n, q = cache
    dn = dh * (1 - z)                              # (5)
    dz = dh * (h_prev - n)                         # (5)
    dan = dn * (1 - n**2)                          # (4), from here on of pre-activations
    dr = dan * q                                   # (4)
    dq = dan * r                                   # (4)
    daz = dz * z * (1 - z)                         # (2)
    dar = dr * r * (1 - r)                         # (1)
    dax = np.concatenate([dar, daz, dan], axis=1)  # (B, 3H)
    dah = np.concatenate([dar, daz, dq], axis=1)   # (B, 3H)
    dx = dax @ Wx.T                                # (B, D)
    dh_prev = dh * z + dah @ Wh.T                  # (B, H): (5) carries h_prev past all gates but z
    dWx = x.T @ dax                                # (D, 3H)
    dWh = h_prev.T @ dah                           # (H, 3H)
    dbx = dax.sum(axis=0)                          # (3H,)
    dbh = dah.sum(axis=0)                          # (3H,)
    return dx, dh_prev, GRUGrads(dWx, dWh, dbx, dbh)
