"""Known mistakes, continued: one step backward. ``mistakes.py`` says how to read them.

Some mistakes are possible at every gate. A function makes their rows from the gate's
two lines.
"""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

from minilstm.reference.lstm import lstm_step_backward
from minilstm.verify.diagnose.mistakes_at_activations import at_a_sigmoid, at_a_tanh
from minilstm.verify.diagnose.variant import ALL_GATES, OTHER_ORDERS, made_in


class _Gate(NamedTuple):
    letter: str
    title: str
    equation: str
    product: str  # the line in which its gradient is made
    partner: str  # what it is multiplied by in the forward pass
    neighbour: str  # the block beside its own


GATES = [
    _Gate("i", "input gate", "(2)", "di = dc * g", "g", "f"),
    _Gate("f", "forget gate", "(1)", "df = dc * c_prev", "c_prev", "i"),
    _Gate("g", "candidate", "(3)", "dg = dc * i", "i", "f"),
    _Gate("o", "output gate", "(5)", "do = dh * tanh_c", "tanh_c", "g"),
]
TWO_GATES = list(permutations(GATES, 2))


def _at_any(gate: _Gate) -> list[tuple[str, ...]]:
    k, title, equation, product, partner, neighbour = gate
    blocks = ", ".join("dz" + (neighbour if m == k else m) for m in "ifgo")
    return [
        (f"partner of the {title} missing", product,
         product.removesuffix(f" * {partner}"), "(6)" if k == "o" else "(4)",
         f"{k} is multiplied by {partner} in the forward pass, so its gradient is"
         " too."),
        (f"bias of the {title} from its neighbour", "db = dz.sum(axis=0)",
         f"db = np.concatenate([{blocks}], axis=1).sum(axis=0)", equation,
         f"The bias of {k} is in z{k}, so its gradient is made of dz{k}.",
         "ddbourgin/numpy-ml 42"),
        (f"input weights of the {title} from its neighbour", "dWx = x.T @ dz",
         f"dWx = x.T @ np.concatenate([{blocks}], axis=1)", equation,
         f"The weights of {k} are in z{k}, so their gradients are made of dz{k}.",
         "ddbourgin/numpy-ml 42"),
        (f"recurrent weights of the {title} from its neighbour", "dWh = h_prev.T @ dz",
         f"dWh = h_prev.T @ np.concatenate([{blocks}], axis=1)", equation,
         f"The weights of {k} are in z{k}, so their gradients are made of dz{k}.",
         "ddbourgin/numpy-ml 42"),
    ]


def _old_dc(gate: _Gate) -> tuple[str, ...]:
    k, title, _, product, partner, _ = gate
    return (f"dc without its part through h at the {title}", product,
            f"d{k} = (dc - dh * o * (1 - tanh_c**2)) * {partner}", "(4)",
            "dc is complete only when the part through h has been added."
            " Compute the gates' gradients after that.", "",
            f"d{k} = dc_next * {partner}")


def _joined_weights_in_order(order: str) -> tuple[str, ...]:
    picked = ", ".join(str("ifgo".index(k)) for k in order)
    return ("gradients of Wx and Wh, not of b, returned in the order"
            f" {', '.join(order)}", "LSTMGrads(dWx, dWh, db)",
            "LSTMGrads(*(np.concatenate([np.split(d, 4, axis=1)[k] for k in"
            f" ({picked})], axis=1) for d in (dWx, dWh)), db)", ALL_GATES,
            "The blocks of gradients and of weights have the order i, f, g, o.", "",
            f"dW = [{', '.join('dW' + k for k in order)}]", "dW = [dWi, dWf, dWg, dWo]")


def _joined_weights_of_another(gate: _Gate, other: _Gate) -> tuple[str, ...]:
    blocks = ", ".join("dz" + (other.letter if k == gate.letter else k) for k in "ifgo")
    return (f"weights of the {gate.title} from the {other.title}",
            "LSTMGrads(dWx, dWh, db)",
            f"LSTMGrads(*(a.T @ np.concatenate([{blocks}], axis=1) for a in (x,"
            " h_prev)), db)", gate.equation,
            f"Both weights of {gate.letter} are in z{gate.letter}, so their gradients"
            f" are made of dz{gate.letter}.", "",
            f"dW{gate.letter} = np.hstack([h_prev, x]).T @ dz{other.letter}",
            f"dW{gate.letter} = np.hstack([h_prev, x]).T @ dz{gate.letter}")


def _block_twice(gate: _Gate, other: _Gate) -> tuple[str, ...]:
    blocks = ", ".join("dz" + (other.letter if k == gate.letter else k) for k in "ifgo")
    return (f"block of the {gate.title} from the {other.title}",
            "np.concatenate([dzi, dzf, dzg, dzo]", f"np.concatenate([{blocks}]",
            gate.equation, "Each of the four blocks has a gradient of its own.", "",
            f"[{blocks}]", "[dzi, dzf, dzg, dzo]")


