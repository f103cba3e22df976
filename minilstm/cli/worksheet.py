"""``minilstm worksheet``: an LSTM by hand, on paper or in a spreadsheet."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from minilstm import files
from minilstm.errors import InputError
from minilstm.verify.worksheet.build import make_worksheet
from minilstm.verify.worksheet.text import FORMATS

ENDINGS = {".txt": "text", ".md": "markdown", ".csv": "csv", ".xlsx": "xlsx"}


def run(arguments: Namespace) -> int:
    """The command."""
    form = choose_format(arguments.format, arguments.out)
    sheet = make_worksheet(
        arguments.hidden, arguments.input, arguments.steps, arguments.seed
    )
    out = arguments.out
    if form == "xlsx":
        from minilstm.verify.worksheet.spreadsheet import as_xlsx  # needs openpyxl

        out, contents = out or "worksheet.xlsx", as_xlsx(sheet)
    else:
        contents = FORMATS[form](sheet).encode()
    if out is None:
        sys.stdout.write(contents.decode())
        return 0
    write_new(Path(out), contents)
    print(f"{len(sheet.lines)} numbers in {out}")
    return 0


def choose_format(form: str | None, out: str | None) -> str:
    """The format named, else that of the file's suffix, else text; both must agree."""
    of_file = ENDINGS.get(Path(out).suffix.lower()) if out is not None else None
    if form and of_file and form != of_file:
        raise InputError(
            f"{out} would not be {form} by its ending; change --out or --format"
        )
    return form or of_file or "text"


def write_new(path: Path, contents: bytes) -> None:
    """Write a new file, whole or not at all; an older one may hold a user's numbers."""
    if not path.name or not path.parent.is_dir():
        raise InputError(
            f"--out {str(path)!r}: {str(path.parent)!r} must be a folder, and a file"
            " must be named in it"
        )
    try:
        files.write_new(path, contents)
    except FileExistsError as error:
        raise InputError(
            f"{path} is there already and is not overwritten;"
            " choose another name with --out"
        ) from error
