"""Recurrent layers on top of each other, on packed rows.

    x (N, D) → h (N, H) → … → h (N, H)             each layer reads m ⊙ the h below it

m is the dropout mask of a layer, if it has one (``dropout.py``). Each layer has an initial
and a final state. Backward takes the same way in reverse: the gradient of a layer's input
is that of the h below. The gradient of a final state enters each layer at its last step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from minilstm.layers.packing import Packing
from minilstm.layers.recurrent import Grads, Params, Recurrent, State
from minilstm.layers.workspace import Workspace

States = tuple[State, ...]  # one for each recurrent layer
Masks = Mapping[str, np.ndarray]  # dropout masks (N, width), by layer; may be empty


def dropout(masks: Masks, name: str, x):
    """The input x of a layer after dropout; also the gradient, on the way back."""
    return x * masks[name] if name in masks else x


class StackCache(NamedTuple):
    """What backward needs."""

    layers: dict[str, Any]  # the cache of each layer
    packing: Packing
    masks: Masks


class Stack:
    """The recurrent layers among ``layers``, in their order, by name."""

    def __init__(self, layers: Mapping[str, Any]):
        self.layers: dict[str, Recurrent] = {
            name: layer for name, layer in layers.items() if isinstance(layer, Recurrent)
        }
        self._workspaces = {name: Workspace() for name in self.layers}

    def zero_state(self, B: int, dtype: Any) -> States:
        """Zeros (B, H) for each layer: its default initial state."""
        return tuple(layer.zero_state(B, dtype) for layer in self.layers.values())

    def forward(
        self,
        params: Mapping[str, Params],
        x: np.ndarray,
        state: States,
        packing: Packing,
        masks: Masks,
    ) -> tuple[np.ndarray, States, StackCache]:
        """From x (N, D) or ids (N,) and initial states to the top h (N, H), the final
        states, and a cache. ``params`` has the parameters of each layer.
        """
        caches: dict[str, Any] = {}
        finals = []
        for (name, layer), initial in zip(self.layers.items(), state):
            x, final, caches[name] = layer.forward_packed(
                params[name], dropout(masks, name, x), initial, packing,
                self._workspaces[name],
            )
            finals.append(final)
        return x, tuple(finals), StackCache(caches, packing, masks)

    def backward(
        self,
        params: Mapping[str, Params],
        dh: np.ndarray,
        dstate: States | None,
        cache: StackCache,
        grads: Mapping[str, Grads],
    ) -> tuple[Any, States]:
        """From the top dh (N, H) and dL/d(final states) to dx, or None for ids, and
        dL/d(initial states). Default of ``dstate``: zeros. Gradients go to ``grads``.
        """
        caches, packing, masks = cache
        if dstate is None:
            dstate = self.zero_state(packing.B, dh.dtype)
        dinitials: list[State] = []
        for (name, layer), dfinal in zip(reversed(self.layers.items()), dstate[::-1]):
            dx, dinitial, _ = layer.backward_packed(
                params[name], dh, dfinal, caches[name], grads[name]
            )
            dh = dropout(masks, name, dx)  # dL/dh of the layer below
            dinitials.insert(0, dinitial)
        return dh, tuple(dinitials)
