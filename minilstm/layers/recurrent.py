"""What all recurrent layers have in common: ``forward`` and ``backward`` with lengths.

A layer defines ``forward_packed`` and ``backward_packed``, its loops over time. This file
has the checks of arguments, and the conversion from padded mini-batches (T, B, ·) to
packed rows (N, ·) and back (see ``packing.py``).

A state is a tuple of arrays (B, H), one for each name in ``state_parts``: (h, c) for an
LSTM, (h,) for a GRU or an RNN. Integers instead of vectors are one-hot input (see
``one_hot.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from minilstm import kernels
from minilstm.checks import check_array, check_ids, check_params, check_size
from minilstm.errors import InputError
from minilstm.layers.initial import glorot_uniform, orthogonal
from minilstm.layers.one_hot import one_hot_matmul, one_hot_matmul_backward
from minilstm.layers.packing import Packing
from minilstm.layers.workspace import Workspace

State = tuple[np.ndarray, ...]  # (B, H) each
Params = Mapping[str, np.ndarray]  # parameters by name
Grads = dict[str, np.ndarray]  # gradients by the names of the parameters


@dataclass(frozen=True)
class Recurrent(ABC):
    """A recurrent layer over whole sequences.

    Parameters
    ----------
    input_size : int
        D, the width of the input; for one-hot input, the number of ids.
    hidden_size : int
        H, the width of the hidden state.
    """

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

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Grads:
        """Initial parameters by name: random weights, biases zero.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws Wx, Glorot uniform (2010), and Wh, orthogonal (Saxe et al. 2014).
        dtype : data type
            float32 to train, float64 to check gradients, or complex. Inputs and states
            must have the same.

        Returns
        -------
        params : dict of arrays
            Parameters by name, with the shapes of ``shapes``.
        """
        D, H, columns = self.input_size, self.hidden_size, self.gates * self.hidden_size
        weights = {"Wx": glorot_uniform(rng, D, columns, dtype), "Wh": orthogonal(rng, H, columns, dtype)}
        return weights | {name: np.zeros(columns, dtype) for name in self.biases}

    def zero_state(self, B: int, dtype: DTypeLike) -> State:
        """The default initial state: zeros."""
        return tuple(np.zeros((B, self.hidden_size), dtype) for _ in self.state_parts)

    def check_state(self, name: str, state: Any, B: int, dtype: DTypeLike) -> State:
        """Check for a tuple with one array (B, H) for each part; zeros for None."""
        if state is None:
            return self.zero_state(B, dtype)
        parts = ", ".join(self.state_parts)
        if not isinstance(state, (tuple, list)) or len(state) != len(self.state_parts):
            what = f"{len(state)} arrays" if isinstance(state, (tuple, list)) else type(state).__name__
            raise InputError(f"{name} must be a tuple ({parts}{',' * (len(parts) == 1)}), each (B, H), not {what}")
        for part, array in zip(self.state_parts, state):
            check_array(f"{part} of {name}", array, (B, self.hidden_size), dtype, "(B, H)")
        return tuple(state)

    def forward(
        self,
        params: Params,
        x: np.ndarray,
        state: State | None = None,
        lengths: np.ndarray | None = None,
        workspace: Workspace | None = None,
    ) -> tuple[np.ndarray, State, Any]:
        """Hidden states of all time steps, the final state, and a cache for backward.

        Parameters
        ----------
        params : dict of arrays
            Parameters by name, with the shapes of ``shapes``, as ``init`` makes them. All
            have one dtype, float or complex.
        x : (T, B, D) array, or (T, B) integers
            T time steps of B sequences, in the dtype of the parameters. Integers in
            [0, D) are ids: one-hot input.
        state : tuple of (B, H) arrays, optional
            Initial state: (h0, c0) for an LSTM, (h0,) for other cells. Default: zeros.
        lengths : (B,) integers, optional
            Number of real steps of each sequence. Default: all T.
        workspace : Workspace, optional
            Keeps the buffers for the next call, which overwrites them. Each thread needs
            its own. Default: new buffers.

        Returns
        -------
        h : (T, B, H) array
            Past its length a sequence repeats its last hidden state.
        final : tuple of (B, H) arrays
            (hT, cT) or (hT,), the state after the last real step of each sequence.
        cache : named tuple
            What ``backward`` needs.

        Raises
        ------
        InputError
            If a shape, dtype, id or length does not fit.
        InUseError
            If another thread is using the workspace.

        Examples
        --------
        >>> from minilstm import LSTM
        >>> rng = np.random.default_rng(0)
        >>> layer = LSTM(input_size=3, hidden_size=4)
        >>> params = layer.init(rng, np.float64)
        >>> x = rng.normal(size=(5, 2, 3))  # (T, B, D)
        >>> h, (hT, cT), cache = layer.forward(params, x)
        >>> h.shape, hT.shape, bool(np.all(h[-1] == hT))
        ((5, 2, 4), (2, 4), True)
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
            return packing.unpack_states(cache.h), final, cache

    def backward(
        self,
        params: Params,
        dh: np.ndarray,
        cache: Any,
        dstate: State | None = None,
        grads: Grads | None = None,
    ) -> tuple[np.ndarray | None, State, Grads]:
        """Gradients of the inputs, the initial state and the parameters (BPTT).

        Parameters
        ----------
        params : dict of arrays
            The parameters of the forward pass.
        dh : (T, B, H) array
            dL/dh, the gradient of the loss with respect to h. What lies past a
            sequence's length is not read.
        cache : named tuple
            From ``forward``. It is not changed.
        dstate : tuple of (B, H) arrays, optional
            dL/d(final state). Default: zeros.
        grads : dict of arrays, optional
            Arrays to write the gradients to. Default: new ones.

        Returns
        -------
        dx : (T, B, D) array
            Zeros at the padding; None for one-hot input.
        dstate0 : tuple of (B, H) arrays
            dL/d(initial state): (dh0, dc0) or (dh0,).
        grads : dict of arrays
            dL/dparameters, with their names and shapes.

        Raises
        ------
        InputError
            If a shape or dtype does not fit, or the cache is out of date.
        InUseError
            If another thread is using the cache's workspace.
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
        self,
        params: Params,
        x: np.ndarray,
        state: State,
        packing: Packing,
        workspace: Workspace | None = None,
    ) -> tuple[np.ndarray, State, Any]:
        """``forward`` on packed rows: x (N, D) or ids (N,) to h (N, H)."""

    @abstractmethod
    def backward_packed(
        self,
        params: Params,
        dh: np.ndarray,
        dstate: State,
        cache: Any,
        grads: Grads | None = None,
    ) -> tuple[np.ndarray | None, State, Grads]:
        """``backward`` on packed rows: dh (N, H) to dx (N, D), or None for one-hot."""


def project(x: np.ndarray, Wx: np.ndarray, out: np.ndarray) -> None:
    """x Wx for all time steps at once; for ids, rows of Wx."""
    if x.ndim == 1:
        one_hot_matmul(x, Wx, out)
    else:
        np.matmul(x, Wx, out=out)


def project_backward(
    x: np.ndarray, Wx: np.ndarray, dz: np.ndarray, dWx: np.ndarray, work: Workspace
) -> np.ndarray | None:
    """Write dWx, and return dx (N, D), for all time steps at once; None for ids."""
    if x.ndim == 1:
        one_hot_matmul_backward(x, dz, dWx)
        return None
    np.matmul(x.T, dz, out=dWx)
    return np.matmul(dz, Wx.T, out=work.empty("dx", x.shape, Wx.dtype))


def pack_weights(W: np.ndarray, shape: tuple[int, int], work: Workspace) -> np.ndarray:
    """Pack W for the compiled time loop (see ``kernels/packed_weights.py``).

    Raises InputError unless W has this shape: the loop itself does not check it.
    """
    check_array("the matrix of the time loop", W, shape, W.dtype)
    packed = work.empty("packed", kernels.packed_weights.shape(W), W.dtype)
    kernels.packed_weights.pack(W, packed)
    return packed
