"""Sharding of a mini-batch over threads, sequence by sequence, and gathering of states.

The sequences are sorted from the longest to the shortest. With two shards, one gets the
first, third, fifth …, the other the second, fourth, sixth …, so that all shards have
about as many tokens. Within each shard the sequences are still sorted.

Dropout masks are drawn for the whole mini-batch before it is sharded. They do not depend
on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minilstm.layers import Packing
from minilstm.layers.stack import Masks, States


class Shard(NamedTuple):
    """Some sequences of a mini-batch, or all of them, as packed rows."""

    inputs: np.ndarray  # (N,) ids, or (N, F)
    targets: np.ndarray  # (N,) ids
    packing: Packing
    state: States  # the initial state of these sequences
    masks: Masks
    tokens: int  # of the whole mini-batch
    sequences: np.ndarray | slice  # indices of these sequences in the mini-batch


def whole_batch(
    inputs: np.ndarray,
    targets: np.ndarray,
    lengths: np.ndarray | None,
    state: States,
    masks: Masks,
) -> Shard:
    """A mini-batch, inputs (T, B) or (T, B, F) and targets (T, B), as a single shard."""
    T, B = targets.shape
    packing = Packing(T, B, lengths)
    rows = packing.pack(inputs), packing.pack(targets)
    return Shard(*rows, packing, state, masks, packing.N, slice(None))


def shard_batch(batch: Shard, count: int) -> list[Shard]:
    """Split a mini-batch into ``count`` shards; fewer if fewer sequences have tokens."""
    packing = batch.packing
    count = min(count, packing.counts[0] if packing.counts else 1)
    if count <= 1:
        return [batch]
    _, sequence_of_row = packing.places
    shards = []
    for k in range(count):
        rows = np.flatnonzero(sequence_of_row % count == k)
        sequences = packing.order[k::count]
        shards.append(
            Shard(
                inputs=batch.inputs[rows],
                targets=batch.targets[rows],
                packing=Packing(packing.T, len(sequences), packing.lengths[k::count]),
                state=tuple(
                    tuple(a[sequences] for a in layer) for layer in batch.state
                ),
                masks={name: mask[rows] for name, mask in batch.masks.items()},
                tokens=batch.tokens,
                sequences=sequences,
            )
        )
    return shards


def split_sequences(lengths: np.ndarray, count: int) -> list[np.ndarray]:
    """Indices of the sequences of each shard; fewer shards if there are fewer sequences."""
    order = np.argsort(-lengths.astype(np.int64), kind="stable")
    return [order[k::count] for k in range(max(1, min(count, len(order))))]


def gather_states(shards: Sequence[Any], states: Sequence[States]) -> States:
    """The states of all sequences in the mini-batch's order, from those of the shards.

    Each shard has ``sequences``. A model without states has empty tuples.
    """
    if len(shards) == 1:
        return states[0]
    layers = []
    for layer_states in zip(*states):  # one layer's state, from every shard
        parts = []
        for arrays in zip(*layer_states):  # h, or c, from every shard
            B = sum(map(len, arrays))
            gathered = np.empty((B, arrays[0].shape[1]), arrays[0].dtype)
            for shard, rows in zip(shards, arrays):
                gathered[shard.sequences] = rows
            parts.append(gathered)
        layers.append(tuple(parts))
    return tuple(layers)
