"""What a run tells: the line after an epoch, and texts within the width of a screen."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import Adam, CharTokenizer, LanguageModel
from minilstm.data.batches import SequenceBatches
from minilstm.training.callbacks import HeldOutLoss, History
from minilstm.training.checkpoint import Checkpoint, load, save
from minilstm.training.loop import Callback, Training, evaluate, fit
from minilstm.training.progress import Progress, as_item

TOKENIZER = CharTokenizer.fit(["abcdef"])
BATCHES = SequenceBatches([np.arange(k % 5 + 1) % 5 + 1 for k in range(20)], 4, TOKENIZER.eos_id)  # 5 steps an epoch


class Listen(Callback):
    def __init__(self):
        self.records = []

    def on_step(self, training, record):
        self.records.append(record)


def begun():
    model = LanguageModel(TOKENIZER.vocab_size, hidden=4)
    return Training.begin(model, Adam(0.05), np.random.default_rng(0))


def told(run, **end):
    """The lines after epochs, and the records of all steps."""
    shown, listen = [], Listen()
    fit(run, BATCHES, callbacks=[HeldOutLoss(BATCHES), History(2), Progress(5, seconds=1e9, show=shown.append), listen], **end)
    return shown, listen.records


def after_epochs(shown):
    return [line for line in shown if re.match(r"epoch \d+: ", line)]


def test_an_epochs_line_tells_the_mean_over_the_whole_epoch():
    shown, records = told(begun(), epochs=3)
    for k, line in enumerate(shown):
        part = records[5 * k : 5 * k + 5]
        mean = sum(r.loss * r.tokens for r in part) / sum(r.tokens for r in part)
        assert line.startswith(f"epoch {k + 1}: train {mean:.4f}, held out ")
    assert len(set(shown)) == 3


@pytest.mark.parametrize("cut", range(1, 15))
def test_also_after_a_run_was_taken_up_in_the_middle_of_it(tmp_path, cut):
    whole, _ = told(begun(), epochs=3)
    run = begun()
    first, _ = told(run, steps=cut)
    save(tmp_path / "model.npz", Checkpoint(run, TOKENIZER, {}))
    second, _ = told(load(tmp_path / "model.npz").training, epochs=3)
    assert after_epochs(first) + second == whole


@pytest.mark.parametrize("end", [1, 4, 5, 7])
def test_a_run_that_ends_within_an_epoch_tells_its_held_out_loss_too(end):
    run = begun()
    shown, records = told(run, steps=end)
    part = records[end // 5 * 5 :]
    expected = f"step {end}: train " if part else "epoch 1: train "
    part = part or records
    mean = sum(r.loss * r.tokens for r in part) / sum(r.tokens for r in part)
    held_out = evaluate(run.model, BATCHES)
    assert shown[-1].startswith(f"{expected}{mean:.4f}, held out {held_out:.4f}\n  held out: ")
    assert len(shown) == -(-end // 5)


def test_a_run_that_was_stopped_within_an_epoch_tells_nothing_that_was_not_measured():
    class Stop(Callback):
        def on_step(self, training, record):
            training.stop = "enough"

    shown, run = [], begun()
    fit(run, BATCHES, epochs=1, callbacks=[HeldOutLoss(BATCHES), History(2), Progress(5, show=shown.append), Stop()])
    assert run.step == 1 and shown == []


def test_a_file_from_before_the_mean_was_kept_can_be_gone_on_with(tmp_path):
    run = begun()
    fit(run, BATCHES, steps=7)
    save(tmp_path / "model.npz", Checkpoint(run, TOKENIZER, {}))
    with np.load(tmp_path / "model.npz") as archive:
        arrays = dict(archive)
    configuration = json.loads(arrays.pop("configuration").tobytes())
    del configuration["progress"]["epoch_nats"], configuration["progress"]["epoch_tokens"]
    text = np.frombuffer(json.dumps(configuration).encode(), np.uint8)
    np.savez(tmp_path / "model.npz", configuration=text, **arrays)
    shown, records = told(load(tmp_path / "model.npz").training, epochs=2)
    mean = sum(r.loss * r.tokens for r in records) / sum(r.tokens for r in records)
    assert len(records) == 3 and shown[0].startswith(f"epoch 2: train {mean:.4f}")


def test_a_short_text_is_one_line():
    assert as_item("one short line") == "  - one short line"


def test_lines_of_its_own_and_lines_that_were_wrapped_are_told_apart():
    assert as_item("aaa bbb ccc\n\nddd", width=12).split("\n") == ["  - aaa bbb", "      ccc", "    ", "    ddd"]


def test_what_cannot_be_printed_is_spelled_out():
    assert as_item("a\x1b[2Jb\tc\ud800") == r"  - a\x1b[2Jb\tc\ud800"


def test_wide_symbols_count_twice():
    assert max(map(len, as_item("\u6f22" * 100).split("\n"))) <= 40


@given(st.text(st.characters(), max_size=300))
def test_any_text_fits_the_screen_and_loses_nothing_but_blanks(text):
    lines = as_item(text).split("\n")
    assert max(map(len, lines)) <= 80 and lines[0].startswith("  - ")
    assert all(line.startswith("    ") for line in lines[1:])
    shown = "".join(symbol if symbol.isprintable() or symbol == "\n" else repr(symbol)[1:-1] for symbol in text)
    assert "".join("".join(lines)[4:].split()) == "".join(shown.split())
