"""Softmax cross-entropy, the mean over real tokens: by the book, and fused with the output layer.

For a token with logits a (V,) and target y:

    (1)  loss = -log p_y = log Σ_v exp(a_v - a_y),    p = softmax(a)        nats
    (2)  da_v = p_v - [v = y]

The loss of a batch is the mean of (1) over its N real tokens, so that each token's gradient (2) is divided by N, once.
Padding takes part in neither. Bits are nats / ln 2; the perplexity is the exponential of the mean.

Letters: N real tokens, V vocabulary, H hidden width; T, B as everywhere.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.checks import check_array, check_ids, check_lengths
from minilstm.errors import InputError
from minilstm.layers.workspace import Workspace
from minilstm.reference.functions import log_sum_exp, softmax

CHUNK = 4_000_000  # logits held at a time, at most: 400 rows for a vocabulary of 10,000


def bits(nats: float) -> float:
    """Nats to bits.

    >>> round(bits(math.log(8)), 12)
    3.0
    """
    return nats / math.log(2)


def perplexity(nats: float) -> float:
    """Between how many equally likely tokens a model with this mean loss wavers: its exponential, inf where too large.

    >>> round(perplexity(math.log(8)), 12)
    8.0
    """
    return math.exp(nats) if nats < 700 else math.inf


class CrossEntropyCache(NamedTuple):
    """What the gradient needs."""

    p: np.ndarray  # (N, V) probabilities at the real tokens
    targets: np.ndarray  # (N,)
    real: np.ndarray  # (…) True where a token is real


def softmax_cross_entropy(logits, targets, lengths=None) -> tuple[np.generic, CrossEntropyCache]:
    """Mean loss in nats over the real tokens, by the book.

    Parameters
    ----------
    logits : (…, V) of any float or complex dtype.
    targets : (…) integers in [0, V).
    lengths : (B,), with logits (T, B, V): how many steps of each sequence are real; all if left out.
    """
    logits = np.asarray(logits)
    targets = check_ids("targets", targets, logits.shape[-1])
    if targets.shape != logits.shape[:-1]:
        raise InputError(f"targets must have the shape {logits.shape[:-1]}, as the logits have, not {targets.shape}")
    real = np.ones(targets.shape, bool)
    if lengths is not None:
        T, B = targets.shape
        real = np.arange(T)[:, None] < check_lengths(lengths, T, B)  # (T, B)
    if not real.any():
        raise InputError("a loss needs at least one real token; this batch has none")
    a, y = logits[real], targets[real]  # (N, V), (N,)
    a_y = a[np.arange(y.size), y][:, None]  # (N, 1)
    loss = np.mean(log_sum_exp(a - a_y))                                   # (1)
    return loss, CrossEntropyCache(softmax(a), y, real)


def softmax_cross_entropy_backward(cache: CrossEntropyCache, dloss=1.0) -> np.ndarray:
    """dlogits (…, V), zeros at the padding."""
    p, y, real = cache
    da = p.copy()  # (N, V)
    da[np.arange(y.size), y] -= 1                                          # (2)
    dlogits = np.zeros((*real.shape, p.shape[1]), p.dtype)
    dlogits[real] = da * (dloss / y.size)
    return dlogits


def output_loss(params, h, targets, grads=None, workspace: Workspace | None = None, tokens: int | None = None):
    """Output layer and loss in one: a = h W + b, then the mean of (1), compiled.

    The logits of all tokens would be the largest array of the whole model, by far. They are therefore made chunk by chunk,
    and each chunk is turned into its loss and its gradient before the next one takes its place.

    Parameters
    ----------
    params : {"W": (H, V), "b": (V,)}
    h : (N, H) hidden states at the real tokens; targets : (N,) integers in [0, V).
    grads : {"W": …, "b": …}, arrays to write the gradients to; left out, only the loss is computed.
    workspace : where to take the chunk and dh from and find them again; fresh if left out. Each thread needs its own.
    tokens : over how many tokens the mean is taken, when these N are not all of them; N if left out.

    Returns
    -------
    loss : a Python float (complex for complex parameters), in nats: what these tokens add to the mean.
    dh : (N, H), or None without ``grads``.
    """
    W, b = params["W"], params["b"]
    V = b.size
    check_array("h", h, (None, W.shape[0]), W.dtype, "(N, H)")
    targets = check_ids("targets", targets, V)
    N = targets.size
    if h.shape[0] != N or N == 0:
        raise InputError(f"h has {h.shape[0]} rows for {N} targets; there must be one for each, and at least one")
    work = Workspace() if workspace is None else workspace
    with work:
        losses = work.empty("losses", (N,), W.dtype)
        partials = work.empty("partials", (kernels.softmax.ACCUMULATORS,), W.dtype)
        dh = None
        if grads is not None:
            dh = work.empty("dh", h.shape, W.dtype)
            grads["b"][...] = 0
        chunks = -(-N // max(1, CHUNK // V))
        rows = -(-N // chunks)  # chunks as even as can be: products with a small rest would be slow
        tokens = N if tokens is None else tokens
        scale = W.dtype.type(1 / tokens)
        for start in range(0, N, rows):
            chunk = slice(start, min(start + rows, N))
            h_chunk, y = h[chunk], targets[chunk]
            a = np.matmul(h_chunk, W, out=work.empty("logits", (y.size, V), W.dtype))  # (n, V)
            if dh is None:
                kernels.softmax.softmax_cross_entropy(y, b, a, partials, losses[chunk])                          # (1)
                continue
            kernels.softmax.softmax_cross_entropy_backward(y, b, scale, a, partials, losses[chunk], grads["b"])  # (1), (2)
            np.matmul(a, W.T, out=dh[chunk])  # a is now da
            if start == 0:
                np.matmul(h_chunk.T, a, out=grads["W"])
            else:
                grads["W"] += np.matmul(h_chunk.T, a, out=_empty_like(grads["W"], "dW", work))
        total = losses.sum(dtype=np.result_type(losses.dtype, np.float64))
        return (total / tokens).item(), dh


def _empty_like(array: np.ndarray, name: str, work: Workspace) -> np.ndarray:
    """A work array of the same shape, with rows or columns contiguous as there: a tied W has columns."""
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    return work.empty(name, array.T.shape, array.dtype).T if by_columns else work.empty(name, array.shape, array.dtype)
