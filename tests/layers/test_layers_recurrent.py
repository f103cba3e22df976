"""Recurrent layers on whole sequences equal the oracle and a loop over cells.

With different lengths and initial states.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minilstm.layers import Workspace
from tests.helpers.numeric import assert_gradient
from tests.helpers.recurrent import EACH_CELL
from tests.helpers.strategies import sequences_T_B_D_H


def layer_of(cell, case):
    _, _, D, H = case.sizes
    return cell.layer(D, H)


def run(cell, case, lengths="own", workspace=None):
    """Forward and backward: h, (hT, cT), dx, (dh0, dc0), (dWx, dWh, db).

    A cell without c has (hT,) and (dh0,).
    """
    layer, lengths = layer_of(cell, case), case.lengths if isinstance(lengths, str) else lengths
    h, final, cache = layer.forward(case.params, case.x, state=case.state, lengths=lengths, workspace=workspace)
    dx, dstate, grads = layer.backward(case.params, case.dh, cache, dstate=case.dstate)
    assert tuple(grads) == cell.names
    return h, final, dx, dstate, tuple(grads.values())


def flat(results):
    return [array for part in results for array in (part if isinstance(part, tuple) else (part,))]


def assert_all_close(ours, oracles, tolerance=1e-12):
    for ours_array, oracle in zip(flat(ours), flat(oracles), strict=True):
        np.testing.assert_allclose(ours_array, oracle, rtol=tolerance, atol=tolerance)


def weighed(h, final, case):
    """The loss whose gradients backward gets, over all steps."""
    return np.sum(h * case.dh) + sum(np.sum(part * d) for part, d in zip(final, case.dstate, strict=True))


@EACH_CELL
@given(data=st.data())
def test_the_layer_equals_the_oracle_forward_and_backward(cell, data):
    case = data.draw(sequences_T_B_D_H(cell, shortest=0))
    h, final, dx, dstate, grads = run(cell, case)
    summed = [np.zeros_like(g) for g in grads]
    for s, n in enumerate(case.lengths):
        own = lambda parts: tuple(part[s] for part in parts)
        xs, state = case.x[:n, s], own(case.state)
        oracle_h, oracle_final = cell.naive_sequence(xs, state, case.weights)
        if n:
            np.testing.assert_allclose(h[:n, s], oracle_h, rtol=1e-12, atol=1e-14)
        oracle_dx, oracle_dstate, oracle_grads = cell.naive_sequence_backward(
            xs, state, case.weights, case.dh[:n, s], own(case.dstate)
        )
        assert_all_close((own(final), dx[:n, s], own(dstate)), (oracle_final, oracle_dx, oracle_dstate))
        for total, part in zip(summed, oracle_grads, strict=True):
            total += part
    assert_all_close(grads, summed)


@EACH_CELL
@given(data=st.data())
def test_the_layer_equals_cell_after_cell(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    state, caches, hs = case.state, [], []
    for x in case.x:
        state, cache = cell.step(x, state, case.weights)
        caches.append(cache)
        hs.append(state[0])
    dstate, dxs, grads = case.dstate, [], [0] * len(case.weights)
    for t in reversed(range(len(case.x))):
        dx, dstate, step_grads = cell.step_backward((dstate[0] + case.dh[t], *dstate[1:]), caches[t], case.weights)
        dxs.insert(0, dx)
        grads = [total + part for total, part in zip(grads, step_grads)]
    assert_all_close(run(cell, case, lengths=None), (np.array(hs), state, np.array(dxs), dstate, tuple(grads)))


@EACH_CELL
@given(data=st.data())
def test_every_gradient_is_the_derivative_of_the_loss(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    layer = layer_of(cell, case)
    real = (np.arange(len(case.x))[:, None] < case.lengths)[..., None]  # (T, B, 1)

    def loss():
        h, final, _ = layer.forward(case.params, case.x, state=case.state, lengths=case.lengths)
        return weighed(h * real, final, case)

    _, _, dx, dstate, grads = run(cell, case)
    assert_gradient(dx, loss, case.x, "x")
    for part, gradient, array in zip(cell.parts, dstate, case.state, strict=True):
        assert_gradient(gradient, loss, array, f"{part}0")
    for name, gradient in zip(cell.names, grads, strict=True):
        assert_gradient(gradient, loss, case.params[name], name)


@EACH_CELL
@given(data=st.data())
def test_a_complex_step_through_the_whole_layer_gives_the_gradient(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    *_, grads = run(cell, case, lengths=None)
    rng = np.random.default_rng(0)
    perturbed, ours, scale = case.astype(np.complex128), 0, 0
    for name, gradient in zip(cell.names, grads, strict=True):
        direction = rng.standard_normal(gradient.shape)
        perturbed.params[name][...] += 1e-200j * direction
        ours, scale = ours + np.sum(gradient * direction), scale + np.sum(np.abs(gradient * direction))
    h, final, _ = layer_of(cell, case).forward(perturbed.params, perturbed.x, state=perturbed.state)
    assert scale > 0
    assert abs(ours - weighed(h, final, case).imag / 1e-200) <= 1e-12 * scale


@EACH_CELL
@given(data=st.data())
def test_after_its_length_a_sequence_keeps_its_state(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    h, (hT, *_), dx, *_ = run(cell, case)
    for s, n in enumerate(case.lengths):
        assert (h[n:, s] == hT[s]).all() and (h[n - 1, s] == hT[s]).all()
        assert (dx[n:, s] == 0).all() and (dx[:n, s] != 0).any()


@EACH_CELL
@given(data=st.data())
def test_the_contents_of_padding_change_nothing(cell, data):
    case = data.draw(sequences_T_B_D_H(cell, shortest=0))
    padding = np.arange(len(case.x))[:, None] >= case.lengths
    before = run(cell, case)
    case.x[padding], case.dh[padding] = np.nan, np.nan
    for a, b in zip(flat(before), flat(run(cell, case)), strict=True):
        np.testing.assert_array_equal(a, b)


@EACH_CELL
@given(data=st.data())
def test_integers_are_one_hot_vectors(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    D, layer = case.sizes[2], layer_of(cell, case)
    ids = np.abs(case.x).sum(axis=2).astype(int) % D  # (T, B)
    h, final, _, dstate, grads = run(cell, case._replace(x=np.eye(D)[ids]))
    ours, our_final, cache = layer.forward(case.params, ids, state=case.state, lengths=case.lengths)
    dx, our_dstate, our_grads = layer.backward(case.params, case.dh, cache, dstate=case.dstate)
    assert dx is None and np.abs(our_grads["Wx"]).max() > 0
    assert_all_close((ours, our_final, our_dstate, tuple(our_grads.values())), (h, final, dstate, grads))


@EACH_CELL
@given(data=st.data())
def test_backward_twice_gives_the_same_gradients_and_changes_no_input(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    layer = layer_of(cell, case)
    inputs = (case.x, case.lengths, *case.state, *case.weights, case.dh, *case.dstate)
    kept = [a.copy() for a in inputs]
    _, _, cache = layer.forward(case.params, case.x, state=case.state, lengths=case.lengths)
    results = [layer.backward(case.params, case.dh, cache, dstate=case.dstate) for _ in range(2)]
    first, second = ((dx, *dstate, *grads.values()) for dx, dstate, grads in results)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.shares_memory(a, b)
    for before, after in zip(kept, inputs):
        np.testing.assert_array_equal(before, after)


@EACH_CELL
@given(data=st.data())
def test_float32_agrees_with_float64(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    for narrow, wide in zip(flat(run(cell, case.astype(np.float32))), flat(run(cell, case)), strict=True):
        assert narrow.dtype == np.float32
        np.testing.assert_allclose(narrow, wide, rtol=0, atol=3e-5 * max(1, np.abs(wide).max()))


@EACH_CELL
@given(data=st.data())
def test_a_workspace_changes_no_result(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    workspace = Workspace()
    for _ in range(2):
        for a, b in zip(flat(run(cell, case, workspace=workspace)), flat(run(cell, case)), strict=True):
            np.testing.assert_array_equal(a, b)


@EACH_CELL
@given(data=st.data())
def test_gradients_are_written_into_given_arrays_and_omitted_states_are_zero(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    layer = layer_of(cell, case)
    zeros = tuple(np.zeros_like(part) for part in case.state)
    _, _, dx, dstate, grads = run(cell, case._replace(state=zeros, dstate=zeros))
    places = {name: np.full_like(p, np.nan) for name, p in case.params.items()}
    _, _, cache = layer.forward(case.params, case.x, lengths=case.lengths)
    our_dx, our_dstate, given_back = layer.backward(case.params, case.dh, cache, grads=places)
    assert given_back is places
    assert_all_close((our_dx, our_dstate, tuple(places.values())), (dx, dstate, grads), tolerance=0)
