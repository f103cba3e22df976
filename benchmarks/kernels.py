"""How many nanoseconds per element does each kernel take, and how many in plain NumPy?

    python benchmarks/kernels.py             all, in float32 and float64; half a minute
    python benchmarks/kernels.py --only softmax --seconds 2 --json kernels.json

A case is three functions: one that makes arrays, the kernel, and the naive form. Both
forms get copies of the same arrays. Before anything is timed, they must return the same
numbers, or leave the same numbers in their arrays. Then they take turns, on fresh
copies each time, so that other work of the machine slows down both. The median counts.

An element is a hidden unit (of a cell), a logit, a number (of a function, of the rows
of a table), a parameter, or a multiplication with an addition (of a product). All
arrays have the sizes of one training step of the models in the README; small ones may
stay in the processor's caches. Everything runs on one thread; for BLAS, set it in the
environment.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minilstm import kernels
from minilstm.kernels.activations import sigmoid_in_place, tanh_in_place
from minilstm.kernels.exponential import exp_in_place
from minilstm.reference.functions import sigmoid, softmax
from minilstm.streams import make_writable

B, H = 64, 128  # sequences and hidden width of the cells
S = 30  # steps of a source that attention looks at
# word model: tokens of a chunk, vocabulary, ids of a batch
N, V, IDS = 320, 10_000, 6400
NUMBERS, PARAMETERS = 100_000, 2_407_248
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}  # of the largest number in an array

Arrays = tuple[Any, ...]


class Case(NamedTuple):
    """What is timed. Both forms change their arrays in place or return a tuple."""

    name: str
    # (normal, dtype); normal(*shape) is an array of random numbers
    make: Callable[..., Arrays]
    kernel: Callable[..., Any]
    naive: Callable[..., Any]
    size: Callable[[Arrays], int]  # number of elements


def source_lengths():
    return 1 + np.arange(B) * 7 % S  # (B,)


def real_scores(lengths):
    return np.arange(S) < lengths[:, None]  # (B, S)


def tanh_of_keys_naive(q, keys, lengths, u):
    u[...] = np.where(real_scores(lengths)[:, :, None], np.tanh(q[:, None] + keys), 0)


def attend_naive(e, a, lengths, p, context):
    p[...] = softmax(np.where(real_scores(lengths), e, -np.inf))
    context[...] = np.einsum("bs,bsa->ba", p, a)


def attend_backward_arrays(normal, dtype):
    """dcontext, dp, p, u, lengths, v, da, dkeys, dq, dv; p and u are 0 at the padding."""
    lengths = source_lengths()
    real = real_scores(lengths)
    p, u = np.abs(normal(B, S)) * real / S, np.tanh(normal(B, S, H)) * real[:, :, None]
    p, u = p.astype(dtype), u.astype(dtype)
    return normal(B, H), normal(B, S), p, u, lengths, normal(H), normal(B, S, H), normal(B, S, H), normal(B, H), normal(H)


def attend_backward_naive(dcontext, dp, p, u, lengths, v, da, dkeys, dq, dv):
    da += p[:, :, None] * dcontext[:, None]
    de = p * (dp - (p * dp).sum(axis=1, keepdims=True))
    dv += np.einsum("bs,bsk->k", de, u)
    u[...] = de[:, :, None] * v * (1 - u**2)
    dkeys += u
    dq[...] = u.sum(axis=1)


def lstm_naive(zh, b, c_prev, z, c, tanh_c, h):
    z += zh + b
    i, f, g, o = sigmoid(z[:, :H]), sigmoid(z[:, H : 2 * H]), np.tanh(z[:, 2 * H : 3 * H]), sigmoid(z[:, 3 * H :])
    z[...] = np.hstack([i, f, g, o])
    c[...] = f * c_prev + i * g
    tanh_c[...] = np.tanh(c)
    h[...] = o * tanh_c


def lstm_backward_naive(dh_out, dh_next, gates, c_prev, tanh_c, dc, dz, db):
    i, f, g, o = np.split(gates, 4, axis=1)
    dh = dh_out + dh_next
    dc += dh * o * (1 - tanh_c**2)
    parts = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)
    dz[...] = np.hstack(parts)
    db += dz.sum(axis=0)
    dc *= f


def gru_naive(ah, bx, bh, h_prev, a, q, h):
    past = ah + bh
    r, z = sigmoid(a[:, :H] + bx[:H] + past[:, :H]), sigmoid((a + bx + past)[:, H : 2 * H])
    q[...] = past[:, 2 * H :]
    n = np.tanh(a[:, 2 * H :] + bx[2 * H :] + r * q)
    a[...] = np.hstack([r, z, n])
    h[...] = (1 - z) * n + z * h_prev


def gru_backward_naive(dh_out, gates, h_prev, q, dh, dax, dah, dbx, dbh):
    r, z, n = np.split(gates, 3, axis=1)
    dh += dh_out
    dan = dh * (1 - z) * (1 - n**2)
    daz, dar = dh * (h_prev - n) * z * (1 - z), dan * q * r * (1 - r)
    dax[...], dah[...] = np.hstack([dar, daz, dan]), np.hstack([dar, daz, dan * r])
    dbx += dax.sum(axis=0)
    dbh += dah.sum(axis=0)
    dh *= z


def rnn_naive(ah, b, h):
    h[...] = np.tanh(h + ah + b)


def rnn_backward_naive(dh_out, dh_next, h, da, db):
    da[...] = (dh_out + dh_next) * (1 - h**2)
    db += da.sum(axis=0)


def product_naive(x, W, y, packed=None):
    np.matmul(x, W, out=y)


def packed_arrays(x, W, y):
    packed = np.empty(kernels.packed_weights.shape(W), W.dtype)
    kernels.packed_weights.pack(W, packed)  # once for many products: outside the clock
    return x, W, y, packed


def packed_product(x, W, y, packed):
    kernels.packed_weights.multiply_packed(x, packed, y)


def softmax_kernel(targets, b, scale, logits, partials, losses, db):
    kernels.softmax.softmax_cross_entropy(targets, b, logits, partials, losses)
    return (losses,)


def softmax_naive(targets, b, scale, logits, partials, losses, db):
    a = logits + b
    a -= a.max(axis=1, keepdims=True)
    return (np.log(np.exp(a).sum(axis=1)) - a[np.arange(N), targets],)


def softmax_backward_kernel(targets, b, scale, logits, partials, losses, db):
    kernels.softmax.softmax_cross_entropy_backward(targets, b, scale, logits, partials, losses, db)
    return logits, losses, db


def softmax_backward_naive(targets, b, scale, logits, partials, losses, db):
    (losses,) = softmax_naive(targets, b, scale, logits, partials, losses, db)
    da = softmax(logits + b)
    da[np.arange(N), targets] -= 1
    da *= scale
    return da, losses, db + da.sum(axis=0)


def gather_naive(ids, W, rows):
    np.take(W, ids, axis=0, out=rows)


def gather_backward_naive(ids, drows, dW):
    np.add.at(dW, ids, drows)


def adam_naive(g, scale, one_minus_beta1, one_minus_beta2, alpha_t, epsilon_t, theta, m, v):
    g = scale * g
    m += one_minus_beta1 * (g - m)
    v += one_minus_beta2 * (g * g - v)
    theta -= alpha_t * m / (np.sqrt(v) + epsilon_t)


def rmsprop_naive(g, scale, one_minus_rho, momentum, rate, epsilon, theta, s, u):
    g = scale * g
    s += one_minus_rho * (g * g - s)
    u[...] = momentum * u - rate * g / np.sqrt(s + epsilon)
    theta += u


def sgd_naive(g, scale, momentum, rate, nesterov, theta, u):
    g = scale * g
    u[...] = momentum * u - rate * g
    theta += u


def function(name: str, kernel, naive) -> Case:
    return Case(name, lambda normal, dtype: (3 * normal(NUMBERS),), kernel, lambda row: np.copyto(row, naive(row)), last_size)


def softmax_arrays(normal, dtype) -> Arrays:
    partials, losses = np.empty(kernels.softmax.ACCUMULATORS, dtype), np.empty(N, dtype)
    return np.arange(N) * 31 % V, normal(V), dtype(1 / N), 3 * normal(N, V), partials, losses, np.zeros(V, dtype)


def optimizer_arrays(normal, dtype, scalars, states) -> Arrays:
    return normal(PARAMETERS), *map(dtype, scalars), *(normal(PARAMETERS) ** 2 for _ in range(states))


last_size = lambda arrays: arrays[-1].size
logits_size = lambda arrays: arrays[3].size
hidden_size = lambda arrays: B * H
scores_size = lambda arrays: B * S * H
units = lambda normal, widths: tuple(normal(B, width * H) if width > 0 else normal(-width * H) for width in widths)

CASES = [  # widths of a cell's arrays are multiples of H; a negative one is a bias
    Case("lstm_step", lambda n, _: units(n, (4, -4, 1, 4, 1, 1, 1)), kernels.lstm.lstm_step, lstm_naive, hidden_size),
    Case("lstm_step_backward", lambda n, _: units(n, (1, 1, 4, 1, 1, 1, 4, -4)), kernels.lstm.lstm_step_backward,
         lstm_backward_naive, hidden_size),
    Case("gru_step", lambda n, _: units(n, (3, -3, -3, 1, 3, 1, 1)), kernels.gru.gru_step, gru_naive, hidden_size),
    Case("gru_step_backward", lambda n, _: units(n, (1, 3, 1, 1, 1, 3, 3, -3, -3)), kernels.gru.gru_step_backward,
         gru_backward_naive, hidden_size),
    Case("rnn_step", lambda n, _: units(n, (1, -1, 1)), kernels.rnn.rnn_step, rnn_naive, hidden_size),
    Case("rnn_step_backward", lambda n, _: units(n, (1, 1, 1, 1, -1)), kernels.rnn.rnn_step_backward,
         rnn_backward_naive, hidden_size),
    Case("attention_tanh_of_keys", lambda n, _: (n(B, H), n(B, S, H), source_lengths(), n(B, S, H)),
         kernels.attention.tanh_of_keys, tanh_of_keys_naive, scores_size),
    Case("attention_attend", lambda n, _: (n(B, S), n(B, S, H), source_lengths(), n(B, S), n(B, H)),
         kernels.attention.attend, attend_naive, scores_size),
    Case("attention_attend_backward", attend_backward_arrays, kernels.attention.attend_backward, attend_backward_naive,
         scores_size),
    *(Case(f"product_of_{rows}_rows", lambda n, _, rows=rows: (n(rows, H), n(H, 4 * H), n(rows, 4 * H)),
           kernels.product.multiply, product_naive, lambda arrays: arrays[1].size * len(arrays[0])) for rows in (1, 4, 16)),
    *(Case(f"packed_weights_{rows}_rows", lambda n, _, rows=rows: packed_arrays(n(rows, H), n(H, 4 * H), n(rows, 4 * H)),
           packed_product, product_naive, lambda arrays: arrays[1].size * len(arrays[0])) for rows in (1, 4, 16, 64)),
    function("exp", exp_in_place, np.exp),
    function("tanh", tanh_in_place, np.tanh),
    function("sigmoid", sigmoid_in_place, sigmoid),
    Case("softmax_cross_entropy", softmax_arrays, softmax_kernel, softmax_naive, logits_size),
    Case("softmax_cross_entropy_backward", softmax_arrays, softmax_backward_kernel, softmax_backward_naive, logits_size),
    Case("embedding_gather", lambda n, _: (np.arange(IDS) * 31 % V, n(V, H), n(IDS, H)), kernels.embedding.gather,
         gather_naive, last_size),
    Case("embedding_gather_backward", lambda n, _: (np.arange(IDS) * 31 % V, n(IDS, H), n(V, H)),
         kernels.embedding.gather_backward, gather_backward_naive, lambda arrays: arrays[1].size),
    Case("adam_step", lambda n, t: optimizer_arrays(n, t, (0.5, 0.1, 0.001, 0.001, 1e-8), 3), kernels.adam.adam_step,
         adam_naive, last_size),
    Case("rmsprop_step", lambda n, t: optimizer_arrays(n, t, (0.5, 0.1, 0.9, 0.001, 1e-7), 3), kernels.rmsprop.rmsprop_step,
         rmsprop_naive, last_size),
    Case("sgd_step", lambda n, t: optimizer_arrays(n, t, (0.5, 0.9, 0.01, False), 2), kernels.sgd.sgd_step,
         sgd_naive, last_size),
]


def fresh(arrays: Arrays) -> Arrays:
    return tuple(a.copy() if isinstance(a, np.ndarray) else a for a in arrays)


def results(form: Callable[..., Any], arrays: Arrays) -> Arrays:
    """The arrays that the form returns, or else those that it changes in place."""
    returned = form(*arrays)
    return returned if isinstance(returned, tuple) else arrays


def measure(case: Case, dtype: type, seconds: float) -> dict[str, Any]:
    """Median nanoseconds per element of both forms, after checking that they agree."""
    rng = np.random.default_rng(0)
    arrays = case.make(lambda *shape: rng.standard_normal(shape).astype(dtype), dtype)
    ours, naive = results(case.kernel, fresh(arrays)), results(case.naive, fresh(arrays))
    for a, b in zip(ours, naive, strict=True):
        error = np.max(np.abs(np.subtract(a, b, dtype=np.float64)))
        allowed = TOLERANCE[dtype.__name__] * max(1.0, float(np.max(np.abs(b))))
        assert error <= allowed, f"{case.name} in {dtype.__name__}: kernel and naive form differ by {error:.1e}"
    times: dict[str, list[float]] = {"kernel": [], "naive": []}
    end = time.perf_counter() + seconds
    while len(times["naive"]) < 3 or time.perf_counter() < end:
        for name, form in (("kernel", case.kernel), ("naive", case.naive)):
            mine = fresh(arrays)
            began = time.perf_counter()
            form(*mine)
            times[name].append(time.perf_counter() - began)
    size = case.size(arrays)
    row = {name: 1e9 * statistics.median(taken) / size for name, taken in times.items()}
    return {"name": case.name, "dtype": dtype.__name__, "elements": size, **row, "times_as_fast": row["naive"] / row["kernel"]}


def main() -> int:
    parser = argparse.ArgumentParser(description="Nanoseconds per element of every kernel, and of plain NumPy.")
    parser.add_argument("--only", metavar="WORD", default="", help="only cases with this word in their names")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="for each row of the table (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE, too")
    arguments = parser.parse_args()
    chosen = [case for case in CASES if arguments.only in case.name]
    if not chosen:
        parser.error(f"--only: no case has {arguments.only!r} in its name; there are {', '.join(c.name for c in CASES)}")
    print("| kernel | dtype | elements | ns per element | naive NumPy | times as fast |")
    print("|---|---|---:|---:|---:|---:|")
    rows = []
    for case in chosen:
        for dtype in (np.float32, np.float64):
            r = measure(case, dtype, arguments.seconds)
            rows.append(r)
            numbers = f"{r['elements']:,} | {r['kernel']:.3f} | {r['naive']:.3f} | {r['times_as_fast']:.1f}"
            print(f"| {r['name']} | {r['dtype']} | {numbers} |", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
