"""8. Softmax and cross-entropy: solutions."""

import numpy as np


def log_sum_exp(a):
    m = a.max(axis=-1, keepdims=True)
    return m + np.log(np.exp(a - m).sum(axis=-1, keepdims=True))


def loss_and_gradient(a, y):
    rows, log_sum = np.arange(len(y)), log_sum_exp(a)
    losses = log_sum[:, 0] - a[rows, y]
    da = np.exp(a - log_sum)  # p
    da[rows, y] -= 1
    return losses, da


def batch_loss(logits, targets, lengths):
    real = np.arange(len(logits))[:, None] < lengths
    losses, da = loss_and_gradient(logits[real], targets[real])
    loss = losses.mean()
    dlogits = np.zeros(logits.shape)
    dlogits[real] = da / len(losses)
    return loss, dlogits
