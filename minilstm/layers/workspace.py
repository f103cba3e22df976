"""Buffers that are kept from one training step to the next.

A new array of some megabytes costs more than filling it, because the operating system
hands it out page by page. A layer with a workspace gets the same memory again at every
step. That overwrites what the last forward pass computed, so a cache of that pass is out
of date. ``Workspace.check`` refuses it.

A workspace serves one thread at a time and refuses a second one. A copy or a pickle of a
workspace is empty and has the same version. A copied cache brings its own arrays along,
and may go backward if the original may.
"""

from __future__ import annotations

import math
import threading

import numpy as np
from numpy.typing import DTypeLike

from minilstm.errors import InputError, InUseError
from minilstm.kernels import huge_pages


class Workspace:
    """Named buffers for one layer. ``version`` counts its forward passes.

    As a context, it belongs to one thread.
    """

    def __init__(self) -> None:
        self.version = 0
        self._buffers: dict[tuple[str, np.dtype], np.ndarray] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, int]:
        return {"version": self.version}

    def __setstate__(self, state: dict[str, int]) -> None:
        Workspace.__init__(self)
        self.version = state["version"]

    def __enter__(self) -> Workspace:
        """Keep other threads out; raises InUseError if one is already in."""
        if not self._lock.acquire(blocking=False):
            raise InUseError(
                "another thread is using this workspace;"
                " give each thread a workspace of its own"
            )
        return self

    def __exit__(self, *error) -> None:
        self._lock.release()

    def begin(self) -> int:
        """Begin a forward pass: returns its version; earlier caches are out of date."""
        self.version += 1
        return self.version

    def empty(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An array with any contents; the same memory as last time if it is large enough."""
        key, size = (name, np.dtype(dtype)), math.prod(shape)
        if key not in self._buffers or self._buffers[key].size < size:
            self._buffers[key] = huge_pages.empty(size, dtype)
        return self._buffers[key][:size].reshape(shape)

    def check(self, version: int) -> None:
        """Refuse a cache of an earlier version: InputError."""
        if version != self.version:
            raise InputError(
                "This cache is out of date: a later forward pass reused its buffers."
                " Call backward before the next forward, or use one workspace for each."
            )
