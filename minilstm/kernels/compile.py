"""How kernels are compiled: one decorator for all of them.

A kernel is a loop over arrays. Numba compiles it at the first call, once for each
dtype, and ``cache.py`` keeps the result for the next process. A kernel neither
allocates nor raises. Two settings apply to every kernel:

- ``error_model="numpy"``: division by zero gives inf or NaN as in NumPy. Python's check
  for zero would keep loops from being vectorised.
- ``fastmath={"contract"}`` and nothing else of ``fastmath``: a product and the addition
  after it may become one instruction, which rounds once instead of twice. The order of
  additions stays as written, so that float64 and complex128 can be compared with the
  reference implementation.

With ``NUMBA_DISABLE_JIT=1`` in the environment kernels run as plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

from minilstm.kernels.cache import KernelCache, cache_directory

SETTINGS = {"error_model": "numpy", "nogil": True, "fastmath": {"contract"}}
F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function at its first call, or load it from the cache directory."""
    compiled = numba.njit(**SETTINGS)(function)
    # the cache key covers the sources of this folder only
    is_ours = Path(function.__code__.co_filename).parent == Path(__file__).parent
    folder = cache_directory() if is_ours and not numba.config.DISABLE_JIT else None
    if folder is not None:  # pragma: no cover: coverage runs without the compiler
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        compiled._cache = KernelCache(name, folder)
    return compiled
