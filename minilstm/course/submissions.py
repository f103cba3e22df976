"""Find the submissions in a folder, as learning platforms export them.

A submission is a Python file whose name says which exercise it answers. It lies in the
folder, or in one of its sub-folders, one for each student:

    03_one_step_backward.py
    lovelaceada_4711_03_one_step_backward-1.py
    Ada Lovelace_4711_assignsubmission_file/03_one_step_backward.py

No student is left out in silence. A file that looks like a submission and cannot be
graded is in the list too, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from minilstm.errors import InputError

NUMBER = re.compile(r"(?:^|_)(\d\d)_(?=[^\W\d])")
RENAMED = re.compile(r"\.py(\W|$)", re.IGNORECASE)  # 03_mine.PY, 03_mine.py.txt
ADVICE = {
    ".ipynb": "it is a notebook: save it as .py (jupyter nbconvert --to script)",
    ".zip": "it is an archive: unpack it",
    ".tar": "it is an archive: unpack it",
    ".gz": "it is an archive: unpack it",
    ".7z": "it is an archive: unpack it",
    ".rar": "it is an archive: unpack it",
}


@dataclass(frozen=True)
class Submission:
    """A file that answers an exercise.

    Parameters
    ----------
    name : its path below the folder, with ``/``.
    path : the file.
    exercise : the number of the exercise; None if it cannot be named.
    problem : why it cannot be graded; empty if it can.
    beside : Python files that it may import: those in a student's sub-folder.
    """

    name: str
    path: Path
    exercise: int | None
    problem: str = ""
    beside: tuple[Path, ...] = ()


def find_submissions(
    folder: Path, exercises: Mapping[int, Path], exercise: int | None = None
) -> list[Submission]:
    """All submissions below a folder, in the order of their names.

    Parameters
    ----------
    folder : the folder.
    exercises : the exercise files of the course by their numbers.
    exercise : take only submissions of this exercise; a Python file whose name tells no
        exercise is one of them.

    Raises
    ------
    InputError
        If there is no such folder or exercise, or no submission in the folder.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    if exercise is not None and exercise not in exercises:
        known = ", ".join(map(str, exercises))
        raise InputError(f"there is no exercise {exercise}; there are {known}")
    found = [
        submission
        for path, beside in _files(folder)
        if (submission := _submission(path, beside, folder, exercises, exercise))
    ]
    if not found:
        of = "" if exercise is None else f" of exercise {exercise}"
        raise InputError(
            f"{folder} has no submission{of}: no file named like"
            f" {exercises[exercise or min(exercises)].name}, nor in a sub-folder"
        )
    return sorted(found, key=lambda submission: submission.name)


def exercise_in(name: str, exercises: Mapping[int, Path]) -> int | None:
    """The exercise that the name of a file tells; None if none, or more than one.

    >>> files = {3: Path("03_one_step_backward.py"), 5: Path("05_through_time.py")}
    >>> exercise_in("lovelace_05_03_one_step_backward-1.py", files)
    3
    >>> exercise_in("lovelace_05_mine.py", files)
    5
    """
    stems = [number for number, path in exercises.items() if path.stem in name]
    numbers = {int(digits) for digits in NUMBER.findall(name)} & set(exercises)
    found = stems or sorted(numbers)
    return found[0] if len(found) == 1 else None


def _files(folder: Path) -> Iterator[tuple[Path, tuple[Path, ...]]]:
    """All files of the folder and of its sub-folders, each with those beside it.

    A sub-folder that may not be read is given itself.
    """
    for path in folder.iterdir():
        if path.name.startswith((".", "__")):  # of the system, of Python
            continue
        if path.is_file():
            yield path, ()
        elif path.is_dir():
            try:
                files = [
                    file
                    for file in path.iterdir()
                    if file.is_file() and not file.name.startswith(".")
                ]
            except PermissionError:
                yield path, ()
                continue
            programs = tuple(file for file in files if file.suffix == ".py")
            for file in files:
                yield file, programs


def _submission(
    path: Path,
    beside: tuple[Path, ...],
    folder: Path,
    exercises: Mapping[int, Path],
    wanted: int | None,
) -> Submission | None:
    """The submission in a file; None if it is none, or one of another exercise."""
    name = path.relative_to(folder).as_posix()
    if path.is_dir():
        return Submission(name, path, wanted, "this folder may not be read")
    named = exercise_in(path.name, exercises)
    number = named or wanted
    if wanted not in (None, number):
        return None
    if advice := ADVICE.get(path.suffix.lower()):
        return Submission(name, path, number, advice)
    if path.suffix != ".py":
        if number is None or not RENAMED.search(path.name):
            return None
        return Submission(name, path, number, "its name does not end in .py: rename it")
    if named is None and any(exercise_in(file.name, exercises) for file in beside):
        return None  # a module beside the answer
    if number is None:
        return Submission(
            name, path, None, "its name tells no exercise; name it with --exercise"
        )
    return Submission(name, path, number, "", beside)
