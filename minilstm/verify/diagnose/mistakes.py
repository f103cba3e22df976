"""The catalogue of mistakes: in a step, in the loop through time, and in the loss.

An entry is a row: its name, a part of our own source, the code of the mistake in its
place, the equation, and the reason. If it was made in public, repository and issue
numbers on GitHub follow. If most programs differ from our source, two more texts say
what the mistake looks like there, and what belongs there. To see them all:

    from minilstm.verify import MISTAKES
    print(*MISTAKES, sep="\\n\\n")

With any of them in our code the property tests fail, and ``diagnose`` names it by its
results. ``mistakes_backward.py`` has those of a backward step, ``mistakes_in_time.py``
those of the loop, ``mistakes_in_shapes.py`` those of pooling, bidirectional layers,
attention and encoder-decoders.
"""

from __future__ import annotations

from minilstm.reference.loss import softmax_cross_entropy
from minilstm.reference.loss import softmax_cross_entropy_backward
from minilstm.reference.lstm import lstm_step
from minilstm.verify.diagnose import mistakes_of_gru, mistakes_of_rnn
from minilstm.verify.diagnose.mistakes_backward import STEP_BACKWARD
from minilstm.verify.diagnose.mistakes_in_shapes import SHAPES
from minilstm.verify.diagnose.mistakes_in_time import SEQUENCE, SEQUENCE_BACKWARD
from minilstm.verify.diagnose.variant import ALL_GATES, OTHER_ORDERS, made_in

# ---- a step forward ------------------------------------------------------------------


def _order(order: str) -> tuple[str, ...]:
    return (f"gates read in the order {', '.join(order)}", "zi, zf, zg, zo = np.split",
            f"{', '.join('z' + k for k in order)} = np.split", ALL_GATES,
            "The blocks of the weights stand in the order i, f, g, o;"
            " convert weights from elsewhere to it.",
            "keras-team/keras 3088, 8720; tensorflow/tensorflow 29308")


def _at_a_gate(letter: str) -> list[tuple[str, ...]]:
    titles = {"f": "forget gate", "i": "input gate", "o": "output gate"}
    title, equation = titles[letter], {"f": "(1)", "i": "(2)", "o": "(5)"}[letter]
    line = f"{letter} = sigmoid(z{letter})"
    return [
        (f"{title} through a tanh", line, f"{letter} = np.tanh(z{letter})", equation,
         "A gate lies between 0 and 1."),
        (f"{title} closed where it should open", line,
         f"{letter} = sigmoid(-z{letter})", equation,
         "sigmoid(z) is 1 / (1 + exp(-z)), with a minus in the exponent."),
    ]


STEP = made_in(
    lstm_step,
    ("output tanh left out", "h = o * tanh_c", "h = o * c", "(6)",
     "The output gate shows tanh(c), not c itself, which may be of any size.",
     "nicodjimenez/lstm 9, 47"),
    ("output gate left out", "h = o * tanh_c", "h = tanh_c", "(6)",
     "Without it all of tanh(c) is the output."),
    ("forget gate left out", "c = f * c_prev + i * g", "c = c_prev + i * g", "(4)",
     "That is the cell of 1997, which can never forget anything."),
    ("input gate left out", "c = f * c_prev + i * g", "c = f * c_prev + g", "(4)",
     "Without it all of the candidate is written."),
    ("nothing remembered", "c = f * c_prev + i * g", "c = i * g", "(4)",
     "The cell state of the step before is not used."),
    ("coupled gates", "c = f * c_prev + i * g", "c = f * c_prev + (1 - f) * g", "(4)",
     "That is another cell, in which the input gate is 1 - f."),
    ("candidate subtracted", "c = f * c_prev + i * g", "c = f * c_prev - i * g", "(4)",
     "What is written is added; the candidate has a sign of its own."),
    ("cell state squeezed before it is kept", "c = f * c_prev + i * g",
     "c = f * np.tanh(c_prev) + i * g", "(4)",
     "tanh stands only where c is shown; what is kept is c itself, of any size."),
    *(row for gate in "ifo" for row in _at_a_gate(gate)),
    ("candidate through a sigmoid", "g = np.tanh(zg)", "g = sigmoid(zg)", "(3)",
     "The candidate must be able to be negative; it is no gate."),
    ("bias left out", "z = x @ Wx + h_prev @ Wh + b", "z = x @ Wx + h_prev @ Wh",
     ALL_GATES, "Each of the four has a bias."),
    ("hidden state left out", "z = x @ Wx + h_prev @ Wh + b", "z = x @ Wx + b",
     ALL_GATES, "Without h_prev the gates cannot know what was shown before."),
    ("h and c the other way round", "return h, c, LSTMStepCache",
     "return c, h, LSTMStepCache", "",
     "The hidden state is what is shown and comes first;"
     " the cell state is what is kept."),
    ("cell state given out as hidden state", "return h, c, LSTMStepCache",
     "return c, c, LSTMStepCache", "",
     "The output is the hidden state o * tanh(c); the cell state stays inside."),
    *map(_order, OTHER_ORDERS),
)


