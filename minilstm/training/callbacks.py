"""What watches the training: held-out loss, history, samples, saving, stopping.

``fit`` calls ``on_milestone`` and then ``on_epoch`` (of all, in their order) when an epoch has ended, then ``on_step``, and
``on_milestone`` and ``on_end`` at the end of the run. Each callback does one thing; what they tell each other stands in the
``Training``.

The checkpoint is saved first, at the milestone. Everything that a run can do without (history.csv, samples, pictures) is made
afterwards, and by ``ByProducts``: if it fails, that is said once, and training goes on.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from minilstm.checks import check_size
from minilstm.data.batches import Batches
from minilstm.errors import InputError, MinilstmError
from minilstm.files import replacing
from minilstm.training.checkpoint import Checkpoint, load, save
from minilstm.training.loop import Callback, HistoryRow, StepRecord, Training, evaluate
from minilstm.training.progress import is_shown

SECONDS_BETWEEN_ROWS = 1.0  # at least, from one writing of history.csv to the next within an epoch


class ByProducts:
    """Makes what a run can do without. Whatever goes wrong there is said in one sentence, once, and the run goes on.

    ``show`` prints a sentence. Only what is no ``Exception``, such as Ctrl-C, passes through.
    """

    def __init__(self, show: Callable[[str], None]):
        self.show = show
        self._said: set[str] = set()

    @contextlib.contextmanager
    def making(self, name: str) -> Iterator[None]:
        """What is done within may fail; ``name`` says in the sentence what is missing then."""
        try:
            yield
        except Exception as error:
            if name not in self._said:
                self._said.add(name)
                self.show(f"{name} failed, and the run goes on without: {_reason(error)}")

    def of(self, name: str, callback: Callback) -> Callback:
        """The callback, in whose place nothing happens where it fails."""
        return _ByProduct(self, name, callback)


class _ByProduct(Callback):
    def __init__(self, guard: ByProducts, name: str, callback: Callback):
        self.guard, self.name, self.callback = guard, name, callback

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        with self.guard.making(self.name):
            self.callback.on_epoch(training, record)

    def on_step(self, training: Training, record: StepRecord) -> None:
        with self.guard.making(self.name):
            self.callback.on_step(training, record)

    def on_end(self, training: Training) -> None:
        with self.guard.making(self.name):
            self.callback.on_end(training)


def _reason(error: Exception) -> str:
    """One line for a person; the error's kind too, where nobody has written the message for people."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    message = " ".join(str(error).split())
    return message if isinstance(error, MinilstmError) else f"{type(error).__name__}: {message}".removesuffix(": ")


class HeldOutLoss(Callback):
    """Measures the loss on text that the model is not trained on, after each epoch and at the end."""

    def __init__(self, batches: Batches):
        self.batches = batches

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        training.valid_loss = evaluate(training.model, self.batches)

    def on_end(self, training: Training) -> None:
        if training.stop is None and training.position:  # ended within an epoch
            training.valid_loss = evaluate(training.model, self.batches)


class History(Callback):
    """Adds a row to ``training.history`` every ``every`` steps and after each epoch, and writes it all to a CSV file."""

    def __init__(self, every: int, floor: float | None = None, path: str | Path | None = None):
        self.every, self.floor, self.path = check_size("every", every), floor, path
        self._written_at = -math.inf

    def on_step(self, training: Training, record: StepRecord) -> None:
        if training.tokens and record.step % self.every == 0:
            self._add_row(training, record.epoch)
            if time.monotonic() - self._written_at >= SECONDS_BETWEEN_ROWS:  # short epochs have a row for every step
                self.write(training)

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        self._add_row(training, record.epoch)
        self.write(training)

    def on_end(self, training: Training) -> None:
        if training.stop is None and training.tokens:
            self._add_row(training, training.epoch + 1)
        elif training.valid_loss is not None:
            training.history[-1] = training.history[-1]._replace(valid_loss=training.valid_loss)
        training.valid_loss = None
        self.write(training)

    def write(self, training: Training) -> None:
        """The whole file anew, so that it holds what the run holds, also after the run was taken up again."""
        if self.path is None:
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HistoryRow._fields)
        for row in training.history:
            writer.writerow("" if x is None else x if isinstance(x, int) else f"{x:.6g}" for x in row)
        with replacing(self.path) as file:
            file.write(text.getvalue().encode("ascii"))
        self._written_at = time.monotonic()

    def _add_row(self, training: Training, epoch: int) -> None:
        seconds = max(training.row_seconds, 1e-9)
        training.seconds += training.row_seconds
        training.history.append(
            HistoryRow(
                epoch=epoch,
                step=training.step,
                train_loss=training.nats / training.tokens,
                valid_loss=training.valid_loss,
                floor=self.floor,
                tokens_per_second=training.tokens / seconds,
                seconds=training.seconds,
            )
        )
        training.nats, training.tokens, training.row_seconds, training.valid_loss = 0.0, 0, 0.0, None


