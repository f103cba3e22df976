"""Which line of the code under test raised an exception, to be quoted beside it."""

from __future__ import annotations

import linecache
import os
import sysconfig
from pathlib import Path

import numpy as np

LIBRARIES = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
OURS = Path(__file__).parents[2]
NOT_THEIRS = (
    "<frozen ", "<__array_function__ internals>",  # of Python, and of NumPy before 1.25
    *(f"{folder}{os.sep}" for folder in (*LIBRARIES, Path(np.__file__).parent, OURS)),
)  # fmt: skip


def line_of(error: BaseException) -> str:
    """The innermost line that is neither ours nor a library's; "" if there is none.

    It reads " in line 12 of lstm.py, `h[t] = h_t`". What was typed into an interpreter
    may have a number and no text.
    """
    found, trace = "", error.__traceback__
    while trace is not None:
        code, number = trace.tb_frame.f_code, trace.tb_lineno
        if not code.co_filename.startswith(NOT_THEIRS):
            scope = trace.tb_frame.f_globals
            text = linecache.getline(code.co_filename, number, scope).strip()
            found = f" in line {number} of {Path(code.co_filename).name}"
            found += f", `{text}`" if text else ""
        trace = trace.tb_next
    return found


def quoted(error: BaseException) -> str:
    """The exception with its line, as a part of a sentence."""
    return f"{type(error).__name__}{line_of(error)}: {error}"
