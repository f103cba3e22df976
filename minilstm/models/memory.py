"""What a decoder has after each step: all that its next step needs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilstm.layers.attention_lstm import Source
from minilstm.layers.stack import States


class Memory(NamedTuple):
    """The state of each decoder layer, and the source that attention looks at."""

    states: States  # (B, H) arrays
    source: Source | None = None

    def take(self, rows: np.ndarray) -> Memory:
        """That of these sequences, in this order; one may occur several times."""
        states = tuple(tuple(part[rows] for part in layer) for layer in self.states)
        source = self.source
        if source is not None:
            source = Source(source.a[rows], source.lengths[rows])
        return Memory(states, source)


class Step(NamedTuple):
    """What a decoder's step gives."""

    logits: np.ndarray  # (B, V)
    memory: Memory
    weights: np.ndarray | None = None  # (B, S), of attention, in the source's own order
