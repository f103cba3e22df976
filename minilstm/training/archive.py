"""Reading the arrays of an ``.npz`` file that may be damaged or hostile.

An ``.npz`` file is a zip archive with one ``.npy`` file for each array: a header, then
the numbers. A few kilobytes can claim, or unpack to, more than there is memory. So each
part is trusted only as far as the parts before it allow:

    size of the file     all entries may be at most ``EXPANSION`` times as large
    zip directory        has the size of each entry; no more than that is unpacked
    header of an array   must describe as many bytes as the entry has. The caller
                         compares shape and dtype before reading the numbers
    the numbers          must be as many as the header says, and match the checksum

Nothing is unpickled. Errors are CheckpointErrors whose message begins with a verb: the
caller puts the name of the file before it.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import zipfile
from collections.abc import Iterator
from typing import IO

import numpy as np

from minilstm.errors import CheckpointError

EXPANSION = 20  # trained numbers hardly shrink, and mostly zeros to a third
CHUNK = 2**20  # bytes to unpack at a time


@contextlib.contextmanager
def _damage_is_reported() -> Iterator[None]:
    """Turn whatever a damaged file raises into a CheckpointError."""
    try:
        yield
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:  # the zip, zlib and npy readers have many
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.ENOMEM:
            raise MemoryError from error
        # EINVAL: bad seek
        if isinstance(error, OSError) and number not in (None, errno.EINVAL):
            raise CheckpointError(f"cannot be read ({error.strerror})") from error
        raise CheckpointError(
            f"is damaged ({type(error).__name__}: {error})"
        ) from error


class Archive:
    """The arrays of an open ``.npz`` file by name, of which it reads on demand.

    Parameters
    ----------
    file : the file, open for reading in binary mode; it must stay open.

    Raises
    ------
    CheckpointError : if it is not an ``.npz`` file, is damaged, or would unpack to too
        much.
    """

    @_damage_is_reported()
    def __init__(self, file: IO[bytes]):
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if file.read(2) != b"PK" and not zipfile.is_zipfile(file):
            raise CheckpointError(
                "is not a model file; `minilstm train` writes one, model.npz"
            )
        self._zip = zipfile.ZipFile(file)
        entries = self._zip.infolist()
        self._entries = {
            entry.filename.removesuffix(".npy"): entry for entry in entries
        }
        if len(self._entries) < len(entries):
            raise CheckpointError("is damaged (two of its arrays have the same name)")
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > EXPANSION * self.size:
            raise CheckpointError(
                f"claims to unpack from {self.size:,} to {unpacked:,} bytes, more than"
                " any file of minilstm; it was not read"
            )

    @property
    def names(self) -> set[str]:
        """Names of all arrays."""
        return set(self._entries)

    def bytes_of(self, name: str) -> int:
        """Size of an array with its header in bytes, according to the directory."""
        return self._entries[name].file_size

    @_damage_is_reported()
    def describe(self, name: str) -> tuple[np.dtype, tuple[int, ...]]:
        """dtype and shape of an array, from its header. They may be absurd.

        Raises
        ------
        CheckpointError : if the header is damaged.
        """
        with self._zip.open(self._entries[name]) as stream:
            dtype, shape, _ = _header(stream)
        return dtype, shape

    @_damage_is_reported()
    def read(self, name: str) -> np.ndarray:
        """Read an array.

        Raises
        ------
        CheckpointError : if it is damaged, or not as large as the directory says.
        """
        with self._zip.open(self._entries[name]) as stream:
            dtype, shape, is_fortran = _header(stream)
            count = math.prod(shape)
            size = stream.tell() + count * dtype.itemsize
            if dtype.hasobject or size != self.bytes_of(name):
                raise CheckpointError(
                    f"is damaged ({name} has not the size of {dtype} {shape})"
                )
            array = np.empty(count, dtype)
            as_bytes = array.view(np.uint8)
            for start in range(0, as_bytes.size, CHUNK):
                part = as_bytes[start : start + CHUNK]
                # ValueError if there are too few bytes
                part[:] = np.frombuffer(stream.read(part.size), np.uint8)
        return array.reshape(shape, order="F" if is_fortran else "C")


def _header(stream: IO[bytes]) -> tuple[np.dtype, tuple[int, ...], bool]:
    """dtype, shape, and whether the order is Fortran's (first index fastest)."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    return dtype, shape, fortran
