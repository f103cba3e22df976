"""The training loop and its callbacks."""

import copy
import csv
import itertools
import os
import signal

import numpy as np
import pytest

from minilstm import SGD, Adam, CharTokenizer, InputError, LanguageModel, NotFiniteError, RMSprop
from minilstm.data.batches import SequenceBatches
from minilstm.data.windows import WindowBatches
from minilstm.training import callbacks
from minilstm.training.callbacks import EarlyStop, ValidationLoss, History, SampleText, SaveCheckpoint, StopOnSignal
from minilstm.training.checkpoint import Checkpoint
from minilstm.training.loop import Callback, HistoryRow, Training, evaluate, fit, train_steps
from minilstm.training.progress import Progress

EOS = 6


def sequences(count=20, seed=0):
    """Each sequence repeats 1 2 3 4 5 from a random start."""
    rng = np.random.default_rng(seed)
    return [(np.arange(rng.integers(3, 9)) + rng.integers(5)) % 5 + 1 for _ in range(count)]


def small_run(seed=0, learning_rate=0.02, optimizer=Adam):
    model = LanguageModel(7, hidden=8, seed=seed)
    return Training.begin(model, optimizer(learning_rate), np.random.default_rng(seed))


def test_training_learns_a_repeated_pattern():
    run, batches = small_run(), SequenceBatches(sequences(), 4, EOS)
    before = evaluate(run.model, batches)
    fit(run, batches, epochs=40)
    assert before > 1.5 and evaluate(run.model, batches) < 0.6 and run.step == 200 and run.epoch == 40


@pytest.mark.parametrize("optimizer, learning_rate", [(RMSprop, 0.02), (SGD, 2.0)])
def test_every_optimizer_learns(optimizer, learning_rate):
    run, batches = small_run(0, learning_rate, optimizer), SequenceBatches(sequences(), 4, EOS)
    before = evaluate(run.model, batches)
    fit(run, batches, epochs=40)
    assert before > 1.5 and evaluate(run.model, batches) < 0.6 and run.optimizer_state.t == 200


@pytest.mark.parametrize("dropout", [0.0, 0.25])
def test_with_dropout_every_step_draws_its_own_numbers_and_without_it_none(dropout, monkeypatch):
    model = LanguageModel(7, hidden=8, layers=2, dropout=dropout, seed=3)
    run, batches = Training.begin(model, Adam(), np.random.default_rng([3, 0])), SequenceBatches(sequences(), 4, EOS)
    seen, gradients = [], model.loss_and_gradients

    def look(batch, state, dropout_rng):
        seen.append(None if dropout_rng is None else copy.deepcopy(dropout_rng).random())
        return gradients(batch, state, dropout_rng)

    monkeypatch.setattr(model, "loss_and_gradients", look)
    fit(run, batches, epochs=2)
    # the other random streams
    others = {np.random.default_rng([3, k]).random() for k in range(4)}
    assert seen == [None] * 10 if dropout == 0 else len({*seen} - others) == len(seen) == 10


def test_the_state_of_a_long_text_passes_between_windows_of_one_epoch_only():
    run = small_run()
    batches = WindowBatches(np.arange(60) % 5 + 1, 2, 7, EOS)
    records = []
    for record in train_steps(run, batches, epochs=2):
        records.append(record.epoch_ends)
        assert (run.state is None) == record.epoch_ends
    assert records == [False, False, False, False, True] * 2


def test_the_state_from_the_last_window_changes_the_result():
    batches = WindowBatches(np.arange(60) % 5 + 1, 2, 7, EOS)
    carried, fresh = small_run(), small_run()
    list(train_steps(carried, batches, steps=2))
    for _ in train_steps(fresh, batches, steps=2):
        fresh.state = None
    assert (carried.model.parameters.flat != fresh.model.parameters.flat).any()


def test_whole_sequences_start_from_a_zero_state():
    run = small_run()
    for _ in train_steps(run, SequenceBatches(sequences(), 4, EOS), epochs=1):
        assert run.state is None


