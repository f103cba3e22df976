"""The catalogue of mistakes: what people write in a step, in its way back, in the loop through time and in the loss.

Each entry is one line of our own code, the line that stands there when the mistake is made, and why it is one. The property
tests fail for every single entry put in place of the original, and ``diagnose`` knows each by its results. The last string of
an entry, where there is one, tells who made it: repository and issue numbers on GitHub.
"""

from __future__ import annotations

from collections.abc import Callable

from minilstm.cells.lstm import lstm_step, lstm_step_backward
from minilstm.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from minilstm.verify.sequence import lstm_sequence_backward
from minilstm.verify.variant import Mistake

ALL_GATES = "(1), (2), (3), (5)"


def _made_in(function: Callable, *rows: tuple[str, ...]) -> list[Mistake]:
    return [Mistake(name, function, *rest) for name, *rest in rows]


# ---- a step forward ---------------------------------------------------------------------------------------------------


def _order(order: str) -> tuple[str, ...]:
    return (
        f"gates read in the order {', '.join(order)}",
        "zi, zf, zg, zo = np.split", f"{', '.join('z' + k for k in order)} = np.split", ALL_GATES,
        "The blocks of the weights stand in the order i, f, g, o; weights from elsewhere must be put into it.",
        "keras-team/keras 3088, 8720; tensorflow/tensorflow 29308",
    )  # fmt: skip


STEP = _made_in(
    lstm_step,
    ("output tanh left out", "h = o * tanh_c", "h = o * c", "(6)",
     "The output gate shows tanh(c), not c itself, which may be of any size.", "nicodjimenez/lstm 9, 47"),
    ("output gate left out", "h = o * tanh_c", "h = tanh_c", "(6)",
     "Nothing decides what is shown."),
    ("forget gate left out", "c = f * c_prev + i * g", "c = c_prev + i * g", "(4)",
     "That is the cell of 1997, which can never let go of anything."),
    ("input gate left out", "c = f * c_prev + i * g", "c = f * c_prev + g", "(4)",
     "Nothing decides what is written."),
    ("nothing remembered", "c = f * c_prev + i * g", "c = i * g", "(4)",
     "The cell state of the step before is not used."),
    ("coupled gates", "c = f * c_prev + i * g", "c = f * c_prev + (1 - f) * g", "(4)",
     "That is another cell, in which the input gate is 1 - f."),
    ("candidate through a sigmoid", "g = np.tanh(zg)", "g = sigmoid(zg)", "(3)",
     "The candidate must be able to be negative; it is no gate."),
    ("input gate through a tanh", "i = sigmoid(zi)", "i = np.tanh(zi)", "(2)",
     "A gate lies between 0 and 1."),
    ("bias left out", "z = x @ Wx + h_prev @ Wh + b", "z = x @ Wx + h_prev @ Wh", ALL_GATES,
     "Each of the four has a bias."),
    ("hidden state left out", "z = x @ Wx + h_prev @ Wh + b", "z = x @ Wx + b", ALL_GATES,
     "Without h_prev the gates cannot know what was shown before."),
    ("h and c the other way round", "return h, c, LSTMStepCache", "return c, h, LSTMStepCache", "",
     "The hidden state is what is shown and comes first; the cell state is what is kept."),
    ("cell state given out as hidden state", "return h, c, LSTMStepCache", "return c, c, LSTMStepCache", "",
     "The output is the hidden state o * tanh(c); the cell state stays inside."),
    *map(_order, ("ifog", "figo", "igfo", "gfio", "ofgi", "iofg")),
)  # fmt: skip


# ---- a step backward --------------------------------------------------------------------------------------------------


