"""Exercises with answers of learners: a solution with one definition replaced."""

from dataclasses import replace
from pathlib import Path

from minilstm.course.answers import Answers
from minilstm.course.exercise import Exercise, Result
from minilstm.course.folder import numbered
from tests.helpers.paths import LESSONS


def exercise(number: int, answers: Path | None = None) -> Exercise:
    """An exercise by number, with a learner's file (default: the unsolved exercise)."""
    files = [numbered(LESSONS / folder)[number] for folder in ("exercises", "solutions", "grading")]
    tasks = tuple(Answers(files[2]).load().TASKS)
    return Exercise(Answers(answers or files[0]), Answers(files[1]), tasks)


def solution(number: int, name: str) -> str:
    """The source text of a definition in the solutions."""
    return Answers(numbered(LESSONS / "solutions")[number]).source(name) + "\n"


def result_of(tmp_path: Path, number: int, name: str, source: str) -> Result:
    """The result of one task if ``source`` replaces its definition in the solution."""
    solutions = Answers(numbered(LESSONS / "solutions")[number])
    assert solutions.source(name), f"the solutions of {number} do not define {name}"
    path = tmp_path / f"{number:02d}_answers.py"
    path.write_text(solutions.text.replace(solutions.source(name), source), encoding="utf-8")
    whole = exercise(number, path)
    only = replace(whole, tasks=tuple(task for task in whole.tasks if task.name == name))
    return next(only.results())


def wrong(tmp_path: Path, number: int, name: str, source: str) -> str:
    """The sentence that a learner gets about a wrong answer."""
    mark = result_of(tmp_path, number, name, source)
    assert mark.state == "wrong", (mark.state, mark.sentence)
    return mark.sentence
