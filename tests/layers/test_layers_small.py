"""Embedding, one-hot product and dense layer."""

import numpy as np
import pytest
from hypothesis import given

from minilstm import InputError
from minilstm.layers import GRU, LSTM, RNN, Dense, Dropout, Embedding, TiedDense, Workspace
from minilstm.layers.one_hot import one_hot_matmul, one_hot_matmul_backward
from tests.helpers import naive
from tests.helpers.numeric import assert_gradient
from tests.helpers.strategies import seeds, sizes


@given(seeds, sizes, sizes, sizes)
def test_a_product_with_ids_equals_one_with_one_hot_vectors(seed, N, V, K):
    rng = np.random.default_rng(seed)
    ids, W, dz = rng.integers(0, V, N), rng.standard_normal((V, K)), rng.standard_normal((N, K))
    one_hot = np.array([naive.one_hot(k, V) for k in ids])
    dW = np.full_like(W, np.nan)
    np.testing.assert_array_equal(one_hot_matmul(ids, W, np.empty((N, K))), one_hot @ W)
    np.testing.assert_allclose(one_hot_matmul_backward(ids, dz, dW), one_hot.T @ dz, rtol=1e-12, atol=1e-15)
    assert np.abs(dW).max() > 0


@given(seeds, sizes, sizes, sizes, sizes)
def test_the_gradient_of_an_embedding_is_the_derivative(seed, T, B, V, E):
    rng = np.random.default_rng(seed)
    layer = Embedding(V, E)
    params, ids = {"W": rng.standard_normal((V, E))}, rng.integers(0, V, (T, B))
    weight = rng.standard_normal((T, B, E))
    x, cache = layer.forward(params, ids)
    assert (x[0, 0] == params["W"][ids[0, 0]]).all() and x.shape == (T, B, E)
    grads = layer.backward(params, weight, cache)
    assert_gradient(grads["W"], lambda: np.sum(layer.forward(params, ids)[0] * weight), params["W"])


@given(seeds, sizes, sizes, sizes)
def test_every_gradient_of_a_dense_layer_is_the_derivative(seed, B, D, K):
    rng = np.random.default_rng(seed)
    layer = Dense(D, K)
    params = {"W": rng.standard_normal((D, K)), "b": rng.standard_normal(K)}
    x, weight = rng.standard_normal((2, B, D)), rng.standard_normal((2, B, K))
    loss = lambda: np.sum(layer.forward(params, x)[0] * weight)
    y, cache = layer.forward(params, x)
    np.testing.assert_allclose(y[1, 0], naive.dense(x[1, 0], params["W"], params["b"]), rtol=1e-12, atol=1e-13)
    dx, grads = layer.backward(params, weight, cache)
    assert_gradient(dx, loss, x, "x")
    assert_gradient(grads["W"], loss, params["W"], "W")
    assert_gradient(grads["b"], loss, params["b"], "b")


@given(seeds, sizes, sizes, sizes)
def test_a_tied_layer_is_a_dense_layer_with_the_transposed_embedding(seed, B, D, K):
    rng = np.random.default_rng(seed)
    table, b = rng.standard_normal((K, D)), rng.standard_normal(K)
    x, dy = rng.standard_normal((2, B, D)), rng.standard_normal((2, B, K))
    params, layer = {"W": table.T, "b": b}, TiedDense(D, K)
    y, cache = layer.forward(params, x)
    np.testing.assert_allclose(y[1, 0], naive.dense(x[1, 0], table.T, b), rtol=1e-12, atol=1e-13)
    dtable = np.full_like(table, np.nan)
    dx, grads = layer.backward(params, dy, cache, {"W": dtable.T, "b": np.empty(K)})
    loss = lambda: np.sum(layer.forward(params, x)[0] * dy)
    assert_gradient(dx, loss, x, "x")
    assert_gradient(dtable, loss, table, "the table")
    assert_gradient(grads["b"], loss, b, "b")
    assert layer.shapes == {"b": (K,)}


