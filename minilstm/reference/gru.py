"""One step of a GRU, in plain NumPy: the form with the reset gate after the product.

A GRU has no cell state: it remembers what it shows. One gate decides how much of the
old hidden state stays, another how much of it the candidate sees.

    (1)  r = σ(x Wx_r + bx_r + h_prev Wh_r + bh_r)         reset gate
    (2)  z = σ(x Wx_z + bx_z + h_prev Wh_z + bh_z)         update gate
    (3)  q = h_prev Wh_n + bh_n                            the past, for the candidate
    (4)  n = tanh(x Wx_n + bx_n + r ⊙ q)                   candidate
    (5)  h = (1 - z) ⊙ n + z ⊙ h_prev                      hidden state

Cho et al., Learning phrase representations using RNN encoder-decoder (2014), equations
5 to 8, where r scales h_prev before the product with Wh_n. Here it scales the product,
as in that paper's first version (arXiv:1406.1078v1), cuDNN, PyTorch, and Keras
(``reset_after``): all products of a step are then one. r can switch bh_n off, so both
sides have biases.

Shapes: x (B, D), h (B, H); Wx (D, 3H), Wh (H, 3H), bx and bh (3H,), in blocks r, z, n.
Backward, dX is dLoss/dX, shaped like X; a line names the equation it differentiates.
"""

from typing import NamedTuple

import numpy as np

from minilstm.reference.functions import sigmoid


class GRUStepCache(NamedTuple):
    """What backward needs of a step."""

    x: np.ndarray  # (B, D)
    h_prev: np.ndarray  # (B, H), as all that follow
    r: np.ndarray
    z: np.ndarray
    n: np.ndarray
    q: np.ndarray


class GRUGrads(NamedTuple):
    """Gradients of the parameters."""

    Wx: np.ndarray  # (D, 3H)
    Wh: np.ndarray  # (H, 3H)
    bx: np.ndarray  # (3H,)
    bh: np.ndarray  # (3H,)


def gru_step(x, h_prev, Wx, Wh, bx, bh) -> tuple[np.ndarray, GRUStepCache]:
    """From (x, h_prev) to h, and a cache for ``gru_step_backward``."""
    ax = x @ Wx + bx                               # (B, 3H), the input's side
    ah = h_prev @ Wh + bh                          # (B, 3H), the past's side
    axr, axz, axn = np.split(ax, 3, axis=1)        # (B, H) each
    ahr, ahz, q = np.split(ah, 3, axis=1)          # (3)
    r = sigmoid(axr + ahr)                         # (1)
    z = sigmoid(axz + ahz)                         # (2)
    n = np.tanh(axn + r * q)                       # (4)
    h = (1 - z) * n + z * h_prev                   # (5)
    return h, GRUStepCache(x, h_prev, r, z, n, q)


def gru_step_backward(
    dh, cache: GRUStepCache, Wx, Wh
) -> tuple[np.ndarray, np.ndarray, GRUGrads]:
    """From dh back to (dx, dh_prev) and the gradients of Wx, Wh, bx and bh.

    ``dh`` is the whole gradient of h: of this step's output and of the next step's
    h_prev, added up.
    """
    x, h_prev, r, z, n, q = cache
    dn = dh * (1 - z)                              # (5)
    dz = dh * (h_prev - n)                         # (5)
    dan = dn * (1 - n**2)                          # (4), of the pre-activation
    dr = dan * q                                   # (4)
    dq = dan * r                                   # (4)
    daz = dz * z * (1 - z)                         # (2)
    dar = dr * r * (1 - r)                         # (1)
    dax = np.concatenate([dar, daz, dan], axis=1)  # (B, 3H)
    dah = np.concatenate([dar, daz, dq], axis=1)   # (B, 3H)
    dx = dax @ Wx.T                                # (B, D)
    dh_prev = dh * z + dah @ Wh.T                  # (B, H): (5), and through the gates
    dWx = x.T @ dax                                # (D, 3H)
    dWh = h_prev.T @ dah                           # (H, 3H)
    dbx = dax.sum(axis=0)                          # (3H,)
    dbh = dah.sum(axis=0)                          # (3H,)
    return dx, dh_prev, GRUGrads(dWx, dWh, dbx, dbh)
