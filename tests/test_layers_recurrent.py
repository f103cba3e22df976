"""The LSTM over whole sequences: naive twin = cell after cell = layer, with different lengths and initial states."""

import numpy as np
import pytest
from hypothesis import given

import minilstm
from minilstm import InputError, cells
from minilstm.layers import LSTM, Workspace
from tests import naive
from tests.numeric import assert_gradient
from tests.strategies import lstm_sequences_T_B_D_H


def run(case, lengths="own", workspace=None):
    """Forward and backward; everything that comes out, flat: h, hT, cT, dx, dh0, dc0, dWx, dWh, db."""
    T, B, D, H = case.sizes
    layer, lengths = LSTM(D, H), case.lengths if isinstance(lengths, str) else lengths
    h, final, cache = layer.forward(case.params, case.x, state=case.state, lengths=lengths, workspace=workspace)
    dx, dstate, grads = layer.backward(case.params, case.dh, cache, dstate=case.dstate)
    return h, *final, dx, *dstate, *grads.values()


def assert_all_close(ours, twins, tolerance=1e-12):
    for ours_array, twin in zip(ours, twins, strict=True):
        np.testing.assert_allclose(ours_array, twin, rtol=tolerance, atol=tolerance)


@given(lstm_sequences_T_B_D_H(shortest=0))
def test_the_layer_is_the_naive_twin_forward_and_backward(case):
    T, B, D, H = case.sizes
    h, hT, cT, dx, dh0, dc0, *grads = run(case)
    p = case.params
    summed = [np.zeros_like(g) for g in grads]
    for s, n in enumerate(case.lengths):
        xs, h0, c0 = case.x[:n, s], case.state[0][s], case.state[1][s]
        twin_h, twin_hT, twin_cT = naive.lstm_sequence(xs, h0, c0, *p.values())
        if n:
            np.testing.assert_allclose(h[:n, s], twin_h, rtol=1e-12, atol=1e-14)
        assert_all_close((hT[s], cT[s]), (twin_hT, twin_cT))
        back = naive.lstm_sequence_backward(
            xs, h0, c0, *p.values(), case.dh[:n, s], case.dstate[0][s], case.dstate[1][s]
        )
        assert_all_close((dx[:n, s], dh0[s], dc0[s]), (np.reshape(back[0], (n, D)), *back[1:3]))
        for total, part in zip(summed, back[3:]):
            total += part
    assert_all_close(grads, summed)


@given(lstm_sequences_T_B_D_H())
def test_the_layer_is_cell_after_cell(case):
    T, B, D, H = case.sizes
    h, c = case.state
    caches, hs, (Wx, Wh, b) = [], [], case.params.values()
    for x in case.x:
        h, c, cache = cells.lstm_step(x, h, c, Wx, Wh, b)
        caches.append(cache)
        hs.append(h)
    dh, dc = case.dstate
    dxs, dWx, dWh, db = [], 0, 0, 0
    for t in reversed(range(T)):
        dx, dh, dc, grads = cells.lstm_step_backward(dh + case.dh[t], dc, caches[t], Wx, Wh)
        dxs.insert(0, dx)
        dWx, dWh, db = dWx + grads.Wx, dWh + grads.Wh, db + grads.b
    assert_all_close(run(case, lengths=None), (hs, h, c, dxs, dh, dc, dWx, dWh, db))


@given(lstm_sequences_T_B_D_H())
def test_every_gradient_is_the_slope_of_the_loss(case):
    T, B, D, H = case.sizes
    layer = LSTM(D, H)
    real = np.arange(T)[:, None] < case.lengths  # (T, B)

    def loss():
        h, (hT, cT), _ = layer.forward(case.params, case.x, state=case.state, lengths=case.lengths)
        return np.sum((h * case.dh)[real]) + np.sum(hT * case.dstate[0]) + np.sum(cT * case.dstate[1])

    _, _, _, dx, dh0, dc0, dWx, dWh, db = run(case)
    assert_gradient(dx, loss, case.x, "x")
    assert_gradient(dh0, loss, case.state[0], "h0")
    assert_gradient(dc0, loss, case.state[1], "c0")
    for name, gradient in zip(("Wx", "Wh", "b"), (dWx, dWh, db)):
        assert_gradient(gradient, loss, case.params[name], name)


