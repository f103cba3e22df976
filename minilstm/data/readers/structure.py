"""Whether a plain text looks like something else: it would be learned with its syntax.

Only what is beyond doubt counts, so that prose, verse and programs pass.
Looked at are the first lines, as they are, without a guess at what a column means:

    JSON         the text begins with an object whose first key stands in quotes
    JSON Lines   so does every line, and is whole
    tabs         every line has as many of them
    CSV          commas or semicolons cut all rows into as many cells, none of which
                 begins with a space
    HTML, XML    the text begins with a tag, and has one that closes
"""

from __future__ import annotations

import json
import re

from minilstm.data.readers.rows import MalformedRow, rows_of

LINES, CHARACTERS = 200, 1 << 16  # that are looked at
FEWEST = 3  # lines that are a table
OBJECT = re.compile(r'\s*(\[\s*)?\{\s*"([^"\\]|\\.)*"\s*:')
LOOKS = {
    "json": "JSON",
    "jsonl": "JSON Lines",
    "tsv": "columns between tabs",
    "csv": "a table",
}
MARKUP = re.compile(r"\s*<(!doctype|!--|\?xml|[a-z])", re.IGNORECASE)


def structure_of(text: str) -> str | None:
    """What the text looks like: "json", "jsonl", "tsv", "csv", "markup", or None."""
    sample = text[:CHARACTERS]
    lines = [line for line in sample.split("\n") if line.strip()]
    if len(text) > CHARACTERS and len(lines) > 1:
        lines = lines[:-1]  # the last may be cut
    lines = lines[:LINES]
    if OBJECT.match(sample):
        return "jsonl" if len(lines) > 1 and all(map(_is_object, lines)) else "json"
    if MARKUP.match(sample) and "</" in sample:
        return "markup"
    if len(lines) < FEWEST:
        return None
    tabs = {line.strip().count("\t") for line in lines}
    if len(tabs) == 1 and 0 not in tabs:
        return "tsv"
    if any(_is_table("\n".join(lines), separator) for separator in ",;"):
        return "csv"
    return None


def warning(text: str, name: str) -> str:
    """One sentence about a text that looks like something else; "" for prose."""
    what = structure_of(text)
    if what is None:
        return ""
    if what == "markup":
        return (
            f"{name} looks like HTML or XML, and its tags are learned as text:"
            " take them out"
            " first, if they are not wanted."
        )
    return (
        f"{name} looks like {LOOKS[what]}, and is learned as it stands:"
        " to learn a part of it,"
        f" add --format {what} --column NAME."
    )


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line, parse_int=float), dict)
    except (ValueError, RecursionError):
        return False


def _is_table(text: str, separator: str) -> bool:
    """Whether all rows have as many cells, none of which begins with a space."""
    try:
        rows = list(rows_of(text, separator, True, ""))
    except MalformedRow:
        return False
    is_prose = any(cell.startswith(" ") for row in rows for cell in row[1:])
    return (
        len(rows) >= FEWEST
        and len(rows[0]) > 1
        and not is_prose
        and any(row[-1] for row in rows)
    )
