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
        self.layers, self.parameters, self.gradients, self.tied = layers, parameters, parameters.zeros_like(), tied
        self.stack = {name: layer for name, layer in layers.items() if isinstance(layer, Recurrent)}
        self._workspaces = {name: Workspace() for name in layers}

    def forward(self, share: Share) -> tuple[np.ndarray, States, dict[str, Any]]:
        """Hidden states (N, H) of the last layer at the real tokens, the final state, and all caches."""
        caches: dict[str, Any] = {}
        x = share.inputs
        if "embedding" in self.layers:
            x, caches["embedding"] = self.layers["embedding"].forward(self.parameters.layer("embedding"), x)
        finals = []
        for (name, layer), initial in zip(self.stack.items(), share.state):
            x = share.dropped(name, x)
            params, work = self.parameters.layer(name), self._workspaces[name]
            x, final, caches[name] = layer.forward_packed(params, x, initial, share.packing, work)
            finals.append(final)
        return share.dropped("output", x), tuple(finals), caches

    def loss(self, share: Share) -> tuple[float, States]:
        """The share's part of the loss, and the state after it."""
        h, state, _ = self.forward(share)
        output, work = self.output(self.parameters), self._workspaces["output"]
        loss, _ = output_loss(output, h, share.targets, None, work, share.tokens)
        return loss, state

    def loss_and_gradients(self, share: Share) -> tuple[float, States, States]:
        """The share's part of the loss, the state after it, the gradient of the state before it; ``gradients`` is written."""
        p, g = self.parameters, self.gradients
        h, state, caches = self.forward(share)
        loss, dh = output_loss(
            self.output(p), h, share.targets, self.output(g), self._workspaces["output"], share.tokens
        )
        dh = share.dropped("output", dh)
        dstates: list[State] = []
        for name, layer in reversed(self.stack.items()):
            no_dstate = layer.zero_state(share.packing.B, h.dtype)
            dh, dstate, _ = layer.backward_packed(p.layer(name), dh, no_dstate, caches[name], g.layer(name))
            dh = share.dropped(name, dh)
            dstates.insert(0, dstate)
        if "embedding" in self.layers:
            table, cache = p.layer("embedding"), caches["embedding"]
            self.layers["embedding"].backward(table, dh, cache, g.layer("embedding"), add=self.tied)
        return loss, state, tuple(dstates)

    def output(self, vector: ParameterVector) -> dict[str, np.ndarray]:
        """W (H, V) and b (V,) of the output layer, or their gradients; a tied W is a view of the embedding's table."""
        tied = {"W": vector["embedding.W"].T} if self.tied else {}
        return {**tied, **vector.layer("output")}
