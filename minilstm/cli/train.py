"""``minilstm train``: from a text to a trained model in a folder, told as it happens."""

from __future__ import annotations

import contextlib
import math
import secrets
import shlex
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from minilstm import seeds
from minilstm.cli import data, resume, screen
from minilstm.cli.lock import locked
from minilstm.cli.settings import (
    DEFAULTS,
    OF_SOURCE,
    Settings,
    build_model,
    build_optimizer,
    build_schedule,
    epochs_of_file,
    settle,
)
from minilstm.cli.sources import find, folder_name, kind_of
from minilstm.corpora import recipes
from minilstm.corpora.promises import kept_by_distance
from minilstm.errors import InputError
from minilstm.generation.sampling import Sampling, generate, generate_ids, share_accepted
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
from minilstm.training.progress import Progress, as_item, in_other_units

ASKED = [*DEFAULTS, *OF_SOURCE["file"]]  # settings that there are options for, and some more
ROWS_AN_EPOCH = 10  # of the history
TEXTS_JUDGED = {"headlines": 1_000, "recipes": 200}  # at the end of a run, by the grammar
JUDGED_TEMPERATURE, LONGEST_JUDGED = 0.7, 300


def run(arguments: Namespace) -> int:
    """The command."""
    began = time.perf_counter()
    given = {name: getattr(arguments, name) for name in ASKED if getattr(arguments, name, None) is not None}
    if arguments.steps is not None or arguments.epochs is not None:  # what was asked for last counts
        given |= {"steps": arguments.steps, "epochs": arguments.epochs}
    folder = _folder(arguments)
    with locked(folder):  # first of all: what is looked at must not change before it is written
        return _begin_or_go_on(arguments, given, folder, began)


def _begin_or_go_on(arguments: Namespace, given: Settings, folder: Path, began: float) -> int:
    """What is in the folder decides; then the text is read."""
    model_path = folder / "model.npz"
    kept = resume.kept_run(model_path, arguments)
    if kept is None:
        sources = find(arguments.sources)
        settings = settle(kind_of(sources), {**given, "sources": sources})
    else:
        settings = resume.settings_to_go_on_with(kept, given, arguments, model_path)
    text = data.load(settings["sources"], settings)
    if settings["steps"] is None and settings["epochs"] is None:
        settings["epochs"] = epochs_of_file(len(text.train))
    checkpoint = _begin(settings, text) if kept is None else resume.go_on(kept, settings, text, model_path)
    training = checkpoint.training
    ends = settings["steps"], settings["epochs"] and settings["epochs"] * len(text.train)
    total = min(end for end in ends if end is not None)
    if training.step >= total and training.unreported is None:
        print(f"{model_path} has done {training.epoch} epochs, {training.step:,} steps; ask for more by --epochs or --steps")
        return 0
    if kept is None and arguments.resume:
        print(f"{folder} holds no run to go on with; beginning one")
    return _run(arguments, checkpoint, text, total, folder, began)


