"""Find the lessons. They are beside the package in its repository, not in it."""

from __future__ import annotations

import re
from pathlib import Path

import minilstm
from minilstm.errors import InputError

# 00 is a page to read: it has no cells, no exercise, no notebook.
NUMBERED = re.compile(r"(?!00)(\d\d)_\w+\.py")


def lessons(exercise: Path | None = None) -> Path:
    """Find the folder ``lessons/``.

    It is looked for beside ``exercise``, at the current folder, and in the repository.

    Raises
    ------
    InputError
        If it is not found.
    """
    here = Path.cwd()
    places = [
        here / "lessons",
        here,
        here.parent,
        Path(minilstm.__file__).parents[1] / "lessons",
    ]
    if exercise is not None:
        places.insert(0, exercise.resolve().parent.parent)
    for place in places:
        if (place / "exercises").is_dir() and (place / "grading").is_dir():
            return place
    raise InputError(
        "the lessons are not here, because they are not part of the installed package;"
        " go to a clone of the repository, which has a folder lessons/, and try again"
    )


def shown(path: Path) -> Path:
    """A path relative to the current folder, if it is inside of it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def numbered(folder: Path) -> dict[int, Path]:
    """The files NN_name.py of a folder by their numbers, in order."""
    found = {
        int(match[1]): path
        for path in folder.glob("*.py")
        if (match := NUMBERED.fullmatch(path.name))
    }
    return dict(sorted(found.items()))


def title(exercise: Path) -> str:
    """The first line of an exercise file."""
    return (
        exercise.read_text(encoding="utf-8-sig", errors="replace")
        .split("\n")[0]
        .strip('"')
        .rstrip(".")
    )
