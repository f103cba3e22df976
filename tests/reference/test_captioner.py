"""A text about a vector: against plain Python on each text alone, and every gradient by complex step, dL/dv too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.captioner import bridge_forward, loss_and_gradients
from minilstm.reference.initial import initial_parameters
from minilstm.reference.optimizers import AdamState, adam_step
from tests.helpers import naive, naive_models
from tests.helpers.recurrent import CELLS as ENGINES
from tests.helpers.strategies import seeds, sizes
from tests.reference.cells import CELLS, assert_complex_step, close
from tests.reference.models import assert_same, lengths_B, naive_layers, spoilt, unchanged

START, END, V, F, H = 0, 1, 5, 3, 3
INPUTS = {"one-hot": (None, False), "embedding": (2, False), "tied": (H, True)}
EACH_INPUT = pytest.mark.parametrize("embedding, tied", INPUTS.values(), ids=INPUTS)


def random_model(rng, cell, layers, embedding, tied=False):
    params = {}
    for k in range(layers):
        for part in CELLS[cell].parts:
            params |= {f"bridge{k}.W_{part}": np.empty((F, H)), f"bridge{k}.b_{part}": np.empty(H)}
    params |= initial_parameters(rng, V, embedding, H, layers, cell, tied)
    return {name: rng.normal(0, 0.7, W.shape) for name, W in params.items()}


def naive_nats(params, v, y, cell):
    """Of one text without padding."""
    lists = {name: W.tolist() for name, W in params.items()}
    layers, sequence = naive_layers(params)
    states = []
    for k in range(len(layers)):
        parts = ENGINES[cell].parts
        states.append([naive.dense(v.tolist(), lists[f"bridge{k}.W_{z}"], lists[f"bridge{k}.b_{z}"]) for z in parts])
    table = lists.get("embedding.W", [naive.one_hot(k, V) for k in range(V)])
    W = lists.get("output.W") or [list(column) for column in zip(*table)]
    weights = [weights for weights, _ in layers]
    return naive_models.decoder_nats(
        y.tolist(), states, START, END, table, weights, W, lists["output.b"], sequence=sequence
    )


@EACH_INPUT
@pytest.mark.parametrize("cell", CELLS)
@given(data=st.data(), layers=st.integers(1, 2), T=sizes, B=st.integers(1, 3), seed=seeds)
def test_the_loss_is_the_naive_mean_whatever_stands_at_the_padding(cell, embedding, tied, data, layers, T, B, seed):
    lengths, rng = data.draw(lengths_B(T, B, shortest=0)), np.random.default_rng(seed)
    params = random_model(rng, cell, layers, embedding, tied)
    v, y = rng.standard_normal((B, F)), rng.integers(2, V, (T, B))
    nats = []
    for b, n in enumerate(lengths):
        nats += naive_nats(params, v[b], y[:n, b], cell)
    result = loss_and_gradients(params, v, y, lengths, START, END)
    close([result[0]], [np.mean(nats)])
    assert_same(result, loss_and_gradients(params, v, spoilt(y, lengths, -9), lengths, START, END))
    for b, n in enumerate(lengths):
        _, _, dv = loss_and_gradients(params, v[b : b + 1], y[:n, b : b + 1], [n], START, END)
        close([result[2][b]], [dv[0] * (n + 1) / (lengths + 1).sum()])


@EACH_INPUT
@pytest.mark.parametrize("cell", CELLS)
def test_every_gradient_is_the_complex_step_of_the_loss(cell, embedding, tied):
    rng = np.random.default_rng(0)
    params = random_model(rng, cell, 2, embedding, tied)
    v, y, lengths = rng.standard_normal((2, F)), rng.integers(2, V, (3, 2)), np.array([2, 3])
    _, grads, dv = loss_and_gradients(params, v, y, lengths, START, END)
    assert list(grads) == list(params)

    def loss(arrays):
        return loss_and_gradients({name: arrays[name] for name in params}, arrays["v"], y, lengths, START, END)[0]

    assert_complex_step(loss, {"v": v, **params}, {"v": dv, **grads})


def test_the_bridge_is_linear_and_each_layer_has_its_own():
    rng = np.random.default_rng(0)
    params, v = random_model(rng, "lstm", 2, None), rng.standard_normal((2, F))
    zero = bridge_forward(params, 0 * v)
    once, twice = bridge_forward(params, v), bridge_forward(params, 2 * v)
    for k in range(2):
        for part, (z, a, b) in enumerate(zip(zero[k], once[k], twice[k])):
            np.testing.assert_allclose(b - z, 2 * (a - z), rtol=1e-12)
            assert (z[0] == params[f"bridge{k}.b_{'hc'[part]}"]).all()


def test_backward_changes_nothing_and_the_dtype_stays():
    rng = np.random.default_rng(0)
    params = {name: W.astype(np.float32) for name, W in random_model(rng, "lstm", 2, 2).items()}
    v, y = rng.standard_normal((2, F)).astype(np.float32), rng.integers(2, V, (3, 2))
    watched = unchanged([*params.values(), v, y])
    first, second = (loss_and_gradients(params, v, y, np.array([3, 1]), START, END) for _ in range(2))
    assert_same(first, second)
    for now, before in watched:
        np.testing.assert_array_equal(now, before)
    assert all(a.dtype == np.float32 for a in (first[0], *first[1].values(), first[2]))


def test_it_learns_which_text_is_about_which_vector():
    rng = np.random.default_rng(0)
    params = random_model(rng, "lstm", 1, None)
    v, y = np.eye(F), np.array([[2, 3, 4], [3, 3, 2]])
    adam, losses = dict.fromkeys(params, AdamState()), []
    for _ in range(80):
        loss, grads, _ = loss_and_gradients(params, v, y, np.array([2, 2, 2]), START, END)
        steps = {name: adam_step(params[name], g, adam[name], 0.1) for name, g in grads.items()}
        params, adam = ({name: step[k] for name, step in steps.items()} for k in range(2))
        losses.append(loss)
    assert losses[0] > 1 and losses[-1] < 0.05
