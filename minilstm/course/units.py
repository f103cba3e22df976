"""What there is to do in the course, in order: exercises, puzzles, the milestone.

``minilstm learn`` treats all of them alike, by the protocol ``Unit``. It grades in a
process of its own, which finds the unit again by its name. So ``tasks`` and ``results``
may import what takes long; everything else should answer at once.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from minilstm.course.copies import renew
from minilstm.course.folder import numbered, title
from minilstm.course.milestone_unit import MilestoneUnit
from minilstm.course.puzzle_unit import PuzzleUnit
from minilstm.course.variations import lessons_for, seed_in, with_seed
from minilstm.errors import InputError

if TYPE_CHECKING:
    from minilstm.course.exercise import Exercise, Result
    from minilstm.course.grading import Task


class Unit(Protocol):
    """One thing to do, in a file of the learner's.

    Parameters
    ----------
    name : what is typed after ``minilstm learn``: ``"3"``, ``"puzzles"``.
    title : its line in the list, such as ``"3. One step backward"``.
    path : the learner's file, which may not exist yet.
    lesson : what to read before; None if nothing.
    achieved : a sentence for the learner who has done it; may be empty.
    needs : the names of units that must be done before.
    seconds : the time limit of a task. One that takes longer is stopped, and the
        learner reads in which line.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def lesson(self) -> Path | None: ...
    @property
    def achieved(self) -> str: ...
    @property
    def needs(self) -> tuple[str, ...]: ...
    @property
    def seconds(self) -> float: ...

    def reset(self) -> Path | None:
        """Make the learner's file, or a blank one in its place.

        Returns
        -------
        kept : where the old file is kept; None if there was none that differed.
        """

    def tasks(self) -> Sequence[Task]:
        """The tasks, in the order of the results, with their names and hints."""

    def results(self) -> Iterator[Result]:
        """Grade the learner's file, task after task.

        Raises
        ------
        InputError
            If the file cannot be graded at all, since it is not Python, for example.
        """

    def solution(self, task: str) -> str:
        """The source text that solves the task of this name."""


@dataclass(frozen=True)
class ExerciseUnit:
    """The exercise of a lesson as a ``Unit``."""

    number: int
    lessons: Path
    needs: tuple[str, ...] = ()
    seconds: float = 30  # the slowest task compiles for ten

    @property
    def name(self) -> str:
        return str(self.number)

    @property
    def title(self) -> str:
        return title(self._file("exercises"))

    @property
    def path(self) -> Path:
        return self.lessons / "my" / self._file("exercises").name

    @property
    def lesson(self) -> Path | None:
        return numbered(self.lessons).get(self.number)

    @property
    def achieved(self) -> str:
        """From the table of the course: after this lesson you can ..."""
        row = re.compile(rf"^\| {self.number} \| \[[^|]*\| ([^|]+) \|", re.MULTILINE)
        with contextlib.suppress(OSError):
            text = (self.lessons / "README.md").read_text(encoding="utf-8")
            if found := row.search(text):
                return f"You can now {found[1]}."
        return ""

    def reset(self) -> Path | None:
        text, seed = self._file("exercises").read_text("utf-8"), seed_in(self.path)
        if seed is not None:
            text = with_seed(text, self.number, seed)
        return renew(self.path, text.encode())

    def tasks(self) -> Sequence[Task]:
        with self._course() as course:
            return self._exercise(course).tasks

    def results(self) -> Iterator[Result]:
        with self._course() as course:
            yield from self._exercise(course).results()

    def solution(self, task: str) -> str:
        from minilstm.course.answers import Answers

        with self._course() as course:
            return Answers(numbered(course / "solutions")[self.number]).source(task)

    def _file(self, folder: str) -> Path:
        return numbered(self.lessons / folder)[self.number]

    @contextlib.contextmanager
    def _course(self) -> Iterator[Path]:
        """The folder of the course that the copy is graded with: that of its seed."""
        seed = seed_in(self.path)
        if seed is None:
            yield self.lessons
            return
        with tempfile.TemporaryDirectory(prefix="minilstm-") as folder:
            yield lessons_for(self.number, seed, self.lessons, Path(folder))

    def _exercise(self, course: Path) -> Exercise:
        from minilstm.course.answers import Answers
        from minilstm.course.exercise import Exercise, copy_of

        return Exercise(
            Answers(self.path.resolve()),
            Answers(numbered(course / "solutions")[self.number]),
            copy_of(self.number, course).tasks,
        )


def units(lessons: Path) -> list[Unit]:
    """All units of the course in this folder, in order."""
    exercises = [ExerciseUnit(n, lessons) for n in numbered(lessons / "exercises")]
    names = {unit.name for unit in exercises}
    more: list[Unit] = []  # after exercise 9
    if (lessons / "grading" / "puzzles.py").is_file():
        more.append(PuzzleUnit(lessons))
    if names >= set(MilestoneUnit.needs):
        more.append(MilestoneUnit(lessons))
    early = [unit for unit in exercises if unit.number <= 9]
    return [*early, *more, *exercises[len(early) :]]


def unit_of(name: str, lessons: Path) -> Unit:
    """The unit of this name.

    Raises
    ------
    InputError
        If there is none.
    """
    there = {unit.name: unit for unit in units(lessons)}
    key = name.lstrip("0") or name
    if key not in there:
        raise InputError(f"there is no exercise {name}; there are {', '.join(there)}")
    return there[key]
