"""A replica of a model: its layers, with buffers and a gradient of its own (data parallelism).

    ids (N,) → x (N, E) or one-hot → h (N, H) … h (N, H) → logits (N, V) → loss

A replica computes one shard of a mini-batch (``shards.py``), which may be all of it. All
replicas of a model read the same parameters. A replica's loss and gradient are its part
of the mean over the whole mini-batch: added up, they are those of the mini-batch.

Each computation borrows replicas from its model, and no two borrow the same one. Without
other threads, a computation gets the replica of the last one, with its buffers.
"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import numpy as np

from minilstm.layers import Recurrent, State, Workspace
from minilstm.layers.losses import output_loss
from minilstm.parallel.shards import Shard, States
from minilstm.params import ParameterVector


class Replica:
    """Forward and backward through a model's layers, in order, with its parameters."""

    def __init__(self, layers: dict[str, Any], parameters: ParameterVector, tied: bool):
        self.layers, self.parameters = layers, parameters
        self.stack = {
            name: layer
            for name, layer in layers.items()
            if isinstance(layer, Recurrent)
        }
        self._workspaces = {name: Workspace() for name in layers}
        self._tied = tied

    def __getstate__(self) -> dict[str, Any]:
        """All but the views: a copy makes them again, over its own vectors."""
        views = ("_params", "_grads")
        return {name: value for name, value in vars(self).items() if name not in views}

    def __copy__(self) -> Replica:
        return copy.deepcopy(self)

    @cached_property
    def gradients(self) -> ParameterVector:
        """Gradients of the last ``loss_and_gradients``; allocated when first needed."""
        return self.parameters.zeros_like()

    @cached_property
    def _params(self) -> dict[str, dict[str, np.ndarray]]:
        return _by_layer(self.layers, self.parameters, self._tied)

    @cached_property
    def _grads(self) -> dict[str, dict[str, np.ndarray]]:
        return _by_layer(self.layers, self.gradients, self._tied)

    def forward(self, shard: Shard) -> tuple[np.ndarray, States, dict[str, Any]]:
        """The last layer's h (N, H) at the real tokens, the final state, all caches."""
        caches: dict[str, Any] = {}
        x = shard.inputs
        if "embedding" in self.layers:
            params = self._params["embedding"]
            x, caches["embedding"] = self.layers["embedding"].forward(params, x)
        finals = []
        for (name, layer), initial in zip(self.stack.items(), shard.state):
            x = shard.dropout(name, x)
            params, work = self._params[name], self._workspaces[name]
            x, final, caches[name] = layer.forward_packed(
                params, x, initial, shard.packing, work
            )
            finals.append(final)
        return shard.dropout("output", x), tuple(finals), caches

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
        """The shard's part of the loss, and the state after it."""
        h, state, _ = self.forward(shard)
        params, work = self._params["output"], self._workspaces["output"]
        loss, _ = output_loss(params, h, shard.targets, None, work, shard.tokens)
        return loss, state

    def loss_and_gradients(self, shard: Shard) -> tuple[float, States, States]:
        """The shard's part of the loss, the state after it, and dL/d(initial state).

        Its part of the gradients is written to ``gradients``.
        """
        params, grads = self._params, self._grads
        h, state, caches = self.forward(shard)
        work = self._workspaces["output"]
        loss, dh = output_loss(
            params["output"], h, shard.targets, grads["output"], work, shard.tokens
        )
        dh = shard.dropout("output", dh)
        dstates: list[State] = []
        for name, layer in reversed(self.stack.items()):
            no_dstate = layer.zero_state(shard.packing.B, h.dtype)
            dh, dstate, _ = layer.backward_packed(
                params[name], dh, no_dstate, caches[name], grads[name]
            )
            dh = shard.dropout(name, dh)
            dstates.insert(0, dstate)
        if "embedding" in self.layers:
            layer, cache = self.layers["embedding"], caches["embedding"]
            # tied: the output layer has already written its part of dW
            layer.backward(
                params["embedding"], dh, cache, grads["embedding"], add=self._tied
            )
        return loss, state, tuple(dstates)


class Replicas:
    """All replicas of one model. Each has one borrower at a time."""

    def __init__(self, layers: dict[str, Any], parameters: ParameterVector, tied: bool):
        self._recipe = layers, parameters, tied
        self._free: list[Replica] = []  # the last one is lent next

    def borrow(self, count: int) -> Borrowed:
        """A context with ``count`` replicas, which no other thread has until it ends."""
        return Borrowed(self, count)

    def take(self) -> Replica:
        """A free replica, or a new one."""
        try:
            return self._free.pop()  # methods of a list are atomic
        except IndexError:
            return Replica(*self._recipe)

    def give_back(self, borrowed: list[Replica]) -> None:
        """Return replicas, so that the next ``take`` gets them in the same order."""
        self._free.extend(reversed(borrowed))


class Borrowed:
    """A context: replicas on loan."""

    def __init__(self, lender: Replicas, count: int):
        self._lender, self._count = lender, count

    def __enter__(self) -> list[Replica]:
        self._borrowed = [self._lender.take() for _ in range(self._count)]
        return self._borrowed

    def __exit__(self, error, *more) -> None:
        # after an error a computation may have stopped halfway: discard its replicas
        if error is None:
            self._lender.give_back(self._borrowed)


def _by_layer(
    layers: dict[str, Any], vector: ParameterVector, tied: bool
) -> dict[str, dict[str, np.ndarray]]:
    """Views into the vector, by layer.

    The W (H, V) of a tied output layer is a view of the embedding's table, transposed.
    """
    views = {name: vector.layer(name) for name in layers}
    if tied:
        views["output"] = {"W": vector["embedding.W"].T, **views["output"]}
    return views
