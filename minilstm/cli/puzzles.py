"""``minilstm puzzles``: a list of the gradient puzzles, or one after the other to answer."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from argparse import Namespace

from minilstm.course.folder import lessons, shown
from minilstm.course.grading import Wrong
from minilstm.course.progress import Progress
from minilstm.course.puzzle_file import name_of, pose
from minilstm.course.puzzle_unit import PuzzleUnit
from minilstm.course.puzzles import RIGHT
from minilstm.errors import InputError

WORDS = """\
dX stands for dLoss/dX, in the shape of X. Operators are those of NumPy: * ** @.
Type an expression, or: hint, solution, skip, quit."""


def run(arguments: Namespace) -> int:
    """The command: status 0 if all puzzles, or the one that was named, are right."""
    unit = PuzzleUnit(lessons())
    number, count = arguments.number, len(unit.puzzles)
    if number is not None and number > count:
        raise InputError(f"there is no puzzle {number}; there are 1 to {count}")
    if number is None and (arguments.hint or arguments.solution):
        raise InputError("name the puzzle: minilstm puzzles 7 --hint")
    if arguments.reset:
        if number is not None:
            raise InputError("--reset is for all puzzles; leave out the number")
        kept = unit.reset()
        print(f"{shown(unit.path)} is blank.")
        if kept:
            print(f"What you wrote is kept in {shown(kept)}.")
        return 0
    if arguments.hint or arguments.solution:
        print(help_with(unit, number, arguments))
        return 0
    new = not unit.path.exists()
    if new:
        unit.reset()
    return listed(unit, new) if number is None else Session(unit).run(number)


def listed(unit: PuzzleUnit, new: bool) -> int:
    """Grade the file, and print the state of every puzzle and the first mistake."""
    remark = " (new: your copy of the puzzles)" if new else ""
    print(f"{unit.title}\n{shown(unit.path)}{remark}")
    results, number, first = list(unit.results()), 0, None
    for part, puzzles in unit.parts.items():
        print(f"\n{part}")
        for puzzle in puzzles:
            result, number = results[number], number + 1
            state = "" if result.state == "not answered" else result.state
            print(f"  {number:2}  {puzzle.title:<36}{state}".rstrip())
            if first is None and result.state == "wrong":
                first = number
    if first is not None:
        print(f"\n{pose(first, unit.puzzles[first - 1])}")
        say(results[first - 1].sentence)
    right = sum(result.state == "right" for result in results)
    if right:
        Progress(unit.path.parent).record(unit, right, len(results))
    print(f"\n{right} of {len(results)} right")
    if right == len(results):
        print(unit.achieved)
        return 0
    following = next(k for k, r in enumerate(results, start=1) if r.state != "right")
    print(
        f"Answer in {shown(unit.path)}, or in the terminal: minilstm puzzles {following}"
    )
    return 1


class Session:
    """Puzzles that are answered in the terminal; right answers are saved at once."""

    def __init__(self, unit: PuzzleUnit) -> None:
        self.unit, self.puzzles = unit, unit.puzzles
        self.right = {
            number
            for number, result in enumerate(unit.results(), start=1)
            if result.state == "right"
        }

    def run(self, number: int) -> int:
        """Pose this puzzle, and then all others that are not right yet.

        Returns
        -------
        status : 0 if this puzzle is right in the end, else 1.
        """
        print(WORDS)
        first, following = (
            number,
            [
                k
                for k in range(number + 1, len(self.puzzles) + 1)
                if k not in self.right
            ],
        )
        for number in (first, *following):
            if not self.ask(number):
                break
        if self.right:
            progress = Progress(self.unit.path.parent)
            progress.record(self.unit, len(self.right), len(self.puzzles))
        saved = f", in {shown(self.unit.path)}"
        print(f"\n{len(self.right)} of {len(self.puzzles)} right{saved}")
        if len(self.right) == len(self.puzzles):
            print(self.unit.achieved)
        return 0 if first in self.right else 1

    def ask(self, number: int) -> bool:
        """Pose a puzzle until it is right or skipped; False if the session ends."""
        puzzle, known = self.puzzles[number - 1], number in self.right
        hints, wrong = list(self.unit.tasks()[number - 1].hints), 0
        begun = 0
        for part, puzzles in self.unit.parts.items():
            if number == begun + 1:
                print(f"\n{part}")
            begun += len(puzzles)
        print(f"\n{pose(number, puzzle)}\n")
        while True:
            answer = typed(f"d{puzzle.wrt} = ")
            if answer is None or answer in ("quit", "exit", "q"):
                return False
            if answer in ("", "skip"):
                return True
            if answer == "hint":
                say(hints.pop(0) if len(hints) > 1 else hints[0])
            elif answer == "solution":
                say(puzzle.solution)
            else:
                try:
                    say(puzzle.check(answer).replace(RIGHT, "right"))
                except Wrong as error:
                    say(str(error))
                    wrong += 1
                    if wrong == 2:
                        say("(hint gives a hint)")
                    continue
                if not known:
                    self.unit.save(number, puzzle.alone(answer))
                    self.right.add(number)
                return True


def typed(prompt: str) -> str | None:
    """A line from the terminal or a pipe; None at its end, or at Ctrl-C."""
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):  # not on Windows, which needs none
            import readline  # noqa: F401  arrow keys edit, and go back to old lines
        try:
            return input(prompt).strip()
        except (EOFError, KeyboardInterrupt):
            print()
            return None
    line = sys.stdin.readline()
    print(prompt + line.rstrip("\n"))  # it was not typed in a terminal
    return line.strip() if line else None


def say(sentence: str) -> None:
    """Print a sentence below a puzzle, in 80 columns."""
    print(
        textwrap.fill(
            sentence,
            80,
            initial_indent="   ",
            subsequent_indent="   ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def help_with(unit: PuzzleUnit, number: int, arguments: Namespace) -> str:
    """The hints of a puzzle, or its solution."""
    if arguments.solution:
        return unit.solution(name_of(number))
    hints = unit.tasks()[number - 1].hints[: arguments.hint]
    texts = [f"Hint {k}: {text}" for k, text in enumerate(hints, start=1)]
    lines = [line for text in texts for line in textwrap.wrap(text, 80)]
    more = "--hint --hint" if arguments.hint < 2 else "--solution"
    return "\n".join([*lines, f"More: minilstm puzzles {number} {more}"])