def _run(arguments: Namespace, checkpoint: Checkpoint, text: data.Data, total: int, folder: Path, began: float) -> int:
    """The run itself, in a folder that is ours alone."""
    training, model, settings = checkpoint.training, checkpoint.training.model, checkpoint.settings
    model_path, interrupt = folder / "model.npz", StopOnSignal()
    say = screen.Screen(interrupt)
    spare = ByProducts(say.paragraph)
    floor = text.corpus.floor if text.corpus else None
    for note in (*text.notes, text.description):
        say.paragraph(note)
    say(model.summary())
    if floor is not None:
        unit = text.tokenizer.unit
        say.paragraph(f"floor: {floor:.4f} nats a {unit}, {in_other_units(floor, text.characters)}; no model can do better")
    say(f"{amount(total / len(text.train), 'epoch')}, {amount(total, 'step')}")
    if training.step:
        say(f"going on after epoch {training.epoch}, step {training.step:,}")

    best = SaveBest(folder / "best.npz", checkpoint)
    keeper = SaveCheckpoint(model_path, checkpoint, arguments.save_every)
    keeper.save()  # from now on there is something to go on with
    judges: list[Callback] = [] if text.valid is None else [ValidationLoss(text.valid)]
    curves = screen.live_curves(say, arguments.curves)
    bar = say.bar = screen.bar(training, total)
    watchers: list[Callback] = [
        *judges,
        spare.of("history.csv", History(max(1, len(text.train) // ROWS_AN_EPOCH), floor, folder / "history.csv")),
        spare.of("progress", Progress(len(text.train), floor, text.characters, bar=bar, show=say)),
        spare.of("samples", SampleText(lambda training: _samples(training, checkpoint, text), folder / "samples.txt", say)),
        *(spare.of("curves", drawn) for drawn in curves),
        *([spare.of("best.npz", best)] if judges else []),
        interrupt,
        keeper,
    ]
    schedule = build_schedule(settings, len(text.train), total)
    with interrupt, bar or contextlib.nullcontext():
        fit(training, text.train, None, total, settings["clip"], schedule, watchers, settings["clip_value"])
    say.let_be()
    with spare.making("loss.png"):
        _picture(training, folder, say)
    if training.stop is not None:
        say.paragraph(f"stopped after step {training.step:,}; {model_path} holds everything. Go on with:")
        say(f"  {resume.command(arguments, folder)}")
        return 0
    with spare.making("the grammar's judgement"):
        _judge(checkpoint, text, say)
    say.paragraph(f"done in {time.perf_counter() - began:.0f} s; everything is in {folder}. Let it write:")
    say(f"  minilstm sample {shlex.quote(str(folder))}")
    losses = validation_losses(training)
    if losses and best.loss < losses[-1]:
        say.paragraph(f"the held-out loss was lowest at {best.loss:.4f} and is {losses[-1]:.4f} now. Let the best write:")
        say(f"  minilstm sample {shlex.quote(str(best.path))}")
    elif still_falling(losses):
        say.paragraph("the validation loss was still falling at the end, so more training will help. Go on with:")
        say(f"  {resume.command(arguments, folder)} --epochs {2 * math.ceil(total / len(text.train))}")
    return 0


def amount(number: float, unit: str) -> str:
    """A number of things, to three digits where it is not whole: "1 epoch", "0.25 epochs", "1,003 steps"."""
    digits = f"{number:.3g}" if number < 1000 and number != int(number) else f"{number:,.0f}"
    return f"{digits} {unit}" + "s" * (digits != "1")


def still_falling(losses: Sequence[float]) -> bool:
    """Whether the loss fell by more than a hundredth in the last quarter of the epochs, and is the lowest now."""
    if len(losses) < 2:
        return False
    before = losses[-1 - max(1, len(losses) // 4)]
    return losses[-1] == min(losses) and losses[-1] < 0.99 * before


def _judge(checkpoint: Checkpoint, text: data.Data, say) -> None:
    """By a built-in corpus: how many texts of the model its grammar accepts, and how long its recipes keep their word."""
    if text.corpus is None:
        return
    (name,), seed, model = checkpoint.settings["sources"], checkpoint.settings["seed"], checkpoint.training.model
    rng, count = seeds.generator(seed, seeds.EVALUATION), TEXTS_JUDGED[name]
    share = share_accepted(model, text.tokenizer, text.corpus, rng, count, JUDGED_TEMPERATURE)
    say(f"accepted by the grammar at temperature {JUDGED_TEMPERATURE}: {share:.1%} of {count:,} {name}")
    if name == "recipes":
        prompts, sampling = [recipes.PROMPTS[0]] * count, Sampling(JUDGED_TEMPERATURE)
        written = generate_ids(model, text.tokenizer, prompts, LONGEST_JUDGED, sampling, rng)
        ended = [text.tokenizer.complete(prompts[0], ids) for ids in written if ids[-1] == text.tokenizer.eos_id]
        say(f"\n{len(ended)} of these {count} came to an end:\n{kept_by_distance(ended)}\n")


def _folder(arguments: Namespace) -> Path:
    if arguments.out is not None and (arguments.sources or arguments.resume):
        return Path(arguments.out)
    if not arguments.sources:
        raise InputError("say what to train on: headlines, recipes or files; or go on with a run, by --resume --out DIR")
    return Path("runs") / folder_name(find(arguments.sources))


def _begin(settings: Settings, text: data.Data) -> Checkpoint:
    model = build_model(settings, text.tokenizer.vocab_size)
    training = Training.begin(model, build_optimizer(settings), seeds.generator(settings["seed"], seeds.ORDER))
    told = {"prompts": text.prompts, "fingerprint": text.fingerprint, "characters": text.characters}
    told |= {"run": secrets.token_hex(8)}  # tells this run's files from those of any other
    return Checkpoint(training, text.tokenizer, {**settings, **told})


def _samples(training: Training, checkpoint: Checkpoint, text: data.Data) -> str:
    """One text for each prompt and, where there is a grammar, how many of a hundred it accepts."""
    settings, model, tokenizer = checkpoint.settings, training.model, checkpoint.tokenizer
    rng = seeds.generator(settings["seed"], seeds.SAMPLES, training.epoch)
    sampling = Sampling(settings["temperature"], greedy=settings["greedy"])
    lines = [as_item(sample) for sample in generate(model, tokenizer, text.prompts, settings["length"], sampling, rng)]
    if text.corpus is not None:
        share = share_accepted(model, tokenizer, text.corpus, rng, 100, JUDGED_TEMPERATURE)
        lines.append(f"  (accepted by the grammar: {share:.0%} of 100)")
    return "\n".join(lines)


def _picture(training: Training, folder: Path, say) -> None:
    try:
        from minilstm.training import plots

        plots.loss_picture(training.history, folder / "loss.png")
    except ImportError:
        say("no loss.png, for matplotlib is missing: pip install \"minilstm[lessons]\"")
