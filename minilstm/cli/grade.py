"""``minilstm grade``: grade a folder of submissions, for teachers."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from minilstm.course.copies import keep
from minilstm.course.folder import lessons, numbered, shown
from minilstm.course.gradebook import Limits, grade_all
from minilstm.course.gradebook_table import as_csv, lines_of, name_width, summary
from minilstm.course.submissions import find_submissions
from minilstm.errors import InputError
from minilstm.files import is_special, replacing


def run(arguments: Namespace) -> int:
    """The command: status 1 if a submission could not be run to its end, else 0."""
    check_out(arguments.csv)
    here = lessons()
    submissions = find_submissions(
        Path(arguments.folder), numbered(here / "exercises"), arguments.exercise
    )
    # with CSV on standard output, the table goes where it does not disturb
    screen = sys.stderr if arguments.csv == "-" else sys.stdout
    width = name_width([submission.name for submission in submissions])
    limits = Limits(arguments.seconds, int(arguments.memory * 1e9))
    rows = []
    for row in grade_all(submissions, here, limits, arguments.jobs):
        rows.append(row)
        print(*lines_of(row, width), sep="\n", file=screen, flush=True)
    print(*summary(rows), sep="\n", file=screen, flush=True)
    if arguments.csv == "-":
        sys.stdout.write(as_csv(rows))
    elif arguments.csv is not None:
        print(write(Path(arguments.csv), as_csv(rows)))
    return int(any(row.problem for row in rows))


def check_out(out: str | None) -> None:
    """Refuse a CSV file that cannot be written before anything is graded."""
    if out is None or out == "-":
        return
    path = Path(out)
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(
            f"--csv {out!r}: {str(path.parent)!r} must be a folder, and a file must be"
            " named in it"
        )
    if is_special(path):
        raise InputError(
            f"--csv {out!r} is a device or a pipe; name a file, or - for standard output"
        )


def write(path: Path, text: str) -> str:
    """Write the file, keep an older one that differs, and return a sentence.

    The character U+FEFF at the start makes Excel read the file as UTF-8.
    """
    contents = text.encode("utf-8-sig")
    old = path.read_bytes() if path.exists() else contents
    kept = keep(path) if old != contents else None
    with replacing(path) as file:
        file.write(contents)
    return f"The grades are in {shown(path)}." + (
        f" The older ones are kept in {shown(kept)}." if kept else ""
    )
