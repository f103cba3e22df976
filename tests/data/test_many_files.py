"""Several files in one folder as one corpus, read in windows.

With and without the state passing from window to window.
"""

import glob

import numpy as np
import pytest

from minilstm.cli import data
from minilstm.cli.settings import resolve_settings
from minilstm.training import checkpoint

FILES, LETTERS = 20, 59  # each file has its own character, equally often
LINE = "{0} members of the house, "
MODEL = ["--hidden", 8, "--batch-size", 2]


@pytest.fixture
def speeches(tmp_path, monkeypatch):
    """The names of the files, as a shell expands speeches/*.txt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speeches").mkdir()
    for k in range(FILES):
        (tmp_path / "speeches" / f"{1790 + k}.txt").write_text((LINE.format(own(k)) * 9)[:LETTERS], "utf-8")
    return sorted(glob.glob("speeches/*.txt"))


def own(k):
    return chr(0x4E00 + k)


def load(files, **given):
    return data.load(files, resolve_settings("file", {"window": 10, "batch_size": 2, **given}))


def characters(loaded, batches):
    """The characters of an epoch; the end token is a newline between two files."""
    marks = [*loaded.tokenizer.tokens, "\n"]
    return "".join(marks[i - 1] for batch in batches.epoch() for i in batch.inputs.T.ravel())


def test_a_tenth_of_the_files_is_the_validation_set(speeches):
    loaded = load(speeches)
    train, valid = (characters(loaded, part) for part in (loaded.train, loaded.valid))
    held_out = {own(k) for k in range(FILES)} & set(valid)
    assert len(held_out) == FILES // 10 and not held_out & set(train)
    assert {own(k) for k in range(FILES)} == held_out | set(train) & {own(k) for k in range(FILES)}


def test_all_other_files_are_joined_in_their_order(speeches):
    loaded = load(speeches, batch_size=1)
    read = characters(loaded, loaded.train).split("\n")
    assert len(read) == FILES - FILES // 10 and all(len(text) == LETTERS for text in read)
    assert [text[0] for text in read] == sorted(text[0] for text in read)


def test_the_state_passes_from_window_to_window_unless_turned_off(speeches):
    stateful, stateless = load(speeches), load(speeches, carry=False)
    assert stateful.train.carries_state and stateful.valid.carries_state
    assert not stateless.train.carries_state and not stateless.valid.carries_state
    assert stateful.fingerprint == stateless.fingerprint and stateful.prompts == stateless.prompts
    for loaded in (stateful, stateless):
        first, drawn = ([b.inputs for b in loaded.train.epoch(rng)] for rng in (None, np.random.default_rng(0)))
        in_order = all(np.array_equal(a, b) for a, b in zip(first, drawn, strict=True))
        assert first[0].shape == (10, 2) and in_order is (loaded is stateful)


@pytest.mark.parametrize("options", [[], ["--no-carry"], ["--tokens", "words", "--vocab", 30, "--embedding", 4]])
def test_from_a_folder_of_files_to_a_sample(speeches, run, options):
    status, out, err = run("train", *speeches, "--window", 10, *MODEL, *options, "--epochs", 2, "--out", "run")
    assert status == 0, err
    assert "in windows of 10" in out and "epoch 2: train" in out and "validation:" in out
    assert checkpoint.load("run/model.npz").settings["carry"] is ("--no-carry" not in options)
    status, out, err = run("sample", "run", "--count", 2, "--length", 20)
    assert status == 0 and out.strip(), err


def test_a_run_of_few_steps_reports_its_validation_loss_and_shows_samples(speeches, run):
    status, out, err = run("train", *speeches, "--window", 10, *MODEL, "--steps", 5, "--out", "run")
    assert status == 0, err
    assert "step 5: train" in out and ", validation" in out and "\n  - " in out
    with open("run/samples.txt", encoding="utf-8") as file:
        assert file.read().startswith("step 5\n")


def test_files_in_another_order_are_another_text(speeches):
    assert load(speeches).fingerprint != load(speeches[::-1]).fingerprint
