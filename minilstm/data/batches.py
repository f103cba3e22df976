"""From sequences of ids to batches of arrays.

A character model reads a symbol and predicts the next one, so the targets are the inputs shifted by one, and the last
target is the end of the sequence:

    sequence   M  o  s  c  o  w            inputs    M  o  s  c  o  w
                                           targets   o  s  c  o  w  <eos>

``SequenceBatches`` pads several sequences on the right to the longest of them; ``lengths`` says how much of each is real.
Running text is cut into windows (``windows.py``); what two published systems did with padding stands in ``published.py``.

Shapes: inputs and targets (T, B), time first; lengths (B,).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from minilstm.checks import check_size
from minilstm.data.protocol import Corpus, Tokenizer
from minilstm.errors import InputError
from minilstm.models.batch import Batch


class Batches(Protocol):
    """What training needs of its data: a number of batches, their order drawn anew in every epoch."""

    @property
    def carries_state(self) -> bool:
        """Whether the state at the end of a batch is the state at the beginning of the next."""
        ...

    def __len__(self) -> int: ...

    def epoch(self, rng: np.random.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        """One pass through the data, from batch ``start`` on; without ``rng`` in the order of the data."""
        ...


@dataclass(frozen=True)
class SequenceBatches:
    """Batches of whole sequences, shuffled in every epoch.

    Parameters
    ----------
    sequences : arrays of ids (n,), n ≥ 1, without the end symbol.
    batch_size : B, sequences in a batch; the last batch of an epoch may have fewer.
    eos_id, padding_id : ids of the end of a sequence and of the padding.
    max_steps : longer sequences are cut after so many steps, and are then not taught to end there; None: none is cut.
    pool : so many batches' worth of shuffled sequences are sorted by length before they are cut into batches, and all batches
        shuffled again. Alike in length, the sequences of a batch are all under way for as long as it lasts, which is faster;
        which of a length come together, and when, is as much chance as before. With 1, length does not count.
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
                f"the corpus has {len(self.sequences)} sequences, too few for one batch of {self.batch_size};"
                f" choose a smaller batch size"
            )
        for number, ids in enumerate(self.sequences):
            if len(ids) == 0:
                raise InputError(f"sequence {number} is empty; there is nothing to predict in it, leave it out")

    def __len__(self) -> int:
        return -(-len(self.sequences) // self.batch_size)

    def epoch(self, rng: np.random.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        n, B = len(self.sequences), self.batch_size
        order = np.arange(n) if rng is None else rng.permutation(n)
        firsts = np.arange(0, n, B)  # where in the order each batch begins
        if rng is not None and self.pool > 1:
            order, firsts = self._grouped(order), rng.permutation(firsts)
        for first in firsts[start:]:
            yield self.pad([self.sequences[k] for k in order[first : first + B]])

    def _grouped(self, order: np.ndarray) -> np.ndarray:
        """The order, with each pool of it sorted by length."""
        lengths, size = np.array([len(ids) for ids in self.sequences]), self.pool * self.batch_size
        pools = [order[first : first + size] for first in range(0, len(order), size)]
        return np.concatenate([pool[np.argsort(-lengths[pool], kind="stable")] for pool in pools])

    def pad(self, sequences: Sequence[np.ndarray]) -> Batch:
        """One batch of these sequences, the longest first, as recurrent layers compute them."""
        sequences = sorted(sequences, key=len, reverse=True)
        lengths = np.array([len(ids) if self.max_steps is None else min(len(ids), self.max_steps) for ids in sequences])
        shape = (lengths[0], len(sequences))
        inputs = np.full(shape, self.padding_id, np.int32)  # (T, B)
        targets = np.full(shape, self.padding_id, np.int32)  # (T, B)
        for b, (ids, n) in enumerate(zip(sequences, lengths)):
            inputs[:n, b] = ids[:n]
            targets[:n, b] = np.append(ids[1 : n + 1], self.eos_id)[:n]
        return Batch(inputs, targets, lengths)


@dataclass(frozen=True)
class CorpusBatches:
    """Batches of texts that a grammar makes up, newly sampled in every epoch, each when its turn comes.

    Parameters
    ----------
    corpus, tokenizer : where the sentences come from, and their ids.
    size : sentences in an epoch.
    batch_size : B, sentences in a batch.
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

    def epoch(self, rng: np.random.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        if rng is None:
            raise InputError("sentences are sampled: pass a numpy.random.Generator")
        first = min(start * self.batch_size, self.size)
        self.corpus.sample_many(first, rng)  # passed over
        while first < self.size:
            sentences = self.corpus.sample_many(min(self.batch_size, self.size - first), rng)
            ids = [self.tokenizer.encode(sentence) for sentence in sentences]
            yield SequenceBatches(ids, len(ids), self.tokenizer.eos_id, self.tokenizer.padding_id).pad(ids)
            first += len(ids)