def _gate(k: str, title: str, equation: str, product: str, partner: str, through: str, neighbour: str) -> list[tuple[str, ...]]:
    """What goes wrong at a gate: in its product, ``product``, and on the way through its activation, ``through``."""
    blocks = ", ".join("dz" + (neighbour if m == k else m) for m in "ifgo")
    return [
        (f"partner of the {title} missing", product, product.removesuffix(f" * {partner}"), "(6)" if k == "o" else "(4)",
         f"{k} is multiplied by {partner} on the way forward, so its gradient is too."),
        (f"derivative of the {title} missing", through, f"dz{k} = d{k}", equation,
         f"{k} is a function of z{k}, whose derivative belongs into the product."),
        (f"gradient of the {title} left out", through, f"dz{k} = 0 * d{k}", equation,
         "Its weights have to learn as well."),
        (f"bias of the {title} from its neighbour", "db = dz.sum(axis=0)",
         f"db = np.concatenate([{blocks}], axis=1).sum(axis=0)", equation,
         f"The bias of {k} feels dz{k}, not dz{neighbour}.", "ddbourgin/numpy-ml 42"),
        (f"input weights of the {title} from its neighbour", "dWx = x.T @ dz",
         f"dWx = x.T @ np.concatenate([{blocks}], axis=1)", equation,
         f"The weights of {k} feel dz{k}, not dz{neighbour}.", "ddbourgin/numpy-ml 42"),
        (f"recurrent weights of the {title} from its neighbour", "dWh = h_prev.T @ dz",
         f"dWh = h_prev.T @ np.concatenate([{blocks}], axis=1)", equation,
         f"The weights of {k} feel dz{k}, not dz{neighbour}.", "ddbourgin/numpy-ml 42"),
    ]  # fmt: skip


def _sigmoid_gate(k: str, title: str, equation: str, through: str) -> list[tuple[str, ...]]:
    return [
        (f"derivative of the {title} at the activated value", through,
         f"dz{k} = d{k} * sigmoid({k}) * (1 - sigmoid({k}))", equation,
         f"{k} is already the sigmoid; its derivative is {k} * (1 - {k}).", "nicodjimenez/lstm 41"),
        (f"factor {k} missing at the {title}", through, f"dz{k} = d{k} * (1 - {k})", equation,
         "The derivative of a sigmoid s is s * (1 - s)."),
        (f"factor 1 - {k} missing at the {title}", through, f"dz{k} = d{k} * {k}", equation,
         "The derivative of a sigmoid s is s * (1 - s)."),
        (f"derivative of a tanh for the {title}", through, f"dz{k} = d{k} * (1 - {k}**2)", equation,
         "It is a sigmoid, whose derivative is s * (1 - s)."),
    ]  # fmt: skip


def _swapped(a: str, b: str) -> tuple[str, ...]:
    blocks = ", ".join("dz" + {a: b, b: a}.get(k, k) for k in "ifgo")
    return (
        f"gradients of {a} and {b} exchanged", "np.concatenate([dzi, dzf, dzg, dzo]", f"np.concatenate([{blocks}]", ALL_GATES,
        "The blocks stand in the order i, f, g, o, in gradients as in weights.", "keras-team/keras 3088, 8720",
    )  # fmt: skip


def _averaged(name: str, line: str) -> tuple[str, ...]:
    return (f"{name} averaged over the batch", f"{name} = {line}", f"{name} = {line} / len(x)", "",
            "Whether there is a mean is for the loss to say, once; it stands in dh already.")  # fmt: skip


_BY_GATES = "sum(dz_k @ {0}_k for dz_k, {0}_k in zip(np.split(dz, 4, axis=1), np.split({0}, 4, axis=1)))"
_DC = "dc = dc + dh * o * (1 - tanh_c**2)"

