"""Many texts as ids, in little memory.

An array for each line of a large file would need more memory than its ids, and an id of
four bytes four times that of a letter. So all ids are in one array, of the smallest
type that fits the vocabulary: one byte for up to 256 ids.

    texts   ab, c        ids  1 2 3        ends  2 3
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np

from minilstm.data.protocol import Tokenizer
from minilstm.data.punctuation import text_chunks

CHUNK = 1 << 20  # ids to convert at a time


class EncodedTexts(Sequence[np.ndarray]):
    """Ids of texts, without the end token; empty texts are skipped.

    Parameters
    ----------
    tokenizer : makes the ids.
    texts : strings.

    Attributes
    ----------
    ids : (n,) ids of all texts, one after the other, unsigned.
    ends : (number of texts,) index after the last id of each.
    """

    def __init__(self, tokenizer: Tokenizer, texts: Iterable[str]):
        dtype = np.min_scalar_type(tokenizer.vocab_size - 1)
        memory, ends = bytearray(), array("q", [0])
        for text in texts:
            for chunk in text_chunks(text):  # int32 for one short chunk only
                memory += tokenizer.encode(chunk).astype(dtype).data
            end = len(memory) // dtype.itemsize
            if end > ends[-1]:
                ends.append(end)
        self.ids = np.frombuffer(memory, dtype)
        self.ends = np.array(ends[1:], np.int64)

    @property
    def lengths(self) -> np.ndarray:
        """Number of ids of each text, (number of texts,)."""
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
        """Ids of one text (n,), or of several; views of ``ids``."""
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"there are {len(self)} texts, and none is number {place}")
        place %= len(self)
        return self.ids[self.ends[place - 1] if place else 0 : self.ends[place]]


def in_chunks(ids: np.ndarray) -> Iterator[np.ndarray]:
    """Iterate over ids as int32, ``CHUNK`` at a time."""
    for first in range(0, len(ids), CHUNK):
        yield ids[first : first + CHUNK].astype(np.int32)