def test_stopping_at_any_step_and_continuing_gives_the_same_bits():
    batches = SequenceBatches(sequences(), 4, EOS)  # 5 steps per epoch
    whole = fit(small_run(), batches, epochs=3)
    for cut in range(1, 15):
        parts = small_run()
        fit(parts, batches, steps=cut)
        fit(parts, batches, epochs=3)
        assert (parts.model.parameters.flat == whole.model.parameters.flat).all(), f"cut after step {cut}"


def test_a_record_says_what_happened():
    records = list(train_steps(small_run(), SequenceBatches(sequences(8), 4, EOS), epochs=2, clip_norm=0.1))
    assert [(r.epoch, r.step, r.epoch_ends) for r in records] == [(1, 1, False), (1, 2, True), (2, 3, False), (2, 4, True)]
    assert all(r.loss > 0 and r.norm > 0.1 and r.tokens > 0 for r in records)


def test_clipping_changes_the_parameters():
    batches = SequenceBatches(sequences(8), 4, EOS)
    runs = [fit(small_run(), batches, epochs=2, clip_norm=c) for c in (None, 1e-8)]
    assert (runs[0].model.parameters.flat != runs[1].model.parameters.flat).any()


def test_with_plain_sgd_a_step_is_the_clipped_gradient():
    batches, start = SequenceBatches(sequences(8), 4, EOS), small_run().model.parameters.flat.copy()
    norms, steps = [], []
    for limits in ({}, {"clip_value": 0.01}, {"clip_norm": 0.1}, {"clip_value": 0.01, "clip_norm": 0.05}):
        run = small_run(0, 1.0, SGD)
        norms.append(next(train_steps(run, batches, steps=1, **limits)).norm)
        steps.append(start - run.model.parameters.flat)
    whole, cut, scaled, both = steps
    assert np.linalg.norm(whole) == pytest.approx(norms[0], rel=1e-4) and norms == [norms[0]] * 4 and norms[0] > 0.2
    assert np.abs(whole).max() > 0.02
    np.testing.assert_allclose(cut, np.clip(whole, -0.01, 0.01), atol=1e-6)
    np.testing.assert_allclose(scaled, whole * 0.1 / norms[0], atol=1e-6)
    np.testing.assert_allclose(both, cut * 0.05 / np.linalg.norm(cut), atol=1e-6)


def test_fit_passes_on_the_limit_of_an_entry():
    batches = SequenceBatches(sequences(8), 4, EOS)
    by_fit, by_steps = small_run(), small_run()
    fit(by_fit, batches, epochs=2, clip_value=1e-8)
    list(train_steps(by_steps, batches, epochs=2, clip_value=1e-8))
    assert (by_fit.model.parameters.flat == by_steps.model.parameters.flat).all()
    assert (by_fit.model.parameters.flat != fit(small_run(), batches, epochs=2).model.parameters.flat).any()


@pytest.mark.parametrize("clip_value", [None, 1.0])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e38])
def test_a_loss_that_is_not_finite_stops_training_before_the_update(bad, clip_value):
    run = small_run()
    run.model.parameters["output.W"][0, 0] = bad
    before = run.model.parameters.flat.copy()
    with np.errstate(all="ignore"), pytest.raises(NotFiniteError, match="step 1: .* norm .*learning rate.*clipped"):
        next(train_steps(run, SequenceBatches(sequences(), 4, EOS), epochs=1, clip_value=clip_value))
    np.testing.assert_array_equal(run.model.parameters.flat, before)
    assert run.step == 0


def test_an_update_that_overflows_float32_stops_training_and_reports_the_gradient():
    run = small_run(0, 3e38, SGD)
    # all equal, so the loss is finite; Adam enlarges small gradients
    run.model.parameters["output.b"][...] = 3.3e38
    reported = r"step 1: the loss is \d.* norm \d.*parameter (inf|nan).*too high \(3e\+38\).*clipped"
    with pytest.raises(NotFiniteError, match=reported):
        list(train_steps(run, SequenceBatches(sequences(), 4, EOS), steps=9))
    assert run.step == 0 and run.optimizer_state.t == 0


def test_the_number_of_epochs_or_steps_must_be_given():
    with pytest.raises(InputError, match="epochs, steps"):
        next(train_steps(small_run(), SequenceBatches(sequences(), 4, EOS)))
    for limit in ("clip_norm", "clip_value"):
        with pytest.raises(InputError, match=f"{limit} must be greater than 0"):
            next(train_steps(small_run(), SequenceBatches(sequences(), 4, EOS), steps=1, **{limit: 0}))


