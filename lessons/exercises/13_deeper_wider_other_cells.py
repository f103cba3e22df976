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
    """Task 1. The number of parameters of a language model.

    cell : "rnn", "gru" or "lstm". A GRU has two biases for each gate, the others one.
    layers : how many layers are stacked, each H wide.
    V : the size of the vocabulary.
    E : the width of the embedding, a table (V, E). None: the input is one-hot.

    The output layer on top computes V logits from H numbers, each with a bias.
    """
    total = ...
    ...
    return total


def gru_step(x, h_prev, Wx, Wh, bx, bh):
    """Task 2. One step of a GRU for a mini-batch: h (B, H), by equations (1) to (5).

    x (B, D), h_prev (B, H). Wx (D, 3H), Wh (H, 3H), bx and bh (3H,), in blocks r, z, n.
    `np.split(a, 3, axis=1)` cuts an array (B, 3H) into its blocks. As in equations (3)
    and (4), the reset gate comes after the product.
    """
    r = ...
    z = ...
    n = ...
    return ...


def gru_step_backward(dh, cache, Wx, Wh):
    """Task 3. The same step backward: (dx, dh_prev, dWx, dWh, dbx, dbh).

    Each gradient has the shape of its variable. dh (B, H) is dLoss/dh. The cache has
    what the step computed: (x, h_prev, r, z, n, q). `da` is the gradient of a
    pre-activation, the sum in a sigmoid or tanh: dar belongs to (1), daz to (2), dan
    to (4).
    """
    x, h_prev, r, z, n, q = cache
    dn = ...                                                    # (5)
    dz = ...                                                    # (5)
    dan = ...                                                   # (4)
    dr = ...                                                    # (4)
    dq = ...                                                    # (4)
    daz = ...                                                   # (2)
    dar = ...                                                   # (1)
    dax = np.concatenate([dar, daz, dan], axis=1)               # (B, 3H), for the sums with x
    dah = ...                                                   # (B, 3H), for the sums with h_prev
    dx = ...
    dh_prev = ...
    return dx, dh_prev, x.T @ dax, h_prev.T @ dah, dax.sum(axis=0), dah.sum(axis=0)


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
