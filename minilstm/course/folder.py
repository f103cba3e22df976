"""Find the lessons, or copy them to a folder of one's own.

They are beside the package in its repository. An installed package has them inside
of it, to be copied by ``minilstm learn --copy``: do not write there.
"""

from __future__ import annotations

import re
from pathlib import Path

import minilstm
from minilstm.errors import InputError
from minilstm.files import write_new

# 00 is a page to read: it has no cells, no exercise, no notebook.
NUMBERED = re.compile(r"(?!00)(\d\d)_\w+\.py")
OUTWARD = re.compile(rb"\[([^]]*)\]\(\.\./[^)]*\)")  # a link to the repository
NOT_OURS = {"my", "output", "__pycache__", ".ipynb_checkpoints"}  # made beside lessons


def lessons(exercise: Path | None = None) -> Path:
    """Find the folder of the lessons.

    It is looked for beside ``exercise``, at the current folder, and in the repository.
    What is inside an installed package serves to grade ``exercise`` only.

    Raises
    ------
    InputError
        If it is not found.
    """
    here = Path.cwd()
    places = [here / "lessons", here, here.parent, _in_repository()]
    if exercise is not None:
        places = [exercise.resolve().parent.parent, *places, _in_package()]
    for place in places:
        if _has_lessons(place):
            return place
    if _has_lessons(_in_package()):
        raise InputError(
            "the lessons are not here; copy them from the installed package to a folder"
            " of your own: minilstm learn --copy lessons"
        )
    raise InputError(
        "the lessons are not here; go to the folder that has them, such as a clone of"
        " the repository, and try again"
    )


def copy_lessons(folder: Path) -> tuple[list[Path], list[Path]]:
    """Copy lessons and exercises to a folder. A file that is there is left as it is.

    Parameters
    ----------
    folder : made if it does not exist.

    Returns
    -------
    new : the files that were written.
    different : files that were there already, with another content.

    Raises
    ------
    InputError
        If the package has no lessons.
    OSError
        If a file cannot be written.
    """
    source = next(filter(_has_lessons, (_in_package(), _in_repository())), None)
    if source is None:
        raise InputError(
            "this package was installed without its lessons; install it again"
        )
    new, different = [], []
    for path in sorted(source.rglob("*")):
        part = path.relative_to(source)
        if not path.is_file() or NOT_OURS & set(part.parts) or path.suffix == ".ipynb":
            continue
        copy, content = folder / part, path.read_bytes()
        if path.name == "README.md":
            content = OUTWARD.sub(rb"\1", content)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_new(copy, content)
            new.append(copy)
        except FileExistsError:
            if copy.read_bytes() != content:
                different.append(copy)
    return new, different


def _in_repository() -> Path:
    return Path(minilstm.__file__).parents[1] / "lessons"


def _in_package() -> Path:
    return Path(minilstm.__file__).parent / "course" / "material"


def _has_lessons(place: Path) -> bool:
    return (place / "exercises").is_dir() and (place / "grading").is_dir()


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
