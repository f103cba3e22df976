"""Trained models of the tasks are applied to files and inputs: how these are read, checked and reported."""

import numpy as np
import pytest

from minilstm.cli.tasks import describe, translate
from minilstm.cli.tasks.classify import ClassifyTask
from minilstm.cli.tasks.pictures import LABELLED, MOST_FREQUENT, confusion_picture, labelled, most_frequent
from minilstm.training.checkpoint import load, save
from tests.helpers.commands import refused

TASK = ["--task", "classify", "--column", "body", "--label", "kind"]
SMALL = ["--hidden", 8, "--embedding", 6, "--batch-size", 16]
ROWS = [[k, f"{'good bad'.split()[k % 2]} mail {k}", "ab"[k % 2]] for k in range(60)]
HEAD = ["id", "body", "kind"]


@pytest.fixture
def trained(table, run):
    name = table("mails.csv", [HEAD, *ROWS])
    status, out, err = run("train", name, *TASK, *SMALL, "--steps", 80, "--out", "run")
    assert status == 0, err
    return out


@pytest.fixture
def described(table, run):
    rows = [[k % 3 - 1, k % 2, f"{k % 3} and {k % 2}"] for k in range(60)]
    name = table("pairs.csv", [["x", "y", "text"], *rows])
    options = ["--task", "describe", "--column", "text", "--tokens", "words", "--learning-rate", 0.03]
    assert run("train", name, *options, *SMALL, "--steps", 150, "--out", "run")[0] == 0


def one_line(text):
    return " ".join(text.split())


def test_the_roles_of_columns_are_reported(trained, table, run):
    expected = "mails.csv: separated by commas, first row a header; text: column 2 'body'; class: column 3 'kind'; 60 rows"
    assert one_line(trained).startswith(expected)
    table("homes.csv", [["text", "rooms", "area"], *([f"home {k}", k, 2] for k in range(20))])
    for chosen in ([], ["--features", "rooms,area"]):
        options = ["--task", "describe", "--column", "text", *chosen, *SMALL, "--steps", 1, "--out", f"run{len(chosen)}"]
        assert "; text: column 1 'text'; numbers: rooms, area; 20 rows" in one_line(run("train", "homes.csv", *options)[1])


def test_an_evaluation_reports_how_a_file_was_read(trained, table, run):
    table("new.csv", [HEAD, *ROWS[:4], [5, "", "a"]])
    out = one_line(run("evaluate", "run", "new.csv")[1])
    columns = "text: column 2 'body'; class: column 3 'kind'"
    assert out.startswith(f"new.csv: separated by commas, first row a header; {columns}; 4 rows")
    assert "1 row with blank cells skipped" in out and "new.csv: 4 texts accuracy" in out
    table("more.csv", [HEAD, *ROWS[:4]])
    assert "new.csv and 1 other: 8 texts" in one_line(run("evaluate", "run", "new.csv", "more.csv")[1])


def test_an_evaluation_reads_a_file_as_its_options_say(trained, here, run):
    lines = "\n".join("|".join(map(str, row)) for row in [*ROWS[:4], [9, "gut für a, b", "ä"]])
    (here / "new.txt").write_text(lines, "cp1252")
    options = ["--format", "csv", "--separator", "|", "--no-header", "--encoding", "cp1252", "--column", 2, "--label", 3]
    status, out, err = run("evaluate", "run", "new.txt", *options)
    assert status == 0 and "separated by |, no header; text: column 2; class: column 3; 5 rows" in one_line(out), err
    assert "1 text of new.txt has a class that the training set lacks ('ä')" in one_line(out)
    refused(run("evaluate", "run", "--no-header"), 2, "--no-header is for a file")
    refused(run("evaluate", "run", "--encoding", "cp1252"), 2, "--encoding is for a file")


@pytest.mark.parametrize("numbers", ["-1,1", "-1 1"])
def test_numbers_that_begin_with_a_dash_are_inputs(described, run, numbers):
    assert run("sample", "run", "--features", numbers)[:2] == (0, "0 and 1\n")
    assert run("sample", "run", "--features", numbers, "--greedy")[:2] == (0, "0 and 1\n")


def test_texts_that_begin_with_a_dash_are_inputs(trained, run):
    status, out, err = run("sample", "run", "--input", "-goal")
    assert status == 0 and out.startswith("-goal\n"), err
    status, out, err = run("sample", "run", "--input", "-h")
    assert "usage: minilstm sample" in out + err


def test_all_inputs_are_checked_before_the_first_output(described, run):
    refused(run("sample", "run", "--features", "1,1", "--features", "1"), 2, "vector 2 has 1 number")


def test_a_folder_of_a_picture_must_exist_before_the_first_output(trained, here, run):
    refused(run("evaluate", "run", "--picture", "none/c.png"), 2, "there is no folder none")
    refused(run("evaluate", "run", "--picture", "run"), 2, "--picture run is a folder")


def test_empty_standard_input_names_the_option(trained, run, typed_in):
    typed_in("\n")
    refused(run("sample", "run"), 2, "give it one text per line, or use --input TEXT")


def test_empty_standard_input_names_the_option_of_numbers(described, run, typed_in):
    typed_in("")
    refused(run("sample", "run"), 2, "give it one vector per line, or use --features NUMBERS")


