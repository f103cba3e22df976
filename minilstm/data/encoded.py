"""Many texts as ids, in little memory.

An array for each line of a large file would take more memory than its ids, and an id of
four bytes four times that of a letter. So all ids lie in one array, in the smallest type
that holds the vocabulary: one byte each for up to 256 characters.

    texts   ab, c        ids  1 2 3        ends  2 3
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np

from minilstm.data.protocol import Tokenizer
from minilstm.data.punctuation import pieces

CHUNK = 1 << 20  # ids that are widened at a time


class EncodedTexts(Sequence[np.ndarray]):
    """The ids of texts, without the end symbol; texts without any id are left out.

    Parameters
    ----------
    tokenizer, texts : whose ids of what.

    Attributes
    ----------
    ids : (n,) of all texts, one after the other, in an unsigned type.
    ends : (number of texts,) where each ends among them.
    """

    def __init__(self, tokenizer: Tokenizer, texts: Iterable[str]):
        dtype = np.min_scalar_type(tokenizer.vocab_size - 1)
        memory, ends = bytearray(), array("q", [0])
        for text in texts:
            for piece in pieces(text):  # int32 for a short while, and for a short piece
                memory += tokenizer.encode(piece).astype(dtype).data
            end = len(memory) // dtype.itemsize
            if end > ends[-1]:
                ends.append(end)
        self.ids = np.frombuffer(memory, dtype)
        self.ends = np.array(ends[1:], np.int64)

    @property
    def lengths(self) -> np.ndarray:
        """(number of texts,) of ids."""
        return np.diff(self.ends, prepend=0)

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[np.ndarray]:
        start = 0
        for end in self.ends.data:
            yield self.ids[start:end]
            start = end

    @overload
    def __getitem__(self, place: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, place: slice) -> list[np.ndarray]: ...

    def __getitem__(self, place):
        """The ids of one text, (its length,), or of several; they share memory with ``ids``."""
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"there are {len(self)} texts, and none is number {place}")
        place %= len(self)
        return self.ids[self.ends[place - 1] if place else 0 : self.ends[place]]


def in_chunks(ids: np.ndarray) -> Iterator[np.ndarray]:
    """The ids as int32, some of them at a time."""
    for first in range(0, len(ids), CHUNK):
        yield ids[first : first + CHUNK].astype(np.int32)
