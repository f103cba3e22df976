"""Dropout: the layer alone, and between layers of a model, never between time steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import InputError, LanguageModel
from minilstm.layers import Dropout
from minilstm.verify.gradcheck.whole_model import random_case
from tests.helpers.recurrent import CELLS, naive_loss
from tests.helpers.strategies import models_and_batches_V_H_T_B, seeds

rates = st.floats(0.1, 0.7)


@given(seeds, st.sampled_from([0.0, 0.1, 0.5, 0.9]))
def test_the_mean_is_preserved(seed, rate):
    N = 20_000
    x = np.random.default_rng(seed).uniform(1, 2, N)
    mask = Dropout(rate).mask((N,), float, np.random.default_rng([seed, 1]))
    y = mask * x
    factor = 1 / (1 - rate)
    kept = mask != 0
    np.testing.assert_array_equal(mask[kept], factor)
    assert abs(kept.mean() - (1 - rate)) <= 6 * np.sqrt(rate * (1 - rate) / N)
    assert abs(y.mean() - x.mean()) <= 6 * np.sqrt(np.mean(x**2) * (factor - 1) / N) + 1e-12


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_the_same_random_numbers_give_the_same_mask_in_every_dtype(dtype):
    masks = []
    for kind in (np.float64, dtype):
        mask = Dropout(0.4).mask((30, 7), kind, np.random.default_rng(5))
        assert mask.dtype == kind
        masks.append(mask)
    np.testing.assert_array_equal(masks[0] == 0, masks[1] == 0)
    np.testing.assert_allclose(masks[1], masks[0], rtol=1e-7)
    assert 0 < (masks[0] == 0).sum() < masks[0].size


@pytest.mark.parametrize("rate", [1.0, -0.1, 2, float("nan"), float("inf"), "0.5", None, True])
def test_dropout_rates_outside_0_to_1_are_refused_by_name(rate):
    with pytest.raises(InputError, match="dropout must be at least 0 and below 1, not"):
        Dropout(rate)
    with pytest.raises(InputError, match="dropout must be at least 0 and below 1, not"):
        LanguageModel(5, dropout=rate)


# ---- in a model ----------------------------------------------------------------------


def masks_of(model, lengths, noise):
    """The dropout masks of a model, in its order of random numbers.

    The order is layer by layer, step by step, the longest sequence first.
    """
    order = sorted(range(len(lengths)), key=lambda s: -lengths[s])
    tokens = [(t, s) for t in range(max(lengths)) for s in order if t < lengths[s]]
    widths = [model.embedding, *[model.hidden] * model.layers]
    masks = [[[] for _ in widths] for _ in lengths]  # sequence, layer, step
    for layer, width in enumerate(widths):
        if width is None:  # one-hot input is not dropped
            factors = np.ones((len(tokens), model.vocab_size))
        else:
            factors = (noise.random((len(tokens), width), np.float32) >= model.dropout) / (1 - model.dropout)
        for (_, s), row in zip(tokens, factors.tolist()):
            masks[s][layer].append(row)
    return masks


@given(models_and_batches_V_H_T_B(rates=rates), seeds)
def test_the_loss_is_that_of_the_oracle_with_the_same_masks(case, seed):
    model, batch, _ = case
    oracle = naive_loss(model, batch, masks_of(model, batch.lengths, np.random.default_rng(seed)))
    assert model.loss(batch, dropout_rng=np.random.default_rng(seed))[0] == pytest.approx(oracle, rel=1e-12)
    assert model.loss_and_gradients(batch, dropout_rng=np.random.default_rng(seed))[0] == pytest.approx(oracle, rel=1e-12)


@given(models_and_batches_V_H_T_B(rates=rates))
def test_without_an_rng_nothing_is_dropped(case):
    model, batch, state = case
    whole = LanguageModel(**model.sizes() | {"dropout": 0.0})
    whole.parameters.flat[:] = model.parameters.flat
    ours, plain = model.loss_and_gradients(batch, state), whole.loss_and_gradients(batch, state)
    assert ours[0] == plain[0] == model.loss(batch, state)[0]
    assert ours[0] == whole.loss_and_gradients(batch, state, np.random.default_rng(0))[0], "a dropout rate of 0 drops nothing"
    for a, b in zip((ours[1].flat, ours[2], ours[3]), (plain[1].flat, plain[2], plain[3])):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.logits(batch.inputs, state=state)[0], whole.logits(batch.inputs, state=state)[0])


@given(models_and_batches_V_H_T_B(rates=rates), seeds)
def test_the_same_random_numbers_give_the_same_loss_in_every_dtype(case, seed):
    model, batch, _ = case
    losses = {}
    for dtype in (np.float32, np.float64, np.complex128):
        other = LanguageModel(**model.sizes() | {"dtype": dtype})
        other.parameters.flat[:] = model.parameters.flat
        losses[dtype] = other.loss(batch, dropout_rng=np.random.default_rng(seed))[0]
    assert losses[np.complex128] == pytest.approx(losses[np.float64], rel=1e-13)
    assert losses[np.float32] == pytest.approx(losses[np.float64], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_connections_and_one_hot_input_have_no_dropout(cell):
    model, batch = random_case(9, None, 8, 2, 12, 3, cell, dropout=0.5)
    runs = [model.loss_and_gradients(batch, None, noise) for noise in (None, np.random.default_rng(1))]
    (loss, _, (first, second), _), (other_loss, _, (other_first, other_second), _) = runs
    # the lower layer reads ids and its own state, both without dropout
    np.testing.assert_array_equal(first, other_first)
    assert loss != other_loss and not np.allclose(second, other_second)

    layer, rows = CELLS[cell].layer(8, 8), [model.parameters.layer(f"{cell}{k}") for k in range(2)]
    h, _, _ = CELLS[cell].layer(9, 8).forward(rows[0], batch.inputs, lengths=batch.lengths)
    masks = masks_of(model, batch.lengths, np.random.default_rng(1))
    for s, n in enumerate(batch.lengths):
        seen = h[:n, s : s + 1] * np.array(masks[s][1])[:, None]
        # a layer without dropout, on the output of dropout
        _, alone, _ = layer.forward(rows[1], seen)
        np.testing.assert_allclose(np.array(other_second)[:, s], np.array(alone)[:, 0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("embedding, places", [(None, 3), (4, 4)])
def test_random_numbers_are_drawn_for_every_layer_but_one_that_reads_ids(embedding, places, monkeypatch):
    drawn, mask = [], Dropout.mask
    monkeypatch.setattr(Dropout, "mask", lambda self, shape, *rest: drawn.append(shape) or mask(self, shape, *rest))
    model, batch = random_case(6, embedding, 5, 3, 4, 2, dropout=0.3)
    model.loss_and_gradients(batch, dropout_rng=np.random.default_rng(0))
    N = batch.lengths.sum()
    assert drawn == [(N, 4), (N, 5), (N, 5), (N, 5)][-places:]


def test_a_model_without_dropout_draws_no_random_numbers():
    model, batch = random_case(6, 4, 5, 2, 4, 2)
    noise, untouched = np.random.default_rng(0), np.random.default_rng(0)
    model.loss_and_gradients(batch, dropout_rng=noise)
    model.loss(batch, dropout_rng=noise)
    assert noise.bit_generator.state == untouched.bit_generator.state
