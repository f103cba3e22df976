"""Work arrays that are kept from one training step to the next.

A fresh array of some megabytes costs more than filling it, for the operating system hands it out page by page. A layer
that is given a workspace takes its arrays from there and gets the same memory again at the next step. What it computed
before is then overwritten; a cache from before must not go backward any more, and ``Workspace.check`` refuses it.

A workspace serves one thread at a time; a second one is refused. A copy, or a pickle, is empty and of the same turn: a cache
that is copied brings its own arrays along, and may go backward if the original may.
"""

from __future__ import annotations

import math
import threading

import numpy as np

from minilstm.errors import InputError, InUseError
from minilstm.kernels import huge_pages as memory


class Workspace:
    """Named arrays for one layer. ``turn`` counts how often they have been handed out anew.

    As a context, it is this thread's alone.
    """

    def __init__(self):
        self.turn = 0
        self._buffers: dict[tuple[str, np.dtype], np.ndarray] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, int]:
        return {"turn": self.turn}

    def __setstate__(self, state: dict[str, int]) -> None:
        Workspace.__init__(self)
        self.turn = state["turn"]

    def __enter__(self) -> Workspace:
        """Keep other threads out while arrays are written and read; InUseError where one is in."""
        if not self._lock.acquire(blocking=False):
            raise InUseError("another thread is using this workspace; give each thread a workspace of its own")
        return self

    def __exit__(self, *error) -> None:
        self._lock.release()

    def begin(self) -> int:
        """A new forward pass: all that was computed before counts as overwritten."""
        self.turn += 1
        return self.turn

    def empty(self, name: str, shape: tuple[int, ...], dtype) -> np.ndarray:
        """An array of this shape with any contents; the same memory as the last time, when it is large enough."""
        key, size = (name, np.dtype(dtype)), math.prod(shape)
        if key not in self._buffers or self._buffers[key].size < size:
            self._buffers[key] = memory.empty(size, dtype)
        return self._buffers[key][:size].reshape(shape)

    def check(self, turn: int) -> None:
        """Refuse a cache from an earlier turn."""
        if turn != self.turn:
            raise InputError(
                "this cache cannot go backward: its work arrays were reused by a later forward pass;"
                " go backward before the next forward, or give each pass its own workspace"
            )
