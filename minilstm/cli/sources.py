"""What is named on the command line to train on: a built-in corpus, or files that make one corpus.

``-`` is standard input, by whatever name the system has for it.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from minilstm.data.readers import STANDARD_INPUT, name_of
from minilstm.errors import InputError

BUILT_IN = ("headlines", "recipes")
ALSO_STANDARD_INPUT = {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}


def kind_of(sources: Sequence[str]) -> str:
    """A built-in corpus by its name, or "file"."""
    return sources[0] if len(sources) == 1 and sources[0] in BUILT_IN else "file"


def find(names: Sequence[str]) -> list[str]:
    """Built-in corpora by their name, files by their whole path; patterns are for shells that leave them as they are."""
    if kind_of(names) != "file":
        return list(names)
    for name in names:
        if name in BUILT_IN:
            raise InputError(f"`{name}` is built in and stands alone, not among other sources; a file of that name is ./{name}")
    names = [STANDARD_INPUT if name in ALSO_STANDARD_INPUT else name for name in names]
    names = [found for name in names for found in ([] if os.path.exists(name) else sorted(glob.glob(name))) or [name]]
    real = [os.path.realpath(name) for name in names]
    for name, path in zip(names, real):
        if real.count(path) > 1:
            raise InputError(f"{name} is named twice, and would be trained on and held out at once; name it once")
    return [name if name == STANDARD_INPUT else os.path.abspath(name) for name in names]


def told(sources: Sequence[str]) -> str:
    """All of them in a few words."""
    first = name_of(sources[0])
    return first if len(sources) == 1 else f"{first} and {len(sources) - 1:,} others"


def folder_name(sources: Sequence[str]) -> str:
    """What a run is called after: its file, or the folder in which all its files are."""
    if list(sources) == [STANDARD_INPUT]:
        return "stdin"
    if len(sources) == 1:
        return Path(sources[0]).stem
    return os.path.basename(os.path.commonpath([os.path.dirname(os.path.abspath(name)) for name in sources])) or "files"
