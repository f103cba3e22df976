"""``minilstm train``: from a text to a trained model in a folder."""

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
from minilstm.cli.defaults import DEFAULTS, OF_SOURCE, Settings
from minilstm.cli.lock import locked
from minilstm.cli.settings import (
    build_model,
    build_optimizer,
    build_schedule,
    epochs_of_file,
    resolve_settings,
)
from minilstm.cli.sources import folder_name, resolve_sources, source_kind
from minilstm.corpora import recipes
from minilstm.corpora.long_range import kept_by_distance
from minilstm.errors import InputError
from minilstm.generation.sampling import (
    Sampling,
    generate,
    generate_ids,
    share_accepted,
)
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

# all settings that an option sets, and some more
ASKED = [*DEFAULTS, *OF_SOURCE["file"]]
ROWS_AN_EPOCH = 10  # of the history
# by the grammar, at the end of a run
TEXTS_CHECKED = {"headlines": 1_000, "recipes": 200}
CHECKED_TEMPERATURE, CHECKED_LENGTH = 0.7, 300

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
            sources = resolve_sources(arguments.sources)
            settings = resolve_settings(
                source_kind(sources), {**given, "sources": sources}
            )
            data.read(sources, settings)  # a wrong --column is reported first
        raise
    if kept is None:
        sources = resolve_sources(arguments.sources)
        settings = resolve_settings(source_kind(sources), {**given, "sources": sources})
    else:
        settings = resume.continued_settings(kept, given, arguments, model_path)
    text = data.load(settings["sources"], settings)
    if settings["steps"] is None and settings["epochs"] is None:
        settings["epochs"] = epochs_of_file(len(text.train))
    checkpoint = (
        _new_run(settings, text)
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
    return _run(arguments, checkpoint, text, total, folder, began)


def _run(
    arguments: Namespace,
    checkpoint: Checkpoint,
    text: data.Data,
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
    floor = text.corpus.floor if text.corpus else None
    for note in (*text.notes, text.description):
        say.paragraph(note)
    say(model.summary())
    if floor is not None:
        unit = text.tokenizer.unit
        say.paragraph(
            f"entropy floor: {floor:.4f} nats per {unit},"
            f" {in_other_units(floor, text.characters)};"
            " no model can do better"
        )
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
    samples = lambda training: _samples(training, checkpoint, text)
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
        _picture(training, folder, say)
    if training.stop is not None:
        say.paragraph(
            f"stopped after step {training.step:,}; {model_path} has everything."
            " Continue with:"
        )
        say(f"  {resume.command(arguments, folder)}")
        return 0
    with by_products.making("the check by the grammar"):
        _check_by_grammar(checkpoint, text, say)
    seconds = (
        f"{time.perf_counter() - began:.0f} s ({training.seconds:.0f} s of training"
        " steps in this run)"
    )
    say.paragraph(f"done in {seconds}; everything is in {folder}. Generate text with:")
    say(f"  minilstm sample {shlex.quote(str(folder))}")
    losses = validation_losses(training)
    if losses and best.loss < losses[-1]:
        say.paragraph(
            f"the validation loss was lowest at {best.loss:.4f} and is {losses[-1]:.4f}"
            " now."
            " Generate text with the best model:"
        )
        say(f"  minilstm sample {shlex.quote(str(best.path))}")
    elif still_falling(losses):
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


def _check_by_grammar(checkpoint: Checkpoint, text: data.Data, say) -> None:
    """Print how many texts the grammar accepts, and the agreement of recipes."""
    if text.corpus is None:
        return
    (name,) = checkpoint.settings["sources"]
    seed = checkpoint.settings["seed"]
    model = checkpoint.training.model
    rng, count = seeds.generator(seed, seeds.EVALUATION), TEXTS_CHECKED[name]
    accepted = share_accepted(
        model, text.tokenizer, text.corpus, rng, count, CHECKED_TEMPERATURE
    )
    say(
        f"accepted by the grammar at temperature {CHECKED_TEMPERATURE}:"
        f" {accepted:.1%} of {count:,} {name}"
    )
    if name == "recipes":
        prompts, sampling = [recipes.PROMPTS[0]] * count, Sampling(CHECKED_TEMPERATURE)
        written = generate_ids(
            model, text.tokenizer, prompts, CHECKED_LENGTH, sampling, rng
        )
        ended = [
            text.tokenizer.complete(prompts[0], ids)
            for ids in written
            if ids[-1] == text.tokenizer.eos_id
        ]
        say(
            f"\n{len(ended)} of these {count} reached their end"
            f" token:\n{kept_by_distance(ended)}\n"
        )


def _folder(arguments: Namespace) -> Path:
    if arguments.out is not None and (arguments.sources or arguments.resume):
        return Path(arguments.out)
    if not arguments.sources:
        raise InputError(
            "name a text to train on: headlines, recipes or files;"
            " or continue a run with --resume --out DIR"
        )
    return Path("runs") / folder_name(resolve_sources(arguments.sources))


def _new_run(settings: Settings, text: data.Data) -> Checkpoint:
    model = build_model(settings, text.tokenizer.vocab_size)
    training = Training.begin(
        model, build_optimizer(settings), seeds.generator(settings["seed"], seeds.ORDER)
    )
    about_text = {
        "prompts": text.prompts,
        "fingerprint": text.fingerprint,
        "characters": text.characters,
    }
    # distinguishes the files of this run from others
    about_run = {"run": secrets.token_hex(8)}
    return Checkpoint(training, text.tokenizer, {**settings, **about_text, **about_run})


def _samples(training: Training, checkpoint: Checkpoint, text: data.Data) -> str:
    """One text for each prompt; with a grammar, how many of 100 texts it accepts."""
    settings = checkpoint.settings
    model = training.model
    tokenizer = checkpoint.tokenizer
    rng = seeds.generator(settings["seed"], seeds.SAMPLES, training.epoch)
    sampling = Sampling(settings["temperature"], greedy=settings["greedy"])
    texts = generate(model, tokenizer, text.prompts, settings["length"], sampling, rng)
    lines = [
        as_item(_marked(prompt, sample)) for prompt, sample in zip(text.prompts, texts)
    ]
    if text.corpus is not None:
        accepted = share_accepted(
            model, tokenizer, text.corpus, rng, 100, CHECKED_TEMPERATURE
        )
        lines.append(f"  (accepted by the grammar: {accepted:.0%} of 100)")
    return "\n".join(lines)


def _marked(prompt: str, text: str) -> str:
    """A text with its prompt in brackets, so that one sees where the model begins."""
    return f"[{prompt}]{text[len(prompt) :]}" if text.startswith(prompt) else text


def _picture(training: Training, folder: Path, say) -> None:
    try:
        from minilstm.training import plots

        plots.loss_picture(training.history, folder / "loss.png")
    except ImportError:
        say(
            "no loss.png, because matplotlib is missing: pip install"
            ' "minilstm[lessons]"'
        )
