"""A file's bytes, compressed or not; ``-`` is standard input.

What a file is, its first bytes tell, not its name. One file compressed by gzip, bzip2
or xz is unpacked on the way. Archives and documents of many parts are refused by their
name.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from minilstm.errors import InputError

STANDARD_INPUT = "-"
COMPRESSED: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    rb"\x1f\x8b": ("gzip", gzip.decompress),
    rb"BZh[1-9]1AY&SY": ("bzip2", bz2.decompress),
    rb"\xfd7zXZ\0": ("xz", lzma.decompress),
}
COMPRESSED_SUFFIXES = {".gz", ".bz2", ".xz"}
NO_TEXT = {
    b"PK\x03\x04": "a zip archive (.docx, .xlsx, .odt and .epub files are, too)",
    b"(\xb5/\xfd": "compressed by zstd",
    b"7z\xbc\xaf'\x1c": "a 7z archive",
    b"Rar!\x1a": "a rar archive",
    b"%PDF-": "a PDF document",
    b"PAR1\x15": "a Parquet table",
    b"\xd0\xcf\x11\xe0": "a document of an older Office",
}


def name_of(path: str | Path) -> str:
    """What messages call it."""
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


def suffix_of(path: str | Path) -> str:
    """The suffix in lower case, compression left out: ``.csv`` for ``A.CSV.gz``."""
    path = Path(path)
    if path.suffix.lower() in COMPRESSED_SUFFIXES:
        path = path.with_suffix("")
    return path.suffix.lower()


def read_bytes(path: str | Path) -> bytes:
    """All bytes of a file or of standard input, unpacked.

    Raises InputError if it cannot be read or unpacked, or is an archive or a document.
    """
    data, name = _stored_bytes(path), name_of(path)
    for beginning, (method, unpack) in COMPRESSED.items():
        if re.match(beginning, data):
            try:
                data = unpack(data)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise InputError(
                    f"{name} is compressed by {method} and damaged ({error}):"
                    " get it again"
                ) from error
    for beginning, what in NO_TEXT.items():
        if data.startswith(beginning):
            raise InputError(f"{name} is {what}: unpack it, or save its text as UTF-8")
    if data[257:262] == b"ustar":
        raise InputError(
            f"{name} is a tar archive: unpack it, and name the files in it"
        )
    return data


def _stored_bytes(path: str | Path) -> bytes:
    if str(path) != STANDARD_INPUT and os.path.isdir(path):
        some = os.path.join(path, "*.txt")
        raise InputError(f"{path} is a directory: name the files in it, as {some} does")
    try:
        if str(path) == STANDARD_INPUT:
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError, AttributeError) as error:
        # ValueError: no path can hold a zero character; AttributeError: no standard
        # input
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot read {name_of(path)} ({reason}): check the path and its"
            " permissions"
        ) from error
