"""One step of each cell of the reference, against the oracle and complex steps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minilstm import reference
from tests.helpers.strategies import steps_B_D_H
from tests.reference.cells import EACH_CELL, assert_complex_step, close


def backward(cell, case):
    """The gradients of all inputs, by name."""
    _, cache = cell.step(case.x, case.state, case.weights)
    dx, dstate, grads = cell.step_backward(case.dstate, cache, case.weights)
    return dict(zip(case.inputs(cell), (dx, *dstate, *grads), strict=True))


@EACH_CELL
@given(data=st.data())
def test_a_time_step_equals_the_oracle_forward_and_backward(cell, data):
    case = data.draw(steps_B_D_H(cell))
    state, _ = cell.step(case.x, case.state, case.weights)
    dx, *rest = backward(cell, case).values()
    n = len(cell.parts)
    summed = [np.zeros_like(w) for w in case.weights]
    for s in range(len(case.x)):
        row = lambda arrays: tuple(a[s] for a in arrays)
        close(row(state), cell.naive_step(case.x[s], row(case.state), case.weights))
        no_output = np.zeros((1, case.state[0].shape[1]))
        oracle_dx, oracle_dstate, parts = cell.naive_sequence_backward(
            case.x[s : s + 1], row(case.state), case.weights, no_output, row(case.dstate)
        )
        close((dx[s], *row(rest[:n])), (oracle_dx[0], *oracle_dstate))
        summed = [total + part for total, part in zip(summed, parts, strict=True)]
    close(rest[n:], summed)


@EACH_CELL
@given(data=st.data())
def test_backward_equals_the_complex_step_of_forward(cell, data):
    case = data.draw(steps_B_D_H(cell))
    n = len(cell.parts)

    def loss(arrays):
        x, *rest = arrays.values()
        state, _ = cell.step(x, rest[:n], rest[n:])
        return sum(np.sum(part * d) for part, d in zip(state, case.dstate, strict=True))

    assert_complex_step(loss, case.inputs(cell), backward(cell, case))


@EACH_CELL
@given(data=st.data())
def test_backward_twice_gives_the_same_and_changes_nothing(cell, data):
    case = data.draw(steps_B_D_H(cell))
    _, cache = cell.step(case.x, case.state, case.weights)
    watched = (*cache, *case.dstate, *case.inputs(cell).values())
    kept = [a.copy() for a in watched]
    (dx, dstate, grads), again = (cell.step_backward(case.dstate, cache, case.weights) for _ in range(2))
    for a, b in zip((dx, *dstate, *grads), (again[0], *again[1], *again[2]), strict=True):
        np.testing.assert_array_equal(a, b)
    for before, after in zip(kept, watched):
        np.testing.assert_array_equal(before, after)


@EACH_CELL
@given(data=st.data())
def test_the_engines_cells_compute_the_same(cell, data):
    case = data.draw(steps_B_D_H(cell))
    *theirs, _ = getattr(reference, f"{cell.name}_step")(case.x, *case.state, *case.weights)
    for a, b in zip(cell.step(case.x, case.state, case.weights)[0], theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@EACH_CELL
def test_the_dtype_is_kept(cell):
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.complex64):
        weights = [rng.standard_normal(shape).astype(dtype) for shape in cell.shapes(3, 2).values()]
        x, state = np.ones((2, 3), dtype), [np.ones((2, 2), dtype) for _ in cell.parts]
        new, cache = cell.step(x, state, weights)
        dx, dstate, grads = cell.step_backward(new, cache, weights)
        assert all(a.dtype == dtype for a in (*new, dx, *dstate, *grads))
