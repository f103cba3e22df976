"""Checkpoints of models of every shape: the same bits again, and what does not fit together is refused."""

import io
import json

import numpy as np
import pytest

from minilstm import Adam, CharTokenizer
from minilstm.data.pairs import LabelledBatches, PairBatches, TaggedBatches, VectorBatches
from minilstm.errors import CheckpointError
from minilstm.models import Captioner, Classifier, EncoderDecoder, Tagger
from minilstm.training.checkpoint import Checkpoint, load, save
from minilstm.training.loop import Training, evaluate, fit

SOURCE, TARGET = CharTokenizer(("a", "b", "c")), CharTokenizer(("x", "y"))
RNG = np.random.default_rng(0)
IDS = [RNG.integers(1, 4, n) for n in (3, 1, 4, 2, 5, 2)]
YS = [RNG.integers(1, 3, n) for n in (2, 3, 1, 2, 4, 1)]
VECTORS = [v.astype(np.float32) for v in RNG.normal(size=(6, 4))]

RUNS = {
    "classifier": (
        lambda: Classifier(2, vocab_size=5, hidden=4, bidirectional=True, dropout=0.2),
        LabelledBatches(IDS, [0, 1, 0, 1, 1, 0], 2),
        {"tokenizer": SOURCE, "labels": ("no", "yes")},
    ),
    "vectors": (
        lambda: Classifier(2, features=4, hidden=4, pooling="mean"),
        LabelledBatches([np.stack(VECTORS[:n]) for n in (1, 2, 3, 4, 5, 6)], [0, 1, 0, 1, 1, 0], 2),
        {"tokenizer": None, "labels": ("no", "yes")},
    ),
    "tagger": (
        lambda: Tagger(3, vocab_size=5, hidden=4, cell="gru"),
        TaggedBatches(IDS, [ids % 3 for ids in IDS], 2),
        {"tokenizer": SOURCE, "labels": ("0", "1", "2")},
    ),
    "encoder-decoder": (
        lambda: EncoderDecoder(5, 4, 3, 4, attention=3, layers=2),
        PairBatches(IDS, YS, 2, 1, 0, 3),
        {"tokenizer": SOURCE, "target_tokenizer": TARGET},
    ),
    "captioner": (
        lambda: Captioner(4, 4, hidden=4),
        VectorBatches(VECTORS, YS, 2, 1, 0, 3),
        {"tokenizer": TARGET},
    ),
}


def begin(kind):
    make, batches, others = RUNS[kind]
    training = Training.begin(make(), Adam(0.01), np.random.default_rng(1))
    return Checkpoint(training, settings={"task": kind}, **others), batches


@pytest.mark.parametrize("kind", RUNS)
def test_a_resumed_run_reaches_the_same_bits(kind, tmp_path):
    straight, batches = begin(kind)
    fit(straight.training, batches, steps=7)
    stopped, _ = begin(kind)
    fit(stopped.training, batches, steps=4)
    save(tmp_path / "model.npz", stopped)
    resumed = load(tmp_path / "model.npz")
    assert resumed.tokenizer == stopped.tokenizer and resumed.labels == stopped.labels
    assert resumed.target_tokenizer == stopped.target_tokenizer
    assert type(resumed.training.model) is type(stopped.training.model)
    fit(resumed.training, batches, steps=7)
    flat = straight.training.model.parameters.flat
    assert np.array_equal(resumed.training.model.parameters.flat, flat)
    assert evaluate(resumed.training.model, batches) == evaluate(straight.training.model, batches)


def test_training_lowers_the_loss_of_every_shape():
    for kind in RUNS:
        checkpoint, batches = begin(kind)
        before = evaluate(checkpoint.training.model, batches)
        fit(checkpoint.training, batches, epochs=80)
        assert evaluate(checkpoint.training.model, batches) < 0.7 * before, kind


def changed(path, change):
    """The file, its configuration changed."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    configuration = json.loads(arrays["configuration"].tobytes())
    change(configuration)
    arrays["configuration"] = np.frombuffer(json.dumps(configuration).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    path.write_bytes(buffer.getvalue())


@pytest.mark.parametrize(
    "kind, change, words",
    [
        ("classifier", lambda c: c["model"].update(kind="transformer"), "kind 'transformer', which is not among"),
        ("classifier", lambda c: c.update(labels=["no"]), "1 labels, but a model of 2"),
        ("classifier", lambda c: c.update(labels=[]), "no labels, but a model of 2"),
        ("classifier", lambda c: c.update(tokenizer=None), "a tokenizer of no ids, but a model of 5"),
        ("captioner", lambda c: c.update(labels=["no"]), "1 labels, but a model of none"),
        ("encoder-decoder", lambda c: c.update(target_tokenizer=c["tokenizer"]), "5 target ids, but a model of 4"),
        ("vectors", lambda c: c["model"].update(features=5), "lstm0.Wx as float32"),
        ("encoder-decoder", lambda c: c["model"].update(attention=None), "unknown array, parameters/decoder.attention"),
    ],
)
def test_what_does_not_fit_together_is_refused(kind, change, words, tmp_path):
    path = tmp_path / "model.npz"
    save(path, begin(kind)[0])
    assert load(path).settings == {"task": kind}
    changed(path, change)
    with pytest.raises(CheckpointError, match=words):
        load(path)
