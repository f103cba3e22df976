"""``minilstm check --model``: every gradient of a small model of each sequence shape."""

import re

import pytest

from minilstm.cli import check, defaults
from minilstm.cli.defaults import SIZES_OF
from minilstm.layers.pooling import KINDS as POOLINGS
from minilstm.models import MODELS, Captioner, Classifier, EncoderDecoder, Tagger
from tests.helpers.commands import refused

SMALL = "V=4,E=2,H=4,L=1,T=3,B=2"
ROWS = [  # options, how many gradients there are
    (["classifier"], 6),
    (["classifier", "--bidirectional"], 9),
    (["classifier", "--pooling", "last", "--cell", "rnn"], 6),
    (["classifier", "--pooling", "mean", "--cell", "gru"], 7),
    (["classifier", "--pooling", "max", "--bidirectional"], 9),
    (["tagger"], 6),
    (["tagger", "--bidirectional", "--cell", "gru"], 11),
    (["encoder-decoder"], 15),
    (["encoder-decoder", "--bidirectional", "--reverse-source"], 18),
    (["encoder-decoder", "--cell", "gru", "--reverse-source"], 12),
    (["encoder-decoder", "--cell", "lstm", "--bidirectional"], 18),
    (["captioner"], 4 + 6 + 1),
    (["captioner", "--cell", "gru"], 2 + 7 + 1),
]


@pytest.mark.parametrize("options, rows", [
    pytest.param(options, rows, marks=[pytest.mark.thorough] if "--cell" in options else [], id=" ".join(options))
    for options, rows in ROWS
])
def test_every_gradient_of_a_model_is_right_to_1e_12(run, options, rows):
    status, out, error = run("check", "--sizes", SMALL, "--model", *options, "--seed", 1)
    assert (status, error) == (0, "")
    right = [line for line in out.splitlines() if line.endswith(" ok")]
    assert len(right) == rows and f"{rows} of {rows} gradients are right to a relative error of 1e-12" in out
    assert max(float(line.split()[3]) for line in right) <= 1e-12
    assert max(map(len, out.splitlines())) <= 80
    for option, name in (("--bidirectional", "_reverse.Wh"), ("captioner", "\nvectors ")):
        assert (name in out) == (option in options)
    assert ("decoder.attention.v" in out) == (options[0] == "encoder-decoder" and "gru" not in options)


@pytest.mark.parametrize("model", ["classifier", "tagger", "encoder-decoder", "captioner"])
def test_dropout_and_two_layers_are_checked_too(run, model):
    status, out, error = run("check", "--model", model, "--dropout", "0.4", "--sizes", SMALL.replace("L=1", "L=2"))
    assert (status, error) == (0, "") and "dropout of 0.4" in out and " WRONG" not in out


def test_attention_can_be_left_out(run):
    status, out, _ = run("check", "--model", "encoder-decoder", "--sizes", SMALL + ",K=0,S=2")
    assert status == 0 and "attention" not in out and "10 of 10" in out
    assert "2 random pairs: sources of up to 2 time steps, targets of up to 3, seed 0" in out


def test_one_hot_input_has_no_embedding(run):
    status, out, _ = run("check", "--model", "tagger", "--sizes", SMALL.replace("E=2", "E=0"))
    assert status == 0 and "embedding" not in out and "5 of 5" in out


def test_the_models_and_poolings_are_those_of_the_engine(run):
    assert {model.replace("-", " ") for model in SIZES_OF} == {model.replace("-", " ") for model in MODELS}
    assert defaults.POOLINGS == tuple(POOLINGS)
    for pooling in POOLINGS:
        assert run("check", "--model", "classifier", "--pooling", pooling, "--sizes", "V=3,E=2,H=2,L=1,T=2,B=2")[0] == 0


@pytest.mark.parametrize(
    "model, kind, name",
    [("classifier", Classifier, "lstm1.Wh"), ("tagger", Tagger, "lstm1.Wh"),
     ("encoder-decoder", EncoderDecoder, "encoder.lstm1.Wh"), ("captioner", Captioner, "lstm1.Wh")],
)
def test_a_wrong_gradient_ends_with_status_1_and_says_where(run, monkeypatch, model, kind, name):
    def wrong(self, batch, state=None, rng=None, right=kind.loss_and_gradients):
        loss, gradients, *states = right(self, batch, state, rng)
        gradients[name][1, 3] *= 1.01
        return loss, gradients, *states

    monkeypatch.setattr(kind, "loss_and_gradients", wrong)
    status, out, _ = run("check", "--model", model, "--sizes", SMALL.replace("L=1", "L=2"))
    assert status == 1 and out.count("WRONG") == 1
    assert re.search(re.escape(name) + r"\[1, 3\]: your gradient is -?\d", out.replace("\n", " "))


def test_a_wrong_gradient_of_the_vectors_is_found(run, monkeypatch):
    right = Captioner.vector_gradients
    monkeypatch.setattr(Captioner, "vector_gradients", lambda *arguments: 2 * right(*arguments))
    status, out, _ = run("check", "--model", "captioner", "--sizes", SMALL)
    assert status == 1 and out.count("WRONG") == 1 and "vectors[" in out


@pytest.mark.parametrize(
    "options, words",
    [
        (["--bidirectional"], ["--bidirectional needs --model classifier or tagger or encoder-decoder"]),
        (["--model", "captioner", "--bidirectional"], ["--bidirectional needs"]),
        (["--model", "tagger", "--pooling", "mean"], ["--pooling needs --model classifier"]),
        (["--model", "tagger", "--reverse-source"], ["--reverse-source needs --model encoder-decoder"]),
        (["--model", "captioner", "--tied"], ["--tied needs --model language-model"]),
        (["--model", "classifier", "--bidirectional", "--pooling", "last"], ["a single step", "no gradient to check"]),
        (["--model", "classifier", "--bidirectional", "--sizes", "H=5"], ["hidden must be even"]),
        (["--model", "encoder-decoder", "--cell", "gru", "--sizes", "K=2"], ["attention needs the cell lstm, not gru"]),
        (["--model", "encoder-decoder", "--sizes", "E=0"], ["E in --sizes must be a whole number from 1 to"]),
        (["--model", "encoder-decoder", "--sizes", "S=1"], ["S in --sizes must be a whole number from 2 to"]),
        (["--model", "tagger", "--sizes", "T=1"], ["T in --sizes must be a whole number from 2 to"]),
        (["--model", "captioner", "--sizes", "K=2"], ["--sizes has 'K=2'", "F (features)"]),
        (["--sizes", "C=2"], ["--sizes has 'C=2'"]),
        (["--model", "captioner", "--sizes", "H=100"], ["parameters, too many", "--method projections"]),
        (["--model", "encoder-decoder", "--method", "projections", "--sizes", "S=10000,B=10000"], ["too large"]),
        (["--model", "parrot"], ["--model"]),
    ],
)
def test_what_a_model_has_not_is_refused(run, options, words):
    refused(run("check", *options), 2, *words)


def test_sizes_of_a_model_are_read():
    assert check.read_sizes("S=3,K=0", "encoder-decoder") == {"S": 3, "K": 0}
