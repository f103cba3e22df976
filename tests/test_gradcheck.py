"""The gradient check itself: right gradients pass, wrong ones are found to the entry, and bad input is told from both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import InputError, LanguageModel, cells
from minilstm.text.batches import Batch
from minilstm.verify import check_gradients, check_model, check_sequence, check_step, sequence
from minilstm.verify.slopes import CUBE_ROOT, central_differences, complex_step, projection
from minilstm.verify.whole_model import random_case
from tests.strategies import seeds, sizes

METHODS = ["complex", "central", "projections"]


def loss(p):
    """A loss with every kind of curvature, of two parameters, one of them a number in an array."""
    return np.sum(np.tanh(p["W"] * p["scale"]) ** 2) + np.exp(p["scale"]) + np.log(2 + np.sum(p["W"] ** 2))


def gradients(p):
    W, scale = p["W"], p["scale"]
    t = np.tanh(W * scale)
    return {
        "W": 2 * t * (1 - t**2) * scale + 2 * W / (2 + np.sum(W**2)),
        "scale": np.sum(2 * t * (1 - t**2) * W) + np.exp(scale),
    }


def params(seed=0):
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(0, 0.8, (3, 4)), "scale": np.array(rng.uniform(0.5, 1))}


# ---- slopes -----------------------------------------------------------------------------------------------------------


@given(seeds)
def test_three_ways_find_the_same_slopes(seed):
    p = params(seed)
    true, differences, complexes = gradients(p), central_differences(loss, p), complex_step(loss, p)
    for name in p:
        assert np.abs(true[name]).max() > 0
        np.testing.assert_allclose(differences[name], true[name], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(complexes[name], true[name], rtol=1e-13, atol=1e-15)
    v = {name: np.random.default_rng(seed).standard_normal(a.shape) for name, a in p.items()}
    assert projection(loss, p, v) == pytest.approx(sum(np.sum(true[name] * v[name]) for name in p), rel=1e-7, abs=1e-8)


def test_the_error_of_differences_has_a_valley_and_the_complex_step_has_not():
    p, true = params(), gradients(params())["W"]
    error = lambda h: np.abs(central_differences(loss, p, step=h)["W"] - true).max()
    assert error(CUBE_ROOT) < 1e-9 < 1e-6 < min(error(1e-1), error(1e-12))
    assert np.abs(complex_step(loss, p)["W"] - true).max() < 1e-15


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
def test_the_step_follows_the_size_of_the_entry(size):
    x = np.array([size])
    slope = central_differences(lambda p: np.sum(np.sin(p["x"] / size)), {"x": x})["x"]
    np.testing.assert_allclose(slope * size, np.cos(1), rtol=1e-9)


def test_slopes_leave_the_parameters_as_they_were():
    p, kept = params(), params()
    v = {"W": np.ones((3, 4))}
    central_differences(loss, p), complex_step(loss, p), projection(loss, p, v)
    for name in p:
        np.testing.assert_array_equal(p[name], kept[name])


# ---- right and wrong gradients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@given(seed=seeds)
def test_right_gradients_pass(method, seed):
    for check in (
        check_gradients(loss, params(seed), gradients, method=method, seed=seed),
        check_gradients(loss, params(seed), gradients(params(seed)), method=method, seed=seed),
        check_gradients(lambda p: (loss(p), gradients(p)), params(seed), method=method, seed=seed),
    ):
        assert check and check.passed and not check.wrong, check


@pytest.mark.parametrize("method", METHODS)
@given(seed=seeds, entry=st.integers(0, 11), factor=st.sampled_from([0.0, -1.0, 1.001, 2.0, np.nan, np.inf]))
def test_one_wrong_entry_is_found_with_both_values(method, seed, entry, factor):
    where = tuple(int(k) for k in np.unravel_index(entry, (3, 4)))
    p = params(seed)
    p["W"][where] = 0.5  # where the slope is not small
    true, wrong = gradients(p), gradients(p)
    wrong["W"][where] *= factor
    check = check_gradients(loss, p, wrong, method=method, seed=seed)
    assert not check and [row.name for row in check.wrong] == ["W"]
    row = check.wrong[0]
    assert row.where == where
    np.testing.assert_equal(row.ours, wrong["W"][where])
    assert row.theirs == pytest.approx(true["W"][where], rel=1e-6)
    assert f"W[{where[0]}, {where[1]}]: your gradient is" in str(check) and "WRONG" in str(check)


def test_the_tolerance_is_kept():
    p, wrong = params(), gradients(params())
    wrong["W"] = wrong["W"] * (1 + 1e-7)
    assert not check_gradients(loss, p, wrong)
    assert check_gradients(loss, p, wrong, tolerance=2e-7)
    assert check_gradients(loss, p, wrong, method="central")


def test_zero_over_zero_is_no_error_and_no_proof():
    p = {"x": np.array([1.0, 0.0]), "unused": np.ones(2)}
    square = lambda q: np.sum(q["x"] ** 2)
    for method in METHODS:
        check = check_gradients(square, p, {"x": 2 * p["x"], "unused": np.zeros(2)}, method=method)
        assert [row.verdict for row in check.rows] == ["ok", "zero"] and not check.passed and not check.wrong
        assert "unused: gradient and slope are zero in every entry, which proves nothing" in str(check)


def test_a_loss_that_does_not_read_its_argument_is_told():
    W = np.ones((2, 2))
    loss_of_b = lambda p: np.sum(W**2) + np.sum(p["b"] ** 2)
    check = check_gradients(loss_of_b, {"W": W, "b": np.ones(1)}, lambda p: {"W": 2 * W, "b": 2 * p["b"]})
    assert "the loss does not move with it at all: does your function read it from its argument?" in str(check)
    assert "(4 wrong entries)" in str(check)


def test_the_table_fits_80_columns_and_names_every_parameter():
    model, batch = random_case(7, 3, 5, 2, 6, 4)
    check = check_model(model, batch)
    text = str(check)
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"\n{name} " in text for name in [*model.parameters, "lstm0.h0", "lstm1.c0"])
    assert "13 of 13 gradients are right to a relative error of 1e-10" in text


# ---- pairs and models -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@given(seed=seeds, B=sizes, D=sizes, H=sizes)
def test_our_step_and_our_sequence_pass(method, seed, B, D, H):
    arguments = dict(batch_size=B, input_size=D, hidden_size=H, seed=seed, method=method)
    check = check_step(cells.lstm_step, cells.lstm_step_backward, **arguments)
    assert check, check
    assert [row.name for row in check.rows] == ["x", "h_prev", "c_prev", "Wx", "Wh", "b"]
    check = check_sequence(sequence.lstm_sequence, sequence.lstm_sequence_backward, steps=3, **arguments)
    assert check, check
    assert [row.name for row in check.rows] == ["x", "h0", "c0", "Wx", "Wh", "b"]


def test_a_wrong_step_of_somebody_elses_is_found_whatever_its_cache_is():
    def step(x, h_prev, c_prev, Wx, Wh, b):
        h, c, cache = cells.lstm_step(x, h_prev, c_prev, Wx, Wh, b)
        return h, c, {"mine": cache}

    def backward(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = cells.lstm_step_backward(dh, dc, cache["mine"], Wx, Wh)
        return dx, dh_prev, dc_prev, {"dWx": grads.Wx, "dWh": 2 * grads.Wh, "db": grads.b}

    assert [row.name for row in check_step(step, backward).wrong] == ["Wh"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("embedding", [None, 3])
def test_a_whole_model_passes_and_a_wrong_one_does_not(method, embedding, monkeypatch):
    model, batch = random_case(6, embedding, 4, 2, 5, 3, seed=1)
    kept = model.parameters.flat.copy()
    check = check_model(model, batch, method=method)
    assert check, check
    assert [row.name for row in check.rows][-4:] == ["lstm0.h0", "lstm0.c0", "lstm1.h0", "lstm1.c0"]
    np.testing.assert_array_equal(model.parameters.flat, kept)

    def wrong(self, batch, state=None, right=LanguageModel.loss_and_gradients):
        loss, gradients, final, dstates = right(self, batch, state)
        gradients["lstm1.b"][3] += 1e-3
        return loss, gradients, final, dstates

    monkeypatch.setattr(LanguageModel, "loss_and_gradients", wrong)
    check = check_model(model, batch, method=method)
    assert [(row.name, row.where) for row in check.wrong] == [("lstm1.b", (3,))]


def test_a_model_in_float32_is_refused():
    with pytest.raises(InputError, match="dtype float64, not float32"):
        check_model(LanguageModel(5, hidden=3), Batch(np.array([[1]]), np.array([[2]])))


# ---- bad input --------------------------------------------------------------------------------------------------------


def square(p):
    return np.sum(p["x"] ** 2)


X = {"x": np.array([1.0, -2.0, 3.0])}
DX = {"x": 2 * X["x"]}


def noisy(p, rng=np.random.default_rng(0)):
    return square(p) + rng.normal()


def changing(p):
    p["x"] *= 2
    return square(p)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "f, words",
    [
        (noisy, "the loss is not the same twice: .* Make a generator with a fixed seed inside it"),
        (changing, "the loss changes x, which it is given"),
        (lambda p: np.nan, "the loss is nan, where no slope is defined"),
        (lambda p: np.inf, "the loss is inf"),
        (lambda p: p["x"] ** 2, r"the loss is an array of shape \(3,\); it must be one number, so take a sum or a mean"),
        (lambda p: np.sum(p["x"] ** 2, keepdims=True), r"the loss is an array of shape \(1,\)"),
        (lambda p: "5", "the loss must be one number, not str"),
        (lambda p: None, "the loss must be one number, not NoneType"),
        (lambda p: True, "the loss must be one number, not bool"),
        (lambda p: square(p) + 1j, "the loss is the complex number .* for real parameters"),
        ("square", "the loss must be a function of the parameters, not str"),
    ],
)
def test_losses_that_cannot_be_checked_are_refused(f, words, method):
    with pytest.raises(InputError, match=words):
        check_gradients(f, X, DX, method=method)


@pytest.mark.parametrize(
    "p, words",
    [
        ({}, "params is empty"),
        ([1.0], "params must be a dictionary of arrays, not list"),
        ({"x": [1.0, 2.0]}, "x must be a NumPy array, not list"),
        ({"x": np.arange(3)}, r"x holds int64, which no small step can change; convert it with \.astype\(float\)"),
        ({"x": np.ones(3, np.float32)}, "x holds float32; a gradient check needs float64. In float32 a loss has seven digits"),
        ({"x": np.ones(3, complex)}, "x holds complex128; a gradient check needs float64"),
        ({"x": np.ones((0, 3))}, r"x is empty, of shape \(0, 3\)"),
        ({"x": np.array([1.0, np.nan])}, "x holds NaN or infinity"),
    ],
)
def test_parameters_that_cannot_be_checked_are_refused(p, words):
    with pytest.raises(InputError, match=words):
        check_gradients(square, p, DX)


@pytest.mark.parametrize(
    "g, words",
    [
        (None, r"there are no gradients to check: hand them in, or let f return a pair"),
        ([1.0], "gradients must be a dictionary of arrays, not list"),
        ({}, "the gradients must have the names of the parameters; missing: x"),
        ({"x": np.ones(3), "y": np.ones(1)}, "unknown: y"),
        ({"x": np.ones((3, 1))}, r"the gradient of x has the shape \(3, 1\), but x has \(3,\)"),
        ({"x": np.ones(3, complex)}, "the gradient of x must hold real numbers, not complex128"),
    ],
)
def test_gradients_that_do_not_fit_are_refused(g, words):
    with pytest.raises(InputError, match=words):
        check_gradients(square, X, g)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(method="magic"), "method must be one of complex, central, projections, not 'magic'"),
        (dict(tolerance=0), "tolerance"),
        (dict(seed=-1), "seed"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(InputError, match=words):
        check_gradients(square, X, DX, **arguments)


def biggest(p):
    best = p["x"][0]
    for x in p["x"]:
        best = max(best, x) if not np.iscomplexobj(x) else x  # as code behaves that a comparison sends another way
    return best + square(p)


@pytest.mark.filterwarnings("ignore:Casting complex")
@pytest.mark.parametrize(
    "f, words",
    [
        (lambda p: np.sum(np.abs(p["x"])) + square(p), "loses the imaginary part of x .* it uses numpy's absolute"),
        (lambda p: sum(abs(x) for x in p["x"]) + square(p), "loses the imaginary part of x"),
        (lambda p: np.sum(p["x"].real ** 2), "it uses numpy's real"),
        (lambda p: np.linalg.norm(p["x"]), "it uses numpy's norm"),
        (lambda p: np.sum(p["x"] * p["x"].conj()), "it uses numpy's conj"),
        (lambda p: float(np.sum(p["x"] ** 2)), "does not take complex numbers"),
        (lambda p: np.sum(p["x"].astype(float) ** 2), "does not take complex numbers"),
        (lambda p: sum(float(x) ** 2 for x in p["x"]), "does not take complex numbers"),
        (lambda p: np.sum(np.floor(p["x"])) + square(p), "does not take complex numbers .* it uses numpy's floor"),
        (biggest, "the loss is 17.0 for real numbers and .* for the same numbers as complex ones"),
    ],
)
def test_code_that_is_not_for_complex_numbers_is_told_and_not_judged(f, words):
    with pytest.raises(InputError, match=words) as caught:
        check_gradients(f, {"x": np.array([1.0, 3.0, -2.0])}, DX)
    assert 'method="central"' in str(caught.value)


def test_the_same_code_is_judged_by_central_differences():
    f = lambda p: np.sum(np.abs(p["x"])) + square(p)
    assert check_gradients(f, X, {"x": np.sign(X["x"]) + 2 * X["x"]}, method="central")
    assert check_gradients(f, X, {"x": np.sign(X["x"]) + 2 * X["x"]}, method="projections")
    assert not check_gradients(f, X, DX, method="central")


def test_a_small_loss_of_the_imaginary_part_is_not_called_a_wrong_gradient():
    """One entry in many, too few to show in a random direction, but the only one at which gradient and step disagree."""
    x = np.linspace(0.5, 1.5, 200)
    f = lambda p: 1e4 * np.sum(p["x"][1:] ** 2) + np.abs(p["x"][0])
    right = 2e4 * x
    right[0] = 1
    with pytest.raises(InputError, match="complex step cannot be used on this loss: for x"):
        check_gradients(f, {"x": x}, {"x": right})


def test_comparisons_that_do_no_harm_are_let_pass():
    relu = lambda p: np.sum(np.where(p["x"] > 0, p["x"], 0) ** 2) + np.max(p["x"])
    right = np.where(X["x"] > 0, 2 * X["x"], 0) + (X["x"] == 3)
    assert check_gradients(relu, X, {"x": right})