def test_unknown_words_are_named(table, run):
    table("mails.csv", [HEAD, *ROWS])
    assert run("train", "mails.csv", *TASK, *SMALL, "--tokens", "words", "--steps", 2, "--out", "run")[0] == 0
    err = run("sample", "run", "--input", "good zebra mail, zebra yak")[2]
    assert "does not know 4 words of this input ('zebra', ',', 'yak')" in err


@pytest.mark.parametrize(
    "options, words",
    [
        (["--label", "id"], ["column 'id' has 60 different values in 60 rows; is it the label?", "--label"]),
        (["--label", "body"], ["--column and --label name the same column"]),
        (["--label", 2], ["--column and --label name the same column"]),
    ],
)
def test_a_column_that_cannot_be_the_label_is_refused(table, run, options, words):
    refused(run("train", table("mails.csv", [HEAD, *ROWS]), *TASK[:4], *options), 2, *words)


def test_fields_that_are_named_twice_are_refused(json_lines, run):
    name = json_lines("m.jsonl", [{"body": "x", "kind": "y"}] * 3)
    refused(run("train", name, *TASK[:4], "--label", "body"), 2, "--column and --label name the same column")


def test_a_row_of_json_lines_is_named_by_its_number(json_lines, run):
    name = json_lines("m.jsonl", [{"text": "", "x": 1}, {"text": "a", "x": 1}, {"text": "b", "x": "one"}])
    refused(run("train", name, "--task", "describe", "--column", "text"), 2, "m.jsonl, object 3, column 'x'")


def test_a_row_of_the_second_file_is_named_by_its_line(table, run):
    table("a.csv", [["text", "x"], ["a", 1], ["b", 2]])
    table("b.csv", [["text", "x"], ["two\nlines", 1], ["c", "one"]])
    status, _, err = run("train", "a.csv", "b.csv", "--task", "describe", "--column", "text", "--out", "run")
    assert status == 2 and "b.csv, line 4, column 'x': 'one' is not a number" in err


def test_columns_of_the_same_name_are_chosen_by_number(table, run):
    table("t.csv", [["body", "body", "kind"], *ROWS])
    refused(run("train", "t.csv", *TASK), 2, "2 columns are called 'body'", "by its number", "add --column")


def test_more_training_is_not_advised_if_all_is_right(table, run, monkeypatch):
    options = [*TASK, *SMALL, "--schedule", "constant", "--out"]
    table("mails.csv", [HEAD, *ROWS])
    status, out, _ = run("train", "mails.csv", *options, "run", "--epochs", 30)
    assert status == 0 and "accuracy 100.00%" in out.rpartition("epoch")[0] and "still falling" not in one_line(out)
    losses = [e.valid_loss for e in load("run/model.npz").training.history if e.valid_loss is not None]
    assert losses[-1] < 0.99 * losses[-1 - len(losses) // 4]  # it was falling
    monkeypatch.setattr(ClassifyTask, "share_right", lambda *_: 0.98)
    status, out, _ = run("train", "mails.csv", *options, "other", "--epochs", 30)
    assert status == 0 and "still falling" in one_line(out)


@pytest.mark.parametrize("task, column", [(translate, "--target"), (describe, "--features")])
def test_a_measure_on_a_part_of_the_validation_set_says_so(table, run, monkeypatch, task, column):
    monkeypatch.setattr(task, "CHECKED", 4)
    table("t.csv", [["source", "n"], *([f"a{k}", k] for k in range(60))])
    name = task.__name__.rpartition(".")[2]
    options = ["--task", name, "--column", "source", column, "n", *SMALL, "--steps", 2]
    status, out, err = run("train", "t.csv", *options)
    assert status == 0 and "% of the first 4 of 6 " in out, err


def test_a_picture_of_many_classes_has_the_most_frequent_ones(here, real_pictures):
    counts = np.arange(43) + 1
    chosen = most_frequent(np.diag(counts))
    assert chosen.tolist() == list(range(23, 43)) and len(chosen) == MOST_FREQUENT
    assert most_frequent(np.eye(40)).tolist() == list(range(40))
    drawn = confusion_picture(np.diag(counts), [f"class {k}" for k in range(43)], "c.png")
    assert drawn == "the confusion matrix of the 20 most frequent of 43" and (here / "c.png").exists()


@pytest.mark.parametrize("count, some", [(0, []), (3, [0, 1, 2]), (60, list(range(60))), (150, list(range(0, 150, 3)))])
def test_labels_of_a_long_axis_are_thinned(count, some):
    assert list(labelled(count)) == some and len(some) <= LABELLED


def test_a_text_that_was_cut_ends_with_an_ellipsis_in_an_evaluation(table, run):
    table("t.csv", [["source", "target"], *(["ab"[k % 2], "ab"[k % 2] * 3] for k in range(60))])
    options = ["--task", "translate", "--column", "source", "--target", "target", *SMALL, "--learning-rate", 0.03]
    assert run("train", "t.csv", *options, "--steps", 150, "--out", "run")[0] == 0
    table("u.csv", [["source", "target"], ["a", "ab"]])
    assert "'a': 'aaa'; true: 'ab'" in run("evaluate", "run", "u.csv")[1]
    checkpoint = load("run/model.npz")
    assert checkpoint.settings["length"] == 4  # with the end token
    checkpoint.settings["length"] = 2
    save("run/model.npz", checkpoint)
    out = run("evaluate", "run", "u.csv")[1]
    assert "'a': 'aa…'; true: 'ab'" in out and "edit distance: 1.000" in one_line(out)
