"""How kernels are compiled: one decorator for all of them.

A kernel is a loop over arrays that Numba compiles when it is first called, once for each dtype, and keeps on disk.
It neither allocates nor raises. Three settings apply to every kernel:

- ``error_model="numpy"``: a division by zero gives inf or NaN as in NumPy; the check that Python would want keeps loops scalar.
- of ``fastmath`` nothing but ``contract``: a product and the addition after it may become one instruction, which rounds once
  instead of twice. The order of additions stays as written, so that float64 and complex128 can be held to the book.
- ``cache=True`` watches only the file in which a kernel stands; since kernels call each other's helpers across files, the
  cache is stamped with every file of this folder: a change in any of them compiles all anew.

With ``NUMBA_DISABLE_JIT=1`` in the environment nothing is compiled and kernels run as plain Python.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

SETTINGS = {"error_model": "numpy", "nogil": True, "fastmath": {"contract"}}
F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a kernel at its first call; keep it on disk where there is a place that can be written to."""
    if not numba.config.DISABLE_JIT:  # pragma: no cover: coverage is measured without the compiler
        with contextlib.suppress(RuntimeError, AttributeError):  # nowhere to write; a Numba that keeps its stamp elsewhere
            kept = numba.njit(cache=True, **SETTINGS)(function)
            kept._cache._cache_file._source_stamp = _stamp_of_all_kernels()
            return kept
    return numba.njit(**SETTINGS)(function)  # compiled anew in every process


@cache
def _stamp_of_all_kernels() -> str:  # pragma: no cover: only for compiled kernels
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
