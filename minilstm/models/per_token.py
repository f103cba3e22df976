"""One output for each token: forward and backward of language models and taggers.

    ids (N,) → x (N, E) or one-hot → h (N, H) … h (N, H) → logits (N, V) → loss

All arrays have packed rows, the real tokens only (``layers/packing.py``).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from minilstm.layers.losses import output_loss
from minilstm.layers.stack import Stack, StackCache, States, dropout
from minilstm.parallel.replica import Replica
from minilstm.parallel.shards import Shard


class PerTokenCache(NamedTuple):
    """What backward needs."""

    embedding: Any
    stack: StackCache


class PerTokenReplica(Replica):
    """An embedding or one-hot input, recurrent layers, an output layer."""

    @cached_property
    def stack(self) -> Stack:
        return Stack(self.layers)

    def forward(self, shard: Shard) -> tuple[np.ndarray, States, PerTokenCache]:
        """The last layer's h (N, H) at the real tokens, the final state, and a cache."""
        params, x, embedded = self._params, shard.inputs, None
        if "embedding" in self.layers:
            x, embedded = self.layers["embedding"].forward(params["embedding"], x)
        h, final, cache = self.stack.forward(
            params, x, shard.state, shard.packing, shard.masks
        )
        h = dropout(shard.masks, "output", h)
        return h, final, PerTokenCache(embedded, cache)

    def logits(self, shard: Shard) -> tuple[np.ndarray, States]:
        """Logits (N, V) of all real tokens, and the state after them."""
        h, state, _ = self.forward(shard)
        return self.layers["output"].forward(self._params["output"], h)[0], state

    def last_logits(self, shard: Shard) -> tuple[np.ndarray, States]:
        """Logits (B, V) after the last real token of each sequence, and the state there."""
        _, state, _ = self.forward(shard)
        h = state[-1][0]
        return self.layers["output"].forward(self._params["output"], h)[0], state

    def loss(self, shard: Shard) -> tuple[float, States]:
        h, state, _ = self.forward(shard)
        params, work = self._params["output"], self._workspaces["output"]
        loss, _ = output_loss(params, h, shard.targets, None, work, shard.tokens)
        return loss, state

    def loss_and_gradients(self, shard: Shard) -> tuple[float, States, States]:
        params, grads = self._params, self._grads
        h, state, cache = self.forward(shard)
        work = self._workspaces["output"]
        loss, dh = output_loss(
            params["output"], h, shard.targets, grads["output"], work, shard.tokens
        )
        dh = dropout(shard.masks, "output", dh)
        dx, dstate = self.stack.backward(params, dh, None, cache.stack, grads)
        if "embedding" in self.layers:
            layer, cached = self.layers["embedding"], cache.embedding
            # tied: the output layer has already written its part of dW
            layer.backward(
                params["embedding"], dx, cached, grads["embedding"], add=self._tied
            )
        return loss, state, dstate
