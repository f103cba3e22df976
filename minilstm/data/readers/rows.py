"""The rows of a table: text whose lines are cut by a separator, as CSV files are.

A cell that holds the separator, a quote or a newline stands in quotes, with its own
quotes doubled. Files of tabs often have quotes that mean nothing; where such a file
makes no sense otherwise, they are characters like any other.

The separator is that one of ``SEPARATORS`` which cuts all rows into the same number of
cells; if several do, the one with the most cells. One that a space always follows, as
in prose, comes last. Python's ``csv.reader`` does the cutting; its ``Sniffer`` guesses
from letters that are frequent and takes ``e`` for a separator where words are few.
"""

from __future__ import annotations

import csv
import threading
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Literal

from minilstm.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "|"}
LOOKED_AT = 1_000  # rows that a separator and a header are found by
LONGEST_CELL = 2**31 - 1  # a C long is no longer everywhere

_one_at_a_time = threading.Lock()  # csv keeps its limit for all of Python


class MalformedRow(InputError):
    """A row that quotes or its length do not allow."""


def rows_of(
    text: str,
    separator: str,
    quotes: bool,
    name: str,
    starts: array | None = None,
) -> Iterator[list[str]]:
    """The rows of a table one by one, all of the same length; blank lines are left out.

    Parameters
    ----------
    separator : one character.
    quotes : whether a cell may stand in quotes.
    name : of the file, for messages.
    starts : gets the line at which each row begins.

    Raises MalformedRow with the line at which a row begins that is not like the first.
    """
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    reader = csv.reader(_lines(text), delimiter=separator, quoting=quoting, strict=True)
    # line: where the row starts; cells in quotes may have several lines
    length, line = 0, 1
    while True:
        try:
            with _cells_of_any_length():
                row = next(reader, None)
        except csv.Error as error:
            raise MalformedRow(
                f"{name}, {_what_quotes_did(text, line, error)}"
            ) from error
        if row is None:
            return
        if row and length and len(row) != length:
            raise MalformedRow(
                f"{name}, line {line}: expected {length} fields as in the first row,"
                " found"
                f" {len(row)}, cut at {shown(separator)}; a cell that holds one needs"
                " quotes"
                " around it (--separator names another, --format text reads lines)"
            )
        if row:
            length = len(row)
            if starts is not None:
                starts.append(line)
            yield row
        line = reader.line_num + 1


def find_separator(text: str, name: str) -> str:
    """The separator of a table; a comma where there is only one column.

    A table that no separator cuts evenly is left to its reader to complain about: it
    gets the separator that cuts its first row into the most cells.
    """
    even: list[tuple[int, bool, str]] = []
    uneven: list[tuple[int, bool, str]] = []
    for separator in SEPARATORS:
        try:
            rows = list(islice(rows_of(text, separator, True, name), LOOKED_AT))
        except MalformedRow:
            first = next(_lines(text.lstrip("\n")))
            uneven.append((first.count(separator) + 1, True, separator))
        else:
            is_prose = all(cell.startswith(" ") for row in rows for cell in row[1:])
            even.append((len(rows[0]), not is_prose, separator))
    several = [found for found in even if found[0] > 1] or [
        found for found in uneven if found[0] > 1
    ]
    return max(several, key=lambda found: found[:2])[2] if several else ","


def shown(separator: str) -> str:
    """A separator for people."""
    return SEPARATORS.get(separator, repr(separator))


def _lines(text: str) -> Iterator[str]:
    """The lines one by one, each with its newline; nothing is copied at once."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """Lift csv's limit to the length of a cell for a moment."""
    with _one_at_a_time:
        before = csv.field_size_limit(LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _what_quotes_did(text: str, line: int, error: csv.Error) -> str:
    """Where a quote is that spoils the row from ``line`` on."""
    if "end of data" in str(error):
        opened = text.count("\n", 0, text.rfind('"')) + 1
        return (
            f"line {opened}: a quote opens a cell that never ends;"
            " close it, or double it to mean a quote"
        )
    return (
        f"line {line}: the row that begins there is malformed ({error});"
        " close and double its quotes"
    )
