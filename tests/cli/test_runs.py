"""The files of a run, and how long it trains.

A run changes only its own files. It saves them before anything can fail. It trains long
enough to learn.
"""

import os
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest

from minilstm import Adam, CharTokenizer, InputError, LanguageModel
from minilstm.cli import data, lock, settings
from minilstm.cli import train as command
from minilstm.cli.tasks import language_model
from minilstm.cli.train import amount, still_falling
from minilstm.training import callbacks, checkpoint
from minilstm.training.callbacks import ByProducts, History, SampleText
from minilstm.training.loop import Callback, StepRecord, Training
from minilstm.training.progress import Progress, is_shown
from tests.helpers.commands import refused
from tests.training.test_train import EOS, SequenceBatches, fit, sequences, small_run

SMALL = ["--hidden", 6, "--batch-size", 4]
PICTURE = command._picture


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with two texts of forty lines.

    An epoch has nine batches of four. Pictures are not drawn, since they take too long.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "_picture", lambda training, folder, say: None)
    for name, word in (("lines.txt", "says"), ("other.txt", "tells")):
        lines = [f"line {k} {word} {'abc'[k % 3] * (k % 5 + 1)}" for k in range(40)]
        (tmp_path / name).write_text("\n".join(lines), "utf-8")
    return tmp_path


def train(run, *options, source="lines.txt", out="run"):
    """The run that results from these options, and its output."""
    status, output, err = run("train", *([source] if source else []), *SMALL, *options, "--out", out)
    assert status == 0, err
    return checkpoint.load(f"{out}/model.npz"), " ".join(output.split())


# Reading before locking


@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_while_a_run_reads_its_text_no_other_run_writes_to_its_folder(here, run, monkeypatch, resume):
    if resume:
        train(run, "--epochs", 1)
    load, others = data.load, []

    def slow(sources, chosen):
        if not others:
            others.append(None)
            others[0] = run("train", "other.txt", *SMALL, "--epochs", 5, "--out", "run", *resume)
        return load(sources, chosen)

    monkeypatch.setattr(data, "load", slow)
    kept, _ = train(run, "--epochs", 2, *resume)
    refused(others[0], 2, "another run is at work in run")
    assert kept.training.epoch == 2 and kept.settings["sources"] == [str(here / "lines.txt")]
    best = checkpoint.load("run/best.npz")
    assert best.settings["run"] == kept.settings["run"] and best.settings["fingerprint"] == kept.settings["fingerprint"]


def test_two_runs_of_one_text_have_two_identities(here, run):
    ids = {train(run, "--steps", 1, out=out)[0].settings["run"] for out in ("one", "two")}
    assert len(ids) == 2
    kept, _ = train(run, "--resume", "--steps", 2, source=None, out="one")
    assert kept.settings["run"] in ids


