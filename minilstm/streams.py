"""Standard output and standard error that take whatever is printed.

A pipe or a terminal may have an encoding without ``σ`` or ``▁`` (Windows-1252, ASCII), and Python then ends the program at
the first such character. One that cannot be shown is no reason to stop: it is written as Python would escape it, ``\\u03c3``.

The command line, the lessons (when they import ``minilstm.course``) and the benchmarks call this first.
"""

from __future__ import annotations

import os
import sys


def make_writable() -> None:
    """Have both streams escape what their encoding lacks; one that is closed gets the null device. Harmless to repeat."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):  # a notebook's has no encoding to fail at
            stream.reconfigure(errors="backslashreplace")