STEP_BACKWARD = _made_in(
    lstm_step_backward,
    *_gate("i", "input gate", "(2)", "di = dc * g", "g", "dzi = di * i * (1 - i)", "f"),
    *_gate("f", "forget gate", "(1)", "df = dc * c_prev", "c_prev", "dzf = df * f * (1 - f)", "i"),
    *_gate("g", "candidate", "(3)", "dg = dc * i", "i", "dzg = dg * (1 - g**2)", "f"),
    *_gate("o", "output gate", "(5)", "do = dh * tanh_c", "tanh_c", "dzo = do * o * (1 - o)", "g"),
    *_sigmoid_gate("i", "input gate", "(2)", "dzi = di * i * (1 - i)"),
    *_sigmoid_gate("f", "forget gate", "(1)", "dzf = df * f * (1 - f)"),
    *_sigmoid_gate("o", "output gate", "(5)", "dzo = do * o * (1 - o)"),
    ("derivative of the candidate at the activated value", "dzg = dg * (1 - g**2)", "dzg = dg * (1 - np.tanh(g)**2)", "(3)",
     "g is already the tanh; its derivative is 1 - g**2.", "nicodjimenez/lstm 41"),
    ("square missing at the candidate", "dzg = dg * (1 - g**2)", "dzg = dg * (1 - g)", "(3)",
     "The derivative of tanh is 1 - tanh**2."),
    ("derivative of a sigmoid for the candidate", "dzg = dg * (1 - g**2)", "dzg = dg * g * (1 - g)", "(3)",
     "It is a tanh, whose derivative is 1 - tanh**2."),
    *(_swapped(a, b) for a, b in ("if", "ig", "io", "fg", "fo", "go")),
    ("i in place of g", "di = dc * g", "di = dc * i", "(4)",
     "i is multiplied by g; each of the two feels the other."),
    ("g in place of i", "dg = dc * i", "dg = dc * g", "(4)",
     "g is multiplied by i; each of the two feels the other."),
    ("this step's cell state for the forget gate", "df = dc * c_prev", "df = dc * (f * c_prev + i * g)", "(4)",
     "f was multiplied by the cell state of the step before: c[t-1], not c[t]."),
    ("output tanh left out of the output gate", "do = dh * tanh_c", "do = dh * np.arctanh(tanh_c)", "(6)",
     "The way forward was h = o * tanh(c), not h = o * c.", "nicodjimenez/lstm 9, 47"),
    ("cell-state gradient not carried", "dc_prev = dc * f", "dc_prev = np.zeros_like(dc)", "(4)",
     "This carry is what makes it an LSTM: without it the loss cannot feel what c did steps ago.",
     "nicodjimenez/lstm 2, 33, 39; CaptainE/RNN-LSTM-in-numpy 1"),
    ("forget gate left out of the carry", "dc_prev = dc * f", "dc_prev = dc", "(4)",
     "What the gate let through forward it lets through backward."),
    ("carried through the input gate", "dc_prev = dc * f", "dc_prev = dc * i", "(4)",
     "c_prev went forward through f."),
    ("carried through 1 - f", "dc_prev = dc * f", "dc_prev = dc * (1 - f)", "(4)",
     "f is the share that is kept, not the share that is forgotten."),
    ("carry of what arrives only", "dc_prev = dc * f", "dc_prev = (dc - dh * o * (1 - tanh_c**2)) * f", "(4)",
     "The part of dc that comes through h is carried as well."),
    ("only the part of dc through h", _DC, "dc = dh * o * (1 - tanh_c**2)", "(6)",
     "c acts on the loss through h and through the step after; the two add up."),
    ("only the carried part of dc", _DC, "dc = dc + 0 * dh", "(6)",
     "c acts on the loss through h and through the step after; the two add up."),
    ("output tanh left out of dc", _DC, "dc = dc + dh * o", "(6)",
     "h = o * tanh(c), so the derivative of tanh belongs into the product.", "nicodjimenez/lstm 9, 47"),
    ("output gate left out of dc", _DC, "dc = dc + dh * (1 - tanh_c**2)", "(6)",
     "c is shown through the output gate."),
    ("square missing in the derivative of tanh(c)", _DC, "dc = dc + dh * o * (1 - tanh_c)", "(6)",
     "The derivative of tanh is 1 - tanh**2."),
    ("tanh of tanh(c)", _DC, "dc = dc + dh * o * (1 - np.tanh(tanh_c)**2)", "(6)",
     "tanh_c is already the tanh.", "nicodjimenez/lstm 41"),
    ("c in place of tanh(c)", _DC, "dc = dc + dh * o * (1 - np.arctanh(tanh_c)**2)", "(6)",
     "The derivative of tanh at c is 1 - tanh(c)**2, not 1 - c**2."),
    ("dc changed in place", "dc = dc + dh", "dc += dh", "(6)",
     "The array belongs to the caller, to whom a second call then gives other gradients.",
     "Burton2000/CS231n-2017 7; Element-Research/rnn 31"),
    ("hidden-state gradient not carried", "dh_prev = dz @ Wh.T", "dh_prev = np.zeros_like(dh)", ALL_GATES,
     "h_prev went into all four gates.", "qixianbiao/RNN 2"),
    ("transposed recurrent weights", "dh_prev = dz @ Wh.T", f"dh_prev = {_BY_GATES.format('Wh')}", ALL_GATES,
     "h_prev Wh goes back through the transpose of Wh; square blocks hide the difference."),
    ("transposed input weights", "dx = dz @ Wx.T", f"dx = {_BY_GATES.format('Wx')}", ALL_GATES,
     "x Wx goes back through the transpose of Wx; square blocks hide the difference."),
    ("Wh paired with h[t]", "dWh = h_prev.T @ dz", "dWh = (o * tanh_c).T @ dz", ALL_GATES,
     "z was made from the hidden state of the step before: h[t-1], not h[t].", "explosion/thinc, NumPy backward"),
    _averaged("dWx", "x.T @ dz"),
    _averaged("dWh", "h_prev.T @ dz"),
    _averaged("db", "dz.sum(axis=0)"),
    ("dh_prev and dc_prev the other way round", "return dx, dh_prev, dc_prev", "return dx, dc_prev, dh_prev", "",
     "The hidden state comes first, the cell state second."),
)  # fmt: skip