@given(lstm_sequences_T_B_D_H())
def test_a_complex_step_through_the_whole_layer_gives_the_gradient(case):
    T, B, D, H = case.sizes
    *_, dWh, _ = run(case, lengths=None)
    direction = np.random.default_rng(0).standard_normal(dWh.shape)
    nudged = case.astype(np.complex128)
    nudged.params["Wh"][...] += 1e-200j * direction
    h, (hT, cT), _ = LSTM(D, H).forward(nudged.params, nudged.x, state=nudged.state)
    slope = (np.sum(h * case.dh) + np.sum(hT * case.dstate[0]) + np.sum(cT * case.dstate[1])).imag / 1e-200
    scale = np.sum(np.abs(dWh * direction))
    assert scale > 0
    assert abs(np.sum(dWh * direction) - slope) <= 1e-12 * scale


@given(lstm_sequences_T_B_D_H())
def test_past_its_length_a_sequence_stands_still(case):
    h, hT, cT, dx, *_ = run(case)
    for s, n in enumerate(case.lengths):
        assert (h[n:, s] == hT[s]).all() and (h[n - 1, s] == hT[s]).all()
        assert (dx[n:, s] == 0).all() and (dx[:n, s] != 0).any()


@given(lstm_sequences_T_B_D_H(shortest=0))
def test_what_stands_in_the_padding_changes_nothing(case):
    T = case.sizes[0]
    padding = np.arange(T)[:, None] >= case.lengths
    before = run(case)
    case.x[padding], case.dh[padding] = np.nan, np.nan
    for a, b in zip(before, run(case)):
        np.testing.assert_array_equal(a, b)


@given(lstm_sequences_T_B_D_H())
def test_integers_are_one_hot_vectors(case):
    T, B, D, H = case.sizes
    ids = np.abs(case.x).sum(axis=2).astype(int) % D  # (T, B)
    h, *_, dWx, dWh, db = run(case._replace(x=np.eye(D)[ids]))
    layer = LSTM(D, H)
    ours, _, cache = layer.forward(case.params, ids, state=case.state, lengths=case.lengths)
    dx, _, grads = layer.backward(case.params, case.dh, cache, dstate=case.dstate)
    assert dx is None and np.abs(grads["Wx"]).max() > 0
    assert_all_close((ours, *grads.values()), (h, dWx, dWh, db))


@given(lstm_sequences_T_B_D_H())
def test_backward_twice_gives_the_same_gradients_and_changes_no_input(case):
    T, B, D, H = case.sizes
    layer = LSTM(D, H)
    inputs = (case.x, case.lengths, *case.state, *case.params.values(), case.dh, *case.dstate)
    kept = [a.copy() for a in inputs]
    _, _, cache = layer.forward(case.params, case.x, state=case.state, lengths=case.lengths)
    results = [layer.backward(case.params, case.dh, cache, dstate=case.dstate) for _ in range(2)]
    first, second = ((dx, *dstate, *grads.values()) for dx, dstate, grads in results)
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)
        assert not np.shares_memory(a, b)
    for before, after in zip(kept, inputs):
        np.testing.assert_array_equal(before, after)


@given(lstm_sequences_T_B_D_H())
def test_float32_follows_float64(case):
    for narrow, wide in zip(run(case.astype(np.float32)), run(case)):
        assert narrow.dtype == np.float32
        np.testing.assert_allclose(narrow, wide, rtol=0, atol=3e-5 * max(1, np.abs(wide).max()))


@given(lstm_sequences_T_B_D_H())
def test_a_workspace_changes_no_result(case):
    workspace = Workspace()
    for _ in range(2):
        for a, b in zip(run(case, workspace=workspace), run(case)):
            np.testing.assert_array_equal(a, b)


def small_case(dtype=np.float64):
    rng = np.random.default_rng(0)
    layer = minilstm.LSTM(3, 4)
    return layer, layer.init(rng, dtype=dtype), rng.standard_normal((5, 2, 3)).astype(dtype)


