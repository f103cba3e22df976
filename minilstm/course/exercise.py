"""An exercise, marked: its tasks one after the other, each right, wrong, or still open."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from minilstm.course.answers import Answers
from minilstm.course.copies import Copy
from minilstm.course.folder import numbered
from minilstm.course.marking import Task
from minilstm.errors import InputError, MinilstmError


@dataclass(frozen=True)
class Mark:
    """What became of one task: ``"right"``, ``"wrong"`` or ``"open"``, and a sentence about it."""

    task: Task
    state: str
    sentence: str


@dataclass(frozen=True)
class Exercise:
    """The learner's answers and the solutions, and the tasks that judge both."""

    answers: Answers
    solutions: Answers
    tasks: tuple[Task, ...]

    def marks(self) -> Iterator[Mark]:
        """Comparison task after task; nothing that the learner's code does ends it."""
        module = self.answers.load()
        wrong: list[str] = []
        for task in self.tasks:
            mark = self._mark(task, module)
            if mark.state == "wrong":
                used = [name for name in wrong if self.answers.uses(task.name, name)]
                if used:
                    first = f"It uses {' and '.join(used)}, which must be right first. As it is:\n"
                    mark = replace(mark, sentence=first + mark.sentence)
                wrong.append(task.name)
            yield mark

    def _mark(self, task: Task, module) -> Mark:
        blanks = self.answers.blanks(task.name)
        if blanks:
            return Mark(task, "open", f"line {blanks[0]} still has a blank: ...")
        if not hasattr(module, task.name):
            return Mark(task, "wrong", f"{task.name} is not in the file any more; put its definition back")
        try:
            with np.errstate(all="ignore"):  # what comes of a division by zero is looked at, and told
                return Mark(task, "right", task.check(self.answers.guarded(getattr(module, task.name), task.may_change)))
        except MinilstmError as error:
            return Mark(task, "wrong", str(error))
        except Exception as error:  # the check found in the answer what nobody thought of
            return Mark(task, "wrong", f"{task.name} gives back what cannot be looked at ({type(error).__name__}: {error})")


def number_of(number: int | None, file: Path | None, lessons: Path) -> int:
    """The number of an exercise: the one that was typed, or the one that a file's name begins with."""
    exercises = numbered(lessons / "exercises")
    if file is not None and not file.is_file():
        raise InputError(f"there is no file {file}")
    if number is None and file is not None and file.name[:2].isdecimal():
        number = int(file.name[:2])
    if number is None:
        raise InputError(f"the name of {file} begins with no number, so say it: minilstm exercise 2 --file {file}")
    if number not in exercises:
        raise InputError(f"there is no exercise {number}; there are {', '.join(map(str, exercises))}")
    return number


def copy_of(number: int, lessons: Path) -> Copy:
    """Where the exercise of a number is blank, and where a learner answers it."""
    blank = numbered(lessons / "exercises")[number]
    marking = Answers(numbered(lessons / "marking")[number]).load()
    return Copy(blank, lessons / "my" / blank.name, tuple(marking.TASKS), marking.BLANKS)


def told(number: int, mark: Mark) -> str:
    """A mark as text of 80 columns."""
    lines = [f"{number}. {mark.task.name}: {mark.state}"]
    for paragraph in mark.sentence.splitlines():
        text = paragraph.lstrip()
        indent = " " * (3 + len(paragraph) - len(text))
        lines += textwrap.wrap(
            text, 80, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(lines)
