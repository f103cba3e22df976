"""One way through the layers, forward and back, with work arrays and a gradient of its own.

    ids (N,) → x (N, E) or one-hot → h (N, H) … h (N, H) → logits (N, V) → loss

A pass is given a share of a batch (``shares.py``), which may be the whole of it, and reads the parameters, which all passes of
a model have in common. Its loss and its gradient are those of its share in the mean over the tokens of the whole batch: the
passes' losses and gradients add up to those of the batch.

Whoever computes borrows passes from the model's, and no two borrow the same. A thread that is alone finds the same one again.
"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import numpy as np

from minilstm.layers import Recurrent, State, Workspace
from minilstm.layers.losses import output_loss
from minilstm.parallel.shards import Share, States
from minilstm.params import ParameterVector


class Pass:
    """Through these layers, in the order in which the data takes, with these parameters."""

    def __init__(self, layers: dict[str, Any], parameters: ParameterVector, tied: bool):
        self.layers, self.parameters = layers, parameters
        self.stack = {name: layer for name, layer in layers.items() if isinstance(layer, Recurrent)}
        self._workspaces = {name: Workspace() for name in layers}
        self._tied = tied

    def __getstate__(self) -> dict[str, Any]:
        """All but views, which a copy makes again over the vectors that came with it."""
        return {name: value for name, value in vars(self).items() if name not in ("_params", "_grads")}

    def __copy__(self) -> Pass:
        return copy.deepcopy(self)

    @cached_property
    def gradients(self) -> ParameterVector:
        """Of the last call of ``loss_and_gradients``; made at the first, for who only computes needs none."""
        return self.parameters.zeros_like()

    @cached_property
    def _params(self) -> dict[str, dict[str, np.ndarray]]:
        return _by_layer(self.layers, self.parameters, self._tied)

    @cached_property
    def _grads(self) -> dict[str, dict[str, np.ndarray]]:
        return _by_layer(self.layers, self.gradients, self._tied)

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

    def last_logits(self, share: Share) -> tuple[np.ndarray, States]:
        """Logits (B, V) after the last real token of each sequence, and the state there, whose last h they are made of."""
        _, state, _ = self.forward(share)
        return self.layers["output"].forward(self._params["output"], state[-1][0])[0], state

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


class Passes:
    """All passes of one model, each of which has one borrower at a time."""

    def __init__(self, layers: dict[str, Any], parameters: ParameterVector, tied: bool):
        self._recipe = layers, parameters, tied
        self._free: list[Pass] = []  # the next to be lent at the end

    def borrow(self, count: int) -> Borrowed:
        """A context with so many passes, which nobody else has until it ends."""
        return Borrowed(self, count)

    def take(self) -> Pass:
        """One that is free, or a new one."""
        try:
            return self._free.pop()  # by one thread at a time, as every method of a list
        except IndexError:
            return Pass(*self._recipe)

    def give_back(self, borrowed: list[Pass]) -> None:
        """Such that the same would be taken again, in the same order."""
        self._free.extend(reversed(borrowed))


class Borrowed:
    """Passes on loan."""

    def __init__(self, lender: Passes, count: int):
        self._lender, self._count = lender, count

    def __enter__(self) -> list[Pass]:
        self._borrowed = [self._lender.take() for _ in range(self._count)]
        return self._borrowed

    def __exit__(self, error, *more) -> None:
        if error is None:  # else something may have been interrupted at any point, and a new pass is made
            self._lender.give_back(self._borrowed)


def _by_layer(layers: dict[str, Any], vector: ParameterVector, tied: bool) -> dict[str, dict[str, np.ndarray]]:
    """Views into the vector, by layer; the W (H, V) of a tied output layer is a view of the embedding's table."""
    views = {name: vector.layer(name) for name in layers}
    if tied:
        views["output"] = {"W": vector["embedding.W"].T, **views["output"]}
    return views
