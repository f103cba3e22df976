"""The learner's file of puzzles, ``lessons/my/puzzles.py``: thirty lines ``p07 = ...``.

The file is not run. Each line's expression is read as text and computed by itself, so a
mistake in one line leaves the others as they are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from minilstm.course.exercise import Result
from minilstm.course.expressions import parsed
from minilstm.course.grading import Task, Wrong
from minilstm.course.puzzles import Puzzle

# p07 = an expression, which may go on in indented lines
LINE = re.compile(r"^p(\d+)[ \t]*=(?!=)[ \t]*(.*(?:\n[ \t]+\S.*|\n[)\]}].*)*)", re.M)
HEADER = '''"""Gradient puzzles: {count} gradients, each in one expression.

Write the gradient in place of each `...`. dX stands for dLoss/dX, in the shape of X.

    minilstm puzzles              grade this file
    minilstm puzzles 7            answer puzzle 7 and those after it in the terminal
    minilstm puzzles 7 --hint     a hint, when you are stuck; or --solution

An answer may use what stands in the forward lines, the given gradients, the letters of
the shapes (B, D, H ...), sigmoid, softmax, and NumPy as np. Operators work as in NumPy:
* is a product entry by entry, @ is the matrix product, ** is a power. The file is not
run; each expression is computed by itself.
"""

if __name__ == "__main__":
    raise SystemExit("This file is graded by: minilstm puzzles")
'''


def name_of(number: int) -> str:
    """The name of a puzzle's line.

    >>> name_of(7)
    'p07'
    """
    return f"p{number:02d}"


def pose(number: int, puzzle: Puzzle) -> str:
    """A puzzle as text."""
    first, *more = puzzle.forward.splitlines()
    lines = [f"{number}. {puzzle.title}", f"       {first:<36}  {puzzle.shapes}"]
    lines += [f"       {line}" for line in more]
    return "\n".join([*lines, f"   {puzzle.question}"])


def blank(parts: Mapping[str, Sequence[Puzzle]]) -> str:
    """The text of the file before anything is answered."""
    number, text = 0, HEADER.format(count=sum(map(len, parts.values())))
    for part, puzzles in parts.items():
        text += f"\n\n# {part}\n"
        for puzzle in puzzles:
            number += 1
            comment = pose(number, puzzle).replace("\n", "\n# ")
            text += f"\n# {comment}\n{name_of(number)} = ...\n"
    return text


def tasks(puzzles: Sequence[Puzzle]) -> list[Task]:
    """A task for each puzzle; its check gets the expression as text."""
    return [
        Task(
            f"{name_of(number)}, {puzzle.title}",
            puzzle.check,
            (puzzle.hint, second_hint(puzzle)),
        )
        for number, puzzle in enumerate(puzzles, start=1)
    ]


def results(text: str, puzzles: Sequence[Puzzle]) -> Iterator[Result]:
    """Grade the text of a file, line after line."""
    found = lines_in(text)
    for number, task in enumerate(tasks(puzzles), start=1):
        if number not in found:
            sentence = f"the line {name_of(number)} = ... is missing; put it back"
            yield Result(task, "wrong", sentence)
            continue
        line = text.count("\n", 0, found[number].start()) + 1
        answer, puzzle = found[number][2], puzzles[number - 1]
        if is_blank(answer):
            asked = f"{'; '.join(puzzle.forward.splitlines())}. {puzzle.question}"
            sentence = f"line {line} still has a blank: ...\n{asked}"
            yield Result(task, "not answered", sentence)
            continue
        try:
            yield Result(task, "right", puzzle.check(answer))
        except Wrong as error:
            yield Result(task, "wrong", f"line {line}: {error}")


def with_answer(text: str, number: int, answer: str) -> str:
    """The text with an answer in its line; what was tried there becomes a comment."""
    name, line = name_of(number), lines_in(text).get(number)
    if line is None:
        return f"{text.rstrip()}\n\n{name} = {answer}\n"
    old = " ".join(line[2].split())
    before = "" if is_blank(old) else f"  # before: {old}"
    return f"{text[: line.start()]}{name} = {answer}{before}{text[line.end() :]}"


def lines_in(text: str) -> dict[int, re.Match[str]]:
    """The lines of a file by number; if there are two of one number, the last."""
    return {int(match[1]): match for match in LINE.finditer(text)}


def is_blank(answer: str) -> bool:
    """Whether there is no answer: ``...``, or nothing but a comment."""
    return answer.split("#")[0].strip() in ("", "...")


def second_hint(puzzle: Puzzle) -> str:
    """What the solution is made of: its names, then what it calls."""
    names, called = set(), set()
    for node in ast.walk(parsed(puzzle.solution)):
        if isinstance(node, ast.Name) and node.id != "np":
            names.add(node.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            numpy = ast.unparse(node.func.value) == "np"
            called.add(f"{'np' if numpy else ''}.{node.func.attr}(...)")
    return f"The solution is made of {', '.join(sorted(names) + sorted(called))}."
