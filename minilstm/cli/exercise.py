"""``minilstm exercise``: copy an exercise, grade the copy, give a hint or solution."""

from __future__ import annotations

import shlex
import sys
import tempfile
import threading
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from minilstm.cli.course_text import Style, hint
from minilstm.course.answers import Answers
from minilstm.course.copies import Copy
from minilstm.course.exercise import Exercise, Result, copy_of, describe, number_of
from minilstm.course.folder import lessons, numbered, shown, title
from minilstm.course.variations import lessons_for, seed_in, with_seed
from minilstm.course.progress import Progress
from minilstm.course.units import unit_of
from minilstm.errors import InputError
from minilstm.files import write_new

PATIENCE = 15  # seconds; the slowest task compiles for ten


def run(arguments: Namespace) -> int:
    """The command: status 0 if every task is right or help was asked for, else 1."""
    file = None if arguments.file is None else Path(arguments.file)
    here = lessons(file)
    if arguments.all:
        return hand_out(arguments, here)
    if arguments.out is not None:
        raise InputError("--out is for --all: minilstm exercise --all --out FOLDER")
    if arguments.number is None and file is None:
        return listed(arguments, here)
    number = number_of(arguments.number, file, here)
    own = here / "my" / numbered(here / "exercises")[number].name
    seed = None if arguments.move else seed_for(arguments, file or own)
    with tempfile.TemporaryDirectory(prefix="minilstm-") as folder:
        course = lessons_for(number, seed, here, Path(folder))
        copy = replace(copy_of(number, course), path=own)
        return run_one(arguments, number, file, copy, course, here)


def seed_for(arguments: Namespace, path: Path) -> int | None:
    """The seed of an exercise: that of the answers, or of the copy to be made."""
    known = seed_in(path)
    if arguments.seed in (None, known) or arguments.reset and not arguments.file:
        return known if arguments.seed is None else arguments.seed
    if arguments.file or path.exists():
        has = "no seed" if known is None else f"the seed {known}"
        raise InputError(
            f"{shown(path)} has {has}; --seed is for a new copy, and --reset --seed"
            f" {arguments.seed} begins one"
        )
    return arguments.seed


def run_one(
    arguments: Namespace,
    number: int,
    file: Path | None,
    copy: Copy,
    course: Path,
    here: Path,
) -> int:
    """Grade one exercise, or help with it, or begin it again.

    ``course`` has the exercise, its solutions and its grading with the seed of the
    copy, if there is one; ``here`` is the folder of all lessons.
    """
    if arguments.task is not None and arguments.task > len(copy.tasks):
        raise InputError(
            f"exercise {number} has {len(copy.tasks)} tasks;"
            f" --task {arguments.task} is none of them"
        )
    if file is not None and file.resolve() in (
        copy.path.resolve(),
        copy.blank.resolve(),
    ):
        file = None  # the exercise itself, run or named, is the same as its number
    if arguments.reset or arguments.move:
        if file is not None:
            raise InputError(
                f"--reset and --move are for your copy, {shown(copy.path)};"
                " leave out --file"
            )
        print(reset(copy, number) if arguments.reset else move(copy))
        return 0
    path = file or (copy.path if copy.path.exists() else copy.blank)
    again = f"minilstm exercise {number}" + (
        "" if file is None else f" --file {shlex.quote(str(shown(path)))}"
    )
    if arguments.hint or arguments.solution:
        print(help_with(exercise_of(number, path, copy, course), arguments, again))
        return 0
    misplaced, new = file is None and copy.filled_in(), False
    if path == copy.blank and not misplaced:
        copy.renew()
        path, new = copy.path, True
    exercise = exercise_of(number, path, copy, course)
    remark = " (new: your copy of the exercise)" if new else ""
    print(f"{title(copy.blank)}\n{shown(path)}{remark}\n", flush=True)
    right = 0
    for k, result in enumerate(patiently(exercise.results()), start=1):
        print(describe(k, result), flush=True)
        right += result.state == "right"
    done = right == len(exercise.tasks)
    if path == copy.path and right:
        unit = unit_of(str(number), here)
        Progress(path.parent).record(unit, right, len(exercise.tasks))
    print(f"{right} of {len(exercise.tasks)} right")
    if new:
        print(f"Fill in the blanks of {shown(path)}, and run this again.")
    print(
        what_next(number, here)
        if done
        else f"A hint for the first that is not: {again} --hint"
    )
    if misplaced:
        blank = numbered(here / "exercises")[number]
        print(out_of_place(replace(copy, blank=blank), number))
    return 0 if done else 1


def hand_out(arguments: Namespace, here: Path) -> int:
    """Write all blank exercises to a new folder, with a seed or without."""
    if arguments.out is None or arguments.number is not None or arguments.file:
        raise InputError(
            "--all writes all exercises to a new folder: minilstm exercise --all --seed"
            ' "Ada Lovelace" --out FOLDER'
        )
    folder, seed = Path(arguments.out), arguments.seed
    try:
        folder.mkdir()
    except FileExistsError:
        raise InputError(f"{folder} is there already; name a new folder") from None
    for number, path in numbered(here / "exercises").items():
        text = path.read_text(encoding="utf-8")
        text = text if seed is None else with_seed(text, number, seed)
        write_new(folder / path.name, text.encode())
    said = "" if seed is None else f" with the seed {seed}"
    print(f"{len(numbered(folder))} exercises{said} are in {shown(folder)}.")
    return 0


