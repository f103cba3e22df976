"""Kinks: ReLU at 0, |x| at 0, equal maxima.

A gradient between the one-sided derivatives is never called wrong.
"""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import InputError
from minilstm.verify import check_gradients
from minilstm.verify.gradcheck.kinks import kink
from tests.helpers.strategies import seeds
from tests.helpers.text import one_line

METHODS = ["auto", "central"]
X = np.array([1.5, 0.0, -2.0, 0.0, 3.0])
DY = np.array([1.0, 2.0, 3.0, -4.0, 5.0])
RELUS = [
    lambda z: np.maximum(0, z),
    lambda z: z * (z > 0),
    lambda z: np.where(z > 0, z, 0),
    lambda z: np.clip(z, 0, 1e9),
    lambda z: np.array([max(0, one) for one in z]),
    lambda z: np.array([max(0, one) for one in z.tolist()]),
    lambda z: (z + np.abs(z)) / 2,
]


def relu_loss(relu):
    return lambda p: np.sum(relu(p["x"]) ** 2) + np.sum(relu(p["x"]) * DY)


def relu_gradient(at_zero):
    return 2 * np.maximum(X, 0) + np.where(X == 0, at_zero, X > 0) * DY


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("relu", RELUS)
@pytest.mark.parametrize("at_zero", [0.0, 0.3, 0.5, 1.0])
def test_every_convention_for_relu_at_zero_passes_and_the_kink_is_named(method, relu, at_zero):
    check = check_gradients(relu_loss(relu), {"x": X}, {"x": relu_gradient(at_zero)}, method=method)
    assert check.passed and not check.wrong and np.abs(relu_gradient(at_zero)).max() > 1, check
    row = check.rows[0]
    assert row.kinks == (0 if at_zero == 0.5 else 2)  # which is the central difference
    if row.kinks:
        assert "the loss has a kink at x[1]: its one-sided derivatives are" in one_line(check)
        left, right = map(float, re.search(r"derivatives are (\S+) and (\S+), and your gradient", one_line(check)).groups())
        assert (left, right) == pytest.approx((0, 2), abs=1e-6) and "(one of 2 such entries)" in one_line(check)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("relu", RELUS)
@pytest.mark.parametrize("factor, where", [(-0.2, 1), (1.2, 1), (-0.2, 3), (1.2, 3)])
def test_a_gradient_outside_of_a_kink_is_wrong(method, relu, factor, where):
    wrong = relu_gradient(0.0)
    wrong[where] = factor * DY[where]
    check = check_gradients(relu_loss(relu), {"x": X}, {"x": wrong}, method=method)
    assert [(row.name, row.where) for row in check.wrong] == [("x", (where,))] and check.wrong[0].wrong_entries == 1
    assert f"the loss has a kink at x[{where}]" in one_line(check)
    assert "your gradient is not between them; right" in one_line(check)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("relu", RELUS)
def test_a_mistake_elsewhere_is_found_beside_a_kink(method, relu):
    wrong = relu_gradient(0.0)
    wrong[4] *= 1.001
    check = check_gradients(relu_loss(relu), {"x": X}, {"x": wrong}, method=method)
    assert [(row.name, row.where) for row in check.wrong] == [("x", (4,))] and "kink at" not in one_line(check)


def test_a_requested_complex_step_reports_the_kink():
    for at_zero in (0.0, 1.0):
        with pytest.raises(InputError, match=r"the loss has a kink here \(its one-sided derivatives .* method=\"central\""):
            check_gradients(relu_loss(RELUS[0]), {"x": X}, {"x": relu_gradient(at_zero)}, method="complex")


def test_a_kink_too_small_to_show_in_a_sum_is_reported_at_its_entry():
    x = np.linspace(0.0, 1.5, 200)
    f = lambda p: 1e4 * np.sum(p["x"][1:] ** 2) + 2e-3 * np.maximum(p["x"][0], 0)
    check = check_gradients(f, {"x": x}, {"x": 2e4 * x})
    assert check.passed, check
    with pytest.raises(InputError, match=r"one-sided derivatives in x\[0\] are"):
        check_gradients(f, {"x": x}, {"x": 2e4 * x}, method="complex")


