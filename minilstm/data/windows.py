"""Windows of a fixed length over one running text.

    text      a b c d e f g h i j k l                    targets: what follows, one place on, and the end symbol last

``WindowBatches`` lays the text out in B rows of equal length and cuts them into windows of T steps. The state at the end of a
window is the state at the beginning of the next, so that the model never loses the thread; gradients stop at the window's
edge: truncated backpropagation through time (Williams and Peng 1990). The windows must keep their order.

    B = 2, T = 3      a b c | d e f
                      g h i | j k l                      2 batches of 2 windows

Keras calls such a model stateful, and one that is trained as follows stateless.

``LooseWindows`` cuts the text into windows of T steps, each of which begins with a state of zeros. They can be shuffled, but at
the beginning of a window the model knows nothing of what came before.

Shapes: inputs and targets (T, B), time first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from minilstm.checks import check_size
from minilstm.errors import InputError
from minilstm.models.batch import Batch


class WindowBatches:
    """Batches of windows over one running text, in its order, with the state carried from each to the next.

    Parameters
    ----------
    ids : (n,) the text. Its targets are the ids that follow, and ``eos_id`` after the last.
    batch_size : B, rows that the text is laid out in, read side by side.
    window : T, steps of a window; the last window of an epoch may be shorter.

    Up to B - 1 ids at the end, which would fill no further column, are left out.
    """

    carries_state = True

    def __init__(self, ids: np.ndarray, batch_size: int, window: int, eos_id: int):
        self.batch_size, self.window = check_size("batch_size", batch_size), check_size("window", window)
        ids = np.asarray(ids)
        self._length = len(ids) // batch_size
        if self._length < window:
            raise _too_small(ids, batch_size, window)
        self._rows = ids[: batch_size * self._length].reshape(batch_size, self._length)
        self._after = _at(ids, np.arange(1, batch_size + 1) * self._length, eos_id)  # (B,) what follows each row

    def __len__(self) -> int:
        return -(-self._length // self.window)

    def epoch(self, rng: np.random.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        """The windows in the order of the text; there is nothing to shuffle, so ``rng`` stays untouched."""
        for first in range(start * self.window, self._length, self.window):
            stretch = self._rows[:, first : first + self.window + 1]  # (B, T + 1)
            if first + self.window >= self._length:
                stretch = np.column_stack([stretch, self._after])
            yield _batch(stretch)


class LooseWindows:
    """Batches of windows over one running text, shuffled, none of which knows what stands before it.

    Parameters
    ----------
    ids : (n,) the text. Its targets are the ids that follow, and ``eos_id`` after the last.
    batch_size : B, windows in a batch; the last batch of an epoch may have fewer.
    window : T, steps of a window.

    Up to T - 1 ids at the end, which would fill no further window, are left out.
    """

    carries_state = False

    def __init__(self, ids: np.ndarray, batch_size: int, window: int, eos_id: int):
        self.batch_size, self.window = check_size("batch_size", batch_size), check_size("window", window)
        self._ids, self._eos_id = np.asarray(ids), eos_id
        self._count = len(self._ids) // window
        if self._count < batch_size:
            raise _too_small(self._ids, batch_size, window)

    def __len__(self) -> int:
        return -(-self._count // self.batch_size)

    def epoch(self, rng: np.random.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        """All windows once, in an order drawn from ``rng``, or without it in that of the text."""
        order = np.arange(self._count) if rng is None else rng.permutation(self._count)
        for first in range(start * self.batch_size, self._count, self.batch_size):
            begins = order[first : first + self.batch_size] * self.window
            yield _batch(_at(self._ids, begins[:, None] + np.arange(self.window + 1), self._eos_id))


def running_text(sequences: Sequence[np.ndarray], eos_id: int) -> np.ndarray:
    """Several sequences as one running text, with the end symbol between them; (n,), of their dtype."""
    if len(sequences) == 1:
        return sequences[0]
    text = np.full(sum(map(len, sequences)) + len(sequences) - 1, eos_id, sequences[0].dtype)
    place = 0
    for ids in sequences:
        text[place : place + len(ids)] = ids
        place += len(ids) + 1
    return text


def _at(ids: np.ndarray, places: np.ndarray, eos_id: int) -> np.ndarray:
    """The ids at these places, and the end symbol at the place after the last."""
    return np.where(places < len(ids), ids.take(places, mode="clip"), eos_id)


def _batch(stretches: np.ndarray) -> Batch:
    """Inputs, and as targets what follows each of them, from stretches of one more step, (B, T + 1)."""
    stretches = stretches.astype(np.int32).T
    return Batch(np.ascontiguousarray(stretches[:-1]), np.ascontiguousarray(stretches[1:]))


def _too_small(ids: np.ndarray, batch_size: int, window: int) -> InputError:
    return InputError(
        f"a text of {len(ids):,} symbols is too small for one batch of {batch_size} windows of {window};"
        f" it needs {batch_size * window:,}: choose a smaller batch size or window"
    )
