"""Pooling: from the hidden states of a sequence to one vector, on packed rows.

    "final"   the final hidden state: for a bidirectional layer, each direction's
    "last"    h at the last real step
    "mean"    the mean of h over the real steps
    "max"     the maximum of h over the real steps, for each of the H numbers on its own

In one direction "final" and "last" are the same. A sequence without tokens gives zeros.
Max over time: Collobert et al., Natural language processing (almost) from scratch (2011).
``minilstm/reference/pooling.py`` is the reference implementation.

Shapes: h (N, H), packed rows; y (B, H), in the order of the mini-batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minilstm.errors import InputError
from minilstm.layers.packing import Packing
from minilstm.layers.recurrent import State

KINDS = ("final", "last", "mean", "max")


class PoolingCache(NamedTuple):
    """What backward needs."""

    packing: Packing
    rows: np.ndarray  # of h that were taken: (n, 1) or (n, H), longest sequence first
    final: State  # for its shapes


@dataclass(frozen=True)
class Pooling:
    """One vector for each sequence. It has no parameters."""

    kind: str

    def __post_init__(self):
        if self.kind not in KINDS:
            raise InputError(
                f"pooling must be one of {', '.join(KINDS)}, not {self.kind!r}"
            )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """None: there are no parameters."""
        return {}

    def init(self, rng: np.random.Generator, dtype=np.float32) -> dict:
        """None."""
        return {}

    def forward(
        self, h: np.ndarray, final: State, packing: Packing
    ) -> tuple[np.ndarray, PoolingCache]:
        """From h (N, H) and the final state to y (B, H), and a cache."""
        n = packing.counts[0] if packing.counts else 0  # sequences with tokens
        rows = np.arange(n)[:, None]  # (n, 1), of the first time step
        y = np.zeros((packing.B, h.shape[1]), h.dtype)  # longest sequence first
        if self.kind == "final":
            return final[0], PoolingCache(packing, rows, final)
        if self.kind == "last":
            rows = np.array(packing.starts)[packing.lengths[:n, None] - 1] + rows
            y[:n] = h[rows[:, 0]]
        elif self.kind == "mean":
            for count, start in zip(packing.counts, packing.starts):
                y[:count] += h[start : start + count]
            y[:n] /= packing.lengths[:n, None].astype(h.real.dtype)
        else:
            rows = np.repeat(rows, h.shape[1], axis=1)  # (n, H)
            columns = np.arange(h.shape[1])
            for count, start in zip(packing.counts[1:], packing.starts[1:]):
                now = np.arange(start, start + count)[:, None]
                larger = h[now, columns].real > h[rows[:count], columns].real
                rows[:count] = np.where(larger, now, rows[:count])  # the first maximum
            y[:n] = h[rows, columns]
        return packing.unsort(y), PoolingCache(packing, rows, final)

    def backward(self, dy: np.ndarray, cache: PoolingCache) -> tuple[np.ndarray, State]:
        """From dy (B, H) to dh (N, H) and dL/d(final state)."""
        packing, rows, final = cache
        dh = np.zeros((packing.N, dy.shape[1]), dy.dtype)
        dfinal = tuple(np.zeros_like(part) for part in final)
        if self.kind == "final":
            return dh, (dy, *dfinal[1:])
        dy = packing.sort(dy)[: len(rows)]
        if self.kind == "mean":
            dy /= packing.lengths[: len(rows), None].astype(dy.real.dtype)
            for count, start in zip(packing.counts, packing.starts):
                dh[start : start + count] = dy[:count]
        else:
            dh[rows, np.arange(dy.shape[1])] = dy
        return dh, dfinal
