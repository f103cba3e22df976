"""Tests of the tests for GRU and RNN: every mistake makes a property fail.

The mistakes are in the cell, the kernel or the layer's loop. ``python -m pytest
tests/layers/test_mistakes_cells.py -s`` prints the table.
"""

import pytest

import minilstm.layers.gru
import minilstm.layers.rnn
from minilstm import kernels, reference
from minilstm.layers import GRU, RNN
from minilstm.verify.diagnose.variant import Mistake, variant
from tests.helpers.recurrent import CELLS
from tests.layers import test_properties
from tests.verify.test_mistakes import NOT_COMPILED, fails

OF_A_STEP = [
    test_properties.test_a_complex_step_through_a_time_step_of_any_cell_equals_its_backward,
    test_properties.test_a_time_step_equals_the_oracle_forward_and_backward,
    test_properties.test_step_backward_gives_the_same_twice_and_changes_nothing,
]
OF_THE_ENGINE = [
    test_properties.test_a_complex_step_through_a_sequence_of_any_cell_equals_its_backward,
    test_properties.test_layer_and_reference_equal_the_oracle,
    test_properties.test_with_lengths_every_sequence_is_as_if_it_were_alone,
]
STEP, BACK = "gru_step", "gru_step_backward"
GRU_MISTAKES = [
    # the cell
    (reference, STEP, "n = np.tanh(axn + r * q)", "n = np.tanh(axn + q)"),  # no reset
    (reference, STEP, "n = np.tanh(axn + r * q)", "n = np.tanh(axn + z * q)"),  # the wrong gate
    (reference, STEP, "n = np.tanh(axn + r * q)", "n = np.tanh(r * (axn + q))"),  # the input is reset, too
    (reference, STEP, "r * q)", "((r * h_prev) @ Wh + bh)[:, -r.shape[1]:])"),  # r before the product instead of after
    (reference, STEP, "r * q)", "r * (q - bh[-q.shape[1]:]) + bh[-q.shape[1]:])"),  # bh_n outside the reset gate
    (reference, STEP, "h = (1 - z) * n + z * h_prev", "h = z * n + (1 - z) * h_prev"),  # the update gate is inverted
    (reference, STEP, "axr, axz, axn = np.split", "axz, axr, axn = np.split"),  # blocks in the order z, r, n on one side
    (reference, STEP, "ahr, ahz, q = np.split", "ahr, q, ahz = np.split"),
    (reference, STEP, "x @ Wx + bx ", "x @ Wx "),
    (reference, STEP, "h_prev @ Wh + bh ", "h_prev @ Wh "),
    (reference, STEP, "h_prev @ Wh + bh ", "h_prev @ Wh + bx "),
    (reference, STEP, "z = sigmoid(axz + ahz)", "z = sigmoid(axz)"),
    (reference, STEP, "n = np.tanh(", "n = sigmoid("),
    (reference, BACK, "dn = dh * (1 - z)", "dn = dh * z"),
    (reference, BACK, "dz = dh * (h_prev - n)", "dz = dh * (n - h_prev)"),
    (reference, BACK, "dz = dh * (h_prev - n)", "dz = dh * h_prev"),
    (reference, BACK, "dan = dn * (1 - n**2)", "dan = dn"),
    (reference, BACK, "dan = dn * (1 - n**2)", "dan = dn * (1 - n)"),
    (reference, BACK, "dr = dan * q", "dr = dan * h_prev"),
    (reference, BACK, "dq = dan * r", "dq = dan"),
    (reference, BACK, "daz = dz * z * (1 - z)", "daz = dz"),
    (reference, BACK, "dar = dr * r * (1 - r)", "dar = dr * r"),
    (reference, BACK, "dax = np.concatenate([dar, daz, dan]", "dax = np.concatenate([daz, dar, dan]"),
    (reference, BACK, "dah = np.concatenate([dar, daz, dq]", "dah = np.concatenate([dar, daz, dan]"),
    (reference, BACK, "dx = dax @ Wx.T", "dx = dah @ Wx.T"),
    (reference, BACK, "dh_prev = dh * z + dah @ Wh.T", "dh_prev = dah @ Wh.T"),  # the direct recurrent gradient is dropped
    (reference, BACK, "dh_prev = dh * z + dah @ Wh.T", "dh_prev = dh * z + dax @ Wh.T"),
    (reference, BACK, "dWh = h_prev.T @ dah", "dWh = h_prev.T @ dax"),
    (reference, BACK, "dbx = dax.sum(axis=0)", "dbx = dah.sum(axis=0)"),  # the wrong one of both biases
    (reference, BACK, "dbh = dah.sum(axis=0)", "dbh = dax.sum(axis=0)"),
    (reference, BACK, "dbh = dah.sum(axis=0)", "dbh = dah.mean(axis=0)"),
    (reference, BACK, "dn = dh * (1 - z)", "n *= 0.5; dn = dh * (1 - z)"),  # backward changes the cache
    # the kernel
    (kernels.gru, STEP, "+ ah[row, j] + bh[j]", "+ ah[row, j]"),
    (kernels.gru, STEP, "q[row, j] = ah[row, 2 * H + j] + bh[2 * H + j]", "q[row, j] = ah[row, 2 * H + j]"),
    (kernels.gru, STEP, "bx[2 * H + j] + r[j] * q[row, j]", "bx[2 * H + j] + q[row, j]"),
    (kernels.gru, STEP, "(1 - z[j]) * n[j] + z[j] * h_prev[row, j]", "(1 - r[j]) * n[j] + r[j] * h_prev[row, j]"),
    (kernels.gru, BACK, "dh[row, j] += dh_out[row, j]", "dh[row, j] = dh_out[row, j]"),
    (kernels.gru, BACK, "(1 - n[j] * n[j])", "(1 - n[j])"),
    (kernels.gru, BACK, "(h_prev[row, j] - n[j])", "h_prev[row, j]"),
    (kernels.gru, BACK, "dan[j] * q[row, j] * r[j] * (1 - r[j])", "dan[j] * q[row, j] * (1 - r[j])"),
    (kernels.gru, BACK, "dq[j] = dan[j] * r[j]", "dq[j] = dan[j]"),
    (kernels.gru, BACK, "dah[row, j] = dax[row, j]", "dah[row, j] = 0"),
    (kernels.gru, BACK, "dh[row, j] *= z[j]", "dh[row, j] *= 1 - z[j]"),
    (kernels.gru, BACK, "dh[row, j] *= z[j]", "dh[row, j] = 0"),
    # the loops over time
    (kernels.gru, "gru_steps", "multiply_packed(h[before], Wh", "multiply_packed(h[:n], Wh"),
    (kernels.gru, "gru_steps_backward", "multiply_packed(dah[rows]", "multiply_packed(dax[rows]"),
    (kernels.gru, "gru_steps_backward", "dh[r, j] += through_gates[r, j]", "dh[r, j] = through_gates[r, j]"),
    # the layer
    (GRU, "forward_packed", "packing.sort(state[0])", "state[0]"),
    (minilstm.layers.gru, "loop_over_time", "bx, bh, h[before]", "bh, bx, h[before]"),
    (minilstm.layers.gru, "loop_over_time", "np.matmul(h[before], Wh,", "np.matmul(h[:n], Wh,"),
    (GRU, "forward_packed", "(packing.last(h),)", "(h[-B:],)"),
    (GRU, "backward_packed", "packing.sort(dstate[0])", "0 * dstate[0]"),
    (GRU, "backward_packed", "packing.sort(dstate[0])", "dstate[0]"),
    (minilstm.layers.gru, "loop_backward", "dh_next[:n] += np.matmul(dah[rows]", "dh_next[:n] = np.matmul(dah[rows]"),
    (minilstm.layers.gru, "loop_backward", "dh_next[:n] += np.matmul(dah[rows]", "dh_next[:n] += np.matmul(dax[rows]"),
    (GRU, "backward_packed", "np.matmul(packing.before(h).T, dah", "np.matmul(packing.before(h).T, dax"),
    (GRU, "backward_packed", "np.matmul(packing.before(h).T, dah", "np.matmul(h[B:].T, dah"),
    (minilstm.layers.gru, "loop_backward", "dah[rows], dbx, dbh", "dah[rows], dbh, dbx"),
    (GRU, "backward_packed", "dax, dah, dbx, dbh", "dax, dah, dbh, dbx"),
    (GRU, "backward_packed", "dbx[...], dbh[...] = 0, 0", "dbx[...], dbh[...] = 0, 1"),
    (GRU, "backward_packed", "project_backward(x, Wx, dax", "project_backward(x, Wx, dah"),
    (GRU, "backward_packed", "packing.unsort(dh_next)", "dh_next"),
]
STEP, BACK = "rnn_step", "rnn_step_backward"
RNN_MISTAKES = [
    (reference, STEP, "x @ Wx + h_prev @ Wh + b", "x @ Wx + h_prev @ Wh"),
    (reference, STEP, "h_prev @ Wh", "h_prev @ Wh.T"),
    (reference, STEP, "np.tanh(", "np.sinh("),
    (reference, BACK, "da = dh * (1 - h**2)", "da = dh"),
    (reference, BACK, "da = dh * (1 - h**2)", "da = dh * (1 - h_prev**2)"),
    (reference, BACK, "da = dh * (1 - h**2)", "da = dh * (1 + h**2)"),
    (reference, BACK, "da = dh * (1 - h**2)", "dh *= 1 - h**2; da = dh"),  # an argument is changed
    (reference, BACK, "dh_prev = da @ Wh.T", "dh_prev = da @ Wh"),
    (reference, BACK, "dh_prev = da @ Wh.T", "dh_prev = dh @ Wh.T"),
    (reference, BACK, "dWh = h_prev.T @ da", "dWh = h.T @ da"),
    (reference, BACK, "dWh = h_prev.T @ da", "dWh = da.T @ h_prev"),
    (reference, BACK, "db = da.sum(axis=0)", "db = dh.sum(axis=0)"),
    (kernels.rnn, STEP, "ah[r, j] + b[j]", "ah[r, j]"),
    (kernels.rnn, BACK, "dh_out[r, j] + dh_next[r, j]", "dh_out[r, j]"),
    (kernels.rnn, BACK, "(1 - h[r, j] * h[r, j])", "(1 - h[r, j])"),
    (kernels.rnn, "rnn_steps", "multiply_packed(h[before]", "multiply_packed(h[now]"),
    (kernels.rnn, "rnn_steps_backward", "multiply_packed(da[rows]", "multiply_packed(da[:n]"),
    (RNN, "forward_packed", "packing.sort(state[0])", "0"),
    (minilstm.layers.rnn, "loop_over_time", "np.matmul(h[before], Wh,", "np.matmul(h[now], Wh,"),
    (RNN, "backward_packed", "packing.sort(dstate[0])", "0 * dstate[0]"),
    (minilstm.layers.rnn, "loop_backward", "np.matmul(da[rows], Wh.T, out=dh_next[:n])", "dh_next[:n] = 0"),
    (RNN, "backward_packed", "np.matmul(packing.before(h).T", "np.matmul(h[packing.B:].T"),
    (RNN, "backward_packed", "packing.unsort(dh_next)", "dh_next"),
]


@pytest.mark.thorough
@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_the_properties_hold_for_the_correct_code(cell):
    assert not any(fails(test, CELLS[cell]) for test in (*OF_A_STEP, *OF_THE_ENGINE))


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("cell, rows", [("gru", GRU_MISTAKES), ("rnn", RNN_MISTAKES)])
def test_every_mistake_makes_a_property_fail(cell, rows, monkeypatch):
    print(f"\n{'where':<20}{'wrong':<66}properties that fail")
    assert len(rows) == len(set(rows)) >= {"gru": 25, "rnn": 10}[cell]
    for home, name, right, wrong in rows:
        ours, tests = getattr(home, name), OF_A_STEP if home is reference else OF_THE_ENGINE
        mistake = Mistake(wrong, getattr(ours, "py_func", ours), right, wrong, "", "")
        with monkeypatch.context() as patch:
            patch.setattr(home, name, variant(mistake.function, [mistake], kernel=NOT_COMPILED))
            failing = [number for number, test in enumerate(tests, start=1) if fails(test, CELLS[cell])]
        print(f"{name:<20}{wrong:<66}{', '.join(map(str, failing))}")
        assert failing, f"{wrong} in {name}: no property fails"
