"""Answers to exercise 15, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers, replaced, solution

ANSWERS = []
ANSWERS += answers("operations", "def operations(T, B, D, H):\n    return {returned}\n", ("returned",), [
    ("T * B * 4 * H * (D + H), 2 * T * B * 4 * H * (D + H)", "multiplying and adding are two operations"),
    ("2 * T * B * H * (D + H), 4 * T * B * H * (D + H)", "there are four blocks: three gates and the candidate"),
    ("2 * T * B * 3 * H * (D + H), 0", "the candidate has weights, too"),
    ("2 * T * B * 4 * H * D, 0", "the products with h are missing"),
    ("2 * T * B * 4 * H * H, 0", "the products with x are missing"),
    ("2 * T * 4 * H * (D + H), 0", "this is for one sequence"),
    ("2 * B * 4 * H * (D + H), 0", "this is for one time step"),
    ("2 * T * B * 4 * H * D * H, 0", "not D times H"),
    ("2 * T * B * 4 * H * (D + H), 2 * T * B * 4 * H * (D + H)", "each product has two backward"),
    ("2 * T * B * 4 * H * (D + H), 6 * T * B * 4 * H * (D + H)", "this includes the forward products"),
    ("2 * T * B * 4 * H * (D + H)", "must return (forward, backward)"),
    ("4 * T * B * 4 * H * (D + H), 2 * T * B * 4 * H * (D + H)", "forward and backward are exchanged"),
    ("T * B * 4 * H * (2 * (D + H) + 1), 0", "b is in no product; do not count it"),
    ("T * B * 4 * H * 2 * (D + H + 1), 0", "b is in no product; do not count it"),
    ("2 * T * B * 4 * H * (D + H), T * B * 4 * H * (4 * (D + H) + 1)", "backward is wrong: b is in no product"),
    ("1494220800 // 1, 2988441600", "forward is 1.49422e+09 where 11760 belongs"),
])

GATES = solution(15, "gates_in_place")
SIGMOID = """        np.negative(gate, out=gate)
        np.exp(gate, out=gate)
        gate += 1
        np.reciprocal(gate, out=gate)
"""
NEW_ARRAYS = "    c[...] = f * c + i * g\n"
ANSWERS += replaced("gates_in_place", GATES, [
    ("    c *= f\n    c += i\n", "    c += i\n    c *= f\n", "multiply before you add"),
    ("    c *= f\n    c += i\n", "    c = c * f + i\n", "c is wrong: it is unchanged"),
    ("    i *= g\n", "", "the candidate g is missing"),
    ("    i *= g\n    c *= f\n    c += i\n", "    f *= g\n    c *= i\n    c += f\n", "i and f are exchanged"),
    ("        np.negative(gate, out=gate)\n", "", "the minus is missing"),
    (
        "    np.tanh(c, out=h)\n    h *= o\n",
        "    np.tanh(c, out=c)\n    np.multiply(c, o, out=h)\n",
        "c is wrong: write tanh(c) into h",
    ),
    ("    np.tanh(c, out=h)\n    h *= o\n", "    np.multiply(c, o, out=h)\n", "the tanh of equation (6) is missing"),
    ("    h *= o\n", "", "it is tanh(c), not yet times o"),
    ("    np.tanh(c, out=h)\n    h *= o\n", "    h = np.tanh(c, out=h) * o\n", "`h = ...` names a new"),
    ("    np.tanh(c, out=h)\n", "", "it is the old h times o: first write tanh(c) into h"),
    (SIGMOID, "        gate = 1 / (1 + np.exp(-gate))\n", "the gates are still the sums: `gate = ...` names a new array"),
    ("        gate += 1\n", "        gate = gate + 1\n", "the gates are still exp(-z)"),
    ("        np.reciprocal(gate, out=gate)\n", "        gate = 1 / gate\n", "the gates are still 1 + exp(-z)"),
    ("        np.exp(gate, out=gate)\n", "        gate = np.exp(gate)\n", "the gates are still -z"),
    ("(i, f, o)", "(i, f, g, o)", "the candidate needs tanh only"),
    ("i, f, g, o = np", "i, f, o, g = np", "the blocks of z are in the order i, f, g, o"),
    ("    h *= o\n", "    h *= o\n    return h, c\n", "return nothing: only overwrite c and h"),
    ("    np.tanh(c, out=h)\n", "    h = np.tanh(c)\n", "h is wrong: it is unchanged"),
    ("    i *= g\n    c *= f\n    c += i\n", NEW_ARRAYS, "the numbers are right, but"),
    ("    np.tanh(g, out=g)\n", "    g[...] = np.tanh(g)\n", "the numbers are right, but"),
    ("    c += i\n", "    c += i[0, :1, 0]\n", "IndexError"),
])
ANSWERS += replaced("gates_in_place", GATES.replace("    i *= g\n", "    g *= i\n"), [
    ("    c += i\n", "    np.add(g, c, c)\n", IS_RIGHT),
])

STEP = """def step_backward(dh, dc, gates, c_prev, tanh_c, dz):
    rows, H = c_prev.shape
    for r in range(rows):
        i, f, g, o = gates[r, :H], gates[r, H : 2 * H], gates[r, 2 * H : 3 * H], gates[r, 3 * H :]
        dzi, dzf, dzg, dzo = dz[r, :H], dz[r, H : 2 * H], dz[r, 2 * H : 3 * H], dz[r, 3 * H :]
        for j in range(H):
            dc[r, j] += dh[r, j] * o[j] * (1 - tanh_c[r, j] ** 2)
            dzi[j] = dc[r, j] * g[j] * i[j] * (1 - i[j])
            dzf[j] = dc[r, j] * c_prev[r, j] * f[j] * (1 - f[j])
            dzg[j] = dc[r, j] * i[j] * (1 - g[j] ** 2)
            dzo[j] = dh[r, j] * tanh_c[r, j] * o[j] * (1 - o[j])
            dc[r, j] *= f[j]
