import math

import numpy as np
import pytest

from minilstm.functions import log_sum_exp, sigmoid, softmax


@pytest.mark.parametrize("x", [-700.0, -3.0, -0.0, 0.0, 1e-300, 2.5, 700.0])
def test_sigmoid_is_the_textbook_formula(x):
    assert sigmoid(np.array(x)) == pytest.approx(1 / (1 + math.exp(-x)), rel=1e-14, abs=1e-16)


def test_sigmoid_never_overflows_and_keeps_nan():
    assert sigmoid(np.array([-np.inf, -1e308, 1e308, np.inf])).tolist() == [0, 0, 1, 1]
    assert np.isnan(sigmoid(np.array(np.nan)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_dtypes_are_kept(dtype):
    x = np.array([[0.5, -1.0]], dtype)
    assert sigmoid(x).dtype == softmax(x).dtype == log_sum_exp(x).dtype == dtype


@pytest.mark.parametrize("function", [sigmoid, softmax, log_sum_exp])
def test_imaginary_parts_carry_the_slopes(function):
    x, direction = np.array([0.3, -1.2, 2.0]), np.array([1.0, -0.5, 0.25])
    slope = function(x + 1e-200j * direction).imag / 1e-200
    numeric = (function(x + 1e-6 * direction) - function(x - 1e-6 * direction)) / 2e-6
    assert np.abs(slope).max() > 0.01
    np.testing.assert_allclose(slope, numeric, rtol=1e-8)


def test_softmax_is_stable_for_any_finite_logits():
    p = softmax(np.array([[8e307, 0.0, -8e307], [-8e307, -8e307, -8e307]]))
    np.testing.assert_allclose(p, [[1, 0, 0], [1 / 3] * 3])


def test_softmax_does_not_see_a_constant_shift():
    x = np.array([0.1, 2.0, -3.0])
    np.testing.assert_allclose(softmax(x), softmax(x + 1000), rtol=1e-12)
