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

LINES = 10_000  # of the learner's, in a call that takes some hundred


def operations(yours):
    for T, B, D, H in ((7, 5, 11, 3), (200, 32, 100, 128)):
        got = yours(T, B, D, H)
        contracts.unpack(got, 2, "operations must return two numbers: (forward, backward)")
        right, sums = 2 * T * B * 4 * H * (D + H), T * B * 4 * H
        if tuple(got) == (2 * right, right):
            raise Wrong("forward and backward are exchanged: forward comes first")
        same("forward", got[0], right, {
            "to multiply and to add are two operations": right // 2,
            "there are four gates, the candidate counted": right // 4,
            "the candidate has weights too, as the three gates have": right // 4 * 3,
            "the products with h are missing": 2 * T * B * 4 * H * D,
            "the products with x are missing": 2 * T * B * 4 * H * H,
            "this is for one sequence; there are B": right // B,
            "this is for one step; there are T": right // T,
            "x has D numbers and h has H: for each of the 4H sums D + H products, not D times H": 2 * T * B * 4 * H * D * H,
            "b is in no product; it is not counted here": right + sums,
            "b is in no product; it is not counted here, nor is a product with 1": right + 2 * sums,
        })  # fmt: skip
        same("backward", got[1], 2 * right, {
            "each product has two on the way back: one for its weights, one for its input": right,
            "the way forward is counted already": 3 * right,
            "b is in no product; it is not counted here": 2 * right + sums,
        })  # fmt: skip
    return f"the published recipe writer: {right / 1e9:.2f} billion forward, twice as many backward"


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
        "it is as it was: write into it, as with c *= f": c_prev,
        "f belongs to the old c alone: multiply before you add": f * (c_prev + i * g),
        "i and f are exchanged": i * c_prev + f * g,
        "tanh must go to h; c stays as it is for the next step": np.tanh(new),
        "the candidate g has not been multiplied by i": f * c_prev + g,
        "the candidate g is missing": f * c_prev + i,
        "the candidate goes through tanh, not through sigmoid": f * c_prev + i * sigmoid(zg),
        "sigmoid is 1 / (1 + exp(-z)); the minus is missing": sigmoid(-zf) * c_prev + sigmoid(-zi) * g,
        "the candidate goes through tanh alone, not through sigmoid first": f * c_prev + i * np.tanh(sigmoid(zg)),
        "a gate goes through sigmoid, not through tanh": np.tanh(zf) * c_prev + np.tanh(zi) * g,
        "the blocks of z stand in the order i, f, g, o": f * c_prev + i * np.tanh(zo),
    } | {
        f"the gates are still {what}: `gate = ...` names a new array; write into it with out=": a(zf) * c_prev + a(zi) * g
        for what, a in STAGES.items()
    })  # fmt: skip
    same("h", h, o * np.tanh(new), {
        "it is as it was: the last array must be h itself": h_before,
        "it is tanh(c), not yet times o: h *= o writes into h, while `h = ...` names a new array": np.tanh(new),
        "it is what was in h before, times o: first tanh(c) must be written into h, with out=h": o * h_before,
        "the tanh of equation (6) is missing": o * new,
        "it shows the old c": o * np.tanh(c_prev),
    })  # fmt: skip
    nothing(got, "c and h")
    B, H = 512, 512  # so large that the buffers that NumPy takes for itself, of a fixed size, are small beside an array
    run, *_ = call(B, H)
    peak, array = _peak(run), B * H * 8
    if peak > array / 2:
        raise Wrong(
            f"the numbers are right, but there were {peak:,} bytes of new memory at a time, and an array (B, H) has {array:,}:"
            f" look for operators that make one, as in 1 / (1 + np.exp(-i)), and for functions without out="
        )
    return f"right; {peak:,} bytes of new memory are buffers inside NumPy's functions, an array (B, H) would have {array:,}"


def nothing(got, names):
    if got is not None:
        raise Wrong(f"the numbers are right, but nothing is to be returned: {names} are overwritten, and that is all")


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
    got = _ended(yours, **given, **out)
    for name, array in given.items():
        if not np.array_equal(array, before[name]):
            raise Wrong(f"{name} is overwritten; only dc and dz may be")
    if np.isnan(out["dz"]).any():
        r, j = np.argwhere(np.isnan(out["dz"]))[0]
        raise Wrong(f"entry {[int(r), int(j)]} of dz, in the block of {'ifgo'[j // 5]}, has not been written")
    _compare(out["dz"], out["dc"], before["dc"], **given)
    nothing(got, "dc and dz")
    function = inspect.unwrap(yours)  # not the guard around it, which Numba cannot read
    compiled = numba.njit(error_model="numpy")(function)
    given, out = _case(64, 128)
    dz, dc = _book(**given, dc=out["dc"])
    try:
        compiled(**given, **out)
    except Exception as error:  # of many kinds
        raise Wrong(_not_compiled(error)) from None
    same("dz of the compiled kernel", out["dz"], dz, tolerance=1e-12)
    same("dc of the compiled kernel", out["dc"], dc, tolerance=1e-12)
    mine, book = _median(lambda: compiled(**given, **out)), _median(lambda: _book(**given, dc=out["dc"]))
    return f"equal to the book in float64; compiled {mine:.0f} µs for 64 sequences of 128 units, NumPy {book:.0f} µs"


