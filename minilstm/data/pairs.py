"""From labelled sequences, and from pairs, to mini-batches.

    LabelledBatches    a label for each sequence      Classifier
    TaggedBatches      a label for each token         Tagger
    PairBatches        a source and a target          EncoderDecoder
    VectorBatches      a vector and a text            Captioner

A target y of n tokens becomes n + 1 inputs and targets (teacher forcing):

    inputs     start  y[0]  …  y[n-1]
    targets    y[0]   y[1]  …  end

Shapes: inputs, targets and sources (T, B), right-padded; vectors (T, B, F); lengths
(B,).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from minilstm.checks import check_size
from minilstm.data.batches import epoch_order
from minilstm.errors import InputError
from minilstm.models.batch import Batch, LabelledBatch, PairBatch, VectorBatch

Sequences = Sequence[np.ndarray]  # ids (n,), or vectors (n, F)


def pad(sequences: Sequences) -> tuple[np.ndarray, np.ndarray]:
    """Sequences side by side, (T, B, …), zeros at the padding; and lengths (B,)."""
    lengths = np.array([len(s) for s in sequences])
    first = np.asarray(sequences[0])
    shape = (int(lengths.max()), len(sequences), *first.shape[1:])
    padded = np.zeros(shape, first.dtype)
    for b, s in enumerate(sequences):
        padded[: len(s), b] = s
    return padded, lengths


def teacher_forcing(
    targets: Sequences, start: int, end: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs and targets (T + 1, B), and lengths n + 1, of targets (n,)."""
    inputs, lengths = pad([np.concatenate([[start], y]) for y in targets])
    outputs, _ = pad([np.concatenate([y, [end]]) for y in targets])
    return inputs.astype(np.int32), outputs.astype(np.int32), lengths


@dataclass(frozen=True)
class _Examples:
    """Examples in mini-batches, shuffled each epoch.

    Parameters
    ----------
    inputs : sequences of ids (n,) or vectors (n, F), n ≥ 1; or vectors (F,).
    outputs : what belongs to each.
    batch_size : B; the last mini-batch of an epoch may have fewer.
    pool : bucketing by length: so many mini-batches are sorted by length together.
        Default: 1, no bucketing.

    Raises
    ------
    InputError : if there are too few examples, or not as many inputs as outputs, or an
        input is empty.
    """

    inputs: Sequences
    outputs: Sequence
    batch_size: int
    pool: int = 1
    carries_state = False

    def __post_init__(self):
        check_size("batch_size", self.batch_size)
        check_size("pool", self.pool)
        if len(self.inputs) != len(self.outputs):
            raise InputError(
                f"there are {len(self.inputs)} inputs, but {len(self.outputs)} outputs"
            )
        if len(self.inputs) < self.batch_size:
            raise InputError(
                f"there are {len(self.inputs)} examples, too few for one mini-batch of"
                f" {self.batch_size}; choose a smaller batch size"
            )
        for number, sequence in enumerate(self.inputs):
            if len(sequence) == 0:
                raise InputError(f"input {number} is empty; leave this example out")

    def __len__(self) -> int:
        return -(-len(self.inputs) // self.batch_size)

    def _lengths(self) -> np.ndarray:
        """By which bucketing sorts."""
        return np.array([len(sequence) for sequence in self.inputs])

    def _order(
        self, rng: np.random.Generator | None, start: int
    ) -> Iterator[np.ndarray]:
        return epoch_order(self._lengths(), self.batch_size, self.pool, rng, start)


class LabelledBatches(_Examples):
    """Sequences with a label each: ``outputs`` are labels."""

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[LabelledBatch]:
        """One epoch, from mini-batch ``start`` on."""
        labels = np.asarray(self.outputs)
        for order in self._order(rng, start):
            inputs, lengths = pad([self.inputs[k] for k in order])
            yield LabelledBatch(inputs, labels[order], lengths)


class TaggedBatches(_Examples):
    """Sequences with a label for each token: ``outputs`` are arrays of labels (n,)."""

    def __post_init__(self):
        super().__post_init__()
        for number, (tokens, labels) in enumerate(zip(self.inputs, self.outputs)):
            if len(tokens) != len(labels):
                raise InputError(
                    f"sequence {number} has {len(tokens)} tokens, but {len(labels)}"
                    " labels"
                )

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """One epoch, from mini-batch ``start`` on."""
        for order in self._order(rng, start):
            inputs, lengths = pad([self.inputs[k] for k in order])
            labels, _ = pad([self.outputs[k] for k in order])
            yield Batch(inputs, labels, lengths)


@dataclass(frozen=True)
class PairBatches(_Examples):
    """Sources and targets: ``outputs`` are ids (n,), without start and end.

    ``start`` and ``end`` are the ids that are put around each target.
    """

    start: int = 0
    end: int = 0

    def _lengths(self) -> np.ndarray:
        return np.array([len(y) for y in self.outputs])

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[PairBatch]:
        """One epoch, from mini-batch ``start`` on."""
        for order in self._order(rng, start):
            source, source_lengths = pad([self.inputs[k] for k in order])
            targets = [self.outputs[k] for k in order]
            inputs, outputs, lengths = teacher_forcing(targets, self.start, self.end)
            yield PairBatch(source, inputs, outputs, source_lengths, lengths)


@dataclass(frozen=True)
class VectorBatches(_Examples):
    """Vectors (F,) and texts: ``outputs`` are ids (n,), without start and end.

    ``start`` and ``end`` are the ids that are put around each text.
    """

    start: int = 0
    end: int = 0

    def _lengths(self) -> np.ndarray:
        return np.array([len(y) for y in self.outputs])

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[VectorBatch]:
        """One epoch, from mini-batch ``start`` on."""
        for order in self._order(rng, start):
            texts = [self.outputs[k] for k in order]
            inputs, outputs, lengths = teacher_forcing(texts, self.start, self.end)
            vectors = np.stack([self.inputs[k] for k in order])
            yield VectorBatch(vectors, inputs, outputs, lengths)
