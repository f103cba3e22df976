"""How kernels are compiled: one decorator for all of them.

A kernel is a loop over arrays that Numba compiles when it is first called, once for each dtype; ``disk.py`` keeps the result
for the next process. It neither allocates nor raises. Two settings apply to every kernel:

- ``error_model="numpy"``: a division by zero gives inf or NaN as in NumPy; the check that Python would want keeps loops scalar.
- of ``fastmath`` nothing but ``contract``: a product and the addition after it may become one instruction, which rounds once
  instead of twice. The order of additions stays as written, so that float64 and complex128 can be held to the book.

With ``NUMBA_DISABLE_JIT=1`` in the environment nothing is compiled and kernels run as plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

from minilstm.kernels.disk import DiskCache, place

SETTINGS = {"error_model": "numpy", "nogil": True, "fastmath": {"contract"}}
F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a kernel at its first call, or take it from disk; keep it there if there is a place for it."""
    compiled = numba.njit(**SETTINGS)(function)
    is_ours = Path(function.__code__.co_filename).parent == Path(__file__).parent  # no other source is in the stamp
    folder = place() if is_ours and not numba.config.DISABLE_JIT else None
    if folder is not None:  # pragma: no cover: coverage is measured without the compiler
        compiled._cache = DiskCache(f"{function.__module__.rpartition('.')[2]}.{function.__name__}", folder)
    return compiled
