"""Initial values of weight matrices: Keras's defaults for recurrent and dense layers."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike


def glorot_uniform(
    rng: np.random.Generator, rows: int, columns: int, dtype: DTypeLike
) -> np.ndarray:
    """Uniform in ±√(6 / (rows + columns)).

    Signals and gradients then keep about the same variance from layer to layer. Glorot and
    Bengio, Understanding the difficulty of training deep feedforward neural networks
    (2010), equation 16.
    """
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns)).astype(dtype)


def orthogonal(
    rng: np.random.Generator, rows: int, columns: int, dtype: DTypeLike
) -> np.ndarray:
    """A random matrix with orthonormal rows; columns, if there are more rows.

    It lengthens no vector. Saxe, McClelland and Ganguli, Exact solutions to the nonlinear
    dynamics of learning in deep linear neural networks (2014).
    """
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))  # without this q would not be uniformly distributed
    return np.ascontiguousarray(q if rows >= columns else q.T).astype(dtype)
