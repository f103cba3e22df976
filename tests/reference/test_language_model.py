"""A whole model of the reference against the engine, the oracle and complex steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import LanguageModel
from minilstm.layers import Dropout, Packing
from minilstm.reference.dropout import dropout_mask
from minilstm.reference.initial import initial_parameters
from minilstm.reference.language_model import forward, loss_and_gradients, train_step
from minilstm.reference.optimizers import AdamState
from tests.helpers.recurrent import naive_loss
from tests.helpers.strategies import models_and_batches_V_H_T_B, seeds, sizes
from tests.reference.cells import CELLS, CLOSE, assert_complex_step, close


def assert_the_engine_computes_the_same(model, batch, state, masks, rng=None):
    """Loss, gradients, final state and gradient of the initial state, to 1e-12."""
    loss, grads, final, dstate = loss_and_gradients(dict(model.parameters), *batch, state=state, masks=masks)
    their_loss, their_grads, their_final, their_dstate = model.loss_and_gradients(batch, state, rng)
    assert loss > 0 and abs(loss - their_loss) <= 1e-12 * loss
    assert list(grads) == list(their_grads)
    for name, g in grads.items():
        largest = np.abs(their_grads[name]).max()
        if rng is None:  # dropout may make a whole gradient zero
            assert largest > 0, f"the gradient of {name} is zero: that proves nothing"
        np.testing.assert_allclose(g, their_grads[name], rtol=0, atol=1e-12 * largest + 1e-15, err_msg=name)
    for ours, theirs in ((final, their_final), (dstate, their_dstate)):
        for layer, their_layer in zip(ours, theirs, strict=True):
            for a, b in zip(layer, their_layer, strict=True):
                np.testing.assert_allclose(a, b, **CLOSE)
    return loss


@given(models_and_batches_V_H_T_B())
def test_loss_and_all_gradients_are_the_engines(case):
    assert_the_engine_computes_the_same(*case, masks=None)


@given(models_and_batches_V_H_T_B(rates=st.floats(0.1, 0.6)), seeds)
def test_with_dropout_loss_and_gradients_are_the_engines_too(case, seed):
    model, batch, state = case
    packing = Packing(*batch.inputs.shape, batch.lengths)
    rng = np.random.default_rng(seed)
    masks = {}
    # the layers with dropout, in the engine's order
    for name in model._check_batch(batch, state, np.random.default_rng(0)).masks:
        width = model.embedding if name == f"{model.cell}0" else model.hidden
        masks[name] = packing.unpack(dropout_mask((packing.N, width), model.dropout, rng))
    assert_the_engine_computes_the_same(model, batch, state, masks, np.random.default_rng(seed))


@given(models_and_batches_V_H_T_B())
def test_without_a_state_the_loss_is_the_oracles(case):
    model, batch, _ = case
    loss, *_ = loss_and_gradients(dict(model.parameters), *batch)
    close([loss], [naive_loss(model, batch)])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("embedding, tied", [(None, False), (2, False), (3, True)])
def test_every_gradient_equals_the_complex_step_of_the_loss(cell, embedding, tied):
    rng = np.random.default_rng(0)
    params = initial_parameters(rng, 4, embedding, 3, 2, cell, tied)
    # biases too
    params = {name: rng.normal(0, 0.7, W.shape) for name, W in params.items()}
    inputs, targets, lengths = rng.integers(0, 4, (3, 2)), rng.integers(0, 4, (3, 2)), np.array([3, 2])
    masks = {f"{cell}1": dropout_mask((3, 2, 3), 0.3, rng), "output": dropout_mask((3, 2, 3), 0.3, rng)}
    loss = lambda params: loss_and_gradients(params, inputs, targets, lengths, masks=masks)[0]
    _, grads, *_ = loss_and_gradients(params, inputs, targets, lengths, masks=masks)
    assert_complex_step(loss, params, grads)


def test_padding_changes_nothing_and_its_logits_stay_constant():
    rng = np.random.default_rng(0)
    params = initial_parameters(rng, 5, 2, 3, 2)
    inputs = rng.integers(0, 5, (4, 2))
    other = inputs.copy()
    other[2:, 1] = (other[2:, 1] + 1) % 5
    (a, final, _), (b, other_final, _) = (forward(params, ids, np.array([4, 2])) for ids in (inputs, other))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(final, other_final)
    assert (a[2:, 1] == a[1, 1]).all() and (a[1, 1] != a[0, 1]).any()


def test_a_state_continues_a_sequence_that_was_cut():
    rng = np.random.default_rng(0)
    params, inputs = initial_parameters(rng, 5, None, 3, 2, "gru"), rng.integers(0, 5, (6, 2))
    whole, final, _ = forward(params, inputs)
    first, state, _ = forward(params, inputs[:4])
    second, end, _ = forward(params, inputs[4:], state=state)
    close([np.concatenate([first, second]), *np.ravel(end, order="K").reshape(4, -1)],
          [whole, *np.ravel(final, order="K").reshape(4, -1)])


@given(st.sampled_from(list(CELLS)), sizes, sizes, st.integers(1, 3), st.sampled_from(["one-hot", "embedding", "tied"]), seeds)
def test_the_initial_parameters_are_the_engines_bit_for_bit(cell, V, H, layers, kind, seed):
    embedding = {"one-hot": None, "embedding": 3, "tied": H}[kind]
    ours = initial_parameters(np.random.default_rng(seed), V, embedding, H, layers, cell, kind == "tied", np.float32)
    model = LanguageModel(V, embedding, H, layers, cell, tied=kind == "tied", seed=seed)
    assert list(ours) == list(model.parameters)
    for name, W in ours.items():
        assert W.dtype == np.float32
        np.testing.assert_array_equal(W, model.parameters[name], err_msg=name)


def test_a_dropout_mask_is_the_engines_and_keeps_the_mean():
    ours = dropout_mask((300, 100), 0.25, np.random.default_rng(0), np.float32)
    theirs = Dropout(0.25).mask((300, 100), np.float32, np.random.default_rng(0))
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, theirs)
    assert 0.98 < ours.mean() < 1.02 and 0.73 < (ours > 0).mean() < 0.77


def test_training_steps_learn_a_text_and_change_nothing_in_place():
    params = initial_parameters(np.random.default_rng(0), 4, hidden=6)
    kept = {name: W.copy() for name, W in params.items()}
    ids = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    adam, losses, new = dict.fromkeys(params, AdamState()), [], params
    for _ in range(60):
        loss, new, adam = train_step(new, adam, ids[:-1], ids[1:], np.array([3, 3]), rate=0.05)
        losses.append(loss)
    assert losses[0] > 1 and losses[-1] < 0.05
    assert {state.t for state in adam.values()} == {60}
    for name, W in params.items():
        np.testing.assert_array_equal(W, kept[name])


def test_a_training_step_clips_the_gradient_before_adam():
    params = initial_parameters(np.random.default_rng(0), 4, hidden=6)
    ids = np.array([[0, 1], [1, 2], [2, 3]])
    _, grads, *_ = loss_and_gradients(params, ids[:-1], ids[1:])
    norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    _, _, adam = train_step(params, dict.fromkeys(params, AdamState()), ids[:-1], ids[1:], max_norm=norm / 4)
    for name, state in adam.items():
        np.testing.assert_allclose(state.m, 0.1 * grads[name] / 4, rtol=1e-12)


def test_the_dtype_is_kept():
    params = initial_parameters(np.random.default_rng(0), 4, 2, 3, 2, dtype=np.float32)
    ids = np.array([[0, 1], [1, 2]])
    loss, grads, final, dstate = loss_and_gradients(params, ids, ids, np.array([2, 1]))
    arrays = [loss, *grads.values(), *(part for layers in (final, dstate) for layer in layers for part in layer)]
    assert all(a.dtype == np.float32 for a in arrays)
