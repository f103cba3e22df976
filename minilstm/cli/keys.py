"""Keys, one at a time, without Enter where the terminal allows it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import Any

POLL = 0.02  # seconds


class Keys:
    """Reads keys from a terminal, whose mode is restored at the end.

    On Windows, ``msvcrt`` reads them. Elsewhere the terminal is asked not to wait for
    Enter; one that cannot do so gives lines, and their first characters count.
    """

    def __init__(self) -> None:
        self._read = ""
        self._restore = contextlib.ExitStack()

    def __enter__(self) -> Keys:
        if sys.platform != "win32":
            self._restore.enter_context(_without_enter(sys.stdin.fileno()))
        return self

    def __exit__(self, *error: Any) -> None:
        self._restore.close()

    def get(self, seconds: float) -> str:
        """A key, in lower case; empty if none is pressed within this time.

        Returns ``"q"`` if the terminal was closed.
        """
        if not self._read:
            self._read = (
                _windows(seconds) if sys.platform == "win32" else _posix(seconds)
            )
        key, self._read = self._read[:1], self._read[1:]
        return key.lower()


def _posix(seconds: float) -> str:
    import select

    if not select.select([sys.stdin], [], [], seconds)[0]:
        return ""
    try:
        read = os.read(sys.stdin.fileno(), 1024)
    except OSError:  # the terminal was closed
        read = b""
    if read.startswith(b"\x1b"):  # an arrow, for example
        return ""
    return "".join(read.decode(errors="replace").split()) if read else "q"


def _windows(seconds: float) -> str:
    import msvcrt

    until = time.monotonic() + seconds
    while not msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
        if time.monotonic() > until:
            return ""
        time.sleep(POLL)
    key = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
    if key == "\x03":
        raise KeyboardInterrupt
    if key in "\x00\xe0":  # an arrow, for example: its second part follows
        msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
        return ""
    return key.strip()


@contextlib.contextmanager
def _without_enter(terminal: int) -> Any:
    """Let the terminal give each key at once; also after Ctrl-Z and ``fg``."""
    import signal
    import termios
    import tty

    try:
        mode = termios.tcgetattr(terminal)
    except termios.error:
        yield
        return
    tty.setcbreak(terminal)
    before = signal.signal(signal.SIGCONT, lambda *_: tty.setcbreak(terminal))
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, before)
        termios.tcsetattr(terminal, termios.TCSADRAIN, mode)
