"""From sequences of ids to mini-batches.

A model reads a token and predicts the next one. So the targets are the inputs, shifted
by one, and the last target is the end of the sequence. In training, the input is always
the true previous token: teacher forcing.

    sequence   M  o  s  c  o  w            inputs    M  o  s  c  o  w
                                           targets   o  s  c  o  w  <eos>

``SequenceBatches`` pads the sequences of a mini-batch on the right to the longest of
them; ``lengths`` are their real lengths. Running text is cut into windows
(``windows.py``). How two published systems padded is in ``published.py``.

Shapes: inputs and targets (T, B); lengths (B,).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from minilstm.checks import check_size
from minilstm.data.protocol import Corpus, Tokenizer
from minilstm.errors import InputError
from minilstm.models.batch import Batch


class Batches(Protocol):
    """What training needs: mini-batches, in a new order each epoch."""

    @property
    def carries_state(self) -> bool:
        """Whether the final state of a mini-batch is the initial state of the next."""
        ...

    def __len__(self) -> int: ...

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[Any]:
        """One epoch, from mini-batch ``start`` on; without ``rng``, in order."""
        ...


def epoch_order(
    lengths: np.ndarray,
    batch_size: int,
    pool: int,
    rng: np.random.Generator | None = None,
    start: int = 0,
) -> Iterator[np.ndarray]:
    """Which examples are in each mini-batch of an epoch, from mini-batch ``start`` on.

    Without ``rng`` in the order of the data. ``pool``: bucketing by length; so many
    mini-batches of shuffled examples are sorted by length before they are cut.
    """
    n = len(lengths)
    order = np.arange(n) if rng is None else rng.permutation(n)
    firsts = np.arange(0, n, batch_size)  # where each mini-batch begins in the order
    if rng is not None and pool > 1:
        groups = np.split(order, range(pool * batch_size, n, pool * batch_size))
        order = np.concatenate(
            [group[np.argsort(-lengths[group], kind="stable")] for group in groups]
        )
        firsts = rng.permutation(firsts)
    for first in firsts[start:]:
        yield order[first : first + batch_size]


@dataclass(frozen=True)
class SequenceBatches:
    """Mini-batches of whole sequences, shuffled each epoch.

    Parameters
    ----------
    sequences : arrays of ids (n,), n ≥ 1, without the end token.
    batch_size : B, sequences in a mini-batch; the last of an epoch may have fewer.
    eos_id, padding_id : ids of the end of a sequence and of the padding.
    max_steps : longer sequences are cut to so many time steps, without an end token as
        their last target. Default: none is cut.
    pool : bucketing by length. So many mini-batches of shuffled sequences are sorted by
        length before they are cut; then the mini-batches are shuffled. With less
        padding they are faster. Default: 1, no bucketing.

    Raises
    ------
    InputError : if a sequence is empty, or there are too few for one mini-batch.
    """

    sequences: Sequence[np.ndarray]
    batch_size: int
    eos_id: int
    padding_id: int = 0
    max_steps: int | None = None
    pool: int = 1
    carries_state = False

    def __post_init__(self):
        check_size("batch_size", self.batch_size)
        check_size("pool", self.pool)
        if self.max_steps is not None:
            check_size("max_steps", self.max_steps)
        if len(self.sequences) < self.batch_size:
            raise InputError(
                f"the corpus has {len(self.sequences)} {'sequence' if len(self.sequences) == 1 else 'sequences'},"
                f" too few for one mini-batch of {self.batch_size}; choose a smaller batch size"
            )
        for number, ids in enumerate(self.sequences):
            if len(ids) == 0:
                raise InputError(
                    f"sequence {number} is empty; there is nothing to predict in it,"
                    " leave it out"
                )

    def __len__(self) -> int:
        return -(-len(self.sequences) // self.batch_size)

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[Batch]:
        lengths = np.array([len(ids) for ids in self.sequences])
        for order in epoch_order(lengths, self.batch_size, self.pool, rng, start):
            yield self.pad([self.sequences[k] for k in order])

    def pad(self, sequences: Sequence[np.ndarray]) -> Batch:
        """A mini-batch of these sequences, longest first, as layers need them."""
        sequences = sorted(sequences, key=len, reverse=True)
        lengths = np.array(
            [
                len(ids) if self.max_steps is None else min(len(ids), self.max_steps)
                for ids in sequences
            ]
        )
        shape = (lengths[0], len(sequences))
        inputs = np.full(shape, self.padding_id, np.int32)  # (T, B)
        targets = np.full(shape, self.padding_id, np.int32)  # (T, B)
        for b, (ids, n) in enumerate(zip(sequences, lengths)):
            inputs[:n, b] = ids[:n]
            targets[:n, b] = np.append(ids[1 : n + 1], self.eos_id)[:n]
        return Batch(inputs, targets, lengths)


@dataclass(frozen=True)
class CorpusBatches:
    """Mini-batches of texts from a grammar, newly sampled each epoch, one at a time.

    Parameters
    ----------
    corpus : the grammar that the texts come from.
    tokenizer : makes their ids.
    size : texts in an epoch.
    batch_size : B, texts in a mini-batch.
    """

    corpus: Corpus
    tokenizer: Tokenizer
    size: int
    batch_size: int
    carries_state = False

    def __post_init__(self):
        check_size("size", self.size)
        check_size("batch_size", self.batch_size)

    def __len__(self) -> int:
        return -(-self.size // self.batch_size)

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[Batch]:
        if rng is None:
            raise InputError("texts are sampled: pass a numpy.random.Generator")
        first = min(start * self.batch_size, self.size)
        self.corpus.sample_many(first, rng)  # skipped
        while first < self.size:
            count = min(self.batch_size, self.size - first)
            sentences = self.corpus.sample_many(count, rng)
            ids = [self.tokenizer.encode(sentence) for sentence in sentences]
            eos_id, padding_id = self.tokenizer.eos_id, self.tokenizer.padding_id
            yield SequenceBatches(ids, len(ids), eos_id, padding_id).pad(ids)
            first += len(ids)
