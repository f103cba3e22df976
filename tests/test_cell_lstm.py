"""The cell by the book: against the naive twin, and its backward against central differences."""

import numpy as np
from hypothesis import given

from minilstm.cells import lstm_step, lstm_step_backward
from tests import naive
from tests.numeric import assert_gradient
from tests.strategies import lstm_steps_B_D_H


@given(lstm_steps_B_D_H())
def test_a_step_is_the_naive_step(case):
    h, c, _ = lstm_step(*case[:6])
    for row in range(len(case.x)):
        twin_h, twin_c, _ = naive.lstm_step(
            case.x[row], case.h_prev[row], case.c_prev[row], case.Wx, case.Wh, case.b
        )
        np.testing.assert_allclose(h[row], twin_h, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(c[row], twin_c, rtol=1e-12, atol=1e-14)


@given(lstm_steps_B_D_H())
def test_backward_is_the_slope_of_forward(case):
    def loss():
        h, c, _ = lstm_step(*case[:6])
        return np.sum(h * case.dh) + np.sum(c * case.dc)

    _, _, cache = lstm_step(*case[:6])
    dx, dh_prev, dc_prev, grads = lstm_step_backward(case.dh, case.dc, cache, case.Wx, case.Wh)
    ours = {"x": dx, "h_prev": dh_prev, "c_prev": dc_prev, "Wx": grads.Wx, "Wh": grads.Wh, "b": grads.b}
    for name, gradient in ours.items():
        assert_gradient(gradient, loss, getattr(case, name), name)


@given(lstm_steps_B_D_H())
def test_backward_is_the_imaginary_part_of_a_complex_step(case):
    _, _, cache = lstm_step(*case[:6])
    _, _, _, grads = lstm_step_backward(case.dh, case.dc, cache, case.Wx, case.Wh)
    direction = np.random.default_rng(0).standard_normal(case.Wh.shape)
    h, c, _ = lstm_step(case.x, case.h_prev, case.c_prev, case.Wx, case.Wh + 1e-200j * direction, case.b)
    slope = (np.sum(h * case.dh) + np.sum(c * case.dc)).imag / 1e-200
    scale = np.sum(np.abs(grads.Wh * direction))
    assert scale > 0
    assert abs(np.sum(grads.Wh * direction) - slope) <= 1e-12 * scale


@given(lstm_steps_B_D_H())
def test_backward_twice_gives_the_same_gradients_and_changes_nothing(case):
    _, _, cache = lstm_step(*case[:6])
    kept = [a.copy() for a in (*cache, case.dh, case.dc)]
    first = lstm_step_backward(case.dh, case.dc, cache, case.Wx, case.Wh)
    second = lstm_step_backward(case.dh, case.dc, cache, case.Wx, case.Wh)
    for a, b in zip((*first[:3], *first[3]), (*second[:3], *second[3])):
        np.testing.assert_array_equal(a, b)
    for before, after in zip(kept, (*cache, case.dh, case.dc)):
        np.testing.assert_array_equal(before, after)
