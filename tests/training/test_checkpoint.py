"""Checkpoints: everything is restored; damaged or hostile files are refused."""

import dataclasses
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from minilstm import SGD, Adam, CharTokenizer, CheckpointError, InputError, LanguageModel, RMSprop
from minilstm.data.batches import SequenceBatches
from minilstm.data.windows import WindowBatches
from minilstm.training.checkpoint import FORMAT, Checkpoint, load, save
from minilstm.training.loop import HistoryRow, Training, fit

TOKENIZER = CharTokenizer.fit(["abcab\ud800"])
IDS = [np.array([1, 2, 3, 1, 2, 4])] * 8
ADAM = Adam(0.01, beta2=0.9)
OPTIMIZERS = [ADAM, Adam(0.02, epsilon_hat=True), RMSprop(0.02, 0.8, 0.5), SGD(0.1), SGD(0.1, 0.5, nesterov=True)]


def trained(batches=None, steps=3, embedding=3, layers=2, optimizer=ADAM):
    model = LanguageModel(TOKENIZER.vocab_size, embedding, 4, layers)
    run = Training.begin(model, optimizer, np.random.default_rng(0))
    fit(run, batches or SequenceBatches(IDS, 2, TOKENIZER.eos_id), steps=steps)
    run.history.append(HistoryRow(1, 3, 1.5, None, 0.25, 100.0, 2.5))
    run.samples.append("epoch 1\nab\ud800")
    return Checkpoint(run, TOKENIZER, {"source": "x", "window": None})


@pytest.fixture
def path(tmp_path):
    save(tmp_path / "model.npz", trained())
    return tmp_path / "model.npz"


def contents(path):
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def rewrite(path, change):
    """Replace the saved configuration or arrays by changed ones."""
    arrays = contents(path)
    configuration = json.loads(arrays.pop("configuration").tobytes())
    change(configuration, arrays)
    np.savez(path, configuration=np.frombuffer(json.dumps(configuration).encode(), np.uint8), **arrays)


def drop(name):
    return lambda configuration, arrays: arrays.pop(name)


def put(name, array):
    return lambda configuration, arrays: arrays.update({name: array})


def configure(section, key, value):
    return lambda configuration, arrays: (configuration[section] if section else configuration).update({key: value})


@pytest.mark.parametrize("running_text", [False, True])
def test_everything_is_loaded_as_it_was_saved(tmp_path, running_text):
    batches = WindowBatches(np.concatenate(IDS), 2, 5, TOKENIZER.eos_id) if running_text else None
    kept = trained(batches)
    save(tmp_path / "model.npz", kept)
    back = load(tmp_path / "model.npz")
    before, after = kept.training, back.training
    assert back.tokenizer == TOKENIZER and back.settings == kept.settings
    np.testing.assert_array_equal(after.model.parameters.flat, before.model.parameters.flat)
    assert after.model.parameters.shapes == before.model.parameters.shapes
    np.testing.assert_array_equal(after.optimizer_state.m, before.optimizer_state.m)
    np.testing.assert_array_equal(after.optimizer_state.v, before.optimizer_state.v)
    assert after.optimizer_state.t == 3 and after.optimizer == before.optimizer
    assert after.rng.bit_generator.state == before.rng.bit_generator.state
    for name in ("epoch", "position", "step", "seconds", "nats", "tokens", "history", "samples"):
        assert getattr(after, name) == getattr(before, name), name
    assert (before.state is not None) == (after.state is not None) == running_text
    if running_text:
        assert np.abs(before.state[1][1]).max() > 0
        np.testing.assert_array_equal(after.state, before.state)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_every_optimizer_is_loaded_with_its_state_and_continues_to_the_same_bits(tmp_path, optimizer):
    batches, path = SequenceBatches(IDS, 2, TOKENIZER.eos_id), tmp_path / "model.npz"
    kept = trained(batches, steps=5, optimizer=optimizer)
    save(path, kept)
    before, after = kept.training, load(path).training
    assert after.optimizer == optimizer and type(after.optimizer_state) is optimizer.State and after.optimizer_state.t == 5
    for old, new in zip(before.optimizer_state[:-1], after.optimizer_state[:-1]):
        assert old.any()
        np.testing.assert_array_equal(new, old)
    fit(before, batches, steps=9)
    fit(after, batches, steps=9)
    assert (after.model.parameters.flat == before.model.parameters.flat).all()


