"""``minilstm worksheet``: an LSTM by hand, on paper or in a spreadsheet."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from minilstm.checkpoint import replacing
from minilstm.errors import InputError
from minilstm.verify.worksheet import make_worksheet
from minilstm.verify.worksheet_text import FORMATS


def run(arguments: Namespace) -> int:
    """The command."""
    sheet = make_worksheet(arguments.hidden, arguments.input, arguments.steps, arguments.seed)
    out = arguments.out
    if arguments.format == "xlsx":
        from minilstm.verify.worksheet_xlsx import as_xlsx  # needs openpyxl

        out, contents = out or "worksheet.xlsx", as_xlsx(sheet)
    else:
        contents = FORMATS[arguments.format](sheet).encode()
    if out is None:
        sys.stdout.write(contents.decode())
        return 0
    path = Path(out)
    if path.exists():  # with somebody's own numbers in its yellow cells, perhaps
        raise InputError(f"{path} is there already and is not overwritten; choose another name with --out")
    with replacing(path) as file:
        file.write(contents)
    print(f"{len(sheet.lines)} numbers in {path}")
    return 0
