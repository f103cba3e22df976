"""Many to many: an encoder reads a source, and a decoder writes a target.

    (1)  x = We[source]                            (S, B, E)
    (2)  a, states = recurrent layers, of x        the top layer's outputs (S, B, A),
                                                   and the final state of each layer
    (3)  logits = the decoder, which begins from these states, layer by layer, and may
         look at a by attention                    ``decoder.py``
    (4)  loss = mean of -log softmax(logits)[target]    over the target's real tokens

The encoder's layers are as wide as the decoder's; a bidirectional one has directions of
half that width. Its gradients arrive by the decoder's initial states, h and c of every
layer, and by a.

With ``reverse_source`` the encoder reads the source last token first, so that the first
words of source and target are near each other; a is still in the source's own order.

Cho et al. (2014); Sutskever, Vinyals and Le, Sequence to sequence learning with neural
networks (2014), who reverse the source; attention: Bahdanau, Cho and Bengio (2015).
The parameters by name: ``source.embedding.W`` (V, E), We; ``encoder.lstm0.Wx`` …,
``encoder.lstm0_reverse.Wx`` … as in ``stack.py``; the decoder's as in ``decoder.py``.
"""

from typing import Any, NamedTuple

import numpy as np

from minilstm.reference.attention_lstm import attention_weights
from minilstm.reference.bidirectional import reverse
from minilstm.reference.decoder import decode, decode_backward, teacher_forcing
from minilstm.reference.embedding import embed, embed_backward
from minilstm.reference.loss import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from minilstm.reference.padding import clear_padding
from minilstm.reference.stack import named, part, stack_backward, stack_forward


class EncoderCache(NamedTuple):
    """What backward needs of a forward pass."""

    read: np.ndarray  # (S, B), the source's ids in the order in which they were read
    lengths: np.ndarray  # (B,)
    layers: list[Any]  # a cache for each recurrent layer
    reverse_source: bool


def encode(params, source, lengths, reverse_source=False):
    """From ids (S, B) to a (S, B, A), the final state of each layer, and a cache."""
    read = clear_padding(source, lengths)
    if reverse_source:
        read = reverse(read, lengths)
    x = embed(params["source.embedding.W"], read)                              # (1)
    a, states, caches = stack_forward(part(params, "encoder."), x, lengths)    # (2)
    if reverse_source:
        a = reverse(a, lengths)  # a[s] belongs to source[s]
    return a, states, EncoderCache(read, lengths, caches, reverse_source)


def encode_backward(params, da, dstates, cache: EncoderCache):
    """From da (S, B, A) and the gradients of the final states to those by name."""
    read, lengths, caches, reverse_source = cache
    if reverse_source:
        da = reverse(da, lengths)
    layers = part(params, "encoder.")
    dx, _, grads = stack_backward(layers, da, caches, dstates)                 # (2)
    dWe = embed_backward(dx, read, len(params["source.embedding.W"]))          # (1)
    return {"source.embedding.W": dWe} | named("encoder.", grads)


def loss_and_gradients(
    params, source, source_lengths, y, lengths, start, end, reverse_source=False
):
    """Mean loss in nats over the target's tokens and its end, and gradients by name.

    ``source`` (S, B) and the target ``y`` (T, B) are ids. So are ``start`` and ``end``,
    which are put around y.
    """
    inputs, targets, n = teacher_forcing(y, lengths, start, end)
    a, states, encoder = encode(params, source, source_lengths, reverse_source)  # (2)
    logits, _, decoder = decode(params, inputs, states, a, source_lengths, n)  # (3)
    loss, loss_cache = softmax_cross_entropy(logits, targets, n)               # (4)
    dlogits = softmax_cross_entropy_backward(loss_cache)                       # (4)
    grads, dstates, da = decode_backward(params, dlogits, decoder)             # (3)
    grads |= encode_backward(params, da, dstates, encoder)                     # (2)
    return loss, {name: grads[name] for name in params}


def greedy(
    params, source, lengths, start, end, limit: int, reverse_source=False
) -> tuple[np.ndarray, np.ndarray | None]:
    """Ids (at most ``limit``, B), always the most likely token, and attention's weights
    (T, B, S), or None without attention.

    After ``end`` a text is all ``end``, with weights 0. When all have ended, it stops.
    """
    a, states, _ = encode(params, source, lengths, reverse_source)
    ids, ended = np.full(source.shape[1], start), np.zeros(source.shape[1], bool)
    written: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    while len(written) < limit and not ended.all():
        logits, states, cache = decode(params, ids[None], states, a, lengths)  # T = 1
        ids = np.where(ended, end, logits[0].real.argmax(axis=1))  # (B,)
        if cache.attention is not None:
            p = attention_weights(cache.attention)[0]  # (B, S)
            weights.append(np.where(ended[:, None], 0, p))
        written.append(ids)
        ended = ended | (ids == end)
    return np.stack(written), np.stack(weights) if weights else None