def test_an_optimizer_of_an_unknown_kind_is_not_saved(path):
    @dataclasses.dataclass(frozen=True)
    class Mine(SGD):
        pass

    old = path.read_bytes()
    with pytest.raises(InputError, match=r"Mine\(.*OPTIMIZERS has its class as 'sgd'"):
        save(path, trained(optimizer=Mine(0.1)))
    assert path.read_bytes() == old


@pytest.mark.parametrize("running_text", [False, True])
def test_a_run_that_was_saved_and_loaded_at_any_step_ends_with_the_same_bits(tmp_path, running_text):
    batches = SequenceBatches(IDS, 2, TOKENIZER.eos_id)
    if running_text:
        batches = WindowBatches(np.concatenate(IDS), 2, 5, TOKENIZER.eos_id)
    whole = fit(trained(batches, steps=1).training, batches, steps=14)
    for cut in range(2, 14):
        save(tmp_path / "model.npz", trained(batches, steps=cut))
        resumed = fit(load(tmp_path / "model.npz").training, batches, steps=14)
        assert (resumed.model.parameters.flat == whole.model.parameters.flat).all(), f"saved after step {cut}"


def test_a_file_cut_off_at_any_byte_is_refused(path):
    data = path.read_bytes()
    for length in [*range(0, len(data), 37), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError):
            load(path)


def test_a_file_with_any_byte_changed_is_refused_or_the_same(path):
    data, whole = path.read_bytes(), load(path)
    refused = 0
    for place in range(0, len(data), 23):
        damaged = bytearray(data)
        damaged[place] ^= 0x5A
        path.write_bytes(damaged)
        try:
            back = load(path)
        except CheckpointError:
            refused += 1
        else:  # a byte without meaning, such as a date
            np.testing.assert_array_equal(back.training.model.parameters.flat, whole.training.model.parameters.flat)
    assert refused > 0.8 * len(range(0, len(data), 23))


SIZE = trained().training.model.parameters.flat.size
NAN = np.full(16, np.nan, np.float32)


