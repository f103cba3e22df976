"""15. From loops to kernels: how its exercises are marked."""

import inspect
import statistics
import time
import tracemalloc

import numba
import numpy as np

from minilstm.cells.lstm import LSTMGrads
from minilstm.course import Task, Wrong, same
from minilstm.functions import sigmoid
from minilstm.verify import contracts, diagnose


def operations(yours):
    for T, B, D, H in ((7, 5, 11, 3), (200, 32, 100, 128)):
        got = yours(T, B, D, H)
        contracts.pieces(got, 2, "operations must return two numbers: (forward, backward)")
        right = 2 * T * B * 4 * H * (D + H)
        same("forward", got[0], right, {
            "to multiply and to add are two operations": right // 2,
            "there are four gates, the candidate counted": right // 4,
            "the candidate has weights too, as the three gates have": right // 4 * 3,
            "the products with h are missing": 2 * T * B * 4 * H * D,
            "the products with x are missing": 2 * T * B * 4 * H * H,
            "this is for one sequence; there are B": right // B,
            "this is for one step; there are T": right // T,
            "x has D numbers and h has H: for each of the 4H sums D + H products, not D times H": 2 * T * B * 4 * H * D * H,
        })  # fmt: skip
        same("backward", got[1], 2 * right, {
            "each product has two on the way back: one for its weights, one for its input": right,
            "the way forward is counted already": 3 * right,
        })  # fmt: skip
    return f"the published recipe writer: {right / 1e9:.2f} billion forward, twice as many backward"


def gates_in_place(yours):
    def call(B, H):
        rng = np.random.default_rng(B)
        z, c, h = rng.normal(size=(B, 4 * H)), rng.normal(size=(B, H)), rng.normal(size=(B, H))
        before = z.copy(), c.copy(), h.copy()
        return (lambda: yours(z=z, c=c, h=h)), before, c, h

    run, (z, c_prev, h_before), c, h = call(3, 5)
    run()
    zi, zf, zg, zo = np.split(z, 4, axis=1)
    i, f, g, o = sigmoid(zi), sigmoid(zf), np.tanh(zg), sigmoid(zo)
    new = f * c_prev + i * g
    same("c", c, new, {
        "it is as it was: write into it, as with c *= f": c_prev,
        "f belongs to the old c alone: multiply before you add": f * (c_prev + i * g),
        "i and f are exchanged": i * c_prev + f * g,
        "tanh must go to h; c stays as it is for the next step": np.tanh(new),
        "the candidate g has not been multiplied by i": f * c_prev + g,
        "the candidate g is missing": f * c_prev + i,
        "the candidate goes through tanh, not through sigmoid": f * c_prev + i * sigmoid(zg),
        "sigmoid is 1 / (1 + exp(-z)); the minus is missing": sigmoid(-zf) * c_prev + sigmoid(-zi) * g,
        "a gate goes through sigmoid, not through tanh": np.tanh(zf) * c_prev + np.tanh(zi) * g,
    })  # fmt: skip
    same("h", h, o * np.tanh(new), {
        "it is as it was: the last array must be h itself": h_before,
        "the output gate is missing": np.tanh(new),
        "the tanh of equation (6) is missing": o * new,
        "it shows the old c": o * np.tanh(c_prev),
    })  # fmt: skip
    B, H = 512, 512  # so large that the buffers that NumPy takes for itself, of a fixed size, are small beside an array
    run, *_ = call(B, H)
    peak, array = _peak(run), B * H * 8
    if peak > array / 2:
        raise Wrong(
            f"the numbers are right, but there were {peak:,} bytes of new memory at a time, and an array (B, H) has {array:,}:"
            f" look for operators that make one, as in 1 / (1 + np.exp(-i)), and for functions without out="
        )
    return f"right, and with {peak:,} bytes of new memory, all NumPy's own, where an array (B, H) has {array:,}"


