"""``--task translate`` and the corpora dates and addition: training, sampling, evaluation, and what is refused."""

import re

import numpy as np
import pytest

from minilstm.cli.tasks import translate
from minilstm.cli.tasks.texts import edit_distance
from minilstm.generation.decoding import decode
from minilstm.training.checkpoint import load
from tests.helpers.commands import refused
from tests.helpers.tasks import narrow, same_after_a_stop

TASK = ["--task", "translate"]
SMALL = ["--hidden", 16, "--embedding", 8, "--attention", 8, "--batch-size", 16]
LETTERS = "abcd"


def pair(k):
    source = "".join(LETTERS[(k // 4**i) % 4] for i in range(1 + k % 3))
    return source, source.upper()


@pytest.fixture
def pairs(table):
    """Words and the same in capitals, between tabs, without a header."""
    return table("pairs.tsv", [pair(k) for k in range(300)], "\t")


@pytest.fixture
def trained(pairs, run):
    status, out, err = run("train", pairs, *TASK, *SMALL, "--learning-rate", 0.03, "--steps", 200, "--out", "run")
    assert status == 0, err
    return out


@pytest.fixture
def small_corpora(monkeypatch):
    for name in ("dates", "addition"):
        monkeypatch.setitem(translate.PAIRS, name, 64)
        monkeypatch.setitem(translate.VALIDATION_PAIRS, name, 16)


def test_a_translator_learns_two_columns_and_reports_exact_match(trained):
    exact = [float(x) for x in re.findall(r"exact match ([\d.]+)% of 30 pairs", trained)]
    assert exact[-1] == 100.0 and narrow(trained)
    assert "no header" in trained and "bits per character" in trained
    checkpoint = load("run/model.npz")
    assert checkpoint.target_tokenizer.tokens != checkpoint.tokenizer.tokens and checkpoint.settings["length"] == 4


def test_inputs_are_translated(trained, run, typed_in):
    assert run("sample", "run", "--input", "abc")[1] == "ABC\n"
    typed_in("bad\ncab\n")
    assert run("sample", "run")[1] == "bad\n  BAD\n\ncab\n  CAB\n"
    status, out, err = run("sample", "run", "--input", "abx")
    assert status == 0 and "does not know 1 character" in err


def test_beam_search_and_sampling_are_there(trained, run):
    lines = run("sample", "run", "--input", "abc", "--beam", 3)[1].splitlines()
    assert lines[1].split()[1] == "ABC" and len(lines) == 4
    log_P = [float(line.split()[0]) for line in lines[1:]]
    assert log_P == sorted(log_P, reverse=True)
    one, other = (run("sample", "run", "--input", "abc", "--temperature", 3, "--count", 4, "--seed", s)[1] for s in (0, 1))
    assert len(one.splitlines()) == 4 and one != other
    assert run("sample", "run", "--input", "abc", "--length", 2)[1] == "AB…\n"
    assert "AB…" in run("sample", "run", "--input", "abc", "--length", 2, "--beam", 2)[1]


def test_attention_is_drawn(trained, run, real_pictures, here):
    status, out, _ = run("sample", "run", "--input", "abc", "--picture", "a.png")
    assert status == 0 and "ABC" in out and (here / "a.png").read_bytes()[1:4] == b"PNG"


def test_the_validation_set_and_a_file_are_evaluated(trained, pairs, table, run):
    status, out, _ = run("evaluate", "run")
    assert status == 0 and "the validation set: 30 pairs" in out and "exact match: 100.00% (30 right)" in out
    table("more.tsv", [("abc", "ABC"), ("dd", "DA"), ("a", "BBB")], "\t")
    status, out, err = run("evaluate", "run", "more.tsv")
    assert status == 0 and narrow(out), err
    assert "exact match: 33.33% (1 right); mean edit distance: 1.333 characters" in " ".join(out.split())
    assert "'dd': 'DD'; true: 'DA'" in out


def test_texts_are_compared_as_decoded(trained, run):
    checkpoint = load("run/model.npz")
    model, tokenizer = checkpoint.training.model, checkpoint.target_tokenizer
    memory = model.encode(checkpoint.tokenizer.encode("dcb")[:, None])
    ids = decode(model, memory, tokenizer.padding_id, tokenizer.eos_id, 4).texts[0]
    assert run("sample", "run", "--input", "dcb")[1] == tokenizer.decode(ids) + "\n"


@pytest.mark.parametrize("a, b, distance", [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)])
def test_edit_distances_are_those_by_hand(a, b, distance):
    assert edit_distance(a, b) == edit_distance(b, a) == distance


def test_words_are_tokens_if_asked_for(table, run):
    colours = [("rot", "red"), ("blau", "blue")] * 15
    table("w.csv", [["de", "en"], *([f"ein haus {de}", f"a {en} house"] for de, en in colours)])
    options = ["--column", "de", "--target", "en", "--tokens", "words", "--hidden", 8, "--steps", 3, "--out", "w"]
    status, out, err = run("train", "w.csv", *TASK, *options)
    assert status == 0 and "words in sources" in out, err
    assert load("w/model.npz").settings["embedding"] == 100


@pytest.mark.parametrize(
    "corpus, expected",
    [
        ("dates", {"attention": 64, "bidirectional": True, "reverse_source": False}),
        ("addition", {"attention": None, "bidirectional": False, "reverse_source": True}),
    ],
)
def test_built_in_corpora_have_the_models_of_their_sources(here, run, small_corpora, corpus, expected):
    status, out, err = run("train", corpus, "--hidden", 8, "--steps", 2, "--out", "run")
    assert status == 0 and narrow(out) and "exact match 100 %" in out, err
    model = load("run/model.npz").training.model
    assert {name: getattr(model, name) for name in expected} == expected
    assert narrow(run("info", "run")[1].split("run/model.npz")[1]) and run("evaluate", "run")[0] == 0


def test_a_stopped_run_continues_bit_for_bit(pairs, run, monkeypatch):
    options = ["--reverse-source", "--bidirectional", "--dropout", 0.2, "--layers", 2, "--steps", 12]
    assert same_after_a_stop(run, monkeypatch, pairs, *TASK, *SMALL, *options)


def test_long_pairs_are_left_out_and_counted(pairs, run):
    status, out, _ = run("train", pairs, *TASK, *SMALL, "--max-length", 2, "--steps", 2)
    assert status == 0 and "100 pairs with more than 2 tokens left out" in out


def test_a_model_without_attention_has_no_picture(pairs, run):
    assert run("train", pairs, *TASK, *SMALL, "--attention", 0, "--steps", 2, "--out", "run")[0] == 0
    assert load("run/model.npz").training.model.attention is None
    refused(run("sample", "run", "--input", "ab", "--picture", "a.png"), 2, "--attention")


def test_another_cell_has_no_attention(pairs, run):
    small = [*SMALL[:4], *SMALL[6:]]
    assert run("train", pairs, *TASK, *small, "--cell", "gru", "--steps", 2, "--out", "run")[0] == 0
    refused(run("train", pairs, *TASK, *SMALL, "--cell", "gru"), 2, "--attention", "--cell lstm")


@pytest.mark.parametrize(
    "rows, options, words",
    [
        ([("a", "b", "c")] * 3, [], ["add --column"]),
        ([("a", "b", "c")] * 3, ["--column", 1], ["add --target"]),
        ([("a", "")] * 3, [], ["all cells of '2' are blank", "--target"]),
        ([("", "b")] * 3, [], ["all cells of '1' are blank", "--column"]),
        ([("a", "b"), ("a",)], [], ["line 2", "expected 2 fields"]),
        ([("a" * 1_001, "b")] * 3, [], ["a source has 1,001 characters", "limit is 1,000"]),
        ([("a", "b" * 1_001)] * 3, [], ["a target has 1,001 characters", "limit is 1,000"]),
        ([("aaa", "b")] * 3, ["--max-length", 2], ["larger --max-length"]),
        ([("a", "b")] * 3, ["--label", 1], ["--label", "--task translate"]),
    ],
)
def test_wrong_tables_and_options_are_refused_in_a_sentence(table, run, rows, options, words):
    refused(run("train", table("t.tsv", rows, "\t"), *TASK, *options), 2, *words)


def test_options_without_effect_are_refused(trained, run):
    refused(run("sample", "run", "--input", "a", "--greedy", "--count", 2), 2, "--count", "--greedy")
    refused(run("sample", "run", "--input", "a", "--beam", 2, "--temperature", 1), 2, "--temperature", "--beam")
    refused(run("sample", "run", "--input", "a", "--show-top", 2), 2, "--show-top")


@pytest.mark.parametrize(
    "options, words",
    [
        (["--picture", "a.png"], ["--picture", "confusion matrix"]),
        (["--target", 2], ["--target is for a file"]),
        (["pairs.tsv", "--label", 2], ["--label", "--task translate"]),
        (["pairs.tsv", "--column", 2, "--target", 5], ["no column is 5", "add --target"]),
    ],
)
def test_options_without_effect_on_an_evaluation_are_refused(trained, run, options, words):
    refused(run("evaluate", "run", *options), 2, *words)


def test_blank_sources_are_skipped_and_counted(table, run):
    table("t.tsv", [*map(pair, range(30)), ("", "A"), ("a", " ")], "\t")
    status, out, _ = run("train", "t.tsv", *TASK, *SMALL, "--steps", 1)
    assert status == 0 and "2 rows with blank cells skipped" in " ".join(out.split())
    assert np.isfinite(load("runs/t/model.npz").training.history[-1].valid_loss)
