"""From ids to vectors: one-hot, or an embedding, which is the same times a matrix.

The one-hot vector of id k has a 1 at place k and zeros elsewhere. Its product with a
matrix is the matrix's row k, so the product need never be computed:

    (1)  x = onehot(ids) W = W[ids]                forward: a gather
    (2)  dW[ids[n]] += dx[n]  for every n          backward: a scatter-add

An id that occurs twice adds twice to its row. Ids themselves have no gradient.
Bengio, Ducharme, Vincent and Jauvin, A neural probabilistic language model (2003).
Shapes: ids (…) integers, W (V, E), x (…, E), one-hot (…, V).
"""

import numpy as np


def one_hot(ids: np.ndarray, V: int, dtype=np.float64) -> np.ndarray:
    """One-hot vectors (…, V) of ids (…)."""
    return np.eye(V, dtype=dtype)[ids]


def embed(W: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Vectors (…, E) of ids (…), rows of the table W (V, E)."""
    return W[ids]                                                              # (1)


def embed_backward(dx: np.ndarray, ids: np.ndarray, V: int) -> np.ndarray:
    """The gradient (V, E) of the table, from dx (…, E)."""
    dW = np.zeros((V, dx.shape[-1]), dx.dtype)
    np.add.at(dW, ids, dx)                                                     # (2)
    return dW
