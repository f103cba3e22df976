"""Whether a run is gone on with, with what settings, and how to say so to the command line.

What decides the numbers of a run from its first step on cannot be changed on the way: model, text, batches, optimizer. How
long it trains, at which rate and how gradients are clipped can be.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from argparse import Namespace
from pathlib import Path

from minilstm.cli import data
from minilstm.cli.settings import DEFAULTS, MAY_CHANGE, OF_SOURCE, Settings, check, option
from minilstm.cli.sources import find, kind_of, told
from minilstm.data.readers import STANDARD_INPUT
from minilstm.errors import InputError, MinilstmError
from minilstm.training.checkpoint import Checkpoint, load


def kept_run(path: Path, arguments: Namespace) -> Checkpoint | None:
    """The run to go on with, if there is one and it was asked for; refuses to write over one."""
    if not path.exists() or not arguments.resume and not _has_begun(path):
        if not arguments.sources:
            raise InputError(f"{path.parent} holds no run to go on with; say what to train on, to begin one")
        for name in ("best.npz", "history.csv", "samples.txt", "loss.png"):
            is_of_failed_run = name == "history.csv" and path.exists()  # the rows of steps that were never saved
            if (path.parent / name).exists() and not is_of_failed_run:
                raise InputError(f"{path.parent / name} exists already and would be written over; choose another --out")
        return None
    if not arguments.resume:
        raise InputError(f"{path} exists already; go on with it by --resume, or choose another folder by --out")
    kept = load(path)
    if not {"fingerprint", "seed", "sources"} <= kept.settings.keys():
        raise InputError(f"{path} was not written by `minilstm train`; choose another folder by --out")
    return kept


def _has_begun(path: Path) -> bool:
    """Whether the file holds anything to lose. A run of ours that failed before its first step does not."""
    try:
        kept = load(path)
    except MinilstmError:  # damaged, or no model at all: not ours to judge
        return True
    return kept.training.step > 0 or "run" not in kept.settings


def settings_to_go_on_with(kept: Checkpoint, given: Settings, arguments: Namespace, path: Path) -> Settings:
    """The settings of a run that is taken up again; refuses to change what cannot be changed on the way."""
    kept_sources = kept.settings["sources"]
    began = {**DEFAULTS, **OF_SOURCE[kind_of(kept_sources)], **kept.settings, "sources": kept_sources}
    if STANDARD_INPUT in kept_sources and not arguments.sources:
        raise InputError(
            f"{path} was begun with text from standard input, which is not kept: give the same again,"
            f" as `{command(arguments, path.parent, kept_sources)} < FILE` does"
        )
    sources = find(arguments.sources) or kept_sources
    if sources != kept_sources and "file" != kind_of(sources) or kind_of(sources) != kind_of(kept_sources):
        raise InputError(
            f"{path} was trained on {told(kept_sources)}, so it cannot go on with {told(sources)};"
            f" choose another folder by --out"
        )  # files may have been moved; whether it is the same text is looked at when they have been read
    for name, value in given.items():
        was = began[name]
        if name in MAY_CHANGE or value == was:
            continue
        typed, is_switch = option(name, value), isinstance(value, bool)
        raise InputError(
            f"{path} was begun {f'without {typed}' if was is None or is_switch else f'with {typed} {was}'}, so it cannot go on"
            f" with {typed}{'' if is_switch else f' {value}'}; leave {typed} out, or begin anew in another folder by --out"
        )
    chosen = {**began, **given, "sources": sources}
    check(chosen, given)
    return chosen


def go_on(kept: Checkpoint, settings: Settings, text: data.Data, path: Path) -> Checkpoint:
    """The run with these settings, if the text is still the one that it was begun with."""
    if kept.settings["fingerprint"] != text.fingerprint:
        raise InputError(
            f"{told(settings['sources'])} is not the text that {path} was begun with; choose another folder by --out"
        )
    kept.settings = settings
    return kept


def command(arguments: Namespace, folder: Path, sources: list[str] | None = None) -> str:
    """What to type to go on with the run."""
    sources = arguments.sources if sources is None else sources
    sources = sources if len(sources) == 1 or STANDARD_INPUT in sources else []  # the run knows what it was trained on
    words = ["minilstm", "train", *sources, "--out", str(folder), "--resume"]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
