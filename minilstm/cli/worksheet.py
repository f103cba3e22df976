"""``minilstm worksheet``: an LSTM by hand, on paper or in a spreadsheet."""

from __future__ import annotations

import os
import pydoc
import shutil
import sys
from argparse import Namespace
from collections import Counter
from pathlib import Path

from minilstm import files
from minilstm.errors import InputError
from minilstm.seeds import seed_of_name
from minilstm.verify.worksheet.answers import BLANK, RIGHT, WRONG
from minilstm.verify.worksheet.answers import check_answers, read_answers
from minilstm.verify.worksheet.build import make_worksheet
from minilstm.verify.worksheet.sheet import Worksheet
from minilstm.verify.worksheet.text import FORMATS, length

ENDINGS = {".txt": "text", ".md": "markdown", ".csv": "csv", ".xlsx": "xlsx"}


def run(arguments: Namespace) -> int:
    """The command."""
    out, blank = arguments.out, arguments.blank
    form = choose_format(arguments.format, out, "--out")
    if form == "xlsx" and out is None:
        out = "worksheet.xlsx"
    if arguments.check is not None and (blank or out or arguments.solution):
        raise InputError(
            "--check writes no sheet; leave out --blank, --out, --solution"
        )
    if arguments.solution is not None and not blank:
        raise InputError(
            "--solution is for --blank; without it the sheet has its results already"
        )
    sheet = make_worksheet(
        arguments.hidden,
        arguments.input,
        arguments.steps,
        arguments.seed if arguments.name is None else seed_of_name(arguments.name),
        weight=arguments.weight,
        owner=owner(arguments.name),
    )
    if arguments.check is not None:
        return check(sheet, Path(arguments.check))
    new = {} if out is None else {Path(out): contents(sheet, form, blank)}
    if arguments.solution is not None:
        path = Path(arguments.solution)
        if path in new:
            raise InputError(f"--out and --solution are both {path}; name two files")
        wanted = choose_format(None, arguments.solution, "--solution", form)
        new[path] = contents(sheet, wanted, False)
    for path in new:  # both or none
        check_new(path, "--solution" if path != Path(out or "") else "--out")
    for path, written in new.items():
        files.write_new(path, written)
        size = ""
        if path.suffix.lower() == ".txt":
            size = ": {} lines, {} pages".format(*length(written.decode()))
        # a sheet on standard output has nothing else there
        screen = sys.stderr if out is None else sys.stdout
        print(f"{len(sheet.lines)} numbers in {path}{size}", file=screen)
    if out is None:
        show(contents(sheet, form, blank).decode())
    return 0


def check(sheet: Worksheet, path: Path) -> int:
    """Check a filled-in sheet: status 0 if every result is right, else 1."""
    checked = check_answers(sheet, read_answers(path))
    for each in checked:
        if each.state == WRONG:
            said = f"{each.answer} where {each.expected:.5f} follows from the numbers"
            print(f"{each.line.equation:<8}{each.line.name}: {said} before it")
    counts = Counter(each.state for each in checked)
    print(", ".join(f"{counts[state]} {state}" for state in (RIGHT, WRONG, BLANK)))
    return int(counts[RIGHT] < len(checked))


def owner(name: str | None) -> str:
    """The name of a student as it is printed; refuses one that is blank."""
    if name is None:
        return ""
    plain = " ".join(name.split())
    if not plain or not plain.isprintable():
        raise InputError(f"--name must be a name, not {name!r}")
    return plain


def contents(sheet: Worksheet, form: str, blank: bool) -> bytes:
    """The contents of a file in this format."""
    if form == "xlsx":
        from minilstm.verify.worksheet.spreadsheet import as_xlsx  # needs openpyxl

        return as_xlsx(sheet, blank)
    return FORMATS[form](sheet, blank).encode()


def show(text: str) -> None:
    """Print a sheet; in a terminal that is too small for it, by a pager."""
    if sys.stdout.isatty() and length(text)[0] >= shutil.get_terminal_size().lines:
        pydoc.pager(text)
    else:
        sys.stdout.write(text)


def choose_format(
    form: str | None, out: str | None, option: str, default: str = "text"
) -> str:
    """The format named, else that of the file's suffix, else the default.

    A format and a suffix that disagree are refused.
    """
    of_file = ENDINGS.get(Path(out).suffix.lower()) if out is not None else None
    if form and of_file and form != of_file:
        raise InputError(
            f"{out} would not be {form} by its ending; change {option} or --format"
        )
    return form or of_file or default


def check_new(path: Path, option: str) -> None:
    """Refuse a file that cannot be new; an older one may hold a user's numbers."""
    if not path.name or not path.parent.is_dir():
        raise InputError(
            f"{option} {str(path)!r}: {str(path.parent)!r} must be a folder, and a file"
            " must be named in it"
        )
    if os.path.lexists(path):  # also a link to nowhere
        raise InputError(
            f"{path} is there already and is not overwritten;"
            f" choose another name with {option}"
        )
