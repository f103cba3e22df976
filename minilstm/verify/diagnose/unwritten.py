"""Numbers that were never written: what ``np.empty`` gives is made visible.

``np.empty`` and ``np.empty_like`` hold what happened to be in memory. A row that is
never written may therefore be right by chance on one day and wrong on the next. Filled
with a known number, the same code gives the same result every time. Run twice, with
zeros and with NaN, it shows which entries depend on what was never written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np

# two threads that put their functions back in another order would leave one behind
_one_at_a_time = threading.Lock()


@contextmanager
def empty_arrays_hold(number: float) -> Iterator[None]:
    """While it lasts, arrays of np.empty and np.empty_like are full of ``number``."""

    def filled(make):
        def empty(*arguments, **options):
            array = make(*arguments, **options)
            if array.dtype.kind in "fc":
                array.fill(number)
            return array

        return empty

    with (
        _one_at_a_time,
        patch.object(np, "empty", filled(np.empty)),
        patch.object(np, "empty_like", filled(np.empty_like)),
    ):
        yield
