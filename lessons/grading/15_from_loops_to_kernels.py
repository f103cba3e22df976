"""15. From loops to kernels: grading."""

import inspect
import re
import statistics
import time

import numpy as np

from minilstm.course import Task, Wrong, same
from minilstm.course.checks import peak_memory
from minilstm.course.mistakes import Solutions
from minilstm.reference.functions import sigmoid


def gates(rng, B=3, H=5):
    return rng.normal(size=(B, 4 * H)), rng.normal(size=(B, H)), rng.normal(size=(B, H))


def no_new_arrays(yours, B=512, H=512):  # so large that NumPy's own buffers, of a fixed size, are small
    z, c, h = gates(np.random.default_rng(0), B, H)
    peak, array = peak_memory(lambda: yours(z, c, h)), B * H * 8
    if peak > array / 2:
        raise Wrong(f"the numbers are right, but {peak:,} bytes of new memory were used; an array (B, H) has {array:,}: look"
                    " for operators that make a new array, as in 1 / (1 + np.exp(-i)), and for functions without out=")
    return f"no new array: {peak:,} bytes of new memory are NumPy's own buffers, and an array (B, H) has {array:,}"


def kernel(rng, B=3, H=5):
    """dh, dc, gates, c_prev, tanh_c and an empty dz."""
    activated = sigmoid(rng.normal(size=(B, 4 * H)))
    activated[:, 2 * H : 3 * H] = 2 * activated[:, 2 * H : 3 * H] - 1
    dh, dc, c_prev, c = rng.normal(size=(4, B, H))
    return dh, dc, activated, c_prev, np.tanh(c), np.full((B, 4 * H), np.nan)


def compiles(yours):
    import numba

    compiled = numba.njit(error_model="numpy")(inspect.unwrap(yours))
    ours = Solutions.beside(__file__).right("step_backward")
    mine, right = (kernel(np.random.default_rng(0), 64, 128) for _ in range(2))
    ours(*right)
    try:
        compiled(*mine)
    except Exception as error:  # of many kinds
        raise Wrong(not_compiled(str(error) or repr(error))) from None
    for name, k in (("dz", 5), ("dc", 1)):
        same(f"{name} of the compiled kernel", mine[k], right[k], tolerance=1e-12)
    return (f"equal to the reference in float64; compiled {median(lambda: compiled(*mine)):.0f} µs for 64 sequences of 128"
            f" units, NumPy {median(lambda: with_numpy(*mine)):.0f} µs")


def not_compiled(text):
    line, unknown = re.search(r"line (\d+)", text), re.search(r"No implementation of function .*?(\w+)(?: at |'?>)", text)
    said = [line for line in text.splitlines() if line.strip() and not line.startswith("Failed in")]
    why = f"it has no {unknown[1]} for this" if unknown else said[0]
    place = f"line {line[1]}: " if line else ""
    return f"{place}as Python it is right, but Numba cannot compile it: {why}. Use loops and single numbers only"


def with_numpy(dh, dc, gates, c_prev, tanh_c, dz):
    i, f, g, o = np.split(gates, 4, axis=1)
    dc = dc + dh * o * (1 - tanh_c**2)
    parts = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)
    return np.hstack(parts), dc * f


def median(call):
    """Microseconds, of up to 50 calls in a tenth of a second."""
    times = []
    while len(times) < 50 and sum(times) < 0.1:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e6 * statistics.median(times)


def changes(*pairs):
    return "; ".join(f"{old} -> {new}" for old, new in pairs)


STEPS = ("np.negative(gate, out=gate)", "np.exp(gate, out=gate)", "gate += 1", "np.reciprocal(gate, out=gate)")
STAGES = ("the sums", "-z", "exp(-z)", "1 + exp(-z)")
# of a gate: the gradient of what it has made, what it was multiplied by, and another factor at hand
FACTORS = {"i": ("dc", "g[j]", "c_prev[r, j]"), "f": ("dc", "c_prev[r, j]", "tanh_c[r, j]"),
           "g": ("dc", "i[j]", "c_prev[r, j]"), "o": ("dh", "tanh_c[r, j]", "c_prev[r, j]")}
THROUGH_H = "dh[r, j] * o[j] * (1 - tanh_c[r, j] * tanh_c[r, j])"


def derivative(k):
    return "(1 - g[j] * g[j])" if k == "g" else f"{k}[j] * (1 - {k}[j])"


