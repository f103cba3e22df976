"""Known mistakes of a GRU. ``mistakes.py`` says how to read the rows."""

from __future__ import annotations

from itertools import permutations

from minilstm.reference.gru import gru_step, gru_step_backward
from minilstm.reference.sequence import sequence_backward, sequence_forward
from minilstm.verify.diagnose.mistakes_at_activations import (
    Row,
    at_a_sigmoid,
    at_a_tanh,
)
from minilstm.verify.diagnose.mistakes_in_any_cell import (
    FORWARD_IN_TIME,
    in_the_state,
    of_one_side,
)
from minilstm.verify.diagnose.mistakes_in_time import IN_ANY_LOOP, of_weights
from minilstm.verify.diagnose.variant import made_in, named_after

_ALL, _BLOCKS = "(1), (2), (4)", ("reset gate", "update gate", "candidate")
_H, _N = "h = (1 - z) * n + z * h_prev", "n = np.tanh(axn + r * q)"
_DN, _DZ = "dn = dh * (1 - z)", "dz = dh * (h_prev - n)"
_DAX, _DAH = "[dar, daz, dan], axis=1)", "[dar, daz, dq], axis=1)"
_DH_PREV = "dh_prev = dh * z + dah @ Wh.T"
_RESET_BEFORE = "(r * h_prev) @ Wh_n, as in the first equation 8 of Cho et al.,"
_Q = "q, the past's part of the candidate, is multiplied by r in the forward pass"
_WEIGHT_OF_H = (
    "h_prev is multiplied by z in the forward pass, so its gradient is too, besides"
    " what comes through the gates."
)


def _orders() -> list[tuple[int, ...]]:
    return [order for order in permutations(range(3)) if order != (0, 1, 2)]


def _read(order: tuple[int, ...]) -> Row:
    names = lambda side: ", ".join(f"{side}{'rzn'[k]}" for k in order)
    past = names("ah").replace("ahn", "q")
    return (f"blocks read in the order {', '.join('rzn'[k] for k in order)}",
            "axr, axz, axn = np.split(ax, 3, axis=1)        # (B, H) each\n"
            "    ahr, ahz, q = np.split",
            f"{names('ax')} = np.split(ax, 3, axis=1)\n    {past} = np.split", _ALL,
            "The blocks of the weights stand in the order r, z, n;"
            " convert weights from elsewhere to it.", "",
            f"{names('z')} = np.split", "zr, zz, zn = np.split")


def _returned(order: tuple[int, ...]) -> Row:
    picked = f"np.concatenate([np.split(d, 3, axis=-1)[k] for k in {order}], axis=-1)"
    return ("gradients of the weights returned in the order"
            f" {', '.join('rzn'[k] for k in order)}", "GRUGrads(dWx, dWh, dbx, dbh)",
            f"GRUGrads(*({picked} for d in (dWx, dWh, dbx, dbh)))", _ALL,
            "The blocks of gradients and of weights have the order r, z, n.")


def _of_dz(order: tuple[int, ...]) -> Row:
    x = ", ".join(("dar", "daz", "dan")[k] for k in order)
    h = ", ".join(("dar", "daz", "dq")[k] for k in order)
    return (f"gradients in the order {', '.join('rzn'[k] for k in order)}",
            "np.concatenate([dar, daz, dan], axis=1)  # (B, 3H)\n"
            "    dah = np.concatenate([dar, daz, dq], axis=1)   # (B, 3H)",
            f"np.concatenate([{x}], axis=1)\n    dah = np.concatenate([{h}], axis=1)",
            _ALL, "The blocks of gradients and of weights have the order r, z, n.", "",
            f"[{x}]", "[dar, daz, dan]")