@given(seeds, sizes, sizes, sizes, sizes)
def test_the_gradient_of_an_embedding_can_be_added_to_another(seed, T, B, V, E):
    rng = np.random.default_rng(seed)
    layer, ids, dx, there = Embedding(V, E), rng.integers(0, V, (T, B)), rng.standard_normal((T, B, E)), rng.random((V, E))
    params = layer.init(rng, np.float64)
    _, cache = layer.forward(params, ids)
    alone = layer.backward(params, dx, cache)["W"]
    place = {"W": there.copy()}
    assert layer.backward(params, dx, cache, place, add=True) is place
    np.testing.assert_allclose(place["W"], alone + there, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(layer.backward(params, dx, cache, place)["W"], alone)


LAYERS = [Dense(3, 2), TiedDense(3, 2), Embedding(5, 2), LSTM(3, 4), GRU(3, 4), RNN(3, 4)]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_knows_the_shapes_of_its_parameters(layer):
    params = layer.init(np.random.default_rng(0), dtype=np.float64)
    assert {name: p.shape for name, p in params.items()} == layer.shapes
    assert {p.dtype for p in params.values()} == {np.dtype(np.float64)}


def test_initial_values():
    rng = np.random.default_rng(0)
    dense, table = Dense(30, 20).init(rng), Embedding(30, 20).init(rng)
    limit = np.sqrt(6 / 50)
    assert -limit <= dense["W"].min() < -0.95 * limit and 0.95 * limit < dense["W"].max() <= limit and not dense["b"].any()
    assert not TiedDense(30, 20).init(rng)["b"].any()
    assert -0.05 <= table["W"].min() < -0.045 and 0.045 < table["W"].max() <= 0.05 and table["W"].dtype == np.float32
    assert abs(table["W"].mean()) < 0.005


@pytest.mark.parametrize("layer", [*LAYERS, Dropout(0.5)])
def test_a_layer_is_immutable(layer):
    name = next(iter(vars(layer)))
    with pytest.raises(AttributeError):
        setattr(layer, name, 0.25)


@pytest.mark.parametrize("ids", [[[5]], [[-1]], [[0.5]], [["a"]]])
def test_an_embedding_refuses_ids_without_a_row(ids):
    layer = Embedding(5, 2)
    with pytest.raises(InputError, match="ids must be"):
        layer.forward(layer.init(np.random.default_rng(0)), ids)


def test_wrong_shapes_and_dtypes_are_named():
    rng = np.random.default_rng(0)
    dense, table = Dense(3, 2), Embedding(5, 2)
    with pytest.raises(InputError, match="x must have the shape"):
        dense.forward(dense.init(rng), np.zeros((4, 2), np.float32))
    with pytest.raises(InputError, match="x must have the dtype float32"):
        dense.forward(dense.init(rng), np.zeros((4, 3)))
    params = table.init(rng)
    _, cache = table.forward(params, [[0, 1]])
    with pytest.raises(InputError, match="dx must have the shape"):
        table.backward(params, np.zeros((1, 3, 2), np.float32), cache)
    for layer in (lambda: Dense(0, 1), lambda: Dense(1, 0), lambda: Embedding(0, 1), lambda: Embedding(1, -2)):
        with pytest.raises(InputError, match="at least 1"):
            layer()


def test_a_workspace_reuses_its_memory_if_it_is_large_enough():
    work = Workspace()
    first = work.empty("z", (4, 5), np.float32)
    assert first.shape == (4, 5) and first.dtype == np.float32
    for shape in ((4, 5), (5, 4), (2, 3), (4, 5)):
        again = work.empty("z", shape, np.float32)
        assert again.shape == shape and np.shares_memory(first, again)
    for name, shape, dtype in (("other", (4, 5), np.float32), ("z", (4, 5), np.float64), ("z", (4, 6), np.float32)):
        assert not np.shares_memory(first, work.empty(name, shape, dtype))
