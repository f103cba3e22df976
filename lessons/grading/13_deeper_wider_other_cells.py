"""13. Deeper, wider, other cells: grading."""

from types import SimpleNamespace

import numpy as np

from minilstm import LanguageModel, reference
from minilstm.course import Task, Wrong, same
from minilstm.reference.functions import sigmoid
from minilstm.verify import contracts

GATES, BIASES = {"rnn": 1, "gru": 3, "lstm": 4}, {"rnn": 1, "gru": 2, "lstm": 1}
STACKS = [("rnn", 1, 7, 20, None), ("lstm", 1, 8, 30, None), ("gru", 1, 6, 30, None), ("lstm", 3, 8, 30, None),
          ("gru", 2, 6, 30, 5), ("rnn", 4, 7, 20, 9), ("lstm", 2, 8, 30, 11)]  # fmt: skip


def count(cell, layers, H, V, E, gates=GATES, biases=BIASES, above=None, first=None, table=True, weights=True, output=True):
    """The right number, or with other arguments a wrong one.

    first and above are the widths of the inputs of these layers.
    """
    widths = [first or (V if E is None else E)] + [H if above is None else above] * (layers - 1)
    total = sum(gates[cell] * H * (D * weights + H + biases[cell]) for D in widths)
    return total + (V * E if E is not None and table else 0) + H * V + V * output


WRONG_COUNTS = {
    "a GRU has two biases for each gate, bx and bh": lambda *s: count(*s, biases=dict.fromkeys(GATES, 1)),
    "only a GRU has two biases for each gate": lambda *s: count(*s, biases=dict.fromkeys(GATES, 2)),
    "each gate has biases, too": lambda *s: count(*s, biases=dict.fromkeys(GATES, 0)),
    "a layer above the first reads H numbers, the hidden states below it": (
        lambda *s: count(*s, above=s[3] if s[4] is None else s[4])),
    "the first layer reads one-hot tokens, V numbers, or vectors of the embedding, E numbers": lambda *s: count(*s, first=s[2]),
    "with an embedding the first layer reads E numbers and not V": lambda *s: count(*s, first=s[3]),
    "the table of the embedding is missing, V times E": lambda *s: count(*s, table=False),
    "the output layer has a bias for each of V logits": lambda *s: count(*s, output=False),
    "the output layer is missing": lambda *s: count(*s, output=False) - s[2] * s[3],
    "it has only one layer": lambda *s: count(s[0], 1, *s[2:]),
    "every cell is counted like an LSTM, with four gates": lambda *s: count(*s, gates=dict.fromkeys(GATES, 4)),
    "the gates read x, too: Wx is missing": lambda *s: count(*s, weights=False),
}  # fmt: skip


def parameters(yours):
    answers = [yours(*stack) for stack in STACKS]
    right = [count(*stack) for stack in STACKS]
    for (cell, layers, H, V, E), got, wanted in zip(STACKS, answers, right):
        assert wanted == LanguageModel(V, E, H, layers, cell).parameters.flat.size
        if np.ndim(got) or not isinstance(got, (int, float, np.number)):
            raise Wrong(f"parameters must return a number, not {type(got).__name__}")
    if answers != right:
        for sentence, wrong in WRONG_COUNTS.items():
            if answers == [wrong(*stack) for stack in STACKS]:
                raise Wrong(f"the count is wrong: {sentence}")
    for stack, got, wanted in zip(STACKS, answers, right):
        if got != wanted:
            cell, layers, H, V, E = stack
            parts = [f"{V * E} of the embedding"] if E else []
            parts += [f"{GATES[cell] * H * ((E or V) + H + BIASES[cell])} of the first layer"]
            parts += [f"{GATES[cell] * H * (2 * H + BIASES[cell])} of each layer above"] if layers > 1 else []
            why = [f"; {sentence}" for sentence, wrong in WRONG_COUNTS.items() if got == wrong(*stack)]
            raise Wrong(f"parameters({cell!r}, {layers}, {H}, {V}, E={E}) gives {got} where {wanted} belongs:"
                        f" {', '.join(parts)}, {H * V + V} of the output layer{''.join(why[:1])}")  # fmt: skip
    return f"{len(STACKS)} stacks have as many parameters as those of LanguageModel"


