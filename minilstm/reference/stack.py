"""Recurrent layers on top of each other, each in one direction or in both.

    (1)  h = the layer through time, of x          h is the next layer's x

The parameters of layer k are ``lstm0.Wx``, ``lstm0.Wh``, ``lstm0.b`` (or gru0, rnn0),
as in ``language_model.py``. A bidirectional layer also has those of its reverse
direction, ``lstm0_reverse.Wx`` and so on. Then h is twice as wide as each direction.

Shapes: x (T, B, D), h (T, B, width), the arrays of a state (B, width), lengths (B,).
"""

from typing import Any

import numpy as np

from minilstm.reference.bidirectional import (
    bidirectional_backward,
    bidirectional_forward,
    join_states,
)
from minilstm.reference.language_model import recurrent_layers
from minilstm.reference.padding import clear_padding
from minilstm.reference.sequence import sequence_backward, sequence_forward


def part(params, prefix: str) -> dict[str, np.ndarray]:
    """The parameters whose names begin with a prefix, by the rest of their names."""
    found = {name: W for name, W in params.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): W for name, W in found.items()}


def named(prefix: str, grads) -> dict[str, np.ndarray]:
    """Gradients by name, with the prefix put before each name again."""
    return {prefix + name: g for name, g in grads.items()}


def layers(params, B: int):
    """The layers from the bottom up. Of each: step, step backward, weights by name, the
    reverse direction's weights (or None), and a state of zeros, arrays (B, width).
    """
    forward = {name: W for name, W in params.items() if "_reverse." not in name}
    turned = {name: W for name, W in params.items() if "_reverse." in name}
    turned = {name.replace("_reverse", ""): W for name, W in turned.items()}
    reverse = {name: W for name, _, _, W, _ in recurrent_layers(turned, B)}
    for name, step, step_backward, W, zeros in recurrent_layers(forward, B):
        if name in reverse:
            zeros = join_states(zeros, zeros)
        yield step, step_backward, W, reverse.get(name), zeros


def zero_states(params, B: int) -> list[tuple]:
    """A state of zeros for each layer."""
    return [zeros for *_, zeros in layers(params, B)]


def stack_forward(params, x: np.ndarray, lengths=None, states=None) -> tuple:
    """From x (T, B, D) to the top layer's h, the final state of each layer, a cache.

    ``states``: the initial state of each layer (default: zeros).
    """
    states = zero_states(params, x.shape[1]) if states is None else states
    finals: list[tuple] = []
    caches: list[Any] = []
    x = clear_padding(x, lengths)
    for (step, _, W, Wr, _), state in zip(layers(params, x.shape[1]), states):
        weights = W.values()
        if Wr is None:
            x, *kept = sequence_forward(                                       # (1)
                step, x, state, *weights, lengths=lengths
            )
        else:
            x, *kept = bidirectional_forward(                                  # (1)
                step, x, state, weights, Wr.values(), lengths
            )
        finals.append(kept[0])
        caches.append(kept[1])
    return x, finals, caches


def stack_backward(params, dh: np.ndarray, caches: list, dstates=None) -> tuple:
    """From dh (T, B, width) and the gradients of the final states (default: zeros) to
    dx (T, B, D), the gradients of the initial states, and those of the weights by name.
    """
    each = [*layers(params, dh.shape[1])]
    dstates = zero_states(params, dh.shape[1]) if dstates is None else dstates
    grads: dict[str, np.ndarray] = {}
    initial: list[tuple] = []
    for layer, cache, dstate in zip(each[::-1], caches[::-1], dstates[::-1]):
        _, back, W, Wr, _ = layer
        Wx, Wh, *_ = W.values()
        if Wr is None:
            dh, dstate, dW = sequence_backward(back, dh, dstate, cache, Wx, Wh)    # (1)
        else:
            dh, dstate, dW, dWr = bidirectional_backward(                      # (1)
                back, dh, dstate, cache, [Wx, Wh], [*Wr.values()]
            )
            grads |= {name.replace(".", "_reverse."): g for name, g in zip(Wr, dWr)}
        grads |= zip(W, dW)
        initial.insert(0, dstate)
    return dh, initial, grads
