"""``minilstm train``: from a text to a trained model in a folder."""

from __future__ import annotations

import contextlib
import math
import secrets
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from minilstm import seeds
from minilstm.cli import resume, screen
from minilstm.cli.defaults import DEFAULTS, OF_SOURCE, Settings
from minilstm.cli.lock import locked
from minilstm.cli.settings import (
    build_optimizer,
    build_schedule,
    epochs_of_file,
)
from minilstm.cli.sources import folder_name, resolve_sources, source_kind
from minilstm.cli.tasks.registry import TASKS, task_for
from minilstm.cli.tasks.task import Examples, Task
from minilstm.errors import InputError, to_install
from minilstm.training.callbacks import (
    ByProducts,
    ValidationLoss,
    History,
    SampleText,
    SaveBest,
    SaveCheckpoint,
    StopOnSignal,
    validation_losses,
)
from minilstm.training.checkpoint import Checkpoint
from minilstm.training.loop import Callback, Training, fit
from minilstm.training.progress import Progress

# all settings that an option sets, and some more
ASKED = [*DEFAULTS, *OF_SOURCE["file"]]
ROWS_AN_EPOCH = 10  # of the history

TRAINING_LOSS = "train: mean loss over the epoch, while the weights still change"
LOSSES = f"{TRAINING_LOSS}; validation: loss at its end, on text that is not trained on"


def run(arguments: Namespace) -> int:
    """The command."""
    began = time.perf_counter()
    given = {
        name: getattr(arguments, name)
        for name in ASKED
        if getattr(arguments, name, None) is not None
    }
    # the last request counts
    if arguments.steps is not None or arguments.epochs is not None:
        given |= {"steps": arguments.steps, "epochs": arguments.epochs}
    folder = _folder(arguments)
    with locked(folder):  # first: what is read must not change before it is written
        return _start_or_continue(arguments, given, folder, began)


def _start_or_continue(
    arguments: Namespace, given: Settings, folder: Path, began: float
) -> int:
    """Start a run, or continue the one in the folder; then read the text."""
    model_path = folder / "model.npz"
    try:
        kept = resume.kept_run(model_path, arguments)
    except InputError:
        if "column" in given and not arguments.resume:
            task, settings = _settings(arguments, given)
            task.read(settings)  # a wrong --column is reported first
        raise
    if kept is None:
        task, settings = _settings(arguments, given)
    else:
        task = TASKS[kept.settings.get("task")]
        settings = resume.continued_settings(kept, given, arguments, model_path)
    text = task.load(settings["sources"], settings)
    if settings["steps"] is None and settings["epochs"] is None:
        settings["epochs"] = epochs_of_file(len(text.train))
    checkpoint = (
        _new_run(task, settings, text)
        if kept is None
        else resume.continued(kept, settings, text, model_path)
    )
    training = checkpoint.training
    ends = (
        settings["steps"],
        settings["epochs"] and settings["epochs"] * len(text.train),
    )
    total = min(end for end in ends if end is not None)
    if training.step >= total and training.unreported is None:
        how_far = f"is complete: {amount(training.epoch, 'epoch')}, {amount(training.step, 'training step')}"
        if training.step > total:
            by_steps = settings["steps"] == total
            asked = (total, "step") if by_steps else (settings["epochs"], "epoch")
            how_far = f"is already past {amount(*asked)} (step {training.step:,})"
        print(f"{model_path} {how_far}; ask for more with --epochs or --steps")
        return 0
    if kept is None and arguments.resume:
        print(f"{folder} contains no run to continue; starting one")
    return _run(arguments, task, checkpoint, text, total, folder, began)


def _settings(arguments: Namespace, given: Settings) -> tuple[Task, Settings]:
    """The task of a new run, and all its settings."""
    sources = resolve_sources(arguments.sources)
    kind = source_kind(sources)
    task = task_for(kind, given.get("task"))
    return task, task.resolve_settings(kind, {**given, "sources": sources})


