"""All parameters in one flat vector, and names for its parts.

    flat   [ . . . . . . . . . . . . . . . . . . . ]    one block of memory
             └ "lstm0.Wx" ─┘└ "lstm0.Wh" ┘└ "b" ┘ …      its views, each with its shape

An optimizer, a norm or a checkpoint reads one vector; a layer reads the matrices of its
equations. Nothing is copied between the two: they are the same memory. Gradients lie in
a second vector of the same layout.

A copy or a pickle copies the flat vector and makes new views of it. ``copy.copy`` does
the same as ``copy.deepcopy``, since shared memory would be a trap.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import DTypeLike

from minilstm.kernels import huge_pages


class ParameterVector(Mapping[str, np.ndarray]):
    """A flat vector with named views, in the order in which the names are given.

    Parameters
    ----------
    shapes : mapping from str to tuple of int
        Shapes by name; names are ``layer.parameter``.
    dtype : data type
        Of all parameters.
    flat : (size,) array, optional
        The vector. Default: a new one, all zeros.

    Examples
    --------
    >>> p = ParameterVector({"output.W": (2, 3), "output.b": (3,)}, np.float64)
    >>> p["output.b"][:] = 7
    >>> p.flat
    array([0., 0., 0., 0., 0., 0., 7., 7., 7.])
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        dtype: DTypeLike,
        flat: np.ndarray | None = None,
    ):
        self.shapes = dict(shapes)
        size = sum(math.prod(shape) for shape in self.shapes.values())
        self.flat = huge_pages.zeros(size, dtype) if flat is None else flat
        assert self.flat.shape == (size,) and self.flat.dtype == np.dtype(dtype)
        self._views: dict[str, np.ndarray] = {}
        start = 0
        for name, shape in self.shapes.items():
            stop = start + math.prod(shape)
            self._views[name] = self.flat[start:stop].reshape(shape)
            start = stop

    def __reduce__(self):
        return type(self), (self.shapes, self.flat.dtype, self.flat)

    def __copy__(self) -> ParameterVector:
        return copy.deepcopy(self)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def layer(self, name: str) -> dict[str, np.ndarray]:
        """The parameters of one layer by short name: ``{"Wx": …, "Wh": …, "b": …}``."""
        prefix = name + "."
        return {
            key[len(prefix) :]: view
            for key, view in self._views.items()
            if key.startswith(prefix)
        }

    def zeros_like(self) -> ParameterVector:
        """A vector of the same layout, all zeros, for gradients."""
        return ParameterVector(self.shapes, self.flat.dtype)

    def astype(self, dtype: DTypeLike) -> ParameterVector:
        """A copy in another dtype: float64 or complex128 for a gradient check."""
        return ParameterVector(self.shapes, dtype, self.flat.astype(dtype))
