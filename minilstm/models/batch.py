"""Mini-batches: what a model reads in one step, and what it should predict.

All sequences are right-padded to the longest of them. Past its length, a sequence's
values do not matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


def _count(shape: tuple[int, ...], lengths: np.ndarray | None) -> int:
    """Number of real steps."""
    return shape[0] * shape[1] if lengths is None else int(lengths.sum())


class Batch(NamedTuple):
    """Sequences with a target for each token, for a language model or a tagger.

    Parameters
    ----------
    inputs : (T, B) integers
        Ids that the model reads: T time steps of B sequences, right-padded. For a tagger
        of vectors: (T, B, F).
    targets : (T, B) integers
        The id that follows each input; for a tagger its label.
    lengths : (B,) integers, optional
        Number of real steps of each sequence. Default: all T.

    Examples
    --------
    >>> ids = np.array([[0, 1, 2, 3]]).T  # (T + 1, B) = (4, 1)
    >>> Batch(ids[:-1], ids[1:]).tokens
    3
    """

    inputs: np.ndarray  # (T, B)
    targets: np.ndarray  # (T, B)
    lengths: np.ndarray | None = None  # (B,)

    @property
    def tokens(self) -> int:
        """Number of targets, N: the real tokens."""
        return _count(self.targets.shape, self.lengths)


class LabelledBatch(NamedTuple):
    """Sequences with one label each, for a classifier."""

    inputs: np.ndarray  # (T, B) ids, or vectors (T, B, F)
    labels: np.ndarray  # (B,)
    lengths: np.ndarray | None = None  # (B,); None: all T steps are real

    @property
    def tokens(self) -> int:
        """Number of targets: the labels."""
        return len(self.labels)


class PairBatch(NamedTuple):
    """Pairs of a source and a target, for an encoder and a decoder.

    The decoder reads the start token and then the target; it predicts the target and then
    the end token (``minilstm.data.pairs``).
    """

    source: np.ndarray  # (S, B) ids
    inputs: np.ndarray  # (T, B) ids: start, y[0], y[1] …
    targets: np.ndarray  # (T, B) ids: y[0], y[1] …, end
    source_lengths: np.ndarray | None = None  # (B,)
    lengths: np.ndarray | None = None  # (B,), of inputs and targets

    @property
    def tokens(self) -> int:
        """Number of targets: the real tokens, ends included."""
        return _count(self.targets.shape, self.lengths)


class VectorBatch(NamedTuple):
    """Vectors with a text each, for a model that describes them."""

    vectors: np.ndarray  # (B, F)
    inputs: np.ndarray  # (T, B) ids: start, y[0], y[1] …
    targets: np.ndarray  # (T, B) ids: y[0], y[1] …, end
    lengths: np.ndarray | None = None  # (B,), of inputs and targets

    @property
    def tokens(self) -> int:
        """Number of targets: the real tokens, ends included."""
        return _count(self.targets.shape, self.lengths)
