"""The cells by the book: against the naive twin, and their backward against central differences."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.numeric import assert_gradient
from tests.recurrent import EACH_CELL
from tests.strategies import steps_B_D_H


def loss_of(cell, case):
    """The sum of what comes out, each weighed with its gradient."""
    state, _ = cell.step(case.x, case.state, case.weights)
    return sum(np.sum(out * d) for out, d in zip(state, case.dstate, strict=True))


def gradients_of(cell, case):
    """Of all inputs, by name."""
    _, cache = cell.step(case.x, case.state, case.weights)
    dx, dstate, grads = cell.step_backward(case.dstate, cache, case.weights)
    return dict(zip(case.inputs(cell), (dx, *dstate, *grads), strict=True))


@EACH_CELL
@given(st.data())
def test_a_step_is_the_naive_step(cell, data):
    case = data.draw(steps_B_D_H(cell))
    ours, _ = cell.step(case.x, case.state, case.weights)
    for row in range(len(case.x)):
        twins = cell.naive_step(case.x[row], [part[row] for part in case.state], case.weights)
        for part, twin in zip(ours, twins, strict=True):
            np.testing.assert_allclose(part[row], twin, rtol=1e-12, atol=1e-14)


@EACH_CELL
@given(st.data())
def test_backward_is_the_slope_of_forward(cell, data):
    case = data.draw(steps_B_D_H(cell))
    inputs = case.inputs(cell)
    for name, gradient in gradients_of(cell, case).items():
        assert_gradient(gradient, lambda: loss_of(cell, case), inputs[name], name)


@EACH_CELL
@given(st.data())
def test_backward_is_the_imaginary_part_of_a_complex_step(cell, data):
    case = data.draw(steps_B_D_H(cell))
    rng = np.random.default_rng(0)
    directions = [rng.standard_normal(w.shape) for w in case.weights]
    grads = list(gradients_of(cell, case).values())[-len(directions):]
    nudged = case._replace(weights=tuple(w + 1e-200j * v for w, v in zip(case.weights, directions)))
    slope = loss_of(cell, nudged).imag / 1e-200
    ours = sum(np.sum(g * v) for g, v in zip(grads, directions, strict=True))
    scale = sum(np.sum(np.abs(g * v)) for g, v in zip(grads, directions))
    assert scale > 0
    assert abs(ours - slope) <= 1e-12 * scale


@EACH_CELL
@given(st.data())
def test_backward_twice_gives_the_same_gradients_and_changes_nothing(cell, data):
    case = data.draw(steps_B_D_H(cell))
    _, cache = cell.step(case.x, case.state, case.weights)
    watched = (*cache, *case.dstate, *case.inputs(cell).values())
    kept = [a.copy() for a in watched]
    first, second = (cell.step_backward(case.dstate, cache, case.weights) for _ in range(2))
    for a, b in zip((first[0], *first[1], *first[2]), (second[0], *second[1], *second[2]), strict=True):
        np.testing.assert_array_equal(a, b)
    for before, after in zip(kept, watched):
        np.testing.assert_array_equal(before, after)
