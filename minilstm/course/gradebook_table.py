"""Grades as a table in a terminal, and as CSV for a spreadsheet or a learning platform."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterator, Sequence

from minilstm.course.gradebook import BLANK, ENDED, NOT_RUN, RIGHT, WRONG, Row

SIGNS = {RIGHT: "+", WRONG: "-", BLANK: ".", ENDED: "!", NOT_RUN: "?"}
LEGEND = "+ right, - wrong, . not answered, ! ended the process, ? not run"
WIDTH = 80
NAME_WIDTH = 46


def lines_of(row: Row, width: int) -> list[str]:
    """A row of the table, and what there is to say, in lines of at most 80 columns.

    Parameters
    ----------
    row : the grades of a submission.
    width : of the column with the names.
    """
    number = "" if row.submission.exercise is None else row.submission.exercise
    signs = "".join(SIGNS[task.state] for task in row.tasks)
    right = f"{row.right} of {len(row.tasks)}" if row.tasks else ""
    name = _short(row.submission.name, width)
    line = f"{name:<{width}} {number:>3}  {signs:<8} {right:<6} {row.seconds:>5.1f} s"
    said = [row.message] if row.message else []
    if row.problem and row.problem not in row.message:
        said.insert(0, row.problem)
    rest = [
        part
        for text in said
        for part in textwrap.wrap(
            text, WIDTH, initial_indent="    ", subsequent_indent="    "
        )
    ]
    return [line.rstrip(), *rest]


def name_width(names: Sequence[str]) -> int:
    """The width of the column with the names."""
    return min(NAME_WIDTH, max(map(len, names), default=0))


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """The last lines: what the signs mean, and how often each task is right."""
    yield LEGEND
    by_exercise: dict[int, list[Row]] = {}
    for row in rows:
        if row.tasks and row.submission.exercise is not None:
            by_exercise.setdefault(row.submission.exercise, []).append(row)
    for number, same in sorted(by_exercise.items()):
        counts = ", ".join(
            f"{task.name} {sum(r.tasks[k].state == RIGHT for r in same)}"
            for k, task in enumerate(same[0].tasks)
        )
        many = "" if len(same) == 1 else "s"
        yield from textwrap.wrap(
            f"exercise {number}, {len(same)} submission{many}, right: {counts}",
            WIDTH,
            subsequent_indent="    ",
        )
    yield from _shared_seeds(rows)
    problems = sum(bool(row.problem) for row in rows)
    if problems:
        yield f"{problems} of {len(rows)} could not be run to the end"
    if any(row.tasks and not row.network_cut for row in rows):
        yield "This system did not keep the submissions from the network."


def _shared_seeds(rows: Sequence[Row]) -> Iterator[str]:
    """Copies of one seed that several handed in: each student has one of their own."""
    names: dict[tuple, list[str]] = {}
    for row in rows:
        if row.seed is not None:
            copy = (row.submission.exercise, row.seed)
            names.setdefault(copy, []).append(_short(row.submission.name, NAME_WIDTH))
    for (number, seed), same in names.items():
        if len(same) > 1:
            yield from textwrap.wrap(
                f"exercise {number}, seed {seed} was handed in {len(same)} times:"
                f" {', '.join(same)}",
                WIDTH,
                subsequent_indent="    ",
            )


def as_csv(rows: Sequence[Row]) -> str:
    """A row for each submission, by RFC 4180.

    A text that a spreadsheet would take for a formula, since it begins with ``=``,
    ``+``, ``-`` or ``@``, gets an apostrophe in front. ``right`` and ``tasks`` are two
    columns because a spreadsheet takes 3/4 for a date.
    """
    most = max((len(row.tasks) for row in rows), default=0)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(
        ["submission", "exercise", "seed", "right", "tasks"]
        + [f"task {k}" for k in range(1, most + 1)]
        + ["message", "seconds", "problem"]
    )
    for row in rows:
        number = row.submission.exercise
        states = [task.state for task in row.tasks]
        writer.writerow(
            [
                _safe(row.submission.name),
                "" if number is None else number,
                "" if row.seed is None else row.seed,
                row.right,
                len(row.tasks),
                *states,
                *[""] * (most - len(states)),
                _safe(row.message),
                f"{row.seconds:.1f}",
                _safe(row.problem),
            ]
        )
    return file.getvalue()


def _safe(text: str) -> str:
    """The text without control characters, and never a formula.

    >>> _safe("=1+1"), _safe("a\\x1b[2J")
    ("'=1+1", 'a?[2J')
    """
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return f"'{plain}" if plain.lstrip().startswith(("=", "+", "-", "@")) else plain


def _short(name: str, width: int) -> str:
    """A name in at most this width: the middle is left out."""
    plain = "".join(c if c.isprintable() else "?" for c in name)
    if len(plain) <= width:
        return plain
    tail = (width - 3) * 2 // 3
    return f"{plain[: width - 3 - tail]}...{plain[-tail:]}"
