"""The code of a .py file, or of a notebook's code cells, without what IPython adds."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

from minilstm.errors import InputError, MinilstmError
from minilstm.files import is_special

SUFFIXES = (".py", ".ipynb")
MAGIC = re.compile(r"\s*(%|!|\?|[\w.]+\s*=\s*[%!])|.*\?\s*$")  # of one line
KEEPS_PYTHON = ("%%time", "%%timeit", "%%capture", "%%prun")  # cells that stay code


@dataclass(frozen=True)
class Cell:
    """A stretch of code that is parsed as a whole: a file, or a cell of a notebook."""

    place: str  # "" for a file, else "code cell 3, "
    filename: str  # what tracebacks call it
    text: str
    tree: ast.Module


@dataclass(frozen=True)
class Source:
    """What a file holds: code that can be run, and sentences about the rest."""

    path: Path  # absolute
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()  # what is good to know
    problems: tuple[str, ...] = ()  # what cannot be run


def read_source(path: Path) -> Source:
    """Read a .py file or a notebook.

    Raises
    ------
    InputError
        If there is no such file, or its name ends in neither .py nor .ipynb.
    MinilstmError
        If its content is not Python, or no notebook.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a .py file or a notebook in it")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path} is neither a .py file nor a notebook, .ipynb")
    if is_special(path):  # to read it might never end
        raise InputError(f"{path} is a device or a pipe; name a file")
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"there is no file {path}; look for a typing mistake"
        ) from None
    if path.suffix.lower() == ".ipynb":
        return _notebook(path, raw)
    text = _decoded(path, raw)
    try:
        cell = Cell("", str(path.resolve()), text, _parsed(text))
    except SyntaxError as error:
        raise MinilstmError(f"{path}, {_of_syntax(error)}") from None
    return Source(path.resolve(), (cell,))


def _decoded(path: Path, raw: bytes) -> str:
    """The text, in UTF-8 or in the encoding that its first lines declare."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        text = io.TextIOWrapper(io.BytesIO(raw), encoding).read()
    except (SyntaxError, UnicodeDecodeError, LookupError):
        raise MinilstmError(f"{path} is not a text in UTF-8; save it as one") from None
    return text


def _parsed(text: str) -> ast.Module:
    """The syntax tree; SyntaxError also for null bytes and code nested too deeply."""
    try:
        return ast.parse(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from None


def _of_syntax(error: SyntaxError) -> str:
    where = f"line {error.lineno}: " if error.lineno else ""
    return f"{where}this is not Python: {error.msg}"


def _notebook(path: Path, raw: bytes) -> Source:
    """All code cells, counted from 1. A cell that is not Python is a problem."""
    cells, notes, problems = [], [], []
    for number, text in enumerate(_code_cells(path, raw), start=1):
        place = f"code cell {number}"
        code, dropped = without_magic(text)
        if dropped:
            notes.append(f"{place}: {_counted(dropped)} not run")
        try:
            tree = _parsed(code)
        except SyntaxError as error:
            problems.append(f"{place}, {_of_syntax(error)}")
            continue
        cells.append(
            Cell(f"{place}, ", f"code cell {number} of {path.name}", code, tree)
        )
    return Source(path.resolve(), tuple(cells), tuple(notes), tuple(problems))


def _code_cells(path: Path, raw: bytes) -> list[str]:
    """The texts of the code cells of a notebook, of the formats 3 and 4."""
    try:
        notebook = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise MinilstmError(f"{path} is not a notebook in JSON: {error}") from None
    sheet = notebook if isinstance(notebook, dict) else {}
    metadata = sheet.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = (
        kernel.get("language", "python") if isinstance(kernel, dict) else "python"
    )
    if str(language).lower() != "python":
        raise MinilstmError(f"{path} is a notebook in {language}, not in Python")
    sheets = sheet.get("worksheets")
    if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict):
        sheet = sheets[0]  # format 3
    cells = sheet.get("cells")
    if not isinstance(cells, list):
        raise MinilstmError(f"{path} is not a notebook: it has no list of cells")
    texts = []
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            text = cell.get("source", cell.get("input", ""))
            texts.append(
                "".join(map(str, text)) if isinstance(text, list) else str(text)
            )
    return texts


def without_magic(text: str) -> tuple[str, list[str]]:
    """The code of a cell without lines of IPython's own, and these lines.

    ``pass`` replaces such a line, so that the others keep their numbers.
    A cell that is no Python, such as one of ``%%bash``, becomes empty.

    >>> without_magic("%matplotlib inline\\nx = 7 % 2")
    ('pass\\nx = 7 % 2', ['%matplotlib inline'])
    """
    lines, dropped = text.splitlines(), []
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.startswith("%%") and not first.startswith(KEEPS_PYTHON):
        return "", [first]
    for _ in lines:
        try:
            _parsed("\n".join(lines))
            break
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            if not (0 <= number < len(lines) and MAGIC.match(lines[number])):
                break
            line = lines[number]
            dropped.append(line.strip())
            lines[number] = line[: len(line) - len(line.lstrip())] + "pass"
    return "\n".join(lines), dropped


def _counted(dropped: list[str]) -> str:
    more = (
        f" and {len(dropped) - 1} more lines of IPython were" if dropped[1:] else " was"
    )
    return f"`{dropped[0]}`{more}"
