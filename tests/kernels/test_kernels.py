"""The compiled steps against the reference steps, in every dtype, both directions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import kernels
from tests.helpers.recurrent import CELLS, EACH_CELL
from tests.helpers.strategies import StepCase, random_params, steps_B_D_H

TOLERANCE = {np.float32: 3e-6, np.float64: 1e-14, np.complex128: 1e-14}


def cast(case, dtype):
    """Copies in another dtype, which a kernel may change."""
    as_dtype = lambda arrays: tuple(np.array(a, dtype) for a in arrays)
    return StepCase(np.array(case.x, dtype), *map(as_dtype, case[1:]))


def lstm_kernel(case):
    """Forward and backward of a layer: h, c, dx, dh_prev, dc_prev, dWx, dWh, db."""
    x, (h_prev, c_prev), (Wx, Wh, b), (dh, dc) = case
    z = x @ Wx
    c, tanh_c, h = (np.empty_like(c_prev) for _ in range(3))
    kernels.lstm.lstm_step(h_prev @ Wh, b, c_prev, z, c, tanh_c, h)
    dz, db = np.empty_like(z), np.zeros_like(b)
    kernels.lstm.lstm_step_backward(dh / 4, dh * 3 / 4, z, c_prev, tanh_c, dc, dz, db)
    return h, c, dz @ Wx.T, dz @ Wh.T, dc, x.T @ dz, h_prev.T @ dz, db


def gru_kernel(case):
    """h, dx, dh_prev, dWx, dWh, dbx, dbh."""
    x, (h_prev,), (Wx, Wh, bx, bh), (dh,) = case
    a = x @ Wx
    q, h = np.empty_like(h_prev), np.empty_like(h_prev)
    kernels.gru.gru_step(h_prev @ Wh, bx, bh, h_prev, a, q, h)
    dax, dah, past_the_gates = np.empty_like(a), np.empty_like(a), dh * 3 / 4
    dbx, dbh = np.zeros_like(bx), np.zeros_like(bh)
    kernels.gru.gru_step_backward(dh / 4, a, h_prev, q, past_the_gates, dax, dah, dbx, dbh)
    dh_prev = past_the_gates + dah @ Wh.T
    return h, dax @ Wx.T, dh_prev, x.T @ dax, h_prev.T @ dah, dbx, dbh


def rnn_kernel(case):
    """h, dx, dh_prev, dWx, dWh, db."""
    x, (h_prev,), (Wx, Wh, b), (dh,) = case
    h = x @ Wx
    kernels.rnn.rnn_step(h_prev @ Wh, b, h)
    da, db = np.empty_like(h), np.zeros_like(b)
    kernels.rnn.rnn_step_backward(dh / 4, dh * 3 / 4, h, da, db)
    return h, da @ Wx.T, da @ Wh.T, x.T @ da, h_prev.T @ da, db


KERNELS = {"lstm": lstm_kernel, "gru": gru_kernel, "rnn": rnn_kernel}


def reference_step(cell, case):
    state, cache = cell.step(case.x, case.state, case.weights)
    dx, dstate, grads = cell.step_backward(case.dstate, cache, case.weights)
    return *state, dx, *dstate, *grads


@EACH_CELL
@pytest.mark.parametrize("dtype", TOLERANCE)
@given(data=st.data())
def test_the_compiled_step_equals_the_reference_step(cell, dtype, data):
    case = data.draw(steps_B_D_H(cell))
    truth = reference_step(cell, cast(case, np.complex128 if dtype == np.complex128 else np.float64))
    for ours, expected in zip(KERNELS[cell.name](cast(case, dtype)), truth, strict=True):
        assert ours.dtype == dtype
        scale = max(1.0, np.abs(expected).max())
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(ours / scale, expected / scale, rtol=0, atol=TOLERANCE[dtype])


@EACH_CELL
def test_complex_steps_work_through_the_kernels(cell):
    rng = np.random.default_rng(1)
    x, state = rng.standard_normal((3, 5)), tuple(rng.standard_normal((3, 2)) for _ in cell.parts)
    weights = random_params(rng, cell, 5, 2)
    for name in cell.biases:
        direction = rng.standard_normal(weights[name].shape)

        def final(b):
            case = StepCase(x, state, tuple({**weights, name: b}.values()), state)
            return sum(part.sum() for part in KERNELS[cell.name](cast(case, b.dtype))[: len(cell.parts)])

        derivative = final(weights[name] + 1e-200j * direction).imag / 1e-200
        numeric = (final(weights[name] + 1e-6 * direction) - final(weights[name] - 1e-6 * direction)) / 2e-6
        assert abs(derivative) > 0.01
        assert derivative == pytest.approx(numeric, rel=1e-8)


def test_there_is_a_kernel_for_every_cell():
    assert KERNELS.keys() == CELLS.keys()
