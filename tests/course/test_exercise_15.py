"""Wrong answers to the exercises of lesson 15, and the message that each one gets."""

import pytest

from tests.helpers.exercises import result_of, solution, wrong


@pytest.mark.thorough
@pytest.mark.parametrize(
    "returned, said",
    [
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
        ("2 * T * B * 4 * H * (D + H)", "two numbers: (forward, backward)"),
        ("4 * T * B * 4 * H * (D + H), 2 * T * B * 4 * H * (D + H)", "forward and backward are exchanged"),
        ("T * B * 4 * H * (2 * (D + H) + 1), 0", "b is in no product; do not count it"),
        ("T * B * 4 * H * 2 * (D + H + 1), 0", "b is in no product; do not count it"),
        ("2 * T * B * 4 * H * (D + H), T * B * 4 * H * (4 * (D + H) + 1)", "backward is wrong: b is in no product"),
        ("1494220800 // 1, 2988441600", "forward is 1.49422e+09 where 11760 belongs"),
    ],
)
def test_each_wrong_count_is_named(tmp_path, returned, said):
    assert said in wrong(tmp_path, 15, "operations", f"def operations(T, B, D, H):\n    return {returned}\n")


GATES = solution(15, "gates_in_place")
SIGMOID = """        np.negative(gate, out=gate)
        np.exp(gate, out=gate)
        gate += 1
        np.reciprocal(gate, out=gate)
"""
NEW_ARRAYS = "    c[...] = f * c + i * g\n"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "line, instead, said",
    [
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
    ],
)
def test_each_wrong_gate_is_named(tmp_path, line, instead, said):
    assert line in GATES
    assert said in wrong(tmp_path, 15, "gates_in_place", GATES.replace(line, instead))


def test_gates_may_be_computed_in_another_order(tmp_path):
    other = GATES.replace("    i *= g\n", "    g *= i\n").replace("    c += i\n", "    np.add(g, c, c)\n")
    assert result_of(tmp_path, 15, "gates_in_place", other).state == "right"


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


@pytest.mark.thorough
@pytest.mark.parametrize(
    "line, instead, said",
    [
        (LAST, "", "dc is wrong: at the end multiply it by f"),
        (LAST, 2 * LAST, "it is multiplied by f twice"),
        ("    rows, H", "    dc = dc.copy()\n    rows, H", "it is unchanged: write into dc itself"),
        ("dc[r, j] += dh[r, j] * o[j] * (1 - tanh_c[r, j] ** 2)", "dc[r, j] += 0", "i, f and g: dc lacks the part"),
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
        ("(1 - tanh_c[r, j] ** 2)\n", f"(1 - tanh_c[r, j] ** 2)\n{LAST}", "dc was multiplied by f too early"),
        ("dc[r, j] += dh[r, j] * o[j]", "dc[r, j] += dh[r, j]", "the output gate is missing in the part that is added"),
        ("* g[j] * i[j] * (1 - i[j])", "* g[j]", "dz, block i, is wrong: its derivative is missing, i (1 - i)"),
        ("dzf[j] = dc[r, j] * c_prev[r, j]", "dzf[j] = dc[r, j]", "dz, block f, is wrong: the factor c_prev is missing"),
        ("            dzo[j] = dh[r, j] * tanh_c[r, j] * o[j] * (1 - o[j])\n", "", "in the block of o, is not written"),
        ("dzo[j] = dh[r, j]", "dh[r, j] *= 2; dzo[j] = dh[r, j]", "dh is overwritten"),
        ("dzo[j]", "dzo[H + j]", "IndexError"),
        ("dzi[j] = dc[r, j]", "dzi[j] = float(str(dc[r, j]))", "Numba cannot compile it"),
        (FOR, f"        dz[r] = np.concatenate([i, f, g, o])\n{FOR}", "it has no concatenate for this. Use loops and"),
        (FOR, f"        dzi[[0, 1]] = 0.0\n{FOR}", "it has no setitem for this. Use loops and single"),
    ],
)
def test_each_wrong_kernel_is_named(tmp_path, line, instead, said):
    assert line in STEP
    source = STEP.replace(line, instead)
    if said.startswith("dc was"):
        source = source.removesuffix(LAST)
    assert said in wrong(tmp_path, 15, "step_backward", source)


def test_a_function_of_python_that_numba_does_not_know_is_named(tmp_path):
    source = "def derivative(a):\n    return a * (1 - a)\n\n\n" + STEP.replace("i[j] * (1 - i[j])", "derivative(i[j])")
    assert "Untyped global name 'derivative'" in wrong(tmp_path, 15, "step_backward", source)


def test_a_kernel_without_an_end_is_stopped(tmp_path):
    source = STEP.replace("for j in range(H):", "j = 0\n        while j < H:")
    assert "lines and no end; does your loop over j ever end?" in wrong(tmp_path, 15, "step_backward", source)
    ending = source.replace(LAST, LAST + "            j += 1\n")
    assert result_of(tmp_path, 15, "step_backward", ending).state == "right"


def test_a_kernel_returns_nothing(tmp_path):
    source = STEP + "    return dz\n"
    assert "return nothing: only overwrite dc and dz" in wrong(tmp_path, 15, "step_backward", source)


def test_a_line_that_numba_cannot_compile_is_named_by_its_number(tmp_path):
    said = wrong(tmp_path, 15, "step_backward", STEP.replace(FOR, f"        dz[r] = np.concatenate([i, f, g, o])\n{FOR}"))
    lines = (tmp_path / "15_answers.py").read_text(encoding="utf-8").splitlines()
    number = next(k for k, line in enumerate(lines, start=1) if "concatenate" in line)
    assert said.startswith(f"line {number}: as Python it is right, but Numba cannot compile it")
