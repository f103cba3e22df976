"""One run at a time in one folder.

The system lets go of the lock when the process ends, however it ends, so that a killed run leaves nothing to clean up.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from minilstm.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder if need be and hold its lock; a new folder in which nothing was written is taken away again.

    Raises InputError if it cannot be written to, or another process holds the lock.
    """
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / ".lock", "a+b")
    except OSError as error:
        raise InputError(f"cannot write to {folder} ({error.strerror}); choose another folder by --out") from error
    with file:
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError as error:
            raise InputError(f"another run is at work in {folder}; wait for it, or choose another folder by --out") from error
        try:
            yield
        finally:
            file.close()  # Windows removes no file that is open
            with contextlib.suppress(OSError):
                os.unlink(folder / ".lock")
                if is_new:
                    os.rmdir(folder)  # succeeds if nothing was written