def _clipped(
    what: str, right: str, wrong: str, shown: str, belongs: str
) -> tuple[str, ...]:
    return (f"{what} clipped inside the backward pass", right, wrong, "",
            "Backward is linear in dh and dc. A clipped array is no longer the"
            " gradient, and a check with small numbers does not notice."
            " Clip the gradients that the optimizer gets.", "", shown, belongs)


def _exchanged(order: str) -> tuple[str, ...]:
    blocks = ", ".join("dz" + k for k in order)
    return (f"gradients in the order {', '.join(order)}",
            "np.concatenate([dzi, dzf, dzg, dzo]", f"np.concatenate([{blocks}]",
            ALL_GATES,
            "The blocks of gradients and of weights have the order i, f, g, o.",
            "keras-team/keras 3088, 8720")


def _returned(order: str) -> tuple[str, ...]:
    picked = ", ".join(str("ifgo".index(k)) for k in order)
    return (f"gradients of the weights returned in the order {', '.join(order)}",
            "LSTMGrads(dWx, dWh, db)",
            "LSTMGrads(*(np.concatenate([np.split(d, 4, axis=-1)[k] for k in"
            f" ({picked})], axis=-1) for d in (dWx, dWh, db)))", ALL_GATES,
            "The blocks of gradients and of weights have the order i, f, g, o.",
            "keras-team/keras 3088, 8720")


def _averaged(name: str, line: str) -> tuple[str, ...]:
    return (f"{name} averaged over the batch", f"{name} = {line}",
            f"{name} = {line} / len(x)", "",
            "If the loss is a mean, dh contains its factor already.")


_BY_GATES = (
    "sum(dz_k @ {0}_k for dz_k, {0}_k in"
    " zip(np.split(dz, 4, axis=1), np.split({0}, 4, axis=1)))"
)
_DC = "dc = dc + dh * o * (1 - tanh_c**2)"

