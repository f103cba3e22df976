"""Pooling: against plain Python on each sequence alone; backward by complex steps, and for the maximum by differences, too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.pooling import WEIGHTS, pool_backward, pool_forward
from tests.helpers import naive_models
from tests.helpers.numeric import assert_gradient
from tests.helpers.strategies import seeds, sizes
from tests.reference.cells import assert_complex_step, close
from tests.reference.models import assert_same, lengths_B, spoilt

EACH_KIND = pytest.mark.parametrize("kind", WEIGHTS)


@st.composite
def states_T_B_H(draw, shortest=0):
    T, B, H = draw(sizes), draw(sizes), draw(sizes)
    lengths = draw(lengths_B(T, B, shortest).filter(any))
    rng = np.random.default_rng(draw(seeds))
    return rng.standard_normal((T, B, H)), lengths, rng.standard_normal((B, H))


@EACH_KIND
@given(states_T_B_H())
def test_it_pools_what_is_real_and_no_sequence_at_all_gives_zeros(kind, case):
    h, lengths, dy = case
    y, w = pool_forward(spoilt(h, lengths, np.nan), lengths, kind)
    dh = pool_backward(dy, w)
    for b, n in enumerate(lengths):
        if n == 0:
            assert (y[b] == 0).all() and (dh[:, b] == 0).all()
        else:
            close([y[b]], [naive_models.pool(h[:n, b].tolist(), kind)])
            alone, w_alone = pool_forward(h[:n, b : b + 1], [n], kind)
            close([alone[0], dh[:n, b]], [y[b], pool_backward(dy[b : b + 1], w_alone)[:, 0]])
        assert (dh[n:, b] == 0).all()


@EACH_KIND
@given(states_T_B_H())
def test_backward_is_the_complex_step_of_forward(kind, case):
    h, lengths, dy = case
    dh = pool_backward(dy, pool_forward(h, lengths, kind)[1])
    assert_complex_step(lambda arrays: np.sum(pool_forward(arrays["h"], lengths, kind)[0] * dy), {"h": h}, {"h": dh})


@given(states_T_B_H(), st.randoms(use_true_random=False))
def test_backward_of_the_maximum_is_its_numerical_derivative(case, random):
    h, lengths, dy = case
    ranks = list(range(h.size))
    random.shuffle(ranks)
    h = np.array(ranks, float).reshape(h.shape)  # far enough from each other for a difference
    dh = pool_backward(dy, pool_forward(h, lengths, "max")[1])
    assert_gradient(dh, lambda: np.sum(pool_forward(h, lengths, "max")[0] * dy), h)


def test_at_a_tie_the_gradient_goes_to_the_first_maximum():
    h = np.array([1.0, 3.0, 3.0, 3.0])[:, None, None]
    y, w = pool_forward(h, [4], "max")
    assert y == 3 and pool_backward(np.array([[5.0]]), w)[:, 0, 0].tolist() == [0, 5, 0, 0]


def test_a_maximum_below_zero_is_not_the_paddings_zero():
    h = np.array([-2.0, -1.0, 0.0])[:, None, None]
    assert pool_forward(h, [2], "max")[0] == -1


def test_the_last_step_is_not_the_last_padded_one():
    h = np.arange(8.0).reshape(4, 2, 1)
    assert pool_forward(h, [2, 4])[0].tolist() == [[2.0], [7.0]]


@EACH_KIND
def test_the_dtype_stays_and_backward_twice_gives_the_same(kind):
    for dtype in (np.float32, np.complex64):
        h = np.random.default_rng(0).standard_normal((3, 2, 2)).astype(dtype)
        y, w = pool_forward(h, np.array([3, 2]), kind)
        kept, dh = w.copy(), pool_backward(y, w)
        assert y.dtype == dh.dtype == dtype
        assert_same([dh, w], [pool_backward(y, w), kept])
