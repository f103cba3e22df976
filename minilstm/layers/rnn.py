"""A simple recurrent network over whole sequences: ``minilstm.reference.rnn``.

    forward    a = x Wx                       one large product for all time steps
               h[t] from a[t] + h[t-1] Wh     one small product and one kernel call a step
    backward   da[t] from dh[t]               one kernel call a step
               dh[t-1] += da[t] Whᵀ           one small product a step
               dWx, dWh, db, dx from da       one large product each, after the loop

Each loop over time is one kernel, or runs here, as in ``lstm.py``.

Shapes: x (T, B, D) or integers (T, B); h (T, B, H); states (B, H); Wx (D, H), Wh (H, H),
b (H,).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.layers.packing import Packing
from minilstm.layers.recurrent import Grads, Params, Recurrent, State
from minilstm.layers.recurrent import pack_weights, project, project_backward
from minilstm.layers.workspace import Workspace
from minilstm.parallel import threads


class RNNCache(NamedTuple):
    """What backward needs. Backward does not change it."""

    x: np.ndarray  # (N, D), or ids (N,)
    h: np.ndarray  # (B + N, H), state buffer
    packing: Packing
    workspace: Workspace
    version: int


@dataclass(frozen=True)
class RNN(Recurrent):
    """A layer of simple recurrent cells with tanh; its state is (h,)."""

    gates: ClassVar[int] = 1

    def forward_packed(
        self,
        params: Params,
        x: np.ndarray,
        state: State,
        packing: Packing,
        workspace: Workspace | None = None,
    ) -> tuple[np.ndarray, State, RNNCache]:
        """``forward`` on packed rows: x (N, D) or ids (N,) to h (N, H)."""
        Wx, Wh, b = params["Wx"], params["Wh"], params["b"]
        N, B, H = packing.N, packing.B, self.hidden_size
        work = Workspace() if workspace is None else workspace
        version = work.begin()
        ah = work.empty("ah", (B, H), Wx.dtype)
        h = work.empty("h", (B + N, H), Wx.dtype)  # state buffer; x Wx until its step

        project(x, Wx, out=h[B:])
        h[:B] = packing.sort(state[0])
        loop_over_time(packing, work, Wh, b, ah, h)
        return h[B:], (packing.last(h),), RNNCache(x, h, packing, work, version)

    def backward_packed(
        self,
        params: Params,
        dh: np.ndarray,
        dstate: State,
        cache: RNNCache,
        grads: Grads | None = None,
    ) -> tuple[np.ndarray | None, State, Grads]:
        """``backward`` on packed rows: dh (N, H) to dx (N, D), or None for one-hot."""
        x, h, packing, work, version = cache
        work.check(version)
        Wx, Wh, H = params["Wx"], params["Wh"], self.hidden_size
        if grads is None:
            grads = {name: np.empty_like(p) for name, p in params.items()}
        da = work.empty("da", (packing.N, H), Wx.dtype)
        # the recurrent gradient; a copy, since every step changes it
        dh_next = packing.sort(dstate[0])

        db = grads["b"]
        db[...] = 0

        loop_backward(packing, work, Wh, dh, dh_next, h, da, db)
        np.matmul(packing.before(h).T, da, out=grads["Wh"])
        dx = project_backward(x, Wx, da, grads["Wx"], work)
        return dx, (packing.unsort(dh_next),), grads


def loop_over_time(
    packing: Packing, work: Workspace, Wh, b, ah, h
) -> None:
    """All steps: h from row B on holds x Wx and becomes the states."""
    if threads.left_to_blas(packing.B):
        for n, _, before, now in packing.slices:
            np.matmul(h[before], Wh, out=ah[:n])
            kernels.rnn.rnn_step(ah[:n], b, h[now])
    else:
        H = h.shape[1]
        counts, _, state_starts = packing.steps
        packed = pack_weights(Wh, (H, H), work)
        kernels.rnn.rnn_steps(counts, state_starts, packed, b, ah, h)


def loop_backward(
    packing: Packing, work: Workspace, Wh, dh, dh_next, h, da, db
) -> None:
    """All steps in reverse: fills da (N, H), adds to db (H,).

    dh_next (B, H), the recurrent gradient, becomes that of the initial state.
    """
    if threads.left_to_blas(packing.B):
        for n, rows, _, now in reversed(packing.slices):
            kernels.rnn.rnn_step_backward(dh[rows], dh_next[:n], h[now], da[rows], db)
            np.matmul(da[rows], Wh.T, out=dh_next[:n])
    else:
        H = h.shape[1]
        Wh_T = pack_weights(Wh.T, (H, H), work)
        kernels.rnn.rnn_steps_backward(*packing.steps, Wh_T, dh, dh_next, h, da, db)
