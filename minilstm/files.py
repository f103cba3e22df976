"""Writing files atomically: whole, or not at all.

``replacing`` writes under another name, forces the content to disk, and renames the
file over the old one. At any moment the file is whole, either old or new. ``write_new``
never touches a file that exists already.

Network and shared folders often lack some operations of a local disk. A missing
operation is ignored, so that no finished work is lost. A full or broken disk is always
reported.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

# the file system has no such operation
LACKING = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
# the disk is full or damaged
BROKEN = {errno.ENOSPC, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """Write a file whole or not at all; it replaces an old one.

    Parameters
    ----------
    path : the file.

    Yields
    ------
    A binary file to write to.

    Raises
    ------
    OSError : with the name of the file, if it cannot be written, or if a device or a
        pipe has this name. If only the old file cannot be replaced (on Windows, while
        another program has it open), the new content stays beside it as NAME.tmp.
    """
    path = Path(path)
    if is_special(path):
        raise OSError(errno.EINVAL, "is a device or a pipe, not a file", str(path))
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
        reason = (
            f"cannot be replaced ({error.strerror}); is it open in another program? The"
            f" new version is in {temporary.name}"
        )
        raise OSError(error.errno, reason, str(path)) from error
    _sync_folder(path.parent)


def is_special(path: Path) -> bool:
    """Whether a name is that of a device, a pipe or a socket.

    To replace one would take it from the whole system, and to read it may never end.
    """
    return path.exists() and not (path.is_file() or path.is_dir())


def write_new(path: Path, contents: bytes) -> None:
    """Write a new file, whole or not at all.

    Parameters
    ----------
    path : the file.
    contents : what to write.

    Raises
    ------
    FileExistsError : if the file exists already; it is not changed.
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
    """Force a file to disk, as far as the file system can.

    Raises
    ------
    OSError : if the disk is full or broken.
    """
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in LACKING:
            raise


def _named(error: BaseException, path: Path) -> BaseException:
    """The error, with the name of the file, which the error of a full disk lacks."""
    if not isinstance(error, OSError) or error.errno is None:
        return error
    is_ours = error.filename is None or os.fspath(error.filename) == f"{path}.tmp"
    return OSError(error.errno, error.strerror, str(path)) if is_ours else error


def _sync_folder(folder: Path) -> None:
    """Force a renaming to disk, where the system can; the file is whole in any case."""
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