@pytest.mark.parametrize("source, seed", [("other.txt", 0), ("lines.txt", 0), ("lines.txt", 1)])
def test_the_best_model_of_another_run_is_neither_overwritten_nor_recommended(here, run, source, seed):
    train(run, "--epochs", 1)
    train(run, "--epochs", 1, "--seed", seed, source=source, out="other")
    shutil.copy("other/best.npz", "run/best.npz")
    before = {path: path.read_bytes() for path in (here / "run").iterdir()}
    refused(run("train", "--resume", "--out", "run", "--epochs", 2), 2, "run/best.npz belongs to another run")
    assert {path: path.read_bytes() for path in (here / "run").iterdir()} == before


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, OSError(5, "Input/output error")])
def test_a_run_that_failed_before_its_first_step_does_not_block_the_next(here, run, monkeypatch, error):
    def fail(self, batch, state, noise):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(LanguageModel, "loss_and_gradients", fail)
        patch.setattr("signal.signal", lambda number, handler: None)
        assert run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run")[0] == 1
    assert train(run, "--steps", 2, source="other.txt")[0].training.step == 2
    refused(run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run"), 2, "model.npz exists already")


def test_a_folder_of_another_text_says_so_and_offers_another_folder_first(here, run):
    train(run, "--epochs", 1, source="other.txt")
    status, out, err = run("train", "lines.txt", *SMALL, "--out", "run")
    assert (status, out) == (2, "")
    assert f"was trained on {here / 'other.txt'}, not on {here / 'lines.txt'}; choose another folder with --out" in err
    assert err.index("--out") < err.index("--resume")
    refused(run("train", "other.txt", *SMALL, "--out", "run"), 2, "exists already; continue it with --resume")


def test_where_a_run_exists_a_wrong_column_is_reported_first(here, run):
    (here / "run.csv").write_text("title,other\n" + "a,b\n" * 40, "utf-8")
    train(run, "--epochs", 1)
    wrong = ("train", "run.csv", *SMALL, "--out", "run", "--column")
    refused(run(*wrong, "titel"), 2, "no column is 'titel'")
    refused(run(*wrong, "title"), 2, "exists already")
    refused(run("train", "headlines", *SMALL, "--out", "run", "--column", "title"), 2, "--column is for files")


def test_a_run_that_is_past_what_is_asked_for_says_where_it_is(here, run):
    train(run, "--epochs", 3)
    assert "run/model.npz is complete: 3 epochs, 27 training steps; ask for more" in train(run, "--resume", source="")[1]
    assert "is already past 2 epochs (step 27); ask for more" in train(run, "--resume", "--epochs", 2, source="")[1]
    assert "is already past 1 epoch (step 27); ask for more" in train(run, "--resume", "--epochs", 1, source="")[1]
    assert "is already past 5 steps (step 27); ask for more" in train(run, "--resume", "--steps", 5, source="")[1]


@pytest.mark.parametrize(
    "sequences, words",
    [(4, "3 sequences for training (1 is for validation), too few for one mini-batch of 16; add --batch-size 3"),
     (2, "1 sequence for training (1 is for validation), too few for one mini-batch of 16; add --batch-size 1"),
     (16, "14 sequences for training (2 are for validation), too few for one mini-batch of 16; add --batch-size 14")],
)
def test_too_few_sequences_for_a_mini_batch_are_counted_with_the_option_that_helps(here, run, sequences, words):
    (here / "few.txt").write_text("some words\n" * sequences, "utf-8")
    refused(run("train", "few.txt", "--out", "few"), 2, words)
    size = words.rpartition(" ")[2]
    assert run("train", "few.txt", "--out", "few", "--hidden", 3, "--steps", 1, "--batch-size", size)[0] == 0


def test_a_run_that_failed_before_its_first_save_does_not_block_the_next(here, run):
    failed = run("train", "lines.txt", *SMALL, "--epochs", 1, "--optimizer", "sgd", "--learning-rate", 1e38, "--out", "run")
    refused(failed, 1, "training stops at step")
    assert checkpoint.load("run/model.npz").training.step == 0
    (here / "run/history.csv").touch()  # it may exist by then
    assert train(run, "--epochs", 1)[0].training.epoch == 1


def test_an_untrained_model_of_the_user_is_not_overwritten(here, run):
    model = LanguageModel(7, hidden=4)
    made = checkpoint.Checkpoint(Training.begin(model, Adam(), np.random.default_rng(0)), CharTokenizer.fit(["abcde"]), {})
    (here / "run").mkdir()
    checkpoint.save("run/model.npz", made)
    refused(run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run"), 2, "model.npz exists already")


@pytest.mark.parametrize("contents", [b"PK not really", b"my own notes"])
def test_a_file_that_is_not_a_model_is_not_overwritten(here, run, contents):
    (here / "run").mkdir()
    (here / "run/model.npz").write_bytes(contents)
    refused(run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run"), 2, "model.npz exists already")
    assert (here / "run/model.npz").read_bytes() == contents


@pytest.mark.skipif(lock.fcntl is None, reason="Windows locks files by other means")
def test_a_run_on_a_file_system_without_locks_says_so_and_trains(here, run, monkeypatch):
    def fail(file, operation):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", fail)
    assert "has no locks" in train(run, "--steps", 1)[1]


# The checkpoint is written first


def raising(error, after=0):
    """A function that raises after a number of calls."""
    calls = []

    def fail(*arguments, **options):
        calls.append(arguments)
        if len(calls) > after:
            raise error
        return ["a text"]

    return fail


@pytest.mark.parametrize(
    "error, words",
    [
        (InputError("no such token"), "no such token"),
        (MemoryError(), "not enough memory"),
        (PermissionError(13, "Permission denied", "samples.txt"), "samples.txt: Permission denied"),
        (RuntimeError("two\nlines"), "RuntimeError: two lines"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_failing_samples_are_reported_once_and_training_continues(here, run, monkeypatch, error, words):
    monkeypatch.setattr(language_model, "generate", raising(error))
    kept, output = train(run, "--epochs", 3)
    assert kept.training.epoch == 3 and kept.training.samples == [] and len(kept.training.history) > 3
    assert output.count("samples failed, and the run goes on without") == 1 and words in output


@pytest.mark.parametrize("name", ["history.csv", "samples.txt", "loss.png"])
def test_a_file_that_cannot_be_written_is_reported_once_and_training_continues(here, run, monkeypatch, name):
    monkeypatch.setattr(command, "_picture", PICTURE)
    train(run, "--epochs", 1)
    (here / "run" / name).unlink()
    # on Windows, a file that is open in another program cannot be replaced
    (here / "run" / name).mkdir()
    kept, output = train(run, "--epochs", 4, "--resume")
    assert kept.training.epoch == 4 and len(kept.training.samples) == 4
    assert output.count("the run goes on without") == 1 and f"run/{name}: cannot be replaced" in output
    (here / "run" / name).rmdir()
    train(run, "--epochs", 5, "--resume")
    assert (here / "run" / name).is_file() and not (here / "run" / f"{name}.tmp").exists()


def test_a_failing_check_by_the_grammar_is_reported_and_the_run_ends_normally(here, run, monkeypatch):
    monkeypatch.setitem(data.EPOCH, "headlines", 8)
    monkeypatch.setitem(data.VALIDATION_TEXTS, "headlines", 4)
    monkeypatch.setattr(language_model.LanguageModelTask, "finish", raising(MemoryError()))
    kept, output = train(run, "--epochs", 1, source="headlines")
    assert "the check by the grammar failed" in output and "not enough memory" in output and "done in" in output


def test_pictures_are_drawn_whatever_backend_the_environment_names(tmp_path):
    code = (
        "from minilstm import course; from minilstm.training import plots; plots.loss_picture([], 'loss.png');"
        " print(course.pyplot().get_backend())"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                            env={**os.environ, "MPLBACKEND": "of a notebook"})
    assert result.returncode == 0 and result.stdout.strip().lower() == "agg", result.stderr
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("owner, name", [(callbacks, "evaluate"), (language_model, "generate"), (callbacks, "replacing"),
                                         (checkpoint, "replacing")])
@pytest.mark.parametrize("after", [0, 1])
def test_a_run_killed_in_validation_has_saved_its_epoch_and_continues_identically(
    here, run, monkeypatch, owner, name, after
):
    fixed = ["--schedule", "constant", "--save-every", 1e9]
    whole, _ = train(run, *fixed, "--epochs", 2, out="whole")
    real, calls = getattr(owner, name), []

    def cut_off(*arguments, **options):
        calls.append(None)
        if checkpoint.load("run/model.npz").training.epoch > after:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        if owner is not checkpoint:
            patch.setattr(owner, name, cut_off)
        else:  # right after the epoch was saved
            save = callbacks.SaveCheckpoint.on_milestone
            patch.setattr(callbacks.SaveCheckpoint, "on_milestone",
                          lambda self, training: (save(self, training), cut_off("x") if training.epoch > after else None))
        patch.setattr("signal.signal", lambda number, handler: None)
        status, _, err = run("train", "lines.txt", *SMALL, *fixed, "--epochs", 2, "--out", "run")
    assert status == 1 and "interrupted" in err and calls
    # nothing was lost
    assert checkpoint.load("run/model.npz").training.epoch == after + 1
    parts, output = train(run, "--resume", source=None)
    assert "done in" in output
    assert (parts.training.model.parameters.flat == whole.training.model.parameters.flat).all()
    assert parts.training.samples == whole.training.samples and len(parts.training.samples) == 2
    rows = [[(row.epoch, row.step, row.train_loss, row.valid_loss) for row in kept.training.history] for kept in (parts, whole)]
    assert rows[0] == rows[1]
    for file in ("samples.txt", "history.csv", "best.npz"):
        assert (here / "run" / file).exists(), file
    best = [checkpoint.load(f"{folder}/best.npz").training for folder in ("run", "whole")]
    assert (best[0].model.parameters.flat == best[1].model.parameters.flat).all() and best[0].unreported is None
    assert "ask for more" in train(run, "--resume", source=None)[1]


@pytest.mark.parametrize("owner, name", [(callbacks, "evaluate"), (language_model, "generate")])
def test_a_run_killed_in_its_last_validation_is_completed_by_resuming(here, run, monkeypatch, owner, name):
    whole, _ = train(run, "--steps", 5, out="whole")
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, raising(KeyboardInterrupt()))
        patch.setattr("signal.signal", lambda number, handler: None)
        assert run("train", "lines.txt", *SMALL, "--steps", 5, "--out", "run")[0] == 1
    assert checkpoint.load("run/model.npz").training.step == 5
    parts, output = train(run, "--resume", source=None)
    assert "done in" in output and parts.training.samples == whole.training.samples and len(whole.training.samples) == 1
    last = [kept.training.history[-1] for kept in (parts, whole)]
    assert last[0].valid_loss == last[1].valid_loss is not None
    assert "ask for more" in train(run, "--resume", source=None)[1]


def test_an_epoch_is_saved_before_its_callbacks_and_they_are_called_again_if_need_be(tmp_path):
    kept = checkpoint.Checkpoint(small_run(), CharTokenizer.fit(["abcde"]), {})
    path, heard = tmp_path / "model.npz", []

    class Fails(Callback):
        def on_epoch(self, training, record):
            heard.append((checkpoint.load(path).training.epoch, record.step))
            if len(heard) == 1:
                raise RuntimeError

    batches = SequenceBatches(sequences(), 4, EOS)
    saver = callbacks.SaveCheckpoint(path, kept, 1e9)
    with pytest.raises(RuntimeError):
        fit(kept.training, batches, epochs=1, callbacks=[Fails(), saver])
    back = checkpoint.load(path)
    assert isinstance(back.training.unreported, StepRecord) and back.training.unreported.epoch_ends
    again = callbacks.SaveCheckpoint(path, back, 1e9)
    fit(back.training, batches, epochs=2, callbacks=[Fails(), again])
    assert heard == [(1, 5), (1, 5), (2, 10)] and checkpoint.load(path).training.unreported is None


def test_each_failing_extra_is_reported_once_and_ctrl_c_is_not_caught():
    said = []
    spare = ByProducts(said.append)
    for name in ("a", "b", "a"):
        with spare.making(name):
            raise ValueError(name)
    assert [sentence[0] for sentence in said] == ["a", "b"]
    with pytest.raises(KeyboardInterrupt), spare.making("a"):
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["model.npz", "best.npz"])
def test_a_new_model_is_kept_if_the_old_file_cannot_be_replaced(here, run, monkeypatch, name):
    train(run, "--epochs", 1)
    replace = os.replace

    def refuse(source, target):
        if os.path.basename(target) == name and checkpoint.load(source).training.epoch == 2:
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    result = run("train", "--resume", *SMALL, "--epochs", 2, "--out", "run", "--schedule", "constant")
    if name == "model.npz":
        refused(result, 1, "model.npz: cannot be replaced", "open in another program", "is in model.npz.tmp")
    else:
        assert result[0] == 0 and "best.npz failed, and the run goes on without" in result[1]
    assert checkpoint.load(f"run/{name}").training.epoch == 1
    assert checkpoint.load(f"run/{name}.tmp").training.epoch == 2


# Short files


@pytest.mark.parametrize(
    "number, text", [(1, "1 epoch"), (0.25, "0.25 epochs"), (7.0, "7 epochs"), (1234.5, "1,234 epochs"), (0.9999, "1 epoch")]
)
def test_an_amount_has_three_digits_and_a_plural_if_it_is_not_one(number, text):
    assert amount(number, "epoch") == text


def test_a_short_file_is_trained_on_for_enough_epochs_to_reach_the_least_steps(here, run, monkeypatch):
    monkeypatch.setattr(settings, "STEPS", 60)
    kept, output = train(run)
    assert kept.training.step == 63 and kept.settings["epochs"] == 7 and "7 epochs, 63 steps" in output
    assert "ask for more" in train(run, "--resume", source=None)[1]


@pytest.mark.parametrize(
    "options, steps",
    [(["--epochs", 1], 9), (["--steps", 3], 3), (["--preset", "headlines", "--batch-size", 20], 4 * 2)],
)
def test_a_given_number_of_epochs_or_steps_is_used(here, run, monkeypatch, options, steps):
    monkeypatch.setattr(settings, "STEPS", 60)
    assert train(run, *options)[0].training.step == steps


def test_a_long_file_gets_four_epochs_and_the_shortest_a_hundred():
    assert [settings.epochs_of_file(steps) for steps in (1, 10, 20, 250, 10**6)] == [100, 100, 50, 4, 4]


@pytest.mark.parametrize(
    "losses, falling",
    [
        ([], False), ([2.0], False), ([2.0, 1.9], True), ([2.0, 1.99], False), ([2.0, 1.5, 1.6], False),
        ([1.0, 2.0, 1.5], False), ([3.0, 2.0, 1.0, 0.999], False), ([4.0, 3.5, 3.0, 2.5, 2.49, 2.48, 2.47, 2.44], True),
        ([float("nan"), 1.0], False),
    ],
)
def test_a_loss_is_still_falling_if_it_is_the_lowest_and_fell_recently(losses, falling):
    assert still_falling(losses) == falling


def test_a_run_that_was_still_learning_prints_the_command_to_continue(here, run, monkeypatch):
    losses = iter([3.0, 2.0, 1.0, 0.999, 0.998, 0.997])
    monkeypatch.setattr(callbacks, "evaluate", lambda model, batches: next(losses))
    status, output, _ = run("train", "lines.txt", *SMALL, "--epochs", 3, "--out", "my run")
    assert status == 0 and "the validation loss was still falling" in output
    (printed,) = [line for line in output.splitlines() if line.startswith("  minilstm train")]
    assert printed.endswith("--epochs 6")
    status, output, _ = run(*shlex.split(printed)[1:])
    assert status == 0 and "still falling" not in output and checkpoint.load("my run/model.npz").training.epoch == 6


def test_of_many_epochs_every_tenth_and_the_last_are_shown(tmp_path):
    assert [epoch for epoch in range(1, 60) if not is_shown(epoch)][:5] == [26, 27, 28, 29, 31]
    shown, run = [], small_run()
    watchers = [History(100), Progress(5, show=shown.append), SampleText(lambda training: "text", show=shown.append)]
    fit(run, SequenceBatches(sequences(), 4, EOS), epochs=32, callbacks=watchers)
    labels = [f"epoch {epoch}" for epoch in (*range(1, 26), 30, 32)]
    assert [text.split("\n")[0] for text in run.samples] == labels
    assert [line.split(":")[0] for line in shown if line.startswith("epoch")] == labels


def test_the_history_is_not_written_at_every_step(tmp_path, monkeypatch):
    writes, write = [], History.write
    monkeypatch.setattr(callbacks, "SECONDS_BETWEEN_WRITES", np.inf)
    monkeypatch.setattr(History, "write", lambda self, training: (writes.append(training.step), write(self, training)))
    run = small_run()
    fit(run, SequenceBatches(sequences(), 4, EOS), epochs=2, callbacks=[History(1, path=tmp_path / "history.csv")])
    assert isinstance(run, Training) and len(run.history) == 10 and writes == [1, 5, 10, 10]
