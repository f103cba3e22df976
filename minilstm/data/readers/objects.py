"""Text from JSON: a list of objects, or JSON Lines, an object a line.

[{"title": "Tea", "directions": ["Boil water.", "Wait."]}, …]
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minilstm.data.readers.files import name_of
from minilstm.data.readers.plain import read_text
from minilstm.data.readers.reading import Reading, listed, typed
from minilstm.errors import InputError

Entries = list[dict[str, Any]]


def read_json(
    path: str | Path,
    fields: Sequence[str],
    separator: str = " | ",
    encoding: str | None = None,
    lines: bool = False,
) -> list[str]:
    """One sequence an object, from a JSON list of objects or from JSON Lines.

    The chosen fields of an object, each a string or a list of strings (joined by
    spaces), are joined by ``separator``. Objects that lack one of the fields, have null
    there, or have no text at all are left out.

    Parameters
    ----------
    fields : names of fields.
    encoding : as Python calls it; None: UTF-8.
    lines : whether the file holds an object a line, not one list.

    Raises InputError as `read_text` does; if the file is no JSON list of objects, no
    object has a field, or none has all; if a value is of another type. Without fields
    the message lists those to choose from.
    """
    if isinstance(fields, str):
        raise InputError(
            f"fields must be a list of names, not one string: write [{fields!r}]"
        )
    return _join(read_objects(path, encoding, lines), fields, separator, name_of(path))


def read_fields(
    path: str | Path,
    column: str | None,
    encoding: str | None = None,
    lines: bool = False,
) -> Reading:
    """As ``read_json`` with fields as they are typed; and how they were understood.

    ``column`` is the name of a field if there is one of exactly this name. Otherwise it
    is names between commas, where one that holds a comma or begins with a space stands
    in double quotes: ``title,"Lyrics, English"``.
    """
    entries, name = read_objects(path, encoding, lines), name_of(path)
    fields = _fields_of(column, _names(entries))
    sequences = _join(entries, fields, " | ", name)
    kind = "JSON Lines" if lines else "JSON"
    return Reading(
        sequences,
        f"{kind}, field{'s' * (len(fields) > 1)} {', '.join(map(repr, fields))}",
    )


def read_recipes(
    path: str | Path, encoding: str | None = None, lines: bool = False
) -> tuple[list[str], int]:
    """Recipes as "Recipe for TITLE | DIRECTIONS"; and how many objects were left out.

    Objects without a title or directions are left out. The form is that of Foster,
    Generative Deep Learning, 2nd edition (2023), chapter 5, for the Epicurious recipes
    of Kaggle. Raises InputError as `read_json` does, and if no object has both.
    """
    recipes, entries = [], read_objects(path, encoding, lines)
    for position, entry in enumerate(entries):
        title, directions = (
            _text_of(entry, field, name_of(path), position).strip()
            for field in ("title", "directions")
        )
        if title and directions:
            recipes.append(f"Recipe for {title} | {directions}")
    if not recipes:
        raise InputError(
            f"{name_of(path)} holds no recipes: no object has both a 'title' and"
            " 'directions', with text in them"
        )
    return recipes, len(entries) - len(recipes)


def read_objects(
    path: str | Path, encoding: str | None = None, lines: bool = False
) -> Entries:
    """The objects of a file that holds a list of them, or one a line; at least one.

    Raises InputError as `read_text` does, and with the place of what is no object.
    """
    text, name = read_text(path, encoding), name_of(path)
    return _objects_by_line(text, name) if lines else _objects_of_list(text, name)


def _objects_of_list(text: str, name: str) -> Entries:
    try:
        entries = _parse(text, name)
    except json.JSONDecodeError as error:
        advice = "correct the file there"
        if error.msg == "Extra data" and error.lineno > 1:
            advice += "; or, if each line is an object of its own, add --format jsonl"
        raise InputError(
            f"{name} is not JSON at line {error.lineno}, column {error.colno}"
            f" ({error.msg}): {advice}"
        ) from error
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{name} must hold a JSON list of objects, at least one")
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise InputError(
                f"{name}, entry {position} (counted from 0) must be an object with"
                " fields"
            )
    return entries


def _objects_by_line(text: str, name: str) -> Entries:
    entries: Entries = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.isspace() or not line:
            continue
        try:
            entry = _parse(line, name)
        except json.JSONDecodeError as error:
            advice = "correct the line"
            if not entries:
                advice += "; or, if it is one list of objects, add --format json"
            raise InputError(
                f"{name} is not JSON at line {number}, column {error.colno}"
                f" ({error.msg}): {advice}"
            ) from error
        if not isinstance(entry, dict):
            raise InputError(
                f"{name}, line {number}, must be an object with fields (one list of"
                " them: --format json)"
            )
        entries.append(entry)
    return entries


def _parse(text: str, name: str) -> Any:
    """The value of a JSON text; whole numbers, of any length, become floats."""
    try:
        # numbers are no text: their digits do not matter
        return json.loads(text, parse_int=float)
    except RecursionError as error:
        raise InputError(
            f"{name} is nested too deeply for JSON: give a plain list of objects"
        ) from error


def _join(
    entries: Entries, fields: Sequence[str], separator: str, name: str
) -> list[str]:
    """The texts of the fields of each object that has them all."""
    choices = _choices(_names(entries))
    if not fields:
        raise InputError(
            f"{name}: choose one or more of its fields by --column: {choices}"
        )
    for field in fields:
        if all(entry.get(field) is None for entry in entries):
            raise InputError(
                f"{name}: no entry has a value for the field {field!r};"
                f" choose from {choices}"
            )
    sequences = []
    for position, entry in enumerate(entries):
        if any(entry.get(field) is None for field in fields):
            continue
        texts = [_text_of(entry, field, name, position) for field in fields]
        if any(text.strip() for text in texts):
            sequences.append(separator.join(texts))
    if not sequences:
        raise InputError(
            f"{name}: no entry has text in all fields of {list(fields)};"
            f" choose from {choices}"
        )
    return sequences


def _names(entries: Entries) -> list[str]:
    """The fields of all objects, as they come first."""
    return list(dict.fromkeys(field for entry in entries for field in entry))


def _fields_of(column: str | None, names: Sequence[str]) -> list[str]:
    """The fields that were typed: one by its exact name, or several between commas."""
    if column is None:
        return []
    if column in names:
        return [column]
    try:
        (parts,) = csv.reader([column], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):  # quotes that are no quotes, or newlines
        return [column]
    return [part if part in names else part.strip() for part in parts]


def _choices(names: Sequence[str]) -> str:
    """What can be typed for each field, and for two of them."""
    several = f"; several: --column {typed(','.join(map(_in_list, names[:2])))}" * (
        len(names) > 1
    )
    return f"{listed(map(typed, names))}{several}"


def _in_list(name: str) -> str:
    """A name as it stands among others between commas."""
    if name == name.strip() and not {",", '"', "\n"} & set(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def _text_of(entry: dict[str, Any], field: str, name: str, position: int) -> str:
    """The text in a field, a string or list of strings; "" if missing or null."""
    value = entry.get(field)
    strings = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(string, str) for string in strings):
        raise InputError(
            f"{name}, entry {position} (counted from 0): {field!r} must be a string or "
            "a list of strings; correct the entry or choose another field"
        )
    return " ".join(strings)