# ---- the loss ------------------------------------------------------------------------

_LOSS = "loss = np.mean(log_sum_exp(a - a_y))"
_BIG_EXP = (
    "loss = -np.mean(np.log((np.exp(a) / np.exp(a).sum(axis=1, keepdims=True))"
    "[np.arange(y.size), y]))"
)

LOSS = [
    *made_in(
        softmax_cross_entropy,
        ("sum in place of the mean", _LOSS, "loss = np.sum(log_sum_exp(a - a_y))",
         "(1) of the loss",
         "The loss is a mean over the real tokens, so that long batches do not weigh"
         " more."),
        ("padding counted in the mean", _LOSS,
         "loss = np.sum(log_sum_exp(a - a_y)) / real.size", "(1) of the loss",
         "Padding has no loss and must not be counted; the loss looks smaller than it"
         " is.", "keras-team/keras 7551, 9574"),
        ("lengths not used", "real = np.arange(len(targets))[:, None] < lengths",
         "real = np.ones(targets.shape, bool)", "(1) of the loss",
         "The model is made to predict padding.",
         "keras-team/keras 9637; minimaxir/textgenrnn 50"),
        ("overflow or log(0) at large logits", _LOSS, _BIG_EXP, "(1) of the loss",
         "exp overflows, or a softmax becomes 0 and its log infinite;"
         " log_sum_exp(a) - a_y never does.", "karpathy/char-rnn 38, 169"),
        ("log of a softmax that has become 0", _LOSS,
         "loss = -np.mean(np.log(softmax(a)[np.arange(y.size), y]))", "(1) of the loss",
         "Its log is infinite; the loss is log_sum_exp(a) - a_y.",
         "karpathy/char-rnn 38, 169"),
        ("overflow in the softmax", "CrossEntropyCache(softmax(a), ",
         "CrossEntropyCache(np.exp(a) / np.exp(a).sum(axis=1, keepdims=True), ",
         "(2) of the loss", "exp overflows; subtract the largest logit first.",
         "karpathy/char-rnn 38, 169"),
        ("loss divided by the number of sequences", _LOSS,
         "loss = np.sum(log_sum_exp(a - a_y)) / real.shape[1]", "(1) of the loss",
         "The loss is a mean over tokens; long sequences would weigh more."),
        ("bits in place of nats", _LOSS,
         "loss = np.mean(log_sum_exp(a - a_y)) / np.log(2)", "(1) of the loss",
         "p - y is the gradient of the loss in nats."),
    ),
    *made_in(
        softmax_cross_entropy_backward,
        ("not divided by the number of tokens", "(dloss / y.size)", "dloss",
         "(2) of the loss",
         "The loss is a mean over N tokens, so each has 1/N of its gradient."),
        ("divided twice by the number of tokens", "(dloss / y.size)",
         "(dloss / y.size**2)", "(2) of the loss", "The mean is taken once."),
        ("gradient divided by padding too", "(dloss / y.size)", "(dloss / real.size)",
         "(2) of the loss", "The loss is a mean over the real tokens.",
         "keras-team/keras 7551, 9574"),
        ("gradient divided by the number of sequences", "(dloss / y.size)",
         "(dloss / real.shape[1])", "(2) of the loss",
         "The loss is a mean over tokens."),
        ("target not subtracted", "da[np.arange(y.size), y] -= 1",
         "da[np.arange(y.size), y] -= 0", "(2) of the loss",
         "The gradient is p - y, not p."),
        ("target added", "da[np.arange(y.size), y] -= 1",
         "da[np.arange(y.size), y] += 1", "(2) of the loss",
         "The gradient is p - y, not p + y."),
        ("wrong sign", "(dloss / y.size)", "(-dloss / y.size)", "(2) of the loss",
         "The gradient is p - y, not y - p, with which the loss would be climbed."),
    ),
]

MISTAKES = list(dict.fromkeys([  # cells share some of the loop
    *STEP, *STEP_BACKWARD, *SEQUENCE, *SEQUENCE_BACKWARD,
    *mistakes_of_gru.ALL, *mistakes_of_rnn.ALL, *LOSS, *SHAPES,
]))
