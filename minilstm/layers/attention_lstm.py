"""An LSTM that looks at a source at every time step, by additive attention.

    forward    keys = a Wa + b                     one product for all source steps
               z = x Wx                            one large product for all time steps
               p[t] from h[t-1] Wq and keys        attention: two kernel calls a step
               z[t] += context[t] Wc + h[t-1] Wh   two small products a step, then the gates
    backward   the same steps in reverse; dWx, dWc, dWh, dWq and dWa after the loop

The annotations a and the keys are read at every time step, so their gradients add up.
tanh(q + keys) is the largest array of attention; backward computes it again, instead of
keeping it for all time steps.

Bahdanau, Cho and Bengio (2015). ``minilstm/reference/attention.py`` and
``attention_lstm.py`` there are the reference implementation.

Shapes: x (N, D), packed rows of the targets; a (B, S, A), source lengths (B,); h (N, H);
states (B, H); Wc (A, 4H), Wq (H, K), Wa (A, K), b and v (K,). The sources, too, are in
the order of the packed rows: the longest target first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minilstm import kernels
from minilstm.checks import check_size
from minilstm.layers.initial import glorot_uniform
from minilstm.layers.packing import Packing
from minilstm.layers.recurrent import Grads, Params, State, project, project_backward
from minilstm.layers.workspace import Workspace


@dataclass(frozen=True)
class Attention:
    """The weights by which an LSTM of width ``hidden_size`` (H) looks at a source.

    ``source_size`` (A) is the width of the annotations, ``width`` (K) that of the scores'
    hidden layer.
    """

    hidden_size: int
    source_size: int
    width: int

    def __post_init__(self):
        for name in ("hidden_size", "source_size", "width"):
            check_size(name, getattr(self, name))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        H, A, K = self.hidden_size, self.source_size, self.width
        return {"Wc": (A, 4 * H), "Wq": (H, K), "Wa": (A, K), "b": (K,), "v": (K,)}

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Grads:
        """Matrices and v Glorot uniform (2010), b zero."""
        H, A, K = self.hidden_size, self.source_size, self.width
        return {
            "Wc": glorot_uniform(rng, A, 4 * H, dtype),
            "Wq": glorot_uniform(rng, H, K, dtype),
            "Wa": glorot_uniform(rng, A, K, dtype),
            "b": np.zeros(K, dtype),
            "v": glorot_uniform(rng, K, 1, dtype).ravel(),
        }


class Source(NamedTuple):
    """What there is to look at: annotations (B, S, A), longest target first."""

    a: np.ndarray  # (B, S, A)
    lengths: np.ndarray  # (B,), each at least 1


class AttentionLSTMCache(NamedTuple):
    """What backward needs. Backward does not change it."""

    x: np.ndarray  # (N, D), or ids (N,)
    source: Source
    keys: np.ndarray  # (B, S, K)
    p: np.ndarray  # (N, S), weights
    context: np.ndarray  # (N, A)
    gates: np.ndarray  # (N, 4H)
    tanh_c: np.ndarray  # (N, H)
    c: np.ndarray  # (B + N, H), state buffer
    h: np.ndarray  # (B + N, H), state buffer
    packing: Packing
    workspace: Workspace
    version: int


def attention_lstm_forward(
    params: Params,
    attention: Params,
    x: np.ndarray,
    source: Source,
    state: State,
    packing: Packing,
    work: Workspace,
) -> tuple[np.ndarray, State, AttentionLSTMCache]:
    """From x (N, D) or ids (N,) to h (N, H), the final state, and a cache.

    ``params`` are those of the LSTM, ``attention`` those of ``Attention``.
    """
    Wx, Wh, b = params["Wx"], params["Wh"], params["b"]
    Wc, Wq, v = attention["Wc"], attention["Wq"], attention["v"]
    (B, S, A), H, N, dtype = source.a.shape, len(Wh), packing.N, Wx.dtype
    version = work.begin()
    z = work.empty("z", (N, 4 * H), dtype)  # pre-activations, then gates
    zh = work.empty("zh", (B, 4 * H), dtype)
    tanh_c = work.empty("tanh_c", (N, H), dtype)
    h = work.empty("h", (B + N, H), dtype)  # state buffer
    c = work.empty("c", (B + N, H), dtype)
    keys = work.empty("keys", (B, S, len(v)), dtype)
    u = work.empty("u", keys.shape, dtype)
    p = work.empty("p", (N, S), dtype)
    context = work.empty("context", (N, A), dtype)

    np.matmul(source.a, attention["Wa"], out=keys)
    keys += attention["b"]
    project(x, Wx, out=z)
    h[:B], c[:B] = packing.sort(state[0]), packing.sort(state[1])
    for n, rows, before, now in packing.slices:
        kernels.attention.tanh_of_keys(h[before] @ Wq, keys, source.lengths, u)
        scores = u[:n] @ v  # (n, S)
        kernels.attention.attend(
            scores, source.a, source.lengths, p[rows], context[rows]
        )
        np.matmul(h[before], Wh, out=zh[:n])
        zh[:n] += context[rows] @ Wc
        kernels.lstm.lstm_step(
            zh[:n], b, c[before], z[rows], c[now], tanh_c[rows], h[now]
        )
    cache = AttentionLSTMCache(
        x, source, keys, p, context, z, tanh_c, c, h, packing, work, version
    )
    return h[B:], (packing.last(h), packing.last(c)), cache


def attention_lstm_backward(
    params: Params,
    attention: Params,
    dh: np.ndarray,
    dstate: State,
    cache: AttentionLSTMCache,
    grads: Grads,
    attention_grads: Grads,
) -> tuple[np.ndarray | None, np.ndarray, State]:
    """From dh (N, H) and dL/d(final state) to dx, or None for ids, da (B, S, A), and
    dL/d(initial state). The gradients of the parameters go to the two ``grads``.
    """
    x, (a, lengths), keys, p, context, gates, tanh_c, c, h, packing, work, version = cache
    work.check(version)
    Wx, Wh, dtype = params["Wx"], params["Wh"], params["Wx"].dtype
    Wc, Wq, v = attention["Wc"], attention["Wq"], attention["v"]
    dz = work.empty("dz", gates.shape, dtype)
    dq = work.empty("dq", (packing.N, len(v)), dtype)
    u = work.empty("u", keys.shape, dtype)
    da, dkeys = np.zeros_like(a), np.zeros_like(keys)
    # the recurrent gradients; copies, since every step changes them
    dh_next, dc = packing.sort(dstate[0]), packing.sort(dstate[1])
    grads["b"][...], attention_grads["v"][...] = 0, 0

    for n, rows, before, _ in reversed(packing.slices):
        kernels.lstm.lstm_step_backward(
            dh[rows], dh_next[:n], gates[rows], c[before], tanh_c[rows],
            dc[:n], dz[rows], grads["b"],
        )
        dcontext = dz[rows] @ Wc.T  # (n, A)
        dp = np.matmul(a[:n], dcontext[:, :, None])[:, :, 0]  # (n, S)
        kernels.attention.tanh_of_keys(h[before] @ Wq, keys, lengths, u)
        kernels.attention.attend_backward(
            dcontext, dp, p[rows], u, lengths, v, da, dkeys, dq[rows],
            attention_grads["v"],
        )
        np.matmul(dz[rows], Wh.T, out=dh_next[:n])
        dh_next[:n] += dq[rows] @ Wq.T

    h_prev = packing.before(h)
    np.matmul(h_prev.T, dz, out=grads["Wh"])
    np.matmul(context.T, dz, out=attention_grads["Wc"])
    np.matmul(h_prev.T, dq, out=attention_grads["Wq"])
    flat_a, flat_dkeys = a.reshape(-1, a.shape[2]), dkeys.reshape(-1, len(v))
    np.matmul(flat_a.T, flat_dkeys, out=attention_grads["Wa"])
    np.sum(flat_dkeys, axis=0, out=attention_grads["b"])
    da += np.matmul(dkeys, attention["Wa"].T)
    dx = project_backward(x, Wx, dz, grads["Wx"], work)
    return dx, da, (packing.unsort(dh_next), packing.unsort(dc))
