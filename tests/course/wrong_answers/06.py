"""Answers to exercise 6, and a part of the message about each that is wrong."""

from tests.helpers.exercises import answers

ANSWERS = []
BACK = """def gradients_back(w, h):
    factors = {factors}
    return np.concatenate([[1.0], np.cumprod({order})])
"""
GRU = """def gru_state_backward(dh, h_prev, r, z, n, q, Wh):
    dn = {dn}
    dz = {dz}
    dan = {dan}
    dar = {dar}
    daz = {daz}
    dq = {dq}
    dah = np.concatenate({blocks}, axis=1)
    return {dh_prev}
"""
RIGHT = {
    "dn": "dh * (1 - z)",
    "dz": "dh * (h_prev - n)",
    "dan": "dn * (1 - n**2)",
    "dar": "dan * q * r * (1 - r)",
    "daz": "dz * z * (1 - z)",
    "dq": "dan * r",
    "blocks": "[dar, daz, dq]",
    "dh_prev": "dh * z + dah @ Wh.T",
}
ANSWERS += answers("gradients_back", BACK, ("factors", "order"), [
    ("w * (1 - h[:-1] ** 2)", "factors[::-1]", "yours uses h[t-1]"),
    ("w * (1 - h[1:] ** 2)", "factors", "backward begins with the last step"),
    ("1 - h[1:] ** 2", "factors[::-1]", "w is missing"),
    ("w * np.ones(len(h) - 1)", "factors[::-1]", "1 - h² is missing"),
    ("w * (1 - h[1:])", "factors[::-1]", "h is squared"),
    ("w * (1 - h[1:]) ** 2", "factors[::-1]", "the derivative of tanh is 1 - h², not (1 - h)²"),
    ("w * (1 - np.tanh(h[1:]) ** 2)", "factors[::-1]", "h is already the tanh"),
    ("w * (1 - h ** 2)", "factors[::-1]", "has the shape (7,) where (6,) belongs"),
])

ANSWERS += answers("forget_bias", "def forget_bias(steps, share):\n    return {value}\n", ("value",), [
    ("share ** (1 / steps)", "this is the gate f itself"),
    ("np.log(share) / steps", "this is log(f)"),
    ("np.log(share / (1 - share))", "right for one step only"),
    ("np.log(share / steps / (1 - share / steps))", "the factors multiply, so take a root"),
    ("-np.log(share ** (1 / steps) / (1 - share ** (1 / steps)))", "the fraction is upside down"),
    ("np.log(np.log(share) / steps / (1 - np.log(share) / steps))", "it is nan, the logarithm of a negative number"),
    ("np.log(share ** steps / (1 - share ** steps))", "the exponent is 1 / steps"),
    ("np.log(share ^ steps)", "a power is written **"),
    ("4.25", "the bias is 4.25 where 0.847298 belongs, for steps = 1, share = 0.7"),
])

ANSWERS += answers("gru_state_backward", "from minilstm.reference.functions import sigmoid\n\n\n" + GRU, RIGHT, [
    ({"dh_prev": "dah @ Wh.T"}, "the direct path is missing"),
    ({"dh_prev": "dh * z"}, "there is only the direct path"),
    ({"dh_prev": "dh * (1 - z) + dah @ Wh.T"}, "the direct path has the factor z"),
    ({"dn": "dh * z"}, "dn is dh times 1 - z, the factor of n in (5); yours has z"),
    ({"dn": "dh * z", "dh_prev": "dh * (1 - z) + dah @ Wh.T"}, "z and 1 - z are exchanged"),
    ({"dn": "dh"}, "yours is all of dh"),
    ({"dz": "dh * h_prev"}, "z is used twice in (5)"),
    ({"dz": "dh * (n - h_prev)"}, "the sign of dz"),
    ({"dan": "dn"}, "the derivative of tanh is missing: 1 - n**2"),
    ({"dan": "dn * (1 - q**2)"}, "yours is 1 - q²"),
    ({"dan": "dn * (1 - np.tanh(n)**2)"}, "n is the tanh already"),
    ({"daz": "dz", "dar": "dan * q"}, "the derivatives of σ are missing"),
    ({"daz": "dz"}, "the derivative of sigmoid is missing: z (1 - z)"),
    ({"dar": "dan * q"}, "the derivative of sigmoid is missing: r (1 - r)"),
    (
        {"daz": "dz * sigmoid(z) * (1 - sigmoid(z))", "dar": "dan * q * sigmoid(r) * (1 - sigmoid(r))"},
        "the gates are already the σ",
    ),
    ({"dq": "dan"}, "in (4) q is multiplied by r"),
    ({"dar": "dan * h_prev * r * (1 - r)"}, "dr has the factor q; yours has h_prev"),
    ({"blocks": "[daz, dar, dq]"}, "order r, z, n"),
    ({"blocks": "[dar, 0 * daz, dq]"}, "the path through the update gate z is missing"),
    ({"blocks": "[0 * dar, daz, dq]"}, "the path through the reset gate r is missing"),
    ({"blocks": "[dar, daz, 0 * dq]"}, "the path through the candidate is missing"),
    ({"dh_prev": "dh * z + dah @ Wh"}, "a product @ does not fit"),
])
