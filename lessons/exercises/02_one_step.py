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
    """Task 1. The gates and the candidate: returns (i, f, g, o), each (B, H).

    z (B, 4H) has the pre-activations in blocks i, f, g, o. Use equations (1), (2), (3)
    and (5). `np.split(z, 4, axis=1)` cuts z into its blocks. Only the positions in the
    returned tuple are graded, not the names of your variables.
    """
    return ...


def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    """Task 2. A whole step for a mini-batch: returns (h, c), each (B, H).

    x (B, D), h_prev and c_prev (B, H), Wx (D, 4H), Wh (H, 4H), b (4H,). Your `gates`
    may help.
    """
    z = ...
    c = ...
    h = ...
    return h, c


def remembering_bias():
    """Task 3. The bias (4,) with which a cell with one unit remembers a number.

    It has the order i, f, g, o. All weights are zero, so only the biases matter. c is
    1.0 at the start. After 100 steps it must be within 0.01 of that. The output gate
    must be at least 0.9, so that h is at least nine tenths of tanh(c).
    """
    return np.array(...)


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
