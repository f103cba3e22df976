"""``--task tag``: training, sampling, evaluation, and what is refused."""

import re

import numpy as np
import pytest

from minilstm.cli.tasks.tag import read_tagged
from minilstm.training.checkpoint import load
from tests.helpers.commands import refused
from tests.helpers.tasks import narrow, same_after_a_stop

TASK = ["--task", "tag"]
SMALL = ["--hidden", 12, "--embedding", 8, "--batch-size", 8]
WORDS = {"Ann": "NAME", "Bob": "NAME", "sees": "VERB", "likes": "VERB", "a": "O", "cat": "NOUN", "dog": "NOUN"}


def sentence(k):
    return ["Ann Bob".split()[k % 2], "sees likes".split()[k // 2 % 2], "a", "cat dog".split()[k // 4 % 2]][: 2 + k % 3]


@pytest.fixture
def lines(here):
    text = "\n\n".join("\n".join(f"{w}\t{WORDS[w]}" for w in sentence(k)) for k in range(80))
    (here / "words.conll").write_text(f"-DOCSTART-\tO\n\n{text}\n", "utf-8")
    return "words.conll"


@pytest.fixture
def trained(lines, run):
    status, out, err = run("train", lines, *TASK, *SMALL, "--learning-rate", 0.03, "--steps", 60, "--out", "run")
    assert status == 0, err
    return out


def test_a_tagger_learns_lines_and_reports_its_accuracy(trained):
    accuracies = [float(x) for x in re.findall(r"accuracy ([\d.]+)% of \d+ tokens", trained)]
    assert accuracies[-1] == 100.0 and narrow(trained) and "72 sequences" in trained
    checkpoint = load("run/model.npz")
    assert checkpoint.labels == ("NAME", "NOUN", "O", "VERB") and checkpoint.training.model.bidirectional
    assert set(checkpoint.tokenizer.tokens) == set(WORDS)


def test_inputs_are_printed_as_lines_that_can_be_read_again(trained, run, typed_in, here):
    out = run("sample", "run", "--input", "Ann sees a dog")[1]
    assert out == "Ann\tNAME\nsees\tVERB\na\tO\ndog\tNOUN\n"
    typed_in("Ann sees\nBob likes a cat\n")
    out = run("sample", "run")[1]
    (here / "again.conll").write_text(out, "utf-8")
    assert "accuracy: 100.00% of the tokens (6 right)" in run("evaluate", "run", "again.conll")[1]
    assert "does not know 1 token" in run("sample", "run", "--input", "Eve sees")[2]


def test_the_validation_set_and_a_file_are_evaluated(trained, run, here, real_pictures):
    status, out, _ = run("evaluate", "run")
    assert status == 0 and "the validation set: 8 sequences" in out and "wrong label: 100.00% (8)" in out
    (here / "t.conll").write_text("Ann x NAME\nsees y NOUN\n\nBob z ODD\nlikes x VERB\n", "utf-8")
    status, out, err = run("evaluate", "run", "t.conll", "--picture", "c.png")
    assert status == 0 and narrow(out) and (here / "c.png").exists(), err
    assert "accuracy: 50.00% of the tokens (2 right)" in out and "without a wrong label: 0.00% (0)" in out
    assert "1 token with a label that the training set lacks ('ODD')" in " ".join(out.split())


def test_columns_of_tokens_and_labels_and_lists_of_json_are_read(table, json_lines, run):
    rows = [sentence(k) for k in range(40)]
    table("t.csv", [["x", "y"], *([" ".join(s), " ".join(WORDS[w] for w in s)] for s in rows)])
    json_lines("t.jsonl", [{"x": s, "y": [WORDS[w] for w in s]} for s in rows])
    for name in ("t.csv", "t.jsonl"):
        status, _, err = run("train", name, *TASK, *SMALL, "--column", "x", "--label", "y", "--steps", 2, "--out", name[2:])
        assert status == 0, err
    one, other = (load(f"{name}/model.npz") for name in ("csv", "jsonl"))
    assert one.settings["fingerprint"] == other.settings["fingerprint"]
    assert np.array_equal(one.training.model.parameters.flat, other.training.model.parameters.flat)


def test_a_stopped_run_continues_bit_for_bit(lines, run, monkeypatch):
    options = ["--layers", 2, "--dropout", 0.2, "--steps", 12, "--no-bidirectional"]
    assert same_after_a_stop(run, monkeypatch, lines, *TASK, *SMALL, *options)
    assert load("whole/model.npz").training.model.bidirectional is False


def test_long_sequences_are_cut(lines, run):
    assert run("train", lines, *TASK, *SMALL, "--max-length", 2, "--steps", 2, "--out", "run")[0] == 0
    assert run("evaluate", "run")[1].startswith("the validation set: 8 sequences, 16 tokens")


def test_lines_are_read_with_blank_lines_between_sequences(here):
    (here / "t.txt").write_text("\n\na b X\n c  Y \n\n\nd\tZ", "utf-8")
    settings = dict.fromkeys(("column", "label", "format", "separator", "header", "encoding"))
    assert read_tagged(["t.txt"], settings)[0] == [("a c", "X Y"), ("d", "Z")]


@pytest.mark.parametrize(
    "text, words",
    [
        ("a X\nb\n\nc X\n", ["line 2", "'b' has no label"]),
        ("a X\n\nb X\n\nc X", ["the label 'X'", "at least two labels"]),
        ("a X\nb Y\n", ["at least 2"]),
        (("a X\n" * 2_501 + "b Y\n" * 2_500 + "\n") * 3, ["5,001 tokens", "limit is 5,000", "--max-length"]),
    ],
)
def test_wrong_lines_are_refused_in_a_sentence(here, run, text, words):
    (here / "t.txt").write_text(text, "utf-8")
    refused(run("train", "t.txt", *TASK), 2, *words)


@pytest.mark.parametrize(
    "rows, options, words",
    [
        ([["a b", "X"], ["a", "Y"]], ["--column", "x", "--label", "y"], ["t.csv, line 2: 2 tokens, but 1 label"]),
        ([["", "X"], ["a", "Y Z"]], ["--column", "x", "--label", "y"], ["t.csv, line 3: 1 token, but 2 labels"]),
        ([["a", "X"]], ["--column", "x"], ["add --label"]),
        ([["a", "X"]], ["--tokens", "chars"], ["--tokens", "--task tag"]),
        ([["a", "X"]], ["--pooling", "mean"], ["--pooling", "--task tag"]),
    ],
)
def test_wrong_tables_are_refused_in_a_sentence(table, run, rows, options, words):
    refused(run("train", table("t.csv", [["x", "y"], *rows]), "--header", *TASK, *options), 2, *words)


def test_wrong_uses_of_a_tagger_are_refused(trained, run):
    refused(run("sample", "run", "--beam", 2), 2, "--beam", "a tagger")
    refused(run("sample", "run", "--input", ""), 2, "--input is blank")
