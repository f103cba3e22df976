"""Embedding: every id has a vector of its own, a row of a trained table.

    (1)  x[n] = W[ids[n]]                    forward: gather
    (2)  dW[ids[n]] += dx[n]                 backward: scatter-add; ids have no gradient

Bengio, Ducharme, Vincent and Jauvin, A neural probabilistic language model (2003). It is
the product of a one-hot vector with a matrix W (``one_hot.py``). Shapes: ids (…),
W (V, E), x (…, E).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minilstm.checks import check_array, check_ids, check_params, check_size
from minilstm.layers.one_hot import one_hot_matmul, one_hot_matmul_backward
from minilstm.layers.recurrent import Grads, Params


class EmbeddingCache(NamedTuple):
    """What backward needs: the ids."""

    ids: np.ndarray  # (…)


@dataclass(frozen=True)
class Embedding:
    """A table of ``vocab_size`` (V) rows of ``width`` (E) numbers."""

    vocab_size: int
    width: int

    def __post_init__(self):
        check_size("vocab_size", self.vocab_size)
        check_size("width", self.width)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return {"W": (self.vocab_size, self.width)}

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Grads:
        """Uniform in ±0.05, as in Keras."""
        table = rng.uniform(-0.05, 0.05, (self.vocab_size, self.width))
        return {"W": table.astype(dtype)}

    def forward(
        self, params: Params, ids: np.ndarray
    ) -> tuple[np.ndarray, EmbeddingCache]:
        """Vectors x (…, E) of ids (…), and a cache.

        Raises InputError if an id is outside [0, V), or a shape or dtype does not fit.
        """
        ids = check_ids("ids", ids, self.vocab_size)
        dtype = check_params(params, self.shapes)
        x = np.empty((ids.size, self.width), dtype)  # (N, E)
        one_hot_matmul(ids.ravel(), params["W"], x)                        # (1)
        return x.reshape(*ids.shape, self.width), EmbeddingCache(ids)

    def backward(
        self,
        params: Params,
        dx: np.ndarray,
        cache: EmbeddingCache,
        grads: Grads | None = None,
        add: bool = False,
    ) -> Grads:
        """Gradient of the table, from dx (…, E).

        It is written to the arrays ``grads``, or with ``add`` added to them. Default: a new
        array. Raises InputError if a shape or dtype does not fit.
        """
        shape = (*cache.ids.shape, self.width)
        dx = check_array("dx", dx, shape, params["W"].dtype, "(…, E)")
        grads = {"W": np.zeros_like(params["W"])} if grads is None else grads
        rows = dx.reshape(-1, self.width)
        one_hot_matmul_backward(cache.ids.ravel(), rows, grads["W"], add)  # (2)
        return grads
