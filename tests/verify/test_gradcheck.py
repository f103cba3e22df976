"""The gradient check: right gradients pass, and each wrong entry is found.

Bad input is refused.
"""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import InputError, LanguageModel, reference
from minilstm.models.batch import Batch
from minilstm.reference import sequence
from minilstm.verify import check_gradients, check_model, check_sequence, check_step
from minilstm.verify.gradcheck import check as gradcheck
from minilstm.verify.gradcheck.numerical import STEP, central_differences, complex_step, projection
from minilstm.verify.gradcheck.whole_model import random_case
from tests.helpers.strategies import seeds, sizes

METHODS = ["complex", "central", "projections"]


def loss(p):
    """A loss with all kinds of curvature; one of its two parameters is a 0-d array."""
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


# ---- derivatives ---------------------------------------------------------------------


@given(seeds)
def test_three_methods_give_the_same_derivatives(seed):
    p = params(seed)
    true, differences, complexes = gradients(p), central_differences(loss, p), complex_step(loss, p)
    for name in p:
        assert np.abs(true[name]).max() > 0
        np.testing.assert_allclose(differences[name], true[name], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(complexes[name], true[name], rtol=1e-13, atol=1e-15)
    v = {name: np.random.default_rng(seed).standard_normal(a.shape) for name, a in p.items()}
    assert projection(loss, p, v) == pytest.approx(sum(np.sum(true[name] * v[name]) for name in p), rel=1e-7, abs=1e-8)


def test_differences_have_a_best_step_and_the_complex_step_has_none():
    p, true = params(), gradients(params())["W"]
    error = lambda h: np.abs(central_differences(loss, p, step=h)["W"] - true).max()
    assert error(STEP) < 1e-9 < 1e-6 < min(error(1e-1), error(1e-12))
    assert np.abs(complex_step(loss, p)["W"] - true).max() < 1e-15


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
def test_the_perturbation_scales_with_the_entry(size):
    x = np.array([size])
    derivative = central_differences(lambda p: np.sum(np.sin(p["x"] / size)), {"x": x})["x"]
    np.testing.assert_allclose(derivative * size, np.cos(1), rtol=1e-9)


def test_derivatives_do_not_change_the_parameters():
    p, kept = params(), params()
    v = {"W": np.ones((3, 4))}
    central_differences(loss, p), complex_step(loss, p), projection(loss, p, v)
    for name in p:
        np.testing.assert_array_equal(p[name], kept[name])


# ---- right and wrong gradients -------------------------------------------------------


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
    p["W"][where] = 0.5  # an entry whose derivative is not small
    true, wrong = gradients(p), gradients(p)
    wrong["W"][where] *= factor
    check = check_gradients(loss, p, wrong, method=method, seed=seed)
    assert not check and [row.name for row in check.wrong] == ["W"]
    row = check.wrong[0]
    assert row.where == where
    np.testing.assert_equal(row.yours, wrong["W"][where])
    assert row.derivative == pytest.approx(true["W"][where], rel=1e-6)
    assert f"W[{where[0]}, {where[1]}]: your gradient is" in str(check) and "WRONG" in str(check)


def test_the_tolerance_is_used():
    p, wrong = params(), gradients(params())
    wrong["W"] = wrong["W"] * (1 + 1e-7)
    assert not check_gradients(loss, p, wrong)
    assert check_gradients(loss, p, wrong, tolerance=2e-7)
    assert check_gradients(loss, p, wrong, method="central")


def test_two_zero_gradients_are_no_error_and_no_evidence():
    p = {"x": np.array([1.0, 0.0]), "unused": np.ones(2)}
    square = lambda q: np.sum(q["x"] ** 2)
    for method in METHODS:
        check = check_gradients(square, p, {"x": 2 * p["x"], "unused": np.zeros(2)}, method=method)
        assert [row.verdict for row in check.rows] == ["ok", "zero"] and not check.passed and not check.wrong
        assert "unused: gradient and derivative are zero in every entry" in str(check)


def test_a_loss_that_does_not_read_its_argument_is_reported():
    W = np.ones((2, 2))
    loss_of_b = lambda p: np.sum(W**2) + np.sum(p["b"] ** 2)
    check = check_gradients(loss_of_b, {"W": W, "b": np.ones(1)}, lambda p: {"W": 2 * W, "b": 2 * p["b"]})
    text = " ".join(str(check).split())
    assert "the loss does not depend on it at all: does your function read it from its argument?" in text
    assert "(4 wrong entries)" in text and max(map(len, str(check).splitlines())) <= 80


def test_the_table_fits_80_columns_and_names_every_parameter():
    model, batch = random_case(7, 3, 5, 2, 6, 4)
    check = check_model(model, batch)
    text = str(check)
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"\n{name} " in text for name in [*model.parameters, "lstm0.h0", "lstm1.c0"])
    assert "13 of 13 gradients are right to a relative error of 1e-10" in text


