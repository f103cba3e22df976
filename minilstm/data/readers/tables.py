"""One column of a table.

Whether the first row is a header is decided by this rule, whatever column is asked for:

    The first row is a header if more than half of its cells are names, and the others
    hold no letters. A name begins with a letter or an underscore, has at most 4 words
    and 40 characters, and is not found again in its column (in the first thousand
    rows). An empty first cell, as pandas writes it above row numbers, counts as a name.

A column is chosen by its number, counted from 1, with a header or without; or by its
name in the header. Digits are always a number, never a name. A header is never learned.

AG News files have no header, but well-known columns: a table is one of them if it has
three columns, no header, and a class from 1 to 4 at the beginning of every row. AG's
corpus of news articles, as in Zhang, Zhao and LeCun (2015), Character-level
Convolutional Networks for Text Classification.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from minilstm.data.readers.files import name_of
from minilstm.data.readers.plain import read_text
from minilstm.data.readers.reading import (
    Cells,
    Reading,
    check_different,
    listed,
    typed,
)
from minilstm.data.readers.rows import (
    LOOKED_AT,
    MalformedRow,
    find_separator,
    rows_of,
    shown,
)
from minilstm.errors import InputError

AG_NEWS_COLUMNS = ("class", "title", "description")
AG_NEWS_CLASSES = ("1", "2", "3", "4")
NAME_WORDS, NAME_CHARACTERS = 4, 40

Choices = Sequence[tuple[str, str | int | None]]  # options, and what was typed for each


def read_csv(
    path: str | Path,
    column: str | int | None,
    separator: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
) -> list[str]:
    """One sequence a row: the cells of one column of a table; blank cells are left out.

    Parameters
    ----------
    column : a number, counted from 1; or a name of the header or `AG_NEWS_COLUMNS`.
    separator : the character between cells; None: found, see ``rows``.
    header : whether the first row is a header; None: decided by the rule above.
    encoding : as Python calls it; None: UTF-8.

    Raises
    ------
    InputError : as `read_text` does; if the file is malformed or its rows differ in
        length; if it has no such column, or no text in it. Without a column (None) the
        message lists those to choose from.
    """
    return read_table(path, column, separator, header, encoding).sequences


def read_table(
    path: str | Path,
    column: str | int | None,
    separator: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
) -> Reading:
    """As ``read_csv``, and how the file was understood: separator, header, column."""
    found = read_cells(path, [("--column", column)], separator, header, encoding)
    cells = [cell for (cell,) in found.rows if cell.strip()]
    if not cells:
        raise InputError(
            f"column {column!r} of {name_of(path)} holds no text: choose another column"
        )
    return Reading(cells, ", ".join([found.how, *found.chosen]))


def read_cells(
    path: str | Path,
    columns: Choices,
    separator: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    in_order: bool = False,
    others: bool = False,
) -> Cells:
    """Several columns of a table: their cells in each row, blank ones too.

    Parameters
    ----------
    columns : options and what was typed for them, as ``column`` of ``read_csv``.
    separator, header, encoding : as for ``read_csv``.
    in_order : whether a table of exactly so many columns needs no choice. Without one,
        the first row is a header only if ``header`` says so.
    others : whether to add all other columns after these.

    Raises InputError as ``read_csv`` does; the message names the option.
    """
    text, name = read_text(path, encoding), name_of(path)
    separator = separator or find_separator(text, name)
    choose = (columns, in_order, others)
    try:
        return _read_rows(text, separator, True, header, choose, name)
    except MalformedRow:
        if separator != "\t":
            raise
    return _read_rows(text, separator, False, header, choose, name)


def looks_like_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is a header, by the rule at the top of this file."""
    names = 0
    for place, cell in enumerate(first):
        is_name = _is_name(cell) and all(row[place] != cell for row in rows)
        if is_name or cell == "" and place == 0:
            names += 1
        elif any(character.isalpha() for character in cell):
            return False
    return 2 * names > len(first)


def _is_name(cell: str) -> bool:
    begins = cell[:1] == "_" or cell.strip()[:1].isalpha()
    return begins and len(cell) <= NAME_CHARACTERS and len(cell.split()) <= NAME_WORDS


