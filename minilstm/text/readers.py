"""Real files on disk to Python strings.

What comes out is either one running text, or a list of sequences: short texts that each begin and end by
themselves (a headline, a recipe, a name).

    read_text       any text file              one running text
    read_lines      any text file              a sequence a line
    read_csv        comma-separated values     a sequence a row, from one column
    read_json       a list of objects          a sequence an object, from one or more fields
    read_recipes    a list of objects          a sequence an object, from its title and its directions

Real files are broken in many ways, and a model learns whatever it is given. So a reader either understands a
file from its first byte to its last, or raises an InputError that names the file, the place and what to do.
Files are UTF-8; a byte order mark is dropped, and all lines end in a plain newline, on every system.
`split_sequences` and `split_text` hold some text out, to see later whether a model learned or memorised.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minilstm.errors import InputError

# The columns of AG News files, which have no header row; the class is 1 to 4. AG's corpus of news articles,
# as in Zhang, Zhao and LeCun (2015), Character-level Convolutional Networks for Text Classification.
AG_NEWS_COLUMNS = ("class", "title", "description")


def read_text(path: str | Path) -> str:
    """The whole file as one running text.

    Raises InputError if the file cannot be read, holds nothing but white space, or is not text in UTF-8.
    """
    if os.path.isdir(path):
        raise InputError(f"{path} is a directory: name the files in it, as {os.path.join(path, '*.txt')} does")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:  # ValueError: no path can hold a zero character
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read {path} ({reason}): check the path and its permissions") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{path} looks like UTF-16: make it UTF-8, as `iconv -f utf-16 -t utf-8` does")
    if b"\0" in data:
        raise InputError(f"{path} looks like a binary file (byte {data.index(0)} is zero): name a text file")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (see byte {error.start}, counted from 0): make it UTF-8, as "
                         "`iconv -f latin-1 -t utf-8` does for a file in Latin-1") from error
    if not text.strip():
        raise InputError(f"{path} is empty or holds only white space: name a file with text in it")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: str | Path) -> list[str]:
    """One sequence a line, without its newline; blank lines are left out. Raises as `read_text` does."""
    return [line for line in read_text(path).split("\n") if line.strip()]


def read_csv(path: str | Path, column: str | int | None) -> list[str]:
    """One sequence a row: the cells of one column of comma-separated values; blank cells are left out.

    Parameters
    ----------
    column : a name from the header row; or, for a file without a header row, a number counted from 1.
        AG News files have no header row, and answer to the names in `AG_NEWS_COLUMNS`.

    Raises
    ------
    InputError : as `read_text` does; if the file is malformed or its rows differ in length; if it has no such
        column, or no text in it. Without a column (None) the message lists those to choose from.
    """
    rows = _csv_rows(path)
    index, first_row = _find_column(path, rows[0], column)
    cells = [row[index] for row in rows[first_row:] if row[index].strip()]
    if not cells:
        raise InputError(f"column {column!r} of {path} holds no text: choose another column")
    return cells


def read_json(path: str | Path, fields: Sequence[str], separator: str = " | ") -> list[str]:
    """One sequence an object, from a JSON list of objects.

    The chosen fields of an object, each a string or a list of strings (joined by spaces), are joined by
    `separator`. Objects that lack one of the fields, have null there, or have no text at all are left out.

    Raises InputError as `read_text` does; if the file is no JSON list of objects, no object has a field, or
    none has all; if a value is of another type. Without fields the message lists those to choose from.
    """
    if isinstance(fields, str):
        raise InputError(f"fields must be a list of names, not one string: write [{fields!r}]")
    entries = _json_entries(path)
    names = ", ".join(repr(name) for name in dict.fromkeys(name for entry in entries for name in entry))
    if not fields:
        raise InputError(f"{path}: choose one or more of its fields (--column), {names}")
    for field in fields:
        if all(entry.get(field) is None for entry in entries):
            raise InputError(f"{path}: no entry has a value for the field {field!r}; choose from {names}")
    sequences = []
    for position, entry in enumerate(entries):
        if any(entry.get(field) is None for field in fields):
            continue
        texts = [_text_of(entry, field, path, position) for field in fields]
        if any(text.strip() for text in texts):
            sequences.append(separator.join(texts))
    if not sequences:
        raise InputError(f"{path}: no entry has text in all fields of {list(fields)}; choose from {names}")
    return sequences


def read_recipes(path: str | Path) -> tuple[list[str], int]:
    """Recipes as "Recipe for TITLE | DIRECTIONS", and how many objects were left out for want of a title or directions.

    The form is that of Foster, Generative Deep Learning, 2nd edition (2023), chapter 5, for the Epicurious recipes of Kaggle.
    Raises InputError as `read_json` does, and if no object has both.
    """
    recipes, entries = [], _json_entries(path)
    for position, entry in enumerate(entries):
        title, directions = (_text_of(entry, field, path, position).strip() for field in ("title", "directions"))
        if title and directions:
            recipes.append(f"Recipe for {title} | {directions}")
    if not recipes:
        raise InputError(f"{path} holds no recipes: no object has both a 'title' and 'directions', with text in them")
    return recipes, len(entries) - len(recipes)


def read_sequences(path: str | Path, column: str | int | None = None) -> list[str]:
    """The sequences of a file, read as its suffix says: `.csv`, `.json`, or else one sequence a line.

    `column` is the column of a .csv file, or the field or fields of a .json file ("title,directions").
    Raises InputError as the three readers do, and if a column is given for a plain text file.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".csv":
        return read_csv(path, column)
    if suffix == ".json":
        return read_json(path, [] if column is None else [name.strip() for name in str(column).split(",")])
    if column is not None:
        raise InputError(f"{path} is read as plain text, without columns: leave the column {column!r} out")
    return read_lines(path)


