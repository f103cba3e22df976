"""The sources on the command line: a built-in corpus, or files that make one corpus.

``-`` is standard input, like the names that systems have for it.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from minilstm.data.readers import STANDARD_INPUT, name_of
from minilstm.errors import InputError

BUILT_IN = ("headlines", "recipes", "topics", "dates", "addition", "pictures")
ALSO_STANDARD_INPUT = {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}


def source_kind(sources: Sequence[str]) -> str:
    """A built-in corpus by its name, or "file"."""
    return sources[0] if len(sources) == 1 and sources[0] in BUILT_IN else "file"


def resolve_sources(names: Sequence[str]) -> list[str]:
    """The name of a built-in corpus, or absolute paths of files.

    Patterns such as ``*.txt`` are expanded for shells that do not do it.
    """
    if source_kind(names) != "file":
        return list(names)
    for name in names:
        if name in BUILT_IN:
            raise InputError(
                f"`{name}` is a built-in corpus and cannot be combined with other"
                " sources;"
                f" for a file of that name write ./{name}"
            )
    names = [STANDARD_INPUT if name in ALSO_STANDARD_INPUT else name for name in names]
    names = [
        found
        for name in names
        for found in ([] if os.path.exists(name) else sorted(glob.glob(name))) or [name]
    ]
    real = [os.path.realpath(name) for name in names]
    for name, path in zip(names, real):
        if real.count(path) > 1:
            raise InputError(
                f"{name} is named twice, so the same text would be in the training set"
                " and the validation set;"
                " name it once"
            )
    return [name if name == STANDARD_INPUT else os.path.abspath(name) for name in names]


def describe(sources: Sequence[str]) -> str:
    """All sources in a few words."""
    first = name_of(sources[0])
    if len(sources) == 1:
        return first
    return f"{first} and {len(sources) - 1:,} other" + "s" * (len(sources) > 2)


def folder_name(sources: Sequence[str]) -> str:
    """The name of a run: its file, or the folder that contains all its files."""
    if list(sources) == [STANDARD_INPUT]:
        return "stdin"
    if len(sources) == 1:
        return Path(sources[0]).stem
    return (
        os.path.basename(
            os.path.commonpath(
                [os.path.dirname(os.path.abspath(name)) for name in sources]
            )
        )
        or "files"
    )
