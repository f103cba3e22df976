"""8. Softmax and cross-entropy.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/08_softmax_and_cross_entropy.py. Leave the one in lessons/exercises blank.

    minilstm exercise 8           make the copy, the first time, and grade it
    minilstm exercise 8 --hint    a hint, when you are stuck
    minilstm exercise 8 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def log_sum_exp(a):
    """Task 1. log Σ exp(a) over the last axis, equation (3): from a (…, V) to (…, 1).

    Different rows of one array may have scores of 1000 and of -1000.
    """
    m = ...
    return ...


def loss_and_gradient(a, y):
    """Task 2. The loss of each token, (N,), and its gradient, (N, V).

    a (N, V) are the logits, y (N,) the targets. Equations (1) and (2), for each token
    alone: no mean yet. The target's score may be thousands below the largest. Your
    `log_sum_exp` may help.
    """
    losses = ...
    da = ...
    return losses, da


def batch_loss(logits, targets, lengths):
    """Task 3. The loss of a padded mini-batch, a number, and its gradient (T, B, V).

    logits (T, B, V), targets (T, B). The first lengths[b] time steps of sequence b are
    real. The loss is the mean over all real tokens of the mini-batch. Any id may be a
    real target, also 0.
    """
    real = ...
    loss = ...
    dlogits = ...
    return loss, dlogits


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
