"""A worksheet as a spreadsheet: each computed number is a live formula, or blank.

Given numbers stand in yellow cells. Change one, and all others follow, forward and
backward. Two more columns compute the forward pass with one chosen number perturbed up
and down. At the top the derivative by central differences stands beside the gradient of
the backward pass. A blank spreadsheet has boxes in place of all this. openpyxl (extra
``lessons``) writes the file; any spreadsheet program recalculates it.
"""

from __future__ import annotations

import io
import itertools
from pathlib import Path

from minilstm.errors import InputError, MinilstmError, to_install
from minilstm.verify.worksheet.sheet import CHANGE, NAME, Line, Worksheet
from minilstm.verify.worksheet.text import formula_of

try:
    from openpyxl import Workbook, load_workbook
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.worksheet import Worksheet as Page
except ImportError as error:
    raise MinilstmError(
        "a spreadsheet is written with openpyxl, which is missing: "
        + to_install("lessons")
    ) from error

YELLOW = PatternFill("solid", fgColor="FFF2A8")
GREY = PatternFill("solid", fgColor="E8E8E8")
BOX = Border(*[Side("thin", color="A0A0A0")] * 4)
BOLD = Font(name="Calibri", bold=True)
SMALL = Font(name="Calibri", color="606060", size=9)
COLUMNS = ("equation", "name", "formula", "value", "perturbed up", "perturbed down")
VALUE, UP, DOWN = "D", "E", "F"
WIDTHS = (10, 12, 64, 14, 14, 14)
FIRST_ROW = 13  # of the numbers; above them stand the title and the perturbation
CHOSEN, SIZE, ANALYTIC, NUMERIC, ERROR = "D4", "D5", "D8", "D9", "D10"


def as_xlsx(sheet: Worksheet, blank: bool = False) -> bytes:
    """The file's contents; ``blank`` leaves out all that is computed."""
    book = Workbook()
    page = book.active
    page.title = "LSTM by hand"
    rows = _rows_of(sheet)
    for line, row in rows.items():
        _write(page, line, row, rows, blank)
    _write_sections(page, rows)
    _write_title(page, sheet, blank)
    if not blank:
        _write_perturbation(page, rows)
    for width, letter in zip(WIDTHS, map(get_column_letter, itertools.count(1))):
        page.column_dimensions[letter].width = width
    page.freeze_panes = f"A{FIRST_ROW}"
    page.sheet_view.zoomScale = 110
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read_xlsx(path: Path) -> dict[str, str]:
    """What stands in the column of results, by the names of the numbers.

    Raises
    ------
    InputError
        If the file is no worksheet.
    """
    try:
        page = load_workbook(path, data_only=True).active
        rows = list(page.iter_rows(min_row=FIRST_ROW - 1, max_col=4, values_only=True))
    except Exception:  # openpyxl raises many kinds for a damaged file
        rows = []
    if not rows or rows[0] != COLUMNS[:4]:
        raise InputError(f"{path} is no worksheet in the form that was handed out")
    return {
        name: "" if value is None else str(value) for _, name, _, value in rows if name
    }


def _rows_of(sheet: Worksheet) -> dict[Line, int]:
    """The row of every line; each section begins with a row for its title."""
    rows, row = {}, FIRST_ROW
    for _, lines in itertools.groupby(sheet.lines, key=lambda line: line.section):
        for line in lines:
            row += 1
            rows[line] = row
        row += 2
    return rows


