"""What the tasks share on the way from files to examples.

Examples are rows of cells, from one or several files. A row with a blank cell is
skipped and counted. A tenth of the examples, drawn at random, is the validation set.
"""

from __future__ import annotations

import hashlib
from bisect import bisect
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minilstm.cli.defaults import HOW_TO_READ, Settings
from minilstm.data.protocol import Tokenizer
from minilstm.data.readers import name_of, read_columns
from minilstm.data.readers.reading import Cells
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.words import WordTokenizer
from minilstm.errors import InputError

NOTED, SHOWN = 3, 60  # files whose reading is reported; characters of an example there
MOST_NAMED = 8  # columns of numbers that are named in a report
LONGEST = 5_000  # tokens of a sequence that is read in one backward pass
VALIDATION_FRACTION = 0.1


class Files(NamedTuple):
    """The rows of all files, and notes on how they were read."""

    rows: list[tuple[str, ...]]
    names: list[str]  # of the columns
    notes: tuple[str, ...]
    numbers: list[int]  # of the line or the object at which each row begins
    begins: list[int]  # the first row of each file
    places: list[str]  # of each file: its name, and what the numbers count

    def place(self, row: int) -> str:
        """Where a row is, for messages: "homes.csv, line 3"."""
        file = bisect(self.begins, row) - 1
        return f"{self.places[file]} {self.numbers[row]:,}"


def read_files(
    sources: Sequence[str],
    settings: Settings,
    columns: Sequence[tuple[str, str | None]],
    roles: dict[str, str],
    in_order: bool = False,
    others: bool = False,
    needed: int | None = None,
) -> Files:
    """Read some columns of all files.

    Parameters
    ----------
    sources : names of files.
    settings : say how to read them.
    columns : options, and what was typed for each.
    roles : what the columns of each option are to the task.
    in_order, others : as for ``read_columns``.
    needed : how many of the first cells must not be blank. Default: all columns.

    Raises
    ------
    InputError
        As ``read_columns`` does, or if all rows have a blank cell.
    """
    how = {name: settings[name] for name in HOW_TO_READ if name != "column"}
    rows: list[tuple[str, ...]] = []
    names: list[str] = []
    notes: list[str] = []
    numbers: list[int] = []
    begins: list[int] = []
    places: list[str] = []
    for source in sources:
        cells: Cells = read_columns(
            source, columns, **how, in_order=in_order, others=others
        )
        if names and len(cells.names) != len(names):
            raise InputError(
                f"{name_of(source)} has {len(cells.names)} columns, but the files"
                f" before have {len(names)}; give files of one kind"
            )
        names = cells.names
        first = len(columns) if needed is None else needed
        for option, k in zip((name for name, _ in columns), range(first)):
            if not any(row[k].strip() for row in cells.rows):
                raise InputError(
                    f"{name_of(source)}: all cells of {names[k]!r} are blank; name"
                    f" another column with {option}"
                )
        kept = [
            number
            for number, row in enumerate(cells.rows)
            if all(map(str.strip, row[:first]))
        ]
        whole = [cells.rows[number] for number in kept]
        skipped = len(cells.rows) - len(whole)
        if not whole:
            raise InputError(f"{name_of(source)}: every row has a blank cell")
        begins.append(len(rows))
        places.append(f"{name_of(source)}, {cells.unit}")
        rows += whole
        numbers += [cells.numbers[number] for number in kept]
        notes.append(
            f"{Path(name_of(source)).name}: {_how(cells, columns, roles)};"
            f" {counted(len(whole), 'row')},"
            f" the first: {', '.join(shown(cell) for cell in whole[0][: len(columns)])}"
            + f"; {counted(skipped, 'row')} with blank cells skipped"
            * bool(skipped)
        )
    more = [f"… and {len(notes) - NOTED:,} more files"] if len(notes) > NOTED else []
    return Files(rows, names, (*notes[:NOTED], *more), numbers, begins, places)


def _how(
    cells: Cells, columns: Sequence[tuple[str, str | None]], roles: dict[str, str]
) -> str:
    """How a file was read, and which column has which role."""
    parts, options = [cells.how], [option for option, _ in columns]
    for option, role in roles.items():
        found = [k for k, other in enumerate(options) if other == option]
        if len(found) == 1:
            parts.append(f"{role}: {cells.chosen[found[0]]}")
            continue
        # several columns, or all that are left
        places = found or range(len(columns), len(cells.names))
        named = [cells.names[k] for k in places]
        more = f", … ({len(named):,} columns)" if len(named) > MOST_NAMED else ""
        parts.append(f"{role}: {', '.join(named[:MOST_NAMED])}{more}")
    return "; ".join(parts)


def shown(text: str) -> str:
    """The beginning of a text, in quotes, for a report."""
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def fit_tokenizer(texts: list[str], settings: Settings) -> Tokenizer:
    """Tokens of the training set, and one id for all others."""
    if settings["tokens"] == "words":
        return WordTokenizer.fit(texts, settings["vocab"])
    return CharTokenizer.fit(texts, unknown=True)


def encode(
    tokenizer: Tokenizer, texts: Iterable[str], max_length: int | None, what: str
) -> list[np.ndarray]:
    """Ids (n,) of each text, cut after ``max_length`` tokens.

    Raises
    ------
    InputError
        If a text has no token, or is longer than ``LONGEST`` and is not cut.
    """
    encoded = []
    for text in texts:
        ids = tokenizer.encode(text)[:max_length]
        check_length(len(ids), tokenizer, what)
        encoded.append(ids)
    return encoded


def check_length(length: int, tokenizer: Tokenizer, what: str) -> None:
    """Raise InputError if there is no token, or too many for a backward pass."""
    if length == 0:
        raise InputError(f"a {what} has no {tokenizer.unit} in it; take it out")
    if length > LONGEST:
        raise InputError(
            f"a {what} has {length:,} {tokenizer.unit}s, and the limit is {LONGEST:,};"
            " add --max-length T, or shorten it"
        )


def unknown_share(tokenizer: Tokenizer, encoded: Sequence[np.ndarray]) -> str:
    """The share of unknown tokens, in brackets; "" if there are none."""
    unknown = sum(int((ids == tokenizer.unknown_id).sum()) for ids in encoded)
    share = unknown / max(1, sum(map(len, encoded)))
    return f" ({share:.1%} unknown {tokenizer.unit}s)" if unknown else ""


def fingerprint(*parts: Any) -> str:
    """A hash of examples: of strings, numbers, arrays, and lists of these."""
    digest = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, np.ndarray):
            digest.update(np.ascontiguousarray(part).tobytes())
        elif isinstance(part, (list, tuple)):
            for item in part:
                add(item)
        else:
            digest.update(str(part).encode("utf-8", "surrogatepass"))
        digest.update(b"|")

    add(parts)
    return digest.hexdigest()


def counted(count: int, noun: str) -> str:
    """A number and its noun: "1 text", "2,000 texts"."""
    many = "classes" if noun == "class" else noun + "s"
    return f"{count:,} {noun if count == 1 else many}"