@pytest.mark.parametrize(
    "change, words",
    [
        (configure(None, "format", FORMAT + 1), f"has format {FORMAT + 1}; this version of minilstm reads format {FORMAT}$"),
        (drop("parameters/lstm1.Wh"), "lacks the array parameters/lstm1.Wh"),
        (drop("optimizer/v"), "lacks the array optimizer/v"),
        (put("parameters/lstm2.b", NAN), "an unknown array, parameters/lstm2.b"),
        (put("parameters/lstm1.b", NAN), "NaN or infinite numbers in parameters/lstm1.b"),
        (put("optimizer/m", np.full(SIZE, np.inf, np.float32)), "NaN or infinite numbers in optimizer/m"),
        (put("optimizer/v", np.full(SIZE, np.nan, np.float32)), "NaN or infinite numbers in optimizer/v"),
        (configure("progress", "position", -1), "has -1 for position, which must be"),
        (configure("progress", "epoch", 1.5), "has 1.5 for epoch"),
        (configure("progress", "tokens", "many"), "has 'many' for tokens"),
        (put("parameters/lstm1.b", np.zeros(15, np.float32)), r"parameters/lstm1.b as float32 \(15,\)"),
        (put("parameters/lstm1.b", np.zeros(16)), "parameters/lstm1.b as float64"),
        (configure("model", "hidden", 5), "but its configuration needs"),
        (configure("model", "hidden", 10**9), "but its configuration needs"),
        (configure("model", "layers", 10**9), "has 1000000000 layers in its configuration"),
        (configure("model", "layers", 3), "lacks the array parameters/lstm2.Wh"),
        (configure("model", "hidden", -1), "invalid configuration"),
        (configure("model", "hidden", "4"), "invalid configuration"),
        (configure("model", "cell", "brain"), "invalid configuration"),
        (configure("model", "vocab_size", 7), "tokenizer of 6 ids, but a model of 7"),
        (configure("model", "dtype", "object"), "object"),
        (configure("tokenizer", "tokens", ["a", "a"]), "duplicate"),
        (configure("optimizer", "momentum", 1), "invalid configuration"),
        (configure("optimizer", "learning_rate", -1), "invalid configuration"),
        (configure("optimizer", "kind", "brain"), "trained by the optimizer 'brain', which is not among adam, rmsprop, sgd"),
        (configure("optimizer", "kind", ["adam"]), "invalid configuration"),
        (configure("optimizer", "kind", "sgd"), "invalid configuration"),
        (configure(None, "optimizer", {"kind": "sgd"}), "lacks the array optimizer/velocity"),
        (configure(None, "optimizer", {}), "invalid configuration"),
        (put("optimizer/velocity", np.zeros(3, np.float32)), "an unknown array, optimizer/velocity"),
        (put("optimizer/m", np.zeros(3, np.float32)), r"optimizer/m as float32 \(3,\)"),
        (configure(None, "format", 0), "has format 0"),
        (configure(None, "format", None), "has format None"),
        (configure(None, "rng", {"bit_generator": "Dice"}), "invalid configuration"),
        (configure(None, "progress", None), "invalid configuration"),
        (configure("progress", "state_batch", 3), "lacks the array state/0/c"),
        (configure(None, "history", [[1, 2]]), "invalid configuration"),
        (lambda configuration, arrays: configuration.pop("settings"), "invalid configuration"),
    ],
)
def test_a_file_whose_parts_contradict_each_other_is_refused(path, change, words):
    rewrite(path, change)
    with pytest.raises(CheckpointError, match=words) as refusal:
        load(path)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


def as_npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


class Bomb:
    """A hostile pickle."""

    def __reduce__(self):
        return os.system, ("echo this must never run > exploded",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a model",
        b"\x00" * 1000,
        pickle.dumps(Bomb()),
        as_npz(configuration=np.array([Bomb()], dtype=object)),
        as_npz(other=np.zeros(3)),
        as_npz(configuration=np.frombuffer(b"[1, 2", np.uint8)),
        as_npz(configuration=np.frombuffer(b"[1, 2]", np.uint8)),
        as_npz(configuration=np.frombuffer(b"[" * 100_000, np.uint8)),
        as_npz(configuration=np.frombuffer(b"\xff\xfe", np.uint8)),
        (lambda file: (np.save(file, np.zeros(3)), file.getvalue())[1])(io.BytesIO()),
        (lambda file: (zipfile.ZipFile(file, "w").close(), file.getvalue())[1])(io.BytesIO()),
    ],
)
def test_a_file_that_is_not_a_model_is_refused_and_never_unpickled(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.npz").write_bytes(data)
    with pytest.raises(CheckpointError, match="model.npz"):
        load(tmp_path / "model.npz")
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


def test_a_missing_file_and_a_folder_are_input_errors(tmp_path):
    for place in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(InputError, match="there is no model"):
            load(place)


def test_when_the_disk_is_full_the_old_checkpoint_stays(path, monkeypatch):
    old = path.read_bytes()

    def no_space(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        save(path, trained(steps=9))
    assert path.read_bytes() == old and list(path.parent.iterdir()) == [path]


def test_only_generators_that_can_be_saved_are_accepted():
    for rng in (np.random.Generator(np.random.Philox(0)), np.random.RandomState(0), 0, None):
        with pytest.raises(InputError, match="default_rng"):
            Training.begin(LanguageModel(5, hidden=2), Adam(), rng)
