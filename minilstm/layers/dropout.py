"""Dropout: in training, random outputs between layers are set to zero.

    y = m ⊙ x,    m_j = 1 / (1 - p) with probability 1 - p, else 0

The factor keeps the expectation of y at x, so that the model is used without dropout and
without rescaling. Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: a
simple way to prevent neural networks from overfitting (2014).

In a recurrent network dropout belongs between layers, not between time steps, where it
would erase what the state remembers: Zaremba, Sutskever and Vinyals, Recurrent neural
network regularization (2014), section 3.2. ``stack.py`` multiplies by the mask, forward
and backward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from minilstm.checks import check_fraction


@dataclass(frozen=True)
class Dropout:
    """Masks that drop numbers with probability ``rate``, at least 0 and below 1."""

    rate: float

    def __post_init__(self) -> None:
        check_fraction("dropout", self.rate)

    def mask(
        self, shape: tuple[int, ...], dtype: DTypeLike, rng: np.random.Generator
    ) -> np.ndarray:
        """m, of this shape. The same random numbers are drawn for every dtype."""
        m = (rng.random(shape, np.float32) >= self.rate).astype(dtype)
        m *= m.dtype.type(1 / (1 - self.rate))
        return m
