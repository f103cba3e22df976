"""Softmax cross-entropy: by the book, fused and compiled, and the naive twin, all the same."""

import math

import numpy as np
import pytest
from hypothesis import given

from minilstm import InputError, kernels, losses
from minilstm.layers import Workspace
from minilstm.losses import output_loss, softmax_cross_entropy, softmax_cross_entropy_backward
from tests import naive
from tests.numeric import assert_gradient
from tests.strategies import logits_and_targets_N_V


def fused(logits, targets):
    """The fused loss with an output layer that hands the logits through; dh is then dlogits."""
    V = logits.shape[1]
    params = {"W": np.eye(V).astype(logits.dtype), "b": np.zeros(V, logits.dtype)}
    return output_loss(params, logits, targets, grads={name: np.empty_like(p) for name, p in params.items()})


@given(logits_and_targets_N_V())
def test_book_kernel_and_naive_twin_agree(case):
    logits, targets = case
    twins = [naive.cross_entropy(list(row), y) for row, y in zip(logits, targets)]
    twin_loss = sum(loss for loss, _ in twins) / len(twins)
    twin_gradient = np.array([gradient for _, gradient in twins]) / len(twins)
    loss, cache = softmax_cross_entropy(logits, targets)
    fused_loss, dlogits = fused(logits, targets)
    assert loss == pytest.approx(twin_loss, rel=1e-13) and fused_loss == pytest.approx(twin_loss, rel=1e-13)
    assert np.abs(twin_gradient).max() > 0
    np.testing.assert_allclose(softmax_cross_entropy_backward(cache), twin_gradient, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(dlogits, twin_gradient, rtol=1e-12, atol=1e-15)


@given(logits_and_targets_N_V())
def test_the_gradient_is_the_slope_of_the_loss(case):
    logits, targets = case
    _, cache = softmax_cross_entropy(logits, targets)
    assert_gradient(softmax_cross_entropy_backward(cache), lambda: softmax_cross_entropy(logits, targets)[0], logits)


@given(logits_and_targets_N_V())
def test_every_gradient_of_output_layer_and_loss_in_any_chunks(case):
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


@given(logits_and_targets_N_V(scale=1.0))
def test_a_complex_step_gives_the_gradient_by_the_book_and_compiled(case):
    logits, targets = case
    direction = np.random.default_rng(0).standard_normal(logits.shape)
    _, dlogits = fused(logits, targets)
    expected = np.sum(dlogits * direction)
    scale = np.sum(np.abs(dlogits * direction))
    assert scale > 0
    nudged = logits + 1e-200j * direction
    for loss in (softmax_cross_entropy(nudged, targets)[0], fused(nudged, targets)[0]):
        assert abs(loss.imag / 1e-200 - expected) <= 1e-12 * scale


def test_a_bit_is_a_choice_of_two_a_nat_a_choice_of_e():
    assert losses.bits(math.log(2)) == 1 and losses.bits(1) == pytest.approx(math.log2(math.e))


def test_padding_takes_no_part():
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
    row_losses = np.empty(4, dtype)
    kernels.softmax.softmax_cross_entropy(targets, logits.copy(), row_losses)
    np.testing.assert_allclose(row_losses, expected, rtol=1e-6)
    book = [softmax_cross_entropy(logits[n : n + 1], targets[n : n + 1])[0] for n in range(4)]
    np.testing.assert_allclose(book, expected, rtol=1e-6)


def test_a_likely_wrong_answer_costs_as_much_as_it_must():
    loss, _ = softmax_cross_entropy(np.array([[0.0, 1e300]]), np.array([0]))
    assert loss == 1e300


def test_float32_follows_float64():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(0, 5, (50, 84)), rng.integers(0, 84, 50)
    loss, dlogits = fused(logits, targets)
    narrow_loss, narrow = fused(logits.astype(np.float32), targets)
    assert narrow_loss == pytest.approx(loss, rel=1e-6) and narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, dlogits, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    "logits, targets, lengths, words",
    [
        (np.zeros((2, 3)), [0, 3], None, r"targets must be at least 0 and below 3, but targets\[1\] is 3"),
        (np.zeros((2, 3)), [0, -1], None, r"targets\[1\] is -1"),
        (np.zeros((2, 3)), [0.5, 1.0], None, "targets must be integers"),
        (np.zeros((2, 3)), [0], None, r"targets must have the shape \(2,\), as the logits have, not \(1,\)"),
        (np.zeros((2, 4, 3)), [[0] * 4] * 3, None, r"targets must have the shape \(2, 4\), as the logits have, not \(3, 4\)"),
        (np.zeros((2, 1, 3)), [[0], [0]], [0], "at least one real token"),
    ],
)
def test_wrong_input_is_named(logits, targets, lengths, words):
    with pytest.raises(InputError, match=words):
        softmax_cross_entropy(logits, targets, lengths)


def test_the_fused_loss_names_wrong_input_too():
    params = {"W": np.zeros((2, 3)), "b": np.zeros(3)}
    for h, targets, words in [
        (np.zeros((2, 2)), [0, 3], "below 3"),
        (np.zeros((2, 2)), [0], "h has 2 rows for 1 targets"),
        (np.zeros((1, 2)), [0, 1, 2], "h has 1 rows for 3 targets"),
        (np.zeros((0, 2)), np.zeros(0, int), "at least one"),
        (np.zeros((2, 2), np.float32), [0, 1], "h must have the dtype float64"),
    ]:
        with pytest.raises(InputError, match=words):
            output_loss(params, h, targets)


class Spy(Workspace):
    """Writes down which arrays are asked for."""

    def __init__(self):
        super().__init__()
        self.asked = {}

    def empty(self, name, shape, dtype):
        self.asked.setdefault(name, []).append(shape)
        return super().empty(name, shape, dtype)


@pytest.mark.parametrize("chunk, rows", [(10, [2, 2, 1]), (14, [2, 2, 1]), (15, [3, 2]), (4, [1] * 5), (10**6, [5])])
def test_no_more_logits_are_held_than_a_chunk(monkeypatch, chunk, rows):
    monkeypatch.setattr(losses, "CHUNK", chunk)
    params = {"W": np.ones((3, 5)), "b": np.zeros(5)}
    spy = Spy()
    loss, _ = output_loss(params, np.ones((5, 3)), np.arange(5), None, spy)
    assert spy.asked["logits"] == [(n, 5) for n in rows] and loss == pytest.approx(math.log(5))


def test_a_chunk_is_what_the_comment_says():
    assert losses.CHUNK // 10_000 == 320 and losses.CHUNK % 10_000 == 0


def test_a_perplexity_is_the_number_of_equally_likely_tokens_and_never_overflows():
    assert losses.perplexity(math.log(8)) == pytest.approx(8) and losses.perplexity(0.0) == 1
    assert losses.perplexity(1e6) == math.inf == losses.perplexity(math.inf)