STEP = named_after("GRU", made_in(
    gru_step,
    ("update gate the other way round", _H, "h = z * n + (1 - z) * h_prev", "(5)",
     "z is the part of h_prev that stays, as in PyTorch, Keras and cuDNN. Where a paper"
     " has 1 - z, change the sign of the weights of z."),
    ("old hidden state left out", _H, "h = (1 - z) * n", "(5)",
     "Without z * h_prev nothing is carried."),
    ("update gate left out of the candidate", _H, "h = n + z * h_prev", "(5)",
     "The two weights z and 1 - z add up to 1."),
    ("update gate left out of the old hidden state", _H, "h = (1 - z) * n + h_prev",
     "(5)", "The two weights z and 1 - z add up to 1."),
    ("reset gate left out", _N, "n = np.tanh(axn + q)", "(4)",
     "Without r the candidate always sees all of the past."),
    ("reset gate before the product", _N,
     "n = np.tanh(axn + (r * h_prev) @ np.split(Wh, 3, axis=1)[2]"
     " + np.split(bh, 3)[2])", "(3), (4)",
     f"With {_RESET_BEFORE} it is another cell. Here r multiplies q, as in PyTorch,"
     " Keras (reset_after) and cuDNN.", "",
     "n = np.tanh(axn + (r * h_prev) @ Wh_n + bh_n)", "n = np.tanh(axn + r * q)"),
    ("bias of the past outside the reset gate", _N,
     "n = np.tanh(axn + r * (q - np.split(bh, 3)[2]) + np.split(bh, 3)[2])",
     "(3), (4)", "bh_n is part of q, and r multiplies all of q.", "",
     "n = np.tanh(axn + r * (h_prev @ Wh_n) + bh_n)", "n = np.tanh(axn + r * q)"),
    ("reset gate on the wrong side", _N, "n = np.tanh(r * axn + q)", "(4)",
     "r decides how much of the past the candidate sees, not how much of x."),
    ("update gate in place of the reset gate", _N, "n = np.tanh(axn + z * q)", "(4)",
     "z decides what stays of h_prev; r what the candidate sees of it."),
    ("tanh of the candidate left out", _N, "n = axn + r * q", "(4)",
     "The candidate lies between -1 and 1."),
    ("candidate through a sigmoid", _N, "n = sigmoid(axn + r * q)", "(4)",
     "The candidate must be able to be negative; it is no gate."),
    ("bias of the input left out", "ax = x @ Wx + bx", "ax = x @ Wx", _ALL,
     "Both sides have biases."),
    ("bias of the past left out", "ah = h_prev @ Wh + bh", "ah = h_prev @ Wh", _ALL,
     "Both sides have biases."),
    *map(_read, _orders()),
))

