"""8. Softmax and cross-entropy.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/08_softmax_and_cross_entropy.py. Leave the one in lessons/exercises blank.

    minilstm exercise 8           make the copy, the first time, and grade it
    minilstm exercise 8 --hint    a hint, when you are stuck
    minilstm exercise 8 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def log_sum_exp(a):
    """Task 1. log Σ exp(a) over the last axis of a (…, V), which is kept with length 1: (…, 1). Equation (3).

    Scores of 1000 and of -1000 come up, in different rows of one array.
    """
    m = ...
    return ...


def loss_and_gradient(a, y):
    """Task 2. Logits a (N, V) and targets y (N,) to the loss of each token, (N,), and its gradient, (N, V).

    Equations (1) and (2), each token for itself: no mean yet. The target may be thousands below the best. Your `log_sum_exp`
    may help.
    """
    losses = ...
    da = ...
    return losses, da


def batch_loss(logits, targets, lengths):
    """Task 3. The loss of a padded batch, a number, and its gradient dlogits (T, B, V).

    logits (T, B, V), targets (T, B); of sequence b the first lengths[b] steps are real. The loss is the mean over all real
    tokens of the batch. Any id may be a real target, 0 too.
    """
    real = ...
    loss = ...
    dlogits = ...
    return loss, dlogits


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
