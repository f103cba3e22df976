"""What a model's first layer reads: ids of a vocabulary, or vectors.

ids (T, B)        one-hot, or rows of an embedding
vectors (T, B, F) as they are: measurements, for example
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minilstm.checks import check_array, check_ids, check_size
from minilstm.errors import InputError
from minilstm.layers import Embedding
from minilstm.layers.stack import Stack


@dataclass(frozen=True)
class Inputs:
    """Either ``vocab_size`` (V) or ``features`` (F); an ``embedding`` (E) needs ids."""

    vocab_size: int | None
    features: int | None = None
    embedding: int | None = None

    def __post_init__(self):
        if (self.vocab_size is None) == (self.features is None):
            raise InputError(
                "give either vocab_size, to read ids, or features, to read vectors"
            )
        for name in ("vocab_size", "features", "embedding"):
            if getattr(self, name) is not None:
                check_size(name, getattr(self, name))
        if self.features is not None and self.embedding is not None:
            raise InputError("an embedding needs ids; vectors are read as they are")

    @property
    def width(self) -> int:
        """Of what the first recurrent layer reads."""
        width = self.embedding or self.features or self.vocab_size
        assert width is not None
        return width

    def layers(self) -> dict[str, Any]:
        """The embedding, if there is one, by name."""
        if self.vocab_size is None or self.embedding is None:
            return {}
        return {"embedding": Embedding(self.vocab_size, self.embedding)}

    def dropped(self, stack: Stack) -> list[str]:
        """Layers of a stack whose input can have dropout: neither ids nor data."""
        return [*stack.layers][self.embedding is None :]

    def check(self, inputs: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Ids (T, B), or vectors (T, B, F) in this dtype. Raises InputError."""
        if self.vocab_size is None:
            shape = (None, None, self.features)
            return check_array("inputs", inputs, shape, dtype, "(T, B, F)")
        inputs = check_ids("inputs", inputs, self.vocab_size)
        if inputs.ndim != 2:
            raise InputError(f"inputs must have the shape (T, B), not {inputs.shape}")
        return inputs
