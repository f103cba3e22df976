"""Output layer and softmax cross-entropy in one, compiled; the mean over real tokens.

For a token with logits a = h W + b (V,) and target y:

    (1)  loss = -log p_y = log Σ_v exp(a_v - a_y),    p = softmax(a)        nats
    (2)  da_v = p_v - [v = y]

The loss of a mini-batch is the mean of (1) over its N real tokens, so the gradient (2) of
each token is divided by N. Padding takes part in neither. Bits are nats / ln 2.
Perplexity is exp(mean loss). ``minilstm/reference/loss.py`` is the reference
implementation.

Letters: N real tokens, V vocabulary, H hidden width.
"""

from __future__ import annotations

import math

import numpy as np

from minilstm import kernels
from minilstm.checks import check_array, check_ids
from minilstm.errors import InputError
from minilstm.layers.recurrent import Grads, Params
from minilstm.layers.workspace import Workspace

CHUNK = 4_000_000  # most logits at a time: 400 rows for a vocabulary of 10,000


def bits(nats: float) -> float:
    """Nats to bits.

    >>> round(bits(math.log(8)), 12)
    3.0
    """
    return nats / math.log(2)


def perplexity(nats: float) -> float:
    """Perplexity, exp(mean loss): the effective number of equally likely tokens.

    It is inf if it would overflow.

    >>> round(perplexity(math.log(8)), 12)
    8.0
    """
    return math.exp(nats) if nats < 700 else math.inf


def output_loss(
    params: Params,
    h: np.ndarray,
    targets: np.ndarray,
    grads: Grads | None = None,
    workspace: Workspace | None = None,
    tokens: int | None = None,
) -> tuple[float, np.ndarray | None]:
    """Output layer and loss in one: a = h W + b, then the mean of (1), and the gradients.

    The logits of all tokens would be the largest array of the model. They are therefore
    computed in chunks, and each chunk becomes its loss and gradient before the next.

    Parameters
    ----------
    params : dict of arrays
        {"W": (H, V), "b": (V,)}, of one dtype, float or complex.
    h : (N, H) array
        Hidden states at the real tokens.
    targets : (N,) integers
        Ids in [0, V).
    grads : dict of arrays, optional
        Arrays to write the gradients of the parameters to. Default: only the loss.
    workspace : Workspace, optional
        Keeps the buffers, dh too, for the next call. Each thread needs its own. Default:
        new buffers.
    tokens : int, optional
        Number of tokens of the mean, if these N are only a shard of them. Default: N.

    Returns
    -------
    loss : float
        What these tokens add to the mean, in nats; complex for complex parameters.
    dh : (N, H) array
        dL/dh, or None without ``grads``.

    Raises
    ------
    InputError
        If an id, a shape or a dtype does not fit, or if there are no tokens.
    InUseError
        If another thread is using the workspace.
    """
    W, b = params["W"], params["b"]
    V = b.size
    check_array("h", h, (None, W.shape[0]), W.dtype, "(N, H)")
    targets = check_ids("targets", targets, V)
    N = targets.size
    if h.shape[0] != N or N == 0:
        raise InputError(
            f"h has {h.shape[0]} rows for {N} targets;"
            " there must be one for each, and at least one"
        )
    work = Workspace() if workspace is None else workspace
    with work:
        losses = work.empty("losses", (N,), W.dtype)
        partials = work.empty("partials", (kernels.softmax.ACCUMULATORS,), W.dtype)
        dh = None
        if grads is not None:
            dh = work.empty("dh", h.shape, W.dtype)
            grads["b"][...] = 0
        chunks = -(-N // max(1, CHUNK // V))
        rows = -(-N // chunks)  # even chunks: products with a small rest would be slow
        tokens = N if tokens is None else tokens
        scale = W.dtype.type(1 / tokens)
        for start in range(0, N, rows):
            chunk = slice(start, min(start + rows, N))
            h_chunk, y = h[chunk], targets[chunk]
            a = work.empty("logits", (y.size, V), W.dtype)  # (n, V)
            np.matmul(h_chunk, W, out=a)
            if grads is None or dh is None:
                kernels.softmax.softmax_cross_entropy(
                    y, b, a, partials, losses[chunk]
                )                                                              # (1)
                continue
            kernels.softmax.softmax_cross_entropy_backward(
                y, b, scale, a, partials, losses[chunk], grads["b"]
            )                                                                  # (1), (2)
            np.matmul(a, W.T, out=dh[chunk])  # a is now da
            if start == 0:
                np.matmul(h_chunk.T, a, out=grads["W"])
            else:
                dW = _empty_like(grads["W"], "dW", work)
                grads["W"] += np.matmul(h_chunk.T, a, out=dW)
        total = losses.sum(dtype=np.result_type(losses.dtype, np.float64))
        return (total / tokens).item(), dh


def _empty_like(array: np.ndarray, name: str, work: Workspace) -> np.ndarray:
    """A buffer of the same shape and memory order: a tied W has contiguous columns."""
    if array.flags.f_contiguous and not array.flags.c_contiguous:
        return work.empty(name, array.T.shape, array.dtype).T
    return work.empty(name, array.shape, array.dtype)