@pytest.mark.parametrize("method, derivatives_of", [("complex", complex_step), ("central", central_differences)])
def test_the_legend_states_how_the_printed_number_is_computed(method, derivatives_of):
    """Some entries are far below the largest, some are wrong.

    Without the denominator floor the printed errors would differ.
    """
    p = {"x": np.array([1e-3, 2e-3, 3.0, -5.0]), "y": np.array([1.0, 2.0])}
    f = lambda p: 1e3 + np.sum(p["x"] ** 2) + np.sum(np.sin(p["y"])) * 1e-4
    yours = {"x": 2 * p["x"] + [1e-3, 0, 0, 0], "y": 1e-4 * np.cos(p["y"]) + [1e-6, 0]}
    check, derivatives = check_gradients(f, p, yours, method=method), derivatives_of(f, p)
    text = " ".join(str(check).split())
    assert "relative error: |gradient - derivative| / max(|gradient|, |derivative|, floor), at the entry" in text
    assert "floor: the denominator floor, max(|derivative|) / 100, a hundredth of the parameter's largest derivative" in text
    hidden = r"largest derivative, or (\S+) if that is more, since rounding of the loss hides what is smaller"
    at_least = re.search(hidden, text)
    assert bool(at_least) == (method == "central")
    for name in p:
        gradient, derivative = np.abs(yours[name]), np.abs(derivatives[name])
        floor = max(derivative.max() / 100, float(at_least[1]) if at_least else 0)
        errors = np.abs(yours[name] - derivatives[name]) / np.maximum(np.maximum(gradient, derivative), floor)
        assert f"  {errors.max():.1e}  [{errors.argmax()}]" in str(check) and errors.max() > 1e-6


def test_the_legend_of_projections_explains_directions():
    # one entry, so all directions are the same
    p, yours = {"x": np.array([0.7])}, {"x": np.array([1.5])}
    check = check_gradients(square, p, yours, method="projections")
    assert "(gradient and derivative along random directions)" in " ".join(str(check).split())
    row = check.rows[0]
    assert row.relative == pytest.approx(abs(row.yours - row.derivative) / max(abs(row.yours), abs(row.derivative), row.floor))


def test_a_matrix_is_converted_where_that_changes_nothing():
    W = np.array([[1.0, -2.0], [0.5, 3.0]])
    assert check_gradients(lambda p: np.sum(p["W"] ** 2), {"W": W}, {"W": (2 * W).view(np.matrix)})
    assert check_gradients(lambda p: np.sum(p["W"] ** 2), {"W": W}, {"W": W.view(np.matrix)}).wrong

    def step(x, h, c, Wx, Wh, b):
        h, c, cache = reference.lstm_step(x, h, c, Wx, Wh, b)
        return h.view(np.matrix), c.view(np.matrix), cache

    # square: * would multiply matrices
    check = check_step(step, reference.lstm_step_backward, batch_size=3, hidden_size=3)
    assert check and all(row.derivative for row in check.rows), check


