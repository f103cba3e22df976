"""An LSTM over whole sequences: the cell of ``minilstm.reference.lstm`` step after step, and backpropagation through time.

    forward    z = x Wx                       one large product for all steps
               z[t] += h[t-1] Wh + b          one small product a step, then the gates: one kernel call a step
    backward   dz[t] from dh[t] and dc[t]     one kernel call a step
               dh[t-1] += dz[t] Whᵀ           one small product a step
               dWx, dWh, db, dx from dz       one large product each, after the loop

The loops over time are compiled as a whole; where the small products are better left to BLAS (see ``parallel/threads.py``),
they run here, step by step. Backpropagation through time: Werbos (1990). Steps past a sequence's length are not computed at
all: everything runs on packed rows (see ``packing.py``).

Shapes: x (T, B, D) or integers (T, B); h (T, B, H); states (B, H); Wx (D, 4H), Wh (H, 4H), b (4H,), blocks i, f, g, o.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.layers.packing import Packing
from minilstm.layers.recurrent import Recurrent, State, in_panels, project, project_backward
from minilstm.layers.workspace import Workspace
from minilstm.parallel import threads


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
class LSTM(Recurrent):
    """A layer of LSTM cells; its state is (h, c)."""

    state_parts: ClassVar[tuple[str, ...]] = ("h", "c")
    gates: ClassVar[int] = 4

    def init(self, rng: np.random.Generator, dtype=np.float32) -> dict[str, np.ndarray]:
        """Wx Glorot uniform (2010), Wh orthogonal (Saxe et al. 2014), b zero but 1 for the forget gate.

        The forget gate's 1 keeps memory open at the start: Gers, Schmidhuber and Cummins (2000); Jozefowicz, Zaremba and
        Sutskever, An empirical exploration of recurrent network architectures (2015).
        """
        params = super().init(rng, dtype)
        params["b"][self.hidden_size : 2 * self.hidden_size] = 1
        return params

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

        project(x, Wx, out=z)
        h[:B], c[:B] = packing.sort(state[0]), packing.sort(state[1])
        if threads.left_to_blas(B):
            for n, rows, before, now in packing.slices:
                np.matmul(h[before], Wh, out=zh[:n])
                kernels.lstm.lstm_step(zh[:n], b, c[before], z[rows], c[now], tanh_c[rows], h[now])
        else:
            kernels.lstm.lstm_steps(*packing.steps, in_panels(Wh, work), b, zh, z, c, tanh_c, h)
        return h[B:], (packing.last(h), packing.last(c)), LSTMCache(x, z, tanh_c, c, h, packing, work, turn)

    def backward_packed(self, params, dh, dstate: State, cache: LSTMCache, grads=None):
        """``backward`` on packed rows: dh (N, H) to dx (N, D), or None for one-hot input."""
        x, gates, tanh_c, c, h, packing, work, turn = cache
        work.check(turn)
        Wx, Wh = params["Wx"], params["Wh"]
        grads = {name: np.empty_like(p) for name, p in params.items()} if grads is None else grads
        dz = work.empty("dz", (packing.N, 4 * self.hidden_size), Wx.dtype)
        dh_next, dc = packing.sort(dstate[0]), packing.sort(dstate[1])  # copies: they travel back through time
        db = grads["b"]
        db[...] = 0

        if threads.left_to_blas(packing.B):
            for n, rows, before, _ in reversed(packing.slices):
                kernels.lstm.lstm_step_backward(
                    dh[rows], dh_next[:n], gates[rows], c[before], tanh_c[rows], dc[:n], dz[rows], db
                )
                np.matmul(dz[rows], Wh.T, out=dh_next[:n])
        else:
            Wh_T = in_panels(Wh.T, work)
            kernels.lstm.lstm_steps_backward(*packing.steps, Wh_T, dh, dh_next, gates, c, tanh_c, dc, dz, db)

        np.matmul(packing.before(h).T, dz, out=grads["Wh"])
        dx = project_backward(x, Wx, dz, grads["Wx"], work)
        return dx, (packing.unsort(dh_next), packing.unsort(dc)), grads
