"""A cell of the reference through time, against oracle, complex steps and engine."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.strategies import sequences_T_B_D_H
from tests.reference.cells import CLOSE, EACH_CELL, assert_complex_step, close


def run(cell, case):
    """h, the final state; dx, the gradients of the initial state and of the weights."""
    h, final, cache = cell.sequence(case.x, case.state, case.weights, case.lengths)
    return h, final, *cell.sequence_backward(case.dh, case.dstate, cache, case.weights)


@EACH_CELL
@given(data=st.data())
def test_a_sequence_equals_the_oracle_up_to_its_length(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    h, final, dx, dstate, grads = run(cell, case)
    summed = [np.zeros_like(w) for w in case.weights]
    for b, n in enumerate(case.lengths):
        own = lambda arrays: tuple(a[b] for a in arrays)
        oracle_h, oracle_final = cell.naive_sequence(case.x[:n, b], own(case.state), case.weights)
        oracle_dx, oracle_dstate, parts = cell.naive_sequence_backward(
            case.x[:n, b], own(case.state), case.weights, case.dh[:n, b], own(case.dstate)
        )
        close((h[:n, b], *own(final), dx[:n, b], *own(dstate)), (oracle_h, *oracle_final, oracle_dx, *oracle_dstate))
        assert (h[n:, b] == h[n - 1, b]).all() and (dx[n:, b] == 0).all()
        summed = [total + part for total, part in zip(summed, parts, strict=True)]
    close(grads, summed)


@EACH_CELL
@given(data=st.data())
def test_backward_equals_the_complex_step_of_forward(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    names, n = [f"{part}0" for part in cell.parts], len(cell.parts)
    arrays = {"x": case.x, **dict(zip(names, case.state)), **case.params}
    real = np.arange(len(case.x))[:, None, None] < case.lengths[:, None]  # (T, B, 1)

    def loss(arrays):
        x, *rest = arrays.values()
        h, final, _ = cell.sequence(x, tuple(rest[:n]), rest[n:], case.lengths)
        return np.sum(h * case.dh * real) + sum(np.sum(part * d) for part, d in zip(final, case.dstate))

    _, _, dx, dstate, grads = run(cell, case)
    assert_complex_step(loss, arrays, dict(zip(arrays, (dx, *dstate, *grads), strict=True)))


@EACH_CELL
@given(data=st.data())
def test_the_engines_layer_computes_the_same(cell, data):
    case = data.draw(sequences_T_B_D_H(cell, shortest=0))
    _, _, D, H = case.sizes
    layer = cell.layer(D, H)
    h, final, cache = layer.forward(case.params, case.x, case.state, case.lengths)
    dx, dstate, grads = layer.backward(case.params, case.dh, cache, case.dstate)
    ours_h, ours_final, ours_dx, ours_dstate, ours_grads = run(cell, case)
    ours = (ours_h, *ours_final, ours_dx, *ours_dstate, *ours_grads)
    for a, b in zip(ours, (h, *final, dx, *dstate, *grads.values()), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)
    assert np.abs(ours_dstate[0]).max() > 0


@EACH_CELL
def test_without_lengths_all_steps_are_real(cell):
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape) for shape in cell.shapes(3, 2).values()]
    x, state = rng.standard_normal((4, 2, 3)), tuple(rng.standard_normal((2, 2)) for _ in cell.parts)
    h, final, cache = cell.sequence(x, state, weights)
    for a, b in zip((h, *final), (lambda h, final, _: (h, *final))(*cell.sequence(x, state, weights, [4, 4]))):
        np.testing.assert_array_equal(a, b)
    first, second = (cell.sequence_backward(h, final, cache, weights) for _ in range(2))
    for a, b in zip((first[0], *first[1], *first[2]), (second[0], *second[1], *second[2]), strict=True):
        np.testing.assert_array_equal(a, b)


@EACH_CELL
def test_the_dtype_is_kept(cell):
    weights = [np.ones(shape, np.float32) for shape in cell.shapes(3, 2).values()]
    x, state = np.ones((4, 2, 3), np.float32), tuple(np.ones((2, 2), np.float32) for _ in cell.parts)
    h, final, cache = cell.sequence(x, state, weights, [4, 1])
    dx, dstate, grads = cell.sequence_backward(h, final, cache, weights)
    assert all(a.dtype == np.float32 for a in (h, *final, dx, *dstate, *grads))
