"""The model of the lowest validation loss is kept, never replaced by a worse one."""

import os

import numpy as np
import pytest

from minilstm import Adam, CharTokenizer, CheckpointError, InputError, LanguageModel
from minilstm.data.batches import SequenceBatches
from minilstm.training.callbacks import ValidationLoss, History, SaveBest, SaveCheckpoint
from minilstm.training.checkpoint import Checkpoint, load
from minilstm.training.loop import Callback, Training, fit

TOKENIZER = CharTokenizer.fit(["abcdef"])
# 5 steps per epoch
BATCHES = SequenceBatches([np.array([1, 2, 3])] * 20, 4, TOKENIZER.eos_id)


class Pretend(Callback):
    """Replaces ValidationLoss."""

    def __init__(self, losses):
        self.losses = iter(losses)

    def on_epoch(self, training, record):
        training.valid_loss = next(self.losses)


def begun():
    model = LanguageModel(TOKENIZER.vocab_size, hidden=4)
    return Checkpoint(Training.begin(model, Adam(0.01), np.random.default_rng(0)), TOKENIZER, {})


def train(folder, kept, losses, epochs=None, steps=None):
    best = SaveBest(folder / "best.npz", kept)
    watchers = [Pretend(losses), History(2), best, SaveCheckpoint(folder / "model.npz", kept, 1e9)]
    fit(kept.training, BATCHES, epochs, steps, callbacks=watchers)
    return best


def best_epoch(folder):
    return load(folder / "best.npz").training.epoch


@pytest.mark.parametrize(
    "losses, epoch",
    [([3.0, 2.0, 2.5], 2), ([1.0, 2.0, 3.0], 1), ([3.0, 2.0, 1.0], 3), ([2.0, 1.0, 1.0], 2), ([2.0, float("nan"), 3.0], 1)],
)
def test_the_first_epoch_of_the_lowest_validation_loss_is_kept(tmp_path, losses, epoch):
    best = train(tmp_path, begun(), losses, epochs=3)
    kept = load(tmp_path / "best.npz")
    assert kept.training.epoch == epoch and kept.training.history[-1].valid_loss == best.loss == losses[epoch - 1]
    alone = begun()
    fit(alone.training, BATCHES, epochs=epoch)
    assert (kept.training.model.parameters.flat == alone.training.model.parameters.flat).all()


def test_a_resumed_run_knows_its_best(tmp_path):
    train(tmp_path, begun(), [3.0, 1.0], epochs=2)
    train(tmp_path, load(tmp_path / "model.npz"), [2.0], epochs=3)
    assert best_epoch(tmp_path) == 2
    train(tmp_path, load(tmp_path / "model.npz"), [0.5], epochs=4)
    assert best_epoch(tmp_path) == 4


def test_a_run_resumed_from_before_its_best_does_not_overwrite_it_by_a_worse_one(tmp_path):
    train(tmp_path, begun(), [3.0], epochs=1)
    earlier = (tmp_path / "model.npz").read_bytes()
    train(tmp_path, load(tmp_path / "model.npz"), [1.0], epochs=2)
    (tmp_path / "model.npz").write_bytes(earlier)
    train(tmp_path, load(tmp_path / "model.npz"), [2.0, 1.0], epochs=3)
    assert best_epoch(tmp_path) == 2
    train(tmp_path, load(tmp_path / "model.npz"), [0.9], epochs=4)
    assert best_epoch(tmp_path) == 4


def test_if_the_file_was_removed_the_history_still_counts(tmp_path):
    train(tmp_path, begun(), [1.0], epochs=1)
    (tmp_path / "best.npz").unlink()
    train(tmp_path, load(tmp_path / "model.npz"), [2.0], epochs=2)
    assert not (tmp_path / "best.npz").exists()


def test_a_run_that_ends_within_an_epoch_is_kept_if_it_is_the_best(tmp_path):
    kept = begun()
    fit(kept.training, BATCHES, steps=3, callbacks=[ValidationLoss(BATCHES), History(2), SaveBest(tmp_path / "best.npz", kept)])
    back = load(tmp_path / "best.npz").training
    assert back.step == 3 and back.history[-1].valid_loss == kept.training.history[-1].valid_loss


def test_a_run_that_ends_within_an_epoch_is_not_kept_if_it_is_worse(tmp_path):
    class Worse(Callback):
        def on_epoch(self, training, record):
            training.valid_loss = 1.0

        def on_end(self, training):
            training.valid_loss = 2.0

    kept = begun()
    fit(kept.training, BATCHES, steps=8, callbacks=[Worse(), History(2), SaveBest(tmp_path / "best.npz", kept)])
    assert kept.training.history[-1].valid_loss == 2.0 and load(tmp_path / "best.npz").training.step == 5


def test_a_run_that_was_interrupted_within_an_epoch_leaves_the_best_as_it_was(tmp_path):
    class Press(Callback):
        def on_step(self, training, record):
            if record.step == 7:
                training.stop = "interrupted"

    kept = begun()
    best = SaveBest(tmp_path / "best.npz", kept)
    fit(kept.training, BATCHES, epochs=3, callbacks=[ValidationLoss(BATCHES), History(2), best, Press()])
    assert kept.training.step == 7 and load(tmp_path / "best.npz").training.step == 5


def test_when_the_disk_is_full_the_best_so_far_stays_intact(tmp_path, monkeypatch):
    train(tmp_path, begun(), [2.0], epochs=1)
    old = (tmp_path / "best.npz").read_bytes()
    kept = load(tmp_path / "model.npz")

    def no_space(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    best = SaveBest(tmp_path / "best.npz", kept)
    with pytest.raises(OSError, match="No space left"):
        fit(kept.training, BATCHES, epochs=2, callbacks=[Pretend([1.0]), History(9), best])
    assert (tmp_path / "best.npz").read_bytes() == old and best.loss == 2.0


def test_a_damaged_file_is_reported_and_not_overwritten(tmp_path):
    (tmp_path / "best.npz").write_bytes(b"PK not really")
    with pytest.raises(CheckpointError, match="best.npz is damaged"):
        SaveBest(tmp_path / "best.npz", begun())
    assert (tmp_path / "best.npz").read_bytes() == b"PK not really"


def test_without_a_validation_loss_it_says_what_is_missing(tmp_path):
    kept = begun()
    with pytest.raises(InputError, match="SaveBest needs a validation loss: put ValidationLoss and History before it"):
        fit(kept.training, BATCHES, epochs=1, callbacks=[History(9), SaveBest(tmp_path / "best.npz", kept)])
