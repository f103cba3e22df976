"""16. Many to one.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/16_many_to_one.py. Leave the one in lessons/exercises blank.

    minilstm exercise 16           make the copy, the first time, and grade it
    minilstm exercise 16 --hint    a hint, when you are stuck
    minilstm exercise 16 --reset   begin again; what you wrote is kept beside it

Time is the first axis: h is (T, B, H). Sequence b has lengths[b] real steps, from 0 to
lengths[b] - 1. What stands at the padding after them may be any number, even nan.
"""

import numpy as np

from minilstm.reference.functions import log_sum_exp, softmax


def pool(h, lengths, kind):
    """Task 1. One vector for each sequence, (B, H), from its real steps alone.

    kind : "last", the hidden state at the last real step; "mean", the mean over the
        real steps; "max", the maximum over the real steps, for each unit on its own.

    0 times nan is nan, so a weight of 0 does not remove the padding. `np.where(real,
    h, z)` takes h where real is True, and z elsewhere.
    """
    T, B, H = h.shape
    real = ...  # (T, B, 1), True at the real steps
    if kind == "last":
        return ...
    if kind == "mean":
        return ...
    return ...


def loss_and_gradients(h, lengths, labels, W, b):
    """Task 2. From the last real step to a loss, and back: (loss, dh, dW, db).

    The logits of each sequence are y W + b, where y (B, H) is h at its last real step.
    W is (H, C), b (C,), labels (B,). The loss is the mean cross-entropy over the
    sequences, in nats. dh is (T, B, H), as h.

    `log_sum_exp(a)` is (B, 1) for logits a (B, C), and `softmax(a)` is (B, C).
    """
    T, B, H = h.shape
    y = ...
    a = ...                             # (B, C)
    loss = ...
    da = ...                            # (B, C)
    dh = np.zeros_like(h)
    ...
    return loss, dh, ..., ...


def both_directions(forward, backward, x, lengths):
    """Task 3. A bidirectional layer: (h, final), (T, B, 2H) and (B, 2H).

    forward(x) and backward(x) are two recurrent layers, each with its own weights. Both
    read x (T, B, D) from step 0 to step T - 1, beginning with a zero state, and return
    their hidden states (T, B, H). They know nothing of lengths.

    The reverse direction uses `backward`. It reads each sequence from its own last real
    step to its first. In h, the two directions stand side by side: at each real step t,
    both have read x[t]. At the padding, h may be anything. `final` has the hidden
    state of each direction after all that it has read.
    """
    T, B, D = x.shape
    h_forward = ...
    h_reverse = ...
    h = np.concatenate([h_forward, h_reverse], axis=2)
    final = ...
    return h, final


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
