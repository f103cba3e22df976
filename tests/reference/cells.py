"""Shared by the tests of the reference: its three cells, and the complex step.

The complex step gives a derivative as an imaginary part: f'(x) = Im f(x + iε) / ε. It
is exact to all digits, since nothing is subtracted (Squire and Trapp 1998).
"""

import numpy as np
import pytest

from minilstm import reference
from tests.helpers import recurrent

EPSILON = 1e-200
CLOSE = dict(rtol=1e-12, atol=1e-13)


class ReferenceCell(recurrent.Cell):
    """A cell of the reference; layer and oracle are those of the engine's cell."""

    def function(self, name):
        return getattr(reference, f"{self.name}_{name}")

    def step(self, x, state, weights):
        *state, cache = self.function("step")(x, *state, *weights)
        return tuple(state), cache

    def step_backward(self, dstate, cache, weights):
        dx, *dstate, grads = self.function("step_backward")(*dstate, cache, *weights[:2])
        assert grads._fields == self.names
        return dx, tuple(dstate), tuple(grads)

    def sequence(self, x, state, weights, lengths=None):
        return reference.sequence_forward(self.function("step"), x, state, *weights, lengths=lengths)

    def sequence_backward(self, dh, dstate, cache, weights):
        dx, dstate, grads = reference.sequence_backward(
            self.function("step_backward"), dh, dstate, cache, *weights[:2]
        )
        assert grads._fields == self.names
        return dx, dstate, tuple(grads)


CELLS = {name: ReferenceCell(*cell) for name, cell in recurrent.CELLS.items()}
EACH_CELL = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


def close(ours, theirs):
    """Asserts that the arrays are equal pair by pair, and none is all zeros."""
    for a, b in zip(ours, theirs, strict=True):
        assert np.abs(b).max() > 0, "zeros prove nothing"
        np.testing.assert_allclose(a, b, **CLOSE)


ROUNDING = 1e-15  # what rounding leaves of a sum whose terms cancel, in parts of its terms


def assert_complex_step(loss, arrays, gradients, rounding=0.0):
    """Asserts that every gradient is the derivative of ``loss(arrays)``, and not zero.

    The tolerance is 1e-12 of the largest entry, and ``rounding`` times the largest entry of
    all gradients. The latter is for random sizes, where a whole gradient may nearly cancel.
    """
    assert gradients.keys() == arrays.keys()
    noise = rounding * max(np.abs(g).max() for g in gradients.values())
    for name, array in arrays.items():
        derivative = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            perturbed = array.astype(complex)
            perturbed[index] += 1j * EPSILON
            derivative[index] = loss(arrays | {name: perturbed}).imag / EPSILON
        largest = np.abs(derivative).max()
        assert largest > 0 and np.abs(gradients[name]).max() > 0, f"the gradient of {name} is zero: that proves nothing"
        assert gradients[name].shape == array.shape, name
        np.testing.assert_allclose(gradients[name], derivative, rtol=0, atol=1e-12 * largest + noise, err_msg=name)
