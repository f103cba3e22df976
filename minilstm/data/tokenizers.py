"""From characters to numbers and back.

A network cannot read: it sees a row of integers, and each integer picks a row of the embedding table. The
tokenizer decides which integer stands for which character, by looking once at the texts to be learned:

    id 0                    padding: fills up short sequences in a batch, and is never predicted
    ids 1 to K              the K characters of the texts, the most frequent first
    id K + 1                any other character, if the tokenizer was asked to have such an id
    the last id             <eos>, the end of a sequence

Ids are dense: every number below `vocab_size` means something, so that no row of the embedding is wasted. The
order by falling frequency and the places of padding and <eos> are those of the character-level headline model
in Microsoft's "AI for Beginners" (lesson 17, generative networks).

A character is one Unicode code point. Python strings may hold any of them, lone surrogates (U+D800 to U+DFFF)
included, and so may the texts here: decoding what was encoded gives back every text exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from minilstm.data.protocol import check_form, check_id, check_text, each_id, each_text, visible
from minilstm.errors import InputError, UnknownSymbolError

CHUNK = 1 << 20  # characters that are encoded at a time, so that what is needed meanwhile stays small
SHOWN_FOR_UNKNOWN = "\ufffd"  # U+FFFD, Unicode's own REPLACEMENT CHARACTER


@dataclass(frozen=True)
class CharTokenizer:
    """Characters to dense ids and back; made by `CharTokenizer.fit`, and never changed afterwards.

    Attributes
    ----------
    symbols : the characters with an id of their own; `symbols[k]` has the id `k + 1`.
    unknown : whether there is an id for all other characters.
    """

    symbols: tuple[str, ...]
    unknown: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.symbols, tuple):
            raise InputError(f"symbols must be a tuple of characters, not {type(self.symbols).__name__}")
        if not self.symbols:
            raise InputError("a tokenizer needs at least one symbol: give it a text that is not empty")
        if not isinstance(self.unknown, bool):
            raise InputError(f"unknown must be True or False, not {self.unknown!r}")
        seen = set()
        for position, symbol in enumerate(self.symbols):
            if not isinstance(symbol, str) or len(symbol) != 1:
                raise InputError(f"symbols[{position}] must be a single character, not {symbol!r}")
            if symbol in seen:
                raise InputError(f"symbols[{position}] = {symbol!r} is a duplicate: keep one of them")
            seen.add(symbol)

    @classmethod
    def fit(cls, texts: Iterable[str], unknown: bool = False) -> CharTokenizer:
        """Give an id to every character of the texts, the most frequent first, ties by first appearance.

        Raises InputError if `texts` is one string, holds anything but strings, or has no character at all.
        """
        counts: Counter[str] = Counter()
        for text in each_text(texts):
            counts.update(text)
        return cls(tuple(symbol for symbol, _ in counts.most_common()), unknown)

    @property
    def unit(self) -> str:
        """What an id stands for."""
        return "character"

    @property
    def padding_id(self) -> int:
        """The id that fills up short sequences: 0."""
        return 0

    @property
    def unknown_id(self) -> int | None:
        """The id of all characters without one of their own, or None if such characters are refused."""
        return len(self.symbols) + 1 if self.unknown else None

    @property
    def eos_id(self) -> int:
        """The id of the end of a sequence: the last one."""
        return self.vocab_size - 1

    @property
    def vocab_size(self) -> int:
        """How many ids there are, padding and <eos> included."""
        return len(self.symbols) + (3 if self.unknown else 2)

    def encode(self, text: str) -> npt.NDArray[np.int32]:
        """The ids of the text's characters, shape (len(text),); <eos> is not appended.

        Raises
        ------
        UnknownSymbolError : at the first character that has no id, unless the tokenizer has an `unknown_id`.
        InputError : if `text` is not a string.
        """
        check_text(text)
        ids = np.empty(len(text), np.int32)
        for first in range(0, len(text), CHUNK):
            codes = _code_points(text[first : first + CHUNK])
            chunk = ids[first : first + len(codes)]
            self._id_of_code.take(codes, out=chunk, mode="clip")
            is_unknown = chunk == 0  # the id of padding, which is no character
            if is_unknown.any():
                if self.unknown_id is None:
                    raise _unknown_symbol(text, first + int(is_unknown.argmax()))
                chunk[is_unknown] = self.unknown_id
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text that the ids stand for, up to the first <eos>; padding is skipped, unknown is U+FFFD.

        Raises InputError at the first id that is not an integer or stands for nothing.
        """
        return "".join(self.pieces("", ids))

    def complete(self, prompt: str, ids: Iterable[int]) -> str:
        """The prompt as it was typed, continued by what the ids stand for, up to the first <eos>."""
        return "".join(self.pieces(prompt, ids))

    def pieces(self, prompt: str, ids: Iterable[int]) -> Iterator[str]:
        """What ``complete`` returns, from left to right: the prompt, then a character for each id."""
        check_text(prompt)
        yield prompt
        shown, eos_id = ["", *self.symbols, SHOWN_FOR_UNKNOWN], self.eos_id
        for value in each_id(ids, self.vocab_size):
            if value == eos_id:
                return
            yield shown[value]

    def show(self, id_: int) -> str:
        """One id as a table shows it: a character, ``<padding>``, ``[UNK]``, ``<eos>``; a space as ``' '``.

        Raises InputError for an id that is not an integer or stands for nothing.
        """
        check_id(id_, self.vocab_size)
        if id_ == self.padding_id:
            return "<padding>"
        if id_ == self.eos_id:
            return "<eos>"
        return "[UNK]" if id_ == self.unknown_id else visible(self.symbols[id_ - 1])

    def to_json(self) -> dict[str, Any]:
        """The tokenizer in plain JSON types; `CharTokenizer.from_json` takes it back."""
        # A list and not one string, in which JSON would melt two neighbouring surrogates into one symbol.
        return {"kind": "characters", "symbols": list(self.symbols), "unknown": self.unknown}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> CharTokenizer:
        """The tokenizer that `to_json` wrote down; InputError, saying what is wrong, for anything else."""
        check_form(form, "characters", "unknown")
        return cls(tuple(form["symbols"]), form["unknown"])

    def __repr__(self) -> str:
        return f"<CharTokenizer: {len(self.symbols)} symbols, vocab_size {self.vocab_size}>"

    @cached_property
    def _id_of_code(self) -> npt.NDArray[np.int32]:
        """(largest code point + 2,): the id of each code point, 0 for one without and for all beyond."""
        codes = _code_points("".join(self.symbols))
        ids = np.zeros(int(codes.max()) + 2, np.int32)
        ids[codes] = np.arange(1, len(codes) + 1)
        return ids


def _unknown_symbol(text: str, position: int) -> UnknownSymbolError:
    symbol = text[position]
    return UnknownSymbolError(
        f"the tokenizer does not know the symbol {symbol!r} (U+{ord(symbol):04X}) at position {position}"
        " (counted from 0), which is not in the texts that it was made from: leave it out"
    )


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