STEP_BACKWARD = named_after("GRU", made_in(
    gru_step_backward,
    *at_a_sigmoid("reset gate", "r", "dr", "dar", "(1)"),
    *at_a_sigmoid("update gate", "z", "dz", "daz", "(2)"),
    *at_a_tanh("candidate", "n", "dn", "dan", "(4)"),
    ("z in place of 1 - z at the candidate", _DN, "dn = dh * z", "(5)",
     "n is multiplied by 1 - z in the forward pass."),
    ("factor 1 - z missing at the candidate", _DN, "dn = dh", "(5)",
     "n is multiplied by 1 - z in the forward pass."),
    ("candidate left out of dz", _DZ, "dz = dh * h_prev", "(5)",
     "h = (1 - z) * n + z * h_prev: z is in both terms."),
    ("old hidden state left out of dz", _DZ, "dz = dh * -n", "(5)",
     "h = (1 - z) * n + z * h_prev: z is in both terms.", "", "dz = -dh * n"),
    ("candidate added in dz", _DZ, "dz = dh * (h_prev + n)", "(5)",
     "h = (1 - z) * n + z * h_prev: its derivative by z is h_prev - n."),
    ("this step's h in place of h_prev in dz", _DZ,
     "dz = dh * ((1 - z) * n + z * h_prev - n)", "(5)",
     "The old hidden state is h_prev.", "", "dz = dh * (h - n)"),
    ("h_prev in place of q", "dr = dan * q", "dr = dan * h_prev", "(4)",
     "r multiplies q = h_prev Wh_n + bh_n, not h_prev."),
    ("q missing at the reset gate", "dr = dan * q", "dr = dan", "(4)",
     "r multiplies q in the forward pass, so its gradient has q as a factor."),
    ("dr before the tanh", "dr = dan * q", "dr = dn * q", "(4)",
     "q and r are inside the tanh: the gradient goes through its derivative first."),
    ("q without its bias at the reset gate", "dr = dan * q",
     "dr = dan * (h_prev @ np.split(Wh, 3, axis=1)[2])", "(4)",
     "bh_n is part of q, and r multiplies all of q.", "", "dr = dan * (h_prev @ Wh_n)"),
    ("r missing in dq", "dq = dan * r", "dq = dan", "(4)", f"{_Q}."),
    ("z in place of r in dq", "dq = dan * r", "dq = dan * z", "(4)", f"{_Q}."),
    ("dq before the tanh", "dq = dan * r", "dq = dn * r", "(4)",
     "q is inside the tanh: the gradient goes through its derivative first."),
    ("candidate's gradient with r on the side of the input",
     f"dax = np.concatenate({_DAX}", f"dax = np.concatenate({_DAH}", "(4)",
     "Only the past's side is multiplied by r; so dax ends with dan, not with dq.", "",
     "dax = dah"),
    ("reset and update gate exchanged on the side of the input",
     f"dax = np.concatenate({_DAX}", "dax = np.concatenate([daz, dar, dan], axis=1)",
     _ALL, "The blocks have the order r, z, n."),
    ("reset and update gate exchanged on the side of the past",
     f"dah = np.concatenate({_DAH}", "dah = np.concatenate([daz, dar, dq], axis=1)",
     _ALL, "The blocks have the order r, z, n."),
    *map(_of_dz, _orders()),
    *map(_returned, _orders()),
    ("direct part of dh_prev left out", _DH_PREV, "dh_prev = dah @ Wh.T", "(5)",
     _WEIGHT_OF_H),
    ("only the direct part of dh_prev", _DH_PREV, "dh_prev = dh * z", "(1), (2), (3)",
     "h_prev is in both gates and in q, too."),
    ("z missing in the direct part of dh_prev", _DH_PREV, "dh_prev = dh + dah @ Wh.T",
     "(5)", _WEIGHT_OF_H),
    ("1 - z in place of z in dh_prev", _DH_PREV, "dh_prev = dh * (1 - z) + dah @ Wh.T",
     "(5)", _WEIGHT_OF_H),
    ("direct part of dh_prev subtracted", _DH_PREV, "dh_prev = dah @ Wh.T - dh * z",
     "(5)", _WEIGHT_OF_H),
    ("hidden-state gradient not carried", _DH_PREV, "dh_prev = np.zeros_like(dh)", _ALL,
     "h_prev acts on both gates, on the candidate, and on h itself.",
     "qixianbiao/RNN 2"),
    *of_one_side("Wx", "x", "bx", "dax", 3),
    *of_one_side("Wh", "h_prev", "bh", "dah", 3),
    ("Wh paired with h[t]", "dWh = h_prev.T @ dah",
     "dWh = ((1 - z) * n + z * h_prev).T @ dah", "(1), (2), (3)",
     "a was made from the hidden state of the step before: h[t-1], not h[t].",
     "explosion/thinc, NumPy backward", "dWh = h.T @ dah"),
    ("Wh of the candidate paired with r * h_prev", "dWh = h_prev.T @ dah",
     "dWh = np.concatenate([h_prev.T @ dar, h_prev.T @ daz, (r * h_prev).T @ dq],"
     " axis=1)", "(3), (4)",
     "r is in dq already: q = h_prev Wh_n + bh_n is multiplied by it.", "",
     "dWh_n = (r * h_prev).T @ dq", "dWh_n = h_prev.T @ dq"),
    ("bh in place of bx", "dbx = dax.sum(axis=0)", "dbx = dah.sum(axis=0)", "(3), (4)",
     "bx_n is not multiplied by r, so its gradient is the sum of dan."),
    ("bx in place of bh", "dbh = dah.sum(axis=0)", "dbh = dax.sum(axis=0)", "(3), (4)",
     "bh_n is part of q, so its gradient is the sum of dq = dan * r."),
))

SEQUENCE = named_after("GRU", made_in(sequence_forward, *FORWARD_IN_TIME))

_LAST_H = (
    "(1 - caches[-1].z) * caches[-1].n + caches[-1].z * caches[-1].h_prev"
)
SEQUENCE_BACKWARD = [
    *IN_ANY_LOOP,
    *of_weights("bx", "bh"),
    *named_after("GRU", made_in(sequence_backward, *in_the_state(_LAST_H),
        ("gates of the step before", "caches[t]",
         "caches[t]._replace(r=caches[t - 1].r, z=caches[t - 1].z, n=caches[t - 1].n)",
         "", "The backward pass of step t needs the gates of step t.", "",
         "r, z, n = gates[t - 1]", "r, z, n = gates[t]"),
    )),
]

ALL = [*STEP, *STEP_BACKWARD, *SEQUENCE, *SEQUENCE_BACKWARD]
