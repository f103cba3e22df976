"""Many to one: a class for a sequence; and many to many: a label for each of its steps.

    (1)  x = We[ids], or onehot(ids), or vectors as they are         (T, B, D)
    (2)  h = recurrent layers, of x, each in one direction or both   (T, B, H)
    (3)  y = one vector of each sequence (classifier)                (B, H)
         y = h                           (tagger)                    (T, B, H)
    (4)  logits = y W + b                (B, C) or (T, B, C), for C classes
    (5)  loss = mean of -log softmax(logits)[label], over sequences or over real steps

y in (3) is chosen by ``pool``: "final" is the top layer's final hidden state; "last",
"mean" and "max" are those of ``pooling.py``; None makes a tagger. With one direction
"final" and "last" are the same. With two they differ: at the last step the reverse
direction has read one token only, in its final state it has read all.

The parameters by name: ``embedding.W`` (V, D); the layers as in ``stack.py``;
``output.W`` (H, C), ``output.b`` (C,). Without ``embedding.W`` ids are one-hot. Taggers
in both directions: Graves and Schmidhuber (2005); Huang, Xu and Yu (2015).
"""

from typing import Any, NamedTuple

import numpy as np

from minilstm.reference.dense import dense_backward, dense_forward
from minilstm.reference.embedding import embed, embed_backward, one_hot
from minilstm.reference.loss import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from minilstm.reference.padding import clear_padding
from minilstm.reference.pooling import pool_backward, pool_forward
from minilstm.reference.stack import stack_backward, stack_forward, zero_states


class ClassifierCache(NamedTuple):
    """What backward needs of a forward pass."""

    inputs: np.ndarray  # (T, B) ids or (T, B, D) vectors, zeros at the padding
    layers: list[Any]  # a cache for each recurrent layer
    pool: str | None
    w: Any  # (T, B, ·), the weights of pooling, if there are any
    h: np.ndarray  # (T, B, H)
    y: np.ndarray  # (B, H) or (T, B, H)


def input_vectors(params, inputs: np.ndarray) -> np.ndarray:
    """From ids (T, B) or vectors (T, B, D) to what the first layer reads, (T, B, D)."""
    if inputs.ndim == 3:
        return inputs                                                          # (1)
    if "embedding.W" in params:
        return embed(params["embedding.W"], inputs)                            # (1)
    Wx = next(W for name, W in params.items() if name.endswith(".Wx"))
    return one_hot(inputs, len(Wx), Wx.dtype)                                  # (1)


def forward(params, inputs, lengths, pool: str | None = "final"):
    """From ids (T, B) or vectors (T, B, D) to logits (B, C), or (T, B, C), a cache."""
    inputs = clear_padding(inputs, lengths)
    x = input_vectors(params, inputs)                                          # (1)
    h, finals, caches = stack_forward(params, x, lengths)                      # (2)
    y, w = h, None                                                             # (3)
    if pool == "final":
        y = finals[-1][0]                                                      # (3)
    elif pool is not None:
        y, w = pool_forward(h, lengths, pool)                                  # (3)
    logits = dense_forward(y, params["output.W"], params["output.b"])          # (4)
    return logits, ClassifierCache(inputs, caches, pool, w, h, y)


def backward(params, dlogits, cache: ClassifierCache):
    """From dlogits to all gradients by name, and dx (T, B, D)."""
    inputs, caches, pool, w, h, y = cache
    dy, dW, db = dense_backward(dlogits, y, params["output.W"])                # (4)
    dstates = zero_states(params, inputs.shape[1])
    dh = dy                                                                    # (3)
    if pool == "final":
        dstates[-1] = (dy, *dstates[-1][1:])                                   # (3)
        dh = np.zeros_like(h)
    elif pool is not None:
        dh = pool_backward(dy, w)                                              # (3)
    dx, _, grads = stack_backward(params, dh, caches, dstates)                 # (2)
    if "embedding.W" in params:
        V = len(params["embedding.W"])
        grads["embedding.W"] = embed_backward(dx, inputs, V)                   # (1)
    grads |= {"output.W": dW, "output.b": db}
    return {name: grads[name] for name in params}, dx


def loss_and_gradients(params, inputs, labels, lengths, pool: str | None = "final"):
    """Mean loss in nats, gradients by name, and dx (T, B, D).

    ``labels``: (B,), one for each sequence, or (T, B) for a tagger, ``pool=None``.
    """
    logits, cache = forward(params, inputs, lengths, pool)                     # (1)-(4)
    steps = lengths if pool is None else None  # every sequence counts, or real steps
    loss, loss_cache = softmax_cross_entropy(logits, labels, steps)            # (5)
    dlogits = softmax_cross_entropy_backward(loss_cache)                       # (5)
    grads, dx = backward(params, dlogits, cache)                               # (4)-(1)
    return loss, grads, dx
