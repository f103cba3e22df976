"""One run at a time in one folder.

A command that looks into a folder and then writes to it takes the lock before it looks,
and holds it until after the last write. The system releases the lock when the process
ends, however it ends, so a killed run leaves nothing to clean up.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from minilstm.errors import InputError
from minilstm.files import LACKING

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

# another run has the lock
TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
NO_LOCKS = LACKING | {errno.ENOLCK}  # this file system has none
ATTEMPTS = 10


@contextlib.contextmanager
def locked(folder: Path, say: Callable[[str], None] = print) -> Iterator[None]:
    """Make the folder if need be, and hold its lock.

    Folders that were made and stay empty are removed again.

    Where the file system has no locks, a sentence says so, and the run continues
    without.

    Raises
    ------
    InputError : if the folder cannot be written to, or another run holds the lock.
    OSError : if the lock fails for another reason, with the name of its file.
    """
    made = [
        parent for parent in (folder, *folder.parents) if not os.path.lexists(parent)
    ]
    try:
        file, is_locked = _open_locked(folder)
        try:
            if not is_locked:
                say(
                    f"the file system of {folder} has no locks:"
                    " start no other run there while this one is at work"
                )
            yield
        finally:
            if fcntl is None:
                file.close()  # Windows removes no file that is open
            # before the lock is released: what is removed later could be another's
            with contextlib.suppress(OSError):
                os.unlink(folder / ".lock")
            file.close()
    finally:
        # a folder that is not empty stays, and those above it
        with contextlib.suppress(OSError):
            for parent in made:
                parent.rmdir()


def _open_locked(folder: Path) -> tuple[IO[bytes], bool]:
    """The lock's file, and whether it could be locked; others find it under its name.

    A run that ends removes this file, and perhaps the folder, at any moment: then we
    begin again.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = open(folder / ".lock", "a+b")
        except OSError as error:
            if isinstance(error, FileNotFoundError) and attempt < ATTEMPTS:
                continue
            raise InputError(
                f"cannot write to {folder} ({error.strerror});"
                " choose another folder with --out"
            ) from error
        try:
            is_locked = _lock(file, folder)
            # some network folders give a file another number each time
            if _is_at(folder / ".lock", file) or attempt >= ATTEMPTS:
                return file, is_locked
        except BaseException:
            file.close()
            raise
        file.close()


def _is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether the open file is the one that has this name now."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(file: IO[bytes], folder: Path) -> bool:
    """Lock an open file, without waiting; False if the file system has no locks."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError as error:
        if error.errno in TAKEN:
            raise InputError(
                f"another run is at work in {folder}; wait for it, or choose another"
                " folder with --out"
            ) from error
        if error.errno in NO_LOCKS:
            return False
        raise OSError(
            error.errno, f"cannot be locked ({error.strerror})", file.name
        ) from error
    return True
