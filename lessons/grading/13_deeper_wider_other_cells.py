"""13. Deeper, wider, other cells: grading."""

import numpy as np

from minilstm import reference
from minilstm.course import Case, Task
from minilstm.course.derivatives import of_sigmoid, of_tanh

GATES, BIASES = {"rnn": 1, "gru": 3, "lstm": 4}, {"rnn": 1, "gru": 2, "lstm": 1}


def stacks(rng):
    for cell, layers, H, V, E in (
        ("rnn", 1, 7, 20, None), ("lstm", 1, 8, 30, None), ("gru", 1, 6, 30, None), ("lstm", 3, 8, 30, None),
        ("gru", 2, 6, 30, 5), ("rnn", 4, 7, 20, 9), ("lstm", 2, 8, 30, 11),
    ):
        parts = [f"{V * E} of the embedding"] if E else []
        parts += [f"{GATES[cell] * H * ((E or V) + H + BIASES[cell])} of the first layer"]
        parts += [f"{GATES[cell] * H * (2 * H + BIASES[cell])} of each layer above"] if layers > 1 else []
        words = f"parameters({cell!r}, {layers}, {H}, {V}, E={E}): {', '.join(parts)}, {H * V + V} of the output layer"
        yield Case((cell, layers, H, V, E), words)


def steps(rng):
    for B, D, H in ((3, 4, 2), (2, 3, 5)):
        yield [rng.normal(size=shape) for shape in ((B, D), (B, H), (D, 3 * H), (H, 3 * H), 3 * H, 3 * H)]


def steps_back(rng):
    for x, h_prev, Wx, Wh, bx, bh in steps(rng):
        yield rng.normal(size=h_prev.shape), reference.gru_step(x, h_prev, Wx, Wh, bx, bh)[1], Wx, Wh


def blocks(got, given):
    """The blocks of the weights, which show the line that is wrong, before the rest."""
    dx, dh_prev, dWx, dWh, dbx, dbh = got
    of_x, of_h = np.split(np.vstack([dWx, dbx]), 3, axis=1), np.split(np.vstack([dWh, dbh]), 3, axis=1)
    parts = {f"block {name} of dWx and dbx": of_x["rzn".index(name)] for name in "nrz"}
    parts |= {f"block {name} of dWh and dbh": block for name, block in zip("rzn", of_h)}
    return parts | {"dx": dx, "dh_prev": dh_prev}


