"""The command line with texts of all kinds.

It reports how it reads a text, and a run saves the options of reading.
"""

import io
import json
import sys

import pytest

from minilstm.cli import data, defaults
from minilstm.cli import options as arguments
from minilstm.cli.defaults import HOW_TO_READ
from minilstm.cli.settings import resolve_settings
from minilstm.data.readers import FORMATS
from minilstm.training import checkpoint
from tests.helpers.commands import refused
from tests.helpers.text import one_line

SMALL = ["--hidden", 4, "--batch-size", 4, "--steps", 2, "--out", "run"]
LINES = [f"line {k} says {'abc'[k % 3]}" for k in range(30)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typed_in(monkeypatch):
    """Put a text into standard input."""
    def give(text):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    return give


def rows(separator, first=()):
    return "".join(separator.join(row) + "\n" for row in [*first, *([str(k % 5 + 1), line] for k, line in enumerate(LINES))])


JSON_LINES = "".join(json.dumps({"title": line}) + "\n" for line in LINES)
ODD = json.dumps([{" text": line, "Lyrics, English": line[::-1]} for line in LINES])
HEADER = [("id", "text")]


@pytest.mark.parametrize("name, content, options, expected", [
    ("stars.csv", rows(",").replace("line", "a long line that", 1), ["--column", "2"],
     "stars.csv: separated by commas, no header, column 2; 30 sequences, the first: 'a long line that 0 says a'"),
    ("semicolon.csv", rows(";", HEADER), ["--column", "text"],
     "separated by semicolons, first row a header, column 2 'text'; 30 sequences, the first: 'line 0 says a'"),
    ("days.tsv", rows("\t", HEADER), ["--column", "text"],
     "separated by tabs, first row a header, column 2 'text'; 30 sequences"),
    ("days.tsv", rows("\t", HEADER), ["--column", "2", "--no-header"], "no header, column 2; 31 sequences, the first: 'text'"),
    ("days.txt", rows("\t", HEADER), ["--column", "text", "--format", "tsv"], "separated by tabs, first row a header"),
    ("odd.csv", rows(":", HEADER), ["--column", "text", "--separator", ":"], "separated by ':', first row a header"),
    ("odd.csv", rows("\t", HEADER), ["--column", "text", "--separator", "tab"], "separated by tabs, first row a header"),
    ("odd.csv", rows("\t", HEADER), ["--column", "text", "--separator", r"\t", "--header"], "separated by tabs, first row a"),
    ("lines.jsonl", JSON_LINES, ["--column", "title"], "JSON Lines, field 'title'; 30 sequences, the first: 'line 0 says a'"),
    ("lines.txt", JSON_LINES, ["--column", "title", "--format", "jsonl", "--window", 5], "JSON Lines, field 'title'; 30"),
    ("odd.json", ODD, ["--column", " text"], "JSON, field ' text'; 30 sequences, the first: 'line 0 says a'"),
    ("odd.json", ODD, ["--column", "Lyrics, English"], "field 'Lyrics, English'; 30 sequences, the first: 'a syas 0 enil'"),
    ("lines.txt", JSON_LINES, [], "lines.txt looks like JSON Lines, and is learned as it stands"),
    ("days.txt", rows("\t", HEADER), ["--window", 5], "days.txt looks like columns between tabs"),
])
def test_the_format_that_was_detected_is_printed(here, name, content, options, expected):
    (here / name).write_text(content)
    typed = vars(arguments.parser().parse_args(["train", name, *map(str, options)]))
    given = {option: typed[option] for option in (*HOW_TO_READ, "window") if typed[option] is not None}
    (note,) = data.load([name], resolve_settings("file", given)).notes
    assert note.startswith(name) and expected in note


def test_the_format_that_was_detected_is_printed_first(here, run):
    (here / "stars.csv").write_text(rows(","))
    status, out, err = run("train", "stars.csv", "--column", "2", *SMALL)
    assert status == 0, err
    assert one_line(out).startswith("stars.csv: separated by commas, no header, column 2; 30 sequences, the first: 'line 0")
    assert max(map(len, out.splitlines())) <= 80


def test_prose_gets_no_warning(here, run):
    (here / "lines.txt").write_text("\n".join(LINES))
    # the line begins with the number of characters
    assert run("train", "lines.txt", *SMALL)[1].startswith("3")


def test_of_many_files_the_format_of_the_first_is_printed(here, run):
    for k in range(5):
        (here / f"{k}.csv").write_text(rows(",", HEADER))
    _, out, _ = run("train", *(f"{k}.csv" for k in range(5)), "--column", "text", *SMALL)
    assert out.count("first row a header") == 3 and "… and 2 more files" in out


@pytest.mark.parametrize("name, content, options, words", [
    ("names.tsv", "Anna\tf\nBruno\tm\nCleo\tf\n", [], ["names.tsv", "--column NUMBER: 1 ('Anna'), 2 ('f')"]),
    ("stars.csv", "2,the food was cold and the waiter was rude\n1,fine\n", ["--column", "text"], ["no header", "--header"]),
    ("lines.jsonl", JSON_LINES, [], ["--column: title"]),
    ("days.txt", rows("\t", HEADER), ["--column", "text"], ["--column is for tables and JSON", "--format tsv"]),
    ("lines.txt", JSON_LINES, ["--column", "title"], ["--format jsonl"]),
    ("lines.txt", "a b\nc d\n", ["--separator", ";"], ["--separator is for tables"]),
    ("lines.txt", "a b\nc d\n", ["--no-header"], ["--header is for tables"]),
    ("lines.jsonl", JSON_LINES, ["--column", "title", "--header"], ["--header is for tables"]),
    ("lines.txt", "a b\nc d\n", ["--encoding", "nosuch"], ["no encoding of text called 'nosuch'"]),
    ("quotes.txt", "don’t\n", ["--encoding", "ascii"], ["is not ascii: line 1"]),
    ("r.json", '[{"title": "a"}]', ["--preset", "recipes", "--header"], ["--preset recipes reads"]),
])
def test_a_text_that_does_not_fit_its_options_is_refused_in_one_sentence(here, run, name, content, options, words):
    (here / name).write_text(content, "utf-8")
    refused(run("train", name, *options, *SMALL), 2, *words)
    assert not (here / "run").exists()


def test_the_suggested_encoding_gives_the_right_characters(here, run):
    (here / "quotes.txt").write_bytes("don’t say “it” – twice\n".encode("cp1252") * 60)
    assert "--encoding cp1252" in refused(run("train", "quotes.txt", *SMALL), 2, "not UTF-8")
    status, _, err = run("train", "quotes.txt", "--encoding", "cp1252", *SMALL)
    assert status == 0, err
    assert set("’“”–") < set(checkpoint.load("run/model.npz").tokenizer.tokens)


def test_a_separator_must_be_one_character(here, run):
    for wrong in ("::", "", '"', "\n"):
        status, _, err = run("train", "x.csv", "--separator", wrong)
        assert status == 2 and "must be one character or `tab`" in err


def test_the_options_of_reading_are_saved_with_the_run(here, run):
    content = rows(";", [("été", "text")])
    (here / "table.dat").write_bytes(content.encode("cp1252"))
    options = ["--format", "csv", "--separator", ";", "--no-header", "--encoding", "cp1252", "--column", "1"]
    assert run("train", "table.dat", *options, *SMALL)[0] == 0
    kept = checkpoint.load("run/model.npz").settings
    assert {name: kept[name] for name in HOW_TO_READ} == {
        "column": "1", "format": "csv", "separator": ";", "header": False, "encoding": "cp1252"}
    status, out, err = run("train", "--resume", "--out", "run", "--steps", 4)
    assert status == 0 and "no header, column 1; 31 sequences, the first: 'été'" in one_line(out), err
    for option, was in [(["--header"], "without --header"), (["--encoding", "latin-1"], "with --encoding cp1252"),
                        (["--format", "tsv"], "with --format csv"), (["--separator", ","], "with --separator ;")]:
        refused(run("train", "--resume", "--out", "run", "--steps", 6, *option), 2, f"started {was}")
    refused(run("train", "--resume", "--out", "run", "--column", "2"), 2, "started with --column 1")


def test_a_missing_switch_is_named_in_the_error(here, run):
    (here / "table.csv").write_text(rows(",", HEADER))
    assert run("train", "table.csv", "--column", 2, *SMALL)[0] == 0
    refused(run("train", "--resume", "--out", "run", "--no-header"), 2, "started without --no-header", "leave --no-header out")


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_a_run_from_standard_input_is_resumed_from_standard_input(here, run, typed_in, name):
    typed_in(JSON_LINES)
    status, out, err = run("train", name, "--format", "jsonl", "--column", "title", *SMALL[:-2])
    assert status == 0, err
    assert one_line(out).startswith("standard input: JSON Lines, field 'title'; 30 sequences")
    assert (here / "runs" / "stdin" / "model.npz").exists()
    refused(run("train", "--resume", "--out", "runs/stdin", "--steps", 4), 2, "give the same again",
            "minilstm train - --out runs/stdin --resume < FILE")
    typed_in(JSON_LINES.replace("line", "word"))
    refused(run("train", "-", "--resume", "--steps", 4), 2, "standard input is not the text")
    typed_in(JSON_LINES)
    status, out, _ = run("train", "-", "--resume", "--steps", 4)
    assert status == 0 and checkpoint.load("runs/stdin/model.npz").training.step == 4
    typed_in("")
    refused(run("train", "-", "--out", "other"), 2, "standard input is empty")


def test_a_run_from_standard_input_can_continue_from_a_file(here, run, typed_in):
    typed_in("\n".join(LINES))
    assert run("train", "-", *SMALL)[0] == 0
    (here / "lines.txt").write_text("\n".join(LINES))
    assert run("train", "lines.txt", "--resume", "--out", "run", "--steps", 4)[0] == 0
    # the run has saved the file's name
    assert run("train", "--resume", "--out", "run", "--steps", 6)[0] == 0


def test_a_prompt_file_is_read_as_texts_are(here, run):
    (here / "lines.txt").write_text("\n".join(LINES) + "\ncafé")
    assert run("train", "lines.txt", *SMALL)[0] == 0
    (here / "prompt.txt").write_bytes("café\n".encode("cp1252"))
    refused(run("sample", "run", "--prompt-file", "prompt.txt"), 2, "not UTF-8", "--encoding")
    status, out, err = run("sample", "run", "--prompt-file", "prompt.txt", "--encoding", "cp1252", "--count", 1, "--length", 3)
    assert status == 0 and out.startswith("café"), err
    refused(run("sample", "run", "--encoding", "cp1252"), 2, "--encoding is for --prompt-file")


def test_the_option_format_has_all_formats_that_can_be_read():
    assert defaults.FORMATS == FORMATS
    typed = vars(arguments.parser().parse_args(["train", "x"]))
    assert set(HOW_TO_READ) <= typed.keys()
