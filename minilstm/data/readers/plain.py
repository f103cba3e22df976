"""Plain text: one running text, or a sequence a line."""

from __future__ import annotations

from pathlib import Path

from minilstm.data.readers.encodings import decode
from minilstm.data.readers.files import name_of, read_bytes
from minilstm.errors import InputError


def read_text(path: str | Path, encoding: str | None = None) -> str:
    """The whole file as one running text, its lines ending in a plain newline.

    Parameters
    ----------
    path : of a file, compressed or not; ``-`` is standard input.
    encoding : as Python calls it; None: UTF-8.

    Raises InputError if the file cannot be read, holds nothing but white space, or is
    not text in this encoding; the message says what was found and what to do.
    """
    text = decode(read_bytes(path), encoding, name_of(path))
    if not text or text.isspace():
        name = name_of(path)
        raise InputError(
            f"{name} is empty or holds only white space: name a file with text in it"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: str | Path, encoding: str | None = None) -> list[str]:
    """One sequence a line, without its newline; blank lines are left out.

    Raises as ``read_text`` does.
    """
    return lines_of(read_text(path, encoding))


def lines_of(text: str) -> list[str]:
    """The lines that are not blank."""
    return [line for line in text.split("\n") if line.strip()]
