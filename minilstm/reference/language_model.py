"""A language model: from ids to the loss of predicting the next id, and back.

    (1)  x = We[ids], or onehot(ids)               embedding; (T, B, D)
    (2)  h = the cell through time, of m ⊙ x       (T, B, H); it is the next layer's x
    (3)  a = (m ⊙ h) W + b                         logits; (T, B, V)
    (4)  loss = mean of -log softmax(a)[target]    over the N real tokens

A model is its parameters, arrays by name, in this order: ``embedding.W`` (V, E), We;
for each layer ``lstm0.Wx``, ``lstm0.Wh``, ``lstm0.b``, ``lstm1.Wx`` … (or gru0, rnn0);
``output.W`` (H, V), ``output.b`` (V,). Without ``embedding.W`` the input is one-hot.
Without ``output.W`` the output layer is tied, W = Weᵀ (Press and Wolf 2017).
m is the dropout mask of the layer that reads x or h, if it has one (``dropout.py``).
"""

from typing import Any, NamedTuple

import numpy as np

from minilstm.reference.embedding import embed, embed_backward, one_hot
from minilstm.reference.gru import gru_step, gru_step_backward
from minilstm.reference.loss import softmax_cross_entropy, softmax_cross_entropy_backward
from minilstm.reference.lstm import lstm_step, lstm_step_backward
from minilstm.reference.optimizers import adam_step, clip_by_norm
from minilstm.reference.rnn import rnn_step, rnn_step_backward
from minilstm.reference.sequence import sequence_backward, sequence_forward

# a cell: its step, the step backward, and the number of arrays in its state
CELLS = {
    "lstm": (lstm_step, lstm_step_backward, 2),
    "gru": (gru_step, gru_step_backward, 1),
    "rnn": (rnn_step, rnn_step_backward, 1),
}


class ModelCache(NamedTuple):
    """What backward needs of a forward pass."""

    inputs: np.ndarray  # (T, B)
    masks: dict[str, np.ndarray]
    layers: list[Any]  # a cache for each recurrent layer
    h: np.ndarray  # (T, B, H), what the output layer reads


def recurrent_layers(params, B: int):
    """The recurrent layers from the bottom up. Of each: name, step, step backward,
    weights by name (Wx, Wh, biases), and a state of zeros, arrays (B, H).
    """
    for name in [key.removesuffix(".Wh") for key in params if key.endswith(".Wh")]:
        step, step_backward, parts = CELLS[name.rstrip("0123456789")]
        weights = {key: W for key, W in params.items() if key.startswith(f"{name}.")}
        H, dtype = len(params[f"{name}.Wh"]), params[f"{name}.Wh"].dtype
        yield name, step, step_backward, weights, (np.zeros((B, H), dtype),) * parts


def output_matrix(params) -> np.ndarray:
    """W (H, V) of the output layer."""
    return params["output.W"] if "output.W" in params else params["embedding.W"].T


def forward(params, inputs, lengths=None, state=None, masks=None):
    """From ids (T, B) to logits (T, B, V), the final state of each layer, and a cache.

    ``state``: the initial state of each layer (default: zeros). ``masks``: (T, B, ·).
    """
    We, b, masks = params.get("embedding.W"), params["output.b"], masks or {}
    finals: list[tuple] = []
    caches = []
    x = one_hot(inputs, b.size, b.dtype) if We is None else embed(We, inputs)  # (1)
    for name, step, _, W, zeros in recurrent_layers(params, inputs.shape[1]):
        x = x * masks.get(name, 1)                                             # (2)
        start = zeros if state is None else state[len(finals)]
        x, final, cache = sequence_forward(step, x, start, *W.values(), lengths=lengths)
        finals.append(final)
        caches.append(cache)
    h = x * masks.get("output", 1)                                             # (3)
    logits = h @ output_matrix(params) + b                                     # (3)
    return logits, finals, ModelCache(inputs, masks, caches, h)


def backward(params, dlogits, cache: ModelCache):
    """From dlogits (T, B, V) to all gradients by name, and the initial state's."""
    inputs, masks, caches, h = cache
    grads = {"output.W": np.einsum("tbh,tbv->hv", h, dlogits)}                 # (3)
    grads["output.b"] = dlogits.sum(axis=(0, 1))                               # (3)
    dx = dlogits @ output_matrix(params).T * masks.get("output", 1)            # (3)
    layers = [*recurrent_layers(params, inputs.shape[1])]
    dstates: list[tuple] = []
    for layer, layer_cache in zip(reversed(layers), reversed(caches)):
        name, _, back, W, zeros = layer
        Wx, Wh, *_ = W.values()
        dx, dstate, dW = sequence_backward(back, dx, zeros, layer_cache, Wx, Wh)  # (2)
        dx = dx * masks.get(name, 1)                                           # (2)
        grads.update(zip(W, dW))  # the names of the weights, and their gradients
        dstates.insert(0, dstate)
    if "embedding.W" in params:
        grads["embedding.W"] = embed_backward(dx, inputs, dlogits.shape[-1])   # (1)
    if "output.W" not in params:  # tied: We is used twice, so its gradients add up
        grads["embedding.W"] += grads["output.W"].T
    return {name: grads[name] for name in params}, dstates


def loss_and_gradients(params, inputs, targets, lengths=None, state=None, masks=None):
    """Mean loss in nats, gradients by name, final state, gradient of the initial."""
    logits, final, cache = forward(params, inputs, lengths, state, masks)      # (1)-(3)
    loss, loss_cache = softmax_cross_entropy(logits, targets, lengths)         # (4)
    dlogits = softmax_cross_entropy_backward(loss_cache)                       # (4)
    grads, dstate = backward(params, dlogits, cache)                           # (3)-(1)
    return loss, grads, final, dstate


def train_step(params, adam, inputs, targets, lengths=None, rate=0.001, max_norm=1.0):
    """One step: loss, new parameters and states; ``adam``: an AdamState for each name."""
    loss, grads, _, _ = loss_and_gradients(params, inputs, targets, lengths)
    grads = clip_by_norm(grads, max_norm)
    steps = {k: adam_step(params[k], g, adam[k], rate) for k, g in grads.items()}
    params = {name: theta for name, (theta, _) in steps.items()}
    return loss, params, {name: state for name, (_, state) in steps.items()}
