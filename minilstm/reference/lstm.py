"""One step of an LSTM, in plain NumPy, one line for each equation.

The cell reads one input x and what it remembers, the hidden state h_prev and the cell
state c_prev. Gates, numbers between 0 and 1, decide what to forget, what to write and
what to show; a candidate says what there is to write.

    (1)  f = σ(x Wx_f + h_prev Wh_f + b_f)         forget gate
    (2)  i = σ(x Wx_i + h_prev Wh_i + b_i)         input gate
    (3)  g = tanh(x Wx_g + h_prev Wh_g + b_g)      candidate
    (4)  c = f ⊙ c_prev + i ⊙ g                    cell state
    (5)  o = σ(x Wx_o + h_prev Wh_o + b_o)         output gate
    (6)  h = o ⊙ tanh(c)                           hidden state

Hochreiter and Schmidhuber, Long short-term memory (1997). The forget gate (1): Gers,
Schmidhuber and Cummins, Learning to forget (2000). No peephole connections.

Shapes: x (B, D), h and c (B, H); Wx (D, 4H), Wh (H, 4H), b (4H,), in blocks i, f, g, o.
Backward, dX is dLoss/dX, shaped like X; a line names the equation it differentiates.
"""

from typing import NamedTuple

import numpy as np

from minilstm.reference.functions import sigmoid


class LSTMStepCache(NamedTuple):
    """What backward needs of a step."""

    x: np.ndarray  # (B, D)
    h_prev: np.ndarray  # (B, H), as all that follow
    c_prev: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    tanh_c: np.ndarray


class LSTMGrads(NamedTuple):
    """Gradients of the parameters."""

    Wx: np.ndarray  # (D, 4H)
    Wh: np.ndarray  # (H, 4H)
    b: np.ndarray  # (4H,)


def lstm_step(
    x, h_prev, c_prev, Wx, Wh, b
) -> tuple[np.ndarray, np.ndarray, LSTMStepCache]:
    """From (x, h_prev, c_prev) to (h, c), and a cache for ``lstm_step_backward``."""
    z = x @ Wx + h_prev @ Wh + b                   # (B, 4H), three gates and a candidate
    zi, zf, zg, zo = np.split(z, 4, axis=1)        # (B, H) each
    f = sigmoid(zf)                                # (1)
    i = sigmoid(zi)                                # (2)
    g = np.tanh(zg)                                # (3)
    c = f * c_prev + i * g                         # (4)
    o = sigmoid(zo)                                # (5)
    tanh_c = np.tanh(c)
    h = o * tanh_c                                 # (6)
    return h, c, LSTMStepCache(x, h_prev, c_prev, i, f, g, o, tanh_c)


def lstm_step_backward(
    dh, dc, cache: LSTMStepCache, Wx, Wh
) -> tuple[np.ndarray, np.ndarray, np.ndarray, LSTMGrads]:
    """From (dh, dc) back to (dx, dh_prev, dc_prev) and the gradients of Wx, Wh and b.

    ``dh`` is the whole gradient of h: of this step's output and of the next step's
    h_prev, added up. ``dc`` is the gradient of the next step's c_prev.
    """
    x, h_prev, c_prev, i, f, g, o, tanh_c = cache
    do = dh * tanh_c                               # (6)
    dc = dc + dh * o * (1 - tanh_c**2)             # (6): c acts through h, too
    df = dc * c_prev                               # (4)
    di = dc * g                                    # (4)
    dg = dc * i                                    # (4)
    dc_prev = dc * f                               # (4): what makes it an LSTM
    dzi = di * i * (1 - i)                         # (2)
    dzf = df * f * (1 - f)                         # (1)
    dzg = dg * (1 - g**2)                          # (3)
    dzo = do * o * (1 - o)                         # (5)
    dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1)  # (B, 4H)
    dx = dz @ Wx.T                                 # (B, D)
    dh_prev = dz @ Wh.T                            # (B, H)
    dWx = x.T @ dz                                 # (D, 4H)
    dWh = h_prev.T @ dz                            # (H, 4H)
    db = dz.sum(axis=0)                            # (4H,)
    return dx, dh_prev, dc_prev, LSTMGrads(dWx, dWh, db)
