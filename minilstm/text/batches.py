"""From sequences of ids to batches of arrays.

A character model reads a symbol and predicts the next one, so the targets are the inputs shifted by one, and the last
target is the end of the sequence:

    sequence   M  o  s  c  o  w            inputs    M  o  s  c  o  w
                                           targets   o  s  c  o  w  <eos>

``SequenceBatches`` pads several sequences on the right to the longest of them; ``lengths`` says how much of each is real.
``WindowBatches`` is for one running text. It lays the text out in B rows of equal length and cuts them into windows of T
steps; the state at the end of a window is the state at the beginning of the next. Gradients stop at the window's edge:
truncated backpropagation through time (Williams and Peng 1990).

Shapes: inputs and targets (T, B), time first; lengths (B,).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from minilstm.checks import check_size
from minilstm.errors import InputError
from minilstm.text.grammar import Grammar
from minilstm.text.tokenizers import CharTokenizer


class Batch(NamedTuple):
    """One step's worth of text."""

    inputs: np.ndarray  # (T, B)
    targets: np.ndarray  # (T, B)
    lengths: np.ndarray | None = None  # (B,); None: all T steps are real

    @property
    def tokens(self) -> int:
        """Number of real tokens, N."""
        return self.inputs.size if self.lengths is None else int(self.lengths.sum())


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
    """

    sequences: Sequence[np.ndarray]
    batch_size: int
    eos_id: int
    padding_id: int = 0
    carries_state = False

    def __post_init__(self):
        check_size("batch_size", self.batch_size)
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
        n = len(self.sequences)
        order = np.arange(n) if rng is None else rng.permutation(n)
        for first in range(start * self.batch_size, n, self.batch_size):
            yield self.pad([self.sequences[k] for k in order[first : first + self.batch_size]])

    def pad(self, sequences: Sequence[np.ndarray]) -> Batch:
        """One batch of these sequences, the longest first, as recurrent layers compute them."""
        sequences = sorted(sequences, key=len, reverse=True)
        shape = (len(sequences[0]), len(sequences))
        inputs = np.full(shape, self.padding_id, np.int32)  # (T, B)
        targets = np.full(shape, self.padding_id, np.int32)  # (T, B)
        for b, ids in enumerate(sequences):
            inputs[: len(ids), b] = ids
            targets[: len(ids) - 1, b] = ids[1:]
            targets[len(ids) - 1, b] = self.eos_id
        return Batch(inputs, targets, np.array([len(ids) for ids in sequences]))


@dataclass(frozen=True)
class CorpusBatches:
    """Batches of sentences that a grammar makes up, newly sampled in every epoch.

    Parameters
    ----------
    corpus, tokenizer : where the sentences come from, and their ids.
    size : sentences in an epoch.
    batch_size : B, sentences in a batch.
    """

    corpus: Grammar
    tokenizer: CharTokenizer
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
        sentences = self.corpus.sample_many(self.size, rng)[start * self.batch_size :]
        if sentences:
            ids = [self.tokenizer.encode(sentence) for sentence in sentences]
            batch_size = min(self.batch_size, len(ids))
            yield from SequenceBatches(ids, batch_size, self.tokenizer.eos_id, self.tokenizer.padding_id).epoch()


class WindowBatches:
    """Batches of windows over one running text, in its order, with the state carried from each to the next.

    Parameters
    ----------
    ids : (n,) the text. Its targets are the ids that follow, and ``eos_id`` after the last.
    batch_size : B, rows that the text is laid out in, read side by side.
    window : T, steps of a window; the last window of an epoch may be shorter.

    Up to B - 1 ids at the end, which would fill no further column, are left out.
    """

    carries_state = True

    def __init__(self, ids: np.ndarray, batch_size: int, window: int, eos_id: int):
        self.batch_size = check_size("batch_size", batch_size)
        self.window = check_size("window", window)
        ids = np.asarray(ids)
        length = len(ids) // batch_size
        if length < window:
            raise InputError(
                f"a text of {len(ids):,} symbols is too small for one batch of {batch_size} windows of {window};"
                f" it needs {batch_size * window:,}: choose a smaller batch size or window"
            )
        following = np.append(ids[1:], eos_id)
        rows = (batch_size, length)
        self._inputs = np.ascontiguousarray(ids[: batch_size * length].reshape(rows).T)  # (length, B)
        self._targets = np.ascontiguousarray(following[: batch_size * length].reshape(rows).T)  # (length, B)

    def __len__(self) -> int:
        return -(-len(self._inputs) // self.window)

    def epoch(self, rng: np.random.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        """The windows in the order of the text; there is nothing to shuffle, so ``rng`` stays untouched."""
        for first in range(start * self.window, len(self._inputs), self.window):
            window = slice(first, first + self.window)
            yield Batch(self._inputs[window], self._targets[window])


def running_text(sequences: Sequence[np.ndarray], eos_id: int) -> np.ndarray:
    """Several sequences as one running text, with the end symbol between them; (n,)."""
    pieces = [piece for ids in sequences for piece in (ids, [eos_id])]
    return np.concatenate(pieces[:-1]).astype(np.int32)