def test_a_cache_whose_workspace_was_reused_refuses_to_go_backward():
    layer, params, x = small_case()
    workspace = Workspace()
    h, _, cache = layer.forward(params, x, workspace=workspace)
    layer.forward(params, x, workspace=workspace)
    with pytest.raises(InputError, match="reused"):
        layer.backward(params, np.ones_like(h), cache)


def test_initial_values_are_those_of_the_papers():
    layer = LSTM(6, 4)
    params = layer.init(np.random.default_rng(0))
    limit = np.sqrt(6 / (6 + 16))
    assert -limit <= params["Wx"].min() < -0.9 * limit and 0.9 * limit < params["Wx"].max() <= limit
    np.testing.assert_allclose(params["Wh"] @ params["Wh"].T, np.eye(4), atol=1e-6)
    assert params["b"].tolist() == [0] * 4 + [1] * 4 + [0] * 8
    assert {p.dtype for p in params.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(x=np.zeros((5, 2, 7))), r"x must have the shape \(T, B, D\) = \(any, any, 3\), not \(5, 2, 7\)"),
        (dict(x=np.zeros((5, 2, 3), np.float32)), "x must have the dtype float64"),
        (dict(x=np.zeros((5, 2))), r"x must have the shape \(T, B, D\)"),
        (dict(x=np.zeros((5, 2, 3), int)), "x must have the dtype float64"),
        (dict(state=(np.zeros((2, 4)),) * 3), r"state must be a tuple \(h, c\), each \(B, H\), not 3 arrays"),
        (dict(x=[[["a"]]]), "x must have"),
        (dict(x=np.full((5, 2), 3)), r"x must be at least 0 and below 3, but x\[0, 0\] is 3"),
        (dict(x=np.full((5, 2), -1)), r"x\[0, 0\] is -1"),
        (dict(state=(np.zeros((2, 4)), np.zeros((4, 2)))), r"c of state must have the shape"),
        (dict(state=(np.zeros((2, 4), np.float32), np.zeros((2, 4)))), r"h of state must have the dtype"),
        (dict(lengths=[5, 6]), "lengths must lie between 0 and T = 5"),
        (dict(lengths=[5, -1]), "lengths must lie between"),
        (dict(lengths=[5.0, 1.0]), "lengths must be 2 integers"),
        (dict(lengths=[5]), "lengths must be 2 integers"),
    ],
)
def test_wrong_arrays_are_named(change, words):
    layer, params, x = small_case()
    with pytest.raises(InputError, match=words):
        layer.forward(params, **{"x": x, **change})


def test_wrong_parameters_and_gradients_are_named():
    layer, params, x = small_case()
    h, _, cache = layer.forward(params, x)
    with pytest.raises(InputError, match="dh must have the shape"):
        layer.backward(params, h[:-1], cache)
    with pytest.raises(InputError, match=r"h of dstate must have the dtype"):
        layer.backward(params, h, cache, dstate=(np.zeros((2, 4), np.float32),) * 2)
    with pytest.raises(InputError, match="Wh must have the dtype float64"):
        layer.forward({**params, "Wh": params["Wh"].astype(np.float32)}, x)
    for dtype in (int, np.float16, np.longdouble):
        with pytest.raises(InputError, match="Wx must be float32, float64, complex64 or complex128"):
            layer.forward({name: p.astype(dtype) for name, p in params.items()}, x)
    with pytest.raises(InputError, match="lack Wh"):
        layer.forward({"Wx": params["Wx"]}, x)
    with pytest.raises(InputError, match="Wx must be a NumPy array, not list"):
        layer.forward({**params, "Wx": params["Wx"].tolist()}, x)
    with pytest.raises(InputError, match="state must be a tuple"):
        layer.forward(params, x, state=(np.zeros((2, 4)),))


@pytest.mark.parametrize("size", [0, -1, 2.0, "8", True])
def test_sizes_below_one_or_not_whole_are_refused(size):
    with pytest.raises(InputError, match="hidden_size must be a whole number of at least 1"):
        LSTM(3, size)
