"""Answers to exercise 13, and a part of the message about each that is wrong."""

from tests.helpers.exercises import answers

ANSWERS = []
COUNT = """def parameters(cell, layers, H, V, E=None):
    gates, biases = {cells}[cell]
    total = {table}
    D = {first}
    for _ in range({layers}):
        total += gates * H * ({weights})
        D = {above}
    return total + {output}
"""
RIGHT_COUNT = {
    "cells": '{"rnn": (1, 1), "gru": (3, 2), "lstm": (4, 1)}',
    "table": "0 if E is None else V * E",
    "first": "V if E is None else E",
    "layers": "layers",
    "weights": "D + H + biases",
    "above": "H",
    "output": "H * V + V",
}
ANSWERS += answers("parameters", COUNT, RIGHT_COUNT, [
    ({"cells": '{"rnn": (1, 1), "gru": (3, 1), "lstm": (4, 1)}'}, "a GRU has two biases"),
    ({"cells": '{"rnn": (1, 2), "gru": (3, 2), "lstm": (4, 2)}'}, "only a GRU has two biases"),
    ({"cells": '{"rnn": (4, 1), "gru": (4, 2), "lstm": (4, 1)}'}, "counted like an LSTM"),
    ({"weights": "D + H"}, "each gate has biases, too"),
    ({"weights": "H + biases"}, "Wx is missing"),
    ({"above": "D"}, "a layer above the first reads H numbers"),
    ({"first": "H"}, "the first layer reads one-hot tokens"),
    ({"first": "V"}, "reads E numbers and not V"),
    ({"table": "0"}, "the table of the embedding is missing"),
    ({"layers": "1"}, "it has only one layer"),
    ({"output": "H * V"}, "a bias for each of V logits"),
    ({"output": "0"}, "the output layer is missing"),
    ({"output": "H * V + H"}, "is 343 where 356 belongs, for parameters('rnn', 1, 7, 20, E=None): 196 of the first layer"),
    ({"cells": '{"rnn": (1, 1), "gru": (3, 1), "lstm": (4, 1)}', "above": "D"}, "a GRU has two biases"),
    ({"output": "str(V)"}, "TypeError"),
])

ANSWERS += answers("parameters", "def parameters(cell, layers, H, V, E=None):\n    return {}\n", (), [
    ("356", "the count is 356 where "),
    ("'356'", "the count must consist of numbers"),
    ("[356]", "the count must be a"),
])

STEP = """def gru_step(x, h_prev, Wx, Wh, bx, bh):
    H = h_prev.shape[1]
    axr, axz, axn = np.split(x @ Wx + bx, 3, axis=1)
    ahr, ahz, q = np.split({past}, 3, axis=1)
    r, z = {gates}
    n = {n}
    return {h}
"""
RIGHT_STEP = {
    "past": "h_prev @ Wh + bh",
    "gates": "sigmoid(axr + ahr), sigmoid(axz + ahz)",
    "n": "np.tanh(axn + r * q)",
    "h": "(1 - z) * n + z * h_prev",
}
ANSWERS += answers("gru_step", STEP, RIGHT_STEP, [
    ({"n": "np.tanh(axn + (r * h_prev) @ Wh[:, 2 * H :] + bh[2 * H :])"}, "the reset gate comes before the product"),
    ({"h": "z * n + (1 - z) * h_prev"}, "z and 1 - z are exchanged"),
    ({"n": "np.tanh(axn + bh[2 * H :] + r * (h_prev @ Wh[:, 2 * H :]))"}, "the two biases of the candidate are added"),
    ({"gates": "sigmoid(axz + ahz), sigmoid(axr + ahr)"}, "the blocks are used as z, r, n"),
    ({"n": "np.tanh(axn + q)"}, "the reset gate is missing"),
    ({"n": "np.tanh(r * (axn + q))"}, "r also scales the sum with x"),
    ({"n": "np.tanh(axn + r * h_prev)"}, "r scales h_prev itself"),
    ({"n": "sigmoid(axn + r * q)"}, "use tanh, not sigmoid"),
    ({"n": "axn + r * q"}, "the tanh of the candidate is missing"),
    ({"h": "(1 - z) * n"}, "the part of h_prev is missing"),
    ({"h": "n + z * h_prev"}, "the candidate is multiplied by 1 - z"),
    ({"h": "n"}, "(5) is missing"),
    ({"past": "h_prev @ Wh"}, "bh is missing"),
    ({"h": "((1 - z) * n + z * h_prev, z)"}, "h alone"),
    ({"past": "h_prev @ Wx + bh"}, "a product @ does not fit"),
])

