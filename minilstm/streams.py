"""Make standard output and standard error accept every character.

A pipe or a terminal may have an encoding without ``σ`` or ``▁`` (Windows-1252, ASCII),
so that printing one would end the program. Here it is escaped instead: ``\\u03c3``.

The command line, the lessons (when they import ``minilstm.course``) and the benchmarks
call this first.
"""

from __future__ import annotations

import os
import sys


def make_writable() -> None:
    """Let both streams escape what their encoding lacks; repeating this has no effect.

    A closed stream is replaced by the null device.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the program that started this one
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):  # the stream of a notebook needs none
            stream.reconfigure(errors="backslashreplace")