def test_evaluation_is_the_mean_over_tokens_not_over_batches():
    run, data = small_run(), sequences(7)
    one_by_one = [evaluate(run.model, SequenceBatches([ids], 1, EOS)) for ids in data]
    weights = [len(ids) for ids in data]
    expected = np.average(one_by_one, weights=weights)
    assert evaluate(run.model, SequenceBatches(data, 3, EOS)) == pytest.approx(expected, rel=1e-5)


def test_evaluation_of_a_long_text_passes_the_state_on():
    run, ids = small_run(), np.arange(60) % 5 + 1
    fit(run, WindowBatches(ids, 2, 10, EOS), epochs=3)
    losses = [evaluate(run.model, WindowBatches(ids, 2, window, EOS)) for window in (1, 7, 30)]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


def test_history_has_a_row_every_so_many_steps_and_after_each_epoch(tmp_path):
    run, batches = small_run(), SequenceBatches(sequences(), 4, EOS)
    watchers = [ValidationLoss(batches), History(2, 0.25, tmp_path / "history.csv")]
    fit(run, batches, epochs=2, callbacks=watchers)
    assert [row.step for row in run.history] == [2, 4, 5, 6, 8, 10]
    assert [row.valid_loss is not None for row in run.history] == [False, False, True, False, False, True]
    with open(tmp_path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(HistoryRow._fields)
    assert [int(row["step"]) for row in rows] == [2, 4, 5, 6, 8, 10] and rows[0]["valid_loss"] == ""
    assert float(rows[2]["valid_loss"]) == pytest.approx(run.history[2].valid_loss, rel=1e-5)
    assert {row["floor"] for row in rows} == {"0.25"} and float(rows[-1]["tokens_per_second"]) > 0


def test_a_run_that_ends_within_an_epoch_is_validated_too():
    run, batches = small_run(), SequenceBatches(sequences(), 4, EOS)
    fit(run, batches, steps=3, callbacks=[ValidationLoss(batches), History(100)])
    assert [(row.epoch, row.step) for row in run.history] == [(1, 3)] and run.history[0].valid_loss > 0


def test_early_stop_waits_for_its_patience():
    run, batches = small_run(), SequenceBatches(sequences(), 4, EOS)

    class Pretend(Callback):
        losses = iter([3.0, 2.0, 2.5, 1.9, 2.0, 2.1, 2.2, 0.1])

        def on_epoch(self, training, record):
            training.valid_loss = next(self.losses)

    fit(run, batches, epochs=8, callbacks=[Pretend(), History(100), EarlyStop(2)])
    assert run.epoch == 6 and "not improved for 2 epochs" in run.stop


def test_samples_are_shown_and_saved(tmp_path):
    shown = []
    run, batches = small_run(), SequenceBatches(sequences(), 4, EOS)
    write = SampleText(lambda training: f"text {training.epoch} \ud800", tmp_path / "samples.txt", show=shown.append)
    fit(run, batches, epochs=2, callbacks=[write])
    assert shown == ["text 1 \ud800", "text 2 \ud800"]
    kept = "epoch 1\ntext 1 \\ud800\n\nepoch 2\ntext 2 \\ud800\n"
    assert (tmp_path / "samples.txt").read_text("utf-8") == kept
    fit(run, batches, steps=12, callbacks=[write])  # ends within the third epoch
    assert len(shown) == 3 and (tmp_path / "samples.txt").read_text("utf-8") == kept + "\nstep 12\ntext 2 \\ud800\n"


def test_progress_is_plain_lines_with_one_per_epoch():
    shown = []
    run, batches = small_run(), SequenceBatches(sequences(), 4, EOS)
    watchers = [ValidationLoss(batches), History(100), Progress(5, floor=0.5, seconds=0, show=shown.append)]
    fit(run, batches, epochs=2, callbacks=watchers)
    assert len(shown) == 10 and shown[0].startswith("  epoch 1, step 1 of 5: loss ")
    assert shown[4].startswith("epoch 1: train ") and "floor 0.5000, gap " in shown[4]
    assert max(len(line) for text in shown for line in text.splitlines()) <= 80


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_step_end_and_stops(number):
    run, batches, before = small_run(), SequenceBatches(sequences(), 4, EOS), signal.getsignal(number)

    class Press(Callback):
        def on_step(self, training, record):
            if record.step == 3:
                signal.raise_signal(number)

    with StopOnSignal() as interrupt:
        fit(run, batches, epochs=9, callbacks=[Press(), interrupt])
    assert run.step == 3 and run.stop == "interrupted" and signal.getsignal(number) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no way to send Ctrl-C to oneself that Python would see")
def test_a_second_signal_stops_at_once():
    with StopOnSignal(), pytest.raises(KeyboardInterrupt):
        for _ in itertools.repeat(None, 2):
            os.kill(os.getpid(), signal.SIGINT)


def test_two_epochs_have_two_orders():
    run, batches, seen = small_run(), SequenceBatches([np.array([k % 5 + 1] * (k + 1)) for k in range(20)], 1, EOS), []
    for record in train_steps(run, batches, epochs=2):
        seen.append(record.tokens)
    assert sorted(seen[:20]) == sorted(seen[20:]) == list(range(1, 21)) and seen[:20] != seen[20:]


def test_the_schedule_gives_the_learning_rate_of_every_step():
    batches = SequenceBatches(sequences(), 4, EOS)
    asked = []
    scheduled, plain = small_run(learning_rate=0.5), small_run(learning_rate=0.01)
    fit(scheduled, batches, epochs=2, schedule=lambda step: (asked.append(step), 0.01)[1])
    fit(plain, batches, epochs=2)
    assert asked == list(range(10))
    assert (scheduled.model.parameters.flat == plain.model.parameters.flat).all()


def test_history_adds_up_losses_tokens_and_seconds():
    run, batches = small_run(), SequenceBatches(sequences(), 4, EOS)
    records = []

    class Listen(Callback):
        def on_step(self, training, record):
            records.append(record)

    fit(run, batches, epochs=2, callbacks=[Listen(), History(5)])
    assert [row.step for row in run.history] == [5, 10]
    for row, part in zip(run.history, (records[:5], records[5:])):
        tokens = sum(record.tokens for record in part)
        assert row.train_loss == pytest.approx(sum(r.loss * r.tokens for r in part) / tokens, rel=1e-12)
    first, second = run.history
    assert 0 < first.seconds < second.seconds == run.seconds
    tokens = sum(record.tokens for record in records[5:])
    assert second.tokens_per_second == pytest.approx(tokens / (second.seconds - first.seconds), rel=1e-9)


def test_a_checkpoint_is_saved_after_each_epoch_and_at_the_end(monkeypatch):
    saved = []
    monkeypatch.setattr(callbacks, "save", lambda path, kept: saved.append(kept.training.step))
    run, batches = small_run(), SequenceBatches(sequences(), 4, EOS)
    kept = Checkpoint(run, CharTokenizer.fit(["abcde"]), {})
    fit(run, batches, steps=12, callbacks=[SaveCheckpoint("nowhere", kept, seconds=1e9)])
    assert saved == [5, 10, 12, 12]  # at the end, before and after the other callbacks
    saved.clear()
    fit(run, batches, steps=14, callbacks=[SaveCheckpoint("nowhere", kept, seconds=1e-9)])
    assert saved == [13, 14, 14]


def test_a_run_cannot_continue_with_another_batch_size():
    run = small_run()
    fit(run, SequenceBatches(sequences(), 2, EOS), steps=8)
    with pytest.raises(InputError, match="has done 8 mini-batches of its epoch, but there are 3"):
        fit(run, SequenceBatches(sequences(), 8, EOS), epochs=2)


def test_early_stop_needs_a_validation_loss_and_progress_does_not():
    run, batches, shown = small_run(), SequenceBatches(sequences(), 4, EOS), []
    with pytest.raises(InputError, match="ValidationLoss and History"):
        fit(run, batches, epochs=1, callbacks=[EarlyStop(1)])
    fit(run, batches, epochs=2, callbacks=[Progress(5, show=shown.append)])
    assert shown[0].startswith("epoch 2: train ")
