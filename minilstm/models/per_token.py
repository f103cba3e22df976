"""One output for each token: what language models and taggers share.

    ids (N,) → x (N, E) or one-hot → h (N, H) … h (N, H) → logits (N, V) → loss

All arrays have packed rows, the real tokens only (``layers/packing.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from minilstm.checks import check_ids
from minilstm.errors import InputError
from minilstm.layers.losses import output_loss
from minilstm.layers.stack import Stack, StackCache, States, dropout
from minilstm.models.batch import Batch
from minilstm.models.inputs import Inputs
from minilstm.models.model import Model
from minilstm.parallel import threads
from minilstm.parallel.replica import Replica
from minilstm.parallel.shards import Shard, shard_batch, whole_batch


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


class PerTokenModel(Model):
    """Recurrent layers over the tokens, and an output layer at each."""

    replica = PerTokenReplica

    _inputs: Inputs
    _outputs: int  # logits at each token

    def _build(self, dropout: float) -> None:
        super()._build(dropout)
        self._stack = Stack(self._layers)

    def _check_batch(
        self,
        batch: Batch,
        state: States | None,
        dropout_rng: np.random.Generator | None,
    ) -> Shard:
        """The mini-batch as a single shard, checked, with its dropout masks."""
        inputs = self._inputs.check(batch.inputs, self.dtype)
        targets = check_ids("targets", batch.targets, self._outputs)
        if targets.shape != inputs.shape[:2]:
            raise InputError(
                "inputs and targets must have one shape (T, B), not"
                f" {inputs.shape[:2]} and {targets.shape}"
            )
        state = self._check_state(state, inputs.shape[1])
        shard = whole_batch(inputs, targets, batch.lengths, state, {})
        if dropout_rng is None or self.dropout == 0:
            return shard
        names = [*self._inputs.dropped(self._stack), "output"]
        N = shard.packing.N
        return shard._replace(
            masks=self._masks(dict.fromkeys(names, (N,)), dropout_rng)
        )

    def _check_state(self, state: States | None, B: int) -> States:
        return self._stack.zero_state(B, self.dtype)

    def _shards(
        self,
        batch: Any,
        state: States | None,
        dropout_rng: np.random.Generator | None,
    ) -> Sequence[Any]:
        return self._split(self._check_batch(batch, state, dropout_rng))

    def _split(self, whole: Shard) -> list[Shard]:
        """A mini-batch in as many shards as there are threads worth waking."""
        work = whole.tokens * self._multiplications
        return shard_batch(whole, threads.choose(whole.packing.B, work))
