"""The whole model, from ids to loss: published sizes, the oracle, every gradient."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import InputError, LanguageModel
from minilstm.models.batch import Batch
from minilstm.verify.gradcheck.whole_model import random_case
from tests.helpers.numeric import assert_gradient
from tests.helpers.recurrent import CELLS, naive_loss
from tests.helpers.strategies import models_and_batches_V_H_T_B


def test_parameter_counts_are_the_published_ones():
    assert LanguageModel(84, hidden=128).parameters.flat.size == 119_892
    assert LanguageModel(10_000, embedding=100, hidden=128).parameters.flat.size == 2_407_248
    assert "119,892" in LanguageModel(84, hidden=128).summary()


@pytest.mark.parametrize(
    "cell, D, H, count",
    [
        # TensorFlow's tutorial on text generation
        pytest.param("gru", 256, 1024, 3_938_304, marks=pytest.mark.thorough),
        # Keras's GRU(128), reset_after
        ("gru", 84, 128, 3 * (84 * 128 + 128 * 128 + 2 * 128)),
        # SimpleRNN(32), width 32: Chollet, Deep learning with Python (2017), 6.2
        ("rnn", 32, 32, 2_080),
        ("rnn", 84, 128, 84 * 128 + 128 * 128 + 128),
    ],
)
def test_recurrent_layers_have_as_many_parameters_as_those_of_keras(cell, D, H, count):
    model = LanguageModel(7, embedding=D, hidden=H, cell=cell)
    assert sum(p.size for p in model.parameters.layer(f"{cell}0").values()) == count
    assert model.parameters.flat.size == 7 * D + count + H * 7 + 7
    assert f"{count:,}" in model.summary()


def test_the_summary_shows_every_layer_with_its_shapes_in_80_columns():
    text = LanguageModel(10_000, embedding=100, hidden=128, layers=2).summary()
    for words in ("W 10000x100", "Wx 100x512 Wh 128x512 b 512", "lstm1", "W 128x10000 b 10000", "one-hot"):
        assert (words in text) == (words != "one-hot")
    assert max(map(len, text.splitlines())) <= 80


def in_dtype(states, dtype):
    return tuple(tuple(part.astype(dtype) for part in layer) for layer in states)


@given(models_and_batches_V_H_T_B())
def test_every_gradient_is_the_derivative_of_the_loss(case):
    model, batch, state = case
    _, gradients, _, dstate = model.loss_and_gradients(batch, state)
    loss = lambda: model.loss(batch, state)[0]
    for name, gradient in gradients.items():
        assert_gradient(gradient.copy(), loss, model.parameters[name], name)
    for k, (parts, dparts) in enumerate(zip(state, dstate, strict=True)):
        for part, array, gradient in zip(CELLS[model.cell].parts, parts, dparts, strict=True):
            assert_gradient(gradient, loss, array, f"{part}0 of layer {k}")


@given(models_and_batches_V_H_T_B())
def test_a_complex_step_from_ids_to_loss_gives_the_gradient(case):
    model, batch, state = case
    _, gradients, _, _ = model.loss_and_gradients(batch, state)
    perturbed = LanguageModel(**model.sizes() | {"dtype": np.complex128})
    direction = np.random.default_rng(0).standard_normal(model.parameters.flat.size)
    perturbed.parameters.flat[:] = model.parameters.flat + 1e-200j * direction
    derivative = perturbed.loss(batch, in_dtype(state, np.complex128))[0].imag / 1e-200
    scale = np.sum(np.abs(gradients.flat * direction))
    assert scale > 0
    assert abs(gradients.flat @ direction - derivative) <= 1e-12 * scale


@given(models_and_batches_V_H_T_B())
def test_the_loss_is_that_of_the_oracle(case):
    model, batch, _ = case
    oracle = naive_loss(model, batch)
    assert model.loss(batch)[0] == pytest.approx(oracle, rel=1e-12)
    assert model.loss_and_gradients(batch)[0] == pytest.approx(oracle, rel=1e-12)


@given(models_and_batches_V_H_T_B())
def test_float32_agrees_with_float64(case):
    model, batch, state = case
    narrow = LanguageModel(**model.sizes() | {"dtype": np.float32})
    narrow.parameters.flat[:] = model.parameters.flat
    state32 = in_dtype(state, np.float32)
    loss, gradients, _, _ = model.loss_and_gradients(batch, state)
    loss32, gradients32, final32, _ = narrow.loss_and_gradients(batch, state32)
    assert gradients32.flat.dtype == final32[0][0].dtype == np.float32
    assert loss32 == pytest.approx(loss, rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(gradients32.flat, gradients.flat, rtol=0, atol=1e-5)


@given(models_and_batches_V_H_T_B())
def test_a_text_cut_in_two_with_its_state_passed_on_equals_the_whole_text(case):
    model, batch, state = case
    whole, final = model.logits(batch.inputs, state=state)
    cut = len(batch.inputs) // 2
    outputs = []
    for part in (batch.inputs[:cut], batch.inputs[cut:]):
        logits, state = model.logits(part, state=state)
        outputs.append(logits)
    np.testing.assert_allclose(np.concatenate(outputs), whole, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(state, final, rtol=1e-12, atol=1e-13)


@given(models_and_batches_V_H_T_B(), st.integers(0, 2))
def test_the_last_logits_are_those_after_the_last_real_id_of_each_sequence(case, without):
    model, batch, state = case
    # some may have none
    lengths = np.where(np.arange(len(batch.lengths)) < without, 0, batch.lengths)
    last, final = model.logits(batch.inputs, lengths, state, last_only=True)
    all_of_them, same_final = model.logits(batch.inputs, lengths, state)
    assert last.shape == all_of_them.shape[1:] and last.dtype == all_of_them.dtype
    np.testing.assert_array_equal(final, same_final)
    for b, n in enumerate(lengths):
        if n:
            np.testing.assert_allclose(last[b], all_of_them[n - 1, b], rtol=1e-12, atol=1e-14)
        else:  # its prediction before it reads anything
            W, bias = (model.parameters["embedding.W"].T if model.tied else model.parameters["output.W"]), "output.b"
            np.testing.assert_allclose(last[b], state[-1][0][b] @ W + model.parameters[bias], rtol=1e-12, atol=1e-14)


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_ones():
    a, b, c = (LanguageModel(20, 5, 8, 2, seed=s).parameters.flat for s in (1, 1, 2))
    assert (a == b).all() and (a != c).any()


def test_all_parameters_are_one_vector():
    model = LanguageModel(7, 3, 4)
    model.parameters.flat[:] = 0
    assert not any(view.any() for view in model.parameters.values())
    batch = Batch(np.array([[1], [2]]), np.array([[2], [3]]))
    assert model.loss(batch)[0] == pytest.approx(np.log(7), rel=1e-6)


@pytest.mark.parametrize("name", ["vocab_size", "embedding", "hidden", "layers"])
@pytest.mark.parametrize("value", [0, -3, 1.5, "9"])
def test_impossible_sizes_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=name):
        LanguageModel(**{"vocab_size": 5, name: value})


def test_unknown_cells_and_dtypes_are_refused():
    with pytest.raises(InputError, match="cell must be one of lstm, gru, rnn, not 'lstn'"):
        LanguageModel(5, cell="lstn")
    with pytest.raises(InputError, match="dtype"):
        LanguageModel(5, dtype=np.int64)


@pytest.mark.parametrize(
    "inputs, targets, state, words",
    [
        ([[5]], [[0]], None, r"inputs must be at least 0 and below 5, but inputs\[0, 0\] is 5"),
        ([[0]], [[5]], None, "targets must be at least 0 and below 5"),
        ([[0.5]], [[1]], None, "inputs must be integers"),
        ([0], [1], None, r"inputs must have the shape \(T, B\), not \(1,\)"),
        ([[0]], [[1], [2]], None, "one shape"),
        ([[0]], [[1]], (), "one tuple for each of 1 layers"),
        ([[0]], [[1]], ((np.zeros((2, 4)), np.zeros((2, 4))),), "h of state\\[0\\] must have the shape"),
        ([[0]], [[1]], ((np.zeros((1, 4)),),), r"state\[0\] must be a tuple \(h, c\)"),
        ([[0]], [[1]], ((np.zeros((1, 4), np.float32),) * 2,), "must have the dtype float64"),
    ],
)
def test_wrong_batches_and_states_are_named(inputs, targets, state, words):
    model = LanguageModel(5, hidden=4, dtype=np.float64)
    with pytest.raises(InputError, match=words):
        model.loss(Batch(np.array(inputs), np.array(targets)), state)


@pytest.mark.parametrize("method", ["loss", "loss_and_gradients"])
@pytest.mark.parametrize("batch", [(np.zeros((2, 1), int),) * 2, np.zeros((2, 1), int), None], ids=["tuple", "array", "None"])
def test_what_is_no_batch_is_refused_with_what_to_build(method, batch):
    words = rf"^batch must be a Batch, not {type(batch).__name__}; build one with minilstm.models.Batch\("
    with pytest.raises(InputError, match=words):
        getattr(LanguageModel(5, hidden=2), method)(batch)


def test_logits_refuse_what_is_not_a_batch_of_ids():
    model = LanguageModel(5, hidden=4)
    with pytest.raises(InputError, match=r"shape \(T, B\)"):
        model.logits([1, 2])
    with pytest.raises(InputError, match="below 5"):
        model.logits([[7]])


# ---- tied embeddings -----------------------------------------------------------------


@given(models_and_batches_V_H_T_B().filter(lambda case: case[0].tied))
def test_the_gradient_of_a_tied_table_is_the_sum_of_both_uses(case):
    model, batch, state = case
    untied = LanguageModel(**model.sizes() | {"tied": False})
    assert set(untied.parameters) - set(model.parameters) == {"output.W"}
    for name, view in untied.parameters.items():
        view[...] = model.parameters["embedding.W"].T if name == "output.W" else model.parameters[name]
    loss, gradients, final, dstate = model.loss_and_gradients(batch, state)
    other_loss, others, other_final, other_dstate = untied.loss_and_gradients(batch, state)
    assert loss == pytest.approx(other_loss, rel=1e-14)
    for name, gradient in gradients.items():
        other = others[name] + others["output.W"].T if name == "embedding.W" else others[name]
        np.testing.assert_allclose(gradient, other, rtol=1e-12, atol=1e-15)
    assert np.abs(others["embedding.W"]).max() > 0 and np.abs(others["output.W"]).max() > 0
    np.testing.assert_array_equal(final, other_final)
    np.testing.assert_allclose(dstate, other_dstate, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        model.logits(batch.inputs, state=state)[0], untied.logits(batch.inputs, state=state)[0], rtol=1e-12, atol=1e-14
    )


def test_gradients_of_a_tied_table_do_not_accumulate_from_call_to_call():
    model, batch = random_case(5, 3, 3, 2, 4, 2, tied=True)
    first = model.loss_and_gradients(batch)[1].flat.copy()
    np.testing.assert_array_equal(model.loss_and_gradients(batch)[1].flat, first)


@pytest.mark.parametrize(
    "sizes, words",
    [
        (dict(hidden=4), "an embedding as wide as the hidden layer, 4; there is none"),
        (dict(hidden=4, embedding=5), "an embedding as wide as the hidden layer, 4; there is one of width 5"),
    ],
)
def test_matrices_that_cannot_be_tied_are_refused(sizes, words):
    with pytest.raises(InputError, match=words):
        LanguageModel(7, tied=True, **sizes)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("tied", [False, True])
def test_the_sizes_of_a_model_rebuild_it(cell, tied):
    model = LanguageModel(6, 4, 4, 2, cell, 0.25, tied, seed=3, dtype=np.float64)
    sizes = model.sizes()
    assert json.loads(json.dumps(sizes)) == sizes
    again = LanguageModel(**sizes)
    assert again.sizes() == sizes and again.parameters.shapes == model.parameters.shapes
    np.testing.assert_array_equal(again.parameters.flat, model.parameters.flat)
    assert again.summary() == model.summary()


def test_the_summary_shows_dropout_and_tied_weights():
    text = LanguageModel(50, 8, 8, 2, "gru", dropout=0.25, tied=True).summary()
    assert "dropout of 0.25 before each layer but the first" in text
    assert "bx 24 bh 24" in text and re.search(r"^output +tied +b 50 +50$", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 80
    assert "dropout" not in LanguageModel(50).summary() and "tied" not in LanguageModel(50).summary()
