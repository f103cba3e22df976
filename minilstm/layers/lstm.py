"""An LSTM over whole sequences: ``minilstm.reference.lstm``, step after step.

    forward    z = x Wx                       one large product for all time steps
               z[t] += h[t-1] Wh + b          one small product a step, then the gates
    backward   dz[t] from dh[t] and dc[t]     the gates backward, one kernel call a step
               dh[t-1] += dz[t] Whᵀ           one small product a step
               dWx, dWh, db, dx from dz       one large product each, after the loop

Each loop over time is one kernel. If BLAS had better do the small products (see
``parallel/threads.py``), the loop runs in Python, step by step. Backpropagation through time:
Werbos (1990). Steps past a sequence's length are not computed: everything runs on packed
rows (see ``packing.py``).

Shapes: x (T, B, D) or integers (T, B); h (T, B, H); states (B, H); Wx (D, 4H),
Wh (H, 4H), b (4H,), in blocks i, f, g, o.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minilstm import kernels
from minilstm.layers.packing import Packing
from minilstm.layers.recurrent import Grads, Params, Recurrent, State
from minilstm.layers.recurrent import pack_weights, project, project_backward
from minilstm.layers.workspace import Workspace
from minilstm.parallel import threads


class LSTMCache(NamedTuple):
    """What backward needs. Backward does not change it."""

    x: np.ndarray  # (N, D), or ids (N,)
    gates: np.ndarray  # (N, 4H), activated: i, f, g, o
    tanh_c: np.ndarray  # (N, H)
    c: np.ndarray  # (B + N, H), state buffer
    h: np.ndarray  # (B + N, H), state buffer
    packing: Packing
    workspace: Workspace
    version: int


@dataclass(frozen=True)
class LSTM(Recurrent):
    """A layer of LSTM cells; its state is (h, c)."""

    state_parts: ClassVar[tuple[str, ...]] = ("h", "c")
    gates: ClassVar[int] = 4

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Grads:
        """Initial parameters by name: random weights, b zero or one.

        b is 1 for the forget gate, so that the cell state is kept at the start: Gers,
        Schmidhuber and Cummins (2000); Jozefowicz, Zaremba and Sutskever, An empirical
        exploration of recurrent network architectures (2015).

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
            Wx (D, 4H), Wh (H, 4H), b (4H,), in blocks i, f, g, o.
        """
        params = super().init(rng, dtype)
        params["b"][self.hidden_size : 2 * self.hidden_size] = 1
        return params

    def forward_packed(
        self,
        params: Params,
        x: np.ndarray,
        state: State,
        packing: Packing,
        workspace: Workspace | None = None,
    ) -> tuple[np.ndarray, State, LSTMCache]:
        """``forward`` on packed rows: x (N, D) or ids (N,) to h (N, H)."""
        Wx, Wh, b = params["Wx"], params["Wh"], params["b"]
        N, B, H = packing.N, packing.B, self.hidden_size
        work = Workspace() if workspace is None else workspace
        version = work.begin()
        z = work.empty("z", (N, 4 * H), Wx.dtype)  # pre-activations, then gates
        zh = work.empty("zh", (B, 4 * H), Wx.dtype)
        tanh_c = work.empty("tanh_c", (N, H), Wx.dtype)
        h = work.empty("h", (B + N, H), Wx.dtype)  # state buffer
        c = work.empty("c", (B + N, H), Wx.dtype)

        project(x, Wx, out=z)
        h[:B], c[:B] = packing.sort(state[0]), packing.sort(state[1])
        loop_over_time(packing, work, Wh, b, zh, z, c, tanh_c, h)
        cache = LSTMCache(x, z, tanh_c, c, h, packing, work, version)
        return h[B:], (packing.last(h), packing.last(c)), cache

    def backward_packed(
        self,
        params: Params,
        dh: np.ndarray,
        dstate: State,
        cache: LSTMCache,
        grads: Grads | None = None,
    ) -> tuple[np.ndarray | None, State, Grads]:
        """``backward`` on packed rows: dh (N, H) to dx (N, D), or None for one-hot."""
        x, gates, tanh_c, c, h, packing, work, version = cache
        work.check(version)
        Wx, Wh = params["Wx"], params["Wh"]
        if grads is None:
            grads = {name: np.empty_like(p) for name, p in params.items()}
        dz = work.empty("dz", gates.shape, Wx.dtype)  # (N, 4H)
        # the recurrent gradients; copies, since every step changes them
        dh_next, dc = packing.sort(dstate[0]), packing.sort(dstate[1])
        db = grads["b"]
        db[...] = 0

        loop_backward(packing, work, Wh, dh, dh_next, gates, c, tanh_c, dc, dz, db)
        np.matmul(packing.before(h).T, dz, out=grads["Wh"])
        dx = project_backward(x, Wx, dz, grads["Wx"], work)
        return dx, (packing.unsort(dh_next), packing.unsort(dc)), grads


def loop_over_time(
    packing: Packing, work: Workspace, Wh, b, zh, z, c, tanh_c, h
) -> None:
    """All steps: z (N, 4H) becomes the gates; fills tanh_c, and c and h from row B on."""
    if threads.left_to_blas(packing.B):
        for n, rows, before, now in packing.slices:
            np.matmul(h[before], Wh, out=zh[:n])
            kernels.lstm.lstm_step(
                zh[:n], b, c[before], z[rows], c[now], tanh_c[rows], h[now]
            )
    else:
        H = h.shape[1]
        packed = pack_weights(Wh, (H, 4 * H), work)
        kernels.lstm.lstm_steps(*packing.steps, packed, b, zh, z, c, tanh_c, h)


def loop_backward(
    packing: Packing, work: Workspace, Wh, dh, dh_next, gates, c, tanh_c, dc, dz, db
) -> None:
    """All steps in reverse: fills dz (N, 4H), adds to db (4H,).

    dh_next and dc (B, H), the recurrent gradients, become those of the initial state.
    """
    if threads.left_to_blas(packing.B):
        for n, rows, before, _ in reversed(packing.slices):
            kernels.lstm.lstm_step_backward(
                dh[rows], dh_next[:n], gates[rows], c[before], tanh_c[rows],
                dc[:n], dz[rows], db,
            )
            np.matmul(dz[rows], Wh.T, out=dh_next[:n])
    else:
        H = dh.shape[1]
        Wh_T = pack_weights(Wh.T, (4 * H, H), work)
        kernels.lstm.lstm_steps_backward(
            *packing.steps, Wh_T, dh, dh_next, gates, c, tanh_c, dc, dz, db
        )
