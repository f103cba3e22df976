"""Embedding: every id has a vector of its own, a row of a trained table.

    (1)  x[n] = W[ids[n]]                    forward: a gather
    (2)  dW[ids[n]] += dx[n]                 backward: a scatter-add; ids get no gradient

Bengio, Ducharme, Vincent and Jauvin, A neural probabilistic language model (2003). It is the product of ``one_hot.py``
with a matrix W, under another name. Shapes: ids (…), W (V, E), x (…, E).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minilstm.checks import check_array, check_ids, check_params, check_size
from minilstm.layers.one_hot import one_hot_matmul, one_hot_matmul_backward


class EmbeddingCache(NamedTuple):
    """The ids that were looked up."""

    ids: np.ndarray  # (…)


@dataclass(frozen=True)
class Embedding:
    """A table of ``vocab_size`` rows of ``width`` numbers."""

    vocab_size: int
    width: int

    def __post_init__(self):
        check_size("vocab_size", self.vocab_size)
        check_size("width", self.width)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return {"W": (self.vocab_size, self.width)}

    def init(self, rng: np.random.Generator, dtype=np.float32) -> dict[str, np.ndarray]:
        """Uniform in ±0.05, as Keras has it."""
        return {"W": rng.uniform(-0.05, 0.05, (self.vocab_size, self.width)).astype(dtype)}

    def forward(self, params, ids) -> tuple[np.ndarray, EmbeddingCache]:
        """Vectors of ids: (…) integers to (…, E)."""
        ids = check_ids("ids", ids, self.vocab_size)
        x = np.empty((ids.size, self.width), check_params(params, self.shapes))  # (N, E)
        one_hot_matmul(ids.ravel(), params["W"], x)                        # (1)
        return x.reshape(*ids.shape, self.width), EmbeddingCache(ids)

    def backward(self, params, dx, cache: EmbeddingCache, grads=None, add: bool = False) -> dict[str, np.ndarray]:
        """Gradient of the table. ``grads``: arrays to write it to, or with ``add`` to add it to; none given, a fresh one."""
        dx = check_array("dx", dx, (*cache.ids.shape, self.width), params["W"].dtype, "(…, E)")
        grads = {"W": np.zeros_like(params["W"])} if grads is None else grads
        one_hot_matmul_backward(cache.ids.ravel(), dx.reshape(-1, self.width), grads["W"], add)  # (2)
        return grads
