"""Check a worksheet that was filled in.

Each result is compared with what its formula gives for the student's own numbers before
it. So a slip counts once, and not again in everything that is computed from it.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from minilstm.errors import InputError
from minilstm.verify.worksheet.sheet import Line, Worksheet, value_of

TOLERANCE = 2e-4  # absolute, or relative to a number above 1: four decimals are enough
RIGHT, WRONG, BLANK = "right", "wrong", "not answered"


@dataclass(frozen=True)
class Checked:
    """One result of a student.

    Parameters
    ----------
    line : of the worksheet.
    state : ``"right"``, ``"wrong"`` or ``"not answered"``.
    answer : what the student wrote.
    expected : what the formula gives for the student's own numbers before it.
    """

    line: Line
    state: str
    answer: str
    expected: float


def check_answers(sheet: Worksheet, answers: Mapping[str, str]) -> list[Checked]:
    """Check the results of a filled-in worksheet.

    Parameters
    ----------
    sheet : the worksheet that was handed out.
    answers : from the names of numbers to what the student wrote.

    Returns
    -------
    checked : every number that is computed, in order.

    Raises
    ------
    InputError
        If the answers are those of another worksheet.
    """
    checked, values = [], {}
    for line in sheet.lines:
        answer = answers.get(line.name, "").strip()
        number = _number(answer)
        values[line.name] = line.value if number is None else number
        if line.given:
            if number is None or abs(number - line.value) > 1e-9:
                raise InputError(
                    f"this is another sheet: its {line.name} is {answer or 'missing'},"
                    f" and here it is {line.value:g}; give the name or seed, the sizes"
                    " and the weight of the sheet that was handed out"
                )
            continue
        expected = _expected(line, values)
        state = (
            RIGHT if _close(number, expected) or _close(number, line.value) else WRONG
        )
        checked.append(Checked(line, state if answer else BLANK, answer, expected))
    return checked


def read_answers(path: Path) -> dict[str, str]:
    """What a student wrote in a CSV file or a spreadsheet, by the names of numbers.

    Raises
    ------
    InputError
        If the file is neither of them, or no worksheet.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    if path.suffix.lower() == ".xlsx":
        from minilstm.verify.worksheet.spreadsheet import read_xlsx  # needs openpyxl

        return read_xlsx(path)
    if path.suffix.lower() != ".csv":
        raise InputError(f"{path} is no .csv or .xlsx file, so it cannot be checked")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","  # as Excel saves it
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
    if not rows or not {"name", "result"} <= rows[0].keys():
        raise InputError(
            f"{path} is no worksheet: it lacks the columns name and result"
        )
    return {row["name"]: row["result"] or "" for row in rows}


def _number(text: str) -> float | None:
    """The number that was typed, with a point or a comma; None if it is none."""
    try:
        number = float(text.replace("\N{MINUS SIGN}", "-").replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _expected(line: Line, values: Mapping[str, float]) -> float:
    try:
        return value_of(line.formula, values)
    except (ArithmeticError, ValueError):  # of numbers that are far from right
        return line.value


def _close(number: float | None, right: float) -> bool:
    return number is not None and abs(number - right) <= TOLERANCE * max(1, abs(right))
