"""The compiled step against the step by the book, in every dtype, forward and backward."""

import numpy as np
import pytest
from hypothesis import given

from minilstm import cells, kernels
from tests.strategies import lstm_steps_B_D_H

TOLERANCE = {np.float32: 3e-6, np.float64: 1e-14, np.complex128: 1e-14}


def kernel_step(case, dtype):
    """Run the kernel forward and backward as a layer does."""
    x, h_prev, c_prev, Wx, Wh, b, dh, dc = (np.array(a, dtype) for a in case)
    z = x @ Wx
    c, tanh_c, h = (np.empty_like(c_prev) for _ in range(3))
    kernels.lstm.lstm_step(h_prev @ Wh, b, c_prev, z, c, tanh_c, h)
    dz = np.empty_like(z)
    kernels.lstm.lstm_step_backward(dh / 4, dh * 3 / 4, z, c_prev, tanh_c, dc, dz)
    return h, c, dz @ Wx.T, dz @ Wh.T, dc, x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)


def book_step(case, dtype):
    x, h_prev, c_prev, Wx, Wh, b, dh, dc = (a.astype(dtype) for a in case)
    h, c, cache = cells.lstm_step(x, h_prev, c_prev, Wx, Wh, b)
    dx, dh_prev, dc_prev, grads = cells.lstm_step_backward(dh, dc, cache, Wx, Wh)
    return h, c, dx, dh_prev, dc_prev, *grads


@pytest.mark.parametrize("dtype", TOLERANCE)
@given(case=lstm_steps_B_D_H())
def test_the_compiled_step_is_the_step_by_the_book(case, dtype):
    truth = book_step(case, np.complex128 if dtype == np.complex128 else np.float64)
    for ours, book in zip(kernel_step(case, dtype), truth):
        assert ours.dtype == dtype
        scale = max(1.0, np.abs(book).max())
        assert np.abs(book).max() > 0
        np.testing.assert_allclose(ours / scale, book / scale, rtol=0, atol=TOLERANCE[dtype])


def test_complex_steps_go_through_the_kernel():
    rng = np.random.default_rng(1)
    z, c_prev, b = rng.standard_normal((3, 8)), rng.standard_normal((3, 2)), rng.standard_normal(8)
    direction = rng.standard_normal(b.shape)

    def final(b):
        work = z.astype(b.dtype)
        c, tanh_c, h = (np.empty((3, 2), b.dtype) for _ in range(3))
        kernels.lstm.lstm_step(np.zeros_like(work), b, c_prev.astype(b.dtype), work, c, tanh_c, h)
        return h.sum() + c.sum()

    slope = final(b + 1e-200j * direction).imag / 1e-200
    numeric = (final(b + 1e-6 * direction) - final(b - 1e-6 * direction)) / 2e-6
    assert abs(slope) > 0.01
    assert slope == pytest.approx(numeric, rel=1e-8)
