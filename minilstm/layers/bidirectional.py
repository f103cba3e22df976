"""A bidirectional layer: one recurrent layer reads forward, a second one in reverse.

    h[t] = [→h[t]; ←h[t]]                          (N, 2H), side by side

On packed rows, reading in reverse is a permutation of the rows (``Packing.reversal``)
that stays within each sequence. So the reverse direction begins at a sequence's last real
step, and padding does not exist. Schuster and Paliwal, Bidirectional recurrent neural
networks (1997). ``minilstm/reference/bidirectional.py`` is the reference implementation.

The state has the width 2H: its first half is the forward direction's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minilstm.layers.packing import Packing
from minilstm.layers.recurrent import Grads, Params, Recurrent, State
from minilstm.layers.workspace import Workspace

Pair = tuple[Params, Params]  # of the forward and of the reverse direction


class BidirectionalCache(NamedTuple):
    """What backward needs: the cache of each direction."""

    forward: Any
    reverse: Any


class Bidirectional(NamedTuple):
    """Two recurrent layers of one kind and one size, one for each direction."""

    forward_layer: Recurrent
    reverse_layer: Recurrent

    def zero_state(self, B: int, dtype: Any) -> State:
        """The default initial state: zeros (B, 2H)."""
        both = zip(*(layer.zero_state(B, dtype) for layer in self))
        return tuple(np.concatenate(parts, axis=1) for parts in both)

    def forward(
        self,
        params: Pair,
        x: np.ndarray,
        state: State,
        packing: Packing,
        workspaces: tuple[Workspace, Workspace],
    ) -> tuple[np.ndarray, State, BidirectionalCache]:
        """From x (N, D) or ids (N,) to h (N, 2H), the final state, and a cache."""
        first, second = halves(state)
        h, final, cache = self.forward_layer.forward_packed(
            params[0], x, first, packing, workspaces[0]
        )
        h_reverse, final_reverse, cache_reverse = self.reverse_layer.forward_packed(
            params[1], x[packing.reversal], second, packing, workspaces[1]
        )
        h = np.concatenate([h, h_reverse[packing.reversal]], axis=1)  # (N, 2H)
        both = zip(final, final_reverse)
        final = tuple(np.concatenate(parts, axis=1) for parts in both)
        return h, final, BidirectionalCache(cache, cache_reverse)

    def backward(
        self,
        params: Pair,
        dh: np.ndarray,
        dstate: State,
        packing: Packing,
        cache: BidirectionalCache,
        grads: tuple[Grads, Grads],
    ) -> tuple[np.ndarray | None, State]:
        """From dh (N, 2H) and dL/d(final state) to dx, or None for ids, and dL/d(initial
        state). The gradients of the parameters go to ``grads``.
        """
        H = self.forward_layer.hidden_size
        first, second = halves(dstate)
        dh_forward = np.ascontiguousarray(dh[:, :H])
        dx, dfirst, _ = self.forward_layer.backward_packed(
            params[0], dh_forward, first, cache.forward, grads[0]
        )
        dx_reverse, dsecond, _ = self.reverse_layer.backward_packed(
            params[1], dh[packing.reversal, H:], second, cache.reverse, grads[1]
        )
        if dx is not None and dx_reverse is not None:
            dx = dx + dx_reverse[packing.reversal]  # x is read twice
        both = zip(dfirst, dsecond)
        return dx, tuple(np.concatenate(parts, axis=1) for parts in both)


def halves(state: State) -> tuple[State, State]:
    """The states (B, H) of both directions, from arrays (B, 2H)."""
    first, second = zip(*(np.split(part, 2, axis=1) for part in state))
    return first, second
