"""2. One step of an LSTM: grading."""

import numpy as np

from minilstm import reference
from minilstm.course import Task, Wrong, same
from minilstm.reference.functions import sigmoid
from minilstm.verify import contracts, diagnose_step


def gates(yours):
    z = np.random.default_rng(0).normal(size=(3, 8))
    zi, zf, zg, zo = np.split(z, 4, axis=1)
    right = {"i": sigmoid(zi), "f": sigmoid(zf), "g": np.tanh(zg), "o": sigmoid(zo)}
    got = yours(z)
    contracts.unpack(got, 4, "gates must return four arrays: (i, f, g, o)")
    for (name, gate), block, array in zip(right.items(), (zi, zf, zg, zo), got):
        others = {f"this is {other}; the order is i, f, g, o": right[other] for other in right if other != name}
        other_function = sigmoid(block) if name == "g" else np.tanh(block)
        why = "the candidate has a sign, so it needs tanh" if name == "g" else "a gate is between 0 and 1, so it needs sigmoid"
        minus = {} if name == "g" else {"sigmoid(z) is 1 / (1 + exp(-z)), with a minus in the exponent": sigmoid(-block)}
        missing = {"this is the pre-activation; sigmoid or tanh is missing": block}
        same(name, array, gate, {why: other_function} | missing | minus | others)
    return "all four results are right, in the order i, f, g, o (the names of your variables are not graded)"


def lstm_step(yours):
    B, D, H = 3, 4, 2
    got = yours(*contracts.step_case(np.random.default_rng(0), B, D, H).values())
    contracts.unpack(got, 2, "lstm_step must return two arrays: (h, c)")
    for name, array in zip("hc", got):
        same(f"the shape of {name}", np.shape(array), (B, H))
    found = diagnose_step(lambda *arguments: (*yours(*arguments), None))
    if not found:
        raise Wrong(found.text)
    return "h and c equal those of reference.lstm_step"


def remembering_bias(yours):
    b = np.asarray(yours(), float)
    same("the shape of the bias", b.shape, (4,))
    if not np.isfinite(b).all():
        raise Wrong("a bias must be a finite number; sigmoid is almost 1 long before infinity")
    h, c = np.zeros((1, 1)), np.ones((1, 1))
    for _ in range(100):
        h, c, _ = reference.lstm_step(np.zeros((1, 1)), h, c, np.zeros((1, 4)), np.zeros((1, 4)), b)
    i, f = sigmoid(b[0]), sigmoid(b[1])
    if f < 0.5 < i:
        raise Wrong(f"the input gate is {i:.4f} and the forget gate {f:.4f}: the order is i, f, g, o")
    kept, shown = c.item(), sigmoid(b[3])
    if not abs(kept - 1) <= 0.01:
        why = f"the forget gate is {f:.4f}, and {f:.4f} to the power of 100 is {f**100:.3g}" if f**100 < 0.99 else (
            f"each of 100 steps writes i g = {i * np.tanh(b[2]):.3g}")  # fmt: skip
        raise Wrong(f"after 100 steps c is {kept:.4g}, not within 0.01 of 1: {why}")
    if shown < 0.9:
        raise Wrong(f"c is kept, but h is only {shown:.3f} of tanh(c): look at the output gate")
    return f"after 100 steps c is {kept:.5f}, and h is {shown:.3f} of tanh(c)"


BLANKS = 5  # in the exercise as it is shipped
TASKS = [
    Task("gates", gates, (
        "Three of the four blocks need sigmoid, one needs tanh: look at equations (1), (2), (3) and (5).",
        "zi, zf, zg, zo = np.split(z, 4, axis=1). Apply one function to each, and return the results in the same order.",
    )),
    Task("lstm_step", lstm_step, (
        "z is two products and the bias. The gates are computed from z. c is equation (4), and h is equation (6).",
        "x @ Wx has the shape (B, 4H), and so has h_prev @ Wh; b is added to every row. After i, f, g, o = gates(z), the"
        " multiplications in (4) and (6) are entry by entry: *, not @. Do not forget the tanh in (6).",
    )),
    Task("remembering_bias", remembering_bias, (
        "Keep everything, write nothing, output everything: which gates must be near 1, and which near 0?",
        "A gate is near 1 where its bias is large and near 0 where it is very negative. How large? f to the power of 100 must"
        " be above 0.99, so f must be above 0.9999: the logarithm of 0.9999 / 0.0001 is 9.2.",
    )),
]  # fmt: skip
