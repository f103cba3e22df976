"""A simple recurrent network over whole sequences, and backpropagation through time: the cell of ``minilstm.reference.rnn``.

    forward    a = x Wx                       one large product for all steps
               h[t] from a[t] + h[t-1] Wh     one small product and one kernel call a step
    backward   da[t] from dh[t]               one kernel call a step
               dh[t-1] += da[t] Whᵀ           one small product a step
               dWx, dWh, db, dx from da       one large product each, after the loop

As in ``lstm.py``, the loops over time are compiled as a whole, or run here where the small products are left to BLAS.
Shapes: x (T, B, D) or integers (T, B); h (T, B, H); states (B, H); Wx (D, H), Wh (H, H), b (H,).
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


class RNNCache(NamedTuple):
    """What the way back needs. Backward reads it and never changes it."""

    x: np.ndarray  # (N, D), or ids (N,)
    h: np.ndarray  # (B + N, H), slots
    packing: Packing
    workspace: Workspace
    turn: int


@dataclass(frozen=True)
class RNN(Recurrent):
    """A layer of simple recurrent units with tanh; its state is (h,)."""

    gates: ClassVar[int] = 1

    def forward_packed(
        self, params, x, state: State, packing: Packing, workspace: Workspace | None = None
    ) -> tuple[np.ndarray, State, RNNCache]:
        """``forward`` on packed rows: x (N, D) or ids (N,) to h (N, H)."""
        Wx, Wh, b = params["Wx"], params["Wh"], params["b"]
        N, B, H = packing.N, packing.B, self.hidden_size
        work = Workspace() if workspace is None else workspace
        turn = work.begin()
        ah = work.empty("ah", (B, H), Wx.dtype)
        h = work.empty("h", (B + N, H), Wx.dtype)  # slots: slot 0 is the initial state; the others begin as x Wx

        project(x, Wx, out=h[B:])
        h[:B] = packing.sort(state[0])
        if threads.left_to_blas(B):
            for n, _, before, now in packing.slices:
                np.matmul(h[before], Wh, out=ah[:n])
                kernels.rnn.rnn_step(ah[:n], b, h[now])
        else:
            counts, _, slots = packing.steps
            kernels.rnn.rnn_steps(counts, slots, in_panels(Wh, work), b, ah, h)
        return h[B:], (packing.last(h),), RNNCache(x, h, packing, work, turn)

    def backward_packed(self, params, dh, dstate: State, cache: RNNCache, grads=None):
        """``backward`` on packed rows: dh (N, H) to dx (N, D), or None for one-hot input."""
        x, h, packing, work, turn = cache
        work.check(turn)
        Wx, Wh = params["Wx"], params["Wh"]
        grads = {name: np.empty_like(p) for name, p in params.items()} if grads is None else grads
        da = work.empty("da", (packing.N, self.hidden_size), Wx.dtype)
        dh_next = packing.sort(dstate[0])  # a copy: it travels back through time

        db = grads["b"]
        db[...] = 0

        if threads.left_to_blas(packing.B):
            for n, rows, _, now in reversed(packing.slices):
                kernels.rnn.rnn_step_backward(dh[rows], dh_next[:n], h[now], da[rows], db)
                np.matmul(da[rows], Wh.T, out=dh_next[:n])
        else:
            kernels.rnn.rnn_steps_backward(*packing.steps, in_panels(Wh.T, work), dh, dh_next, h, da, db)

        np.matmul(packing.before(h).T, da, out=grads["Wh"])
        dx = project_backward(x, Wx, da, grads["Wx"], work)
        return dx, (packing.unsort(dh_next),), grads
