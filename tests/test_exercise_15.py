"""Wrong answers to the exercises of lesson 15 and what is said to them."""

import pytest

from tests.exercises import mark_of, solution, wrong


@pytest.mark.parametrize(
    "returned, said",
    [
        ("T * B * 4 * H * (D + H), 2 * T * B * 4 * H * (D + H)", "to multiply and to add are two operations"),
        ("2 * T * B * H * (D + H), 4 * T * B * H * (D + H)", "there are four gates"),
        ("2 * T * B * 3 * H * (D + H), 0", "the candidate has weights too"),
        ("2 * T * B * 4 * H * D, 0", "the products with h are missing"),
        ("2 * T * B * 4 * H * H, 0", "the products with x are missing"),
        ("2 * T * 4 * H * (D + H), 0", "this is for one sequence"),
        ("2 * B * 4 * H * (D + H), 0", "this is for one step"),
        ("2 * T * B * 4 * H * D * H, 0", "not D times H"),
        ("2 * T * B * 4 * H * (D + H), 2 * T * B * 4 * H * (D + H)", "each product has two on the way back"),
        ("2 * T * B * 4 * H * (D + H), 6 * T * B * 4 * H * (D + H)", "the way forward is counted already"),
        ("2 * T * B * 4 * H * (D + H)", "two numbers: (forward, backward)"),
        ("1494220800 // 1, 2988441600", "forward is 1.49422e+09 where 11760 belongs"),
    ],
)
def test_wrong_counts_are_told_apart(tmp_path, returned, said):
    assert said in wrong(tmp_path, 15, "operations", f"def operations(T, B, D, H):\n    return {returned}\n")


GATES = solution(15, "gates_in_place")
BY_THE_BOOK = "    c[...] = f * c + i * g\n"


@pytest.mark.parametrize(
    "line, instead, said",
    [
        ("    c *= f\n    c += i\n", "    c += i\n    c *= f\n", "multiply before you add"),
        ("    c *= f\n    c += i\n", "    c = c * f + i\n", "c is wrong: it is as it was"),
        ("    i *= g\n", "", "the candidate g is missing"),
        ("    i *= g\n    c *= f\n    c += i\n", "    f *= g\n    c *= i\n    c += f\n", "i and f are exchanged"),
        ("        np.negative(gate, out=gate)\n", "", "the minus is missing"),
        ("    np.tanh(c, out=h)\n    h *= o\n", "    np.tanh(c, out=c)\n    np.multiply(c, o, out=h)\n", "tanh must go to h"),
        ("    np.tanh(c, out=h)\n    h *= o\n", "    np.multiply(c, o, out=h)\n", "the tanh of equation (6) is missing"),
        ("    h *= o\n", "", "the output gate is missing"),
        ("    np.tanh(c, out=h)\n", "    h = np.tanh(c)\n", "h is wrong: it is as it was"),
        ("    i *= g\n    c *= f\n    c += i\n", BY_THE_BOOK, "the numbers are right, but"),
        ("    np.tanh(g, out=g)\n", "    g[...] = np.tanh(g)\n", "the numbers are right, but"),
        ("    c += i\n", "    c += i[0, :1, 0]\n", "IndexError"),
    ],
)
def test_wrong_gates_are_told_apart(tmp_path, line, instead, said):
    assert line in GATES
    assert said in wrong(tmp_path, 15, "gates_in_place", GATES.replace(line, instead))


def test_gates_may_be_made_in_another_order(tmp_path):
    other = GATES.replace("    i *= g\n", "    g *= i\n").replace("    c += i\n", "    np.add(g, c, c)\n")
    assert mark_of(tmp_path, 15, "gates_in_place", other).state == "right"


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
LAST = "            dc[r, j] *= f[j]\n"


@pytest.mark.parametrize(
    "line, instead, said",
    [
        (LAST, "", "dc_prev"),
        ("dc[r, j] += dh[r, j] * o[j] * (1 - tanh_c[r, j] ** 2)", "dc[r, j] += 0", "Your backward step is wrong"),
        ("(1 - tanh_c[r, j] ** 2)\n", f"(1 - tanh_c[r, j] ** 2)\n{LAST}", "dc was multiplied by f too early"),
        ("dc[r, j] += dh[r, j] * o[j]", "dc[r, j] += dh[r, j]", "output gate"),
        ("* g[j] * i[j] * (1 - i[j])", "* g[j]", "input gate"),
        ("dzf[j] = dc[r, j] * c_prev[r, j]", "dzf[j] = dc[r, j]", "forget gate"),
        ("            dzo[j] = dh[r, j] * tanh_c[r, j] * o[j] * (1 - o[j])\n", "", "in the block of o, has not been written"),
        ("dzo[j] = dh[r, j]", "dh[r, j] *= 2; dzo[j] = dh[r, j]", "dh is overwritten"),
        ("dzo[j]", "dzo[H + j]", "IndexError"),
        ("dzi[j] = dc[r, j]", "dzi[j] = float(str(dc[r, j]))", "Numba cannot compile it"),
    ],
)
def test_wrong_kernels_are_told_apart(tmp_path, line, instead, said):
    assert line in STEP
    source = STEP.replace(line, instead)
    if said.startswith("dc was"):
        source = source.removesuffix(LAST)
    assert said in wrong(tmp_path, 15, "step_backward", source)


def test_a_kernel_that_calls_a_function_of_python_is_told_that_numba_does_not_know_it(tmp_path):
    source = "def slope(a):\n    return a * (1 - a)\n\n\n" + STEP.replace("i[j] * (1 - i[j])", "slope(i[j])")
    assert "Untyped global name 'slope'" in wrong(tmp_path, 15, "step_backward", source)