# ---- pairs and models ----------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@given(seed=seeds, B=sizes, D=sizes, H=sizes)
def test_our_step_and_our_sequence_pass(method, seed, B, D, H):
    arguments = dict(batch_size=B, input_size=D, hidden_size=H, seed=seed, method=method)
    check = check_step(reference.lstm_step, reference.lstm_step_backward, **arguments)
    assert check, check
    assert [row.name for row in check.rows] == ["x", "h_prev", "c_prev", "Wx", "Wh", "b"]
    check = check_sequence(sequence.lstm_sequence, sequence.lstm_sequence_backward, steps=3, **arguments)
    assert check, check
    assert [row.name for row in check.rows] == ["x", "h0", "c0", "Wx", "Wh", "b"]


def test_a_wrong_step_of_other_code_is_found_for_any_kind_of_cache():
    def step(x, h_prev, c_prev, Wx, Wh, b):
        h, c, cache = reference.lstm_step(x, h_prev, c_prev, Wx, Wh, b)
        return h, c, {"mine": cache}

    def backward(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(dh, dc, cache["mine"], Wx, Wh)
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

    def wrong(self, batch, state=None, dropout_rng=None, right=LanguageModel.loss_and_gradients):
        loss, gradients, final, dstates = right(self, batch, state, dropout_rng)
        gradients["lstm1.b"][3] += 1e-3
        return loss, gradients, final, dstates

    monkeypatch.setattr(LanguageModel, "loss_and_gradients", wrong)
    check = check_model(model, batch, method=method)
    assert [(row.name, row.where) for row in check.wrong] == [("lstm1.b", (3,))]


def test_a_model_in_float32_is_refused():
    with pytest.raises(InputError, match="dtype float64, not float32"):
        check_model(LanguageModel(5, hidden=3), Batch(np.array([[1]]), np.array([[2]])))


# ---- bad input -----------------------------------------------------------------------


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
        (lambda p: np.nan, "the loss is nan, where no derivative is defined"),
        (lambda p: np.inf, "the loss is inf"),
        (lambda p: p["x"] ** 2, r"the loss is an array of shape \(3,\); it must be one number, so take a sum or a mean"),
        (lambda p: np.sum(p["x"] ** 2, keepdims=True), r"the loss is an array of shape \(1,\)"),
        (lambda p: p["x"].view(np.matrix) @ p["x"][:, None], r"the loss is a np.matrix of shape \(1, 1\): in a np.matrix"),
        (lambda p: "5", "the loss must be one number, not str"),
        (lambda p: None, "the loss must be one number, not NoneType"),
        (lambda p: True, "the loss must be one number, not bool"),
        (lambda p: 10**400, "the loss is inf"),
        (lambda p: np.float32(square(p)), "the loss is a float32, of seven digits at most; compute it in float64"),
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
        ({0: np.ones(2)}, "the names of parameters must be strings, not 0"),
        ({"x": np.array([[1.0, 2.0]]).view(np.matrix)}, r"x is a np\.matrix: in a np\.matrix \* is the matrix product"),
        ({"x": np.ma.masked_array([1.0, 2.0], [0, 1])}, "x must be a NumPy array, not MaskedArray"),
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
        ({"x": DX["x"].view(np.matrix)}, r"has the shape \(1, 3\), but x has \(3,\) \(in a np.matrix .* two dimensions"),
        ({"x": np.ones(3, complex)}, "the gradient of x must hold real numbers, not complex128"),
        ({"x": np.ones(3, np.float32)}, "the gradient of x holds float32, of seven digits at most"),
        ({"x": [[1.0], [1.0, 2.0]]}, "the gradient of x is not an array of numbers"),
        ({"x": None}, "the gradient of x has the shape|must hold real numbers"),
        ({1: 2, "y": 3}, "unknown: 1, y"),
    ],
)
def test_gradients_that_do_not_fit_are_refused(g, words):
    with pytest.raises(InputError, match=words):
        check_gradients(square, X, g)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(method=[]), "method must be one of"),
        (dict(method="magic"), "method must be one of complex, central, projections, auto, not 'magic'"),
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
        # like code with another branch for complex numbers
        best = max(best, x) if not np.iscomplexobj(x) else x
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
        (lambda p: square(p) if p["x"].dtype == float else {}["complex"], "does not take complex numbers .KeyError"),
        (lambda p: np.sum(np.abs(p["x"], out=0 * p["x"])), "loses the imaginary part of x .* it uses numpy's absolute"),
        (lambda p: np.sum(np.floor(p["x"])) + square(p), "does not take complex numbers .* it uses numpy's floor"),
        (biggest, "the loss is 17.0 for real numbers and .* for the same numbers as complex ones"),
    ],
)
def test_code_that_does_not_support_complex_numbers_is_named_and_not_called_wrong(f, words):
    with pytest.raises(InputError, match=words) as caught:
        check_gradients(f, {"x": np.array([1.0, 3.0, -2.0])}, DX, method="complex")
    assert 'method="central"' in str(caught.value)