# ---- the loop through time --------------------------------------------------------------------------------------------


def _assigned(name: str) -> tuple[str, ...]:
    return (f"gradient of {name} keeps one step only", f"d{name} += grads.{name}", f"d{name} = grads.{name}", "",
            "The weights are the same in every step: gradients add up, and what is assigned is lost a step later.")  # fmt: skip


_CARRIES = "dh_next, dc_next = dh_prev, dc_prev"

SEQUENCE_BACKWARD = _made_in(
    lstm_sequence_backward,
    ("cell-state gradient dropped between steps", _CARRIES, "dh_next, dc_next = dh_prev, np.zeros_like(dc_prev)", "",
     "The cell-state gradient is not carried to the step before.", "nicodjimenez/lstm 2, 33, 39; CaptainE/RNN-LSTM-in-numpy 1"),
    ("hidden-state gradient dropped between steps", _CARRIES, "dh_next, dc_next = np.zeros_like(dh_prev), dc_prev", "",
     "The hidden-state gradient is not carried to the step before.", "qixianbiao/RNN 2"),
    ("hidden-state gradient carried and not added", "dh_t = dh[t] + dh_next", "dh_t = dh[t] + 0 * dh_next", "",
     "The loss feels h[t] as an output and through step t + 1; the two add up."),
    ("outputs not felt", "dh_t = dh[t] + dh_next", "dh_t = dh_next", "",
     "The loss feels h[t] as an output and through step t + 1; the two add up."),
    ("only the last output felt", "dh_t = dh[t] + dh_next", "dh_t = (dh[t] if t == T - 1 else 0) + dh_next", "",
     "Every step has an output that the loss may feel."),
    ("output of the step before", "dh_t = dh[t] + dh_next", "dh_t = dh[t - 1] + dh_next", "",
     "Step t has the output h[t]."),
    ("dh changed in place", "dh_t = dh[t] + dh_next", "dh_t = dh[t]; dh_t += dh_next", "",
     "The array belongs to the caller, to whom a second call then gives other gradients.", "Element-Research/rnn 31, 203"),
    ("cache of the step before", "caches[t]", "caches[t - 1]", "",
     "Step t is taken back with what step t remembered."),
    ("carries exchanged", _CARRIES, "dh_next, dc_next = dc_prev, dh_prev", "",
     "dh goes on as dh, dc as dc."),
    *map(_assigned, ("Wx", "Wh", "b")),
    ("dx in reversed order", "dx[t] = dx_t", "dx[T - 1 - t] = dx_t", "",
     "The loop runs backward, and so does a list to which its results are appended."),
    ("gradient of the final hidden state not read", "dh_next, dc_next = dstate",
     "dh_next, dc_next = 0 * dstate[0], dstate[1]", "",
     "A state that goes on into another part of the text is felt there.", "keras-team/keras 2468, 2750"),
    ("gradient of the final cell state not read", "dh_next, dc_next = dstate",
     "dh_next, dc_next = dstate[0], 0 * dstate[1]", "",
     "A state that goes on into another part of the text is felt there.", "keras-team/keras 2468, 2750"),
    ("gradients of the initial states exchanged", "(dh_next, dc_next), LSTM", "(dc_next, dh_next), LSTM", "",
     "The hidden state comes first, the cell state second."),
    ("first step left out", "reversed(range(T))", "reversed(range(1, T))", "",
     "Step 0 has an input and an output too."),
    ("last step left out", "reversed(range(T))", "reversed(range(T - 1))", "",
     "Step T - 1 has an input and an output too."),
)  # fmt: skip


