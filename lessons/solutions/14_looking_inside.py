"""14. Looking inside: solutions."""

import numpy as np


def best_unit(c, y):
    c, y = c - c.mean(axis=0), y - y.mean()
    spread = np.sqrt((c**2).sum(axis=0) * (y**2).sum())  # (H,), 0 for a unit that never changes
    r = y @ c / np.where(spread > 0, spread, 1)
    k = np.argmax(np.abs(r))
    return k, r[k]


def intervene(gates, c, unit, value):
    c = c.copy()
    c[:, unit] = value
    o = gates[:, 3 * c.shape[1] :]
    return o * np.tanh(c), c


def quote_cell():
    # Any other character keeps c and writes nothing. A mark forgets c and writes g, 1 or
    # -1, the opposite of h. At the start h = 0; the bias of g makes the first mark open.
    Wx = np.array([[-12.0, 12.0, 0.0, 12.0], [12.0, -12.0, 0.0, 12.0]])
    Wh = np.array([[0.0, 0.0, -24.0, 0.0]])
    b = np.array([0.0, 0.0, 6.0, 0.0])
    return Wx, Wh, b
