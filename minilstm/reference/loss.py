"""Softmax cross-entropy, the mean over real tokens.

For a token with logits a (V,) and target y:

    (1)  loss = -log p_y = log Σ_v exp(a_v - a_y),    p = softmax(a)           nats
    (2)  da_v = p_v - [v = y]                         1 where v is y, else 0

The loss of a mini-batch is the mean of (1) over its N real tokens, so the gradient (2)
of each token is divided by N. Padding takes part in neither.
Shapes: logits (T, B, V), targets (T, B) integers, lengths (B,); without lengths, logits
(…, V) and targets (…).
"""

from typing import NamedTuple

import numpy as np

from minilstm.reference.functions import log_sum_exp, softmax


class CrossEntropyCache(NamedTuple):
    """What backward needs of the loss."""

    p: np.ndarray  # (N, V), probabilities at the real tokens
    y: np.ndarray  # (N,), their targets
    real: np.ndarray  # (…), True where a token is real


def softmax_cross_entropy(logits, targets, lengths=None):
    """Mean loss in nats over the real tokens, and a cache. Default: all are real."""
    real = np.ones(targets.shape, bool)
    if lengths is not None:
        real = np.arange(len(targets))[:, None] < lengths  # (T, B)
    a, y = logits[real], targets[real]  # (N, V), (N,)
    a_y = a[np.arange(y.size), y][:, None]  # (N, 1)
    loss = np.mean(log_sum_exp(a - a_y))                                       # (1)
    return loss, CrossEntropyCache(softmax(a), y, real)


def softmax_cross_entropy_backward(cache: CrossEntropyCache, dloss=1.0) -> np.ndarray:
    """dlogits (…, V), zeros at the padding."""
    p, y, real = cache
    da = p.copy()  # (N, V)
    da[np.arange(y.size), y] -= 1                                              # (2)
    dlogits = np.zeros((*real.shape, p.shape[1]), p.dtype)
    dlogits[real] = da * (dloss / y.size)
    return dlogits
