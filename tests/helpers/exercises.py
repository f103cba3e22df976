"""Exercises with answers of learners: a solution with one definition replaced."""

import functools
from dataclasses import replace
from pathlib import Path

from minilstm.course.answers import Answers
from minilstm.course.exercise import Exercise, Result
from minilstm.course.folder import numbered
from minilstm.course.grading import Task
from tests.helpers.paths import LESSONS

IS_RIGHT = ""  # the message about a right answer, in a table of answers


def exercise(number: int, answers: Path | None = None) -> Exercise:
    """An exercise by number, with a learner's file (default: the unsolved exercise)."""
    solutions, tasks = course(number)
    return Exercise(Answers(answers or numbered(LESSONS / "exercises")[number]), solutions, tasks)


@functools.cache
def course(number: int) -> tuple[Answers, tuple[Task, ...]]:
    """The solutions and the tasks of an exercise."""
    solutions, grading = (Answers(numbered(LESSONS / folder)[number]) for folder in ("solutions", "grading"))
    return solutions, tuple(grading.load().TASKS)


def solution(number: int, name: str) -> str:
    """The source text of a definition in the solutions."""
    return Answers(numbered(LESSONS / "solutions")[number]).source(name) + "\n"


def result_of(tmp_path: Path, number: int, name: str, source: str) -> Result:
    """The result of one task if ``source`` replaces its definition in the solution."""
    solutions, _ = course(number)
    assert solutions.source(name), f"the solutions of {number} do not define {name}"
    path = tmp_path / f"{number:02d}_answers.py"
    path.write_text(solutions.text.replace(solutions.source(name), source), encoding="utf-8")
    whole = exercise(number, path)
    only = replace(whole, tasks=tuple(task for task in whole.tasks if task.name == name))
    return next(only.results())


def answers(task: str, template: str, fields: dict | tuple, rows: list) -> list[tuple[str, str, str]]:
    """Rows of a table: a task, what a learner wrote, and a part of the message about it.

    ``template`` is filled in row by row. A row ends with the part of the message. It
    begins with a value for each of the ``fields``; or, if these are a dictionary of what
    is right, with a dictionary of what the learner wrote in its place.
    """
    if isinstance(fields, dict):
        wrong = [(fields | changed, said) for changed, said in rows]
        return [(task, template.format(**values), said) for values, said in [(fields, IS_RIGHT), *wrong]]
    if not fields:
        return [(task, template.format(value), said) for value, said in rows]
    return [(task, template.format(**dict(zip(fields, values))), said) for *values, said in rows]


def replaced(task: str, source: str, rows: list) -> list[tuple[str, str, str]]:
    """Rows of a table: each replaces a line of a source by what a learner wrote instead."""
    assert all(line in source for line, _, _ in rows)
    return [(task, source.replace(line, instead), said) for line, instead, said in rows]
