"""Dense layer: a matrix product and a bias.

    (1)  y = x W + b
    (2)  dx = dy Wᵀ,   dW = xᵀ dy,   db = Σ dy over all rows

Shapes: x (…, D), W (D, K), b (K,), y (…, K). A language model computes its logits with this layer when it generates; in
training ``losses.output_loss`` does the same product in chunks, together with the loss.

Tied to an embedding, the layer has no matrix of its own: row v of the table is the vector of word v where it is read, and its
direction where it is predicted. W is then the table transposed, and the table's gradient the sum of both. Press and Wolf,
Using the output embedding to improve language models (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minilstm.checks import check_array, check_params, check_size
from minilstm.layers.initial import glorot_uniform


class DenseCache(NamedTuple):
    """The input that was multiplied."""

    x: np.ndarray  # (…, D)


@dataclass(frozen=True)
class Dense:
    """From ``input_size`` numbers to ``output_size``."""

    input_size: int
    output_size: int

    def __post_init__(self):
        check_size("input_size", self.input_size)
        check_size("output_size", self.output_size)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return {"W": (self.input_size, self.output_size), "b": (self.output_size,)}

    def init(self, rng: np.random.Generator, dtype=np.float32) -> dict[str, np.ndarray]:
        """W Glorot uniform (Glorot and Bengio 2010), b zero."""
        return {
            "W": glorot_uniform(rng, self.input_size, self.output_size, dtype),
            "b": np.zeros(self.output_size, dtype),
        }

    def forward(self, params, x) -> tuple[np.ndarray, DenseCache]:
        """(…, D) to (…, K)."""
        # not ``self.shapes``: a tied layer is handed a W that is not its own
        dtype = check_params(params, {"W": (self.input_size, self.output_size), "b": (self.output_size,)})
        x = check_array("x", x, (*np.shape(x)[:-1], self.input_size), dtype, "(…, D)")
        return x @ params["W"] + params["b"], DenseCache(x)                # (1)

    def backward(self, params, dy, cache: DenseCache, grads=None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """(…, K) back to dx (…, D), and the gradients. ``grads``: arrays to write them to; none given, fresh ones."""
        dy = check_array("dy", dy, (*cache.x.shape[:-1], self.output_size), params["W"].dtype, "(…, K)")
        grads = {name: np.empty_like(p) for name, p in params.items()} if grads is None else grads
        rows, drows = cache.x.reshape(-1, self.input_size), dy.reshape(-1, self.output_size)
        np.matmul(rows.T, drows, out=grads["W"])                           # (2)
        np.sum(drows, axis=0, out=grads["b"])                              # (2)
        return dy @ params["W"].T, grads                                   # (2)


@dataclass(frozen=True)
class TiedDense(Dense):
    """A dense layer whose W is handed in with the parameters, but is another layer's: an embedding's table, transposed."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that are its own."""
        return {"b": (self.output_size,)}

    def init(self, rng: np.random.Generator, dtype=np.float32) -> dict[str, np.ndarray]:
        """b zero."""
        return {"b": np.zeros(self.output_size, dtype)}