STEP_BACKWARD = made_in(
    lstm_step_backward,
    *(row for gate in GATES for row in _at_any(gate)),
    *(row for gate in GATES if gate.letter != "g"
      for row in at_a_sigmoid(gate.title, gate.letter, f"d{gate.letter}",
                              f"dz{gate.letter}", gate.equation)),
    *at_a_tanh("candidate", "g", "dg", "dzg", "(3)"),
    *map(_exchanged, OTHER_ORDERS),
    *map(_returned, OTHER_ORDERS),
    *(_old_dc(gate) for gate in GATES if gate.letter != "o"),
    ("h in place of tanh(c) at the output gate", "do = dh * tanh_c",
     "do = dh * (o * tanh_c)", "(6)",
     "In the forward pass o is multiplied by tanh(c). h = o * tanh(c) contains o"
     " already.", "", "do = dh * h"),
    ("c_prev in place of f in dc_prev", "dc_prev = dc * f", "dc_prev = dc * c_prev",
     "(4)",
     "f and c_prev are multiplied: the gradient of each has the other as its factor."),
    ("f in place of c_prev", "df = dc * c_prev", "df = dc * f", "(4)",
     "f and c_prev are multiplied: the gradient of each has the other as its factor."),
    ("sign of dz", "dz = np.concatenate([dzi", "dz = -np.concatenate([dzi", "",
     "This is the gradient of the loss. The optimizer subtracts it.", "",
     "dz = -np.concatenate([dzi, dzf, dzg, dzo], axis=1)",
     "dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1)"),
    ("dz averaged over the batch", "dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1)",
     "dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1) / len(x)", "",
     "If the loss is a mean, dh contains its factor already."),
    *map(_joined_weights_in_order, OTHER_ORDERS),
    *(_joined_weights_of_another(gate, other) for gate, other in TWO_GATES),
    *(_block_twice(gate, other) for gate, other in TWO_GATES),
    ("i in place of g", "di = dc * g", "di = dc * i", "(4)",
     "i and g are multiplied: the gradient of each has the other as its factor."),
    ("g in place of i", "dg = dc * i", "dg = dc * g", "(4)",
     "i and g are multiplied: the gradient of each has the other as its factor."),
    ("this step's cell state for the forget gate", "df = dc * c_prev",
     "df = dc * (f * c_prev + i * g)", "(4)",
     "f was multiplied by the cell state of the step before: c[t-1], not c[t]."),
    ("output tanh left out of the output gate", "do = dh * tanh_c",
     "do = dh * np.arctanh(tanh_c)", "(6)",
     "In the forward pass h = o * tanh(c), not o * c.", "nicodjimenez/lstm 9, 47"),
    ("cell-state gradient not carried", "dc_prev = dc * f",
     "dc_prev = np.zeros_like(dc)", "(4)",
     "dc_prev = dc * f is what makes it an LSTM: it brings the gradient back to c many"
     " steps ago.", "nicodjimenez/lstm 2, 33, 39; CaptainE/RNN-LSTM-in-numpy 1"),
    ("forget gate left out of dc_prev", "dc_prev = dc * f", "dc_prev = dc", "(4)",
     "c_prev is multiplied by f in the forward pass, so its gradient is too."),
    ("carried through the input gate", "dc_prev = dc * f", "dc_prev = dc * i", "(4)",
     "c_prev is multiplied by f in the forward pass."),
    ("carried through 1 - f", "dc_prev = dc * f", "dc_prev = dc * (1 - f)", "(4)",
     "f is the fraction of c_prev that is kept, not the fraction that is forgotten."),
    ("dc_prev without the part of dc through h", "dc_prev = dc * f",
     "dc_prev = (dc - dh * o * (1 - tanh_c**2)) * f", "(4)",
     "The part of dc that comes through h goes on to the step before as well."),
    ("only the part of dc through h", _DC, "dc = dh * o * (1 - tanh_c**2)", "(6)",
     "c acts on the loss through h and through the step after: both gradients add up."),
    ("only the part of dc from the step after", _DC, "dc = dc + 0 * dh", "(6)",
     "c acts on the loss through h and through the step after: both gradients add up."),
    ("output tanh left out of dc", _DC, "dc = dc + dh * o", "(6)",
     "h = o * tanh(c), so the derivative of tanh belongs in the product.",
     "nicodjimenez/lstm 9, 47"),
    ("output gate left out of dc", _DC, "dc = dc + dh * (1 - tanh_c**2)", "(6)",
     "h = o * tanh(c), so o belongs in the product."),
    ("square missing in the derivative of tanh(c)", _DC,
     "dc = dc + dh * o * (1 - tanh_c)", "(6)",
     "The derivative of tanh is 1 - tanh**2."),
    ("square over the whole bracket in the derivative of tanh(c)", _DC,
     "dc = dc + dh * o * (1 - tanh_c)**2", "(6)",
     "The derivative of tanh is 1 - tanh**2: only the tanh is squared."),
    ("h in place of tanh(c)", _DC, "dc = dc + dh * o * (1 - (o * tanh_c)**2)", "(6)",
     "The derivative of tanh at c is 1 - tanh(c)**2. h is o * tanh(c), which has the"
     " output gate in it.", "", "dc = dc + dh * o * (1 - h**2)"),
    ("sign in the derivative of tanh(c)", _DC, "dc = dc + dh * o * (1 + tanh_c**2)",
     "(6)", "The derivative of tanh is 1 - tanh**2."),
    ("part of dc through h added twice", _DC, "dc = dc + 2 * dh * o * (1 - tanh_c**2)",
     "(6)", "c acts on the loss through h once: this part is added once."),
    ("tanh of tanh(c)", _DC, "dc = dc + dh * o * (1 - np.tanh(tanh_c)**2)", "(6)",
     "tanh_c is already the tanh.", "nicodjimenez/lstm 41"),
    ("c in place of tanh(c)", _DC, "dc = dc + dh * o * (1 - np.arctanh(tanh_c)**2)",
     "(6)", "The derivative of tanh at c is 1 - tanh(c)**2, not 1 - c**2."),
    ("dc changed in place", "dc = dc + dh", "dc += dh", "(6)",
     "The array belongs to the caller. A second call then gives other gradients.",
     "Burton2000/CS231n-2017 7; Element-Research/rnn 31"),
    ("hidden-state gradient not carried", "dh_prev = dz @ Wh.T",
     "dh_prev = np.zeros_like(dh)", ALL_GATES,
     "h_prev is in three gates and the candidate, so its gradient comes from all"
     " four.",
     "qixianbiao/RNN 2"),
    ("transposed recurrent weights", "dh_prev = dz @ Wh.T",
     f"dh_prev = {_BY_GATES.format('Wh')}", ALL_GATES,
     "The gradient of h_prev Wh is a product with the transpose of Wh."
     " Square blocks hide the difference.", "", "dh_prev = dz @ Wh, gate by gate"),
    ("transposed input weights", "dx = dz @ Wx.T", f"dx = {_BY_GATES.format('Wx')}",
     ALL_GATES,
     "The gradient of x Wx is a product with the transpose of Wx."
     " Square blocks hide the difference.", "", "dx = dz @ Wx, gate by gate"),
    ("Wh paired with h[t]", "dWh = h_prev.T @ dz", "dWh = (o * tanh_c).T @ dz",
     ALL_GATES,
     "z was made from the hidden state of the step before: h[t-1], not h[t].",
     "explosion/thinc, NumPy backward"),
    _averaged("dWx", "x.T @ dz"),
    _averaged("dWh", "h_prev.T @ dz"),
    _averaged("db", "dz.sum(axis=0)"),
    ("db summed over everything", "db = dz.sum(axis=0)", "db = dz.sum()", "",
     "Without axis=0 the sum is one number. Each bias has its own sum, over the"
     " batch."),
    ("db summed over everything, one number in every entry", "db = dz.sum(axis=0)",
     "db = np.full(dz.shape[1], dz.sum())", "",
     "Without axis=0 the sum is one number. Each bias has its own sum, over the"
     " batch."),
    ("db summed over each gate, one number for all its units", "db = dz.sum(axis=0)",
     "db = np.repeat([block.sum() for block in np.split(dz, 4, axis=1)], dh.shape[1])",
     "",
     "Without axis=0 the sum is one number. Each bias has its own sum, over the batch.",
     "", "db of a gate = np.sum(its dz)", "db of a gate = np.sum(its dz, axis=0)"),
    ("db summed over the units", "db = dz.sum(axis=0)", "db = dz.sum(axis=1)", "",
     "All sequences of the batch share a bias, so the sum is over axis 0."),
    ("inputs joined as [x, h_prev] where the weights are for [h_prev, x]",
     "LSTMGrads(dWx, dWh, db)",
     "LSTMGrads(np.vstack([dWx, dWh])[len(dWh):], np.vstack([dWx, dWh])[:len(dWh)],"
     " db)", ALL_GATES,
     "The rows of dW have the order in which x and h_prev are joined:"
     " that of the forward pass.", "", "dW = np.hstack([x, h_prev]).T @ dz",
     "dW = np.hstack([h_prev, x]).T @ dz"),
    ("inputs joined as [h_prev, x] where the weights are for [x, h_prev]",
     "LSTMGrads(dWx, dWh, db)",
     "LSTMGrads(np.vstack([dWh, dWx])[:len(dWx)], np.vstack([dWh, dWx])[len(dWx):],"
     " db)", ALL_GATES,
     "The rows of dW have the order in which x and h_prev are joined:"
     " that of the forward pass.", "", "dW = np.hstack([h_prev, x]).T @ dz",
     "dW = np.hstack([x, h_prev]).T @ dz"),
    ("dx cut out first where h_prev stands first", "return dx, dh_prev, dc_prev",
     "return *np.split(np.hstack([dh_prev, dx]), [dx.shape[1]], axis=1), dc_prev",
     ALL_GATES,
     "The gradient of the joined inputs is cut where they were joined:"
     " h_prev first, then x.", "", "dx, dh_prev = the columns of dz @ W.T",
     "dh_prev, dx = the columns of dz @ W.T"),
    ("dh_prev cut out first where x stands first", "return dx, dh_prev, dc_prev",
     "return *np.split(np.hstack([dx, dh_prev]), [dh.shape[1]], axis=1)[::-1], dc_prev",
     ALL_GATES,
     "The gradient of the joined inputs is cut where they were joined:"
     " x first, then h_prev.", "", "dh_prev, dx = the columns of dz @ W.T",
     "dx, dh_prev = the columns of dz @ W.T"),
    _clipped("gradients of the weights", "LSTMGrads(dWx, dWh, db)",
             "LSTMGrads(*(np.clip(d, -1, 1) for d in (dWx, dWh, db)))",
             "np.clip(d, -1, 1), for d of dWx, dWh, db", "dWx, dWh, db"),
    _clipped("dz", "axis=1)  # (B, 4H)",
             "axis=1); dz = np.clip(dz, -1, 1)  # (B, 4H)", "np.clip(dz, -1, 1)", "dz"),
    _clipped("recurrent gradients", "return dx, dh_prev, dc_prev",
             "return dx, np.clip(dh_prev, -1, 1), np.clip(dc_prev, -1, 1)",
             "np.clip(dh_prev, -1, 1), np.clip(dc_prev, -1, 1)", "dh_prev, dc_prev"),
    _clipped("hidden-state gradient", "return dx, dh_prev, dc_prev",
             "return dx, np.clip(dh_prev, -1, 1), dc_prev", "np.clip(dh_prev, -1, 1)",
             "dh_prev"),
    ("dh_prev and dc_prev the other way round", "return dx, dh_prev, dc_prev",
     "return dx, dc_prev, dh_prev", "",
     "The hidden state comes first, the cell state second."),
)