def forward(x, h_prev, Wx, Wh, bx, bh):
    """The sums of one step, by name, and the step itself."""
    (axr, axz, axn), (ahr, ahz, q) = (np.split(a, 3, axis=1) for a in (x @ Wx + bx, h_prev @ Wh + bh))
    H = h_prev.shape[1]
    v = SimpleNamespace(r=sigmoid(axr + ahr), z=sigmoid(axz + ahz), axn=axn, q=q, past=h_prev, b=bh[2 * H :], W=Wh[:, 2 * H :])
    v.n = np.tanh(axn + v.r * q)
    v.h = (1 - v.z) * v.n + v.z * h_prev
    return v


def gru_step(yours):
    rng = np.random.default_rng(0)
    for B, D, H in ((3, 4, 2), (2, 3, 5)):
        arguments = [rng.normal(size=shape) for shape in ((B, D), (B, H), (D, 3 * H), (H, 3 * H), (3 * H,), (3 * H,))]
        v, got = forward(*arguments), yours(*arguments)
        if isinstance(got, tuple):
            raise Wrong("gru_step must return h alone")
        x, h_prev, Wx, Wh, bx, bh = arguments
        ended = lambda n, z=v.z: (1 - z) * n + z * h_prev  # (5) with another candidate
        known = {
            "the reset gate comes before the product, (r * h_prev) Wh_n; here it comes after it, on q":
                ended(np.tanh(v.axn + (v.r * h_prev) @ v.W + v.b)),
            "z and 1 - z are exchanged: in (5) z is the factor of h_prev": v.z * v.n + (1 - v.z) * h_prev,
            "the two biases of the candidate are added; bh_n belongs to q, which r scales":
                ended(np.tanh(v.axn + v.b + v.r * (v.q - v.b))),
            "the blocks are used as z, r, n; their order is r, z, n": ended(np.tanh(v.axn + v.z * v.q), v.r),
            "the reset gate is missing in (4)": ended(np.tanh(v.axn + v.q)),
            "r also scales the sum with x; in (4) it scales q alone": ended(np.tanh(v.r * (v.axn + v.q))),
            "r scales h_prev itself; in (4) it scales q, the product with Wh_n": ended(np.tanh(v.axn + v.r * h_prev)),
            "the candidate may be negative: use tanh, not sigmoid": ended(sigmoid(v.axn + v.r * v.q)),
            "the tanh of the candidate is missing": ended(v.axn + v.r * v.q),
            "in (5) the part of h_prev is missing": (1 - v.z) * v.n,
            "in (5) the candidate is multiplied by 1 - z": v.n + v.z * h_prev,
            "this is the candidate n; (5) is missing": v.n,
            "bx is missing": forward(x, h_prev, Wx, Wh, 0 * bx, bh).h,
            "bh is missing": forward(x, h_prev, Wx, Wh, bx, 0 * bh).h,
            "both biases are missing": forward(x, h_prev, Wx, Wh, 0 * bx, 0 * bh).h,
        }  # fmt: skip
        same("h", got, reference.gru_step(*arguments)[0], known)
    return "h equals that of reference.gru_step"