def _run(
    arguments: Namespace,
    task: Task,
    checkpoint: Checkpoint,
    text: Examples,
    total: int,
    folder: Path,
    began: float,
) -> int:
    """Train, and report; the folder is locked."""
    training = checkpoint.training
    model = checkpoint.training.model
    settings = checkpoint.settings
    model_path, interrupt = folder / "model.npz", StopOnSignal()
    say = screen.Screen(interrupt)
    by_products = ByProducts(say.paragraph)
    floor = text.floor
    for note in (*text.notes, text.description):
        say.paragraph(note)
    say(model.summary())
    if text.best is not None:
        say.paragraph(text.best)
    say(f"{amount(total / len(text.train), 'epoch')}, {amount(total, 'step')}")
    say.paragraph(LOSSES if text.valid is not None else TRAINING_LOSS)
    if training.step:
        say(f"continuing after epoch {training.epoch}, step {training.step:,}")

    best = SaveBest(folder / "best.npz", checkpoint)
    keeper = SaveCheckpoint(model_path, checkpoint, arguments.save_every)
    keeper.save()  # from now on there is something to continue
    validation: list[Callback] = (
        [] if text.valid is None else [ValidationLoss(text.valid)]
    )
    curves = screen.live_curves(say, arguments.curves)
    bar = say.bar = screen.bar(training, total)
    history = History(
        max(1, len(text.train) // ROWS_AN_EPOCH), floor, folder / "history.csv"
    )
    samples = lambda training: task.report(training, checkpoint, text)
    watchers: list[Callback] = [
        *validation,
        by_products.of("history.csv", history),
        by_products.of(
            "progress",
            Progress(len(text.train), floor, text.characters, bar=bar, show=say),
        ),
        by_products.of("samples", SampleText(samples, folder / "samples.txt", say)),
        *(by_products.of("curves", drawn) for drawn in curves),
        *([by_products.of("best.npz", best)] if validation else []),
        interrupt,
        keeper,
    ]
    schedule = build_schedule(settings, len(text.train), total)
    with interrupt, bar or contextlib.nullcontext():
        fit(
            training,
            text.train,
            None,
            total,
            settings["clip"],
            schedule,
            watchers,
            settings["clip_value"],
        )
    say.let_be()
    with by_products.making("loss.png"):
        _picture(training, folder, "token" if text.characters else text.unit, say)
    if training.stop is not None:
        say.paragraph(
            f"stopped after step {training.step:,}; {model_path} has everything."
            " Continue with:"
        )
        say(f"  {resume.command(arguments, folder)}")
        return 0
    with by_products.making(task.closing):
        task.finish(checkpoint, text, say)
    seconds = (
        f"{time.perf_counter() - began:.0f} s ({training.seconds:.0f} s of training"
        " steps in this run)"
    )
    say.paragraph(f"done in {seconds}; everything is in {folder}. {task.use}")
    _commands(task, folder, say)
    losses = validation_losses(training)
    if losses and best.loss < losses[-1]:
        say.paragraph(
            f"the validation loss was lowest at {best.loss:.4f} and is {losses[-1]:.4f}"
            f" now. {task.use_best}"
        )
        _commands(task, folder / "best.npz", say)
    elif still_falling(losses) and task.share_right(checkpoint, text) != 1:
        say.paragraph(
            "the validation loss was still falling at the end, so more training will"
            " help. Continue with:"
        )
        say(
            f"  {resume.command(arguments, folder)} --epochs"
            f" {2 * math.ceil(total / len(text.train))}"
        )
    return 0


def amount(number: float, unit: str) -> str:
    """A number and its unit; a fraction has three digits: "1 epoch", "0.25 epochs"."""
    digits = (
        f"{number:.3g}" if number < 1000 and number != int(number) else f"{number:,.0f}"
    )
    return f"{digits} {unit}" + "s" * (digits != "1")


def still_falling(losses: Sequence[float]) -> bool:
    """Whether the loss is lowest now, and fell by over 1 % in the last quarter."""
    if len(losses) < 2:
        return False
    before = losses[-1 - max(1, len(losses) // 4)]
    return losses[-1] == min(losses) and losses[-1] < 0.99 * before


def _folder(arguments: Namespace) -> Path:
    if arguments.out is not None and (arguments.sources or arguments.resume):
        return Path(arguments.out)
    if not arguments.sources:
        raise InputError(
            "name a text to train on: a built-in corpus, such as headlines, or files;"
            " or continue a run with --resume --out DIR"
        )
    return Path("runs") / folder_name(resolve_sources(arguments.sources))


def _new_run(task: Task, settings: Settings, text: Examples) -> Checkpoint:
    model = task.build_model(settings, text)
    training = Training.begin(
        model, build_optimizer(settings), seeds.generator(settings["seed"], seeds.ORDER)
    )
    about_text = {**text.kept, "fingerprint": text.fingerprint}
    # distinguishes the files of this run from others
    about_run = {"run": secrets.token_hex(8)}
    return Checkpoint(
        training,
        text.tokenizer,
        {**settings, **about_text, **about_run},
        text.target_tokenizer,
        text.labels,
    )


def _commands(task: Task, path: Path, say) -> None:
    """Print the commands that use a model, to be copied."""
    for command in task.commands(path):
        say(f"  {command}")


def _picture(training: Training, folder: Path, unit: str, say) -> None:
    try:
        from minilstm.training import plots

        plots.loss_picture(training.history, folder / "loss.png", unit)
    except ImportError:
        say(f"no loss.png, because matplotlib is missing: {to_install('lessons')}")
