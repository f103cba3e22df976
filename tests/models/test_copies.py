"""Copies and pickles continue bit for bit like the original, independently of it."""

import copy
import pickle

import numpy as np
import pytest

from minilstm import GRU, LSTM, RNN, SGD, Adam, CharTokenizer, InputError, LanguageModel, RMSprop
from minilstm.corpora.headlines import headlines
from minilstm.data.batches import CorpusBatches, SequenceBatches
from minilstm.data.windows import WindowBatches
from minilstm.generation.sampling import generate
from minilstm.interop import load_keras, load_torch, to_keras, to_torch
from minilstm.layers import Workspace
from minilstm.models.batch import Batch
from minilstm.models.per_token import PerTokenReplica
from minilstm.params import ParameterVector
from minilstm.training.callbacks import ValidationLoss, History
from minilstm.training.checkpoint import Checkpoint, load, save
from minilstm.training.loop import Training, fit, train_steps

TOKENIZER = CharTokenizer.fit(["abcdef"])
V = TOKENIZER.vocab_size
WAYS = {"deepcopy": copy.deepcopy, "copy": copy.copy, "pickle": lambda thing: pickle.loads(pickle.dumps(thing))}
EACH_WAY = pytest.mark.parametrize("duplicate", WAYS.values(), ids=WAYS)
DEEP = pytest.mark.parametrize("duplicate", [WAYS["deepcopy"], WAYS["pickle"]], ids=["deepcopy", "pickle"])
MODELS = {
    "one-hot": dict(),
    "tied": dict(embedding=6, tied=True),
    "dropout": dict(embedding=3, layers=2, dropout=0.3),
    "gru": dict(cell="gru", layers=2),
    "rnn": dict(cell="rnn", embedding=6, tied=True, dropout=0.2),
}
EACH_MODEL = pytest.mark.parametrize("sizes", MODELS.values(), ids=MODELS)


def small_run(sizes, optimizer=Adam(0.02)):
    return Training.begin(LanguageModel(V, hidden=6, **sizes), optimizer, np.random.default_rng(3))


def batches():
    ids = np.random.default_rng(0).integers(1, 7, 60)
    # 5 steps per epoch; the state passes from window to window
    return WindowBatches(ids, 3, 4, TOKENIZER.eos_id)


def batch():
    ids = np.random.default_rng(1).integers(1, 7, (2, 4, 3))
    return Batch(ids[0], ids[1], np.array([4, 2, 3]))


def is_one_memory(model):
    """Whether the flat vector shares its memory with names, layers and gradients."""
    before = model.loss(batch())[0]
    model.parameters.flat += np.random.default_rng(5).normal(0, 0.3, model.parameters.flat.size).astype(model.dtype)
    gradients = model.loss_and_gradients(batch())[1]
    return (
        model.loss(batch())[0] != before
        and all(np.shares_memory(view, vector.flat) for vector in (model.parameters, gradients) for view in vector.values())
        and np.linalg.norm(gradients.flat) > 0
    )


@EACH_WAY
@EACH_MODEL
def test_a_copied_model_trains_as_the_original_and_does_not_change_it(sizes, duplicate):
    run = small_run(sizes)
    model, start = run.model, run.model.parameters.flat.copy()
    model.loss_and_gradients(batch())  # so that there are gradients and buffers to copy
    copied = duplicate(model)
    assert copied.sizes() == model.sizes() and not np.shares_memory(copied.parameters.flat, model.parameters.flat)
    gradients = model.loss_and_gradients(batch())[1].flat.copy()
    fit(Training.begin(copied, Adam(0.02), np.random.default_rng(3)), batches(), steps=7)
    np.testing.assert_array_equal(model.parameters.flat, start)
    np.testing.assert_array_equal(model.loss_and_gradients(batch())[1].flat, gradients)
    fit(run, batches(), steps=7)
    assert (model.parameters.flat != start).any()
    np.testing.assert_array_equal(copied.parameters.flat, model.parameters.flat)
    assert is_one_memory(copied) and is_one_memory(model)


