"""A mini-batch: what a model reads in one step, and what it should predict."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Batch(NamedTuple):
    """Sequences of ids, right-padded, with their lengths."""

    inputs: np.ndarray  # (T, B)
    targets: np.ndarray  # (T, B)
    lengths: np.ndarray | None = None  # (B,); None: all T steps are real

    @property
    def tokens(self) -> int:
        """Number of real tokens, N."""
        return self.inputs.size if self.lengths is None else int(self.lengths.sum())
