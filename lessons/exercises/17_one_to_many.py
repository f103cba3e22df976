"""17. One to many.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/17_one_to_many.py. Leave the one in lessons/exercises blank.

    minilstm exercise 17           make the copy, the first time, and grade it
    minilstm exercise 17 --hint    a hint, when you are stuck
    minilstm exercise 17 --reset   begin again; what you wrote is kept beside it

dX stands for dLoss/dX and has the shape of X. Time is the first axis.
"""

import numpy as np

from minilstm.reference.sequence import lstm_sequence_backward


def teacher_forcing(texts, start, end):
    """Task 1. What the decoder reads and predicts: (inputs, targets, lengths).

    texts : a list of B arrays of ids, one for each text, without start and end.
    start, end : ids.

    A text of n tokens becomes n + 1 inputs, the first of them `start`, and n + 1
    targets, the last of them `end`. inputs and targets are (T, B) integers, where T is
    the longest text plus 1. The columns of shorter texts end with zeros. lengths (B,)
    says how many steps of each column are real.
    """
    lengths = ...
    inputs = np.zeros((lengths.max(), len(texts)), int)
    targets = ...
    for k, text in enumerate(texts):
        ...
    return inputs, targets, lengths


def back_to_the_vector(dh, caches, v, Wx, Wh, W_h, W_c):
    """Task 2. From the decoder back to v: (dv, dW_h, db_h, dW_c, db_c).

    Forward, the vectors v (B, F) made the initial state, h0 = v W_h + b_h and
    c0 = v W_c + b_c, both (B, H). From it the decoder computed h (T, B, H), and each
    h[t] was used by the output layer: that gradient is dh (T, B, H). Nothing has used
    the final state.

    `lstm_sequence_backward(dh, dstate, caches, Wx, Wh)` is that of lesson 5: dstate is
    the gradient of the final state, a pair of (B, H) arrays. It returns
    (dx, (dh0, dc0), (dWx, dWh, db)).
    """
    zeros = ...
    dx, (dh0, dc0), grads = ...
    dv = ...
    return dv, ..., ..., ..., ...


def write(step, h, c, start, end, limit):
    """Task 3. Greedy decoding: the list of ids that the decoder writes.

    `step(id, h, c)` reads one id, and returns (logits, h, c): the logits (V,) of the
    next token, and the new state. The decoder reads `start` first, and then its own
    outputs. Each output is the most likely token. It stops at the end token, which does
    not belong to the list, or when the list has `limit` ids.
    """
    ids, id = [], start
    ...
    return ids


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
