"""A dense layer: against the naive one, and its backward against complex steps."""

import numpy as np
import pytest

from minilstm.reference.dense import dense_backward, dense_forward
from tests.helpers import naive
from tests.reference.cells import assert_complex_step, close


@pytest.mark.parametrize("places", [(), (3,), (3, 2)])
def test_it_is_the_naive_one_and_backward_is_its_complex_step(places):
    rng = np.random.default_rng(0)
    arrays = {"x": rng.standard_normal((*places, 4)), "W": rng.standard_normal((4, 5)), "b": rng.standard_normal(5)}
    x, W, b = arrays.values()
    y, dy = dense_forward(x, W, b), rng.standard_normal((*places, 5))
    rows = [naive.dense(row.tolist(), W.tolist(), b.tolist()) for row in x.reshape(-1, 4)]
    close(y.reshape(-1, 5), np.array(rows))
    loss = lambda arrays: np.sum(dense_forward(*arrays.values()) * dy)
    assert_complex_step(loss, arrays, dict(zip(arrays, dense_backward(dy, x, W), strict=True)))


def test_the_dtype_stays():
    x, W = np.ones((2, 3, 4), np.float32), np.ones((4, 5), np.float32)
    y = dense_forward(x, W, W[0])
    assert all(a.dtype == np.float32 for a in (y, *dense_backward(y, x, W)))