BACKWARD = """def gru_step_backward(dh, cache, Wx, Wh):
    x, h_prev, r, z, n, q = cache
    dn = {dn}
    dz = {dz}
    dan = {dan}
    dr = {dr}
    dq = {dq}
    daz = {daz}
    dar = {dar}
    dax = np.concatenate([dar, daz, dan], axis=1)
    dah = np.concatenate({dah}, axis=1)
    dx = {dx}
    dh_prev = {dh_prev}
    return dx, dh_prev, x.T @ dax, h_prev.T @ dah, dax.sum(axis=0), dah.sum(axis=0)
"""
RIGHT_BACKWARD = {
    "dn": "dh * (1 - z)", "dz": "dh * (h_prev - n)", "dan": "dn * (1 - n**2)", "dr": "dan * q", "dq": "dan * r",
    "daz": "dz * z * (1 - z)", "dar": "dr * r * (1 - r)", "dah": "[dar, daz, dq]", "dx": "dax @ Wx.T",
    "dh_prev": "dah @ Wh.T + dh * z",
}
ANSWERS += answers("gru_step_backward", BACKWARD, RIGHT_BACKWARD, [
    ({"dh_prev": "dah @ Wh.T"}, "dh_prev lacks the direct path"),
    ({"dh_prev": "dh * z"}, "dh_prev lacks the path through the gates"),
    ({"dh_prev": "dah @ Wh.T + dh"}, "is multiplied by z, as in (5)"),
    ({"dh_prev": "dax @ Wh.T + dh * z"}, "is dah Whᵀ, not dax Whᵀ"),
    ({"dz": "dh * (n - h_prev)"}, "dz has the wrong sign"),
    ({"dz": "dh * h_prev"}, "dz lacks the part from"),
    ({"dn": "dh * z"}, "is multiplied by 1 - z, not by z"),
    ({"dan": "dn"}, "the derivative of tanh is missing: 1 - n**2"),
    ({"dan": "dn * (1 - np.tanh(n)**2)"}, "n is the tanh already"),
    ({"dr": "dan * h_prev"}, "a reset gate before the product"),
    ({"dq": "dan"}, "dq = dan r, not dan"),
    ({"dah": "[dar, daz, dan]"}, "dq = dan r, not dan"),
    ({"dah": "[daz, dar, dq]"}, "another order than r, z, n"),
    ({"daz": "dz"}, "the derivative of sigmoid is missing: z (1 - z)"),
    ({"dar": "dr"}, "the derivative of sigmoid is missing: r (1 - r)"),
    ({"daz": "dz", "dar": "dr"}, "daz and dar lack"),
    (
        {"daz": "dz * sigmoid(z) * (1 - sigmoid(z))", "dar": "dr * sigmoid(r) * (1 - sigmoid(r))"},
        "z and r are sigmoids already",
    ),
    ({"dx": "dah @ Wx.T"}, "dx is dax Wxᵀ, not dah Wxᵀ"),
    ({"dx": "dax"}, "dx has the shape (3, 6) where (3, 4) belongs"),
    ({"dh_prev": "dah @ Wh.T + dh * (1 - z)"}, "is multiplied by z, not 1 - z"),
    ({"dr": "dn * q"}, "dr comes from dan, not from dn"),
    ({"dq": "dn * r"}, "dq comes from dan, not from dn"),
    ({"dr": "dn * q", "dq": "dn * r"}, "dr and dq come from dan"),
    ({"dan": "dn * (1 - n**2) ** 2"}, "comes twice in dan"),
    ({"dr": "dan * (1 - n**2) * q"}, "comes twice in dr:"),
    ({"dq": "dan * (1 - n**2) * r"}, "comes twice in dq:"),
    ({"dr": "dan * (1 - n**2) * q", "dq": "dan * (1 - n**2) * r"}, "comes twice in dr and in dq"),
    ({"dar": "dr * (1 - r**2)"}, "r comes from a sigmoid"),
    ({"daz": "dz * (1 - z**2)"}, "z comes from a sigmoid"),
    ({"dar": "dr * (1 - r**2)", "daz": "dz * (1 - z**2)"}, "z and r come from sigmoids"),
    ({"dz": "dh * 2"}, "dx, dh_prev are wrong, too; look at dz and daz"),
    ({"dr": "dan * 2"}, "dx, dh_prev are wrong, too; look at dr and dar"),
    ({"dr": "dan * 2", "dz": "dh * 2"}, "block z of dWx and dbx, block r of dWh and dbh, block z of dWh"),
    ({"dan": "dn * 2"}, "look at dn and dan first, because dr and dq use them"),
    ({"dan": "dn * 2", "dz": "dh * 2"}, "look at dn and dan first, because dr and dq use them"),
    ({"dq": "dan * 2"}, "dh_prev is wrong, too; dWx is right, so look at dq"),
    ({"dah": "[dar, dq, daz]"}, "dh_prev are wrong, too; dWx is right, so look at dah"),
    ({"dh_prev": "dah @ Wh.T + 2 * dh"}, "of dh_prev is"),
    ({"dx": "2 * dax @ Wx.T"}, "of dx is"),
    ({"dan": "np.multiply(dn, 1 - n**2, out=dh)"}, "dh is changed in place"),
    ({"dx": "None"}, "dx is missing"),
])
