"""Writing files so that they are whole, or not there at all.

``replacing`` writes under another name, forces the content to disk, and renames it over the old file: at any moment there
is a whole file under the right name, the old one or the new one. ``write_new`` never touches a file that is there already.

Network and shared folders often cannot do everything that a local disk can. What such a file system lacks is no reason to
lose finished work, so it is passed over. A full or broken disk is always reported.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

LACKING = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}  # the file system has no such operation
BROKEN = {errno.ENOSPC, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}  # the disk is full or damaged


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """Write a file as a whole or not at all, in place of the one that may be there.

    Yields
    ------
    A binary file to write to.

    Raises
    ------
    OSError : with the file's name, if it cannot be written. If only the old file cannot be replaced (on Windows, while
        another program has it open), the new content stays beside it, whole, as NAME.tmp.
    """
    path = Path(path)
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            sync(file)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise _named(error, path) from None
    try:
        os.replace(temporary, path)
    except OSError as error:
        reason = f"cannot be replaced ({error.strerror}); is it open in another program? The new version is in {temporary.name}"
        raise OSError(error.errno, reason, str(path)) from error
    _sync_folder(path.parent)


def write_new(path: Path, contents: bytes) -> None:
    """Write a file that was not there before, whole or not at all.

    Raises
    ------
    FileExistsError : if there is a file already; it stays as it is.
    OSError : if the file cannot be written.
    """
    file = open(path, "xb")
    try:
        with file:
            file.write(contents)
            sync(file)
    except BaseException as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise _named(error, path) from None


def sync(file: IO[bytes]) -> None:
    """Force to disk what was written, as far as the file system can. Raises OSError if the disk is full or broken."""
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in LACKING:
            raise


def _named(error: BaseException, path: Path) -> BaseException:
    """The error, with the name of the file that was meant: a full disk does not say which."""
    if not isinstance(error, OSError) or error.errno is None:
        return error
    is_ours = error.filename is None or os.fspath(error.filename) == f"{path}.tmp"
    return OSError(error.errno, error.strerror, str(path)) if is_ours else error


def _sync_folder(folder: Path) -> None:
    """Force a renaming to disk, where a folder can be synced. The file is whole by now, whether this works or not."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows
        return
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
    except OSError as error:
        if error.errno in BROKEN:
            raise OSError(error.errno, error.strerror, str(folder)) from error
