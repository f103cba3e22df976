"""``minilstm notebooks``: the lessons as notebooks, beside their scripts."""

from __future__ import annotations

from argparse import Namespace

from minilstm.course.folder import lessons, numbered, shown
from minilstm.course.notebooks import build
from minilstm.errors import InputError


def run(arguments: Namespace) -> int:
    """The command: one notebook for each lesson that was asked for, or for all."""
    scripts = numbered(lessons())
    for number in arguments.numbers:
        if number not in scripts:
            raise InputError(
                f"there is no lesson {number}; there are {', '.join(map(str, scripts))}"
            )
    for number in arguments.numbers or scripts:
        path, kept = build(scripts[number], scripts[number].parent, arguments.force)
        print(
            f"{shown(path)}"
            + (f" (the old one is kept: {shown(kept)})" if kept else ""),
            flush=True,
        )
    return 0