def test_the_same_code_is_checked_by_central_differences():
    f = lambda p: np.sum(np.abs(p["x"])) + square(p)
    assert check_gradients(f, X, {"x": np.sign(X["x"]) + 2 * X["x"]}, method="central")
    assert check_gradients(f, X, {"x": np.sign(X["x"]) + 2 * X["x"]}, method="projections")
    assert not check_gradients(f, X, DX, method="central")


X43 = np.random.default_rng(4).standard_normal((4, 3))


@pytest.mark.parametrize(
    "f, gradient",
    [
        (lambda p: np.sum(p["x"] ** 4) + 1e-4 * np.sum(np.abs(p["x"])), 4 * X43**3),
        (lambda p: np.sum(p["x"] ** 4) + 1e-4 * np.sum(np.abs(p["x"])), 4 * X43**3 + 1e-4 * np.sign(X43)),
        (lambda p: np.sum(p["x"] ** 4) + 1e-4 * np.linalg.norm(p["x"]) ** 2, 4 * X43**3 + 2e-4 * X43),
        (lambda p: 1e4 + np.sum(np.abs(p["x"])), np.sign(X43)),
        (lambda p: 1 + 1e-5 * np.sum(np.abs(p["x"])), 0 * X43),
        (lambda p: 1e4 * np.sum(p["x"][1:] ** 2) + np.abs(p["x"][0, 0]), 2e4 * X43 * (np.arange(4) > 0)[:, None]),
    ],
)
def test_a_small_loss_of_the_imaginary_part_is_reported_whether_the_gradient_is_right_or_wrong(f, gradient):
    with pytest.raises(InputError, match="loses the imaginary part of x"):
        check_gradients(f, {"x": X43}, {"x": gradient}, method="complex")


def test_a_memory_error_is_not_blamed_on_complex_numbers():
    def greedy(params):
        if np.iscomplexobj(params["x"]):
            raise MemoryError
        return np.sum(params["x"] ** 2)

    with pytest.raises(MemoryError):
        check_gradients(greedy, {"x": np.ones(2)}, {"x": 2 * np.ones(2)})


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3])
def test_the_complex_step_is_not_blamed_where_differences_are_bad(scale):
    """Losses that curve on the scale of their parameters, small or large.

    Also one large parameter among small ones.
    """
    x = scale * np.array([1.0, 0.7, 1.3])
    for f, gradient in (
        (lambda p: np.sum(np.log(p["x"])), 1 / x),
        (lambda p: np.sum(np.sin(p["x"] / scale)), np.cos(x / scale) / scale),
    ):
        assert check_gradients(f, {"x": x}, {"x": gradient})
        assert not check_gradients(f, {"x": x}, {"x": 1.001 * gradient})
    x = np.array([1e6, 1.0, 2.0])
    for method in METHODS:
        f, gradient = lambda p: np.sum(np.tanh(p["x"][1:])), np.array([0, *(1 - np.tanh(x[1:]) ** 2)])
        check = check_gradients(f, {"x": x}, {"x": gradient}, method=method)
        assert check, check


