"""2. One step of an LSTM: grading."""

import numpy as np

from minilstm import reference
from minilstm.course import Task, Wrong, same
from minilstm.reference.functions import sigmoid

B, D, H = 3, 4, 2
GATES = {"i": "sigmoid(zi)", "f": "sigmoid(zf)", "g": "np.tanh(zg)", "o": "sigmoid(zo)"}


def remembering_bias(yours):
    b = np.asarray(yours(), float)
    same("the shape of the bias", b.shape, (4,))
    if not np.isfinite(b).all():
        raise Wrong("a bias must be a finite number; sigmoid is almost 1 long before infinity")
    h, c, zeros = np.zeros((1, 1)), np.ones((1, 1)), np.zeros((1, 4))
    for _ in range(100):
        h, c, _ = reference.lstm_step(np.zeros((1, 1)), h, c, zeros, zeros, b)
    i, f, _, shown = sigmoid(b)
    if f < 0.5 < i:
        raise Wrong(f"the input gate is {i:.4f} and the forget gate {f:.4f}: the order is i, f, g, o")
    if not abs(c.item() - 1) <= 0.01:
        forgets = f"the forget gate is {f:.4f}, and {f:.4f} to the power of 100 is {f**100:.3g}"
        why = forgets if f**100 < 0.99 else f"each of 100 steps writes i g = {i * np.tanh(b[2]):.3g}"
        raise Wrong(f"after 100 steps c is {c.item():.4g}, not within 0.01 of 1: {why}")
    if shown < 0.9:
        raise Wrong(f"c is kept, but h is only {shown:.3f} of tanh(c): look at the output gate")
    return f"after 100 steps c is {c.item():.5f}, and h is {shown:.3f} of tanh(c)"


BLANKS = 5  # in the exercise as it is shipped
TASKS = [
    Task(
        "gates",
        hints=(
            "Three of the four blocks need sigmoid, one needs tanh: look at equations (1), (2), (3) and (5).",
            "zi, zf, zg, zo = np.split(z, 4, axis=1). Apply one function to each, and return the results in the same order.",
        ),
        cases=lambda rng: [(rng.normal(size=(B, 4 * H)),)],
        returns=("i", "f", "g", "o"),
        mistakes={
            "np.tanh(zg) -> sigmoid(zg)": "the candidate has a sign, so it needs tanh",
            "return np.tanh(zi), np.tanh(zf), np.tanh(zg), np.tanh(zo)": "a gate is between 0 and 1, so it needs sigmoid",
            "return zi, zf, zg, zo": "this is the pre-activation; sigmoid or tanh is missing",
            "return sigmoid(-zi), sigmoid(-zf), np.tanh(zg), sigmoid(-zo)":
                "sigmoid(z) is 1 / (1 + exp(-z)), with a minus in the exponent",
        } | {f"{GATES[a]} -> {GATES[b]}": f"this is {b}; the order is i, f, g, o" for a in GATES for b in GATES if a != b},
        praise="all four results are right, in the order i, f, g, o (the names of your variables are not graded)",
    ),
    Task(
        "lstm_step",
        hints=(
            "z is two products and the bias. The gates are computed from z. c is equation (4), and h is equation (6).",
            "x @ Wx has the shape (B, 4H), and so has h_prev @ Wh; b is added to every row. After i, f, g, o = gates(z), the"
            " multiplications in (4) and (6) are entry by entry: *, not @. Do not forget the tanh in (6).",
        ),
        cases=lambda rng: [[rng.normal(size=n) for n in ((B, D), (B, H), (B, H), (D, 4 * H), (H, 4 * H), 4 * H)]],
        returns=("h", "c"),
        diagnose=lambda verify, yours: verify.diagnose_step(lambda *arguments: (*yours(*arguments), None)),
        praise="h and c equal those of reference.lstm_step",
    ),
    Task(
        "remembering_bias",
        hints=(
            "Keep everything, write nothing, output everything: which gates must be near 1, and which near 0?",
            "A gate is near 1 where its bias is large and near 0 where it is very negative. How large? f to the power of 100"
            " must be above 0.99, so f must be above 0.9999: the logarithm of 0.9999 / 0.0001 is 9.2.",
        ),
        check=remembering_bias,
    ),
]  # fmt: skip