# ---- the loss ---------------------------------------------------------------------------------------------------------

_LOSS = "loss = np.mean(log_sum_exp(a - a_y))"
_BIG_EXP = "loss = -np.mean(np.log((np.exp(a) / np.exp(a).sum(axis=1, keepdims=True))[np.arange(y.size), y]))"

LOSS = [
    *_made_in(
        softmax_cross_entropy,
        ("sum in place of the mean", _LOSS, "loss = np.sum(log_sum_exp(a - a_y))", "(1) of the loss",
         "The loss is a mean over the real tokens, so that long batches do not weigh more."),
        ("padding counted in the mean", _LOSS, "loss = np.sum(log_sum_exp(a - a_y)) / real.size", "(1) of the loss",
         "Padding has no loss and must not be counted; the loss looks smaller than it is.", "keras-team/keras 7551, 9574"),
        ("lengths not used", "real = np.arange(T)[:, None] < check_lengths(lengths, T, B)", "real = np.ones((T, B), bool)",
         "(1) of the loss", "The model is made to predict padding.", "keras-team/keras 9637; minimaxir/textgenrnn 50"),
        ("exp of large logits", _LOSS, _BIG_EXP, "(1) of the loss",
         "exp overflows and log(0) is infinite; take the largest logit off first.", "karpathy/char-rnn 38, 169"),
        ("bits in place of nats", _LOSS, "loss = np.mean(log_sum_exp(a - a_y)) / np.log(2)", "(1) of the loss",
         "p - y is the gradient of the loss in nats."),
    ),
    *_made_in(
        softmax_cross_entropy_backward,
        ("not divided by the number of tokens", "(dloss / y.size)", "dloss", "(2) of the loss",
         "The loss is a mean over N tokens, so each has 1/N of its gradient."),
        ("divided twice by the number of tokens", "(dloss / y.size)", "(dloss / y.size**2)", "(2) of the loss",
         "The mean is taken once."),
        ("gradient divided by padding too", "(dloss / y.size)", "(dloss / real.size)", "(2) of the loss",
         "The loss is a mean over the real tokens.", "keras-team/keras 7551, 9574"),
        ("target not taken off", "da[np.arange(y.size), y] -= 1", "da[np.arange(y.size), y] -= 0", "(2) of the loss",
         "The gradient is p - y, not p."),
        ("target added", "da[np.arange(y.size), y] -= 1", "da[np.arange(y.size), y] += 1", "(2) of the loss",
         "The gradient is p - y, not p + y."),
        ("wrong sign", "(dloss / y.size)", "(-dloss / y.size)", "(2) of the loss",
         "The gradient is p - y, not y - p, with which the loss would be climbed."),
    ),
]  # fmt: skip

MISTAKES = [*STEP, *STEP_BACKWARD, *SEQUENCE_BACKWARD, *LOSS]
