"""``--task classify`` and the corpus topics: training, sampling, evaluation, and what is refused."""

import csv
import re

import numpy as np
import pytest

from minilstm.cli.tasks import classify
from minilstm.corpora.topics import topics
from minilstm.training.checkpoint import load
from tests.helpers.commands import refused
from tests.helpers.tasks import narrow, same_after_a_stop

TASK = ["--task", "classify", "--column", "title", "--label", "class"]
SMALL = ["--hidden", 8, "--embedding", 6, "--batch-size", 16]
COLOURS = ("red", "green", "blue")


@pytest.fixture
def news(table):
    """A table whose second column has a word that is its third column; one title is blank."""
    rows = [[k, f"a {COLOURS[k % 3]} ball {k}", COLOURS[k % 3]] for k in range(120)]
    return table("news.csv", [["id", "title", "class"], *rows, [120, "", "red"]])


@pytest.fixture
def trained(news, run):
    status, out, err = run("train", news, *TASK, *SMALL, "--steps", 120, "--out", "run")
    assert status == 0, err
    return out


@pytest.fixture
def small_topics(monkeypatch):
    monkeypatch.setattr(classify, "HEADLINES", 200)
    monkeypatch.setattr(classify, "VALIDATION_HEADLINES", 50)


def test_a_classifier_learns_a_table_and_reports_its_accuracy(trained):
    accuracies = [float(x) for x in re.findall(r"accuracy ([\d.]+)% of 12 texts", trained)]
    assert len(accuracies) > 3 and accuracies[-1] == 100.0
    assert "1 row with blank cells skipped" in " ".join(trained.split()) and "108 texts, 3 classes" in trained
    assert narrow(trained) and "minilstm evaluate run" in trained
    checkpoint = load("run/model.npz")
    assert checkpoint.labels == ("blue", "green", "red") and checkpoint.settings["task"] == "classify"
    with open("run/history.csv", newline="") as file:
        losses = [float(row["valid_loss"]) for row in csv.DictReader(file) if row["valid_loss"]]
    assert losses[-1] < 0.2 < losses[0] and load("run/best.npz").training.step > 0


def test_json_lines_with_numbers_as_classes_are_read(json_lines, run):
    name = json_lines("news.jsonl", [{"text": f"{'ab'[k % 2] * 3} {k}", "y": k % 2 + 9} for k in range(40)])
    status, _, err = run("train", name, "--task", "classify", "--column", "text", "--label", "y", *SMALL, "--steps", 2)
    assert status == 0, err
    assert load("runs/news/model.npz").labels == ("9", "10")  # numbers by size


def test_the_most_likely_classes_of_inputs_are_printed(trained, run, typed_in):
    status, out, err = run("sample", "run", "--input", "a blue ball 7", "--input", "a red ball Ω", "--show-top", 2)
    assert status == 0 and "does not know 1 character" in err
    first, second = out.split("\n\n")
    assert [line.split()[1] for line in first.splitlines()[1:]][0] == "blue"
    assert [line.split()[1] for line in second.splitlines()[1:]][0] == "red" and len(second.splitlines()) == 3
    typed_in("a green ball 1\n\n")
    assert "green" in run("sample", "run")[1].splitlines()[1]


def test_the_probabilities_are_those_of_the_model(trained, run):
    out = run("sample", "run", "--input", "a blue ball 7")[1]
    checkpoint = load("run/model.npz")
    p = checkpoint.training.model.probabilities(checkpoint.tokenizer.encode("a blue ball 7")[:, None])[0]
    shown = dict(reversed(line.split()) for line in out.splitlines()[1:])
    assert shown == {name: f"{p[k]:.2%}" for k, name in enumerate(checkpoint.labels)}


