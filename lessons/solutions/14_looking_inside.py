"""14. Looking inside: solutions."""

import numpy as np


def tracker(c, y):
    c, y = c - c.mean(axis=0), y - y.mean()
    spread = np.sqrt((c**2).sum(axis=0) * (y**2).sum())  # (H,), 0 for a unit that never changes
    r = y @ c / np.where(spread > 0, spread, 1)
    k = np.argmax(np.abs(r))
    return k, r[k]


def operate(gates, c, unit, value):
    c = c.copy()
    c[:, unit] = value
    o = gates[:, 3 * c.shape[1] :]
    return o * np.tanh(c), c


def quote_cell():
    # Any other character keeps all and writes nothing. A mark drops all and writes g, 1 or -1: what h has not been.
    # At the start h = 0, and the bias of g makes the first mark an opening one.
    Wx = np.array([[-12.0, 12.0, 0.0, 12.0], [12.0, -12.0, 0.0, 12.0]])
    Wh = np.array([[0.0, 0.0, -24.0, 0.0]])
    b = np.array([0.0, 0.0, 6.0, 0.0])
    return Wx, Wh, b