def exercise_of(number: int, path: Path, copy: Copy, here: Path) -> Exercise:
    """The exercise with the answers that are in this file."""
    return Exercise(
        Answers(path.resolve()),
        Answers(numbered(here / "solutions")[number]),
        copy.tasks,
    )


def help_with(exercise: Exercise, arguments: Namespace, again: str) -> str:
    """Hints for a task, or its solution: the task named, or the first not right."""
    task = chosen(exercise, arguments.task)
    if task is None:
        return (
            f"All {len(exercise.tasks)} tasks are right. For help with one of them:"
            f" {again} --task 1 --hint"
        )
    if arguments.solution:
        return solution(exercise, task)
    return hints(exercise, task, arguments.hint, again)


def listed(arguments: Namespace, here: Path) -> int:
    """Print the titles of all exercises; options need the number of one."""
    if arguments.seed is not None:
        raise InputError("name the exercise that --seed is for, or --all")
    for option in ("reset", "move", "hint", "solution", "task"):
        if getattr(arguments, option):
            raise InputError(
                f"name the exercise that --{option} is for: minilstm exercise 2"
                f" --{option}"
            )
    print(*map(title, numbered(here / "exercises").values()), sep="\n")
    print(
        f"minilstm exercise NUMBER copies one to {shown(here / 'my')}, for you to fill"
        " in, and grades your copy."
    )
    return 0


def reset(copy: Copy, number: int) -> str:
    """Replace the copy by a blank one; returns a sentence about the old one."""
    if copy.filled_in():
        raise InputError(
            f"{shown(copy.blank)} is filled in, so there is no blank exercise to copy;"
            f" minilstm exercise {number} --move makes that your copy and puts the"
            " blank one back"
        )
    kept = copy.renew()
    return f"{shown(copy.path)} is blank." + (
        f"\nWhat you wrote is kept in {shown(kept)}." if kept else ""
    )


def move(copy: Copy) -> str:
    """Move answers from the course's file to the learner's; sentences about both."""
    if not copy.filled_in():
        raise InputError(f"there is nothing to move: {shown(copy.blank)} is blank")
    kept = copy.renew()
    said = [f"The answers are in {shown(copy.path)} now."]
    if kept:
        said.append(f"What was there before is kept in {shown(kept)}.")
    if copy.restore():
        said.append(f"{shown(copy.blank)} is blank again.")
    else:
        said.append(
            f"{shown(copy.blank)} is still filled in, since git has no blank one;"
            " download it again."
        )
    return "\n".join(said)


def out_of_place(copy: Copy, number: int) -> str:
    """The message for a learner who filled in the course's own file."""
    graded = f"Only {shown(copy.path)} was graded.\n" if copy.path.exists() else ""
    return (
        f"\n{shown(copy.blank)} is filled in, but it belongs to the course.\n{graded}"
        f"To move these answers to {shown(copy.path.parent)} (nothing is"
        f" lost):\nminilstm exercise {number} --move"
    )


def what_next(number: int, here: Path) -> str:
    """The next lesson and exercise."""
    following = next(
        (item for item in numbered(here / "exercises").items() if item[0] > number),
        None,
    )
    if following is None:
        return f"Exercise {number} is done, and it was the last."
    lesson = shlex.quote(str(shown(here / following[1].name)))
    return (
        f"Exercise {number} is done. Next: python {lesson}, then minilstm exercise"
        f" {following[0]}"
    )


def patiently(results: Iterator[Result]) -> Iterator[Result]:
    """The same results; after a long wait, prints how to stop an endless loop."""
    say = (
        "still running; if a loop of yours never ends, Ctrl-C stops it and shows where"
    )
    while True:
        timer = threading.Timer(
            PATIENCE, print, (say,), {"file": sys.stderr, "flush": True}
        )
        timer.daemon = True
        timer.start()
        try:
            result = next(results, None)
        finally:
            timer.cancel()
        if result is None:
            return
        yield result


def chosen(exercise: Exercise, task: int | None) -> int | None:
    """The task to help with, from 0: the one named, or the first not right."""
    if task is not None:
        return task - 1
    return next(
        (k for k, result in enumerate(exercise.results()) if result.state != "right"),
        None,
    )


def hints(exercise: Exercise, task: int, count: int, again: str) -> str:
    """The first hint of a task, or both."""
    name, texts = exercise.tasks[task].name, exercise.tasks[task].hints[:count]
    lines = hint(task, name, texts, Style())
    more = "--hint --hint" if count < 2 else "--solution"
    return "\n".join([*lines, f"More: {again} --task {task + 1} {more}"])


def solution(exercise: Exercise, task: int) -> str:
    """The solution of a task, from its file."""
    name, seed = exercise.tasks[task].name, seed_in(exercise.answers.path)
    source = shown(exercise.solutions.path)
    if seed is not None:
        source = Path(f"{source.name}, with the seed {seed}")
    code = exercise.solutions.source(name)
    return f"# {task + 1}. {name}, from {source}\n\n{code}"