GRU_BLOCK = "np.split({}, 3, axis=-1)[2]"
RESET_FIRST = f"n = np.tanh(axn + (r * h_prev) @ {GRU_BLOCK.format('Wh')} + {GRU_BLOCK.format('bh')})"
BOTH_BIASES = f"n = np.tanh(axn + {GRU_BLOCK.format('bh')} + r * (q - {GRU_BLOCK.format('bh')}))"
ALL_AS_LSTM = '"rnn": (1, 1), "gru": (3, 2) -> "rnn": (4, 1), "gru": (4, 2)'
BLANKS = 16  # of the exercise, if none is filled in
TASKS = [
    Task(
        "parameters",
        hints=(
            "A gate of a layer with D inputs has D H + H H weights and its biases. What does the second layer read?",
            "Begin with the table of the embedding, V E or 0. Go through the layers: D is V or E for the first, and H for all"
            " others. Each adds gates H (D + H + biases), with 1, 3 or 4 gates. Then add the output layer: H V and V.",
        ),
        cases=stacks,
        returns="the count",
        mistakes={
            '"gru": (3, 2) -> "gru": (3, 1)': "a GRU has two biases for each gate, bx and bh",
            '"rnn": (1, 1) -> "rnn": (1, 2); (4, 1) -> (4, 2)': "only a GRU has two biases for each gate",
            "total += gates * H * (D + H)": "each gate has biases, too",
            "D = H -> pass": "a layer above the first reads H numbers, the hidden states below it",
            "D = V if E is None else E -> D = H":
                "the first layer reads one-hot tokens, V numbers, or vectors of the embedding, E numbers",
            "D = V if E is None else E -> D = V": "with an embedding the first layer reads E numbers and not V",
            "total = 0": "the table of the embedding is missing, V times E",
            "return total + H * V": "the output layer has a bias for each of V logits",
            "return total": "the output layer is missing",
            "range(layers) -> range(1)": "it has only one layer",
            ALL_AS_LSTM: "every cell is counted like an LSTM, with four gates",
            "total += gates * H * (H + biases)": "the gates read x, too: Wx is missing",
        },
        praise="7 stacks have as many parameters as those of LanguageModel",
    ),
    Task(
        "gru_step",
        hints=(
            "Keep the sums with x and the sums with h_prev apart, each with its bias: in (4) r scales the second one only.",
            "Split x @ Wx + bx into three blocks, and h_prev @ Wh + bh into three others, whose last is q. r and z are sigmoids"
            " of the sums of their two blocks. The candidate is tanh of its block of the first, plus r times q. Then (5).",
        ),
        cases=steps,
        returns="h",
        mistakes={
            RESET_FIRST: "the reset gate comes before the product, (r * h_prev) Wh_n; here it comes after it, on q",
            "return z * n + (1 - z) * h_prev": "z and 1 - z are exchanged: in (5) z is the factor of h_prev",
            BOTH_BIASES: "the two biases of the candidate are added; bh_n belongs to q, which r scales",
            "r = sigmoid(axz + ahz); z = sigmoid(axr + ahr)": "the blocks are used as z, r, n; their order is r, z, n",
            "n = np.tanh(axn + q)": "the reset gate is missing in (4)",
            "n = np.tanh(r * (axn + q))": "r also scales the sum with x; in (4) it scales q alone",
            "n = np.tanh(axn + r * h_prev)": "r scales h_prev itself; in (4) it scales q, the product with Wh_n",
            "n = sigmoid(axn + r * q)": "the candidate may be negative: use tanh, not sigmoid",
            "n = axn + r * q": "the tanh of the candidate is missing",
            "return (1 - z) * n": "in (5) the part of h_prev is missing",
            "return n + z * h_prev": "in (5) the candidate is multiplied by 1 - z",
            "return n": "this is the candidate n; (5) is missing",
            "x @ Wx + bx -> x @ Wx": "bx is missing",
            "h_prev @ Wh + bh -> h_prev @ Wh": "bh is missing",
            "x @ Wx + bx -> x @ Wx; h_prev @ Wh + bh -> h_prev @ Wh": "both biases are missing",
            "return (1 - z) * n + z * h_prev, z": "gru_step must return h alone",
        },
        praise="h equals that of reference.gru_step",
    ),
    Task(
        "gru_step_backward",
        hints=(
            "Each line differentiates one equation: the factor of a variable forward is the factor of its gradient backward. In"
            " how many places of the five equations is h_prev used?",
            "In (5) n is multiplied by 1 - z, and z by h_prev - n. In (4) r is multiplied by q and q by r, inside the tanh,"
            " whose derivative is 1 - n². That of a sigmoid s is s (1 - s). dah has the blocks dar, daz and dq. dh_prev has two"
            " parts: one through Wh and, from (5), dh times z.",
        ),
        cases=steps_back,
        returns=("dx", "dh_prev", "dWx", "dWh", "dbx", "dbh"),
        compared=blocks,
        mistakes={
            " + dh * z -> ": "dh_prev lacks the direct path: (5) adds z times h_prev",
            "dah @ Wh.T + -> ": "dh_prev lacks the path through the gates, dah Whᵀ",
            "+ dh * z -> + dh": "the direct path in dh_prev is multiplied by z, as in (5)",
            "+ dh * z -> + dh * (1 - z)":
                "the direct path in dh_prev is multiplied by z, not 1 - z: in (5) z is the factor of h_prev",
            "dah @ Wh.T -> dax @ Wh.T": "the path through the gates in dh_prev is dah Whᵀ, not dax Whᵀ",
            "dz = dh * (n - h_prev)": "dz has the wrong sign: in (5) z has a plus before h_prev, and a minus before n",
            "dz = dh * h_prev": "dz lacks the part from (1 - z) ⊙ n",
            "dn = dh * z": "dn is wrong: in (5) the candidate is multiplied by 1 - z, not by z",
            "dan = dn * (1 - n**2) ** 2": "the derivative of tanh, 1 - n², comes twice in dan",
            "dr = dan * (1 - n**2) * q; dq = dan * (1 - n**2) * r":
                "the derivative of tanh, 1 - n², comes twice in dr and in dq: dan has it already",
            "dr = dan * (1 - n**2) * q": "the derivative of tanh, 1 - n², comes twice in dr: dan has it already",
            "dq = dan * (1 - n**2) * r": "the derivative of tanh, 1 - n², comes twice in dq: dan has it already",
            "dr = dn * q; dq = dn * r": "dr and dq come from dan, not from dn: both are inside the tanh",
            "dr = dn * q": "dr comes from dan, not from dn: r is inside the tanh",
            "dq = dn * r": "dq comes from dan, not from dn: q is inside the tanh",
            "dr = dan * h_prev": "dr belongs to a reset gate before the product; here r scales q",
            "dq = dan": "in dah the block of the candidate is dq = dan r, not dan: r scales q in (4)",
            "dq = dan * q": "dq is dan times r",
            "daz = dz; dar = dr": "daz and dar lack the derivative of sigmoid, s (1 - s)",
            "daz = dz * (1 - z**2); dar = dr * (1 - r**2)":
                "z and r come from sigmoids: the derivative is s (1 - s), and 1 - s² is that of a tanh",
            "daz = dz * sigmoid(z) * (1 - sigmoid(z)); dar = dr * sigmoid(r) * (1 - sigmoid(r))":
                "z and r are sigmoids already: the derivative is z (1 - z), not σ(z) (1 - σ(z))",
            "dx = dah @ Wx.T": "dx is dax Wxᵀ, not dah Wxᵀ",
            "[dar, daz, dq] -> [daz, dar, dq]": "dah has its blocks in another order than r, z, n",
            **of_tanh("dan", "dn", "n"), **of_sigmoid("daz", "dz", "z"), **of_sigmoid("dar", "dr", "r"),
        },
        advice={
            "block n of dWx and dbx": "look at dn and dan first, because dr and dq use them",
            "block r of dWx and dbx": "look at dr and dar",
            "block z of dWx and dbx": "look at dz and daz",
            "block n of dWh and dbh": "dWx is right, so look at dq",
            "block r of dWh and dbh": "dWx is right, so look at dah",
            "block z of dWh and dbh": "dWx is right, so look at dah",
        },
        praise="all six gradients equal those of reference.gru_step_backward",
    ),
]  # fmt: skip
