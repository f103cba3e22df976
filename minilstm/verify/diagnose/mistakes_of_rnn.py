"""Known mistakes of a simple RNN. ``mistakes.py`` says how to read the rows."""

from __future__ import annotations

from minilstm.reference.rnn import rnn_step, rnn_step_backward
from minilstm.reference.sequence import sequence_backward, sequence_forward
from minilstm.verify.diagnose.mistakes_at_activations import at_a_tanh
from minilstm.verify.diagnose.mistakes_in_any_cell import (
    FORWARD_IN_TIME,
    in_the_state,
    of_one_side,
)
from minilstm.verify.diagnose.mistakes_in_time import IN_ANY_LOOP, of_weights
from minilstm.verify.diagnose.variant import made_in, named_after

_H = "h = np.tanh(x @ Wx + h_prev @ Wh + b)"

STEP = named_after("simple RNN", made_in(
    rnn_step,
    ("bias left out", _H, "h = np.tanh(x @ Wx + h_prev @ Wh)", "(1)",
     "The hidden state has a bias."),
    ("hidden state left out", _H, "h = np.tanh(x @ Wx + b)", "(1)",
     "Without h_prev nothing is remembered."),
    ("tanh left out", _H, "h = x @ Wx + h_prev @ Wh + b", "(1)",
     "Without the tanh the network is linear, and its state may grow without end."),
    ("sigmoid in place of tanh", _H, "h = 1 / (1 + np.exp(-(x @ Wx + h_prev @ Wh + b)))",
     "(1)", "A simple RNN has a tanh; a sigmoid is never negative."),
    ("relu in place of tanh", _H, "h = np.maximum(0, x @ Wx + h_prev @ Wh + b)", "(1)",
     "That is another cell, whose derivative is 0 or 1."),
))

STEP_BACKWARD = named_after("simple RNN", made_in(
    rnn_step_backward,
    *at_a_tanh("hidden state", "h", "dh", "da", "(1)"),
    ("h_prev in place of h", "da = dh * (1 - h**2)", "da = dh * (1 - h_prev**2)", "(1)",
     "The derivative of tanh is taken at this step's h."),
    *of_one_side("Wx", "x", "b", "da"),
    *of_one_side("Wh", "h_prev", "", "da"),
    ("Wh paired with h[t]", "dWh = h_prev.T @ da", "dWh = h.T @ da", "(1)",
     "a was made from the hidden state of the step before: h[t-1], not h[t].",
     "explosion/thinc, NumPy backward"),
))

SEQUENCE = named_after("simple RNN", made_in(sequence_forward, *FORWARD_IN_TIME))

SEQUENCE_BACKWARD = [
    *IN_ANY_LOOP,
    *of_weights("b"),
    *named_after("simple RNN", made_in(
        sequence_backward, *in_the_state("caches[-1].h", but=("h0 forgotten",)))),
]

ALL = [*STEP, *STEP_BACKWARD, *SEQUENCE, *SEQUENCE_BACKWARD]
