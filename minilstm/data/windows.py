"""Windows of a fixed length over one running text.

    text      a b c d e f g h i j k l      targets: the next token; the end token last

``WindowBatches`` lays the text out in B rows of equal length and cuts them into windows
of T time steps. The state at the end of a window is the initial state of the next, so
the model keeps its context. Gradients stop at the window's edge: truncated
backpropagation through time (Williams and Peng 1990). The windows must keep their
order.

    B = 2, T = 3      a b c | d e f
                      g h i | j k l        2 mini-batches of 2 windows

``StatelessWindows`` cuts the text into windows of T steps that each begin with a zero
state. They can be shuffled, but at its beginning a window has no context.

Keras calls a model that is trained in the first way stateful, in the second stateless.

Shapes: inputs and targets (T, B).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from minilstm.checks import check_size
from minilstm.errors import InputError
from minilstm.models.batch import Batch


class WindowBatches:
    """Mini-batches of windows in the order of the text; each passes on its state.

    Parameters
    ----------
    ids : (n,) ids of the text.
    batch_size : B, number of rows. Up to B - 1 ids at the end of the text are dropped.
    window : T, time steps; the last window of an epoch may be shorter.
    eos_id : target after the last id.

    Raises
    ------
    InputError : if the text is too short for one mini-batch.
    """

    carries_state = True

    def __init__(self, ids: np.ndarray, batch_size: int, window: int, eos_id: int):
        self.batch_size = check_size("batch_size", batch_size)
        self.window = check_size("window", window)
        ids = np.asarray(ids)
        self._length = len(ids) // batch_size
        if self._length < window:
            raise _too_small(ids, batch_size, window)
        self._rows = ids[: batch_size * self._length].reshape(batch_size, self._length)
        # (B,) after each row
        self._after = _at(ids, np.arange(1, batch_size + 1) * self._length, eos_id)

    def __len__(self) -> int:
        return -(-self._length // self.window)

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """The windows in the order of the text, from mini-batch ``start`` on."""
        for first in range(start * self.window, self._length, self.window):
            stretch = self._rows[:, first : first + self.window + 1]  # (B, T + 1)
            if first + self.window >= self._length:
                stretch = np.column_stack([stretch, self._after])
            yield _batch(stretch)


class StatelessWindows:
    """Mini-batches of shuffled windows, which each begin with a zero state.

    Parameters
    ----------
    ids : (n,) ids of the text.
    batch_size : B, windows in a mini-batch; the last of an epoch may have fewer.
    window : T, time steps. Up to T - 1 ids at the end of the text are dropped.
    eos_id : target after the last id.

    Raises
    ------
    InputError : if the text is too short for one mini-batch.
    """

    carries_state = False

    def __init__(self, ids: np.ndarray, batch_size: int, window: int, eos_id: int):
        self.batch_size = check_size("batch_size", batch_size)
        self.window = check_size("window", window)
        self._ids, self._eos_id = np.asarray(ids), eos_id
        self._count = len(self._ids) // window
        if self._count < batch_size:
            raise _too_small(self._ids, batch_size, window)

    def __len__(self) -> int:
        return -(-self._count // self.batch_size)

    def epoch(
        self, rng: np.random.Generator | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """All windows in random order, from ``start`` on; without rng in order."""
        order = np.arange(self._count) if rng is None else rng.permutation(self._count)
        for first in range(start * self.batch_size, self._count, self.batch_size):
            begins = order[first : first + self.batch_size] * self.window
            yield _batch(
                _at(
                    self._ids,
                    begins[:, None] + np.arange(self.window + 1),
                    self._eos_id,
                )
            )


def running_text(sequences: Sequence[np.ndarray], eos_id: int) -> np.ndarray:
    """Join sequences (n,) to one running text, with the end token between them."""
    if len(sequences) == 1:
        return sequences[0]
    text = np.full(
        sum(map(len, sequences)) + len(sequences) - 1, eos_id, sequences[0].dtype
    )
    place = 0
    for ids in sequences:
        text[place : place + len(ids)] = ids
        place += len(ids) + 1
    return text


def _at(ids: np.ndarray, places: np.ndarray, eos_id: int) -> np.ndarray:
    """The ids at these places; the end token at the place after the last."""
    return np.where(places < len(ids), ids.take(places, mode="clip"), eos_id)


def _batch(stretches: np.ndarray) -> Batch:
    """Inputs and targets from stretches (B, T + 1): the targets are one step ahead."""
    stretches = stretches.astype(np.int32).T
    return Batch(
        np.ascontiguousarray(stretches[:-1]), np.ascontiguousarray(stretches[1:])
    )


def _too_small(ids: np.ndarray, batch_size: int, window: int) -> InputError:
    return InputError(
        f"a text of {len(ids):,} tokens is too small for one mini-batch of {batch_size}"
        f" windows of {window};"
        f" it needs {batch_size * window:,}: choose a smaller batch size or window"
    )