def split_sequences(sequences: Sequence[str], rng: np.random.Generator,
                    held_out: float = 0.1) -> tuple[list[str], list[str]]:
    """(train, valid): a random `held_out` share of the sequences is kept from training; order is kept.

    Raises InputError if there are fewer than 2 sequences, or `held_out` is not between 0 and 1.
    """
    if isinstance(sequences, str):
        raise InputError("sequences must be a list of strings, not one string: use split_text for a text")
    count = _held_out_count(len(sequences), "sequences", rng, held_out)
    chosen = set(rng.permutation(len(sequences))[:count].tolist())
    train = [sequence for position, sequence in enumerate(sequences) if position not in chosen]
    valid = [sequence for position, sequence in enumerate(sequences) if position in chosen]
    return train, valid


def split_text(text: str, rng: np.random.Generator, held_out: float = 0.1) -> tuple[str, str]:
    """(train, valid): one stretch of the text, at a random place, is kept from training; the rest is joined.

    Raises InputError if there are fewer than 2 characters, or `held_out` is not between 0 and 1.
    """
    if not isinstance(text, str):
        raise InputError(f"text must be a string, not {type(text).__name__}: use split_sequences for a list")
    count = _held_out_count(len(text), "characters", rng, held_out)
    start = int(rng.integers(len(text) - count + 1))
    return text[:start] + text[start + count:], text[start:start + count]


def _held_out_count(total: int, what: str, rng: np.random.Generator, held_out: float) -> int:
    """How many of `total` to hold out, at least one and not all; the arguments are checked first."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng must be a numpy Generator, as numpy.random.default_rng(0) is, not {rng!r}")
    if not isinstance(held_out, (int, float, np.floating)) or not 0 < held_out < 1:  # so NaN is refused too
        raise InputError(f"held_out must be a number between 0 and 1, such as 0.1, not {held_out!r}")
    if total < 2:
        raise InputError(f"holding some out takes at least 2 {what}, and there are {total}: give more text")
    return min(max(round(held_out * total), 1), total - 1)


def _csv_rows(path: str | Path) -> list[list[str]]:
    """The rows of the file, all of the same length; empty lines are left out."""
    reader = csv.reader(io.StringIO(read_text(path)), strict=True)
    rows: list[list[str]] = []
    line = 1  # where the row starts; a cell in quotes may run over several lines
    try:
        for row in reader:
            if row and rows and len(row) != len(rows[0]):
                raise InputError(f"{path}, line {line}: expected {len(rows[0])} fields as in the first row, "
                                 f"found {len(row)}; a cell that holds a comma needs quotes around it")
            if row:
                rows.append(row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}: the row from line {line} is malformed ({error}): close and double its "
                         "quotes, or if a cell is really that long, raise csv.field_size_limit") from error
    return rows


def _find_column(path: str | Path, top: list[str], column: str | int | None) -> tuple[int, int]:
    """(index of the column, index of the first row of data), where `top` is the first row of the file."""
    is_ag_news = len(top) == len(AG_NEWS_COLUMNS) and top[0] in ("1", "2", "3", "4")
    if is_ag_news and column in AG_NEWS_COLUMNS:
        return AG_NEWS_COLUMNS.index(str(column)), 0
    if isinstance(column, str) and top.count(column) == 1:
        return top.index(column), 1
    if isinstance(column, str) and column.isdecimal() and len(column) < 10:
        column = int(column)
    if isinstance(column, int) and 1 <= column <= len(top):
        return column - 1, 0
    names = ", ".join(repr(name[:30]) for name in (AG_NEWS_COLUMNS if is_ag_news else top))
    problem = "no column was chosen (--column)" if column is None else f"no column is {column!r}, or more than one"
    raise InputError(f"{path}: {problem}; choose by name from {names}, or by number from 1 to {len(top)} "
                     "if there is no header row")


def _text_of(entry: dict[str, Any], field: str, path: str | Path, position: int) -> str:
    """The text in a field, a string or a list of strings; empty if the field is missing or null."""
    value = entry.get(field)
    strings = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(string, str) for string in strings):
        raise InputError(f"{path}, entry {position} (counted from 0): {field!r} must be a string or "
                         "a list of strings; mend the entry or choose another field")
    return " ".join(strings)


def _json_entries(path: str | Path) -> list[dict[str, Any]]:
    """The objects of a file that holds a list of them."""
    text = read_text(path)
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not JSON at line {error.lineno}, column {error.colno} ({error.msg}): "
                         "mend the file there") from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        raise InputError(f"{path} is too much for JSON ({error}): give a plain list of objects") from error
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{path} must hold a JSON list of objects, at least one")
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise InputError(f"{path}, entry {position} (counted from 0) must be an object with fields")
    return entries
