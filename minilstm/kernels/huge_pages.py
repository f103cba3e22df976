"""Memory in huge pages, for arrays that every step reads again.

A processor looks up the address of a memory page in a small table. A model of some
hundred kilobytes fits into a cache. But in pages of 4 KB it needs more entries than the
table has, and some pages push others out of the cache. In one huge page of 2 MB neither
happens.

NumPy asks for huge pages from 4 MB on. Somewhat smaller arrays share huge pages here,
each from the beginning of a cache line. Where the system has no huge pages, it is
memory like any other.
"""

from __future__ import annotations

import mmap
import threading

import numpy as np

PAGE = 1 << 21  # bytes
LINE = 64
SMALL, LARGE = 1 << 18, 1 << 22  # bytes; smaller gains nothing, larger NumPy handles
TOGETHER = 4  # pages requested at once; an unwritten page takes no memory

_lock = threading.Lock()
_rest = np.empty(0, np.uint8)  # unused part of the last pages


def empty(size: int, dtype) -> np.ndarray:
    """``size`` numbers in a row, with any contents."""
    global _rest
    wanted = size * np.dtype(dtype).itemsize
    if not SMALL <= wanted < LARGE:
        return np.empty(size, dtype)
    lines = -(-wanted // LINE) * LINE
    with _lock:
        free = _rest if _rest.size >= lines else pages(lines)
        taken, _rest = free[:lines], free[lines:]
    return taken[:wanted].view(dtype)


def zeros(size: int, dtype) -> np.ndarray:
    """``size`` zeros in a row."""
    array = empty(size, dtype)
    array[...] = 0
    return array


def pages(least: int) -> np.ndarray:
    """At least so many bytes, in huge pages; freed when no array uses them any more."""
    size = max(TOGETHER, -(-least // PAGE)) * PAGE
    there = _from_the_system(size + PAGE)
    first = -there.ctypes.data % PAGE
    return there[first : first + size]


def _from_the_system(size: int) -> np.ndarray:
    """Bytes, in huge pages where the system has them."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.empty(size, np.uint8)
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_HUGEPAGE)
    except OSError:  # no huge pages, or no memory: then NumPy raises MemoryError
        return np.empty(size, np.uint8)
    return np.frombuffer(memory, np.uint8)
