"""Additive attention: against plain Python on each source alone, and backward against complex steps."""

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.attention import attention_backward, attention_forward
from tests.helpers import naive_models
from tests.helpers.strategies import seeds, sizes
from tests.reference.cells import ROUNDING, assert_complex_step, close
from tests.reference.models import assert_same, lengths_B, spoilt, unchanged


class Case(NamedTuple):
    q: np.ndarray  # (B, H)
    a: np.ndarray  # (S, B, A)
    lengths: np.ndarray  # (B,)
    weights: dict  # Wq, Wa, b, v
    dcontext: np.ndarray  # (B, A)

    def rows(self, which):
        return self._replace(
            q=self.q[which], a=self.a[:, which], lengths=self.lengths[which], dcontext=self.dcontext[which]
        )


@st.composite
def sources_S_B_A(draw, lengths_fit=any):
    S, B, H, A, K = draw(st.integers(2, 5)), draw(sizes), draw(sizes), draw(sizes), draw(sizes)
    lengths = draw(lengths_B(S, B).filter(lengths_fit))
    normal = np.random.default_rng(draw(seeds)).standard_normal
    weights = {"Wq": normal((H, K)), "Wa": normal((A, K)), "b": normal(K), "v": normal(K)}
    return Case(normal((B, H)), normal((S, B, A)), lengths, weights, normal((B, A)))


def some_are_longer_than_one(lengths):
    """Where there is one step, its weight is 1 whatever its score, so that scores have no gradient."""
    return lengths.max() > 1


def run(case):
    """The context, weights p; dq, da, the gradients of the weights."""
    context, cache = attention_forward(case.q, case.a, case.lengths, **case.weights)
    dq, da, grads = attention_backward(case.dcontext, cache, *(case.weights[name] for name in ("Wq", "Wa", "v")))
    assert list(grads._fields) == list(case.weights)
    return context, cache.p, dq, da, grads


@given(sources_S_B_A())
def test_context_scores_and_weights_are_the_naive_ones_and_the_padding_has_none(case):
    context, cache = attention_forward(case.q, spoilt(case.a, case.lengths, np.nan), case.lengths, **case.weights)
    lists = [W.tolist() for W in case.weights.values()]
    for b, n in enumerate(case.lengths):
        oracle = naive_models.attention(case.q[b].tolist(), case.a[:n, b].tolist(), *lists)
        close((context[b], cache.e[b, :n], cache.p[b, :n]), oracle)
        assert (cache.p[b, n:] == 0).all() and (cache.e[b, n:] == -np.inf).all()
    np.testing.assert_allclose(cache.p.sum(axis=1), 1, rtol=1e-14)


@given(sources_S_B_A(some_are_longer_than_one))
def test_backward_is_the_complex_step_of_forward(case):
    _, _, dq, da, grads = run(case)
    arrays = {"q": case.q, "a": case.a, **case.weights}

    def loss(arrays):
        q, a, *weights = arrays.values()
        return np.sum(attention_forward(q, a, case.lengths, *weights)[0] * case.dcontext)

    assert_complex_step(loss, arrays, dict(zip(arrays, (dq, da, *grads), strict=True)), ROUNDING)


@given(sources_S_B_A(some_are_longer_than_one))
def test_what_stands_at_the_padding_does_not_matter_forward_or_backward(case):
    context, p, dq, da, grads = run(case)
    assert_same((context, p, dq, da, grads), run(case._replace(a=spoilt(case.a, case.lengths, np.nan))))
    parts = []
    for b, n in enumerate(case.lengths):
        one = case.rows([b])
        context_b, p_b, dq_b, da_b, grads_b = run(one._replace(a=one.a[:n]))
        close((context[b], p[b, :n], da[:n, b]), (context_b[0], p_b[0], da_b[:, 0]))
        np.testing.assert_allclose(dq[b], dq_b[0], rtol=1e-11, atol=1e-13)
        assert (da[n:, b] == 0).all()
        parts.append(grads_b)
    for ours, alone in zip(grads, (sum(part) for part in zip(*parts)), strict=True):
        np.testing.assert_allclose(ours, alone, rtol=1e-11, atol=1e-13)
        assert np.abs(ours).max() > 0


def test_equal_scores_give_the_mean_of_the_real_annotations():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4, 2, 3))
    context, cache = attention_forward(np.ones((2, 1)), a, [4, 2], np.ones((1, 2)), np.ones((3, 2)), np.ones(2), np.zeros(2))
    np.testing.assert_allclose(cache.p, [[0.25] * 4, [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(context, [a[:, 0].mean(axis=0), a[:2, 1].mean(axis=0)])


@given(sources_S_B_A(lambda lengths: lengths.max() == 1))
def test_of_one_step_the_context_is_that_step_and_its_score_has_no_gradient(case):
    context, p, dq, da, grads = run(case)
    np.testing.assert_array_equal(context, case.a[0])
    np.testing.assert_array_equal(da[0], case.dcontext)
    assert all((g == 0).all() for g in (dq, da[1:], *grads))


def test_scores_of_any_size_give_finite_weights():
    a = np.array([[[1.0]], [[-1.0]]])
    _, cache = attention_forward(np.zeros((1, 1)), a, [2], np.ones((1, 1)), np.array([[9.0]]), np.zeros(1), np.array([1e4]))
    assert cache.p.tolist() == [[1, 0]]


def test_backward_twice_gives_the_same_and_changes_nothing_and_the_dtype_stays():
    for dtype in (np.float32, np.complex64):
        normal = lambda *shape: np.random.default_rng(0).standard_normal(shape).astype(dtype)
        q, a, Wq, Wa, b, v = normal(2, 3), normal(4, 2, 2), normal(3, 3), normal(2, 3), normal(3), normal(3)
        context, cache = attention_forward(q, a, [4, 2], Wq, Wa, b, v)
        watched = unchanged([cache, context])
        (dq, da, grads), again = (attention_backward(context, cache, Wq, Wa, v) for _ in range(2))
        assert_same((dq, da, grads), again)
        for now, before in watched:
            np.testing.assert_array_equal(now, before)
        assert all(x.dtype == dtype for x in (context, *cache, dq, da, *grads))
