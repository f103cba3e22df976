"""What the tasks share when a trained model is applied: inputs and options."""

from __future__ import annotations

import sys
import textwrap
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from minilstm.cli.defaults import HOW_TO_READ, Settings
from minilstm.cli.sources import describe, resolve_sources
from minilstm.cli.terminal import harmless, terminal_width
from minilstm.data.protocol import Tokenizer
from minilstm.data.punctuation import split_words
from minilstm.data.readers import STANDARD_INPUT
from minilstm.data.whitespace import WhitespaceTokenizer
from minilstm.errors import InputError
from minilstm.training.checkpoint import Checkpoint

UNKNOWN_NAMED = 5  # unknown tokens that a message names
Parsed = TypeVar("Parsed")


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
    given: list[str] | None,
    what: str,
    parse: Callable[[str, int], Parsed],
    option: str = "input",
    metavar: str = "TEXT",
) -> Iterator[tuple[str, Parsed]]:
    """The inputs of an option, or else the lines of standard input that are not blank.

    The inputs of an option are all parsed before the first is handed out.

    Parameters
    ----------
    given : inputs of the option; None: read standard input.
    what, option, metavar : an input, and its option, in messages.
    parse : from an input and its number, from 1, to what the model reads.

    Raises
    ------
    InputError
        If an input is blank, or there is none; and what ``parse`` raises.
    """
    if given is not None:
        for text in given:
            if not text.strip():
                raise InputError(f"--{option} is blank; give it a {what}")
        yield from [(text, parse(text, k)) for k, text in enumerate(given, 1)]
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
            text = line.rstrip("\r\n")
            yield text, parse(text, count)
    if not count:
        raise InputError(
            f"standard input is empty; give it one {what} per line, or use --{option}"
            f" {metavar}"
        )


def warn_of_unknown(tokenizer: Tokenizer, text: str) -> None:
    """Print to standard error which tokens of an input the model does not know."""
    is_unknown = tokenizer.encode(text) == tokenizer.unknown_id
    if is_unknown.any():
        count = int(is_unknown.sum())
        some = tokenizer.unit + "s" * (count != 1)
        named = list(
            dict.fromkeys(
                repr(harmless(token))
                for token, k in zip(tokens_of(text, tokenizer), is_unknown)
                if k
            )
        )
        more = ", …" * (len(named) > UNKNOWN_NAMED)
        print(
            f"minilstm: the model does not know {count} {some} of this input"
            f" ({', '.join(named[:UNKNOWN_NAMED])}{more})",
            file=sys.stderr,
        )


def tokens_of(text: str, tokenizer: Tokenizer) -> list[str]:
    """The tokens of a text as the tokenizer splits it, also unknown ones."""
    if tokenizer.unit == "character":
        return list(text)
    if isinstance(tokenizer, WhitespaceTokenizer):
        return text.split()
    return split_words(text)


def check_picture(path: str | None) -> None:
    """Raise InputError if there is no folder for a picture, before any output."""
    if path is None:
        return
    if Path(path).is_dir():
        raise InputError(f"--picture {path} is a folder; name a PNG file")
    if not Path(path).parent.is_dir():
        raise InputError(
            f"--picture {path}: there is no folder {Path(path).parent}; make it, or"
            " name another file"
        )


def settings_for(arguments: Namespace, settings: Settings) -> Settings:
    """The settings of a run; those given to ``evaluate`` replace how files are read."""
    names = (*HOW_TO_READ, "label", "target", "features")
    typed = {name: getattr(arguments, name) for name in names}
    return {
        **settings,
        **{name: value for name, value in typed.items() if value is not None},
    }


def print_notes(notes: Iterable[str]) -> None:
    """Print how files were read."""
    for note in notes:
        print(
            textwrap.fill(
                harmless(note),
                terminal_width(),
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
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
