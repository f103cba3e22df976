"""Edge cases of recurrent layers: initial values, workspaces, wrong arrays."""

import numpy as np
import pytest

import minilstm
from minilstm import InputError
from minilstm.layers import GRU, LSTM, RNN, Packing, Workspace
from minilstm.parallel import threads
from tests.helpers.recurrent import CELLS, EACH_CELL


def small_case(cell=CELLS["lstm"], dtype=np.float64):
    rng = np.random.default_rng(0)
    layer = cell.layer(3, 4)
    return layer, layer.init(rng, dtype=dtype), rng.standard_normal((5, 2, 3)).astype(dtype)


@EACH_CELL
def test_a_cache_whose_workspace_was_reused_is_refused_by_backward(cell):
    layer, params, x = small_case(cell)
    workspace = Workspace()
    h, _, cache = layer.forward(params, x, workspace=workspace)
    layer.forward(params, x, workspace=workspace)
    with pytest.raises(InputError, match="reused"):
        layer.backward(params, np.ones_like(h), cache)


@EACH_CELL
def test_initial_values_are_those_of_the_papers(cell):
    layer = cell.layer(20, 8)
    params = layer.init(np.random.default_rng(0))
    assert {name: p.shape for name, p in params.items()} == layer.shapes == cell.shapes(20, 8)
    limit = np.sqrt(6 / (20 + 8 * cell.blocks))
    assert -limit <= params["Wx"].min() < -0.9 * limit and 0.9 * limit < params["Wx"].max() <= limit
    np.testing.assert_allclose(params["Wh"] @ params["Wh"].T, np.eye(8), atol=1e-6)
    forget = slice(8, 16) if cell.name == "lstm" else slice(0, 0)
    for name in cell.biases:
        assert (np.delete(params[name], forget) == 0).all() and (params[name][forget] == 1).all()
    assert {p.dtype for p in params.values()} == {np.dtype(np.float32)}


def test_the_layers_are_public():
    assert all(getattr(minilstm, name.upper()) is cell.layer for name, cell in CELLS.items())


def test_an_error_about_the_state_names_its_parts():
    for name, words in {"lstm": r"\(h, c\)", "gru": r"\(h,\)", "rnn": r"\(h,\)"}.items():
        layer, params, x = small_case(CELLS[name])
        assert [part.shape for part in layer.zero_state(2, np.float64)] == [(2, 4)] * len(CELLS[name].parts)
        whole = f"state must be a tuple {words}, each " + r"\(B, H\), not "
        with pytest.raises(InputError, match=whole + "3 arrays"):
            layer.forward(params, x, state=(np.zeros((2, 4)),) * 3)
        with pytest.raises(InputError, match=whole + "ndarray"):
            layer.forward(params, x, state=np.zeros((2, 4)))
        h, _, cache = layer.forward(params, x)
        with pytest.raises(InputError, match=whole.replace("state", "dstate", 1) + "0 arrays"):
            layer.backward(params, h, cache, dstate=())
        for k, part in enumerate(CELLS[name].parts):
            state = [np.zeros((2, 4)) for _ in CELLS[name].parts]
            state[k] = np.zeros((4, 2))
            with pytest.raises(InputError, match=f"{part} of state must have the shape"):
                layer.forward(params, x, state=state)
            state[k] = np.zeros((2, 4), np.float32)
            with pytest.raises(InputError, match=f"{part} of dstate must have the dtype"):
                layer.backward(params, h, cache, dstate=state)


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
    for cell in CELLS.values() if "state" not in change else [CELLS["lstm"]]:
        layer, params, x = small_case(cell)
        with pytest.raises(InputError, match=words):
            layer.forward(params, **{"x": x, **change})


@EACH_CELL
def test_wrong_parameters_and_gradients_are_named(cell):
    layer, params, x = small_case(cell)
    h, _, cache = layer.forward(params, x)
    with pytest.raises(InputError, match="dh must have the shape"):
        layer.backward(params, h[:-1], cache)
    with pytest.raises(InputError, match="Wh must have the dtype float64"):
        layer.forward({**params, "Wh": params["Wh"].astype(np.float32)}, x)
    for dtype in (int, np.float16, np.longdouble):
        with pytest.raises(InputError, match="Wx must be float32, float64, complex64 or complex128"):
            layer.forward({name: p.astype(dtype) for name, p in params.items()}, x)
    with pytest.raises(InputError, match="lack Wh"):
        layer.forward({"Wx": params["Wx"]}, x)
    with pytest.raises(InputError, match="Wx must be a NumPy array, not list"):
        layer.forward({**params, "Wx": params["Wx"].tolist()}, x)
    with pytest.raises(InputError, match=f"lack {cell.names[-1]}"):
        layer.forward({name: p for name, p in params.items() if name != cell.names[-1]}, x)


@EACH_CELL
@pytest.mark.parametrize("size", [0, -1, 2.0, "8", True])
def test_sizes_below_one_or_not_whole_are_refused(cell, size):
    with pytest.raises(InputError, match="hidden_size must be a whole number of at least 1"):
        cell.layer(3, size)
    with pytest.raises(InputError, match="input_size must be a whole number of at least 1"):
        cell.layer(size, 3)


@pytest.mark.parametrize("layer", [LSTM(3, 4), GRU(3, 4), RNN(3, 4)], ids=lambda layer: type(layer).__name__)
def test_a_loop_over_time_refuses_a_recurrent_matrix_of_another_size(layer, monkeypatch):
    """The compiled product checks no shapes, so it would write beyond its output."""
    monkeypatch.setattr(threads, "left_to_blas", lambda sequences: False)
    rng = np.random.default_rng(0)
    params, x, packing = layer.init(rng, float), rng.standard_normal((6, 3)), Packing(3, 2)
    state = layer.zero_state(2, float)
    h, _, cache = layer.forward_packed(params, x, state, packing)
    wrong = params | {"Wh": np.zeros((4, layer.gates * 5))}
    for go in (lambda: layer.forward_packed(wrong, x, state, packing), lambda: layer.backward_packed(wrong, h, state, cache)):
        with pytest.raises(InputError, match="the matrix of the time loop must have the shape"):
            go()
