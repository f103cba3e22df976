"""A GRU over whole sequences: the cell of ``minilstm.reference.gru`` step after step, and backpropagation through time.

    forward    a = x Wx                       one large product for all steps
               ah = h[t-1] Wh                 one small product a step, then the gates: one kernel call a step
    backward   dax[t], dah[t] from dh[t]      one kernel call a step
               dh[t-1] += dah[t] Whᵀ          one small product a step; the rest of dh[t-1] comes past the gates, by z
               dWx, dWh, dbx, dbh, dx         one large product each, after the loop

As in ``lstm.py``, the loops over time are compiled as a whole, or run here where the small products are left to BLAS.
Shapes: x (T, B, D) or integers (T, B); h (T, B, H); states (B, H); Wx (D, 3H), Wh (H, 3H), bx and bh (3H,), blocks r, z, n.
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


class GRUCache(NamedTuple):
    """What the way back needs. Backward reads it and never changes it."""

    x: np.ndarray  # (N, D), or ids (N,)
    gates: np.ndarray  # (N, 3H), activated: r, z, n
    q: np.ndarray  # (N, H)
    h: np.ndarray  # (B + N, H), slots
    packing: Packing
    workspace: Workspace
    turn: int


@dataclass(frozen=True)
class GRU(Recurrent):
    """A layer of GRU cells, reset after the product; its state is (h,)."""

    gates: ClassVar[int] = 3
    biases: ClassVar[tuple[str, ...]] = ("bx", "bh")

    def forward_packed(
        self, params, x, state: State, packing: Packing, workspace: Workspace | None = None
    ) -> tuple[np.ndarray, State, GRUCache]:
        """``forward`` on packed rows: x (N, D) or ids (N,) to h (N, H)."""
        Wx, Wh, bx, bh = params["Wx"], params["Wh"], params["bx"], params["bh"]
        N, B, H = packing.N, packing.B, self.hidden_size
        work = Workspace() if workspace is None else workspace
        turn = work.begin()
        a = work.empty("a", (N, 3 * H), Wx.dtype)  # pre-activations, then gates
        ah = work.empty("ah", (B, 3 * H), Wx.dtype)
        q = work.empty("q", (N, H), Wx.dtype)
        h = work.empty("h", (B + N, H), Wx.dtype)  # slots: slot 0 is the initial state

        project(x, Wx, out=a)
        h[:B] = packing.sort(state[0])
        if threads.left_to_blas(B):
            for n, rows, before, now in packing.slices:
                np.matmul(h[before], Wh, out=ah[:n])
                kernels.gru.gru_step(ah[:n], bx, bh, h[before], a[rows], q[rows], h[now])
        else:
            kernels.gru.gru_steps(*packing.steps, in_panels(Wh, work), bx, bh, ah, a, q, h)
        return h[B:], (packing.last(h),), GRUCache(x, a, q, h, packing, work, turn)

    def backward_packed(self, params, dh, dstate: State, cache: GRUCache, grads=None):
        """``backward`` on packed rows: dh (N, H) to dx (N, D), or None for one-hot input."""
        x, gates, q, h, packing, work, turn = cache
        work.check(turn)
        Wx, Wh = params["Wx"], params["Wh"]
        N, B, H = packing.N, packing.B, self.hidden_size
        grads = {name: np.empty_like(p) for name, p in params.items()} if grads is None else grads
        dax = work.empty("dax", (N, 3 * H), Wx.dtype)
        dah = work.empty("dah", (N, 3 * H), Wx.dtype)
        through_gates = work.empty("through_gates", (B, H), Wx.dtype)
        dh_next = packing.sort(dstate[0])  # a copy: it travels back through time

        dbx, dbh = grads["bx"], grads["bh"]
        dbx[...], dbh[...] = 0, 0

        if threads.left_to_blas(B):
            for n, rows, before, _ in reversed(packing.slices):
                kernels.gru.gru_step_backward(
                    dh[rows], gates[rows], h[before], q[rows], dh_next[:n], dax[rows], dah[rows], dbx, dbh
                )
                dh_next[:n] += np.matmul(dah[rows], Wh.T, out=through_gates[:n])
        else:
            Wh_T = in_panels(Wh.T, work)
            kernels.gru.gru_steps_backward(
                *packing.steps, Wh_T, dh, gates, h, q, through_gates, dh_next, dax, dah, dbx, dbh
            )

        np.matmul(packing.before(h).T, dah, out=grads["Wh"])
        dx = project_backward(x, Wx, dax, grads["Wx"], work)
        return dx, (packing.unsort(dh_next),), grads