@given(seed=seeds)
def test_the_complex_step_is_not_blamed_for_a_loss_whose_digits_cancel(seed):
    x = np.random.default_rng(seed).standard_normal((3, 4))
    f = lambda p: 1e6 * (np.sum(np.exp(p["x"]) / 1e6 + 1.0) - 12.0) + np.sum(np.sin(p["x"]))
    assert check_gradients(f, {"x": x}, {"x": np.exp(x) + np.cos(x)}, seed=seed)


@pytest.mark.parametrize("method", ["central", "projections"])
def test_a_gradient_hidden_by_a_large_loss_is_not_called_right(method):
    x = np.array([0.3, -0.7])
    for offset, factor in ((1e9, 1.5), (1e6, 1.0), (1e3, 1.0)):
        check = check_gradients(
            lambda p: offset + 1e-4 * np.sum(p["x"] ** 2), {"x": x}, {"x": 2e-4 * factor * x}, method=method, tolerance=1e-6
        )
        assert not check.passed and check.rows[0].verdict in ("zero", "unsure", "WRONG")
    assert "too small beside a loss of 1000 to be checked by" in " ".join(str(check).split())
    assert not check_gradients(square, X, {"x": 0 * DX["x"]}, method=method, tolerance=1e-300).passed


def test_a_gradient_of_nan_is_wrong_even_if_the_derivative_is_zero():
    for method in METHODS:
        check = check_gradients(lambda p: np.sum(p["y"] ** 2), {"x": np.ones(2), "y": np.ones(2)},
                                {"x": np.full(2, np.nan), "y": np.full(2, 2.0)}, method=method)
        assert [row.name for row in check.wrong] == ["x"]


def test_a_tiny_derivative_is_not_called_zero_by_the_complex_step():
    x = np.array([1e16, 3e16])
    assert check_gradients(lambda p: np.sum(p["x"]), {"x": x}, {"x": np.ones(2)})
    assert check_gradients(lambda p: np.sum(p["x"]), {"x": x}, {"x": 1.5 * np.ones(2)}).wrong
    f = lambda p: 1 + 1e-18 * np.sum(p["y"] ** 2)
    assert check_gradients(f, {"y": np.ones(3)}, {"y": np.full(3, 2e-18)})
    assert check_gradients(f, {"y": np.ones(3)}, {"y": np.full(3, 4e-18)}).wrong


@given(seed=seeds)
def test_projections_never_name_an_entry_that_is_right(seed):
    rng = np.random.default_rng(seed)
    p = {"x": rng.standard_normal((6, 5))}
    wrong = 2 * p["x"]
    bad = rng.choice(30, 2, replace=False)
    wrong.flat[bad] += 0.1
    row = check_gradients(square, p, {"x": wrong}, method="projections", seed=seed).wrong[0]
    assert row.where is None or np.ravel_multi_index(row.where, (6, 5)) in bad


