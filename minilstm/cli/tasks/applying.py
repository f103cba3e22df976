"""What the tasks share when a trained model is applied: inputs and options."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minilstm.cli.defaults import Settings
from minilstm.cli.sources import describe, resolve_sources
from minilstm.data.protocol import Tokenizer
from minilstm.data.readers import STANDARD_INPUT
from minilstm.errors import InputError
from minilstm.training.checkpoint import Checkpoint


def check_options(
    arguments: Namespace, allowed: dict[str, Any], what: str
) -> dict[str, Any]:
    """The values of the allowed options, and defaults for those that were not given.

    Raises InputError for an option that this model does not have.
    """
    others = {"command", "model", "matrix_kernels", *allowed}
    for name, value in vars(arguments).items():
        if name not in others and value is not None:
            raise InputError(
                f"--{name.replace('_', '-')} is not for {what}; leave it out"
            )
    return {
        name: default if getattr(arguments, name) is None else getattr(arguments, name)
        for name, default in allowed.items()
    }


def refuse_inputs(arguments: Namespace) -> None:
    """Raise InputError for inputs of a language model."""
    if arguments.picture is not None:
        raise InputError("--picture is for models with attention; leave it out")
    for name in ("input", "features"):
        if getattr(arguments, name) is None:
            continue
        raise InputError(
            f"--{name} is for models of another --task; this is a language model, so give"
            " --prompt"
        )


def inputs_of(
    given: list[str] | None, what: str, option: str = "input"
) -> Iterator[str]:
    """The inputs of an option, or else the lines of standard input that are not blank.

    Raises
    ------
    InputError
        If an input is blank, or there is none.
    """
    if given is not None:
        for text in given:
            if not text.strip():
                raise InputError(f"--{option} is blank; give it a {what}")
            yield text
        return
    if sys.stdin is None:
        raise InputError(f"there is no standard input to read; add --{option}")
    if sys.stdin.isatty():
        print(
            f"minilstm: type a {what} and press Enter; Ctrl-D ends (or use --{option})",
            file=sys.stderr,
        )
    count = 0
    for line in sys.stdin:
        if line.strip():
            count += 1
            yield line.rstrip("\r\n")
    if not count:
        raise InputError(f"standard input is empty; give it a {what} a line")


def warn_of_unknown(tokenizer: Tokenizer, text: str) -> None:
    """Print to standard error how many tokens of an input the model does not know."""
    unknown = int((tokenizer.encode(text) == tokenizer.unknown_id).sum())
    if unknown:
        some = tokenizer.unit + "s" * (unknown != 1)
        print(
            f"minilstm: the model does not know {unknown} {some} of this input",
            file=sys.stderr,
        )


def warn_of_cut(tokenizer: Tokenizer, text: str, limit: int | None) -> None:
    """Print to standard error that the model reads the beginning of an input only."""
    if limit is not None and len(tokenizer.encode(text)) > limit:
        print(
            f"minilstm: the model reads the first {limit} {tokenizer.unit}s of an input,"
            " as --max-length says",
            file=sys.stderr,
        )


def sources_of(arguments: Namespace, settings: Settings) -> tuple[list[str], str]:
    """The files to evaluate on, and their name; those of the run if none is named."""
    if arguments.files:
        return resolve_sources(arguments.files), describe(arguments.files)
    if STANDARD_INPUT in settings["sources"]:
        raise InputError(
            "the run was started with standard input, which is not kept; name a file to"
            " evaluate on: minilstm evaluate DIR FILE"
        )
    return list(settings["sources"]), "the validation set"


def check_same_data(checkpoint: Checkpoint, fingerprint: str, path: str | Path) -> None:
    """Raise InputError if the data are not those that the run was started with."""
    if checkpoint.settings.get("fingerprint") != fingerprint:
        raise InputError(
            f"the training files of {path} have changed, so its validation set is gone;"
            " name a file to evaluate on: minilstm evaluate DIR FILE"
        )
