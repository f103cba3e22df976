"""Recurrent layers on top of each other, on packed rows.

    x (N, D) → h (N, H) → … → h (N, H)             each layer reads m ⊙ the h below it

A layer may be bidirectional (``bidirectional.py``).
m is the dropout mask of a layer, if it has one (``dropout.py``). Each layer has an initial
and a final state. Backward takes the same way in reverse: the gradient of a layer's input
is that of the h below. The gradient of a final state enters each layer at its last step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from minilstm.layers.bidirectional import Bidirectional
from minilstm.layers.packing import Packing
from minilstm.layers.recurrent import Grads, Params, Recurrent, State
from minilstm.layers.workspace import Workspace

REVERSE = "_reverse"  # ends the name of a layer that reads in reverse
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
    """The recurrent layers among ``layers``, in their order, by name.

    A layer ``lstm0`` is bidirectional if there is a layer ``lstm0_reverse``.
    """

    def __init__(self, layers: Mapping[str, Any]):
        found = {k: layer for k, layer in layers.items() if isinstance(layer, Recurrent)}
        self._workspaces = {name: Workspace() for name in found}
        self.layers: dict[str, Any] = {}  # recurrent or bidirectional
        for name, layer in found.items():
            if not name.endswith(REVERSE):
                other = found.get(name + REVERSE)
                self.layers[name] = Bidirectional(layer, other) if other else layer

    def zero_state(self, B: int, dtype: Any) -> States:
        """Zeros for each layer: its default initial state."""
        return tuple(layer.zero_state(B, dtype) for layer in self.layers.values())

    def forward(
        self,
        params: Mapping[str, Params],
        x: np.ndarray,
        state: States,
        packing: Packing,
        masks: Masks,
    ) -> tuple[np.ndarray, States, StackCache]:
        """From x (N, D) or ids (N,) and initial states to the top h, the final states,
        and a cache. ``params`` has the parameters of each layer.
        """
        caches: dict[str, Any] = {}
        finals = []
        for (name, layer), initial in zip(self.layers.items(), state):
            x = dropout(masks, name, x)
            if isinstance(layer, Bidirectional):
                pair, spaces = both(params, name), both(self._workspaces, name)
                run = layer.forward(pair, x, initial, packing, spaces)
            else:
                work = self._workspaces[name]
                run = layer.forward_packed(params[name], x, initial, packing, work)
            x, final, caches[name] = run
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
        """From the top dh and dL/d(final states) to dx, or None for ids, and dL/d(initial
        states). Default of ``dstate``: zeros. Gradients go to ``grads``.
        """
        caches, packing, masks = cache
        if dstate is None:
            dstate = self.zero_state(packing.B, dh.dtype)
        dinitials: list[State] = []
        for (name, layer), dfinal in zip(reversed(self.layers.items()), dstate[::-1]):
            if isinstance(layer, Bidirectional):
                pair, into = both(params, name), both(grads, name)
                dx, dinitial = layer.backward(
                    pair, dh, dfinal, packing, caches[name], into
                )
            else:
                dx, dinitial, _ = layer.backward_packed(
                    params[name], dh, dfinal, caches[name], grads[name]
                )
            dh = dropout(masks, name, dx)  # dL/dh of the layer below
            dinitials.insert(0, dinitial)
        return dh, tuple(dinitials)


def both(by_name: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    """What belongs to a layer, and what belongs to its reverse direction."""
    return by_name[name], by_name[name + REVERSE]
