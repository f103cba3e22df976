"""What all recurrent layers share: the public way in and out, with lengths, around a layer's own loop over packed rows.

A layer brings ``forward_packed`` and ``backward_packed``, its loops over time; here stand the checks of what comes in, and the
way from padded batches (T, B, ·) to packed rows (N, ·) and back (see ``packing.py``).

A state is a tuple of arrays (B, H), one for each name in ``state_parts``: (h, c) for an LSTM, (h,) for a GRU or a simple RNN.
Integers in place of vectors are read as one-hot input (see ``one_hot.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minilstm import kernels
from minilstm.checks import check_array, check_ids, check_params, check_size
from minilstm.errors import InputError
from minilstm.layers.initial import glorot_uniform, orthogonal
from minilstm.layers.one_hot import one_hot_matmul, one_hot_matmul_backward
from minilstm.layers.packing import Packing
from minilstm.layers.workspace import Workspace

State = tuple[np.ndarray, ...]  # (B, H) each


@dataclass(frozen=True)
class Recurrent(ABC):
    """A recurrent layer from ``input_size`` (D) to ``hidden_size`` (H) numbers a step."""

    input_size: int
    hidden_size: int

    state_parts: ClassVar[tuple[str, ...]] = ("h",)
    gates: ClassVar[int]  # blocks of H columns in Wx and Wh
    biases: ClassVar[tuple[str, ...]] = ("b",)

    def __post_init__(self):
        check_size("input_size", self.input_size)
        check_size("hidden_size", self.hidden_size)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        D, H, columns = self.input_size, self.hidden_size, self.gates * self.hidden_size
        return {"Wx": (D, columns), "Wh": (H, columns)} | {name: (columns,) for name in self.biases}

    def init(self, rng: np.random.Generator, dtype=np.float32) -> dict[str, np.ndarray]:
        """Wx Glorot uniform (2010), Wh orthogonal (Saxe et al. 2014), biases zero."""
        D, H, columns = self.input_size, self.hidden_size, self.gates * self.hidden_size
        weights = {"Wx": glorot_uniform(rng, D, columns, dtype), "Wh": orthogonal(rng, H, columns, dtype)}
        return weights | {name: np.zeros(columns, dtype) for name in self.biases}

    def zero_state(self, B: int, dtype) -> State:
        """The initial state that is taken when none is given."""
        return tuple(np.zeros((B, self.hidden_size), dtype) for _ in self.state_parts)

    def check_state(self, name: str, state, B: int, dtype) -> State:
        """A tuple with one array (B, H) for each part; zeros for None."""
        if state is None:
            return self.zero_state(B, dtype)
        parts = ", ".join(self.state_parts)
        if not isinstance(state, (tuple, list)) or len(state) != len(self.state_parts):
            what = f"{len(state)} arrays" if isinstance(state, (tuple, list)) else type(state).__name__
            raise InputError(f"{name} must be a tuple ({parts}{',' * (len(parts) == 1)}), each (B, H), not {what}")
        for part, array in zip(self.state_parts, state):
            check_array(f"{part} of {name}", array, (B, self.hidden_size), dtype, "(B, H)")
        return tuple(state)

    def forward(self, params, x, state=None, lengths=None, workspace=None) -> tuple[np.ndarray, State, Any]:
        """Hidden states of all steps, the final state, and a cache for the way back.

        Parameters
        ----------
        params : arrays by name, of the shapes in ``shapes`` and all of one dtype, float or complex.
        x : (T, B, D) in that dtype, or integers (T, B) in [0, D) for one-hot input.
        state : the initial state, (h0, c0) for an LSTM, (h0,) for other cells, each (B, H); zeros if left out.
        lengths : (B,) integers; how many steps of each sequence are real, all T if left out.
        workspace : where to take arrays from and find them again at the next call; fresh ones if left out. Each thread needs
            its own; the layer itself can be used by several threads at once.

        Returns
        -------
        h : (T, B, H); past its length a sequence repeats its last hidden state.
        final : (hT, cT) or (hT,), (B, H) each, the state after each sequence's last real step.
        cache : for ``backward``.
        """
        dtype = check_params(params, self.shapes)
        x = np.asarray(x)
        if x.dtype.kind in "iu" and x.ndim == 2:
            check_ids("x", x, self.input_size)
        else:
            check_array("x", x, (None, None, self.input_size), dtype, "(T, B, D)")
        T, B = x.shape[:2]
        packing = Packing(T, B, lengths)
        state = self.check_state("state", state, B, dtype)
        work = Workspace() if workspace is None else workspace
        with work:
            _, final, cache = self.forward_packed(params, packing.pack(x), state, packing, work)
            return packing.unpack_slots(cache.h), final, cache

    def backward(self, params, dh, cache, dstate=None, grads=None):
        """From dLoss/dh back to the inputs, the initial state and the parameters.

        Parameters
        ----------
        dh : (T, B, H); what stands past a sequence's length is not read.
        dstate : what the loss feels through the final state, in its form; zeros if left out.
        grads : arrays to write the gradients to; fresh ones if left out.

        Returns
        -------
        dx : (T, B, D), zeros at the padding; None for one-hot input.
        dstate0 : (dh0, dc0) or (dh0,), (B, H) each.
        grads : by the names of the parameters, shaped as they are.
        """
        dtype = check_params(params, self.shapes)
        packing = cache.packing
        dh = check_array("dh", dh, (packing.T, packing.B, self.hidden_size), dtype, "(T, B, H)")
        dstate = self.check_state("dstate", dstate, packing.B, dtype)
        with cache.workspace:
            dx, dstate0, grads = self.backward_packed(params, packing.pack(dh), dstate, cache, grads)
            return None if dx is None else packing.unpack(dx), dstate0, grads

    @abstractmethod
    def forward_packed(
        self, params, x, state: State, packing: Packing, workspace: Workspace | None = None
    ) -> tuple[np.ndarray, State, Any]:
        """``forward`` on packed rows: x (N, D) or ids (N,) to h (N, H)."""

    @abstractmethod
    def backward_packed(self, params, dh, dstate: State, cache, grads=None):
        """``backward`` on packed rows: dh (N, H) to dx (N, D), or None for one-hot input."""


def project(x: np.ndarray, Wx: np.ndarray, out: np.ndarray) -> None:
    """x Wx for all steps at once; a gather where x are ids."""
    if x.ndim == 1:
        one_hot_matmul(x, Wx, out)
    else:
        np.matmul(x, Wx, out=out)


def project_backward(x: np.ndarray, Wx: np.ndarray, dz: np.ndarray, dWx: np.ndarray, work: Workspace) -> np.ndarray | None:
    """Of all steps at once: dWx, and dx (N, D); where x are ids, a scatter-add and None."""
    if x.ndim == 1:
        one_hot_matmul_backward(x, dz, dWx)
        return None
    np.matmul(x.T, dz, out=dWx)
    return np.matmul(dz, Wx.T, out=work.empty("dx", x.shape, Wx.dtype))


def in_panels(W: np.ndarray, work: Workspace) -> np.ndarray:
    """W as a loop over time wants it that is compiled as a whole (see ``kernels/panels.py``)."""
    panels = work.empty("panels", kernels.panels.shape(W), W.dtype)
    kernels.panels.pack(W, panels)
    return panels
