"""Characters as tokens: from text to ids and back.

A network reads integers: each id selects a row of the embedding. The tokenizer gives an
id to each character of the training set:

    id 0              padding: fills up short sequences, and is never predicted
    ids 1 to K        the K characters of the texts, the most frequent first
    id K + 1          any other character, if the tokenizer has such an id
    the last id       <eos>, the end of a sequence

All ids below `vocab_size` are used, so no row of the embedding is wasted. The order by
frequency, and the ids of padding and <eos>, are those of the character-level headline
model in Microsoft's "AI for Beginners" (lesson 17, generative networks).

A character is one Unicode code point. Lone surrogates (U+D800 to U+DFFF) are allowed,
as in Python strings. Decoding an encoded text gives back exactly the same text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from minilstm.data.protocol import (
    check_form,
    check_id,
    check_text,
    each_id,
    each_text,
    visible,
)
from minilstm.errors import InputError, UnknownTokenError

CHUNK = 1 << 20  # characters to encode at a time, which bounds the memory
SHOWN_FOR_UNKNOWN = "\ufffd"  # U+FFFD REPLACEMENT CHARACTER


@dataclass(frozen=True)
class CharTokenizer:
    """Characters to ids and back; made by `CharTokenizer.fit`, and immutable.

    Attributes
    ----------
    tokens : the characters of the vocabulary; `tokens[k]` has the id `k + 1`.
    unknown : whether there is an id for all other characters.
    """

    tokens: tuple[str, ...]
    unknown: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.tokens, tuple):
            raise InputError(
                "tokens must be a tuple of characters, not"
                f" {type(self.tokens).__name__}"
            )
        if not self.tokens:
            raise InputError(
                "a tokenizer needs at least one character: give it a text that is not"
                " empty"
            )
        if not isinstance(self.unknown, bool):
            raise InputError(f"unknown must be True or False, not {self.unknown!r}")
        seen = set()
        for position, character in enumerate(self.tokens):
            if not isinstance(character, str) or len(character) != 1:
                raise InputError(
                    f"tokens[{position}] must be a single character, not {character!r}"
                )
            if character in seen:
                raise InputError(
                    f"tokens[{position}] = {character!r} is a duplicate:"
                    " keep one of them"
                )
            seen.add(character)

    @classmethod
    def fit(cls, texts: Iterable[str], unknown: bool = False) -> CharTokenizer:
        """Make a tokenizer with an id for each character of the texts.

        The most frequent come first, equally frequent ones in the order of the texts.

        Parameters
        ----------
        texts : strings, usually the training set.
        unknown : whether to have an id for all other characters.

        Raises
        ------
        InputError : if `texts` is a single string, has anything but strings, or has no
            character at all.
        """
        counts: Counter[str] = Counter()
        for text in each_text(texts):
            counts.update(text)
        return cls(tuple(character for character, _ in counts.most_common()), unknown)

    @property
    def unit(self) -> str:
        """What a token is, for messages."""
        return "character"

    @property
    def padding_id(self) -> int:
        """The id that fills up short sequences: 0."""
        return 0

    @property
    def unknown_id(self) -> int | None:
        """The id of characters outside the vocabulary; None if they are refused."""
        return len(self.tokens) + 1 if self.unknown else None

    @property
    def eos_id(self) -> int:
        """The id of the end of a sequence: the last."""
        return self.vocab_size - 1

    @property
    def vocab_size(self) -> int:
        """V, number of ids, padding and <eos> included."""
        return len(self.tokens) + (3 if self.unknown else 2)

    def encode(self, text: str) -> npt.NDArray[np.int32]:
        """Ids of the characters of a text.

        Returns
        -------
        (len(text),) int32, without <eos>.

        Raises
        ------
        UnknownTokenError : at the first character outside the vocabulary, unless the
            tokenizer has an `unknown_id`.
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
                    raise _unknown_character(text, first + int(is_unknown.argmax()))
                chunk[is_unknown] = self.unknown_id
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids up to the first <eos>, without padding; unknown is U+FFFD.

        Raises
        ------
        InputError : at the first id that is not an integer, or out of range.
        """
        return "".join(self.chunks("", ids))

    def complete(self, prompt: str, ids: Iterable[int]) -> str:
        """The prompt, continued by the text of ids up to the first <eos>."""
        return "".join(self.chunks(prompt, ids))

    def chunks(self, prompt: str, ids: Iterable[int]) -> Iterator[str]:
        """The text of ``complete`` in parts: the prompt, then single characters."""
        check_text(prompt)
        yield prompt
        shown, eos_id = ["", *self.tokens, SHOWN_FOR_UNKNOWN], self.eos_id
        for value in each_id(ids, self.vocab_size):
            if value == eos_id:
                return
            yield shown[value]

    def show(self, id_: int) -> str:
        """An id for a table: a character, ``<padding>``, ``[UNK]`` or ``<eos>``.

        A space is shown as ``' '``. Raises InputError as ``decode`` does.
        """
        check_id(id_, self.vocab_size)
        if id_ == self.padding_id:
            return "<padding>"
        if id_ == self.eos_id:
            return "<eos>"
        return "[UNK]" if id_ == self.unknown_id else visible(self.tokens[id_ - 1])

    def to_json(self) -> dict[str, Any]:
        """The tokenizer as JSON types, for `CharTokenizer.from_json`."""
        # Not one string: JSON would join two neighbouring surrogates to one character.
        return {
            "kind": "characters",
            "tokens": list(self.tokens),
            "unknown": self.unknown,
        }

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> CharTokenizer:
        """The tokenizer that `to_json` returned; InputError for anything else."""
        check_form(form, "characters", "unknown")
        return cls(tuple(form["tokens"]), form["unknown"])

    def __repr__(self) -> str:
        return (
            f"<CharTokenizer: {len(self.tokens)} characters, vocab_size"
            f" {self.vocab_size}>"
        )

    @cached_property
    def _id_of_code(self) -> npt.NDArray[np.int32]:
        """The id of each code point, 0 if it has none; (largest code point + 2,)."""
        codes = _code_points("".join(self.tokens))
        ids = np.zeros(int(codes.max()) + 2, np.int32)
        ids[codes] = np.arange(1, len(codes) + 1)
        return ids


def _unknown_character(text: str, position: int) -> UnknownTokenError:
    character = text[position]
    return UnknownTokenError(
        f"the tokenizer does not know the character {character!r}"
        f" (U+{ord(character):04X}) at position {position}"
        " (counted from 0), which is not in the texts that it was made from:"
        " leave it out"
    )


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
