"""An LSTM over whole sequences: the cell of ``minilstm.cells.lstm`` step after step, and backpropagation through time.

    forward    z = x Wx                       one large product for all steps
               z[t] += h[t-1] Wh + b          one small product a step, then the gates: one kernel call a step
    backward   dz[t] from dh[t] and dc[t]     one kernel call a step
               dh[t-1] += dz[t] Whᵀ           one small product a step
               dWx, dWh, db, dx from dz       one large product each, after the loop

Backpropagation through time: Werbos (1990). Steps past a sequence's length are not computed at all: everything runs on
packed rows (see ``packing.py``). Integers in place of vectors are read as one-hot input (see ``one_hot.py``).

Shapes: x (T, B, D) or integers (T, B); h (T, B, H); states (B, H); Wx (D, 4H), Wh (H, 4H), b (4H,), blocks i, f, g, o.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.checks import check_array, check_ids, check_params, check_size
from minilstm.errors import InputError
from minilstm.layers.initial import glorot_uniform, orthogonal
from minilstm.layers.one_hot import one_hot_matmul, one_hot_matmul_backward
from minilstm.layers.packing import Packing
from minilstm.layers.workspace import Workspace

State = tuple[np.ndarray, np.ndarray]  # h and c, (B, H) each


class LSTMCache(NamedTuple):
    """What the way back needs. Backward reads it and never changes it."""

    x: np.ndarray  # (N, D), or ids (N,)
    gates: np.ndarray  # (N, 4H), activated: i, f, g, o
    tanh_c: np.ndarray  # (N, H)
    c: np.ndarray  # (B + N, H), slots
    h: np.ndarray  # (B + N, H), slots
    packing: Packing
    workspace: Workspace
    turn: int


@dataclass(frozen=True)
class LSTM:
    """A recurrent layer from ``input_size`` (D) to ``hidden_size`` (H) numbers a step."""

    input_size: int
    hidden_size: int

    def __post_init__(self):
        check_size("input_size", self.input_size)
        check_size("hidden_size", self.hidden_size)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        D, H = self.input_size, self.hidden_size
        return {"Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)}

    def init(self, rng: np.random.Generator, dtype=np.float32) -> dict[str, np.ndarray]:
        """Wx Glorot uniform (2010), Wh orthogonal (Saxe et al. 2014), b zero but 1 for the forget gate.

        The forget gate's 1 keeps memory open at the start: Gers, Schmidhuber and Cummins (2000); Jozefowicz, Zaremba and
        Sutskever, An empirical exploration of recurrent network architectures (2015).
        """
        D, H = self.input_size, self.hidden_size
        b = np.zeros(4 * H, dtype)
        b[H : 2 * H] = 1
        return {"Wx": glorot_uniform(rng, D, 4 * H, dtype), "Wh": orthogonal(rng, H, 4 * H, dtype), "b": b}

    def zero_state(self, B: int, dtype) -> State:
        """The initial state that is taken when none is given."""
        return np.zeros((B, self.hidden_size), dtype), np.zeros((B, self.hidden_size), dtype)

    def forward(self, params, x, state=None, lengths=None, workspace=None) -> tuple[np.ndarray, State, LSTMCache]:
        """Hidden states of all steps, the final state, and a cache for the way back.

        Parameters
        ----------
        params : {"Wx": (D, 4H), "Wh": (H, 4H), "b": (4H,)}, all of one dtype, float or complex.
        x : (T, B, D) in that dtype, or integers (T, B) in [0, D) for one-hot input.
        state : (h0, c0), each (B, H); zeros if left out.
        lengths : (B,) integers; how many steps of each sequence are real, all T if left out.
        workspace : where to take arrays from and find them again at the next call; fresh ones if left out.

        Returns
        -------
        h : (T, B, H); past its length a sequence repeats its last hidden state.
        (hT, cT) : (B, H) each, the state after each sequence's last real step.
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
        state = self._check_state("state", state, B, dtype)
        _, final, cache = self.forward_packed(params, packing.pack(x), state, packing, workspace)
        return packing.unpack_slots(cache.h), final, cache

    def backward(self, params, dh, cache: LSTMCache, dstate=None, grads=None):
        """From dLoss/dh back to the inputs, both initial states and the parameters.

        Parameters
        ----------
        dh : (T, B, H); what stands past a sequence's length is not read.
        dstate : (dhT, dcT), each (B, H), what the loss feels through the final state; zeros if left out.
        grads : arrays to write the gradients to; fresh ones if left out.

        Returns
        -------
        dx : (T, B, D), zeros at the padding; None for one-hot input.
        (dh0, dc0) : (B, H) each.
        grads : {"Wx": …, "Wh": …, "b": …}, shaped as the parameters.
        """
        dtype = check_params(params, self.shapes)
        packing = cache.packing
        dh = check_array("dh", dh, (packing.T, packing.B, self.hidden_size), dtype, "(T, B, H)")
        dstate = self._check_state("dstate", dstate, packing.B, dtype)
        dx, dstate0, grads = self.backward_packed(params, packing.pack(dh), dstate, cache, grads)
        return None if dx is None else packing.unpack(dx), dstate0, grads

    def forward_packed(
        self, params, x, state: State, packing: Packing, workspace: Workspace | None = None
    ) -> tuple[np.ndarray, State, LSTMCache]:
        """``forward`` on packed rows: x (N, D) or ids (N,) to h (N, H)."""
        Wx, Wh, b = params["Wx"], params["Wh"], params["b"]
        N, B, H = packing.N, packing.B, self.hidden_size
        work = Workspace() if workspace is None else workspace
        turn = work.begin()
        z = work.empty("z", (N, 4 * H), Wx.dtype)  # pre-activations, then gates
        zh = work.empty("zh", (B, 4 * H), Wx.dtype)
        tanh_c = work.empty("tanh_c", (N, H), Wx.dtype)
        h = work.empty("h", (B + N, H), Wx.dtype)  # slots: slot 0 is the initial state
        c = work.empty("c", (B + N, H), Wx.dtype)

        if x.ndim == 1:
            one_hot_matmul(x, Wx, out=z)
        else:
            np.matmul(x, Wx, out=z)
        h[:B], c[:B] = packing.sort(state[0]), packing.sort(state[1])
        for t, n in enumerate(packing.counts):
            rows, before, now = _rows(packing.starts[t], n), _rows(packing.slots[t], n), _rows(packing.slots[t + 1], n)
            np.matmul(h[before], Wh, out=zh[:n])
            kernels.lstm.lstm_step(zh[:n], b, c[before], z[rows], c[now], tanh_c[rows], h[now])
        return h[B:], (packing.last(h), packing.last(c)), LSTMCache(x, z, tanh_c, c, h, packing, work, turn)

    def backward_packed(self, params, dh, dstate: State, cache: LSTMCache, grads=None):
        """``backward`` on packed rows: dh (N, H) to dx (N, D), or None for one-hot input."""
        x, gates, tanh_c, c, h, packing, work, turn = cache
        work.check(turn)
        Wx, Wh_T = params["Wx"], params["Wh"].T
        N, H = packing.N, self.hidden_size
        grads = {name: np.empty_like(p) for name, p in params.items()} if grads is None else grads
        dz = work.empty("dz", (N, 4 * H), Wx.dtype)
        dh_next, dc = packing.sort(dstate[0]), packing.sort(dstate[1])  # copies: they travel back through time

        for t, n in reversed(list(enumerate(packing.counts))):
            rows, before = _rows(packing.starts[t], n), _rows(packing.slots[t], n)
            kernels.lstm.lstm_step_backward(
                dh[rows], dh_next[:n], gates[rows], c[before], tanh_c[rows], dc[:n], dz[rows]
            )
            np.matmul(dz[rows], Wh_T, out=dh_next[:n])

        np.matmul(packing.before(h).T, dz, out=grads["Wh"])
        np.sum(dz, axis=0, out=grads["b"])
        dx = None
        if x.ndim == 1:
            one_hot_matmul_backward(x, dz, grads["Wx"])
        else:
            np.matmul(x.T, dz, out=grads["Wx"])
            dx = np.matmul(dz, Wx.T, out=work.empty("dx", (N, self.input_size), Wx.dtype))
        return dx, (packing.unsort(dh_next), packing.unsort(dc)), grads

    def _check_state(self, name: str, state, B: int, dtype) -> State:
        if state is None:
            return self.zero_state(B, dtype)
        if len(state) != 2:
            raise InputError(f"{name} must be a pair (h, c), each (B, H), not {len(state)} arrays")
        h, c = state
        check_array(f"{name}[0]", h, (B, self.hidden_size), dtype, "(B, H)")
        check_array(f"{name}[1]", c, (B, self.hidden_size), dtype, "(B, H)")
        return h, c


def _rows(first: int, count: int) -> slice:
    return slice(first, first + count)
