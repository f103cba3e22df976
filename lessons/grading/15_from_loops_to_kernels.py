"""15. From loops to kernels: grading."""

import inspect
import re
import statistics
import sys
import time
import tracemalloc

import numba
import numpy as np

from minilstm.course import Task, Wrong, same
from minilstm.reference.functions import sigmoid
from minilstm.verify import contracts

LINES = 10_000  # executed lines of the learner; a right answer takes some hundred


def operations(yours):
    for T, B, D, H in ((7, 5, 11, 3), (200, 32, 100, 128)):
        got = yours(T, B, D, H)
        contracts.unpack(got, 2, "operations must return two numbers: (forward, backward)")
        right, sums = 2 * T * B * 4 * H * (D + H), T * B * 4 * H
        if tuple(got) == (2 * right, right):
            raise Wrong("forward and backward are exchanged: forward comes first")
        same("forward", got[0], right, {
            "multiplying and adding are two operations": right // 2,
            "there are four blocks: three gates and the candidate": right // 4,
            "the candidate has weights, too, like the three gates": right // 4 * 3,
            "the products with h are missing": 2 * T * B * 4 * H * D,
            "the products with x are missing": 2 * T * B * 4 * H * H,
            "this is for one sequence; there are B": right // B,
            "this is for one time step; there are T": right // T,
            "x has D numbers and h has H: each of the 4H sums has D + H products, not D times H": 2 * T * B * 4 * H * D * H,
            "b is in no product; do not count it": right + sums,
            "b is in no product; do not count it, nor a product with 1": right + 2 * sums,
        })  # fmt: skip
        same("backward", got[1], 2 * right, {
            "each product has two backward: one for its weights, one for its input": right,
            "this includes the forward products": 3 * right,
            "b is in no product; do not count it": 2 * right + sums,
        })  # fmt: skip
    return f"the published recipe writer takes {right / 1e9:.2f} billion operations forward, twice as many backward"


STAGES = {
    "the sums": lambda z: z,
    "-z": lambda z: -z,
    "exp(-z)": lambda z: np.exp(-z),
    "1 + exp(-z)": lambda z: 1 + np.exp(-z),
}


def gates_in_place(yours):
    def call(B, H):
        rng = np.random.default_rng(B)
        z, c, h = rng.normal(size=(B, 4 * H)), rng.normal(size=(B, H)), rng.normal(size=(B, H))
        before = z.copy(), c.copy(), h.copy()
        return (lambda: yours(z=z, c=c, h=h)), before, c, h

    run, (z, c_prev, h_before), c, h = call(3, 5)
    got = run()
    zi, zf, zg, zo = np.split(z, 4, axis=1)
    i, f, g, o = sigmoid(zi), sigmoid(zf), np.tanh(zg), sigmoid(zo)
    new = f * c_prev + i * g
    same("c", c, new, {
        "it is unchanged: write into it, as with c *= f": c_prev,
        "f multiplies the old c only: multiply before you add": f * (c_prev + i * g),
        "i and f are exchanged": i * c_prev + f * g,
        "write tanh(c) into h; the next time step needs c itself": np.tanh(new),
        "the candidate g is not multiplied by i": f * c_prev + g,
        "the candidate g is missing": f * c_prev + i,
        "the candidate needs tanh, not sigmoid": f * c_prev + i * sigmoid(zg),
        "sigmoid is 1 / (1 + exp(-z)); the minus is missing": sigmoid(-zf) * c_prev + sigmoid(-zi) * g,
        "the candidate needs tanh only, no sigmoid before it": f * c_prev + i * np.tanh(sigmoid(zg)),
        "a gate needs sigmoid, not tanh": np.tanh(zf) * c_prev + np.tanh(zi) * g,
        "the blocks of z are in the order i, f, g, o": f * c_prev + i * np.tanh(zo),
    } | {
        f"the gates are still {what}: `gate = ...` names a new array; use out=": a(zf) * c_prev + a(zi) * g
        for what, a in STAGES.items()
    })  # fmt: skip
    same("h", h, o * np.tanh(new), {
        "it is unchanged: write the result into h itself": h_before,
        "it is tanh(c), not yet times o: h *= o writes into h, while `h = ...` names a new array": np.tanh(new),
        "it is the old h times o: first write tanh(c) into h, with out=h": o * h_before,
        "the tanh of equation (6) is missing": o * new,
        "it is computed from the old c": o * np.tanh(c_prev),
    })  # fmt: skip
    nothing(got, "c and h")
    B, H = 512, 512  # then NumPy's own buffers, of a fixed size, are small beside an array
    run, *_ = call(B, H)
    peak, array = _peak(run), B * H * 8
    if peak > array / 2:
        raise Wrong(
            f"the numbers are right, but {peak:,} bytes of new memory were used; an array (B, H) has {array:,}:"
            f" look for operators that make a new array, as in 1 / (1 + np.exp(-i)), and for functions without out="
        )
    return f"no new array: {peak:,} bytes of new memory are NumPy's own buffers, and an array (B, H) has {array:,}"


