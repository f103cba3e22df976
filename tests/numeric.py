"""Slopes by central differences, and the comparison with ours that every gradient test uses."""

import numpy as np

STEP = 6e-6  # near the cube root of float64's epsilon, where truncation and rounding errors balance


def slopes(loss, array):
    """dLoss/darray for a function without arguments; ``array`` is changed entry by entry, and put back."""
    result = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + STEP
        above = loss()
        array[index] = kept - STEP
        below = loss()
        array[index] = kept
        result[index] = (above - below) / (2 * STEP)
    return result


def assert_gradient(ours, loss, array, name="", tolerance=1e-6):
    """Our gradient is not zero, and equals the slopes to a relative error (of the largest entry) of ``tolerance``."""
    numeric = slopes(loss, array)
    assert ours.shape == array.shape, name
    size = np.abs(numeric).max()
    assert size > 1e-9 and np.abs(ours).max() > 1e-9, f"the gradient of {name} is zero: the test would prove nothing"
    error = np.abs(ours - numeric).max() / size
    assert error <= tolerance, f"{name}: relative error {error:.1e}\nours\n{ours}\ncentral differences\n{numeric}"
