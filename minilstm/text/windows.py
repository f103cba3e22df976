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
from minilstm.text.batches import Batch


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
        ids, following = _shifted(ids, eos_id)
        length = len(ids) // batch_size
        if length < window:
            raise _too_small(ids, batch_size, window)
        rows = (batch_size, length)
        self._inputs = np.ascontiguousarray(ids[: batch_size * length].reshape(rows).T)  # (length, B)
        self._targets = np.ascontiguousarray(following[: batch_size * length].reshape(rows).T)  # (length, B)

    def __len__(self) -> int:
        return -(-len(self._inputs) // self.window)

    def epoch(self, rng: np.random.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        """The windows in the order of the text; there is nothing to shuffle, so ``rng`` stays untouched."""
        for first in range(start * self.window, len(self._inputs), self.window):
            window = slice(first, first + self.window)
            yield Batch(self._inputs[window], self._targets[window])


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
        ids, following = _shifted(ids, eos_id)
        count = len(ids) // window
        if count < batch_size:
            raise _too_small(ids, batch_size, window)
        self._inputs = ids[: count * window].reshape(count, window)  # (windows, T)
        self._targets = following[: count * window].reshape(count, window)  # (windows, T)

    def __len__(self) -> int:
        return -(-len(self._inputs) // self.batch_size)

    def epoch(self, rng: np.random.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        """All windows once, in an order drawn from ``rng``, or without it in that of the text."""
        count = len(self._inputs)
        order = np.arange(count) if rng is None else rng.permutation(count)
        for first in range(start * self.batch_size, count, self.batch_size):
            chosen = order[first : first + self.batch_size]
            yield Batch(np.ascontiguousarray(self._inputs[chosen].T), np.ascontiguousarray(self._targets[chosen].T))


def running_text(sequences: Sequence[np.ndarray], eos_id: int) -> np.ndarray:
    """Several sequences as one running text, with the end symbol between them; (n,)."""
    pieces = [piece for ids in sequences for piece in (ids, [eos_id])]
    return np.concatenate(pieces[:-1]).astype(np.int32)


def _shifted(ids, eos_id: int) -> tuple[np.ndarray, np.ndarray]:
    ids = np.asarray(ids)
    return ids, np.append(ids[1:], eos_id)


def _too_small(ids: np.ndarray, batch_size: int, window: int) -> InputError:
    return InputError(
        f"a text of {len(ids):,} symbols is too small for one batch of {batch_size} windows of {window};"
        f" it needs {batch_size * window:,}: choose a smaller batch size or window"
    )
