"""What a reader hands back, and how it shows what can be typed."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from minilstm.errors import InputError

CHOICES = 20  # that a message lists


class Reading(NamedTuple):
    """The sequences of a file, and how it was understood, for people."""

    sequences: list[str]
    how: str


class Cells(NamedTuple):
    """Some columns of a table, or fields of objects, and how they were understood."""

    rows: list[tuple[str, ...]]  # the cells of each row; blank where there is none
    names: list[str]  # of the columns, for messages
    how: str  # separator, header, format
    chosen: list[str]  # how each chosen column was understood
    numbers: Sequence[int]  # of the line or the object at which each row begins
    unit: str  # what they count: "line" or "object"


def check_different(
    options: Sequence[str], places: Sequence[Hashable], name: str
) -> None:
    """Raise InputError if two options name the same column.

    Parameters
    ----------
    options, places : of each chosen column, its option and where it is.
    name : of the file.
    """
    for k, (option, place) in enumerate(zip(options, places)):
        if place not in places[:k]:
            continue
        other = options[places.index(place)]
        if other == option:
            raise InputError(f"{name}: {option} names a column twice; name it once")
        raise InputError(
            f"{name}: {other} and {option} name the same column; choose another one"
            " for one of them"
        )


def typed(name: str) -> str:
    """The name as a shell takes it for one word: ``title``, but ``' text'``."""
    return subprocess.list2cmdline([name]) if os.name == "nt" else shlex.quote(name)


def listed(choices: Iterable[str]) -> str:
    """Some choices, and how many more there are."""
    choices = list(choices)
    more = f" and {len(choices) - CHOICES:,} more" if len(choices) > CHOICES else ""
    return ", ".join(choices[:CHOICES]) + more
