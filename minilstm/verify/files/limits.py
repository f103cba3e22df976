"""A time limit for a block of code, which is stopped in whatever line it is."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN = 0.2  # seconds, for code that catches all exceptions and goes on


class TimeIsUp(BaseException):
    """The block ran for longer than it may. It is not an Exception: few catch it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp inside of the block if it has not ended after these seconds.

    A signal interrupts the block, as Ctrl-C would; so it must be in the main thread.
    Elsewhere there is no limit. Code that does not return to Python is not stopped.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    done, late = threading.Event(), threading.Event()
    main = threading.get_ident()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            late.set()
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(main, signal.SIGINT)  # wakes a sleep, too
            else:
                _thread.interrupt_main()
            wait = AGAIN

    def interrupted(number, frame) -> None:
        if done.is_set():
            return  # it ended just now
        if late.is_set():
            raise TimeIsUp
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupted)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        signal.signal(signal.SIGINT, before)
