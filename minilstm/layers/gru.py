"""A GRU over whole sequences: ``minilstm.reference.gru``, step after step.

    forward    a = x Wx                       one large product for all time steps
               ah = h[t-1] Wh                 one small product a step, then the gates
    backward   dax[t], dah[t] from dh[t]      the gates backward, one kernel call a step
               dh[t-1] += dah[t] Whᵀ          one small product a step; the rest of
                                              dh[t-1] comes from dh[t] directly, times z
               dWx, dWh, dbx, dbh, dx         one large product each, after the loop

Each loop over time is one kernel, or runs here, as in ``lstm.py``.

Shapes: x (T, B, D) or integers (T, B); h (T, B, H); states (B, H); Wx (D, 3H),
Wh (H, 3H), bx and bh (3H,), in blocks r, z, n.
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


class GRUCache(NamedTuple):
    """What backward needs. Backward does not change it."""

    x: np.ndarray  # (N, D), or ids (N,)
    gates: np.ndarray  # (N, 3H), activated: r, z, n
    q: np.ndarray  # (N, H)
    h: np.ndarray  # (B + N, H), state buffer
    packing: Packing
    workspace: Workspace
    version: int


@dataclass(frozen=True)
class GRU(Recurrent):
    """A layer of GRU cells, with the reset gate after the product; its state is (h,)."""

    gates: ClassVar[int] = 3
    biases: ClassVar[tuple[str, ...]] = ("bx", "bh")

    def forward_packed(
        self,
        params: Params,
        x: np.ndarray,
        state: State,
        packing: Packing,
        workspace: Workspace | None = None,
    ) -> tuple[np.ndarray, State, GRUCache]:
        """``forward`` on packed rows: x (N, D) or ids (N,) to h (N, H)."""
        Wx, Wh, bx, bh = params["Wx"], params["Wh"], params["bx"], params["bh"]
        N, B, H = packing.N, packing.B, self.hidden_size
        work = Workspace() if workspace is None else workspace
        version = work.begin()
        a = work.empty("a", (N, 3 * H), Wx.dtype)  # pre-activations, then gates
        ah = work.empty("ah", (B, 3 * H), Wx.dtype)
        q = work.empty("q", (N, H), Wx.dtype)
        h = work.empty("h", (B + N, H), Wx.dtype)  # state buffer

        project(x, Wx, out=a)
        h[:B] = packing.sort(state[0])
        loop_over_time(packing, work, Wh, bx, bh, ah, a, q, h)
        cache = GRUCache(x, a, q, h, packing, work, version)
        return h[B:], (packing.last(h),), cache

    def backward_packed(
        self,
        params: Params,
        dh: np.ndarray,
        dstate: State,
        cache: GRUCache,
        grads: Grads | None = None,
    ) -> tuple[np.ndarray | None, State, Grads]:
        """``backward`` on packed rows: dh (N, H) to dx (N, D), or None for one-hot."""
        x, gates, q, h, packing, work, version = cache
        work.check(version)
        Wx, Wh = params["Wx"], params["Wh"]
        N, B, H = packing.N, packing.B, self.hidden_size
        if grads is None:
            grads = {name: np.empty_like(p) for name, p in params.items()}
        dax = work.empty("dax", (N, 3 * H), Wx.dtype)
        dah = work.empty("dah", (N, 3 * H), Wx.dtype)
        through_gates = work.empty("through_gates", (B, H), Wx.dtype)
        # the recurrent gradient; a copy, since every step changes it
        dh_next = packing.sort(dstate[0])

        dbx, dbh = grads["bx"], grads["bh"]
        dbx[...], dbh[...] = 0, 0

        loop_backward(
            packing, work, Wh, dh, gates, h, q, through_gates, dh_next, dax, dah, dbx, dbh
        )
        np.matmul(packing.before(h).T, dah, out=grads["Wh"])
        dx = project_backward(x, Wx, dax, grads["Wx"], work)
        return dx, (packing.unsort(dh_next),), grads


def loop_over_time(
    packing: Packing, work: Workspace, Wh, bx, bh, ah, a, q, h
) -> None:
    """All steps: a (N, 3H) becomes the gates; fills q, and h from row B on."""
    if threads.left_to_blas(packing.B):
        for n, rows, before, now in packing.slices:
            np.matmul(h[before], Wh, out=ah[:n])
            kernels.gru.gru_step(ah[:n], bx, bh, h[before], a[rows], q[rows], h[now])
    else:
        H = h.shape[1]
        packed = pack_weights(Wh, (H, 3 * H), work)
        kernels.gru.gru_steps(*packing.steps, packed, bx, bh, ah, a, q, h)


def loop_backward(
    packing: Packing, work: Workspace,
    Wh, dh, gates, h, q, through_gates, dh_next, dax, dah, dbx, dbh,
) -> None:
    """All steps in reverse: fills dax and dah (N, 3H), adds to dbx and dbh (3H,).

    dh_next (B, H), the recurrent gradient, becomes that of the initial state.
    """
    if threads.left_to_blas(packing.B):
        for n, rows, before, _ in reversed(packing.slices):
            kernels.gru.gru_step_backward(
                dh[rows], gates[rows], h[before], q[rows], dh_next[:n],
                dax[rows], dah[rows], dbx, dbh,
            )
            dh_next[:n] += np.matmul(dah[rows], Wh.T, out=through_gates[:n])
    else:
        H = h.shape[1]
        Wh_T = pack_weights(Wh.T, (3 * H, H), work)
        kernels.gru.gru_steps_backward(
            *packing.steps, Wh_T, dh, gates, h, q, through_gates, dh_next,
            dax, dah, dbx, dbh,
        )
