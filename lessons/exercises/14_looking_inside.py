"""14. Looking inside.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/14_looking_inside.py. Leave the one in lessons/exercises blank.

    minilstm exercise 14           make the copy, the first time, and grade it
    minilstm exercise 14 --hint    a hint, when you are stuck
    minilstm exercise 14 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def best_unit(c, y):
    """Task 1. The unit that follows y best, and its correlation with its sign: (k, r).

    c (N, H) are cell states, y (N,) the true values at the same N places. Use equation
    (7), and what the lesson says about it. A dead unit, whose c is the same everywhere,
    follows nothing: its r is 0.
    """
    r = ...  # (H,)
    k = ...
    return k, r[k]


def intervene(gates, c, unit, value):
    """Task 2. Set c of one unit to a value, in all sequences: returns (h, c), each (B, H).

    gates (B, 4H) and c (B, H) are those of the last time step. The gates are activated,
    in blocks i, f, g, o. Compute h from the changed c, by equation (6). The argument c
    must not change.
    """
    c = ...
    h = ...
    return h, c


def quote_cell():
    """Task 3. A cell that knows whether a quotation is open: (Wx, Wh, b), set by hand.

    The LSTM has a single unit. Row 1 of Wx (2, 4) is for a quotation mark, row 0 for any
    other character. Wh (1, 4), b (4,). Columns are in the order i, f, g, o. The same mark
    opens and closes. It begins with h = c = 0. After each character c must be above 0.5
    if a quotation is open, and below 0.25 if not, for hundreds of characters.
    """
    Wx = np.array(...)
    Wh = np.array(...)
    b = np.array(...)
    return Wx, Wh, b


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
