"""Dropout: in training, random numbers between layers are set to zero.

    (1)  y = m ⊙ x,    m = 1 / (1 - p) with probability 1 - p, else 0
    (2)  dx = m ⊙ dy

The factor keeps the expectation of y at x, so nothing needs rescaling later.
Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout: a simple way to
prevent neural networks from overfitting (2014). Between layers, not between time steps:
Zaremba, Sutskever and Vinyals, Recurrent neural network regularization (2014). The
products (1) and (2) stand where the masks are used, in ``language_model.py``.
"""

import numpy as np


def dropout_mask(
    shape, rate: float, rng: np.random.Generator, dtype=np.float64
) -> np.ndarray:
    """The mask m of a shape, for a dropout rate p of at least 0 and below 1."""
    kept = rng.random(shape, np.float32) >= rate
    return kept.astype(dtype) * np.dtype(dtype).type(1 / (1 - rate))
