"""Softmax cross-entropy: the reference, the fused and compiled form, and the oracle."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import InputError, kernels
from minilstm.kernels.softmax import ACCUMULATORS
from minilstm.layers import Workspace, losses
from minilstm.layers.losses import output_loss
from minilstm.reference.loss import softmax_cross_entropy, softmax_cross_entropy_backward
from tests.helpers import naive
from tests.helpers.numeric import assert_gradient
from tests.helpers.strategies import logits_and_targets_N_V


def fused(logits, targets):
    """The fused loss with an identity output layer, so that dh is dlogits."""
    V = logits.shape[1]
    params = {"W": np.eye(V).astype(logits.dtype), "b": np.zeros(V, logits.dtype)}
    return output_loss(params, logits, targets, grads={name: np.empty_like(p) for name, p in params.items()})


def by_kernels(logits, b, targets, scale=1.0):
    """Losses of the rows, da, and what is added to a db of ones.

    Asserts that both kernels give the same losses bit for bit.
    """
    losses_alone, row_losses, partials = (np.full(n, np.nan, logits.dtype) for n in (len(targets), len(targets), ACCUMULATORS))
    kernels.softmax.softmax_cross_entropy(targets, b, logits.copy(), partials, losses_alone)
    da, db = logits.copy(), np.ones_like(b)
    kernels.softmax.softmax_cross_entropy_backward(targets, b, logits.dtype.type(scale), da, partials, row_losses, db)
    np.testing.assert_array_equal(losses_alone, row_losses)
    return row_losses, da, db - 1


@given(logits_and_targets_N_V())
def test_reference_kernel_and_oracle_agree(case):
    logits, targets = case
    oracles = [naive.cross_entropy(list(row), y) for row, y in zip(logits, targets)]
    oracle_loss = sum(loss for loss, _ in oracles) / len(oracles)
    oracle_gradient = np.array([gradient for _, gradient in oracles]) / len(oracles)
    loss, cache = softmax_cross_entropy(logits, targets)
    fused_loss, dlogits = fused(logits, targets)
    assert loss == pytest.approx(oracle_loss, rel=1e-13) and fused_loss == pytest.approx(oracle_loss, rel=1e-13)
    assert np.abs(oracle_gradient).max() > 0
    np.testing.assert_allclose(softmax_cross_entropy_backward(cache), oracle_gradient, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(dlogits, oracle_gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 3e-6), (np.float64, 1e-14), (np.complex128, 1e-14)])
@given(data=st.data())
def test_the_kernels_equal_the_reference_for_rows_of_any_length(dtype, tolerance, data):
    V = data.draw(st.integers(1, 3 * ACCUMULATORS + 2))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    logits, b, targets = rng.normal(0, 3, (3, V)).astype(dtype), rng.normal(0, 2, V).astype(dtype), rng.integers(0, V, 3)
    if dtype == np.complex128:
        logits, b = logits + 0.1j * rng.standard_normal((3, V)), b + 0.1j * rng.standard_normal(V)
    row_losses, da, db = by_kernels(logits, b, targets, 0.25)
    wide = np.result_type(dtype, np.float64)
    rows = [softmax_cross_entropy(row[None].astype(wide) + b, np.array([y])) for row, y in zip(logits, targets)]
    gradient = np.concatenate([softmax_cross_entropy_backward(cache, 0.25) for _, cache in rows])
    assert row_losses.dtype == da.dtype == dtype
    np.testing.assert_allclose(row_losses, [loss for loss, _ in rows], rtol=tolerance, atol=3 * tolerance)
    np.testing.assert_allclose(da, gradient, rtol=0, atol=tolerance)
    np.testing.assert_allclose(db, gradient.sum(axis=0), rtol=0, atol=tolerance)


@pytest.mark.parametrize("V", [1, 2, ACCUMULATORS, 2 * ACCUMULATORS + 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_nan_in_a_row_makes_only_the_loss_of_that_row_nan(V, dtype):
    for place in range(V):
        for target in {0, place, V - 1}:
            logits, targets = np.zeros((3, V), dtype), np.array([target] * 3)
            logits[1, place] = np.nan
            row_losses, da, _ = by_kernels(logits, np.zeros(V, dtype), targets)
            assert np.isnan(row_losses).tolist() == [False, True, False]
            assert np.isnan(da[1]).all() and np.isfinite(da[[0, 2]]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_logit_of_minus_infinity_has_probability_zero_and_infinity_gives_nan(dtype):
    logits = np.array([[0, -np.inf, 0], [0, np.inf, 0]], dtype)
    with np.errstate(invalid="ignore"):
        row_losses, da, _ = by_kernels(logits, np.zeros(3, dtype), np.array([0, 0]))
    assert row_losses[0] == pytest.approx(math.log(2), rel=1e-6) and np.isnan(row_losses[1])
    np.testing.assert_allclose(da[0], [-0.5, 0, 0.5], rtol=1e-6)


def test_partial_accumulators_round_less_than_one_sum():
    logits = np.random.default_rng(0).normal(0, 3, (20, 10_000)).astype(np.float32)
    targets = np.arange(20)
    row_losses, _, _ = by_kernels(logits, np.zeros(10_000, np.float32), targets)
    truth = [softmax_cross_entropy(row[None].astype(np.float64), np.array([y]))[0] for row, y in zip(logits, targets)]
    np.testing.assert_allclose(row_losses, truth, rtol=2e-7)


@given(logits_and_targets_N_V())
def test_the_gradient_is_the_derivative_of_the_loss(case):
    logits, targets = case
    _, cache = softmax_cross_entropy(logits, targets)
    assert_gradient(softmax_cross_entropy_backward(cache), lambda: softmax_cross_entropy(logits, targets)[0], logits)


@given(logits_and_targets_N_V())
def test_every_gradient_of_output_layer_and_loss_is_right_for_any_chunks(case):
    logits, targets = case
    rng = np.random.default_rng(3)
    params = {"W": rng.standard_normal((2, logits.shape[1])), "b": rng.standard_normal(logits.shape[1])}
    h = rng.standard_normal((len(targets), 2))
    chunk, losses.CHUNK = losses.CHUNK, 2 * logits.shape[1]  # two rows at a time
    try:
        grads = {name: np.full_like(p, np.nan) for name, p in params.items()}
        loss, dh = output_loss(params, h, targets, grads)
        dh = dh.copy()
        loss_of = lambda: output_loss(params, h, targets)[0]
        assert_gradient(dh, loss_of, h, "h")
        assert_gradient(grads["W"], loss_of, params["W"], "W")
        assert_gradient(grads["b"], loss_of, params["b"], "b")
    finally:
        losses.CHUNK = chunk
    assert loss == pytest.approx(softmax_cross_entropy(h @ params["W"] + params["b"], targets)[0], rel=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chunks_do_not_change_gradients_of_a_tied_matrix_or_of_strided_rows(dtype, monkeypatch):
    rng = np.random.default_rng(0)
    H, V, N = 3, 40, 11
    W, h, targets = rng.standard_normal((H, V)).astype(dtype), rng.standard_normal((N, H)).astype(dtype), rng.integers(0, V, N)
    b, results = rng.standard_normal(V).astype(dtype), []
    larger = np.full((N, 2 * H), np.nan, dtype)
    larger[:, :H] = h
    for tied in (False, True):
        for rows in (N, 4, 1):
            monkeypatch.setattr(losses, "CHUNK", rows * V)
            params = {"W": np.ascontiguousarray(W.T).T if tied else W, "b": b}
            grads = {"W": np.empty((V, H), dtype).T if tied else np.empty((H, V), dtype), "b": np.empty(V, dtype)}
            for array in grads.values():
                array[...] = np.nan
            loss, dh = output_loss(params, larger[:, :H] if tied else h, targets, grads)
            results.append((loss, dh, grads["W"], grads["b"]))
    assert np.abs(results[0][2]).max() > 0.01
    for result in results[1:]:
        for ours, first in zip(result, results[0]):
            np.testing.assert_allclose(ours, first, rtol=0, atol=1e-6 if dtype == np.float32 else 1e-15)


@given(logits_and_targets_N_V(scale=1.0))
def test_a_complex_step_gives_the_gradient_of_reference_and_kernel(case):
    logits, targets = case
    direction = np.random.default_rng(0).standard_normal(logits.shape)
    _, dlogits = fused(logits, targets)
    expected = np.sum(dlogits * direction)
    scale = np.sum(np.abs(dlogits * direction))
    assert scale > 0
    perturbed = logits + 1e-200j * direction
    for loss in (softmax_cross_entropy(perturbed, targets)[0], fused(perturbed, targets)[0]):
        assert abs(loss.imag / 1e-200 - expected) <= 1e-12 * scale


def test_ln_2_nats_are_one_bit():
    assert losses.bits(math.log(2)) == 1 and losses.bits(1) == pytest.approx(math.log2(math.e))


def test_padding_does_not_count():
    rng = np.random.default_rng(0)
    logits, targets, lengths = rng.standard_normal((4, 3, 5)), rng.integers(0, 5, (4, 3)), np.array([4, 1, 2])
    real = np.arange(4)[:, None] < lengths
    loss, cache = softmax_cross_entropy(logits, targets, lengths)
    gradient = softmax_cross_entropy_backward(cache)
    assert loss == pytest.approx(softmax_cross_entropy(logits[real], targets[real])[0], rel=1e-14)
    assert (gradient[~real] == 0).all() and (gradient[real] != 0).all()
    logits[~real], targets[~real] = 1e9, 0
    assert softmax_cross_entropy(logits, targets, lengths)[0] == loss


@pytest.mark.parametrize("V", [2, 84, 10_000])
def test_the_loss_of_uniform_logits_is_log_V(V):
    targets = np.arange(6) % V
    for dtype in (np.float32, np.float64):
        params = {"W": np.zeros((3, V), dtype), "b": np.zeros(V, dtype)}
        assert output_loss(params, np.ones((6, 3), dtype), targets)[0] == pytest.approx(math.log(V), rel=1e-6)
        assert softmax_cross_entropy(np.zeros((6, V), dtype), targets)[0] == pytest.approx(math.log(V), rel=1e-6)


@pytest.mark.parametrize("dtype, huge", [(np.float32, 1e38), (np.float64, 8e307)])
def test_any_finite_logits_give_the_right_loss(dtype, huge):
    targets = np.array([0, 1, 0, 2])
    logits = np.array([[huge, -huge, 0], [-huge, -huge, -huge], [huge, huge, huge], [0, 50, 200]], dtype)
    expected = np.array([0, math.log(3), math.log(3), 0])
    row_losses, _, _ = by_kernels(logits, np.zeros(3, dtype), targets)
    np.testing.assert_allclose(row_losses, expected, rtol=1e-6)
    reference_losses = [softmax_cross_entropy(logits[n : n + 1], targets[n : n + 1])[0] for n in range(4)]
    np.testing.assert_allclose(reference_losses, expected, rtol=1e-6)


def test_a_confident_wrong_prediction_has_the_right_loss():
    loss, _ = softmax_cross_entropy(np.array([[0.0, 1e300]]), np.array([0]))
    assert loss == 1e300


def test_float32_agrees_with_float64():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(0, 5, (50, 84)), rng.integers(0, 84, 50)
    loss, dlogits = fused(logits, targets)
    narrow_loss, narrow = fused(logits.astype(np.float32), targets)
    assert narrow_loss == pytest.approx(loss, rel=1e-6) and narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, dlogits, rtol=0, atol=1e-7)


def test_wrong_input_is_named():
    params = {"W": np.zeros((2, 3)), "b": np.zeros(3)}
    for h, targets, words in [
        (np.zeros((2, 2)), [0, 3], r"targets must be at least 0 and below 3, but targets\[1\] is 3"),
        (np.zeros((2, 2)), [0, -1], r"targets\[1\] is -1"),
        (np.zeros((2, 2)), [0.5, 1.0], "targets must be integers"),
        (np.zeros((2, 2)), [0], "h has 2 rows for 1 targets"),
        (np.zeros((1, 2)), [0, 1, 2], "h has 1 rows for 3 targets"),
        (np.zeros((0, 2)), np.zeros(0, int), "at least one"),
        (np.zeros((2, 2), np.float32), [0, 1], "h must have the dtype float64"),
    ]:
        with pytest.raises(InputError, match=words):
            output_loss(params, h, targets)


class Spy(Workspace):
    """Records which arrays are requested."""

    def __init__(self):
        super().__init__()
        self.asked = {}

    def empty(self, name, shape, dtype):
        self.asked.setdefault(name, []).append(shape)
        return super().empty(name, shape, dtype)


@pytest.mark.parametrize(
    "chunk, rows", [(10, [2, 2, 1]), (14, [2, 2, 1]), (15, [3, 2]), (4, [1] * 5), (20, [3, 2]), (10**6, [5])]
)
def test_only_one_chunk_of_logits_is_in_memory_and_chunks_are_even(monkeypatch, chunk, rows):
    monkeypatch.setattr(losses, "CHUNK", chunk)
    params = {"W": np.ones((3, 5)), "b": np.zeros(5)}
    spy = Spy()
    loss, _ = output_loss(params, np.ones((5, 3)), np.arange(5), None, spy)
    assert spy.asked["logits"] == [(n, 5) for n in rows] and loss == pytest.approx(math.log(5))


def test_the_chunk_size_is_the_documented_one():
    assert losses.CHUNK // 10_000 == 400 and losses.CHUNK % 10_000 == 0


def test_a_perplexity_is_the_number_of_equally_likely_tokens_and_never_overflows():
    assert losses.perplexity(math.log(8)) == pytest.approx(8) and losses.perplexity(0.0) == 1
    assert losses.perplexity(1e6) == math.inf == losses.perplexity(math.inf)
    assert losses.perplexity(20.0) == math.exp(20) and losses.perplexity(699.0) == pytest.approx(math.exp(699))
