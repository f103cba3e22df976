"""Dense layer: a matrix product and a bias.

    (1)  y = x W + b
    (2)  dx = dy Wᵀ,   dW = xᵀ dy,   db = Σ dy over all rows

Shapes: x (…, D), W (D, K), b (K,), y (…, K). A language model computes its logits with
this layer when it generates. In training ``losses.output_loss`` computes the product in
chunks, together with the loss.

A layer tied to an embedding has no matrix of its own: W is the table of the embedding,
transposed. Row v of the table is then both the vector of token v as an input and its
weights as an output. The table's gradient is the sum of both. Press and Wolf, Using the
output embedding to improve language models (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minilstm.checks import check_array, check_params, check_size
from minilstm.layers.initial import glorot_uniform
from minilstm.layers.recurrent import Grads, Params


class DenseCache(NamedTuple):
    """What backward needs: the input."""

    x: np.ndarray  # (…, D)


@dataclass(frozen=True)
class Dense:
    """From ``input_size`` (D) numbers to ``output_size`` (K)."""

    input_size: int
    output_size: int

    def __post_init__(self):
        check_size("input_size", self.input_size)
        check_size("output_size", self.output_size)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return {"W": (self.input_size, self.output_size), "b": (self.output_size,)}

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Grads:
        """W Glorot uniform (Glorot and Bengio 2010), b zero."""
        return {
            "W": glorot_uniform(rng, self.input_size, self.output_size, dtype),
            "b": np.zeros(self.output_size, dtype),
        }

    def forward(self, params: Params, x: np.ndarray) -> tuple[np.ndarray, DenseCache]:
        """Compute y (…, K) and a cache from params {"W", "b"} and x (…, D).

        Raises InputError if a shape or dtype does not fit.
        """
        # not ``self.shapes``: a tied layer gets the W of another layer
        W_and_b = {"W": (self.input_size, self.output_size), "b": (self.output_size,)}
        dtype = check_params(params, W_and_b)
        x = check_array("x", x, (*np.shape(x)[:-1], self.input_size), dtype, "(…, D)")
        return x @ params["W"] + params["b"], DenseCache(x)                # (1)

    def backward(
        self,
        params: Params,
        dy: np.ndarray,
        cache: DenseCache,
        grads: Grads | None = None,
    ) -> tuple[np.ndarray, Grads]:
        """Compute dx (…, D) and the gradients from dy (…, K).

        ``grads`` has arrays to write the gradients to. Default: new ones. Raises InputError
        if a shape or dtype does not fit.
        """
        shape = (*cache.x.shape[:-1], self.output_size)
        dy = check_array("dy", dy, shape, params["W"].dtype, "(…, K)")
        if grads is None:
            grads = {name: np.empty_like(p) for name, p in params.items()}
        rows = cache.x.reshape(-1, self.input_size)
        drows = dy.reshape(-1, self.output_size)
        np.matmul(rows.T, drows, out=grads["W"])                           # (2)
        np.sum(drows, axis=0, out=grads["b"])                              # (2)
        return dy @ params["W"].T, grads                                   # (2)


@dataclass(frozen=True)
class TiedDense(Dense):
    """A dense layer whose W is the table of an embedding, transposed."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of its own parameters, without W."""
        return {"b": (self.output_size,)}

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Grads:
        """b zero."""
        return {"b": np.zeros(self.output_size, dtype)}
