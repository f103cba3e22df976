"""Classifiers and taggers: against plain Python on each sequence alone, complex steps; and they learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.classifier import forward, loss_and_gradients
from minilstm.reference.optimizers import AdamState, adam_step
from tests.helpers import naive, naive_models
from tests.helpers.strategies import seeds, sizes
from tests.reference.cells import CELLS, assert_complex_step, close
from tests.reference.models import BOTH, assert_same, lengths_B, naive_layers, random_dense, random_layers, spoilt, unchanged

POOLS = ["final", "last", "mean", "max", None]  # the last is a tagger
INPUTS = ["embedding", "one-hot", "vectors"]
V, D, H, C = 5, 3, 4, 3
EACH_POOL = pytest.mark.parametrize("pool", POOLS)
EACH_BOTH = pytest.mark.parametrize("both", BOTH.values(), ids=BOTH)


def random_model(rng, cell, both, kind):
    embedding = {"embedding.W": rng.standard_normal((V, D))} if kind == "embedding" else {}
    return embedding | random_layers(rng, cell, V if kind == "one-hot" else D, H, both) | random_dense(rng, H, C)


def random_batch(rng, kind, T, B, pool):
    """Inputs and labels."""
    inputs = rng.standard_normal((T, B, D)) if kind == "vectors" else rng.integers(0, V, (T, B))
    return inputs, rng.integers(0, C, (T, B) if pool is None else B)


def naive_nats(params, inputs, label, pool):
    """Of one sequence without padding: a list, of one number or of one for each step."""
    layers, sequence = naive_layers(params)
    if inputs.ndim == 2:
        xs = inputs.tolist()
    else:
        xs = [params["embedding.W"][k].tolist() if "embedding.W" in params else naive.one_hot(k, V) for k in inputs]
    hs, finals = naive_models.stack(xs, layers, sequence)
    ys = hs if pool is None else [finals[-1][0] if pool == "final" else naive_models.pool(hs, pool)]
    W, b = params["output.W"].tolist(), params["output.b"].tolist()
    return [naive.cross_entropy(naive.dense(y, W, b), k)[0] for y, k in zip(ys, np.atleast_1d(label), strict=True)]


@EACH_POOL
@EACH_BOTH
@given(
    data=st.data(), cell=st.sampled_from(list(CELLS)), kind=st.sampled_from(INPUTS), T=sizes, B=st.integers(1, 3), seed=seeds
)
def test_the_loss_is_the_naive_mean_whatever_stands_at_the_padding(both, pool, data, cell, kind, T, B, seed):
    lengths, rng = data.draw(lengths_B(T, B)), np.random.default_rng(seed)
    params = random_model(rng, cell, both, kind)
    inputs, labels = random_batch(rng, kind, T, B, pool)
    nats = []
    for b, n in enumerate(lengths):
        nats += naive_nats(params, inputs[:n, b], labels[b] if pool is not None else labels[:n, b], pool)
    result = loss_and_gradients(params, inputs, labels, lengths, pool)
    close([result[0]], [np.mean(nats)])
    garbage = spoilt(inputs, lengths, np.nan if kind == "vectors" else 10**6)
    assert_same(result, loss_and_gradients(params, garbage, labels, lengths, pool))
    if pool is None:
        assert_same(result, loss_and_gradients(params, inputs, spoilt(labels, lengths, -9), lengths, pool))


@EACH_POOL
@EACH_BOTH
@given(data=st.data(), kind=st.sampled_from(INPUTS), T=sizes, B=st.integers(1, 3), seed=seeds)
def test_the_gradients_are_the_mean_of_those_of_each_sequence_alone(both, pool, data, kind, T, B, seed):
    lengths, rng = data.draw(lengths_B(T, B)), np.random.default_rng(seed)
    params = random_model(rng, "lstm", both, kind)
    inputs, labels = random_batch(rng, kind, T, B, pool)
    _, grads, dx = loss_and_gradients(params, inputs, labels, lengths, pool)
    total = {name: np.zeros_like(W) for name, W in params.items()}
    counts = lengths if pool is None else np.ones(B)
    for b, (n, count) in enumerate(zip(lengths, counts)):
        label = labels[:n, b : b + 1] if pool is None else labels[b : b + 1]
        _, alone, dx_b = loss_and_gradients(params, inputs[:n, b : b + 1], label, [n], pool)
        share = count / counts.sum()
        total = {name: total[name] + share * g for name, g in alone.items()}
        close([dx[:n, b]], [share * dx_b[:, 0]])
        assert (dx[n:, b] == 0).all()
    for name, g in grads.items():
        np.testing.assert_allclose(g, total[name], rtol=1e-11, atol=1e-14, err_msg=name)


@EACH_POOL
@pytest.mark.parametrize("kind, both", [*zip(INPUTS, BOTH.values())], ids=map(", ".join, zip(INPUTS, BOTH)))
@pytest.mark.parametrize("cell", [cell if cell == "lstm" else pytest.param(cell, marks=pytest.mark.thorough) for cell in CELLS])
def test_every_gradient_is_the_complex_step_of_the_loss(cell, kind, both, pool):
    rng, lengths = np.random.default_rng(8), np.array([4, 3])  # with it, not all maxima are where a direction begins
    params = random_model(rng, cell, both, kind)
    inputs, labels = random_batch(rng, kind, 4, 2, pool)
    _, grads, dx = loss_and_gradients(params, inputs, labels, lengths, pool)
    assert list(grads) == list(params)
    arrays = dict(params)
    if kind == "vectors":
        arrays["inputs"], grads["inputs"] = inputs, dx
    if pool == "last" and both[-1]:  # there the top layer's reverse direction has read one step, from a state of zeros
        none = f"{cell}1_reverse.Wh"
        assert (grads.pop(none) == 0).all()
        del arrays[none]

    def loss(arrays):
        read = arrays.get("inputs", inputs)
        return loss_and_gradients({name: arrays.get(name, W) for name, W in params.items()}, read, labels, lengths, pool)[0]

    assert_complex_step(loss, arrays, grads)


@pytest.mark.parametrize("cell", CELLS)
@given(B=sizes, seed=seeds)
def test_one_to_one_of_one_step_it_is_a_plain_layer(cell, B, seed):
    """A step of the cell from a state of zeros, and a dense layer on it: each kind of pooling, and the tagger."""
    rng = np.random.default_rng(seed)
    params = random_model(rng, cell, [False], "vectors")
    x = rng.standard_normal((1, B, D))
    weights = [params[f"{cell}0.{name}"] for name in CELLS[cell].names]
    h, *_ = CELLS[cell].step(x[0], tuple(np.zeros((B, H)) for _ in CELLS[cell].parts), weights)[0]
    logits = h @ params["output.W"] + params["output.b"]
    for pool in POOLS:
        ours, _ = forward(params, x, np.ones(B, int), pool)
        close([ours[0] if pool is None else ours], [logits])


def test_final_and_last_are_the_same_in_one_direction_and_not_in_two():
    rng, lengths = np.random.default_rng(0), np.array([4, 2])
    for both, same in (([False, False], True), ([True, False], True), ([False, True], False)):
        params, ids = random_model(rng, "lstm", both, "embedding"), rng.integers(0, V, (4, 2))
        final, last = (forward(params, ids, lengths, pool)[0] for pool in ("final", "last"))
        assert np.allclose(final, last, rtol=1e-12) == same


@EACH_POOL
def test_backward_changes_nothing_and_the_dtype_stays(pool):
    rng = np.random.default_rng(0)
    params = {name: W.astype(np.float32) for name, W in random_model(rng, "lstm", [True, False], "one-hot").items()}
    inputs, labels = random_batch(rng, "one-hot", 3, 2, pool)
    _, cache = forward(params, inputs, np.array([3, 1]), pool)
    watched = unchanged([cache, [*params.values()]])
    first, second = (loss_and_gradients(params, inputs, labels, np.array([3, 1]), pool) for _ in range(2))
    assert_same(first, second)
    for now, before in watched:
        np.testing.assert_array_equal(now, before)
    assert all(a.dtype == np.float32 for a in (first[0], *first[1].values(), first[2]))


@pytest.mark.parametrize("pool", ["final", None])
def test_it_learns(pool):
    """A class: whether the first token and the last are equal. A label of a step: the token after it, seen in reverse."""
    rng = np.random.default_rng(0)
    ids, lengths = rng.integers(0, 2, (5, 60)), rng.integers(2, 6, 60)
    following = np.vstack([ids[1:], ids[:1]])
    following[lengths - 1, np.arange(60)] = 2
    labels = following if pool is None else (ids[0] == ids[lengths - 1, np.arange(60)]).astype(int)
    params = random_layers(rng, "lstm", 2, 16, [True]) | random_dense(rng, 16, 3)
    adam, losses = dict.fromkeys(params, AdamState()), []
    for _ in range(120):
        loss, grads, _ = loss_and_gradients(params, ids, labels, lengths, pool)
        steps = {name: adam_step(params[name], g, adam[name], 0.03) for name, g in grads.items()}
        params, adam = ({name: step[k] for name, step in steps.items()} for k in range(2))
        losses.append(loss)
    assert losses[0] > 0.8 and losses[-1] < 0.1
