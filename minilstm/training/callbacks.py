"""Callbacks: validation loss, history, samples, checkpoints, early stopping.

``fit`` calls them in their order. At the end of an epoch it calls ``on_milestone`` of
all, then ``on_epoch`` of all, then ``on_step`` of all. At the end of the run it calls
``on_milestone`` and ``on_end``. Each callback does one thing. They pass values to each
other through the ``Training``.

The checkpoint is saved first, at the milestone. Whatever a run can do without
(history.csv, samples, pictures) is written afterwards, guarded by ``ByProducts``: a
failure there is reported once, and training goes on.
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

SECONDS_BETWEEN_WRITES = 1.0  # of history.csv within an epoch, at least
NO_LOSS = (
    "{} needs a validation loss: put ValidationLoss and History before it among the"
    " callbacks"
)


class ByProducts:
    """Guards outputs that a run can do without.

    An error is reported once, and not raised. What is not an ``Exception``, such as
    Ctrl-C, is still raised.

    Parameters
    ----------
    show : prints a sentence.
    """

    def __init__(self, show: Callable[[str], None]):
        self.show = show
        self._reported: set[str] = set()

    @contextlib.contextmanager
    def making(self, name: str) -> Iterator[None]:
        """A context that may fail. ``name`` is what the report calls it."""
        try:
            yield
        except Exception as error:
            if name not in self._reported:
                self._reported.add(name)
                self.show(
                    f"{name} failed, and the run goes on without: {_reason(error)}"
                )

    def of(self, name: str, callback: Callback) -> Callback:
        """The callback, guarded; without ``on_milestone``, which is for checkpoints."""
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
    """The error in one line, with its class unless the message is one of ours."""
    if isinstance(error, OSError) and error.strerror:
        return (
            f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        )
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    message = " ".join(str(error).split())
    if isinstance(error, MinilstmError):
        return message
    return f"{type(error).__name__}: {message}".removesuffix(": ")


class ValidationLoss(Callback):
    """Evaluates the model on the validation set, after each epoch and at the end.

    Parameters
    ----------
    batches : the validation set, in mini-batches.
    """

    def __init__(self, batches: Batches):
        self.batches = batches

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        training.valid_loss = evaluate(training.model, self.batches)

    def on_end(self, training: Training) -> None:
        if training.stop is None and training.position:  # ended within an epoch
            training.valid_loss = evaluate(training.model, self.batches)


class History(Callback):
    """Adds rows to ``training.history``, and writes all of them to a CSV file.

    Parameters
    ----------
    every : training steps from row to row; each epoch also ends with a row.
    floor : entropy floor in nats per token, if it is known.
    path : the CSV file. Default: none is written.
    """

    def __init__(
        self, every: int, floor: float | None = None, path: str | Path | None = None
    ):
        self.every, self.floor, self.path = check_size("every", every), floor, path
        self._written_at = -math.inf

    def on_step(self, training: Training, record: StepRecord) -> None:
        if training.tokens and record.step % self.every == 0:
            self._add_row(training, record.epoch)
            # a short epoch has a row at every step
            if time.monotonic() - self._written_at >= SECONDS_BETWEEN_WRITES:
                self.write(training)

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        self._add_row(training, record.epoch)
        self.write(training)

    def on_end(self, training: Training) -> None:
        if training.stop is None and training.tokens:
            self._add_row(training, training.epoch + 1)
        elif training.valid_loss is not None:
            training.history[-1] = training.history[-1]._replace(
                valid_loss=training.valid_loss
            )
        training.valid_loss = None
        self.write(training)

    def write(self, training: Training) -> None:
        """Write the whole file, so that it has every row of a resumed run, too."""
        if self.path is None:
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HistoryRow._fields)
        for row in training.history:
            writer.writerow(
                "" if x is None else x if isinstance(x, int) else f"{x:.6g}"
                for x in row
            )
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
        training.nats, training.tokens = 0.0, 0
        training.row_seconds, training.valid_loss = 0.0, None


class SampleText(Callback):
    """Samples text after each epoch that ``is_shown``, and at the end of the run.

    Parameters
    ----------
    sample : returns the text; it is added to ``training.samples``.
    path : file for all samples. Default: none is written.
    show : prints a text.
    """

    def __init__(
        self,
        sample: Callable[[Training], str],
        path: str | Path | None = None,
        show=print,
    ):
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
        """Write the whole file; see ``History.write``."""
        if self.path is not None:
            with replacing(self.path) as file:
                file.write(
                    ("\n\n".join(training.samples) + "\n").encode(
                        "utf-8", "backslashreplace"
                    )
                )

    def _add(self, training: Training, title: str) -> None:
        text = self.sample(training)
        training.samples.append(f"{title}\n{text}")
        self.show(text)
        self.write(training)


def validation_losses(training: Training) -> list[float]:
    """All validation losses of a run in nats per token, oldest first."""
    return [row.valid_loss for row in training.history if row.valid_loss is not None]


class EarlyStop(Callback):
    """Early stopping: ends the run when the validation loss no longer improves.

    Needs ValidationLoss and History before it among the callbacks.

    Parameters
    ----------
    patience : epochs without improvement after which the run ends.
    """

    def __init__(self, patience: int):
        self.patience = check_size("patience", patience)

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        losses = validation_losses(training)
        if not losses:
            raise InputError(NO_LOSS.format("EarlyStop"))
        since_best = len(losses) - 1 - losses.index(min(losses))
        if since_best >= self.patience:
            training.stop = (
                f"the validation loss has not improved for {since_best} epochs"
            )


class SaveCheckpoint(Callback):
    """Saves the run after each epoch, at the end, and every ``seconds`` seconds.

    An epoch is saved before any callback reports it, the end of the run before and
    after.

    Parameters
    ----------
    path : the checkpoint file.
    checkpoint : what to save; its ``training`` is the one that ``fit`` trains.
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
        """Save the run now."""
        save(self.path, self.checkpoint)
        self._saved_at = time.monotonic()
        self._saved_step = self.checkpoint.training.step


