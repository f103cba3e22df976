"""2. One step of an LSTM.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/02_one_step.py. Leave the one in lessons/exercises blank.

    minilstm exercise 2           make the copy, the first time, and grade it
    minilstm exercise 2 --hint    a hint, when you are stuck
    minilstm exercise 2 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gates(z):
    """Task 1. From the sums z (B, 4H), in blocks i, f, g, o, to the gates and the candidate (i, f, g, o), each (B, H).

    Equations (1), (2), (3) and (5). `np.split(z, 4, axis=1)` cuts z into its blocks.
    """
    return ...


def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    """Task 2. A whole step for a batch: returns (h, c), each (B, H).

    x (B, D), h_prev and c_prev (B, H), Wx (D, 4H), Wh (H, 4H), b (4H,). Your `gates` may help.
    """
    z = ...
    c = ...
    h = ...
    return h, c


def remembering_bias():
    """Task 3. The bias (4,) of a cell with one unit, in the order i, f, g, o, that makes it keep a number.

    All weights are zero, so that the biases alone decide. After 100 steps c must be within a hundredth of the 1.0 that it
    was at the start, and h must show at least nine tenths of tanh(c).
    """
    return np.array(...)


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
