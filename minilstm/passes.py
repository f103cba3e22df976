"""One way through the layers, forward and back, with work arrays and a gradient of its own.

    ids (N,) → x (N, E) or one-hot → h (N, H) … h (N, H) → logits (N, V) → loss

A model has one pass for every thread. A pass is given a share of a batch (``shares.py``), which may be the whole of it, and
reads the parameters, which all passes have in common. Its loss and its gradient are those of its share in the mean over the
tokens of the whole batch: the passes' losses and gradients add up to those of the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilstm.layers import Recurrent, State, Workspace
from minilstm.losses import output_loss
from minilstm.params import ParameterVector
from minilstm.shares import Share, States


class Pass:
    """Through these layers, in the order in which the data takes, with these parameters."""

    def __init__(self, layers: dict[str, Any], parameters: ParameterVector, tied: bool):
        self.layers, self.gradients = layers, parameters.zeros_like()
        self.stack = {name: layer for name, layer in layers.items() if isinstance(layer, Recurrent)}
        self._params, self._grads = (_by_layer(layers, vector, tied) for vector in (parameters, self.gradients))
        self._workspaces = {name: Workspace() for name in layers}
        self._tied = tied

    def forward(self, share: Share) -> tuple[np.ndarray, States, dict[str, Any]]:
        """Hidden states (N, H) of the last layer at the real tokens, the final state, and all caches."""
        caches: dict[str, Any] = {}
        x = share.inputs
        if "embedding" in self.layers:
            x, caches["embedding"] = self.layers["embedding"].forward(self._params["embedding"], x)
        finals = []
        for (name, layer), initial in zip(self.stack.items(), share.state):
            x = share.dropped(name, x)
            params, work = self._params[name], self._workspaces[name]
            x, final, caches[name] = layer.forward_packed(params, x, initial, share.packing, work)
            finals.append(final)
        return share.dropped("output", x), tuple(finals), caches

    def logits(self, share: Share) -> tuple[np.ndarray, States]:
        """Logits (N, V) of all real tokens, and the state after them."""
        h, state, _ = self.forward(share)
        return self.layers["output"].forward(self._params["output"], h)[0], state

    def loss(self, share: Share) -> tuple[float, States]:
        """The share's part of the loss, and the state after it."""
        h, state, _ = self.forward(share)
        work = self._workspaces["output"]
        loss, _ = output_loss(self._params["output"], h, share.targets, None, work, share.tokens)
        return loss, state

    def loss_and_gradients(self, share: Share) -> tuple[float, States, States]:
        """The share's part of the loss, the state after it, the gradient of the state before it; ``gradients`` is written."""
        params, grads = self._params, self._grads
        h, state, caches = self.forward(share)
        loss, dh = output_loss(
            params["output"], h, share.targets, grads["output"], self._workspaces["output"], share.tokens
        )
        dh = share.dropped("output", dh)
        dstates: list[State] = []
        for name, layer in reversed(self.stack.items()):
            no_dstate = layer.zero_state(share.packing.B, h.dtype)
            dh, dstate, _ = layer.backward_packed(params[name], dh, no_dstate, caches[name], grads[name])
            dh = share.dropped(name, dh)
            dstates.insert(0, dstate)
        if "embedding" in self.layers:
            add = self._tied  # the output layer has written its share of the table's gradient before
            self.layers["embedding"].backward(params["embedding"], dh, caches["embedding"], grads["embedding"], add=add)
        return loss, state, tuple(dstates)


def _by_layer(layers: dict[str, Any], vector: ParameterVector, tied: bool) -> dict[str, dict[str, np.ndarray]]:
    """Views into the vector, by layer; the W (H, V) of a tied output layer is a view of the embedding's table."""
    views = {name: vector.layer(name) for name in layers}
    if tied:
        views["output"] = {"W": vector["embedding.W"].T, **views["output"]}
    return views
