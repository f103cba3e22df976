"""Answers to exercise 3, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
DC = "def cell_state_gradient(dh, dc_next, o, tanh_c):\n    return {}\n"
ANSWERS += answers("cell_state_gradient", DC, (), [
    ("dh * o * (1 - tanh_c**2)", "only the part through h"),
    ("dc_next", "only the part from the next step"),
    ("dc_next + dh * o", "the derivative of tanh is missing: forward was h = o tanh(c), not h = o c"),
    ("dc_next + dh * (1 - tanh_c**2)", "o is missing"),
    ("dc_next + dh * o * (1 - tanh_c)", "with a square"),
    ("dc_next + dh * o * (1 - np.tanh(tanh_c) ** 2)", "you take the tanh of it"),
    ("(dc_next + dh) * o * (1 - tanh_c**2)", "the next step reads c itself"),
    ("dc_next + dh * tanh_c", "the gradient of o"),
    ("(dc_next + dh * o * (1 - tanh_c**2)).T", "dc has the shape (2, 3) where (3, 2) belongs"),
    ("dc_next + dh * o * (1 + tanh_c**2)", "with a minus"),
    ("dc_next + dh @ o", "line 7: a product @ does not fit: the left array has 2 columns, the right one 3 rows"),
])

# dc next must not be changed in place
ANSWERS += [("cell_state_gradient", """def cell_state_gradient(dh, dc_next, o, tanh_c):
    dc_next += dh * o * (1 - tanh_c**2)
    return dc_next
""", "dc_next is changed in place")]
SUMS = """def pre_activation_gradient(dh, dc, c_prev, i, f, g, o, tanh_c):
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    do = {do}
    di = {di}
    df = {df}
    dg = {dg}
    dzi = {dzi}
    dzf = {dzf}
    dzg = {dzg}
    dzo = {dzo}
    return {dz}
"""
RIGHT = {
    "do": "dh * tanh_c", "di": "dc * g", "df": "dc * c_prev", "dg": "dc * i",
    "dzi": "di * i * (1 - i)", "dzf": "df * f * (1 - f)", "dzg": "dg * (1 - g**2)", "dzo": "do * o * (1 - o)",
    "dz": "np.concatenate([dzi, dzf, dzg, dzo], axis=1)",
}
ANSWERS += answers("pre_activation_gradient", SUMS, RIGHT, [
    ({"dzi": "di * sigmoid(i) * (1 - sigmoid(i))"}, "dzi is wrong: i is the sigmoid already"),
    ({"dzf": "df * sigmoid(f) * (1 - sigmoid(f))"}, "dzf is wrong: f is the sigmoid already"),
    ({"dzo": "do * sigmoid(o) * (1 - sigmoid(o))"}, "dzo is wrong: o is the sigmoid already"),
    ({"dzg": "dg * (1 - np.tanh(g) ** 2)"}, "dzg is wrong: g is the tanh already"),
    ({"dzg": "dg * g * (1 - g)"}, "dzg is wrong: g comes from a tanh"),
    ({"dzg": "dg * (1 - g)"}, "with a square"),
    ({"dzg": "dg * (1 + g**2)"}, "dzg is wrong: the derivative of tanh is 1 - g**2, with a minus"),
    ({"dzi": "di * i * (1 + i)"}, "dzi is wrong: the derivative of sigmoid is i (1 - i), with a minus"),
    ({"dzi": "di * (1 - i**2)"}, "dzi is wrong: i comes from a sigmoid"),
    ({"dzf": "df * (1 - f)"}, "dzf is wrong: a factor is missing"),
    ({"dzf": "df * f"}, "the factor 1 - f is missing"),
    ({"dzo": "do"}, "dzo is wrong: the derivative of sigmoid is missing"),
    ({"di": "dc * i", "dg": "dc * g"}, "i was multiplied by g, so its gradient is dc times g, not times i itself"),
    ({"dg": "dc"}, "g was multiplied by i, and a product passes its gradient on"),
    ({"df": "dc * (f * c_prev + i * g)"}, "c_prev, not by the new c"),
    ({"do": "dh * np.arctanh(tanh_c)"}, "o was multiplied by tanh(c), not by c"),
    ({"do": "dc * tanh_c"}, "its gradient begins with dh, not with dc"),
    ({"dz": "np.concatenate([dzi, dzf, dzo, dzg], axis=1)"}, "dzg is wrong: the order of the blocks is i, f, g, o, and"),
    ({"dz": "np.concatenate([dzi, dzf, dzg, dzo])"}, "dz has the shape (12, 2) where (3, 8) belongs"),
    ({"dz": "dzi, dzf, dzg, dzo"}, "dz must be an array of the shape (3, 8), not a tuple"),
])

STEP = """def lstm_step_backward(dh, dc_next, cache, Wx, Wh):
    x, h_prev, c_prev, i, f, g, o, tanh_c = cache
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    dc = {dc}
    dc_prev = {dc_prev}
    dzi = dc * g * {derivative_i}
    dzf = dc * c_prev * {derivative_f}
    dzg = dc * i * (1 - g**2)
    dzo = dh * tanh_c * {derivative_o}
    dz = np.concatenate([{blocks}], axis=1)
    dx = {dx}
    dh_prev = {dh_prev}
    return dx, dh_prev, dc_prev, ({dWx}, {dWh}, {db})