def _peak(call):
    """The most bytes that were in use at a time during a call, beyond what was before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def step_backward(yours):
    given, out = _case(3, 5)
    before = {name: array.copy() for name, array in (given | out).items()}
    yours(**given, **out)
    for name, array in given.items():
        if not np.array_equal(array, before[name]):
            raise Wrong(f"{name} is overwritten; only dc and dz may be")
    if np.isnan(out["dz"]).any():
        r, j = np.argwhere(np.isnan(out["dz"]))[0]
        raise Wrong(f"entry {[int(r), int(j)]} of dz, in the block of {'ifgo'[j // 5]}, has not been written")
    if np.allclose(out["dz"], _book(**given, dc=before["dc"], early=True)[0]):
        raise Wrong("dc was multiplied by f too early: dz needs it as it was before")
    found = diagnose(_whole(yours))
    if not found:
        raise Wrong(str(found))
    function = inspect.unwrap(yours)  # not the guard around it, which Numba cannot read
    compiled = numba.njit(error_model="numpy")(function)
    given, out = _case(64, 128)
    dz, dc = _book(**given, dc=out["dc"])
    try:
        compiled(**given, **out)
    except Exception as error:  # of many kinds
        lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith("Failed in")]
        raise Wrong(f"as Python it is right, but Numba cannot compile it: {lines[0] if lines else error!r}") from None
    same("dz of the compiled kernel", out["dz"], dz, tolerance=1e-12)
    same("dc of the compiled kernel", out["dc"], dc, tolerance=1e-12)
    mine, book = _median(lambda: compiled(**given, **out)), _median(lambda: _book(**given, dc=out["dc"]))
    return f"equal to the book in float64; compiled {mine:.0f} µs for 64 sequences of 128 units, NumPy {book:.0f} µs"


def _case(B, H):
    rng = np.random.default_rng(B)
    gates = sigmoid(rng.normal(size=(B, 4 * H)))
    gates[:, 2 * H : 3 * H] = 2 * gates[:, 2 * H : 3 * H] - 1
    given = {"dh": rng.normal(size=(B, H)), "gates": gates, "c_prev": rng.normal(size=(B, H))}
    given["tanh_c"] = np.tanh(rng.normal(size=(B, H)))
    return given, {"dc": rng.normal(size=(B, H)), "dz": np.full((B, 4 * H), np.nan)}


def _book(dh, dc, gates, c_prev, tanh_c, early=False):
    i, f, g, o = np.split(gates, 4, axis=1)
    dc = dc + dh * o * (1 - tanh_c**2)
    used = dc * f if early else dc
    parts = used * g * i * (1 - i), used * c_prev * f * (1 - f), used * i * (1 - g**2), dh * tanh_c * o * (1 - o)
    return np.hstack(parts), dc * f


def _whole(kernel):
    """A backward step around the kernel, with the products, as ``diagnose`` calls it."""

    def backward(dh, dc, cache, Wx, Wh):
        x, h_prev, c_prev, i, f, g, o, tanh_c = cache
        dc, dz = dc.copy(), np.full((len(dh), 4 * dh.shape[1]), np.nan)
        kernel(dh=dh, dc=dc, gates=np.hstack([i, f, g, o]), c_prev=c_prev, tanh_c=tanh_c, dz=dz)
        return dz @ Wx.T, dz @ Wh.T, dc, LSTMGrads(x.T @ dz, h_prev.T @ dz, dz.sum(axis=0))

    return backward


def _median(call):
    """Microseconds, of up to 50 calls in a tenth of a second."""
    times = []
    while len(times) < 50 and sum(times) < 0.1:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e6 * statistics.median(times)


TASKS = [
    Task("operations", operations, (
        "Forward: how many sums are there in all, and how many products in each? An addition goes with every one of them.",
        "Forward is 2 · T · B · 4H · (D + H). Backward: if a product with x (B, D) and Wx (D, 4H) takes 2 · B · D · 4H, what"
        " do dz (B, 4H) with the transposed Wx, and the transposed x with dz, take?",
    )),
    Task("gates_in_place", gates_in_place, (
        "σ in place are four calls, each with out=: change the sign, np.exp, add 1, np.reciprocal. Afterwards i, f, g and o"
        " are the gates, and you may spoil them as soon as you do not need them any more.",
        "np.negative(gate, out=gate) is the first of the four. Then three in-place operators: i g may stand where i was, c is"
        " multiplied by f, and only then the product is added. The tanh of c goes to h with out=h, and o is the last factor.",
    ), may_change=("z", "c", "h")),
    Task("step_backward", step_backward, (
        "Write each line of lstm_step_backward for one number: dc gets dh o (1 - tanh²) first, then the four dz are made from"
        " it, and at the very end it is multiplied by f.",
        "Each dz is what the equations say for the gate, times the slope of what squeezed it: i (1 - i) for a gate, 1 - g g"
        " for the candidate. di is dc g, df is dc c_prev, dg is dc i, and do is dh tanh_c, all with the new dc.",
    ), may_change=("dh", "dc", "dz")),
]  # fmt: skip
