"""Tokens between white space, as they are: for texts that others have split already.

A tagger has one label for each token, so tokens must not be split or changed. The ids:

    id 0                padding
    id 1                [UNK], any token outside the vocabulary
    ids 2 to K + 1      the K tokens of the vocabulary, the most frequent first

Tokens that occur once in the texts are left out, so that a model sees unknown tokens in
training and learns what to do with them.
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
from minilstm.errors import InputError

SHOWN_FOR_UNKNOWN = "[UNK]"
SPECIAL = 2  # padding and unknown: the first token has this id


@dataclass(frozen=True)
class WhitespaceTokenizer:
    """Tokens between white space to ids and back; immutable.

    Attributes
    ----------
    tokens : the tokens of the vocabulary; ``tokens[k]`` has the id ``k + 2``.
    """

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.tokens, tuple) or not self.tokens:
            raise InputError("tokens must be a tuple of at least one token")
        seen = set()
        for position, token in enumerate(self.tokens):
            if not isinstance(token, str) or token.split() != [token]:
                raise InputError(
                    f"tokens[{position}] must be one token without white space, not"
                    f" {token!r}"
                )
            if token in seen:
                raise InputError(
                    f"tokens[{position}] = {token!r} is a duplicate: keep one of them"
                )
            seen.add(token)

    @classmethod
    def fit(cls, texts: Iterable[str], limit: int | None = None) -> WhitespaceTokenizer:
        """Make a tokenizer of the tokens that occur at least twice, or of all.

        Parameters
        ----------
        texts : strings, usually the training set.
        limit : most ids, those of padding and [UNK] included. Default: no limit.

        Raises
        ------
        InputError : if the texts have no token, or ``limit`` is below 3.
        """
        if limit is not None and limit <= SPECIAL:
            raise InputError(f"limit must be at least {SPECIAL + 1}, not {limit!r}")
        counts: Counter[str] = Counter()
        for text in each_text(texts):
            counts.update(text.split())
        several = [token for token, count in counts.most_common() if count > 1]
        tokens = several or [token for token, _ in counts.most_common()]
        return cls(tuple(tokens[: None if limit is None else limit - SPECIAL]))

    @property
    def unit(self) -> str:
        """What a token is, for messages."""
        return "token"

    @property
    def padding_id(self) -> int:
        """The id that fills up short sequences: 0."""
        return 0

    @property
    def unknown_id(self) -> int:
        """The id of tokens outside the vocabulary: 1."""
        return 1

    @property
    def eos_id(self) -> int:
        """The id of the end of a sequence: 0, as padding."""
        return 0

    @property
    def vocab_size(self) -> int:
        """V, number of ids, padding and unknown included."""
        return len(self.tokens) + SPECIAL

    def encode(self, text: str) -> npt.NDArray[np.int32]:
        """Ids (n,) int32 of the tokens of a text. InputError if it is not a string."""
        check_text(text)
        ids = [self._id_of.get(token, self.unknown_id) for token in text.split()]
        return np.array(ids, np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids up to the first 0, with spaces between tokens."""
        return " ".join(self._words(ids))

    def complete(self, prompt: str, ids: Iterable[int]) -> str:
        """The prompt, continued by the text of ids up to the first 0."""
        return "".join(self.chunks(prompt, ids))

    def chunks(self, prompt: str, ids: Iterable[int]) -> Iterator[str]:
        """The text of ``complete`` in parts: the prompt, then token by token."""
        check_text(prompt)
        yield prompt
        space = " " if prompt.rstrip() == prompt and prompt else ""
        for token in self._words(ids):
            yield space + token
            space = " "

    def show(self, id_: int) -> str:
        """An id for a table: a token, ``[UNK]`` or ``<eos>``."""
        check_id(id_, self.vocab_size)
        if id_ == self.eos_id:
            return "<eos>"
        unknown = id_ == self.unknown_id
        return SHOWN_FOR_UNKNOWN if unknown else visible(self.tokens[id_ - SPECIAL])

    def to_json(self) -> dict[str, Any]:
        """The tokenizer as JSON types, for ``WhitespaceTokenizer.from_json``."""
        return {"kind": "whitespace", "tokens": list(self.tokens)}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> WhitespaceTokenizer:
        """The tokenizer that ``to_json`` returned. InputError for anything else."""
        check_form(form, "whitespace")
        return cls(tuple(form["tokens"]))

    def __repr__(self) -> str:
        return (
            f"<WhitespaceTokenizer: {len(self.tokens)} tokens, vocab_size"
            f" {self.vocab_size}>"
        )

    def _words(self, ids: Iterable[int]) -> Iterator[str]:
        for value in each_id(ids, self.vocab_size):
            if value == self.eos_id:
                return
            unknown = value == self.unknown_id
            yield SHOWN_FOR_UNKNOWN if unknown else self.tokens[value - SPECIAL]

    @cached_property
    def _id_of(self) -> dict[str, int]:
        return {token: position + SPECIAL for position, token in enumerate(self.tokens)}
