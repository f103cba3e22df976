"""14. Looking inside.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/14_looking_inside.py. Leave the one in lessons/exercises blank.

    minilstm exercise 14           make the copy, the first time, and grade it
    minilstm exercise 14 --hint    a hint, when you are stuck
    minilstm exercise 14 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def tracker(c, y):
    """Task 1. Which unit follows a truth best? Returns its number and its correlation, with its sign: (k, r).

    c (N, H) cell states, y (N,) the truth at the same N places. Equation (7), and what the lesson says about it. A unit
    whose c is the same everywhere, as that of a dead unit is, follows nothing: its r counts as 0.
    """
    r = ...  # (H,)
    k = ...
    return k, r[k]


def operate(gates, c, unit, value):
    """Task 2. Set c of one unit to a value, in all sequences of a batch. Returns (h, c) as they are afterwards, each (B, H).

    gates (B, 4H) are those of the step that was just taken, activated, in blocks i, f, g, o; c (B, H) is what it made.
    What the step shows must follow: equation (6). The c that you were given must stay as it was.
    """
    c = ...
    h = ...
    return h, c


def quote_cell():
    """Task 3. Weights, made by hand, of an LSTM of a single unit that knows whether a quotation is open: (Wx, Wh, b).

    Wx (2, 4): row 0 is added to the sums for any other character, row 1 for a quotation mark. Wh (1, 4), b (4,). Columns
    in the order i, f, g, o. The same mark opens and closes. Beginning with h = c = 0, c must be above 0.5 wherever a
    quotation is open and below 0.25 wherever none is, for hundreds of characters.
    """
    Wx = np.array(...)
    Wh = np.array(...)
    b = np.array(...)
    return Wx, Wh, b


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
