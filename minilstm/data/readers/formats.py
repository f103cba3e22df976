"""Any file, read as its suffix says or as it was asked for."""

from __future__ import annotations

from pathlib import Path

from minilstm.data.readers.files import name_of, suffix_of
from minilstm.data.readers.objects import read_fields
from minilstm.data.readers.plain import lines_of, read_text
from minilstm.data.readers.reading import Reading
from minilstm.data.readers.structure import structure_of, warning
from minilstm.data.readers.tables import read_table
from minilstm.errors import InputError

FORMATS = ("csv", "tsv", "json", "jsonl", "text")
TABLES, WITH_COLUMNS = {"csv", "tsv"}, {"csv", "tsv", "json", "jsonl"}
BY_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


def format_of(path: str | Path) -> str:
    """The format that a file's suffix stands for, one of ``FORMATS``; else "text"."""
    return BY_SUFFIX.get(suffix_of(path), "text")


def read_sequences(
    path: str | Path,
    column: str | int | None = None,
    format: str | None = None,
    separator: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    running: bool = False,
) -> Reading:
    """The sequences of a file, and how it was understood.

    Parameters
    ----------
    column : of a table, see ``read_csv``; or the fields of JSON, see ``read_fields``.
    format : one of ``FORMATS``; None: what the file's suffix stands for.
    separator, header : of a table, see ``read_csv``.
    encoding : as Python calls it; None: UTF-8.
    running : whether a plain text is one sequence; False: each of its lines is.

    Returns
    -------
    A Reading; for plain text, ``how`` is a warning if it looks like something else.

    Raises InputError as the readers do, and if there is no such format, or an option
    means nothing in it.
    """
    if format not in (None, *FORMATS):
        raise InputError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    kind = format or format_of(path)
    if kind in TABLES:
        if kind == "tsv" and separator is None:
            separator = "\t"
        return read_table(path, column, separator, header, encoding)
    for option, value in (("--separator", separator), ("--header", header)):
        if value is not None:
            raise InputError(
                f"{option} is for tables, and {name_of(path)} is read as {kind}:"
                " leave it out, or"
                " add --format csv"
            )
    if kind in WITH_COLUMNS:
        fields = None if column is None else str(column)
        return read_fields(path, fields, encoding, lines=kind == "jsonl")
    text = read_text(path, encoding)
    if column is not None:
        looks = structure_of(text)
        seems = looks if looks in WITH_COLUMNS else "csv, tsv, json or jsonl"
        raise InputError(
            f"--column is for tables and JSON, and {name_of(path)} is read as plain"
            " text: say"
            f" what it is, by --format {seems}"
        )
    how = "" if format else warning(text, Path(name_of(path)).name)
    return Reading([text] if running else lines_of(text), how)
