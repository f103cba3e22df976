"""``minilstm train``: from a text to a trained model in a folder, told as it happens."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import time
from argparse import Namespace
from pathlib import Path

import numpy as np

from minilstm.callbacks import HeldOutLoss, History, SampleText, SaveBest, SaveCheckpoint, StopOnSignal
from minilstm.checkpoint import Checkpoint, load
from minilstm.commands import data, screen
from minilstm.commands.lock import locked
from minilstm.commands.settings import (
    DEFAULTS, MAY_CHANGE, OF_SOURCE, Settings, build_model, build_optimizer, build_schedule, settle
)
from minilstm.errors import InputError
from minilstm.progress import Progress, as_item, in_other_units
from minilstm.sample import Sampling, generate, generate_ids, share_accepted
from minilstm.text import recipes
from minilstm.text.promises import kept_by_distance
from minilstm.train import Callback, Training, fit

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
    model_path = folder / "model.npz"
    kept = _kept_run(model_path, arguments)
    if kept is None:
        sources = _sources(arguments.sources)
        settings = settle(_kind(sources), {**given, "sources": sources})
    else:
        settings = _settings_to_go_on_with(kept, given, arguments, model_path)
    text = data.load(settings["sources"], settings)
    checkpoint = _begin(settings, text) if kept is None else _go_on(kept, settings, text, model_path)
    training = checkpoint.training
    ends = settings["steps"], settings["epochs"] and settings["epochs"] * len(text.train)
    total = min(end for end in ends if end is not None)
    if training.step >= total:
        print(f"{model_path} has done {training.epoch} epochs, {training.step:,} steps; ask for more by --epochs or --steps")
        return 0
    if kept is None and arguments.resume:
        print(f"{folder} holds no run to go on with; beginning one")

    with locked(folder):
        return _run(arguments, checkpoint, text, total, folder, began)


def _run(arguments: Namespace, checkpoint: Checkpoint, text: data.Data, total: int, folder: Path, began: float) -> int:
    """The run itself, in a folder that is ours alone."""
    training, model, settings = checkpoint.training, checkpoint.training.model, checkpoint.settings
    model_path, interrupt = folder / "model.npz", StopOnSignal()
    say = screen.Screen(interrupt)
    floor = text.corpus.floor if text.corpus else None
    say(text.description)
    say(model.summary())
    if floor is not None:
        unit = text.tokenizer.unit
        say(f"floor: {floor:.4f} nats a {unit}, {in_other_units(floor, text.characters)}; no model can do better")
    if training.step:
        say(f"going on after epoch {training.epoch}, step {training.step:,}")

    keeper = SaveCheckpoint(model_path, checkpoint, arguments.save_every)
    keeper.save()  # from now on there is something to go on with
    best = SaveBest(folder / "best.npz", checkpoint)
    judges: list[Callback] = [] if text.valid is None else [HeldOutLoss(text.valid)]
    curves = screen.live_curves(say, arguments.curves)
    bar = say.bar = screen.bar(training, total)
    watchers: list[Callback] = [
        *judges,
        History(max(1, len(text.train) // ROWS_AN_EPOCH), floor, folder / "history.csv"),
        Progress(len(text.train), floor, text.characters, bar=bar, show=say),
        SampleText(lambda training: _samples(training, checkpoint, text), folder / "samples.txt", show=say),
        *curves,
        *([best] if judges else []),
        interrupt,
        keeper,
    ]
    schedule = build_schedule(settings, len(text.train), total)
    with interrupt, bar or contextlib.nullcontext():
        fit(training, text.train, None, total, settings["clip"], schedule, watchers, settings["clip_value"])
    say.let_be()
    _picture(training, folder, say)
    if training.stop is not None:
        say(f"stopped after step {training.step:,}; {model_path} holds everything. Go on with:")
        say(f"  {_resume_command(arguments, folder)}")
        return 0
    _judge(checkpoint, text, say)
    say(f"done in {time.perf_counter() - began:.0f} s; everything is in {folder}. Let it write:")
    say(f"  minilstm sample {shlex.quote(str(folder))}")
    last = training.history[-1].valid_loss
    if last is not None and best.loss < last:
        say(f"the held-out loss was lowest at {best.loss:.4f} and is {last:.4f} now. Let the best write:")
        say(f"  minilstm sample {shlex.quote(str(best.path))}")
    return 0


def _judge(checkpoint: Checkpoint, text: data.Data, say) -> None:
    """By a built-in corpus: how many texts of the model its grammar accepts, and how long its recipes keep their word."""
    if text.corpus is None:
        return
    (name,), seed, model = checkpoint.settings["sources"], checkpoint.settings["seed"], checkpoint.training.model
    rng, count = np.random.default_rng([seed, 2]), TEXTS_JUDGED[name]
    share = share_accepted(model, text.tokenizer, text.corpus, rng, count, JUDGED_TEMPERATURE)
    say(f"accepted by the grammar at temperature {JUDGED_TEMPERATURE}: {share:.1%} of {count:,} {name}")
    if name == "recipes":
        prompts, sampling = [recipes.PROMPTS[0]] * count, Sampling(JUDGED_TEMPERATURE)
        written = generate_ids(model, text.tokenizer, prompts, LONGEST_JUDGED, sampling, rng)
        ended = [text.tokenizer.complete(prompts[0], ids) for ids in written if ids[-1] == text.tokenizer.eos_id]
        say(f"\n{len(ended)} of these {count} came to an end:\n{kept_by_distance(ended)}\n")


def _kind(sources: list[str]) -> str:
    return sources[0] if len(sources) == 1 and sources[0] in data.BUILT_IN else "file"


def _sources(names: list[str]) -> list[str]:
    """Built-in corpora by their name, files by their whole path."""
    return names if _kind(names) != "file" else [os.path.abspath(name) for name in names]


def _folder(arguments: Namespace) -> Path:
    if arguments.out is not None and (arguments.sources or arguments.resume):
        return Path(arguments.out)
    if not arguments.sources:
        raise InputError("say what to train on: headlines, recipes or files; or go on with a run, by --resume --out DIR")
    return Path("runs") / Path(arguments.sources[0]).stem


def _kept_run(path: Path, arguments: Namespace) -> Checkpoint | None:
    """The run to go on with, if there is one and it was asked for; refuses to write over one."""
    if not path.exists():
        if not arguments.sources:
            raise InputError(f"{path.parent} holds no run to go on with; say what to train on, to begin one")
        for name in ("best.npz", "history.csv", "samples.txt", "loss.png"):
            if (path.parent / name).exists():
                raise InputError(f"{path.parent / name} exists already and would be written over; choose another --out")
        return None
    if not arguments.resume:
        raise InputError(f"{path} exists already; go on with it by --resume, or choose another folder by --out")
    kept = load(path)
    if not {"fingerprint", "seed"} <= kept.settings.keys() or not {"source", "sources"} & kept.settings.keys():
        raise InputError(f"{path} was not written by `minilstm train`; choose another folder by --out")
    return kept


def _settings_to_go_on_with(kept: Checkpoint, given: Settings, arguments: Namespace, path: Path) -> Settings:
    """The settings of a run that is taken up again; refuses to change what cannot be changed on the way."""
    kept_sources = kept.settings.get("sources") or [kept.settings["source"]]
    began = {**DEFAULTS, **OF_SOURCE[_kind(kept_sources)], **kept.settings, "sources": kept_sources}
    sources = _sources(arguments.sources) or kept_sources
    if sources != kept_sources and "file" != _kind(sources) or _kind(sources) != _kind(kept_sources):
        raise InputError(
            f"{path} was trained on {' '.join(kept_sources)}, so it cannot go on with {' '.join(sources)};"
            f" choose another folder by --out"
        )  # files may have been moved; whether it is the same text is looked at when they have been read
    for name, value in given.items():
        was = began[name]
        if name in MAY_CHANGE or value == was:
            continue
        option = "--no-carry" if name == "carry" else "--" + name.replace("_", "-")
        without = was is None or isinstance(value, bool)
        raise InputError(
            f"{path} was begun {f'without {option}' if without else f'with {option} {was}'}, so it cannot go on with"
            f" {option}{'' if isinstance(value, bool) else f' {value}'}; leave {option} out, or begin anew in another folder"
            f" by --out"
        )
    return {**began, **given, "sources": sources}


def _begin(settings: Settings, text: data.Data) -> Checkpoint:
    model = build_model(settings, text.tokenizer.vocab_size)
    training = Training.begin(model, build_optimizer(settings), np.random.default_rng([settings["seed"], 0]))
    told = {"prompts": text.prompts, "fingerprint": text.fingerprint, "characters": text.characters}
    return Checkpoint(training, text.tokenizer, {**settings, **told})


def _go_on(kept: Checkpoint, settings: Settings, text: data.Data, path: Path) -> Checkpoint:
    if kept.settings["fingerprint"] != text.fingerprint:
        raise InputError(
            f"{' '.join(settings['sources'])} is not the text that {path} was begun with; choose another folder by --out"
        )
    kept.settings = settings
    return kept


def _samples(training: Training, checkpoint: Checkpoint, text: data.Data) -> str:
    """One text for each prompt and, where there is a grammar, how many of a hundred it accepts."""
    settings, model, tokenizer = checkpoint.settings, training.model, checkpoint.tokenizer
    rng = np.random.default_rng([settings["seed"], 3, training.epoch])
    sampling = Sampling(settings["temperature"], greedy=settings["greedy"])
    lines = [as_item(sample) for sample in generate(model, tokenizer, text.prompts, settings["length"], sampling, rng)]
    if text.corpus is not None:
        share = share_accepted(model, tokenizer, text.corpus, rng, 100, JUDGED_TEMPERATURE)
        lines.append(f"  (accepted by the grammar: {share:.0%} of 100)")
    return "\n".join(lines)


def _picture(training: Training, folder: Path, say) -> None:
    try:
        from minilstm import plots

        plots.loss_picture(training.history, folder / "loss.png")
    except ImportError:
        say("no loss.png, for matplotlib is missing: pip install \"minilstm[lessons]\"")


def _resume_command(arguments: Namespace, folder: Path) -> str:
    sources = arguments.sources if len(arguments.sources) == 1 else []  # the run knows what it was trained on
    words = ["minilstm", "train", *sources, "--out", str(folder), "--resume"]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