@EACH_WAY
@EACH_MODEL
@pytest.mark.parametrize("optimizer", [Adam(0.02), RMSprop(0.02, momentum=0.5), SGD(0.5, 0.5)], ids=lambda o: o.kind)
def test_a_run_copied_in_its_middle_continues_with_the_same_bits(sizes, optimizer, duplicate):
    watch = lambda: [ValidationLoss(batches()), History(2)]
    run = fit(small_run(sizes, optimizer), batches(), steps=7, callbacks=watch())
    assert run.position == 2 and run.state is not None
    copied, kept = duplicate(run), pickle.dumps(run)
    fit(copied, batches(), steps=13, callbacks=watch())
    assert pickle.dumps(run) == kept, "the original has been disturbed"
    fit(run, batches(), steps=13, callbacks=watch())
    np.testing.assert_array_equal(copied.model.parameters.flat, run.model.parameters.flat)
    np.testing.assert_array_equal(copied.state, run.state)
    for ours, other in zip(copied.optimizer_state, run.optimizer_state):
        np.testing.assert_array_equal(ours, other)
    losses = lambda training: [(row.step, row.train_loss, row.valid_loss) for row in training.history]
    assert losses(copied) == losses(run) and len(run.history) > 6 and copied.rng.random() == run.rng.random()


@EACH_WAY
def test_a_run_is_copied_between_two_steps_of_its_iterator(duplicate):
    run, copies = small_run(MODELS["dropout"]), []
    for record in train_steps(run, batches(), steps=8):
        copies.append(duplicate(run))
    for step, copied in enumerate(copies, 1):
        assert copied.step == step
        fit(copied, batches(), steps=8)
        np.testing.assert_array_equal(copied.model.parameters.flat, run.model.parameters.flat)


@DEEP
def test_a_copied_checkpoint_is_saved_as_the_original_and_has_one_model(duplicate, tmp_path):
    run = fit(small_run(MODELS["dropout"]), batches(), steps=7)
    checkpoint = Checkpoint(run, TOKENIZER, {"prompts": ["a"]})
    copied = duplicate(checkpoint)
    fit(copied.training, batches(), steps=9)
    assert run.step == 7 and is_one_memory(copied.training.model)
    save(tmp_path / "model.npz", duplicate(checkpoint))
    again = load(tmp_path / "model.npz").training
    np.testing.assert_array_equal(again.model.parameters.flat, run.model.parameters.flat)
    going_on = [fit(training, batches(), steps=9).model.parameters.flat for training in (again, run)]
    np.testing.assert_array_equal(*going_on)


def test_a_shallow_copy_of_a_checkpoint_shares_the_run():
    checkpoint = Checkpoint(small_run({}), TOKENIZER, {})
    assert copy.copy(checkpoint).training is checkpoint.training


@EACH_WAY
@EACH_MODEL
@pytest.mark.parametrize("out, load_into", [(to_torch, load_torch), (to_keras, load_keras)], ids=["torch", "keras"])
def test_weights_that_are_loaded_into_a_copy_change_all_of_it(sizes, duplicate, out, load_into):
    source, model = (LanguageModel(V, hidden=6, seed=seed, **sizes) for seed in (1, 2))
    copied, start = duplicate(model), model.parameters.flat.copy()
    load_into(copied, out(source))
    np.testing.assert_array_equal(copied.parameters.flat, source.parameters.flat)
    np.testing.assert_array_equal(copied.logits(batch().inputs)[0], source.logits(batch().inputs)[0])
    write = lambda model: generate(model, TOKENIZER, ["ab"], 20, rng=np.random.default_rng(0))
    assert write(copied) == write(source)
    np.testing.assert_array_equal(copied.loss_and_gradients(batch())[1].flat, source.loss_and_gradients(batch())[1].flat)
    np.testing.assert_array_equal(model.parameters.flat, start)


@DEEP
def test_a_model_and_its_views_stay_together_when_copied_together(duplicate):
    model = LanguageModel(V, hidden=6)
    for order in (1, -1):
        parts = duplicate(dict([("model", model), ("parameters", model.parameters), ("flat", model.parameters.flat)][::order]))
        copied = parts["model"]
        assert parts["parameters"] is copied.parameters and parts["flat"] is copied.parameters.flat
        assert copied.parameters.flat is not model.parameters.flat and is_one_memory(copied)


class Named(LanguageModel):
    """A model class of a user."""

    note = ""


@EACH_WAY
def test_a_copy_has_the_class_and_the_attributes_of_the_original(duplicate):
    model = Named(V, hidden=6)
    model.note = "mine"
    copied = duplicate(model)
    assert type(copied) is Named and copied.note == "mine" and is_one_memory(copied)


@EACH_WAY
def test_a_vector_and_its_views_stay_one_memory(duplicate):
    vector = ParameterVector({"a.W": (2, 3), "a.b": (3,)}, np.float64)
    vector.flat[:] = np.arange(9)
    copied = duplicate(vector)
    copied.flat[0], copied["a.b"][2] = 10, 20
    assert copied["a.W"][0, 0] == 10 and copied.flat[8] == 20
    assert copied.shapes == vector.shapes and list(copied) == list(vector)
    np.testing.assert_array_equal(vector.flat, np.arange(9))