class SampleText(Callback):
    """Adds what ``sample`` returns to ``training.samples``, shows it, and keeps all of it in a file.

    After each epoch that ``is_shown``, and at the end of the run.
    """

    def __init__(self, sample: Callable[[Training], str], path: str | Path | None = None, show=print):
        self.sample, self.path, self.show = sample, path, show

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        if is_shown(record.epoch):
            self._add(training, f"epoch {record.epoch}")

    def on_end(self, training: Training) -> None:
        if training.stop is None and training.position:  # ended within an epoch
            self._add(training, f"step {training.step:,}")
        elif training.stop is None and not is_shown(training.epoch):
            self._add(training, f"epoch {training.epoch}")
        self.write(training)

    def write(self, training: Training) -> None:
        """The whole file anew; see ``History.write``."""
        if self.path is not None:
            with replacing(self.path) as file:
                file.write(("\n\n".join(training.samples) + "\n").encode("utf-8", "backslashreplace"))

    def _add(self, training: Training, place: str) -> None:
        text = self.sample(training)
        training.samples.append(f"{place}\n{text}")
        self.show(text)
        self.write(training)


def held_out_losses(training: Training) -> list[float]:
    """All that were measured, in their order."""
    return [row.valid_loss for row in training.history if row.valid_loss is not None]


class EarlyStop(Callback):
    """Stops when the held-out loss has not become better for ``patience`` epochs; needs HeldOutLoss and History before it."""

    def __init__(self, patience: int):
        self.patience = check_size("patience", patience)

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        losses = held_out_losses(training)
        if not losses:
            raise InputError("EarlyStop finds no held-out loss: name HeldOutLoss and History before it")
        since_best = len(losses) - 1 - losses.index(min(losses))
        if since_best >= self.patience:
            training.stop = f"the held-out loss has not become better for {since_best} epochs"


class SaveCheckpoint(Callback):
    """Saves the run every ``seconds`` seconds, after each epoch and at the end.

    An epoch is saved before the other callbacks hear of its end, and the end of the run before and after.
    """

    def __init__(self, path: str | Path, checkpoint: Checkpoint, seconds: float = 10.0):
        self.path, self.checkpoint, self.seconds = path, checkpoint, seconds
        self._saved_at, self._saved_step = time.monotonic(), -1

    def on_milestone(self, training: Training) -> None:
        if training.step != self._saved_step:
            self.save()

    def on_step(self, training: Training, record: StepRecord) -> None:
        if time.monotonic() - self._saved_at >= self.seconds:
            self.save()

    def on_end(self, training: Training) -> None:
        save(self.path, _as_reported(self.checkpoint))

    def save(self) -> None:
        """Save the run as it is now."""
        save(self.path, self.checkpoint)
        self._saved_at, self._saved_step = time.monotonic(), self.checkpoint.training.step


class SaveBest(Callback):
    """Saves the run when its held-out loss is lower than ever before; needs HeldOutLoss and History before it.

    Lower than all of ``training.history``, and than that of the file which is there already: the history may have been taken
    up again from before that file was written. InputError if that file belongs to another run.
    """

    def __init__(self, path: str | Path, checkpoint: Checkpoint):
        self.path, self.checkpoint = path, checkpoint
        losses = held_out_losses(checkpoint.training)
        if Path(path).exists():
            best = load(path)
            if not same_run(best, checkpoint):
                raise InputError(f"{path} belongs to another run and would be written over; move it away")
            losses += held_out_losses(best.training)
        self.loss = min(losses, default=math.inf)

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        if not held_out_losses(training):
            raise InputError("SaveBest finds no held-out loss: name HeldOutLoss and History before it")
        self._keep_if_best(training)

    def on_end(self, training: Training) -> None:
        self._keep_if_best(training)

    def _keep_if_best(self, training: Training) -> None:
        loss = training.history[-1].valid_loss if training.history else None
        if loss is not None and loss < self.loss:
            save(self.path, _as_reported(self.checkpoint))
            self.loss = loss


def _as_reported(checkpoint: Checkpoint) -> Checkpoint:
    """The same run, whose last epoch all callbacks have heard of: those named before the one that saves it have."""
    return replace(checkpoint, training=replace(checkpoint.training, unreported=None))


def same_run(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether they have one random id and one text, whatever their files are called; older files lack the id."""
    pairs = [(one.settings.get(name), other.settings.get(name)) for name in ("run", "fingerprint")]
    return all(None in pair or pair[0] == pair[1] for pair in pairs)


class StopOnSignal(Callback, contextlib.AbstractContextManager):
    """Ctrl-C (SIGTERM, a closed terminal) once: the step that is under way is finished, and training stops. Twice: at once."""

    SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def __init__(self):
        self.received = False
        self._kept: dict = {}

    def __enter__(self) -> StopOnSignal:
        if threading.current_thread() is threading.main_thread():
            for number in self.SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                    self._kept[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *exception) -> None:
        for number, handler in self._kept.items():
            signal.signal(number, handler)

    def on_step(self, training: Training, record: StepRecord) -> None:
        if self.received:
            training.stop = "interrupted"

    def _receive(self, number, frame) -> None:
        if self.received:
            raise KeyboardInterrupt
        self.received = True
