"""A batch dealt out among threads, sequence by sequence, and what they bring back put together again.

Sorted from the longest sequence to the shortest, the sequences are dealt like cards: one share gets the first, third, fifth …,
the other the second, fourth, sixth …, so that all have about as many tokens. Within each share they are still sorted.

Dropout is drawn for the whole batch before it is dealt: what is left out does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from minilstm.layers import Packing, State

States = tuple[State, ...]  # one for each recurrent layer


class Share(NamedTuple):
    """Some sequences of a batch, as packed rows."""

    inputs: np.ndarray  # (N,) ids
    targets: np.ndarray  # (N,) ids
    packing: Packing
    state: States  # the initial state of these sequences
    masks: Mapping[str, np.ndarray]  # dropout before a layer, by its name: (N, width); none where nothing is left out
    tokens: int  # of the whole batch
    sequences: np.ndarray | slice  # which of the batch's

    def dropped(self, name: str, x):
        """What layer ``name`` gets to see of x, and on the way back what of its gradient returns."""
        return x * self.masks[name] if name in self.masks else x


def whole(inputs: np.ndarray, targets: np.ndarray, lengths, state: States, masks: Mapping[str, np.ndarray]) -> Share:
    """A batch, inputs and targets (T, B), as a single share."""
    T, B = inputs.shape
    packing = Packing(T, B, lengths)
    return Share(packing.pack(inputs), packing.pack(targets), packing, state, masks, packing.N, slice(None))


def deal(batch: Share, count: int) -> list[Share]:
    """The batch in ``count`` shares; fewer where there are fewer sequences with anything in them."""
    packing = batch.packing
    count = min(count, packing.counts[0] if packing.counts else 1)
    if count <= 1:
        return [batch]
    _, sequence_of_row = packing.places
    shares = []
    for k in range(count):
        rows, sequences = np.flatnonzero(sequence_of_row % count == k), packing.order[k::count]
        part = Packing(packing.T, len(sequences), packing.lengths[k::count])
        state = tuple(tuple(array[sequences] for array in layer) for layer in batch.state)
        masks = {name: mask[rows] for name, mask in batch.masks.items()}
        shares.append(Share(batch.inputs[rows], batch.targets[rows], part, state, masks, batch.tokens, sequences))
    return shares


def collect(shares: Sequence[Share], states: Sequence[States]) -> States:
    """The states of all sequences in the batch's order, from those of the shares."""
    if len(shares) == 1:
        return states[0]
    B = sum(share.packing.B for share in shares)
    layers = []
    for parts_by_share in zip(*states):  # of one layer
        parts = []
        for arrays in zip(*parts_by_share):  # one part of its state
            array = np.empty((B, arrays[0].shape[1]), arrays[0].dtype)
            for share, rows in zip(shares, arrays):
                array[share.sequences] = rows
            parts.append(array)
        layers.append(tuple(parts))
    return tuple(layers)