@pytest.mark.parametrize(
    "f, x, conventions",
    [
        (lambda p: np.sum(np.abs(p["x"])) + np.sum(p["x"][1:]), [0.0, 2.0], [[-1, 2], [0.3, 2], [1, 2]]),
        (lambda p: np.max(p["x"]) ** 2, [3.0, 1.0, 3.0], [[6, 0, 0], [0, 0, 6], [3, 0, 3]]),
        (lambda p: np.sort(p["x"])[::-1] @ [3.0, 2.0, 1.0], [5.0, 5.0, 1.0], [[3, 2, 1], [2, 3, 1]]),
        (lambda p: p["x"][np.argmin(p["x"])] + p["x"][2], [1.0, 1.0, 4.0], [[1, 0, 1], [0, 1, 1]]),
        (lambda p: np.sum(np.clip(p["x"], -1, 1) * [1.0, 2.0, 3.0]), [1.0, -1.0, 0.5], [[0, 0, 3], [1, 2, 3]]),
        (lambda p: np.sum(np.maximum(0.01 * p["x"], p["x"])), [0.0, 7.0, -2.0], [[1, 1, 0.01], [0.01, 1, 0.01]]),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_other_kinks_are_kinks_too(f, x, conventions, method):
    params = {"x": np.array(x)}
    for gradient in conventions:
        check = check_gradients(f, params, {"x": np.array(gradient, float)}, method=method)
        assert check.passed or check.rows[0].verdict == "kink", check
        assert not check.wrong
    wrong = np.array(conventions[0], float)
    wrong[-1] += 7
    assert check_gradients(f, params, {"x": wrong}, method=method).wrong


def test_if_only_kinks_were_compared_nothing_is_proved():
    f = lambda p: np.sum(np.abs(p["x"])) + np.sum(p["y"] ** 2)
    p = {"x": np.zeros(3), "y": np.ones(2)}
    check = check_gradients(f, p, {"x": np.full(3, 0.7), "y": np.full(2, 2.0)})
    assert [row.verdict for row in check.rows] == ["kink", "ok"] and not check.passed and not check.wrong
    assert "your gradient 0.7 is as good as any between (one of 3 such entries); that proves nothing" in one_line(check)
    assert check_gradients(f, p, {"x": np.full(3, 1.7), "y": np.full(2, 2.0)}).wrong


def test_a_gradient_that_equals_one_side_of_a_kink_is_evidence_unless_it_is_zero():
    f = lambda p: np.sum(np.where(p["b"] > 0, 3 * p["b"], 2 * p["b"])) + np.sum(np.maximum(p["z"], 0))
    p = {"b": np.zeros(2), "z": np.zeros(2)}
    verdicts = lambda b, z: [r.verdict for r in check_gradients(f, p, {"b": np.full(2, b), "z": np.full(2, z)}).rows]
    assert verdicts(2.0, 1.0) == ["ok", "ok"]
    assert verdicts(3.0, 0.0) == ["ok", "kink"]
    assert verdicts(2.2, 0.3) == ["kink", "kink"]
    assert verdicts(3.2, -0.1) == ["WRONG", "WRONG"]


def test_a_network_with_a_row_of_padding_passes_although_its_bias_has_kinks():
    rng = np.random.default_rng(0)
    # a row of zeros; and biases that are zero
    x = rng.standard_normal((5, 3)) * (np.arange(5) != 2)[:, None]
    p = {"W": rng.standard_normal((3, 4)), "b": np.zeros(4), "V": rng.standard_normal((4, 2))}

    def f(p):
        scores = np.maximum(0, x @ p["W"] + p["b"]) @ p["V"]
        return np.mean(scores**2) + np.sum(scores)

    def gradients(p):
        z = x @ p["W"] + p["b"]
        h = np.maximum(0, z)
        ds = 2 * (h @ p["V"]) / 10 + 1
        dz = (ds @ p["V"].T) * (z > 0)
        return {"W": x.T @ dz, "b": dz.sum(axis=0), "V": h.T @ ds}

    check = check_gradients(f, p, gradients)
    assert check.passed and all(np.abs(g).max() > 0.1 for g in gradients(p).values()), check
    assert "b: right; the loss has a kink at b[0]" in one_line(check) and "(one of 4 such entries)" in one_line(check)
    wrong = gradients(p)
    wrong["b"] = wrong["b"] * 1.5
    assert [row.name for row in check_gradients(f, p, wrong).wrong] == ["b"]


def test_if_several_kinks_meet_the_report_suggests_other_values():
    """relu(x) - relu(-x) is x, but by the chain rule a convention decides at 0."""
    f = lambda p: np.sum(np.maximum(p["x"], 0) - np.maximum(-0.5 * p["x"], 0)) + np.sum(p["x"])
    check = check_gradients(f, {"x": np.array([0.0, 1.0])}, {"x": np.array([1.0, 2.0])})
    assert check.wrong and "one-sided derivatives are 1.5 and 2, and your gradient is not between them" in one_line(check)
    assert "only where several kinks meet, as at weights that are all zero: try other values" in one_line(check)


@pytest.mark.parametrize("distance", [1e-12, 1e-8, 3e-7, 2e-6, 5e-6, -1e-8, -3e-6])
def test_a_kink_nearer_than_the_step_of_the_differences_makes_no_right_gradient_wrong(distance):
    x = np.array([distance, 2.0])
    f = lambda p: np.sum(np.maximum(p["x"], 0) * [1.0, 3.0]) + np.sum(np.sin(p["x"]))
    right = np.array([distance > 0, 3]) + np.cos(x)
    for method in METHODS:
        check = check_gradients(f, {"x": x}, {"x": right}, method=method)
        assert check.passed, check
        assert check_gradients(f, {"x": x}, {"x": right + [0, 0.1]}, method=method).wrong


@given(seeds, st.floats(-3, 3), st.sampled_from([1e-4, 1e-3, 0.3]))
def test_smooth_losses_have_no_kink(seed, at, error):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(1, 30, 2)
    f = lambda p: np.sum(np.sin(a * p["x"]) + np.exp(p["x"]) + b * p["x"] * np.abs(p["x"]))
    x = np.array([at])
    right = a * np.cos(a * x) + np.exp(x) + 2 * b * np.abs(x)
    sides = kink(f, {"x": x}, {"x": np.ones(1)})
    # at 0 the second derivative of x |x| jumps
    assert sides is None or abs(at) < 1e-3 and abs(sides[1] - sides[0]) < 1e-3
    assert check_gradients(f, {"x": x}, {"x": right + error * (1 + np.abs(right))}, method="central").wrong


def test_a_loss_that_ends_near_by_or_jumps_has_no_kink():
    near = lambda p: float(np.sum(np.log(p["x"])))
    ask = lambda f, x: kink(f, {"x": np.array([x])}, {"x": np.ones(1)})

    def raises(p):
        if p["x"][0] < 0:
            raise ArithmeticError("not that far")
        return near(p)

    assert ask(raises, 3e-5) is None
    # a jump: divided by h, it grows
    assert ask(lambda p: float(p["x"][0] > 1), 1.0) is None
    assert ask(lambda p: float(np.abs(p["x"][0] - 1)), 1.0) == pytest.approx((-1, 1), abs=1e-9)
    assert ask(lambda p: -float(np.abs(p["x"][0] - 1)), 1.0) == pytest.approx((1, -1), abs=1e-9)


@pytest.mark.parametrize("relu", RELUS)
def test_projections_leave_a_kink_to_central_differences(relu):
    for at_zero in (0.0, 1.0):
        check = check_gradients(relu_loss(relu), {"x": X}, {"x": relu_gradient(at_zero)}, method="projections")
        assert not check.wrong and not check.passed and check.rows[0].verdict == "kink"
        assert 'projections cannot decide that, use method="central"' in one_line(check)
    wrong = relu_gradient(0.0)
    wrong[4] += 9
    check = check_gradients(relu_loss(relu), {"x": X}, {"x": wrong}, method="projections")
    assert [(row.name, row.where) for row in check.wrong] == [("x", (4,))]


def test_a_0d_parameter_can_have_a_kink():
    f = lambda p: np.maximum(p["a"], 0) * 3 + np.sum(p["b"] ** 2)
    p = {"a": np.array(0.0), "b": np.ones(2)}
    check = check_gradients(f, p, {"a": np.array(0.0), "b": np.full(2, 2.0)})
    assert check.rows[0].verdict == "kink"
    assert "the loss has a kink at a: its one-sided derivatives are 0 and 3" in one_line(check)