LINES = {
    "dn": lambda v: v.dh * (1 - v.z),
    "dz": lambda v: v.dh * (v.h_prev - v.n),
    "dan": lambda v: v.dn * (1 - v.n**2),
    "dr": lambda v: v.dan * v.q,
    "dq": lambda v: v.dan * v.r,
    "daz": lambda v: v.dz * v.z * (1 - v.z),
    "dar": lambda v: v.dr * v.r * (1 - v.r),
    "dax": lambda v: np.concatenate([v.dar, v.daz, v.dan], axis=1),
    "dah": lambda v: np.concatenate([v.dar, v.daz, v.dq], axis=1),
    "dx": lambda v: v.dax @ v.Wx.T,
    "dh_prev": lambda v: v.dh * v.z + v.dah @ v.Wh.T,
    "dWx": lambda v: v.x.T @ v.dax,
    "dWh": lambda v: v.h_prev.T @ v.dah,
    "dbx": lambda v: v.dax.sum(axis=0),
    "dbh": lambda v: v.dah.sum(axis=0),
}
RETURNED = ("dx", "dh_prev", "dWx", "dWh", "dbx", "dbh")
derivative = lambda s: sigmoid(s) * (1 - sigmoid(s))
MISTAKES = {
    "dh_prev lacks the direct path: (5) adds z times h_prev": {"dh_prev": lambda v: v.dah @ v.Wh.T},
    "dh_prev lacks the path through the gates, dah Whᵀ": {"dh_prev": lambda v: v.dh * v.z},
    "the direct path in dh_prev is multiplied by z, as in (5)": {"dh_prev": lambda v: v.dh + v.dah @ v.Wh.T},
    "the direct path in dh_prev is multiplied by z, not 1 - z: in (5) z is the factor of h_prev": {
        "dh_prev": lambda v: v.dh * (1 - v.z) + v.dah @ v.Wh.T},
    "the path through the gates in dh_prev is dah Whᵀ, not dax Whᵀ": {"dh_prev": lambda v: v.dh * v.z + v.dax @ v.Wh.T},
    "dz has the wrong sign: in (5) z has a plus before h_prev, and a minus before n": {
        "dz": lambda v: v.dh * (v.n - v.h_prev)},
    "dz lacks the part from (1 - z) ⊙ n": {"dz": lambda v: v.dh * v.h_prev},
    "dn is wrong: in (5) the candidate is multiplied by 1 - z, not by z": {"dn": lambda v: v.dh * v.z},
    "dan lacks the derivative of tanh, 1 - n²": {"dan": lambda v: v.dn},
    "n is already a tanh: its derivative is 1 - n², not 1 - tanh²(n)": {
        "dan": lambda v: v.dn * (1 - np.tanh(v.n) ** 2)},
    "the derivative of tanh, 1 - n², comes twice in dan": {"dan": lambda v: v.dn * (1 - v.n**2) ** 2},
    "the derivative of tanh, 1 - n², comes twice in dr: dan has it already": {"dr": lambda v: v.dan * (1 - v.n**2) * v.q},
    "the derivative of tanh, 1 - n², comes twice in dq: dan has it already": {"dq": lambda v: v.dan * (1 - v.n**2) * v.r},
    "the derivative of tanh, 1 - n², comes twice in dr and in dq: dan has it already": {
        "dr": lambda v: v.dan * (1 - v.n**2) * v.q, "dq": lambda v: v.dan * (1 - v.n**2) * v.r},
    "dr comes from dan, not from dn: r is inside the tanh": {"dr": lambda v: v.dn * v.q},
    "dq comes from dan, not from dn: q is inside the tanh": {"dq": lambda v: v.dn * v.r},
    "dr and dq come from dan, not from dn: both are inside the tanh": {
        "dr": lambda v: v.dn * v.q, "dq": lambda v: v.dn * v.r},
    "r comes from a sigmoid: its derivative is r (1 - r), and 1 - r² is that of a tanh": {"dar": lambda v: v.dr * (1 - v.r**2)},
    "z comes from a sigmoid: its derivative is z (1 - z), and 1 - z² is that of a tanh": {"daz": lambda v: v.dz * (1 - v.z**2)},
    "z and r come from sigmoids: the derivative is s (1 - s), and 1 - s² is that of a tanh": {
        "dar": lambda v: v.dr * (1 - v.r**2), "daz": lambda v: v.dz * (1 - v.z**2)},
    "dr belongs to a reset gate before the product; here r scales q": {"dr": lambda v: v.dan * v.h_prev},
    "in dah the block of the candidate is dq = dan r, not dan: r scales q in (4)": {
        "dq": lambda v: v.dan},
    "dq is dan times r": {"dq": lambda v: v.dan * v.q},
    "daz lacks the derivative of sigmoid, z (1 - z)": {"daz": lambda v: v.dz},
    "dar lacks the derivative of sigmoid, r (1 - r)": {"dar": lambda v: v.dr},
    "daz and dar lack the derivative of sigmoid, s (1 - s)": {"daz": lambda v: v.dz, "dar": lambda v: v.dr},
    "z and r are sigmoids already: the derivative is z (1 - z), not σ(z) (1 - σ(z))": {
        "daz": lambda v: v.dz * derivative(v.z), "dar": lambda v: v.dr * derivative(v.r)},
    "dx is dax Wxᵀ, not dah Wxᵀ": {"dx": lambda v: v.dah @ v.Wx.T},
    "dah has its blocks in another order than r, z, n": {"dah": lambda v: np.concatenate([v.daz, v.dar, v.dq], axis=1)},
}  # fmt: skip


def backward(case, changed={}):
    """All six gradients by the lines above, some of them changed."""
    v = SimpleNamespace(**case)
    for name, line in (LINES | changed).items():
        setattr(v, name, line(v))
    return [getattr(v, name) for name in RETURNED]


