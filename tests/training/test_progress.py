"""The report of a run: its line after each epoch, and texts that fit the screen."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import Adam, CharTokenizer, LanguageModel
from minilstm.data.batches import SequenceBatches
from minilstm.training.callbacks import ValidationLoss, History
from minilstm.training.checkpoint import Checkpoint, load, save
from minilstm.training.loop import Callback, Training, evaluate, fit
from minilstm.training.progress import Progress, as_item

TOKENIZER = CharTokenizer.fit(["abcdef"])
# 5 steps per epoch
BATCHES = SequenceBatches([np.arange(k % 5 + 1) % 5 + 1 for k in range(20)], 4, TOKENIZER.eos_id)


class Listen(Callback):
    def __init__(self):
        self.records = []

    def on_step(self, training, record):
        self.records.append(record)


def begun():
    model = LanguageModel(TOKENIZER.vocab_size, hidden=4)
    return Training.begin(model, Adam(0.05), np.random.default_rng(0))


def report(run, **end):
    """The lines after epochs, and the records of all steps."""
    shown, listen = [], Listen()
    progress = Progress(5, seconds=1e9, show=shown.append)
    fit(run, BATCHES, callbacks=[ValidationLoss(BATCHES), History(2), progress, listen], **end)
    return shown, listen.records


def after_epochs(shown):
    return [line for line in shown if re.match(r"epoch \d+: ", line)]


def test_an_epochs_line_has_the_mean_over_the_whole_epoch():
    shown, records = report(begun(), epochs=3)
    for k, line in enumerate(shown):
        part = records[5 * k : 5 * k + 5]
        mean = sum(r.loss * r.tokens for r in part) / sum(r.tokens for r in part)
        assert line.startswith(f"epoch {k + 1}: train {mean:.4f}, validation ")
    assert len(set(shown)) == 3


@pytest.mark.parametrize("cut", range(1, 15))
def test_an_epochs_line_has_the_mean_also_after_resuming_within_it(tmp_path, cut):
    whole, _ = report(begun(), epochs=3)
    run = begun()
    first, _ = report(run, steps=cut)
    save(tmp_path / "model.npz", Checkpoint(run, TOKENIZER, {}))
    second, _ = report(load(tmp_path / "model.npz").training, epochs=3)
    assert after_epochs(first) + second == whole


@pytest.mark.parametrize("end", [1, 4, 5, 7])
def test_a_run_that_ends_within_an_epoch_reports_its_validation_loss_too(end):
    run = begun()
    shown, records = report(run, steps=end)
    part = records[end // 5 * 5 :]
    expected = f"step {end}: train " if part else "epoch 1: train "
    part = part or records
    mean = sum(r.loss * r.tokens for r in part) / sum(r.tokens for r in part)
    loss = evaluate(run.model, BATCHES)
    assert shown[-1].startswith(f"{expected}{mean:.4f}, validation {loss:.4f}\n  validation: ")
    assert len(shown) == -(-end // 5)


def test_a_run_stopped_within_an_epoch_reports_only_what_was_measured():
    class Stop(Callback):
        def on_step(self, training, record):
            training.stop = "enough"

    shown, run = [], begun()
    fit(run, BATCHES, epochs=1, callbacks=[ValidationLoss(BATCHES), History(2), Progress(5, show=shown.append), Stop()])
    assert run.step == 1 and shown == []


def test_a_short_text_is_one_line():
    assert as_item("one short line") == "  - one short line"


def test_wrapped_lines_look_different_from_line_breaks():
    assert as_item("aaa bbb ccc\n\nddd", width=12).split("\n") == ["  - aaa bbb", "      ccc", "    ", "    ddd"]


def test_characters_that_cannot_be_printed_are_escaped():
    assert as_item("a\x1b[2Jb\tc\ud800") == r"  - a\x1b[2Jb\tc\ud800"


def test_wide_characters_count_twice():
    assert max(map(len, as_item("\u6f22" * 100).split("\n"))) <= 40


@given(st.text(st.characters(), max_size=300))
def test_any_text_fits_the_screen_and_loses_nothing_but_blanks(text):
    lines = as_item(text).split("\n")
    assert max(map(len, lines)) <= 80 and lines[0].startswith("  - ")
    assert all(line.startswith("    ") for line in lines[1:])
    shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    assert "".join("".join(lines)[4:].split()) == "".join(shown.split())