def _ended(yours, **arguments):
    """A call that is stopped after some thousand lines: once it is compiled, an endless loop could not be stopped any more."""
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
        raise Wrong(f"line {places[-1]}: {LINES:,} lines and no end; does your loop over j come to an end?") from None
    finally:
        sys.settrace(kept)


def _not_compiled(error):
    text = str(error)
    line, unknown = re.search(r"line (\d+)", text), re.search(r"No implementation of function .*?(\w+)(?: at |'?>)", text)
    said = [line for line in text.splitlines() if line.strip() and not line.startswith("Failed in")] or [repr(error)]
    why = f"it has no {unknown[1]} for what stands there" if unknown else said[0]
    place = f"line {line[1]}: " if line else ""
    return f"{place}as Python it is right, but Numba cannot compile it: {why}. Loops and single numbers only"


def _case(B, H):
    rng = np.random.default_rng(B)
    gates = sigmoid(rng.normal(size=(B, 4 * H)))
    gates[:, 2 * H : 3 * H] = 2 * gates[:, 2 * H : 3 * H] - 1
    given = {"dh": rng.normal(size=(B, H)), "gates": gates, "c_prev": rng.normal(size=(B, H))}
    given["tanh_c"] = np.tanh(rng.normal(size=(B, H)))
    return given, {"dc": rng.normal(size=(B, H)), "dz": np.full((B, 4 * H), np.nan)}


def _compare(dz, dc_prev, dc, dh, gates, c_prev, tanh_c):
    """Raise ``Wrong`` where dz, block after block, or dc differ from the book, with the mistake if it is a known one."""
    i, f, g, o = np.split(gates, 4, axis=1)
    blocks, slope = dict(zip("ifgo", np.split(dz, 4, axis=1))), 1 - tanh_c**2
    new = dc + dh * o * slope
    made_of = lambda dc: {"i": dc * g * i * (1 - i), "f": dc * c_prev * f * (1 - f), "g": dc * i * (1 - g**2)}
    for sentence, wrong in {
        "dc is as it came in; what comes through h is to be added to it first": dc,
        "what came in as dc is lost: what comes through h is added to it": dh * o * slope,
        "the output gate is missing in what is added to dc": dc + dh * slope,
        "the slope of tanh is missing in what is added to dc": dc + dh * o,
        "in what is added to dc the slope of tanh is 1 - tanh_c**2, with a square": dc + dh * o * (1 - tanh_c),
        "tanh_c is tanh(c) already, and you take the tanh of it": dc + dh * o * (1 - np.tanh(tanh_c) ** 2),
        "what came in as dc does not go through o and tanh; only dh does": (dc + dh) * o * slope,
        "dc was multiplied by f too early: dz needs it as it was before": new * f,
    }.items():
        if all(np.allclose(blocks[name], block) for name, block in made_of(wrong).items()):
            raise Wrong(f"dz is wrong in the blocks i, f and g: {sentence}")

    right = made_of(new) | {"o": dh * tanh_c * o * (1 - o)}
    partners = {"i": (i, new, g, "g"), "f": (f, new, c_prev, "c_prev"), "g": (g, new, i, "i"), "o": (o, dh, tanh_c, "tanh_c")}
    for name, (s, arrives, partner, called) in partners.items():
        begins, other, instead = ("dh", new, "dc") if name == "o" else ("dc", dh, "dh")
        felt = {
            f"it begins with {begins}, not with {instead}": other * partner,
            f"{called} is missing, by which {name} was multiplied": arrives,
            f"{name} was multiplied by {called}, not by itself": arrives * s,
        }
        if name in "fi":
            wrong = ("c_prev", tanh_c, "tanh_c") if name == "f" else ("g", c_prev, "c_prev")
            felt[f"{name} was multiplied by {wrong[0]}, not by {wrong[2]}"] = arrives * wrong[1]
        if name != "o":
            felt["it is made of dc as it came in, without what comes through h"] = dc * partner
        text = "1 - g**2" if name == "g" else f"{name} (1 - {name})"
        squeezed = {
            f"its slope is missing, {text}": np.ones_like(s),
            f"its slope is {text}, with both factors": s,
            f"of its slope, {text}, a part is missing": 1 - s,
            f"its slope is {text}, with a minus": 1 + s**2 if name == "g" else s * (1 + s),
            f"its slope is {text}": s * (1 - s) if name == "g" else 1 - s**2,
        }
        slope = 1 - s**2 if name == "g" else s * (1 - s)
        known = {sentence: wrong * slope for sentence, wrong in felt.items()}
        known |= {sentence: arrives * partner * wrong for sentence, wrong in squeezed.items()}
        known |= {f"this is what belongs into the block of {k}": right[k] for k in right if k != name}
        same(f"dz, block {name},", blocks[name], right[name], known)
    same("dc", dc_prev, new * f, {
        "it is as it came in: write into dc itself, dc[r, j], not into a copy": dc,
        "at the end it is multiplied by f, for c_prev was": new,
        "it has been multiplied by f twice": new * f * f,
        "c_prev was multiplied by f, not by i": new * i,
        "the last line takes dc as it came in": dc * f,
    })  # fmt: skip


def _book(dh, dc, gates, c_prev, tanh_c):
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


BLANKS = 10  # in the exercise, as long as nobody has filled it in
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
