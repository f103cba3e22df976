"""A bridge: from a vector to the initial state of a recurrent layer.

    (1)  h0 = v W_h + b_h,  c0 = v W_c + b_c       a GRU or an RNN has no c0

It is linear. ``minilstm/reference/captioner.py`` is the reference implementation.
Shapes: v (B, F), W (F, H), b (H,), h0 and c0 (B, H).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from minilstm.checks import check_size
from minilstm.layers.initial import glorot_uniform
from minilstm.layers.recurrent import Grads, Params, State


@dataclass(frozen=True)
class Bridge:
    """From ``input_size`` (F) numbers to the parts of a state of width ``hidden_size``."""

    input_size: int
    hidden_size: int
    parts: tuple[str, ...]  # ("h", "c"), or ("h",)

    def __post_init__(self):
        check_size("input_size", self.input_size)
        check_size("hidden_size", self.hidden_size)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        F, H = self.input_size, self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        for part in self.parts:
            shapes |= {f"W_{part}": (F, H), f"b_{part}": (H,)}
        return shapes

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Grads:
        """Each W Glorot uniform (2010), each b zero."""
        return {
            name: glorot_uniform(rng, *shape, dtype)
            if len(shape) == 2
            else np.zeros(shape, dtype)
            for name, shape in self.shapes.items()
        }

    def forward(self, params: Params, v: np.ndarray) -> State:
        """The initial state, arrays (B, H), from v (B, F)."""
        return tuple(
            v @ params[f"W_{part}"] + params[f"b_{part}"] for part in self.parts
        )                                                                      # (1)

    def backward(
        self, params: Params, dstate: State, v: np.ndarray, grads: Grads
    ) -> np.ndarray:
        """dv (B, F), from dL/d(initial state). The gradients go to ``grads``."""
        dv = np.zeros_like(v)
        for part, d in zip(self.parts, dstate):
            np.matmul(v.T, d, out=grads[f"W_{part}"])                          # (1)
            np.sum(d, axis=0, out=grads[f"b_{part}"])                          # (1)
            dv += d @ params[f"W_{part}"].T  # v is read by each part            (1)
        return dv
