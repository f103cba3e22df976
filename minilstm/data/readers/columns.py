"""Several columns of a table, or several fields of objects: examples for a model.

``read_columns`` reads a table or JSON as ``read_sequences`` does, but takes more than
one column. A cell of JSON may be a string, a number, or a list of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minilstm.data.readers.files import STANDARD_INPUT, name_of
from minilstm.data.readers.formats import WITH_COLUMNS, format_of
from minilstm.data.readers.objects import read_objects
from minilstm.data.readers.plain import read_text
from minilstm.data.readers.reading import Cells, check_different, listed, typed
from minilstm.data.readers.structure import structure_of
from minilstm.data.readers.tables import Choices, read_cells
from minilstm.errors import InputError


def read_columns(
    path: str | Path,
    columns: Choices,
    format: str | None = None,
    separator: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    in_order: bool = False,
    others: bool = False,
) -> Cells:
    """The cells of some columns of a file, row by row.

    Parameters
    ----------
    path : a table or JSON. A text file is read as what it looks like.
    columns : options and what was typed for each: a column of a table, or a field.
    format, separator, header, encoding : as for ``read_sequences``.
    in_order, others : as for ``read_cells``.

    Raises
    ------
    InputError : as the readers do; if the file is neither a table nor JSON; if a column
        or field does not exist or was not chosen.
    """
    kind = kind_of(path, format, encoding)
    if kind in ("csv", "tsv"):
        separator = separator or ("\t" if kind == "tsv" else None)
        return read_cells(path, columns, separator, header, encoding, in_order, others)
    for option, value in (("--separator", separator), ("--header", header)):
        if value is not None:
            raise InputError(
                f"{option} is for tables, and {name_of(path)} is read as {kind}: leave"
                " it out, or add --format csv"
            )
    entries = read_objects(path, encoding, kind == "jsonl")
    return _of_objects(entries, columns, others, kind, name_of(path))


def kind_of(path: str | Path, format: str | None, encoding: str | None) -> str:
    """The format of a file with columns: as asked for, by its suffix, or by its text.

    Raises InputError if it is no table and no JSON.
    """
    kind = format or format_of(path)
    if kind == "text" and format is None and str(path) != STANDARD_INPUT:
        kind = structure_of(read_text(path, encoding)) or "text"
    if kind not in WITH_COLUMNS:
        raise InputError(
            f"{name_of(path)} is read as plain text, but a table or JSON is needed: say"
            " what it is, by --format csv, tsv, json or jsonl"
        )
    return kind


def _of_objects(
    entries: list[dict[str, Any]], columns: Choices, others: bool, kind: str, name: str
) -> Cells:
    known = list(dict.fromkeys(field for entry in entries for field in entry))
    fields = []
    for option, column in columns:
        field = str(column)
        if column is None or all(entry.get(field) is None for entry in entries):
            problem = "no field was chosen" if column is None else f"no {field!r}"
            raise InputError(
                f"{name}: {problem}; add {option} NAME: {listed(map(typed, known))}"
            )
        fields.append(field)
    check_different([option for option, _ in columns], fields, name)
    if others:
        fields += [field for field in known if field not in fields]
    rows = [
        tuple(_cell(entry.get(field), field, name, k) for field in fields)
        for k, entry in enumerate(entries, 1)
    ]
    how = "JSON Lines" if kind == "jsonl" else "JSON"
    understood = [f"field {field!r}" for field in fields[: len(columns)]]
    numbers = range(1, len(rows) + 1)
    return Cells(rows, fields, how, understood, numbers, "object")


def _cell(value: Any, field: str, name: str, number: int) -> str:
    """A value of JSON as text; a list's items are joined by spaces."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):  # whole numbers are read as floats, too
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, list):
        return " ".join(_cell(item, field, name, number) for item in value)
    raise InputError(
        f"{name}, object {number}: {field!r} must be text, a number or a list, not an"
        " object; correct it or choose another field"
    )