def _read_rows(
    text: str,
    separator: str,
    quotes: bool,
    header: bool | None,
    choose: tuple[Choices, bool, bool],
    name: str,
) -> Cells:
    columns, in_order, others = choose
    starts = array("q")
    rows = rows_of(text, separator, quotes, name, starts)
    seen = list(islice(rows, LOOKED_AT + 1))
    first = seen[0]
    typed_in = [column for _, column in columns]
    in_order = in_order and len(first) == len(columns) and set(typed_in) == {None}
    if header is None:  # where no column was named, names cannot be expected
        header = not in_order and looks_like_header(first, seen[1:])
    has_header = header
    if has_header and len(seen) == 1 and any(map(str.strip, first)):
        raise InputError(
            f"{name} has a header, but no rows; add rows, or say --no-header"
        )
    may_be_ag_news = not has_header and _is_of_ag_news(first)
    if in_order:
        columns = [(option, k) for k, (option, _) in enumerate(columns, 1)]
    places = [
        _index_of(column, first, has_header, may_be_ag_news, name, option)
        for option, column in columns
    ]
    check_different([option for option, _ in columns], places, name)
    body: Iterable[list[str]] = chain(seen[1:] if has_header else seen, rows)
    names: Sequence[str] = first if has_header else ()
    for column in typed_in:
        if may_be_ag_news and isinstance(column, str) and column in AG_NEWS_COLUMNS:
            if not names:
                body, names = _only_of_ag_news(body, column, name), AG_NEWS_COLUMNS
    how = [f"separated by {shown(separator)}"] + ["quotes taken as they are"] * (
        not quotes
    )
    how += ["first row a header" if has_header else "no header"]
    how += ["columns of AG News"] * (names is AG_NEWS_COLUMNS)
    understood = [
        _describe_column(column, place, names)
        for (_, column), place in zip(columns, places)
    ]
    if others:
        places += [k for k in range(len(first)) if k not in places]
    called = [names[k] if names else str(k + 1) for k in places]
    chosen = [tuple(row[k] for k in places) for row in body]
    lines = starts[1:] if has_header else starts
    return Cells(chosen, called, ", ".join(how), understood, lines, "line")


def _index_of(
    column: str | int | None,
    first: list[str],
    has_header: bool,
    is_ag_news: bool,
    name: str,
    option: str,
) -> int:
    """The column's place in a row, from 0."""
    names: Sequence[str] = (
        first if has_header else AG_NEWS_COLUMNS if is_ag_news else ()
    )
    if isinstance(column, str) and _is_number(column):
        column = int(column)
    if isinstance(column, int) and 1 <= column <= len(first):
        return column - 1
    if isinstance(column, str) and list(names).count(column) == 1:
        return list(names).index(column)
    if column is None:
        problem = "no column was chosen"
    elif isinstance(column, str) and not names:
        problem = (
            f"no column is called {column!r}, for the first row is no header (if it is:"
            " --header)"
        )
    elif column in names:
        problem = (
            f"{list(names).count(str(column))} columns are called {column!r}, so choose"
            " one by its number"
        )
    else:
        problem = f"no column is {column!r}"
    by = "NUMBER or NAME" if names else "NUMBER"
    choices = listed(
        _choice(k, cell, names) for k, cell in enumerate(names or first, 1)
    )
    raise InputError(f"{name}: {problem}; add {option} {by}: {choices}")


def _choice(number: int, cell: str, names: Sequence[str]) -> str:
    """What can be typed for a column: a number, or a name that is unique."""
    can_be_typed = (
        list(names).count(cell) == 1 and not _is_number(cell) and cell.isprintable()
    )
    if can_be_typed and 0 < len(cell) <= NAME_CHARACTERS:
        return f"{number} or {typed(cell)}"
    return f"{number} ({cell[:NAME_CHARACTERS]!r})"


def _is_number(column: str) -> bool:
    return column.isdecimal() and len(column) < 10


def _describe_column(column: str | int | None, index: int, names: Sequence[str]) -> str:
    """The column for people; if a name looks like a number, what a number means."""
    called = f" {names[index]!r}" if names else ""
    others = [k for k, cell in enumerate(names) if cell == str(column) and k != index]
    also = (
        f" (a number counts columns; the one called {column!r} is number"
        f" {others[0] + 1})"
        if others
        else ""
    )
    return f"column {index + 1}{called}{also}"


def _is_of_ag_news(row: Sequence[str]) -> bool:
    return len(row) == len(AG_NEWS_COLUMNS) and row[0] in AG_NEWS_CLASSES


def _only_of_ag_news(
    rows: Iterable[list[str]], column: str, name: str
) -> Iterator[list[str]]:
    """The rows of an AG News file, as far as they are such."""
    for number, row in enumerate(rows, 1):
        if not _is_of_ag_news(row):
            raise InputError(
                f"{name} has no header and is no AG News file, for row {number:,}"
                " begins with"
                f" {row[0][:NAME_CHARACTERS]!r} and not with a class from 1 to 4:"
                " choose"
                f" {column!r} by its number, or say --header"
            )
        yield row