@EACH_WAY
@EACH_MODEL
def test_a_copied_replica_computes_and_writes_gradients_as_the_original(sizes, duplicate):
    model = LanguageModel(V, hidden=6, **sizes)
    for gradients_first in (False, True):
        replica, shard = PerTokenReplica(model._layers, model.parameters, model.tied), model._check_batch(batch(), None, None)
        (replica.loss_and_gradients if gradients_first else replica.loss)(shard)
        copied = duplicate(replica)
        if gradients_first:
            np.testing.assert_array_equal(copied.gradients.flat, replica.gradients.flat)
            copied.gradients.flat[:] = np.nan
        assert copied.loss_and_gradients(shard)[0] == replica.loss_and_gradients(shard)[0]
        np.testing.assert_array_equal(copied.gradients.flat, replica.gradients.flat)
        copied.parameters.flat *= 2
        assert copied.loss(shard)[0] != replica.loss(shard)[0] and np.linalg.norm(replica.gradients.flat) > 0


# ---- caches, workspaces, optimizers, data --------------------------------------------


@DEEP
@pytest.mark.parametrize("layer", [LSTM(3, 4), GRU(3, 4), RNN(3, 4)], ids=lambda layer: type(layer).__name__)
def test_a_copied_cache_works_backward_independently_of_the_original(layer, duplicate):
    rng, work = np.random.default_rng(0), Workspace()
    params, x = layer.init(rng, float), rng.standard_normal((5, 2, 3))
    h, _, stale = layer.forward(params, x, workspace=work)
    h, _, cache = layer.forward(params, x, workspace=work)
    expected = [a.copy() for a in layer.backward(params, h, cache)[2].values()]
    copied, other, copied_work = duplicate([cache, stale, work])
    assert copied.workspace is other.workspace is copied_work is not work
    layer.forward(params, -x, workspace=work)
    with pytest.raises(InputError, match="cache is out of date"):
        layer.backward(params, h, cache)
    with pytest.raises(InputError, match="cache is out of date"):
        layer.backward(params, h, other)
    found = layer.backward(params, h, copied)[2].values()
    assert all(np.abs(a).max() > 0 for a in expected)
    np.testing.assert_equal([a for a in found], expected)
    layer.forward(params, -x, workspace=copied_work)
    with pytest.raises(InputError, match="cache is out of date"):
        layer.backward(params, h, copied)


@EACH_WAY
def test_a_copied_workspace_shares_no_memory(duplicate):
    work = Workspace()
    array = work.empty("x", (3,), float)
    assert not np.shares_memory(duplicate(work).empty("x", (3,), float), array)


@EACH_WAY
@pytest.mark.parametrize("optimizer", [Adam(), RMSprop(momentum=0.5), SGD(0.1, 0.5)], ids=lambda o: o.kind)
def test_optimizers_and_their_states_are_copied_completely(optimizer, duplicate):
    theta, g = np.ones(4), np.arange(1.0, 5)
    state = optimizer.step(theta, g, optimizer.init(theta))
    assert duplicate(optimizer) == optimizer
    copied_theta, copied = theta.copy(), duplicate(state)
    assert type(copied) is type(state) and copied.t == 1
    kept = [array.copy() for array in state[:-1]]
    copied = optimizer.step(copied_theta, g, copied)
    np.testing.assert_array_equal(state[:-1], kept)
    state = optimizer.step(theta, g, state)
    np.testing.assert_array_equal(theta, copied_theta)
    assert copied.t == state.t == 2
    np.testing.assert_array_equal(copied[:-1], state[:-1])


@EACH_WAY
def test_copied_batches_are_the_same_batches(duplicate):
    sequences = [np.arange(1, n) for n in range(3, 9)]
    corpus, tokenizer = headlines(), CharTokenizer.fit(headlines().sample_many(50, np.random.default_rng(0)))
    for data in (batches(), SequenceBatches(sequences, 2, 7), CorpusBatches(corpus, tokenizer, 6, 3)):
        pairs = list(zip(duplicate(data).epoch(np.random.default_rng(1)), data.epoch(np.random.default_rng(1)), strict=True))
        assert pairs
        for ours, other in pairs:
            np.testing.assert_array_equal(ours.inputs, other.inputs)
            np.testing.assert_array_equal(ours.targets, other.targets)
