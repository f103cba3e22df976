"""What ``minilstm learn`` prints: the list of units, and how a grading went."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from minilstm.cli.terminal import can_show, harmless, pad, terminal_width
from minilstm.course.folder import shown
from minilstm.course.grader import Grading
from minilstm.course.plan import Plan
from minilstm.course.units import Unit

PRINTED = 12  # lines of what the learner's code printed
MANY = 6  # tasks; more right ones are counted, not listed
STATES = {"right": "✓", "wrong": "✗", "not answered": "…"}
PLAIN = {"✓": "+", "✗": "x", "…": ".", "▸": ">"}  # for a terminal without these
COLOURS = {"✓": "32", "✗": "31", "…": "33", "▸": "36", "bold": "1", "dim": "2"}


class Style:
    """Marks, colours and the width of lines, as the output can show them."""

    def __init__(self) -> None:
        self.moves = can_show("")
        self.colours = self.moves and not os.environ.get("NO_COLOR")
        self.width = min(80, terminal_width())
        self.height = shutil.get_terminal_size((80, 24)).lines

    def mark(self, mark: str) -> str:
        """A mark in its colour; a space for none."""
        if not mark:
            return " "
        return self.colour(mark if can_encode(mark) else PLAIN[mark], mark)

    def colour(self, text: str, kind: str) -> str:
        """Text in the colour of a mark, bold, or dim."""
        return f"\x1b[{COLOURS[kind]}m{text}\x1b[m" if self.colours else text

    def wrap(self, text: str, indent: int = 0) -> list[str]:
        """Lines that fit; the indentation of each paragraph is kept."""
        lines = []
        for paragraph in harmless(text).expandtabs(4).splitlines():
            words = paragraph.lstrip()
            space = " " * (indent + len(paragraph) - len(words))
            lines += textwrap.wrap(
                words,
                self.width,
                initial_indent=space,
                subsequent_indent=space,
                break_long_words=False,
                break_on_hyphens=False,
            )
        return lines

    def ends(self, left: str, right: str, kind: str = "bold") -> str:
        """A line with text at both ends; the left one alone if both do not fit."""
        gap = self.width - len(left) - len(right)
        line = f"{pad(left, len(left) + gap)}{right}" if gap > 1 else left
        return self.colour(line, kind)


def can_encode(text: str) -> bool:
    """Whether standard output can print this text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def listing(plan: Plan, style: Style) -> list[str]:
    """All units in order: what is done, partly done, and which comes next."""
    lines, following = [], plan.following()
    for unit in plan.units:
        state = plan.state(unit)
        mark = "✓" if state.done else "▸" if unit == following else ""
        said = str(state)
        if not said and not plan.reachable(unit):
            said = f"after {and_list(unit.needs)}"
        text = f"{pad(aligned(unit.title), 46)}  {said}"
        lines.append(f"  {style.mark(mark)} {text}".rstrip())
    return lines


def aligned(title: str) -> str:
    """A title whose words stand below those of the others.

    >>> for title in ("9. Adam", "Gradient puzzles", "10. A headline writer"):
    ...     print(aligned(title))
     9. Adam
        Gradient puzzles
    10. A headline writer
    """
    number, _, words = title.partition(". ")
    return f"{number:>2}. {words}" if number.isdecimal() else f"    {title}"


def around(lines: list[str], place: int, count: int) -> list[str]:
    """At most ``count`` lines of a list, with the one at this place.

    >>> around(["a", "b", "c", "d", "e"], place=2, count=3)
    ['b', 'c', '     (l shows all)']
    """
    if len(lines) <= count:
        return lines
    shown = max(count - 1, 1)
    first = min(max(0, place - shown // 2), len(lines) - shown)
    return [*lines[first : first + shown], "     (l shows all)"]


def and_list(names: Sequence[str]) -> str:
    """Names as one says them.

    >>> and_list(["2", "3", "5"]), and_list(["2", "3", "4"])
    ('2, 3 and 5', '2 to 4')
    """
    first = names[0]
    if len(names) > 2 and first.isdecimal():
        if list(names) == [str(int(first) + k) for k in range(len(names))]:
            return f"{first} to {names[-1]}"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def to_do(unit: Unit) -> list[str]:
    """What to read and where to write for a unit."""
    lines = [] if unit.lesson is None else [f"  read      {typed(unit.lesson)}"]
    if unit.path.suffix != ".py":  # the milestone is run, not filled in
        return [*lines, f"  run       minilstm {unit.name}"]
    return [*lines, f"  fill in   {typed(unit.path)}"]


def typed(path: Path) -> str:
    """A path as one would type it."""
    return shlex.quote(str(shown(path)))


def report(grading: Grading, style: Style) -> list[str]:
    """The tasks up to the first that is not right, and what is wrong with it."""
    lines = []
    if grading.printed.strip():
        lines += ["Your code printed:", *_printed(grading.printed), ""]
    if grading.problem:
        return lines + _item(style, "✗", _short(grading.problem, grading.unit))
    first = 0
    if grading.right > MANY:  # of thirty puzzles, say how many are right
        first = len(grading.results) if grading.all_right else grading.first_wrong or 0
        if first:
            lines += _item(style, "✓", f"1 to {first}: right")
    for k, (state, sentence) in enumerate(grading.results[first:], start=first):
        name = f"{k + 1}. {grading.names[k]}"
        if state == "right" and not grading.all_right:
            lines += _item(style, STATES[state], name)
            continue
        lines += _item(style, STATES[state], f"{name}: {state}")
        lines += style.wrap(_short(sentence, grading.unit), 7)
        if state != "right":
            break
    return lines


def achieved(unit: Unit, style: Style) -> list[str]:
    """Praise in a sentence: what the learner can do now."""
    said = f"{unit.title.rstrip('.?')} is done. {unit.achieved}".rstrip()
    return style.wrap(said)


def hint(
    task: int, name: str, hints: Sequence[str], style: Style, first: int = 0
) -> list[str]:
    """Hints of a task, numbered, from the one at place ``first`` on."""
    lines = [] if first else [f"{task + 1}. {name}"]
    for number, text in enumerate(hints[first:], start=first + 1):
        lines += style.wrap(f"Hint {number}: {text}", 3)
    return lines


def _item(style: Style, mark: str, text: str) -> list[str]:
    first, *others = style.wrap(text, 4)
    return [f"  {style.mark(mark)} {first[4:]}", *others]


def _short(sentence: str, unit: Unit) -> str:
    return sentence.replace(str(unit.path.resolve()), str(shown(unit.path)))


def _printed(text: str) -> list[str]:
    lines = harmless(text.strip("\n")).split("\n")
    more = len(lines) - PRINTED
    kept = [f"  | {line[:74]}".rstrip() for line in lines[:PRINTED]]
    return kept + [f"  | ... and {more} lines more"] * (more > 0)
