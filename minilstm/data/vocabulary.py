"""What tokenizers of words and of tokens between white space have in common: the ids.

id 0                padding, and the end of a sequence
id 1                [UNK], any token outside the vocabulary
ids 2 to K + 1      the K tokens of the vocabulary
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from minilstm.data.protocol import check_form, check_id, each_id, visible
from minilstm.errors import InputError

SHOWN_FOR_UNKNOWN = "[UNK]"
Kind = TypeVar("Kind", bound="Vocabulary")
SPECIAL = 2  # padding and unknown: the first token has this id


@dataclass(frozen=True)
class Vocabulary(ABC):
    """Ids of tokens; the base of tokenizers that have an id for unknown ones.

    Attributes
    ----------
    tokens : the tokens of the vocabulary; ``tokens[k]`` has the id ``k + 2``.
    """

    tokens: tuple[str, ...]

    kind: ClassVar[str]  # of the tokenizer, in JSON
    unit: ClassVar[str]  # what a token is, for messages
    form: ClassVar[str]  # what each of the tokens must be, for messages
    padding_id: ClassVar[int] = 0
    unknown_id: ClassVar[int] = 1
    eos_id: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if not isinstance(self.tokens, tuple):
            raise InputError(
                f"tokens must be a tuple of {self.unit}s, not"
                f" {type(self.tokens).__name__}"
            )
        if not self.tokens:
            raise InputError(
                f"a tokenizer needs at least one {self.unit}:"
                " give it a text that is not empty"
            )
        seen = set()
        for position, token in enumerate(self.tokens):
            if not isinstance(token, str) or not self._is_token(token):
                raise InputError(
                    f"tokens[{position}] must be {self.form}, not {token!r}"
                )
            if token in seen:
                raise InputError(
                    f"tokens[{position}] = {token!r} is a duplicate: keep one of them"
                )
            seen.add(token)

    @classmethod
    @abstractmethod
    def _is_token(cls, text: str) -> bool:
        """Whether a text is exactly one token."""

    @property
    def vocab_size(self) -> int:
        """V, number of ids, padding and unknown included."""
        return len(self.tokens) + SPECIAL

    def show(self, id_: int) -> str:
        """An id for a table: a token, ``[UNK]`` or ``<eos>``.

        Invisible characters are escaped. Raises InputError as ``decode`` does.
        """
        check_id(id_, self.vocab_size)
        if id_ == self.eos_id:
            return "<eos>"
        if id_ == self.unknown_id:
            return SHOWN_FOR_UNKNOWN
        return visible(self.tokens[id_ - SPECIAL])

    def to_json(self) -> dict[str, Any]:
        """The tokenizer as JSON types, for ``from_json``."""
        return {"kind": self.kind, "tokens": list(self.tokens)}

    @classmethod
    def from_json(cls: type[Kind], form: dict[str, Any]) -> Kind:
        """The tokenizer that ``to_json`` returned; InputError for anything else."""
        check_form(form, cls.kind)
        return cls(tuple(form["tokens"]))

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: {len(self.tokens)} {self.unit}s, vocab_size"
            f" {self.vocab_size}>"
        )

    def _words(self, ids: Iterable[int]) -> Iterator[str]:
        """The tokens of ids up to the first 0."""
        for value in each_id(ids, self.vocab_size):
            if value == self.eos_id:
                return
            unknown = value == self.unknown_id
            yield SHOWN_FOR_UNKNOWN if unknown else self.tokens[value - SPECIAL]

    @cached_property
    def _id_of(self) -> dict[str, int]:
        return {token: position + SPECIAL for position, token in enumerate(self.tokens)}

    @classmethod
    def _most(cls, limit: int | None) -> int | None:
        """How many tokens a limit of ids leaves; InputError for a wrong limit."""
        if limit is None:
            return None
        smallest = SPECIAL + 1
        whole = isinstance(limit, numbers.Integral) and not isinstance(limit, bool)
        if not whole or limit < smallest:
            raise InputError(
                f"limit must be a whole number of at least {smallest} (padding, unknown"
                f" {cls.unit}s and one {cls.unit}), not {limit!r}"
            )
        return limit - SPECIAL
