"""13. Deeper, wider, other cells.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/13_deeper_wider_other_cells.py. Leave the one in lessons/exercises blank.

    minilstm exercise 13           make the copy, the first time, and grade it
    minilstm exercise 13 --hint    a hint, when you are stuck
    minilstm exercise 13 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np

from minilstm.reference.functions import sigmoid


def parameters(cell, layers, H, V, E=None):
    """Task 1. How many parameters a language model has.

    cell is "rnn", "gru" or "lstm"; `layers` of them are stacked, each H wide. V is the size
    of the vocabulary. E is the width of the embedding, a table (V, E); with None the input
    is one-hot. The output layer on top makes V logits from H numbers, with a bias each. A GRU
    has two biases for each gate, the others one.
    """
    total = ...
    ...
    return total


def gru_step(x, h_prev, Wx, Wh, bx, bh):
    """Task 2. One step of a GRU for a batch: h (B, H), by equations (1) to (5), with the reset gate after the product.

    x (B, D), h_prev (B, H), Wx (D, 3H), Wh (H, 3H), bx and bh (3H,), each in blocks r, z, n.
    `np.split(a, 3, axis=1)` cuts an array (B, 3H) into its blocks.
    """
    r = ...
    z = ...
    n = ...
    return ...


def gru_step_backward(dh, cache, Wx, Wh):
    """Task 3. The same step backward: (dx, dh_prev, dWx, dWh, dbx, dbh), each of the shape of what it belongs to.

    dh (B, H) is dLoss/dh. The cache has what the step computed, (x, h_prev, r, z, n, q). `da` stands for the gradient of a sum
    before its sigmoid or tanh: dan is that of the sum in the tanh of (4), dar and daz are those of (1) and (2).
    """
    x, h_prev, r, z, n, q = cache
    dn = ...                                                    # (5)
    dz = ...                                                    # (5)
    dan = ...                                                   # (4)
    dr = ...                                                    # (4)
    dq = ...                                                    # (4)
    daz = ...                                                   # (2)
    dar = ...                                                   # (1)
    dax = np.concatenate([dar, daz, dan], axis=1)               # (B, 3H), what comes to the side of the input
    dah = ...                                                   # (B, 3H), what comes to the side of the past
    dx = ...
    dh_prev = ...
    return dx, dh_prev, x.T @ dax, h_prev.T @ dah, dax.sum(axis=0), dah.sum(axis=0)


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
