"""``minilstm exercise``: mark an exercise of the lessons, give a hint, show a solution."""

from __future__ import annotations

import shlex
import sys
import textwrap
import threading
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from minilstm.course.answers import Answers
from minilstm.course.exercise import Exercise, Mark, find, told
from minilstm.course.folder import lessons, numbered, shown
from minilstm.errors import InputError

PATIENCE = 15  # seconds; the slowest of our own tasks compiles for ten


def run(arguments: Namespace) -> int:
    """The command: status 0 if every task is right or help was asked for, else 1."""
    file = None if arguments.file is None else Path(arguments.file)
    here = lessons(file)
    if arguments.number is None and arguments.file is None:
        print(*(Answers(path).title for path in numbered(here / "exercises").values()), sep="\n")
        print("minilstm exercise NUMBER marks one.")
        return 0
    exercise = find(arguments.number, file, here)
    if arguments.task is not None and arguments.task > len(exercise.tasks):
        raise InputError(f"exercise {exercise.number} has {len(exercise.tasks)} tasks; --task {arguments.task} is none of them")
    again = f"minilstm exercise {exercise.number}"
    if exercise.answers is not exercise.skeleton:
        again += f" --file {shlex.quote(str(shown(exercise.answers.path)))}"
    if arguments.solution or arguments.hint:
        task = chosen(exercise, arguments.task)
        if task is None:
            print(f"All {len(exercise.tasks)} tasks are right. For help with one of them all the same: {again} --task 1 --hint")
            return 0
        print(solution(exercise, task) if arguments.solution else hints(exercise, task, arguments.hint, again))
        return 0
    print(f"{exercise.skeleton.title}\n{shown(exercise.answers.path)}\n", flush=True)
    right = 0
    for number, mark in enumerate(patiently(exercise.marks()), start=1):
        print(told(number, mark), flush=True)
        right += mark.state == "right"
    print(f"{right} of {len(exercise.tasks)} right")
    if right == len(exercise.tasks):
        return 0
    print(f"A hint for the first that is not: {again} --hint")
    return 1


def patiently(marks: Iterator[Mark]) -> Iterator[Mark]:
    """The same marks; whoever waits for one for long is told how to stop a loop that never ends."""
    say = "still at work; if a loop of yours never ends, Ctrl-C stops it, and you are told where"
    while True:
        timer = threading.Timer(PATIENCE, print, (say,), {"file": sys.stderr, "flush": True})
        timer.daemon = True
        timer.start()
        try:
            mark = next(marks, None)
        finally:
            timer.cancel()
        if mark is None:
            return
        yield mark


def chosen(exercise: Exercise, task: int | None) -> int | None:
    """The task that help is wanted for, counted from 0: the one that was named, or the first that is not right, if any."""
    if task is not None:
        return task - 1
    return next((k for k, mark in enumerate(exercise.marks()) if mark.state != "right"), None)


def hints(exercise: Exercise, task: int, count: int, again: str) -> str:
    """The first hint of a task, or both."""
    name, texts = exercise.tasks[task].name, exercise.tasks[task].hints[:count]
    lines = [f"{task + 1}. {name}"]
    for number, text in enumerate(texts, start=1):
        lines += textwrap.wrap(f"Hint {number}: {text}", 80, initial_indent="   ", subsequent_indent="   ")
    more = "--hint --hint" if count < 2 else "--solution"
    return "\n".join([*lines, f"More: {again} --task {task + 1} {more}"])


def solution(exercise: Exercise, task: int) -> str:
    """A solution, as it stands in its file."""
    name = exercise.tasks[task].name
    return f"# {task + 1}. {name}, from {shown(exercise.solutions.path)}\n\n{exercise.solutions.source(name)}"
