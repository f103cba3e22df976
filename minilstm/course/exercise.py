"""Grade an exercise: each task is right, wrong, or not answered."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from minilstm.course.answers import Answers
from minilstm.course.copies import Copy
from minilstm.course.folder import numbered
from minilstm.course.grading import Task
from minilstm.course.mistakes import Solutions
from minilstm.errors import InputError, MinilstmError


@dataclass(frozen=True)
class Result:
    """Result of one task.

    Parameters
    ----------
    task : the task.
    state : ``"right"``, ``"wrong"`` or ``"not answered"``.
    sentence : what the learner reads about it.
    """

    task: Task
    state: str
    sentence: str


@dataclass(frozen=True)
class Exercise:
    """The learner's answers, the solutions, and the tasks that grade both."""

    answers: Answers
    solutions: Answers
    tasks: tuple[Task, ...]

    def results(self) -> Iterator[Result]:
        """Grade task after task. An error in the learner's code is a wrong answer."""
        module, solutions = self.answers.load(), None
        wrong: list[str] = []
        for task in self.tasks:
            if task.cases is not None and solutions is None:
                solutions = Solutions(self.solutions)
            result = self._grade(task, module, solutions)
            if result.state == "wrong":
                used = [name for name in wrong if self.answers.uses(task.name, name)]
                if used:
                    first = f"It uses {' and '.join(used)}, which must be right first. As it is:\n"
                    result = replace(result, sentence=first + result.sentence)
                wrong.append(task.name)
            yield result

    def _grade(self, task: Task, module, solutions: Solutions | None) -> Result:
        blanks = self.answers.blanks(task.name)
        if blanks:
            return Result(
                task, "not answered", f"line {blanks[0]} still has a blank: ..."
            )
        if not hasattr(module, task.name):
            return Result(
                task,
                "wrong",
                f"{task.name} is not in the file any more; put its definition back",
            )
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # a division by zero shows in the result
                may_change = (*task.may_change, *task.changes)
                yours = self.answers.guarded(getattr(module, task.name), may_change)
                return Result(task, "right", task.grade(yours, solutions))
        except MinilstmError as error:
            return Result(task, "wrong", str(error))
        except Exception as error:  # an answer that the check does not expect
            said = f"({type(error).__name__}: {error})"
            return Result(
                task,
                "wrong",
                f"{task.name} returns something that cannot be checked {said}",
            )


def number_of(number: int | None, file: Path | None, lessons: Path) -> int:
    """The number of an exercise.

    Parameters
    ----------
    number : the number that was typed, if any.
    file : the learner's file, if any; its name may begin with the number.
    lessons : the folder ``lessons/``.

    Raises
    ------
    InputError
        If there is no such file or exercise, or no number.
    """
    exercises = numbered(lessons / "exercises")
    if file is not None and not file.is_file():
        raise InputError(f"there is no file {file}")
    if number is None and file is not None and file.name[:2].isdecimal():
        number = int(file.name[:2])
    if number is None:
        raise InputError(
            f"the name of {file} has no number; name the exercise: minilstm exercise 2 --file {file}"
        )
    if number not in exercises:
        raise InputError(
            f"there is no exercise {number}; there are {', '.join(map(str, exercises))}"
        )
    return number


def copy_of(number: int, lessons: Path) -> Copy:
    """The blank exercise with this number, and the learner's copy of it."""
    blank = numbered(lessons / "exercises")[number]
    grading = Answers(numbered(lessons / "grading")[number]).load()
    return Copy(
        blank, lessons / "my" / blank.name, tuple(grading.TASKS), grading.BLANKS
    )


def describe(number: int, result: Result) -> str:
    """A result as text of at most 80 columns."""
    lines = [f"{number}. {result.task.name}: {result.state}"]
    for paragraph in result.sentence.splitlines():
        text = paragraph.lstrip()
        indent = " " * (3 + len(paragraph) - len(text))
        lines += textwrap.wrap(
            text,
            80,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)
