"""Mini-batches as two published systems made them, original bugs included.

They are here to compare with published numbers, and to measure the effect of the bugs.

    LeftPadded     "AI for Beginners" (Microsoft), lesson 17, on headlines: sequences in
                   the order of the file, padded on the left. The padding is learned and
                   counted like text. The masking layer masks nothing, since the one-hot
                   vector of the padding is not all zeros.

                   inputs    0 0 O s l o        targets   0 O s l o <eos>

    RightPadded    Foster, Generative Deep Learning, 2nd edition (2023), chapter 5, on
                   recipes: sequences cut or padded on the right to one length. The
                   padding after the end is learned and counted. Neighbours in the file
                   are in one mini-batch; only the order of the mini-batches is random.

                   inputs    r o a s t 0        targets   o a s t 0 0

A quarter to a third of the positions are padding, which is easy to predict. So the mean
loss looks better than the model is. ``SequenceBatches`` does neither.

Shapes: inputs and targets (T, B), without lengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from minilstm.checks import check_size
from minilstm.models.batch import Batch


@dataclass(frozen=True)
class LeftPadded:
    """Mini-batches of neighbours, padded on the left to the longest of them.

    Parameters
    ----------
    sequences : arrays of ids (n,), without the end token.
    batch_size : B; the last batch may have fewer.
    eos_id, padding_id : ids of the end of a sequence and of the padding.
    """

    sequences: Sequence[np.ndarray]
    batch_size: int
    eos_id: int
    padding_id: int = 0
    carries_state = False

    def __post_init__(self):
        check_size("batch_size", self.batch_size)

    def __len__(self) -> int:
        return -(-len(self.sequences) // self.batch_size)

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """The mini-batches in the order of the file; no rng is used."""
        for first in range(
            start * self.batch_size, len(self.sequences), self.batch_size
        ):
            sequences = self.sequences[first : first + self.batch_size]
            shape = max(map(len, sequences)), len(sequences)  # T, B
            inputs = np.full(shape, self.padding_id, np.int32)
            for b, ids in enumerate(sequences):
                inputs[len(inputs) - len(ids) :, b] = ids
            yield Batch(
                inputs, np.vstack([inputs[1:], np.full_like(inputs[:1], self.eos_id)])
            )


@dataclass(frozen=True)
class RightPadded:
    """Mini-batches of neighbours, all of ``steps`` time steps, shuffled each epoch.

    Parameters
    ----------
    sequences : arrays of ids (n,), without the end token; cut to ``steps`` + 1.
    batch_size : B; the last batch may have fewer.
    steps : T.
    padding_id : id of the padding, and of the end of a sequence.
    """

    sequences: Sequence[np.ndarray]
    batch_size: int
    steps: int
    padding_id: int = 0
    carries_state = False

    def __post_init__(self):
        check_size("batch_size", self.batch_size)
        check_size("steps", self.steps)

    def __len__(self) -> int:
        return -(-len(self.sequences) // self.batch_size)

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """All batches once, in an order drawn from ``rng``; without it, in order."""
        order = np.arange(len(self)) if rng is None else rng.permutation(len(self))
        for number in order[start:]:
            sequences = self.sequences[
                number * self.batch_size : (number + 1) * self.batch_size
            ]
            shape = self.steps + 1, len(sequences)  # T + 1, B
            padded = np.full(shape, self.padding_id, np.int32)
            for b, ids in enumerate(sequences):
                cut = ids[: self.steps + 1]
                padded[: len(cut), b] = cut
            yield Batch(padded[:-1], padded[1:])