def of_gate(k):
    """Mistakes in the line of dz of a gate."""
    d, factor, other = FACTORS[k]
    wrong, shown = "dc" if d == "dh" else "dh", "1 - g**2" if k == "g" else f"{k} (1 - {k})"
    called = factor.partition("[")[0]
    line, product = f"dz{k}[j] = ", f"{d}[r, j] * {factor}"
    right = derivative(k)
    return {
        f"dz{k}[j] = {product} * {right} -> pass": "it is not written",
        f"{line}{wrong}[r, j] * {factor} * {right}": f"it begins with {d}, not with {wrong}",
        f"{line}{d}[r, j] * {right}": f"the factor {called} is missing: forward, {k} is multiplied by it",
        f"{line}{d}[r, j] * {k}[j] * {right}": f"forward, {k} is multiplied by {called}, not by itself",
        f"{line}{d}[r, j] * {other} * {right}":
            f"forward, {k} is multiplied by {called}, not by {other.partition('[')[0]}",
        f"{line}{product}": f"its derivative is missing, {shown}",
        f"{line}{product} * {k}[j]": f"its derivative is {shown}, with both factors",
        f"{line}{product} * (1 - {k}[j])": f"a part of its derivative, {shown}, is missing",
        f"{line}{product} * " + (f"(1 + {k}[j] ** 2)" if k == "g" else f"{k}[j] * (1 + {k}[j])"):
            f"its derivative is {shown}, with a minus",
        f"{line}{product} * " + (f"{k}[j] * (1 - {k}[j])" if k == "g" else f"(1 - {k}[j] ** 2)"): f"its derivative is {shown}",
    } | ({} if k == "o" else {
        f"{line}(dc[r, j] - {THROUGH_H}) * {factor} * {right}":
            "it uses dc_next alone, without the part that comes through h",
    }) | {
        f"{line}{FACTORS[b][0]}[r, j] * {FACTORS[b][1]} * {derivative(b)}": f"this belongs in the block of {b}"
        for b in FACTORS if b != k
    }


