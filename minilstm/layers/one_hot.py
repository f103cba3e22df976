"""One-hot input that is never built.

The one-hot vector of id k has a 1 at place k and zeros elsewhere. Its product with a
matrix is row k of the matrix:

    (1)  onehot(ids) W        = W[ids]                                      gather
    (2)  dW = onehot(ids)ᵀ dz :  dW[ids[n]] += dz[n]  for every n           scatter-add

So an embedding is a linear layer on one-hot input. Shapes: ids (N,), W (V, K), the
product (N, K).
"""

from __future__ import annotations

import numpy as np

from minilstm import kernels


def one_hot_matmul(ids: np.ndarray, W: np.ndarray, out: np.ndarray) -> np.ndarray:
    """onehot(ids) @ W by equation (1), written to ``out`` (N, K)."""
    kernels.embedding.gather(ids, W, out)
    return out


def one_hot_matmul_backward(
    ids: np.ndarray, dz: np.ndarray, dW: np.ndarray, add: bool = False
) -> np.ndarray:
    """onehot(ids).T @ dz by equation (2), written to ``dW`` (V, K), or added to it."""
    if not add:
        dW[...] = 0
    kernels.embedding.gather_backward(ids, dz, dW)
    return dW