class Late:
    """A loss that works for some calls, then changes its argument or itself."""

    def __init__(self, calls, change):
        self.calls, self.change = calls, change

    def __call__(self, p):
        self.calls -= 1
        if self.calls < 0 and self.change == "input":
            p["x"] *= 1.1
        return square(p) + (1.0 if self.calls < 0 and self.change == "self" else 0.0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("calls", [1, 2, 4, 6])
@pytest.mark.parametrize("change, words", [("input", "changes x|not the same twice"), ("self", "not the same twice|numbers")])
def test_a_loss_that_begins_to_change_later_is_reported(method, calls, change, words):
    with pytest.raises(InputError, match=words):
        check_gradients(Late(calls, change), {"x": np.array([1.0, -2.0])}, {"x": np.array([2.0, -4.0])}, method=method)


def test_gradients_that_change_their_input_are_reported():
    def gradients(p):
        p["x"] *= 2
        return {"x": p["x"]}

    with pytest.raises(InputError, match="the function of the gradients changes x"):
        check_gradients(square, X, gradients)


def test_a_pair_whose_backward_changes_something_is_reported():
    def in_place(dh, dc, cache, Wx, Wh):
        dc += dh
        return reference.lstm_step_backward(dh, dc - dh, cache, Wx, Wh)

    with pytest.raises(InputError, match="your backward pass changes dc, which belongs to the caller"):
        check_step(reference.lstm_step, in_place)


@pytest.mark.parametrize(
    "step, words",
    [
        (None, "must be a function, not NoneType"),
        (lambda x, h, c, *w: (h[0], c, None), r"your h must have the shape \(2, 4\), not \(4,\)"),
        (lambda x, h, c, *w: (h, None, None), r"your c must have the shape \(2, 4\), not \(\)"),
    ],
)
def test_steps_of_another_shape_are_refused(step, words):
    with pytest.raises(InputError, match=words):
        check_step(step, reference.lstm_step_backward)


def test_functions_of_derivatives_refuse_wrong_arguments():
    for ask in (
        lambda: central_differences(square, {"x": np.arange(3)}),
        lambda: central_differences(square, X, step=0),
        lambda: complex_step(square, {}),
        lambda: projection(square, X, {"y": np.ones(3)}),
        lambda: projection(square, X, {"x": np.ones(2)}),
        lambda: projection(square, X, {"x": np.zeros(3)}),
    ):
        with pytest.raises(InputError):
            ask()


def test_harmless_comparisons_of_complex_numbers_pass():
    relu = lambda p: np.sum(np.where(p["x"] > 0, p["x"], 0) ** 2) + np.max(p["x"])
    right = np.where(X["x"] > 0, 2 * X["x"], 0) + (X["x"] == 3)
    assert check_gradients(relu, X, {"x": right})


def test_one_entry_of_many_that_loses_its_imaginary_part_is_found():
    x = np.linspace(0.5, 1.5, 200)
    f = lambda p: 1e4 * np.sum(p["x"][1:] ** 2) + 4e-4 * np.abs(p["x"][0])
    right = 2e4 * x
    right[0] = 4e-4
    with pytest.raises(InputError, match=r"the complex step cannot be used on this loss: for x\[0\] it says 0, but"):
        check_gradients(f, {"x": x}, {"x": right}, method="complex")


def test_a_loss_can_be_a_0d_array_but_no_other_array():
    assert check_gradients(lambda p: np.array(square(p)), X, DX)
    only_real = lambda p: square(p) if p["x"].dtype == float else p["x"]
    with pytest.raises(InputError, match="the loss is an array of shape"):
        check_gradients(only_real, X, DX)


def test_a_failed_check_of_a_pair_points_to_the_diagnosis():
    wrong = lambda dh, dc, cache, Wx, Wh: reference.lstm_step_backward(dh, 0 * dc, cache, Wx, Wh)
    check = check_step(reference.lstm_step, wrong)
    assert "minilstm.verify.diagnose(your_step_backward, your_step)" in " ".join(str(check).split())
    assert str(check_gradients(square, X, DX).rows[0]) == "x: right"


def test_check_model_accepts_only_models_and_batches():
    with pytest.raises(InputError, match="takes a LanguageModel and a Batch"):
        check_model(None, None)


def test_a_search_that_ends_at_a_right_entry_names_none(monkeypatch):
    wrong = 2 * X["x"] + np.array([0.1, 0, 0])
    monkeypatch.setattr(gradcheck, "_search", lambda *a: (1,))
    row = check_gradients(square, X, {"x": wrong}, method="projections").wrong[0]
    assert row.where is None and str(row).startswith("x: your gradient is")