def test_the_validation_set_and_a_file_are_evaluated(trained, news, run, real_pictures, here):
    status, out, err = run("evaluate", "run")
    assert status == 0 and narrow(out), err
    assert "the validation set: 12 texts" in out and "accuracy: 100.00% (12 right)" in out
    status, out, err = run("evaluate", "run", news, "--picture", "c.png")
    assert status == 0 and "120 texts" in out and (here / "c.png").read_bytes()[1:4] == b"PNG"
    rows = [line.split() for line in out.splitlines() if line[:2] in ("1 ", "2 ", "3 ")]
    assert [row[1] for row in rows] == ["blue", "green", "red"]
    assert sum(int(n) for row in rows for n in row[2:]) == 120


def test_the_validation_loss_is_the_cross_entropy_of_the_evaluation(trained, run):
    loss = re.search(r"cross-entropy: ([\d.]+) nats", run("evaluate", "run")[1])[1]
    history = load("run/model.npz").training.history
    assert float(loss) == pytest.approx(history[-1].valid_loss, abs=1e-4)


def test_a_class_that_training_never_saw_counts_as_wrong(table, run):
    rows = [[f"a {COLOURS[k % 2]} ball {k}", COLOURS[k % 2]] for k in range(60)]
    table("few.csv", [["title", "class"], *rows])
    assert run("train", "few.csv", *TASK, *SMALL, "--steps", 60, "--out", "run")[0] == 0
    table("more.csv", [["title", "class"], *rows, ["a red ball 3", "blue"], ["a red ball 5", "blue"]])
    status, out, _ = run("evaluate", "run", "more.csv")
    assert status == 0 and "accuracy: 96.77% (60 right)" in out
    assert " ".join(out.split()).count("2 texts of more.csv have a class that the training set lacks ('blue')") == 1
    table("odd.csv", [["title", "class"], *rows[:10], *([f"x{k}", f"class {k}"] for k in range(10))])
    status, out, _ = run("train", "odd.csv", *TASK, *SMALL, "--steps", 2, "--out", "odd")
    assert status == 0 and "counted as wrong" in " ".join(out.split())


def test_topics_are_compared_with_the_best_possible_classifier(here, run, small_topics):
    status, out, err = run("train", "topics", "--steps", 4, "--max-length", 3, "--out", "run")
    assert status == 0 and narrow(out), err
    text = " ".join(out.split())
    assert "from 3 characters: accuracy 90.41%, cross-entropy 0.1975 nats per text on average" in text
    mine = re.search(r"average; ([\d.]+)% and ([\d.]+) on this validation set", text)
    texts = classify.ClassifyTask().load(["topics"], load("run/model.npz").settings).own
    p = np.array([topics().posteriors(t)[-1] for t in texts.texts])
    assert float(mine[1]) == pytest.approx(100 * np.mean(p.argmax(1) == texts.labels), abs=0.01)
    assert float(mine[2]) == pytest.approx(-np.log(p[range(50), texts.labels]).mean(), abs=1e-4)
    assert all(len(t) <= 3 for t in texts.texts)
    assert load("run/model.npz").training.history[-1].floor == pytest.approx(float(mine[2]), abs=1e-4)
    assert "reads the first 3 characters" in run("sample", "run", "--input", "Moscow wins")[2]
    assert "Bayes-optimal" in run("evaluate", "run")[1]


def test_a_stopped_run_continues_bit_for_bit(news, run, monkeypatch):
    options = ["--bidirectional", "--pooling", "max", "--dropout", 0.2, "--steps", 12]
    assert same_after_a_stop(run, monkeypatch, news, *TASK, *SMALL, *options)


def test_options_make_the_model(news, run):
    options = ["--bidirectional", "--pooling", "mean", "--cell", "gru", "--layers", 2, "--steps", 1]
    assert run("train", news, *TASK, *SMALL, *options, "--out", "run")[0] == 0
    model = load("run/model.npz").training.model
    assert (model.bidirectional, model.pooling, model.cell, model.layers) == (True, "mean", "gru", 2)
    status, out, _ = run("info", "run")
    assert status == 0 and "classify" in out and "blue, green, red" in out and "nats per text" in out


