"""``--task describe`` and the corpus pictures: training, sampling, evaluation, and what is refused."""

import json
import re

import numpy as np
import pytest

from minilstm.cli.tasks import describe
from minilstm.corpora import pictures
from minilstm.training.checkpoint import load
from tests.helpers.commands import refused
from tests.helpers.tasks import narrow, same_after_a_stop

TASK = ["--task", "describe", "--column", "text"]
SMALL = ["--hidden", 16, "--embedding", 8, "--batch-size", 16, "--tokens", "words"]


def home(k):
    rooms, size = k % 3, 1000 + 500 * (k % 2)
    return [rooms, size, f"a {'large' if k % 2 else 'small'} home with {'no one two'.split()[rooms]} rooms"]


@pytest.fixture
def homes(table):
    return table("homes.csv", [["rooms", "size", "text"], *map(home, range(120))])


@pytest.fixture
def trained(homes, run):
    status, out, err = run("train", homes, *TASK, *SMALL, "--learning-rate", 0.03, "--steps", 120, "--out", "run")
    assert status == 0, err
    return out


def test_a_captioner_learns_a_table_and_reports_exact_match(trained):
    exact = [float(x) for x in re.findall(r"exact match ([\d.]+)% of 12 texts", trained)]
    assert exact[-1] == 100.0 and narrow(trained) and "108 texts about 2 numbers each" in trained
    settings = load("run/model.npz").settings
    assert settings["feature_names"] == ["rooms", "size"] and settings["mean"][1] > 1000  # standardized
    assert "minilstm sample run --features NUMBERS" in trained


def test_vectors_are_described(trained, run, typed_in):
    assert run("sample", "run", "--features", "1,1500")[1] == "a large home with one rooms\n"
    typed_in("0 1000\n2, 1500\n")
    assert run("sample", "run")[1] == "0 1000\n  a small home with no rooms\n\n2, 1500\n  a large home with two rooms\n"
    lines = run("sample", "run", "--features", "1,1500", "--beam", 2)[1].splitlines()
    assert lines[1].endswith("a large home with one rooms") and len(lines) == 3


def test_the_validation_set_and_a_file_are_evaluated(trained, table, run):
    status, out, _ = run("evaluate", "run")
    assert status == 0 and "the validation set: 12 texts" in out and "exact match: 100.00% (12 right)" in out
    table("more.csv", [["area", "rooms", "text"], [1000, 1, home(4)[2]], [1500, 0, "a castle"]])
    status, out, err = run("evaluate", "run", "more.csv", "--features", "rooms,area")
    assert status == 0 and narrow(out) and "exact match: 50.00% (1 right)" in out and "a castle" in out, err


def test_several_numbers_may_be_in_one_field_of_json(json_lines, run):
    rows = [{"pixels": home(k)[:2], "text": home(k)[2]} for k in range(40)]
    name = json_lines("homes.jsonl", rows)
    status, _, err = run("train", name, *TASK, *SMALL, "--features", "pixels", "--steps", 2, "--out", "run")
    assert status == 0, err
    assert load("run/model.npz").training.model.features == 2
    assert json.dumps(load("run/model.npz").settings["feature_names"]) == '["pixels"]'


def test_sentences_of_pictures_are_checked_and_the_floor_is_printed(here, run, monkeypatch):
    monkeypatch.setattr(describe, "PICTURES", 64)
    monkeypatch.setattr(describe, "VALIDATION_PICTURES", 16)
    monkeypatch.setattr(pictures, "floor", lambda: 0.3428)
    status, out, err = run("train", "pictures", "--hidden", 8, "--steps", 3, "--out", "run")
    assert status == 0 and narrow(out), err
    assert "entropy floor: 0.3428 nats per word" in out and "floor 0.3428, gap" in out
    assert "true of their picture: 0.00% of 16 texts (greedy)" in out
    assert "true of their picture: 0.00% of 16 texts" in run("evaluate", "run")[1]
    pixels, sentences = pictures.sample(4, np.random.default_rng(0))
    assert describe._are_true(describe.Described(pixels, []), sentences) == [True] * 4
    refused(run("train", "pictures", "--max-length", 5, "--out", "other"), 2, "--max-length", "entropy floor")


def test_a_stopped_run_continues_bit_for_bit(homes, run, monkeypatch):
    options = ["--layers", 2, "--dropout", 0.2, "--steps", 12]
    assert same_after_a_stop(run, monkeypatch, homes, *TASK, *SMALL, *options)


@pytest.mark.parametrize(
    "rows, options, words",
    [
        ([[1, 2, "a"], [1, "x", "b"]], [], ["t.csv, line 3, column 'size'", "'x' is not a number"]),
        ([[1, 2, "a"], ["", 2, "b"]], [], ["t.csv, line 3, column 'rooms'", "blank"]),
        ([[1, 2, ""], [1, "nan", "b"]], [], ["t.csv, line 3, column 'size'", "'nan'"]),
        ([[1, 2, "a"], ["1 5", 2, "b"]], [], ["t.csv, line 3, column 'rooms': 2 numbers, but 1 in the first row"]),
        ([[1, "173,5", "a"], [1, "180,5", "b"]], [], ["t.csv, line 2, column 'size'", "'173,5' has a comma", "decimal point"]),
        ([["1 2", 3, "a"], [1, "2 3", "b"]], [], ["t.csv, line 3, column 'rooms': 1 number, but 2 in the first row"]),
        ([[1, 2, "a"], [1, 2, "b"]], ["--features", "rooms,text"], ["--column and --features name the same column"]),
        ([[1, 2, "a"], [1, 2, "b"]], ["--features", "rooms,rooms"], ["--features names a column twice"]),
        ([], [], ["t.csv has a header, but no rows"]),
        ([[1, 2, ""], [1, 2, " "]], [], ["all cells of 'text' are blank"]),
        ([[1, 2, "a"], [1, 2, "b"]], ["--features", "rooms,weight"], ["'weight'", "add --features"]),
        ([[1, 2, "a"], [1, 2, "b"]], ["--bidirectional"], ["--bidirectional", "--task describe"]),
    ],
)
def test_wrong_tables_and_options_are_refused_in_a_sentence(table, run, rows, options, words):
    refused(run("train", table("t.csv", [["rooms", "size", "text"], *rows]), "--header", *TASK, *options), 2, *words)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--features", "1"], ["vector 1 has 1 number", "reads 2 (rooms, size)"]),
        (["--features", "1,x"], ["'x' is not a number"]),
        (["--features", "1,inf"], ["'inf' is not a number"]),
        (["--features", " "], ["--features is blank"]),
        (["--input", "x"], ["--input"]),
        (["--features", "1,2", "--picture", "a.png"], ["--picture"]),
    ],
)
def test_wrong_vectors_are_refused(trained, run, arguments, words):
    refused(run("sample", "run", *arguments), 2, *words)
