"""Reading the arrays of an ``.npz`` file that is not to be trusted.

An ``.npz`` file is a zip archive with one ``.npy`` file, a header and then the numbers, for each array. A few kilobytes of
it can claim, or unpack to, more than there is memory. So each part is believed only as far as the parts before it allow:

    the file's size        all entries together may be at most ``EXPANSION`` times as large
    the directory          says how large each entry is; no more of it is ever unpacked
    an array's header      must describe exactly as many bytes as the entry has; whoever reads compares shape and dtype
                           with what they expect, and only then asks for the numbers
    the numbers            are as many as the header says, and have the directory's checksum

Nothing is unpickled. Errors are CheckpointErrors that begin with a verb, to stand behind the file's name.
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

EXPANSION = 20  # numbers that were trained hardly shrink; those of a run that has just begun, mostly zeros, to a third
CHUNK = 2**20  # bytes that are unpacked at a time


@contextlib.contextmanager
def _damage_is_named() -> Iterator[None]:
    try:
        yield
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:  # a damaged file can make the zip, zlib and npy readers fail in many ways
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.ENOMEM:
            raise MemoryError from error
        if isinstance(error, OSError) and number not in (None, errno.EINVAL):  # EINVAL: a place before the beginning
            raise CheckpointError(f"cannot be read ({error.strerror})") from error
        raise CheckpointError(f"is damaged ({type(error).__name__}: {error})") from error


class Archive:
    """The arrays of an open ``.npz`` file by their names. Only its directory is read until more is asked for."""

    @_damage_is_named()
    def __init__(self, file: IO[bytes]):
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if file.read(2) != b"PK" and not zipfile.is_zipfile(file):
            raise CheckpointError("is no model file; `minilstm train` writes one, model.npz")
        self._zip = zipfile.ZipFile(file)
        entries = self._zip.infolist()
        self._entries = {entry.filename.removesuffix(".npy"): entry for entry in entries}
        if len(self._entries) < len(entries):
            raise CheckpointError("is damaged (two of its arrays have one name)")
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > EXPANSION * self.size:
            raise CheckpointError(
                f"claims to unpack from {self.size:,} to {unpacked:,} bytes, as no file of minilstm's does; it was left packed"
            )

    @property
    def names(self) -> set[str]:
        """Of all arrays."""
        return set(self._entries)

    def rename(self, old: str, new: str) -> None:
        """Have an array under another name. Raises KeyError if there is none."""
        self._entries[new] = self._entries.pop(old)

    def bytes_of(self, name: str) -> int:
        """How large an array is in the file, with its header, as the directory says."""
        return self._entries[name].file_size

    @_damage_is_named()
    def describe(self, name: str) -> tuple[np.dtype, tuple[int, ...]]:
        """An array's dtype and shape, of which nothing has been made yet: they may be absurd."""
        with self._zip.open(self._entries[name]) as stream:
            dtype, shape, _ = _header(stream)
        return dtype, shape

    @_damage_is_named()
    def read(self, name: str) -> np.ndarray:
        """An array. Raises CheckpointError if it is not as large as the directory says, or damaged."""
        with self._zip.open(self._entries[name]) as stream:
            dtype, shape, is_fortran = _header(stream)
            count = math.prod(shape)
            if dtype.hasobject or stream.tell() + count * dtype.itemsize != self.bytes_of(name):
                raise CheckpointError(f"is damaged ({name} is not as large as {dtype} {shape} would be)")
            array = np.empty(count, dtype)
            as_bytes = array.view(np.uint8)
            for start in range(0, as_bytes.size, CHUNK):
                part = as_bytes[start : start + CHUNK]
                part[:] = np.frombuffer(stream.read(part.size), np.uint8)  # a ValueError if there are too few
        return array.reshape(shape, order="F" if is_fortran else "C")


def _header(stream: IO[bytes]) -> tuple[np.dtype, tuple[int, ...], bool]:
    """dtype, shape, and whether the first index runs fastest."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    return dtype, shape, fortran
