"""Numerical derivatives by central differences, and the check of a gradient by them."""

import numpy as np

# near the fifth root of float64's epsilon: both errors of a fourth-order formula are
# near 1e-12
STEP = 1e-3
NOISE = 3e-12  # rounding error of a derivative that is zero


def numerical_derivative(loss, array):
    """dLoss/darray for a function without arguments.

    ``array`` is perturbed entry by entry, and restored. Each derivative takes four
    points: (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h. Its error is of
    order h⁴.
    """
    result = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        values = {}
        for k in (-2, -1, 1, 2):
            array[index] = kept + k * STEP
            values[k] = loss()
        array[index] = kept
        result[index] = (8 * (values[1] - values[-1]) - (values[2] - values[-2])) / (12 * STEP)
    return result


def assert_gradient(ours, loss, array, name="", tolerance=1e-6):
    """Asserts that our gradient is not zero and equals the numerical derivative.

    ``tolerance`` is relative to the largest entry.
    """
    numeric = numerical_derivative(loss, array)
    assert ours.shape == array.shape, name
    size = np.abs(numeric).max()
    assert size > 1e-9 and np.abs(ours).max() > 1e-9, f"the gradient of {name} is zero: the test would prove nothing"
    error = max(0, np.abs(ours - numeric).max() - NOISE) / size
    assert error <= tolerance, f"{name}: relative error {error:.1e}\nours\n{ours}\ncentral differences\n{numeric}"