def wrong_blocks(dW, db, right_dW, right_db):
    """Which of r, z and n are wrong in a matrix and in its bias; None if they do not agree."""
    found = []
    for array, wanted in ((dW, right_dW), (db, right_db)):
        blocks = zip("rzn", np.split(np.asarray(array), 3, axis=-1), np.split(wanted, 3, axis=-1))
        found.append("".join(name for name, mine, ours in blocks if not np.allclose(mine, ours, rtol=1e-9)))
    return found[0] if found[0] == found[1] else None


LOOK = {"r": "at dr and dar", "z": "at dz and daz", "rz": "at dr, dar, dz and daz"}


def look_at(got, right):
    """Raise Wrong with the line to look at, if the blocks of dWx and dWh show it."""
    _, _, dWx, dWh, dbx, dbh = got
    *_, right_dWx, right_dWh, right_dbx, right_dbh = right
    of_x, of_h = wrong_blocks(dWx, dbx, right_dWx, right_dbx), wrong_blocks(dWh, dbh, right_dWh, right_dbh)
    if of_x is None or of_h is None or not of_x + of_h:
        return
    names = lambda blocks: "block " + blocks if len(blocks) == 1 else f"the blocks {', '.join(blocks[:-1])} and {blocks[-1]}"
    only = "" if len(of_x or of_h) == 3 else " only"
    if not of_x:
        raise Wrong(f"dWx is right, and dWh is wrong in {names(of_h)}{only}: look at {'dq' if of_h == 'n' else 'dah'}")
    if "n" in of_x:
        more = ", and at dz and daz" if "z" in of_x else ""
        raise Wrong(f"dWx is wrong in {names(of_x)}{only}: look at dn and dan first, because dr and dq use them{more}")
    raise Wrong(f"dWx is wrong in {names(of_x)}{only}: look {LOOK[of_x]}")


def gru_step_backward(yours):
    rng = np.random.default_rng(1)
    for B, D, H in ((3, 4, 2), (2, 3, 5)):
        arguments = [rng.normal(size=shape) for shape in ((B, D), (B, H), (D, 3 * H), (H, 3 * H), (3 * H,), (3 * H,))]
        _, cache = reference.gru_step(*arguments)
        case = {"dh": rng.normal(size=(B, H)), "Wx": arguments[2], "Wh": arguments[3], **cache._asdict()}
        dx, dh_prev, grads = reference.gru_step_backward(case["dh"], cache, case["Wx"], case["Wh"])
        right = [dx, dh_prev, *grads]
        got = yours(case["dh"], tuple(array.copy() for array in cache), case["Wx"], case["Wh"])
        contracts.unpack(got, 6, "gru_step_backward must return six arrays: (dx, dh_prev, dWx, dWh, dbx, dbh)")
        for name, array, wanted in zip(RETURNED, got, right):
            same(f"the shape of {name}", np.shape(array), wanted.shape)
        for sentence, changed in MISTAKES.items():
            if all(np.allclose(mine, wrong, rtol=1e-9) for mine, wrong in zip(got, backward(case, changed))):
                raise Wrong(sentence)
        look_at(got, right)
        for name, array, wanted in zip(RETURNED, got, right):
            same(name, array, wanted)
    return "all six gradients equal those of reference.gru_step_backward"


BLANKS = 16  # of the exercise, if none is filled in
TASKS = [
    Task("parameters", parameters, (
        "A gate of a layer with D inputs has D H + H H weights and its biases. What does the second layer read?",
        "Begin with the table of the embedding, V E or 0. Go through the layers: D is V or E for the first, and H for all"
        " others. Each adds gates H (D + H + biases), with 1, 3 or 4 gates. Then add the output layer: H V and V.",
    )),
    Task("gru_step", gru_step, (
        "Keep the sums with x and the sums with h_prev apart, each with its bias: in (4) r scales the second one only.",
        "Split x @ Wx + bx into three blocks, and h_prev @ Wh + bh into three others, whose last is q. r and z are sigmoids of"
        " the sums of their two blocks. The candidate is tanh of its block of the first, plus r times q. Then (5).",
    )),
    Task("gru_step_backward", gru_step_backward, (
        "Each line differentiates one equation: the factor of a variable forward is the factor of its gradient backward. In"
        " how many places of the five equations is h_prev used?",
        "In (5) n is multiplied by 1 - z, and z by h_prev - n. In (4) r is multiplied by q and q by r, inside the tanh, whose"
        " derivative is 1 - n². That of a sigmoid s is s (1 - s). dah has the blocks dar, daz and dq. dh_prev has"
        " two parts: one through Wh and, from (5), dh times z.",
    )),
]  # fmt: skip