@pytest.mark.parametrize(
    "options, words",
    [
        (TASK[:2], ["add --column", "2 or title"]),
        (TASK[:4], ["add --label", "3 or class"]),
        ([*TASK[:4], "--label", "kind"], ["'kind'", "add --label"]),
        ([*TASK, "--window", 5], ["--window", "--task classify"]),
        ([*TASK, "--preset", "headlines"], ["--preset", "--task classify"]),
        ([*TASK, "--tied"], ["--tied", "--task classify"]),
        ([*TASK, "--bidirectional", "--hidden", 7], ["hidden must be even"]),
        ([*TASK, "--vocab", 50], ["--vocab", "--tokens words"]),
        (["--label", "class"], ["--label", "--task classify"]),
        (["--bidirectional"], ["--bidirectional", "--task"]),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(news, run, options, words):
    refused(run("train", news, *options), 2, *words)


@pytest.mark.parametrize(
    "rows, words",
    [
        ([["a", "x"], ["b", "x"], ["c", "x"]], ["the class 'x'", "at least two classes"]),
        ([["a", ""], ["b", " "]], ["all cells of 'class' are blank", "--label"]),
        ([["", "x"], ["", "y"]], ["all cells of 'title' are blank", "--column"]),
        ([["a", "x"], ["b"]], ["line 3", "expected 2 fields"]),
        ([["a" * 5_001, "xy"[k % 2]] for k in range(4)], ["5,001 characters", "5,000", "--max-length"]),
        ([["a", "x"]], ["at least 2"]),
    ],
)
def test_wrong_tables_are_refused_in_a_sentence(table, run, rows, words):
    refused(run("train", table("t.csv", [["title", "class"], *rows]), "--header", *TASK), 2, *words)


def test_a_task_and_a_corpus_for_another_are_refused(here, run):
    refused(run("train", "headlines", "--task", "classify"), 2, "`headlines` is a corpus for language models")
    refused(run("train", "topics", "--label", "class"), 2, "--label", "built-in")
    refused(run("train", "topics", "--tokens", "words"), 2, "--tokens words is for files")


def test_a_text_file_is_refused(here, run):
    (here / "lines.txt").write_text("one line\nanother line\n", "utf-8")
    refused(run("train", "lines.txt", *TASK), 2, "plain text", "--format")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["sample", "run", "--prompt", "x"], ["--prompt", "a classifier"]),
        (["sample", "run", "--temperature", 1], ["--temperature", "a classifier"]),
        (["sample", "run", "--input", " "], ["--input is blank"]),
        (["evaluate", "run", "none.csv"], ["none.csv"]),
        (["evaluate", "none"], ["no model"]),
    ],
)
def test_wrong_uses_of_a_classifier_are_refused(trained, run, arguments, words):
    refused(run(*arguments), 2, *words)


def test_an_evaluation_notices_changed_training_files(trained, news, here, run):
    (here / news).write_text((here / news).read_text().replace("ball", "cat"), "utf-8")
    refused(run("evaluate", "run"), 2, "have changed", "evaluate DIR FILE")


def test_a_run_of_standard_input_is_evaluated_on_files_only(news, run, typed_in, here):
    text = (here / news).read_text("utf-8")
    typed_in(text)
    refused(run("train", "-", *TASK, *SMALL), 2, "--format")
    typed_in(text)
    status, _, err = run("train", "-", "--format", "csv", *TASK, *SMALL, "--steps", 2, "--out", "run")
    assert status == 0, err
    refused(run("evaluate", "run"), 2, "standard input", "evaluate DIR FILE")
    assert run("evaluate", "run", news)[0] == 0


def test_a_language_model_has_no_evaluation_and_takes_no_input(here, run):
    (here / "lines.txt").write_text("\n".join(f"line {k}" for k in range(20)), "utf-8")
    assert run("train", "lines.txt", "--hidden", 4, "--steps", 1, "--out", "lm")[0] == 0
    refused(run("evaluate", "lm"), 2, "language model")
    refused(run("sample", "lm", "--input", "x"), 2, "--input", "--prompt")