def nothing(got, names):
    if got is not None:
        raise Wrong(f"the numbers are right, but return nothing: only overwrite {names}")


def _peak(call):
    """The peak of the memory that a call allocates, in bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def step_backward(yours):
    given, out = _case(3, 5)
    before = {name: array.copy() for name, array in (given | out).items()}
    got = _ended(yours, **given, **out)
    for name, array in given.items():
        if not np.array_equal(array, before[name]):
            raise Wrong(f"{name} is overwritten; overwrite only dc and dz")
    if np.isnan(out["dz"]).any():
        r, j = np.argwhere(np.isnan(out["dz"]))[0]
        raise Wrong(f"entry {[int(r), int(j)]} of dz, in the block of {'ifgo'[j // 5]}, is not written")
    _compare(out["dz"], out["dc"], before["dc"], **given)
    nothing(got, "dc and dz")
    function = inspect.unwrap(yours)  # without the guard, which Numba cannot compile
    compiled = numba.njit(error_model="numpy")(function)
    given, out = _case(64, 128)
    dz, dc = _right(**given, dc=out["dc"])
    try:
        compiled(**given, **out)
    except Exception as error:  # of many kinds
        raise Wrong(_not_compiled(error)) from None
    same("dz of the compiled kernel", out["dz"], dz, tolerance=1e-12)
    same("dc of the compiled kernel", out["dc"], dc, tolerance=1e-12)
    mine, numpy = _median(lambda: compiled(**given, **out)), _median(lambda: _right(**given, dc=out["dc"]))
    return f"equal to the reference in float64; compiled {mine:.0f} µs for 64 sequences of 128 units, NumPy {numpy:.0f} µs"


def _ended(yours, **arguments):
    """A call that ends after LINES lines: an endless loop could not be stopped once compiled."""
    file, places, kept = inspect.unwrap(yours).__code__.co_filename, [], sys.gettrace()

    def trace(frame, event, _):
        if frame.f_code.co_filename != file:
            return None
        if event == "line":
            places.append(frame.f_lineno)
            if len(places) > LINES:
                raise RuntimeError("too many lines")
        return trace

    sys.settrace(trace)
    try:
        return yours(**arguments)
    except Wrong:
        if len(places) <= LINES:
            raise
        raise Wrong(f"line {places[-1]}: {LINES:,} lines and no end; does your loop over j ever end?") from None
    finally:
        sys.settrace(kept)


def _not_compiled(error):
    text = str(error)
    line, unknown = re.search(r"line (\d+)", text), re.search(r"No implementation of function .*?(\w+)(?: at |'?>)", text)
    said = [line for line in text.splitlines() if line.strip() and not line.startswith("Failed in")] or [repr(error)]
    why = f"it has no {unknown[1]} for this" if unknown else said[0]
    place = f"line {line[1]}: " if line else ""
    return f"{place}as Python it is right, but Numba cannot compile it: {why}. Use loops and single numbers only"


def _case(B, H):
    rng = np.random.default_rng(B)
    gates = sigmoid(rng.normal(size=(B, 4 * H)))
    gates[:, 2 * H : 3 * H] = 2 * gates[:, 2 * H : 3 * H] - 1
    given = {"dh": rng.normal(size=(B, H)), "gates": gates, "c_prev": rng.normal(size=(B, H))}
    given["tanh_c"] = np.tanh(rng.normal(size=(B, H)))
    return given, {"dc": rng.normal(size=(B, H)), "dz": np.full((B, 4 * H), np.nan)}


def _compare(dz, dc_prev, dc, dh, gates, c_prev, tanh_c):
    """Raise ``Wrong`` if a block of dz, or dc, is wrong; name the mistake if it is known."""
    i, f, g, o = np.split(gates, 4, axis=1)
    blocks, derivative = dict(zip("ifgo", np.split(dz, 4, axis=1))), 1 - tanh_c**2
    new = dc + dh * o * derivative
    made_of = lambda dc: {"i": dc * g * i * (1 - i), "f": dc * c_prev * f * (1 - f), "g": dc * i * (1 - g**2)}
    for sentence, wrong in {
        "dc lacks the part that comes through h; add it first": dc,
        "dc_next is lost: add to it the part that comes through h": dh * o * derivative,
        "the output gate is missing in the part that is added to dc": dc + dh * derivative,
        "the derivative of tanh is missing in the part that is added to dc": dc + dh * o,
        "the derivative of tanh is 1 - tanh_c**2, with a square": dc + dh * o * (1 - tanh_c),
        "tanh_c is already tanh(c); do not apply tanh again": dc + dh * o * (1 - np.tanh(tanh_c) ** 2),
        "dc_next is not multiplied by o and the derivative of tanh; only dh is": (dc + dh) * o * derivative,
        "dc was multiplied by f too early: dz needs the value before": new * f,
    }.items():
        if all(np.allclose(blocks[name], block) for name, block in made_of(wrong).items()):
            raise Wrong(f"dz is wrong in the blocks i, f and g: {sentence}")

    right = made_of(new) | {"o": dh * tanh_c * o * (1 - o)}
    factors = {"i": (i, new, g, "g"), "f": (f, new, c_prev, "c_prev"), "g": (g, new, i, "i"), "o": (o, dh, tanh_c, "tanh_c")}
    for name, (s, incoming, factor, called) in factors.items():
        begins, other, instead = ("dh", new, "dc") if name == "o" else ("dc", dh, "dh")
        wrong_factors = {
            f"it begins with {begins}, not with {instead}": other * factor,
            f"the factor {called} is missing: forward, {name} is multiplied by it": incoming,
            f"forward, {name} is multiplied by {called}, not by itself": incoming * s,
        }
        if name in "fi":
            wrong = ("c_prev", tanh_c, "tanh_c") if name == "f" else ("g", c_prev, "c_prev")
            sentence = f"forward, {name} is multiplied by {wrong[0]}, not by {wrong[2]}"
            wrong_factors[sentence] = incoming * wrong[1]
        if name != "o":
            wrong_factors["it uses dc_next alone, without the part that comes through h"] = dc * factor
        text = "1 - g**2" if name == "g" else f"{name} (1 - {name})"
        wrong_derivatives = {
            f"its derivative is missing, {text}": np.ones_like(s),
            f"its derivative is {text}, with both factors": s,
            f"a part of its derivative, {text}, is missing": 1 - s,
            f"its derivative is {text}, with a minus": 1 + s**2 if name == "g" else s * (1 + s),
            f"its derivative is {text}": s * (1 - s) if name == "g" else 1 - s**2,
        }
        derivative = 1 - s**2 if name == "g" else s * (1 - s)
        known = {sentence: wrong * derivative for sentence, wrong in wrong_factors.items()}
        known |= {sentence: incoming * factor * wrong for sentence, wrong in wrong_derivatives.items()}
        known |= {f"this belongs in the block of {k}": right[k] for k in right if k != name}
        same(f"dz, block {name},", blocks[name], right[name], known)
    same("dc", dc_prev, new * f, {
        "it is unchanged: write into dc itself, dc[r, j], not into a copy": dc,
        "at the end multiply it by f, because c_prev is multiplied by f": new,
        "it is multiplied by f twice": new * f * f,
        "forward, c_prev is multiplied by f, not by i": new * i,
        "the last line uses dc_next alone, without the part that comes through h": dc * f,
    })  # fmt: skip


def _right(dh, dc, gates, c_prev, tanh_c):
    i, f, g, o = np.split(gates, 4, axis=1)
    dc = dc + dh * o * (1 - tanh_c**2)
    parts = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)
    return np.hstack(parts), dc * f


def _median(call):
    """Microseconds, of up to 50 calls in a tenth of a second."""
    times = []
    while len(times) < 50 and sum(times) < 0.1:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e6 * statistics.median(times)


BLANKS = 10  # of the exercise, if none is filled in
TASKS = [
    Task("operations", operations, (
        "Forward: how many sums are there in total, and how many products has each? Each product comes with an addition.",
        "Forward is 2 · T · B · 4H · (D + H). Backward: a product of x (B, D) and Wx (D, 4H) takes 2 · B · D · 4H. How many"
        " do the two products dz Wxᵀ and xᵀ dz take, where dz is (B, 4H)?",
    )),
    Task("gates_in_place", gates_in_place, (
        "σ in place takes four operations: np.negative, np.exp, add 1, np.reciprocal. Afterwards i, f, g and o are the gates."
        " Overwrite each of them when you no longer need it.",
        "np.negative(gate, out=gate) is the first of the four. Then use three in-place operators: write i g into i, multiply c"
        " by f, and only then add i. Write the tanh of c into h with out=h, and multiply h by o.",
    ), may_change=("z", "c", "h")),
    Task("step_backward", step_backward, (
        "Write each line of lstm_step_backward for one number. First add dh o (1 - tanh²) to dc, then compute the four dz from"
        " it. At the end multiply it by f.",
        "Each dz is the gradient of its gate times a derivative: that of sigmoid, such as i (1 - i), or that of tanh, 1 - g g"
        " for the candidate. di is dc g, df is dc c_prev, dg is dc i, and do is dh tanh_c, all with the new dc.",
    ), may_change=("dh", "dc", "dz")),
]  # fmt: skip