BLANKS = 10  # of the exercise, if none is filled in
TASKS = [
    Task(
        "operations",
        hints=(
            "Forward: how many sums are there in total, and how many products has each? Each product comes with an addition.",
            "Forward is 2 · T · B · 4H · (D + H). Backward: a product of x (B, D) and Wx (D, 4H) takes 2 · B · D · 4H. How many"
            " do the two products dz Wxᵀ and xᵀ dz take, where dz is (B, 4H)?",
        ),
        cases=lambda rng: [(7, 5, 11, 3), (200, 32, 100, 128)],
        returns=("forward", "backward"),
        mistakes={
            "return backward, forward": "forward and backward are exchanged: forward comes first",
            "forward = T * B * 4 * H * (D + H)": "multiplying and adding are two operations",
            "forward = 2 * T * B * H * (D + H)": "there are four blocks: three gates and the candidate",
            "forward = 2 * T * B * 3 * H * (D + H)": "the candidate has weights, too, like the three gates",
            "forward = 2 * T * B * 4 * H * D": "the products with h are missing",
            "forward = 2 * T * B * 4 * H * H": "the products with x are missing",
            "forward = 2 * T * 4 * H * (D + H)": "this is for one sequence; there are B",
            "forward = 2 * B * 4 * H * (D + H)": "this is for one time step; there are T",
            "forward = 2 * T * B * 4 * H * D * H":
                "x has D numbers and h has H: each of the 4H sums has D + H products, not D times H",
            "forward = T * B * 4 * H * (2 * (D + H) + 1)": "b is in no product; do not count it",
            "forward = T * B * 4 * H * 2 * (D + H + 1)": "b is in no product; do not count it, nor a product with 1",
            "backward = forward": "each product has two backward: one for its weights, one for its input",
            "backward = 3 * forward": "this includes the forward products",
            "backward = 2 * forward + T * B * 4 * H": "b is in no product; do not count it",
        },
        praise="the published recipe writer takes 1.49 billion operations forward, twice as many backward",
    ),
    Task(
        "gates_in_place",
        hints=(
            "σ in place takes four operations: np.negative, np.exp, add 1, np.reciprocal. Afterwards i, f, g and o are the"
            " gates. Overwrite each of them when you no longer need it.",
            "np.negative(gate, out=gate) is the first of the four. Then use three in-place operators: write i g into i,"
            " multiply c by f, and only then add i. Write the tanh of c into h with out=h, and multiply h by o.",
        ),
        may_change=("z",),
        cases=lambda rng: [gates(rng)],
        changes=("c", "h"),
        mistakes={
            "c *= f\n    c += i -> pass": "it is unchanged: write into it, as with c *= f",
            "c *= f\n    c += i -> c += i\n    c *= f": "f multiplies the old c only: multiply before you add",
            changes(("i *= g", "f *= g"), ("c *= f", "c *= i"), ("c += i", "c += f")): "i and f are exchanged",
            changes(("np.tanh(c, out=h)", "np.tanh(c, out=c)"), ("h *= o", "np.multiply(c, o, out=h)")):
                "write tanh(c) into h; the next time step needs c itself",
            "i *= g -> i[...] = g": "the candidate g is not multiplied by i",
            "i *= g -> pass": "the candidate g is missing",
            changes(("(i, f, o)", "(i, f, g, o)"), ("np.tanh(g, out=g)", "pass")): "the candidate needs tanh, not sigmoid",
            f"{STEPS[0]} -> pass": "sigmoid is 1 / (1 + exp(-z)); the minus is missing",
            "(i, f, o) -> (i, f, g, o)": "the candidate needs tanh only, no sigmoid before it",
            changes((STEPS[0], "np.tanh(gate, out=gate)"), *((step, "pass") for step in STEPS[1:])):
                "a gate needs sigmoid, not tanh",
            "i, f, g, o = -> i, f, o, g =": "the blocks of z are in the order i, f, g, o",
            changes(("np.tanh(c, out=h)", "pass"), ("h *= o", "pass")): "it is unchanged: write the result into h itself",
            "h *= o -> pass": "it is tanh(c), not yet times o: h *= o writes into h, while `h = ...` names a new array",
            "np.tanh(c, out=h) -> pass": "it is the old h times o: first write tanh(c) into h, with out=h",
            "np.tanh(c, out=h) -> h[...] = c": "the tanh of equation (6) is missing",
            "np.tanh(c, out=h) -> np.tanh((c - i) / f, out=h)": "it is computed from the old c",
        } | {
            changes(*((step, "pass") for step in STEPS[k:])):
                f"the gates are still {stage}: `gate = ...` names a new array; use out="
            for k, stage in enumerate(STAGES)
        },
        check=no_new_arrays,
    ),
    Task(
        "step_backward",
        hints=(
            "Write each line of lstm_step_backward for one number. First add dh o (1 - tanh²) to dc, then compute the four dz"
            " from it. At the end multiply it by f.",
            "Each dz is the gradient of its gate times a derivative: that of sigmoid, such as i (1 - i), or that of tanh,"
            " 1 - g g for the candidate. di is dc g, df is dc c_prev, dg is dc i, and do is dh tanh_c, all with the new dc.",
        ),
        cases=lambda rng: [kernel(rng)],
        lines=10_000,  # a right answer takes some hundred
        changes=("dc", "dz"),
        compared=lambda _, given: {
            f"dz, block {k},": block for k, block in zip("ifgo", np.split(given["dz"], 4, axis=1))} | {"dc": given["dc"]},
        mistakes={
            f"{THROUGH_H} -> 0": "dc lacks the part that comes through h; add it first",
            "dc[r, j] += -> dc[r, j] =": "dc_next is lost: add to it the part that comes through h",
            "dh[r, j] * o[j] * (1 - tanh -> dh[r, j] * (1 - tanh": "the output gate is missing in the part that is added to dc",
            f"{THROUGH_H} -> dh[r, j] * o[j]": "the derivative of tanh is missing in the part that is added to dc",
            "tanh_c[r, j] * tanh_c[r, j] -> tanh_c[r, j]": "the derivative of tanh is 1 - tanh_c**2, with a square",
            "tanh_c[r, j] * tanh_c[r, j] -> np.tanh(tanh_c[r, j]) ** 2": "tanh_c is already tanh(c); do not apply tanh again",
            "dc[r, j] += dh[r, j] -> dc[r, j] = (dc[r, j] + dh[r, j])":
                "dc_next is not multiplied by o and the derivative of tanh; only dh is",
            f"dc[r, j] += {THROUGH_H} -> dc[r, j] = (dc[r, j] + {THROUGH_H}) * f[j]\n            dc[r, j] = dc[r, j]":
                "dc was multiplied by f too early: dz needs the value before",
            **of_gate("i"), **of_gate("f"), **of_gate("g"), **of_gate("o"),
            "rows, H = c_prev.shape -> rows, H = c_prev.shape\n    dc = dc.copy()":
                "it is unchanged: write into dc itself, dc[r, j], not into a copy",
            "dc[r, j] = dc[r, j] * f[j] -> pass": "at the end multiply it by f, because c_prev is multiplied by f",
            "dc[r, j] = dc[r, j] * f[j] * f[j]": "it is multiplied by f twice",
            "dc[r, j] = dc[r, j] * i[j]": "forward, c_prev is multiplied by f, not by i",
            f"dc[r, j] = (dc[r, j] - {THROUGH_H}) * f[j]":
                "the last line uses dc_next alone, without the part that comes through h",
        },
        check=compiles,
    ),
]  # fmt: skip