"""
FOR = "        for j in"
LAST = "            dc[r, j] *= f[j]\n"
ANSWERS += replaced("step_backward", STEP, [
    (LAST, "", "dc is wrong: at the end multiply it by f"),
    (LAST, 2 * LAST, "it is multiplied by f twice"),
    ("    rows, H", "    dc = dc.copy()\n    rows, H", "it is unchanged: write into dc itself"),
    ("dc[r, j] += dh[r, j] * o[j] * (1 - tanh_c[r, j] ** 2)", "dc[r, j] += 0", "dz, block i, is wrong: dc lacks the part"),
    ("dc[r, j] += dh", "dc[r, j] = dh", "dc_next is lost"),
    ("o[j] * (1 - tanh_c[r, j] ** 2)", "o[j]", "the derivative of tanh is missing in the part that is added"),
    ("(1 - tanh_c[r, j] ** 2)", "(1 - tanh_c[r, j])", "with a square"),
    ("(1 - tanh_c[r, j] ** 2)", "(1 - np.tanh(tanh_c[r, j]) ** 2)", "tanh_c is already tanh(c)"),
    ("dzo[j] = dh[r, j]", "dzo[j] = dc[r, j]", "dz, block o, is wrong: it begins with dh, not with dc"),
    ("dzi[j] = dc[r, j]", "dzi[j] = dh[r, j]", "dz, block i, is wrong: it begins with dc, not with dh"),
    ("dc[r, j] * c_prev[r, j]", "dc[r, j] * tanh_c[r, j]", "f is multiplied by c_prev, not by tanh_c"),
    ("dc[r, j] * c_prev[r, j]", "dc[r, j] * f[j]", "f is multiplied by c_prev, not by itself"),
    ("dzi[j] = dc[r, j] * g[j]", "dzi[j] = dc[r, j] * c_prev[r, j]", "i is multiplied by g, not by c_prev"),
    ("* (1 - i[j])", "", "dz, block i, is wrong: its derivative is i (1 - i), with both factors"),
    ("f[j] * (1 - f[j])", "(1 - f[j])", "a part of its derivative, f (1 - f), is missing"),
    ("i[j] * (1 - i[j])", "(1 - i[j] ** 2)", "dz, block i, is wrong: its derivative is i (1 - i)"),
    ("(1 - g[j] ** 2)", "g[j] * (1 - g[j])", "dz, block g, is wrong: its derivative is 1 - g**2"),
    ("(1 - g[j] ** 2)", "(1 + g[j] ** 2)", "with a minus"),
    ("c_prev[r, j] * f[j] * (1 - f[j])", "g[j] * i[j] * (1 - i[j])", "this belongs in the block of i"),
    ("dzo[j] = dh[r, j]", "dzo[j] = 3 * dh[r, j]", "of dz, block o, is "),
    ("dc[r, j] += dh[r, j] * o[j]", "dc[r, j] += dh[r, j]", "the output gate is missing in the part that is added"),
    ("* g[j] * i[j] * (1 - i[j])", "* g[j]", "dz, block i, is wrong: its derivative is missing, i (1 - i)"),
    ("dzf[j] = dc[r, j] * c_prev[r, j]", "dzf[j] = dc[r, j]", "dz, block f, is wrong: the factor c_prev is missing"),
    ("            dzo[j] = dh[r, j] * tanh_c[r, j] * o[j] * (1 - o[j])\n", "", "dz, block o, is wrong: it is not written"),
    ("dzo[j] = dh[r, j]", "dh[r, j] *= 2; dzo[j] = dh[r, j]", "dh is changed in place"),
    ("dzo[j]", "dzo[H + j]", "IndexError"),
    ("dzi[j] = dc[r, j]", "dzi[j] = float(str(dc[r, j]))", "Numba cannot compile it"),
    (FOR, f"        dz[r] = np.concatenate([i, f, g, o])\n{FOR}", "it has no concatenate for this. Use loops and"),
    (FOR, f"        dzi[[0, 1]] = 0.0\n{FOR}", "it has no setitem for this. Use loops and single"),
])
DERIVATIVE = "def derivative(a):\n    return a * (1 - a)\n\n\n"
WHILE = STEP.replace("for j in range(H):", "j = 0\n        while j < H:")
ANSWERS += [
    ("step_backward", STEP, IS_RIGHT),
    ("step_backward", STEP.replace("** 2)\n", f"** 2)\n{LAST}", 1).removesuffix(LAST), "dc was multiplied by f too early"),
    ("step_backward", DERIVATIVE + STEP.replace("i[j] * (1 - i[j])", "derivative(i[j])"), "Untyped global name 'derivative'"),
    ("step_backward", WHILE, "lines and no end; does your loop ever end?"),
    ("step_backward", WHILE.replace(LAST, LAST + "            j += 1\n"), IS_RIGHT),
    ("step_backward", STEP + "    return dz\n", "return nothing: only overwrite dc and dz"),
    ("step_backward", STEP.replace(FOR, f"        dz[r] = np.concatenate([i, f, g, o])\n{FOR}"),
     "line 32: as Python it is right, but Numba cannot compile it"),
]
