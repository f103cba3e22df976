"""What a reader hands back, and how it shows what can be typed."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable
from typing import NamedTuple

CHOICES = 20  # that a message lists


class Reading(NamedTuple):
    """The sequences of a file, and how it was understood, for people."""

    sequences: list[str]
    how: str


class Cells(NamedTuple):
    """Some columns of a table, or fields of objects, and how they were understood."""

    rows: list[tuple[str, ...]]  # the cells of each row; blank where there is none
    names: list[str]  # of the columns, for messages
    how: str


def typed(name: str) -> str:
    """The name as a shell takes it for one word: ``title``, but ``' text'``."""
    return subprocess.list2cmdline([name]) if os.name == "nt" else shlex.quote(name)


def listed(choices: Iterable[str]) -> str:
    """Some choices, and how many more there are."""
    choices = list(choices)
    more = f" and {len(choices) - CHOICES:,} more" if len(choices) > CHOICES else ""
    return ", ".join(choices[:CHOICES]) + more
