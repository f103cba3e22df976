"""Functions of the reference against the math module; complex and huge numbers."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.functions import log_sum_exp, sigmoid, softmax
from tests.helpers import naive

numbers = st.floats(-30, 30)


@given(numbers)
def test_sigmoid_is_its_definition(x):
    np.testing.assert_allclose(sigmoid(np.array(x)), naive.sigmoid(x), rtol=1e-12, atol=1e-15)


@given(st.lists(numbers, min_size=1, max_size=6))
def test_softmax_and_log_sum_exp_are_their_definitions(x):
    powers = [math.exp(v) for v in x]
    np.testing.assert_allclose(softmax(np.array(x)), [power / sum(powers) for power in powers], rtol=1e-12)
    np.testing.assert_allclose(log_sum_exp(np.array(x)), [math.log(sum(powers))], rtol=1e-12, atol=1e-12)


def test_nothing_overflows_and_the_dtype_is_kept():
    for dtype in (np.float32, np.float64, np.complex64, np.complex128):
        x = np.array([[-1e4, 0, 1e4]], dtype)
        for function in (sigmoid, log_sum_exp, softmax):
            y = function(x)
            assert y.dtype == dtype and np.isfinite(y).all()
        np.testing.assert_array_equal(softmax(x), [[0, 0, 1]])
        np.testing.assert_array_equal(log_sum_exp(x), [[1e4]])
        np.testing.assert_array_equal(sigmoid(x), [[0, 0.5, 1]])


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=5))
def test_the_derivative_is_in_the_imaginary_part(x):
    x = np.array(x)
    perturbed = x + 1e-200j * (np.arange(len(x)) == 0)
    s, p = sigmoid(x), softmax(x)
    np.testing.assert_allclose(sigmoid(perturbed).imag[0] / 1e-200, s[0] * (1 - s[0]), rtol=1e-12)
    np.testing.assert_allclose(log_sum_exp(perturbed).imag[0] / 1e-200, p[0], rtol=1e-12)
    np.testing.assert_allclose(softmax(perturbed).imag / 1e-200, p[0] * ((np.arange(len(x)) == 0) - p), rtol=1e-11, atol=1e-15)
