"""A decoder: a language model that begins from given states and may look at a source.

It learns by teacher forcing: it reads the true tokens, and predicts what follows each.

    (1)  inputs  = start, y[0], …, y[n-1]
    (2)  targets = y[0], …, y[n-1], end            n + 1 tokens
    (3)  x = We[inputs]                            (T, B, E)
    (4)  h = the layer through time, of x          (T, B, H); it is the next layer's x;
                                                   layer 0 may have attention to a
    (5)  logits = h W + b                          (T, B, V)

The parameters by name: ``target.embedding.W`` (V, E), We; ``decoder.lstm0.Wx`` … as in
``stack.py``, in one direction; ``decoder.attention.Wc``, ``Wq``, ``Wa``, ``b``, ``v``,
if layer 0 has attention (``attention_lstm.py``); ``output.W`` (H, V), ``output.b``.
Teacher forcing: Williams and Zipser (1989).
"""

from typing import Any, NamedTuple

import numpy as np

from minilstm.reference.attention_lstm import (
    AttentionLSTMWeights,
    attention_lstm_backward,
    attention_lstm_forward,
)
from minilstm.reference.dense import dense_backward, dense_forward
from minilstm.reference.embedding import embed, embed_backward
from minilstm.reference.padding import clear_padding
from minilstm.reference.stack import named, part, stack_backward, stack_forward

# where the parts of AttentionLSTMWeights are, after "decoder."
ATTENTION = [
    *("lstm0.Wx", "lstm0.Wh", "lstm0.b"),
    *("attention.Wc", "attention.Wq", "attention.Wa", "attention.b", "attention.v"),
]


class DecoderCache(NamedTuple):
    """What backward needs of a forward pass."""

    inputs: np.ndarray  # (T, B)
    a: np.ndarray  # (S, B, A)
    attention: Any  # the cache of a layer 0 with attention, or None
    layers: list[Any]  # a cache for each other layer
    h: np.ndarray  # (T, B, H), what the output layer reads


def teacher_forcing(y: np.ndarray, lengths, start: int, end: int) -> tuple:
    """From ids y (T, B) to inputs and targets (T + 1, B), and lengths n + 1 (B,)."""
    lengths = np.asarray(lengths)
    edge = np.zeros((1, y.shape[1]), int)
    inputs = np.concatenate([edge + start, y])                                 # (1)
    targets = np.concatenate([y, edge])
    targets[lengths, np.arange(y.shape[1])] = end                              # (2)
    return inputs, targets, lengths + 1


def attention_layer(params) -> tuple[AttentionLSTMWeights | None, dict]:
    """Layer 0's weights, if it has attention, and the parameters of the other layers."""
    W = part(params, "decoder.")
    if "attention.Wq" not in W:
        return None, W
    others = {name: W[name] for name in W if name not in ATTENTION}
    return AttentionLSTMWeights(*(W[name] for name in ATTENTION)), others


def decode(params, inputs, states, a, source_lengths, lengths=None):
    """From ids (T, B), the initial state of each layer and annotations a (S, B, A) to
    logits (T, B, V), the final state of each layer, and a cache.
    """
    attending, others = attention_layer(params)
    finals, attended = [], None
    inputs = clear_padding(inputs, lengths)
    x = embed(params["target.embedding.W"], inputs)                            # (3)
    if attending is not None:
        x, final, attended = attention_lstm_forward(                           # (4)
            x, a, states[0], attending, source_lengths, lengths
        )
        finals, states = [final], states[1:]
    h, upper, caches = stack_forward(others, x, lengths, states)               # (4)
    logits = dense_forward(h, params["output.W"], params["output.b"])          # (5)
    return logits, [*finals, *upper], DecoderCache(inputs, a, attended, caches, h)


def decode_backward(params, dlogits, cache: DecoderCache):
    """From dlogits (T, B, V) to the decoder's gradients by name, the gradients of the
    initial states, and da (S, B, A).
    """
    inputs, a, attended, caches, h = cache
    attending, others = attention_layer(params)
    dh, dW, db = dense_backward(dlogits, h, params["output.W"])                # (5)
    dx, dstates, grads = stack_backward(others, dh, caches)                    # (4)
    da = np.zeros_like(a)
    if attending is not None:
        zeros = (np.zeros_like(attended.steps[0].lstm.h_prev),) * 2  # (B, H) each
        dx, dstate, (da, *dW0) = attention_lstm_backward(                      # (4)
            dx, zeros, attended, attending
        )
        dstates.insert(0, dstate)
        grads |= zip(ATTENTION, dW0)
    V = len(params["target.embedding.W"])
    dWe = embed_backward(dx, inputs, V)                                        # (3)
    own = {"target.embedding.W": dWe, "output.W": dW, "output.b": db}
    return named("decoder.", grads) | own, dstates, da
