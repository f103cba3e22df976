"""Continue a run: whether there is one, with what settings, and the command for it.

Model, text, mini-batches and optimizer of a run cannot be changed once it has started.
The number of steps, the learning rate and clipping can.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from argparse import Namespace
from pathlib import Path

from minilstm.cli.defaults import DEFAULTS, OF_SOURCE, Settings
from minilstm.cli.settings import MAY_CHANGE, option
from minilstm.cli.sources import describe, resolve_sources, source_kind
from minilstm.cli.tasks.registry import TASKS
from minilstm.cli.tasks.task import Examples
from minilstm.data.readers import STANDARD_INPUT
from minilstm.errors import InputError, MinilstmError
from minilstm.training.checkpoint import Checkpoint, load


def kept_run(path: Path, arguments: Namespace) -> Checkpoint | None:
    """The run to continue, or None; InputError if another run would be overwritten."""
    if not path.exists() or not arguments.resume and not _has_begun(path):
        if not arguments.sources:
            raise InputError(
                f"{path.parent} contains no run to continue; name a text to start one"
            )
        for name in ("best.npz", "history.csv", "samples.txt", "loss.png"):
            # the rows of steps that were never saved
            is_of_failed_run = name == "history.csv" and path.exists()
            if (path.parent / name).exists() and not is_of_failed_run:
                raise InputError(
                    f"{path.parent / name} exists already and would be overwritten;"
                    " choose another --out"
                )
        return None
    if not arguments.resume:
        raise InputError(_exists(path, resolve_sources(arguments.sources)))
    kept = load(path)
    if not {"fingerprint", "seed", "sources"} <= kept.settings.keys():
        raise InputError(
            f"{path} was not written by `minilstm train`; choose another folder with"
            " --out"
        )
    return kept


def _exists(path: Path, sources: list[str]) -> str:
    """What to do about a run that is there already: whether it was trained on these sources."""
    try:
        trained_on = load(path).settings.get("sources", sources)
    except MinilstmError:  # damaged, or no model at all
        trained_on = sources
    if trained_on == sources:
        return f"{path} exists already; continue it with --resume, or choose another folder with --out"
    return (
        f"{path} exists already and was trained on {describe(trained_on)}, not on {describe(sources)};"
        f" choose another folder with --out (or continue that run: --resume --out {path.parent})"
    )


def _has_begun(path: Path) -> bool:
    """Whether the file has anything to lose: a run with at least one step."""
    try:
        kept = load(path)
    except MinilstmError:  # damaged, or no model at all: leave it alone
        return True
    return kept.training.step > 0 or "run" not in kept.settings


def continued_settings(
    kept: Checkpoint, given: Settings, arguments: Namespace, path: Path
) -> Settings:
    """The settings of a continued run; InputError if a change is not possible."""
    kept_sources = kept.settings["sources"]
    began = {
        **DEFAULTS,
        **OF_SOURCE.get(source_kind(kept_sources), {}),
        **kept.settings,
        "sources": kept_sources,
    }
    if STANDARD_INPUT in kept_sources and not arguments.sources:
        raise InputError(
            f"{path} was started with text from standard input, which is not kept:"
            " give the same again,"
            f" as `{command(arguments, path.parent, kept_sources)} < FILE` does"
        )
    sources = resolve_sources(arguments.sources) or kept_sources
    # files may have been moved; the text is compared when it has been read
    kind = source_kind(sources)
    are_other = sources != kept_sources and kind != "file"
    if are_other or kind != source_kind(kept_sources):
        raise InputError(
            f"{path} was trained on {describe(kept_sources)}, so it cannot continue"
            f" with {describe(sources)}; choose another folder with --out"
        )
    for name, value in given.items():
        was = began[name]
        if name in MAY_CHANGE or value == was:
            continue
        typed, is_switch = option(name, value), isinstance(value, bool)
        was_given = was is not None and not is_switch
        began_with = f"with {typed} {was}" if was_given else f"without {typed}"
        raise InputError(
            f"{path} was started {began_with},"
            f" so it cannot continue with {typed}{'' if is_switch else f' {value}'};"
            f" leave {typed} out, or start a new run in another folder with --out"
        )
    chosen = {**began, **given, "sources": sources}
    TASKS[chosen["task"]].check(chosen, given)
    return chosen


def continued(
    kept: Checkpoint, settings: Settings, text: Examples, path: Path
) -> Checkpoint:
    """The run with these settings, if its text is still the same."""
    if kept.settings["fingerprint"] != text.fingerprint:
        raise InputError(
            f"{describe(settings['sources'])} is not the text that {path} was started"
            " with; choose another folder with --out"
        )
    kept.settings = settings
    return kept


def command(
    arguments: Namespace, folder: Path, sources: list[str] | None = None
) -> str:
    """The command that continues the run."""
    sources = arguments.sources if sources is None else sources
    # the run knows its text
    sources = sources if len(sources) == 1 or STANDARD_INPUT in sources else []
    words = ["minilstm", "train", *sources, "--out", str(folder), "--resume"]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
