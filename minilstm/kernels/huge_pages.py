"""Memory for arrays that every step reads again, in large pages.

A processor finds out where a page of memory is in a small table. A model of some hundred kilobytes fits into a cache, but in
pages of 4 KB it takes more entries than that table has, and the pages lie anywhere, so that some push others out of the
cache. In one page of 2 MB neither happens. NumPy asks the system for such pages from 4 MB on; somewhat smaller arrays lie in
them together here, each from the beginning of a cache line on. Where there are no large pages, it is memory like any other.
"""

from __future__ import annotations

import mmap
import threading

import numpy as np

PAGE = 1 << 21  # bytes
LINE = 64
SMALL, LARGE = 1 << 18, 1 << 22  # what is smaller gains nothing; what is larger, NumPy sees to itself
TOGETHER = 4  # pages that are taken at once; one that nothing was written to yet takes no memory

_lock = threading.Lock()
_rest = np.empty(0, np.uint8)  # of the pages that were taken last


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
    """At least so many bytes, in some whole pages, which go back to the system when no array lies in them any more."""
    size = max(TOGETHER, -(-least // PAGE)) * PAGE
    there = _from_the_system(size + PAGE)
    first = -there.ctypes.data % PAGE
    return there[first : first + size]


def _from_the_system(size: int) -> np.ndarray:
    """Bytes for which large pages were asked, where there are any."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.empty(size, np.uint8)
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_HUGEPAGE)
    except OSError:  # a kernel without large pages, or no memory, which NumPy says as it always does
        return np.empty(size, np.uint8)
    return np.frombuffer(memory, np.uint8)
