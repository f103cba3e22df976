"""``minilstm train``: from a text to a trained model in a folder, told as it happens."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np

from minilstm.callbacks import HeldOutLoss, History, SampleText, SaveBest, SaveCheckpoint, StopOnSignal
from minilstm.checkpoint import Checkpoint, load
from minilstm.commands import data, screen
from minilstm.commands.lock import locked
from minilstm.errors import InputError
from minilstm.losses import bits
from minilstm.model import LanguageModel
from minilstm.optim import Adam, CosineDecay
from minilstm.progress import Progress, as_item
from minilstm.sample import Sampling, generate, share_accepted
from minilstm.train import Callback, Training, fit

DEFAULTS = {
    "column": None,
    "window": None,
    "hidden": 128,
    "layers": 1,
    "embedding": None,
    "clip": 1.0,
    "seed": 0,
    "steps": None,
}
DEFAULTS_OF_HEADLINES = {"batch_size": 32, "learning_rate": 0.012, "epochs": 5}
DEFAULTS_OF_FILES = {"batch_size": 16, "learning_rate": 0.01, "epochs": 4}
BETA2 = 0.99  # Adam's; with 0.999 it is slow to notice that gradients have become smaller
MAY_CHANGE = {"learning_rate", "clip", "epochs", "steps"}  # when a run is taken up again
SAMPLE_TEMPERATURE, SAMPLE_LENGTH = 0.7, 120
ROWS_AN_EPOCH = 10  # of the history


def run(arguments: Namespace) -> int:
    """The command."""
    began = time.perf_counter()
    is_file = arguments.source != "headlines"
    defaults = {**DEFAULTS, **(DEFAULTS_OF_FILES if is_file else DEFAULTS_OF_HEADLINES)}
    given = {name: getattr(arguments, name) for name in defaults if getattr(arguments, name) is not None}
    if arguments.steps is not None or arguments.epochs is not None:  # what was asked for last counts
        given |= {"steps": arguments.steps, "epochs": arguments.epochs}
    given["source"] = os.path.abspath(arguments.source) if is_file else arguments.source
    folder = Path(arguments.out or Path("runs") / Path(arguments.source).stem)
    model_path = folder / "model.npz"
    kept = _kept_run(model_path, given, arguments)
    settings = {**defaults, **given} if kept is None else {**kept.settings, **given}
    text = data.load(settings)
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
        say(f"floor: {floor:.4f} nats a symbol ({bits(floor):.3f} bits); no model can do better")
    if training.step:
        say(f"going on after epoch {training.epoch}, step {training.step:,}")

    keeper = SaveCheckpoint(model_path, checkpoint, arguments.save_every)
    keeper.save()  # from now on there is something to go on with
    best = SaveBest(folder / "best.npz", checkpoint)
    curves = screen.live_curves(say, arguments.curves)
    bar = say.bar = screen.bar(training, total)
    watchers: list[Callback] = [
        HeldOutLoss(text.valid),
        History(max(1, len(text.train) // ROWS_AN_EPOCH), floor, folder / "history.csv"),
        Progress(len(text.train), floor, bar=bar, show=say),
        SampleText(lambda training: _samples(training, checkpoint, text), folder / "samples.txt", show=say),
        *curves,
        best,
        interrupt,
        keeper,
    ]
    schedule = CosineDecay(settings["learning_rate"], total)
    with interrupt, bar or contextlib.nullcontext():
        fit(training, text.train, None, total, settings["clip"], schedule, watchers)
    say.let_be()
    _picture(training, folder, say)
    if training.stop is not None:
        say(f"stopped after step {training.step:,}; {model_path} holds everything. Go on with:")
        say(f"  {_resume_command(arguments, folder)}")
        return 0
    if text.corpus is not None:
        share = share_accepted(model, text.tokenizer, text.corpus, np.random.default_rng([settings["seed"], 2]))
        say(f"accepted by the grammar at temperature {SAMPLE_TEMPERATURE}: {share:.1%} of 1,000 headlines")
    say(f"done in {time.perf_counter() - began:.0f} s; everything is in {folder}. Let it write:")
    say(f"  minilstm sample {shlex.quote(str(folder))}")
    last = training.history[-1].valid_loss
    if last is not None and best.loss < last:
        say(f"the held-out loss was lowest at {best.loss:.4f} and is {last:.4f} now. Let the best write:")
        say(f"  minilstm sample {shlex.quote(str(best.path))}")
    return 0


def _kept_run(path: Path, given: dict[str, Any], arguments: Namespace) -> Checkpoint | None:
    """The run to go on with, if there is one and it was asked for; refuses to write over one, or to change its sizes."""
    if not path.exists():
        for name in ("best.npz", "history.csv", "samples.txt", "loss.png"):
            if (path.parent / name).exists():
                raise InputError(f"{path.parent / name} exists already and would be written over; choose another --out")
        return None
    if not arguments.resume:
        raise InputError(f"{path} exists already; go on with it by --resume, or choose another folder by --out")
    kept = load(path)
    if not DEFAULTS.keys() | DEFAULTS_OF_FILES.keys() | {"source", "fingerprint"} <= kept.settings.keys():
        raise InputError(f"{path} was not written by `minilstm train`; choose another folder by --out")
    for name, value in given.items():
        was = kept.settings.get(name)
        if name in MAY_CHANGE or value == was:
            continue
        if name == "source" and "headlines" not in (value, was):
            continue  # a file may have been moved; whether it is the same text is looked at when it has been read
        if name == "source":
            raise InputError(f"{path} was trained on {was}, so it cannot go on with {value}; choose another folder by --out")
        option = "--" + name.replace("_", "-")
        raise InputError(
            f"{path} was begun {f'without {option}' if was is None else f'with {option} {was}'}, so it cannot go on with"
            f" {option} {value}; leave {option} out, or begin anew in another folder by --out"
        )
    return kept


def _begin(settings: dict[str, Any], text: data.Data) -> Checkpoint:
    sizes = {name: settings[name] for name in ("hidden", "layers", "embedding", "seed")}
    model = LanguageModel(text.tokenizer.vocab_size, **sizes)
    training = Training.begin(model, Adam(settings["learning_rate"], beta2=BETA2), np.random.default_rng([settings["seed"], 0]))
    return Checkpoint(training, text.tokenizer, {**settings, "prompts": text.prompts, "fingerprint": text.fingerprint})


def _go_on(kept: Checkpoint, settings: dict[str, Any], text: data.Data, path: Path) -> Checkpoint:
    if kept.settings.get("fingerprint") != text.fingerprint:
        raise InputError(f"{settings['source']} is not the text that {path} was begun with; choose another folder by --out")
    kept.settings = settings
    return kept


def _samples(training: Training, checkpoint: Checkpoint, text: data.Data) -> str:
    """One text for each prompt and, where there is a grammar, how many of a hundred it accepts."""
    rng = np.random.default_rng([checkpoint.settings["seed"], 3, training.epoch])
    model, tokenizer = training.model, checkpoint.tokenizer
    texts = generate(model, tokenizer, text.prompts, SAMPLE_LENGTH, Sampling(SAMPLE_TEMPERATURE), rng)
    lines = [as_item(sample) for sample in texts]
    if text.corpus is not None:
        share = share_accepted(model, tokenizer, text.corpus, rng, 100, SAMPLE_TEMPERATURE)
        lines.append(f"  (accepted by the grammar: {share:.0%} of 100)")
    return "\n".join(lines)


def _picture(training: Training, folder: Path, say) -> None:
    try:
        from minilstm import plots

        plots.loss_picture(training.history, folder / "loss.png")
    except ImportError:
        say("no loss.png, for matplotlib is missing: pip install \"minilstm[lessons]\"")


def _resume_command(arguments: Namespace, folder: Path) -> str:
    words = ["minilstm", "train", arguments.source, "--out", str(folder), "--resume"]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
