"""Answers to exercise 2, and a part of the message about each that is wrong."""

from tests.helpers.exercises import answers

ANSWERS = []
STEP = """def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    i, f, g, o = gates({z})
    c = {c}
    return {h}, c
"""
RIGHT = {"z": "x @ Wx + h_prev @ Wh + b", "c": "f * c_prev + i * g", "h": "o * np.tanh(c)"}
ANSWERS += answers("gates", "def gates(z):\n    zi, zf, zg, zo = np.split(z, 4, axis=1)\n    return {values}\n", ("values",), [
    ("sigmoid(zi), sigmoid(zf), sigmoid(zg), sigmoid(zo)", "g is wrong: the candidate has a sign"),
    ("sigmoid(zi), np.tanh(zf), np.tanh(zg), sigmoid(zo)", "f is wrong: a gate is between 0 and 1, so it needs sigmoid"),
    ("sigmoid(zf), sigmoid(zi), np.tanh(zg), sigmoid(zo)", "i is wrong: this is f; the order is i, f, g, o"),
    ("zi, zf, zg, zo", "i is wrong: this is the pre-activation"),
    ("sigmoid(zi), sigmoid(-zf), np.tanh(zg), sigmoid(zo)", "f is wrong: sigmoid(z) is 1 / (1 + exp(-z)), with a"),
    ("sigmoid(zi), sigmoid(zf), np.tanh(zg)", "must return (i, f, g, o); it returned 3 values"),
    ("None", "it returned nothing: does every branch of it end with a return?"),
    ("sigmoid(z[0]), sigmoid(zf), np.tanh(zg), sigmoid(zo)", "i has the shape (8,) where (3, 2) belongs"),
])

ANSWERS += answers("lstm_step", STEP, RIGHT, [
    ({"h": "o * c"}, "output tanh left out"),
    ({"c": "i * c_prev + f * g"}, "gates read in the order f, i"),
    ({"c": "f * c_prev"}, "none of the known ones"),
    ({"c": "f * c_prev - i * g"}, "candidate subtracted"),
    ({"c": "f * np.tanh(c_prev) + i * g"}, "cell state squeezed before it is kept"),
    ({"z": "x @ Wx + h_prev @ Wh - b"}, "none of the known ones"),
    ({"z": "x @ Wx + h_prev @ Wh"}, "bias left out"),
    ({"z": "x @ Wx + h_prev @ Wx + b"}, "line 16: a product @ does not fit: the left array has 2 columns, the right"),
    ({"h": "o @ np.tanh(c)"}, "a product @ does not fit"),
])

# a message names only code that a learner can have written
ANSWERS += [("lstm_step", """def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    i, f, g, o = gates(x @ Wx + h_prev @ Wh + b)
    c = i * c_prev + f * g
    return o * np.tanh(c), c
""", "as if `zf, zi, zg, zo` stood where `zi, zf, zg, zo` belongs")]
ANSWERS += [("lstm_step", """def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    i, f, g, o = gates(x @ Wx + h_prev @ Wh + b)
    c = f * c_prev + i * g
    return c, o * np.tanh(c)
""", "as if `return c, h` stood where `return h, c` belongs")]
ANSWERS += answers("remembering_bias", "def remembering_bias():\n    return np.array({bias})\n", ("bias",), [
    ("[-12.0, 5.0, 0.0, 12.0]", "the forget gate is 0.9933"),
    ("[-3.0, 12.0, 1.0, 12.0]", "each of 100 steps writes"),
    ("[-12.0, 12.0, 0.0, 0.0]", "look at the output gate"),
    ("[-12.0, np.inf, 0.0, 12.0]", "finite"),
    ("[12.0, -12.0, 0.0, 12.0]", "the order is i, f, g, o"),
    ("[12.0, 12.0]", "(2,) where (4,) belongs"),
])
