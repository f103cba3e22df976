"""Softmax cross-entropy of CS231n, and the known mistakes in it.

    loss = 1/N Σ_n Σ_t -log p_y(n, t),     dlogits = (p - [v = y]) / N     real tokens

Each token counts alike, whatever the lengths are, but the sum over a sequence is not
divided by its length: the loss grows with it. Stanford CS231n, assignment 3,
``temporal_softmax_loss``. Shapes and names as in ``reference/loss.py``; B is its N.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minilstm.reference.functions import log_sum_exp, softmax
from minilstm.verify.diagnose.variant import Mistake, made_in, variant


def summed_cross_entropy(logits, targets, lengths):
    """The loss, and dlogits (T, B, V)."""
    real = np.arange(len(targets))[:, None] < lengths  # (T, B)
    B = targets.shape[1]
    a, y = logits[real], targets[real]  # (n, V), (n,)
    a_y = a[np.arange(y.size), y][:, None]  # (n, 1)
    loss = np.sum(log_sum_exp(a - a_y)) / B
    p = softmax(a)
    p[np.arange(y.size), y] -= 1
    dlogits = np.zeros(logits.shape)
    dlogits[real] = p / B
    return loss, dlogits


_LOSS, _GRADIENT = "loss = np.sum(log_sum_exp(a - a_y)) / B", "dlogits[real] = p / B"
_SOFTMAX = "np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)"
_REAL = "real = np.arange(len(targets))[:, None] < lengths"
_MEAN = "This loss is a sum over the tokens, divided by the number of sequences."

SUMMED_LOSS: list[Mistake] = made_in(
    summed_cross_entropy,
    ("sum in place of the mean over sequences", _LOSS, _LOSS[:-4], "", _MEAN),
    ("loss divided by the number of tokens", _LOSS, f"{_LOSS[:-1]}y.size", "", _MEAN),
    ("loss divided by tokens and padding", _LOSS, f"{_LOSS[:-1]}real.size", "", _MEAN),
    ("mask not used", _REAL, "real = np.ones(targets.shape, bool)", "",
     "The model is made to predict padding."),
    ("mask not used in the gradient", "dlogits = np.zeros(logits.shape)",
     "dlogits = (softmax(logits) - (np.arange(logits.shape[2]) == targets[..., None]))"
     " / B", "", "Padding has no loss, so its gradient is zero."),
    ("overflow or log(0) at large logits", _LOSS,
     f"loss = -np.sum(np.log(({_SOFTMAX})[np.arange(y.size), y])) / B", "",
     "exp overflows, or a softmax becomes 0 and its log infinite; subtract the largest"
     " logit first, and take the log of the sum."),
    ("log of a softmax that has become 0", _LOSS,
     "loss = -np.sum(np.log(softmax(a)[np.arange(y.size), y])) / B", "",
     "Its log is infinite; subtract the log of the sum of exp instead."),
    ("overflow in the softmax", "p = softmax(a)", f"p = {_SOFTMAX}", "",
     "exp overflows; subtract the largest logit first."),
    ("gradient not divided by the number of sequences", _GRADIENT,
     "dlogits[real] = p", "", _MEAN),
    ("gradient divided by the number of tokens", _GRADIENT,
     "dlogits[real] = p / y.size", "", _MEAN),
    ("gradient divided by tokens and padding", _GRADIENT,
     "dlogits[real] = p / real.size", "", _MEAN),
    ("gradient divided twice", _GRADIENT, "dlogits[real] = p / B**2", "", _MEAN),
    ("target not subtracted", "p[np.arange(y.size), y] -= 1",
     "p[np.arange(y.size), y] -= 0", "", "The gradient is p - y, not p."),
    ("target added", "p[np.arange(y.size), y] -= 1", "p[np.arange(y.size), y] += 1",
     "", "The gradient is p - y, not p + y."),
    ("wrong sign", _GRADIENT, "dlogits[real] = -p / B", "",
     "The gradient is p - y, not y - p, with which the loss would be climbed."),
)  # fmt: skip


def summed_loss_with(made) -> Callable:
    """The loss with these mistakes."""
    return variant(summed_cross_entropy, made)
