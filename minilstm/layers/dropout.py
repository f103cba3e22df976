"""Dropout: some numbers, chosen anew at every step of training, are left out, and the others made larger in their place.

    (1)  y = m ⊙ x,    m_j = 1 / (1 - p) with probability 1 - p, else 0
    (2)  dx = m ⊙ dy

No unit can rely on another one being there. The factor keeps the expectation of y at x, so that nothing has to be rescaled
when the model is used: dropout is then simply left away. Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout:
a simple way to prevent neural networks from overfitting (2014).

In a recurrent network it belongs between layers and not between time steps, where it would wash out what is remembered:
Zaremba, Sutskever and Vinyals, Recurrent neural network regularization (2014), section 3.2. Shapes: all (…).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minilstm.checks import check_fraction


@dataclass(frozen=True)
class Dropout:
    """Leaves numbers out with probability ``rate`` (p), which is at least 0 and below 1."""

    rate: float

    def __post_init__(self):
        check_fraction("dropout", self.rate)

    def mask(self, shape: tuple[int, ...], dtype, rng: np.random.Generator) -> np.ndarray:
        """m. The same random numbers are drawn for every dtype."""
        m = (rng.random(shape, np.float32) >= self.rate).astype(dtype)
        m *= m.dtype.type(1 / (1 - self.rate))
        return m

    def forward(self, x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """y, and the mask m that ``backward`` wants."""
        m = self.mask(x.shape, x.dtype, rng)
        return m * x, m                                                    # (1)

    def backward(self, dy: np.ndarray, m: np.ndarray) -> np.ndarray:
        """dx, of the shape of dy."""
        return m * dy                                                      # (2)