class SaveBest(Callback):
    """Saves the run whenever its validation loss is the lowest so far.

    Needs ValidationLoss and History before it among the callbacks. The loss is compared
    with ``training.history`` and with the file that may be there already: a resumed run
    may have begun again from before that file was saved.

    Parameters
    ----------
    path : the checkpoint file.
    checkpoint : what to save; its ``training`` is the one that ``fit`` trains.

    Raises
    ------
    InputError : if the file that is there belongs to another run.
    CheckpointError : if it is damaged.
    """

    def __init__(self, path: str | Path, checkpoint: Checkpoint):
        self.path, self.checkpoint = path, checkpoint
        losses = validation_losses(checkpoint.training)
        if Path(path).exists():
            best = load(path)
            if not same_run(best, checkpoint):
                raise InputError(
                    f"{path} belongs to another run and would be overwritten;"
                    " move it away"
                )
            losses += validation_losses(best.training)
        self.loss = min(losses, default=math.inf)

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        if not validation_losses(training):
            raise InputError(NO_LOSS.format("SaveBest"))
        self._keep_if_best(training)

    def on_end(self, training: Training) -> None:
        self._keep_if_best(training)

    def _keep_if_best(self, training: Training) -> None:
        loss = training.history[-1].valid_loss if training.history else None
        if loss is not None and loss < self.loss:
            save(self.path, _as_reported(self.checkpoint))
            self.loss = loss


def _as_reported(checkpoint: Checkpoint) -> Checkpoint:
    """The same run, marked as reported: the callbacks before this one have done so."""
    return replace(checkpoint, training=replace(checkpoint.training, unreported=None))


def same_run(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two checkpoints have the same random id and the same text."""
    return all(
        one.settings.get(name) == other.settings.get(name)
        for name in ("run", "fingerprint")
    )


class StopOnSignal(Callback, contextlib.AbstractContextManager):
    """Stops a run after the current step on Ctrl-C, SIGTERM or a closed terminal.

    A second signal stops it at once. Use it as a context manager around ``fit``, too.
    """

    SIGNALS = [
        getattr(signal, name)
        for name in ("SIGINT", "SIGTERM", "SIGHUP")
        if hasattr(signal, name)
    ]

    def __init__(self):
        self.received = False
        self._kept: dict = {}

    def __enter__(self) -> StopOnSignal:
        if threading.current_thread() is threading.main_thread():
            for number in self.SIGNALS:
                # ignored under nohup
                if signal.getsignal(number) is not signal.SIG_IGN:
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