def _write(
    page: Page, line: Line, row: int, rows: dict[Line, int], blank: bool
) -> None:
    page[f"A{row}"] = line.equation
    page[f"B{row}"] = line.name
    page[f"C{row}"] = formula_of(line)
    page[f"C{row}"].font = SMALL
    page[f"C{row}"].alignment = Alignment(wrap_text=True, vertical="top")
    # points; spreadsheets make no room for long formulas
    page.row_dimensions[row].height = 15 * (1 + len(formula_of(line)) // 85)
    value = page[f"{VALUE}{row}"]
    perturbed = (UP, DOWN) if line.forward or _can_be_perturbed(line) else ()
    if line.given:
        value.value, value.fill = line.value, YELLOW
    elif blank:
        value.border = BOX
    else:
        at = {other.name: other_row for other, other_row in rows.items()}
        for column in (VALUE, *perturbed):
            page[f"{column}{row}"] = "=" + _live(line.formula, column, at)
    if line.given and not blank:
        for column, sign in zip(perturbed, "+-"):
            page[f"{column}{row}"] = (
                f"={VALUE}{row}{sign}IF($B{row}=${CHOSEN[0]}${CHOSEN[1:]},"
                f"${SIZE[0]}${SIZE[1:]},0)"
            )
    for column in (VALUE, UP, DOWN):
        page[f"{column}{row}"].number_format = (
            "0.00" if line.given and column == VALUE else "0.000000"
        )


def _can_be_perturbed(line: Line) -> bool:
    """Whether a given number belongs to the forward pass."""
    return line.given and line.section != CHANGE


def _live(formula: str, column: str, at: dict[str, int]) -> str:
    """A formula in the spreadsheet's own words."""
    live = NAME.sub(lambda match: f"{column}{at[match[1]]}", formula)
    if live.startswith("sigmoid("):
        return f"1/(1+EXP(-{live.removeprefix('sigmoid(')[:-1]}))"
    return (
        live.replace("tanh(", "TANH(")
        .replace("exp(", "EXP(")
        .replace("ln(", "LN(")
        .replace(" ", "")
    )


def _write_sections(page: Page, rows: dict[Line, int]) -> None:
    for section, lines in itertools.groupby(rows, key=lambda line: line.section):
        title = page[f"A{rows[next(iter(lines))] - 1}"]
        title.value, title.font = section, BOLD


def _write_title(page: Page, sheet: Worksheet, blank: bool) -> None:
    """Whose sheet it is, what to do, and the titles of the columns."""
    owner = f", {sheet.owner}" if sheet.owner else ""
    page["A1"] = (
        f"An LSTM by hand: H = {sheet.hidden}, D = {sheet.input}, T = {sheet.steps},"
        f" two classes (seed {sheet.seed}{owner})"
    )
    page["A1"].font = Font(name="Calibri", bold=True, size=14)
    page["A2"] = (
        "Change any yellow cell: all other numbers follow, forward and backward."
    )
    if blank:
        page["A2"] = "Fill in the boxes. The numbers in yellow cells are given."
    for column, title in zip("ABCDEF", COLUMNS[: 4 if blank else 6]):
        page[f"{column}{FIRST_ROW - 1}"] = title
        page[f"{column}{FIRST_ROW - 1}"].font = BOLD
        page[f"{column}{FIRST_ROW - 1}"].fill = GREY


def _write_perturbation(page: Page, rows: dict[Line, int]) -> None:
    """The derivative of the loss by central differences, beside the gradient."""
    first, last = FIRST_ROW + 1, max(rows.values())
    perturbed = [
        row
        for line, row in rows.items()
        if _can_be_perturbed(line) and not line.name.startswith("y")
    ]
    loss = next(row for line, row in rows.items() if line.name == "loss")
    chosen = next(line.name for line in rows if line.name.startswith("Wx"))
    table = [
        (CHOSEN, "Perturb this number", chosen),
        (SIZE, "by", 1e-4),
        ("D6", "loss", f"={VALUE}{loss}"),
        ("D7", "loss, perturbed up and down", f"={UP}{loss}"),
        (
            ANALYTIC,
            "gradient by the backward pass",
            f'=INDEX(D{first}:D{last},MATCH("d"&{CHOSEN},B{first}:B{last},0))',
        ),
        (
            NUMERIC,
            "numerical derivative (central differences)",
            f"=({UP}{loss}-{DOWN}{loss})/(2*{SIZE})",
        ),
        (ERROR, "difference", f"={ANALYTIC}-{NUMERIC}"),
    ]
    for cell, name, value in table:
        page[f"C{cell[1:]}"] = name
        page[f"C{cell[1:]}"].alignment = Alignment(horizontal="right")
        page[cell], page[cell].number_format = value, "0.000000000"
    page["E7"], page["E7"].number_format = f"={DOWN}{loss}", "0.000000000"
    page[ERROR].number_format = "0.0E+00"
    page[SIZE].number_format = "0.0E+00"
    page[CHOSEN].fill = page[SIZE].fill = YELLOW
    page[CHOSEN].alignment = Alignment(horizontal="right")
    names = DataValidation(
        "list", formula1=f"=$B${min(perturbed)}:$B${max(perturbed)}", allow_blank=False
    )
    page.add_data_validation(names)
    names.add(CHOSEN)