"""
WHOLE = {
    "dc": "dc_next + dh * o * (1 - tanh_c**2)", "dc_prev": "dc * f", "blocks": "dzi, dzf, dzg, dzo",
    "derivative_i": "i * (1 - i)", "derivative_f": "f * (1 - f)", "derivative_o": "o * (1 - o)",
    "dx": "dz @ Wx.T", "dh_prev": "dz @ Wh.T", "dWx": "x.T @ dz", "dWh": "h_prev.T @ dz", "db": "dz.sum(axis=0)",
}
TWICE = {f"derivative_{k}": f"sigmoid({k}) * (1 - sigmoid({k}))" for k in "ifo"}
# a step written without the helpers is right
ANSWERS += [("lstm_step_backward", """def lstm_step_backward(dh, dc_next, cache, Wx, Wh):
    x, h_prev, c_prev, i, f, g, o, tanh_c = cache
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    dc = dc_next + dh * o * (1 - tanh_c**2)
    dc_prev = dc * f
    dzi = dc * g * i * (1 - i)
    dzf = dc * c_prev * f * (1 - f)
    dzg = dc * i * (1 - g**2)
    dzo = dh * tanh_c * o * (1 - o)
    dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1)
    dx = dz @ Wx.T
    dh_prev = dz @ Wh.T
    return dx, dh_prev, dc_prev, (x.T @ dz, h_prev.T @ dz, dz.sum(axis=0))
""", IS_RIGHT)]
ANSWERS += answers("lstm_step_backward", STEP, WHOLE, [
    ({"dc_prev": "np.zeros_like(dc)"}, "cell-state gradient not carried"),
    ({"dc_prev": "dc"}, "forget gate left out of dc_prev"),
    ({"dh_prev": "np.zeros_like(dh)"}, "hidden-state gradient not carried"),
    ({"derivative_f": TWICE["derivative_f"]}, "derivative of the forget gate at the activated value"),
    (TWICE, "derivative of the output gate at the activated value"),
    ({"db": "np.concatenate([dzi, dzi, dzg, dzo], axis=1).sum(axis=0)"}, "bias of the forget gate from its neighbour"),
    ({"dc": "dc_next + dh * o"}, "output tanh left out of dc"),
    ({"dc": "dh * o * (1 - tanh_c**2)"}, "only the part of dc through h"),
    ({"dc": "dc_next"}, "only the part of dc from the step after"),
    ({"dc": "dc_next + 2 * dh * o * (1 - tanh_c**2)"}, "part of dc through h added twice"),
    ({"dc": "dc_next + dh * o * (1 + tanh_c**2)"}, "sign in the derivative of tanh(c)"),
    ({"dc": "dc_next", "dc_prev": "(dc + dh * o * (1 - tanh_c**2)) * f"}, "but dz is computed from dc_next"),
    ({"dWh": "(o * tanh_c).T @ dz"}, "Wh paired with h[t]"),
    ({"blocks": "dzi, dzf, dzo, dzg"}, "gradients in the order i, f, o, g"),
    ({"dWx": "x.T @ dz / len(x)"}, "dWx averaged over the batch"),
    ({"db": "dz"}, "db has the shape (3, 8) where (8,) belongs"),
    ({"dx": "dz @ Wx"}, "line 32: a product @ does not fit: the left array has 8 columns, the right one 4 rows"),
    ({"dx": "dh_prev = dz @ Wh.T"}, "dx has the shape (3, 2) where (3, 4) belongs"),
])

# a missing result is named
ANSWERS += [("lstm_step_backward", """def lstm_step_backward(dh, dc, cache, Wx, Wh):
    return dh, dh, dc
""", "must return (dx, dh_prev, dc_prev, (dWx, dWh, db)); it returned 3 values")]
