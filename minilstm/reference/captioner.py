"""One to many: a language model whose text is about a vector, such as an image's.

    (1)  h0 = v W_h + b_h,  c0 = v W_c + b_c       the initial state of each layer
    (2)  loss = a language model's that begins from these states, by teacher forcing

The bridge (1) is linear, so h0 is not confined to (-1, 1). Xu et al., Show, attend and
tell (2015), section 3.1.2, predict both parts of the state from an image by networks of
their own; Vinyals et al., Show and tell (2015), let the model read the image as its
first input instead. dL/dv comes back by h0 and c0 of every layer.

The parameters by name: for layer k, ``bridge0.W_h`` (F, H), ``bridge0.b_h`` (H,),
``bridge0.W_c``, ``bridge0.b_c`` (a GRU or an RNN has no c); and all of a language
model's, ``language_model.py``. Shapes: v (B, F), y (T, B), lengths (B,).
"""

import numpy as np

from minilstm.reference.decoder import teacher_forcing
from minilstm.reference.dense import dense_backward, dense_forward
from minilstm.reference.language_model import backward, forward
from minilstm.reference.loss import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from minilstm.reference.padding import clear_padding


def bridge_names(params) -> list[list[tuple[str, str]]]:
    """For each layer, the names of W and b of each array of its state."""
    layers = [name.removesuffix(".W_h") for name in params if name.endswith(".W_h")]
    pairs = [[(f"{k}.W_{z}", f"{k}.b_{z}") for z in "hc"] for k in layers]
    return [[pair for pair in layer if pair[0] in params] for layer in pairs]


def bridge_forward(params, v: np.ndarray) -> list[tuple]:
    """From v (B, F) to the initial state of each layer, arrays (B, H)."""
    return [
        tuple(dense_forward(v, params[W], params[b]) for W, b in layer)        # (1)
        for layer in bridge_names(params)
    ]


def bridge_backward(params, dstates: list[tuple], v: np.ndarray) -> tuple:
    """From the gradients of the initial states to dv (B, F), and those by name."""
    dv, grads = np.zeros_like(v), {}
    for layer, dstate in zip(bridge_names(params), dstates):
        for (W, b), dz in zip(layer, dstate):
            dv_z, grads[W], grads[b] = dense_backward(dz, v, params[W])        # (1)
            dv = dv + dv_z  # v is read by every array of every state
    return dv, grads


def loss_and_gradients(params, v, y, lengths, start: int, end: int):
    """Mean loss in nats over the tokens of y and its end, gradients by name, and dv.

    ``v`` (B, F) are vectors, the texts ``y`` (T, B) ids. So are ``start`` and ``end``,
    which are put around y.
    """
    inputs, targets, n = teacher_forcing(y, lengths, start, end)
    inputs = clear_padding(inputs, n)
    own = {name: W for name, W in params.items() if not name.startswith("bridge")}
    states = bridge_forward(params, v)                                         # (1)
    logits, _, cache = forward(own, inputs, n, states)                         # (2)
    loss, loss_cache = softmax_cross_entropy(logits, targets, n)               # (2)
    dlogits = softmax_cross_entropy_backward(loss_cache)                       # (2)
    grads, dstates = backward(own, dlogits, cache)                             # (2)
    dv, bridge = bridge_backward(params, dstates, v)                           # (1)
    grads |= bridge
    return loss, {name: grads[name] for name in params}, dv
