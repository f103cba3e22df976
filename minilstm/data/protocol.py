"""What a tokenizer and a corpus must offer, and checks that tokenizers share.

There are two tokenizers: ``CharTokenizer`` (a token is a character) and
``WordTokenizer`` (a token is a word or a punctuation mark). Training, generation and
checkpoints use only the methods of ``Tokenizer``, so neither is a special case.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from minilstm.errors import InputError


class Tokenizer(Protocol):
    """Texts to ids, 0 to ``vocab_size - 1``, and back."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """The characters or words of the vocabulary, in the order of their ids."""

    @property
    def unit(self) -> str:
        """What a token is, "character" or "word", for messages."""

    @property
    def vocab_size(self) -> int:
        """V, number of ids."""

    @property
    def padding_id(self) -> int:
        """The id that fills up short sequences in a mini-batch."""

    @property
    def unknown_id(self) -> int | None:
        """The id of tokens outside the vocabulary; None if they are refused."""

    @property
    def eos_id(self) -> int:
        """The id of the end of a sequence; it may be that of padding."""

    def encode(self, text: str) -> npt.NDArray[np.int32]:
        """Ids (n,) int32 of a text, without the end."""

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids up to the first end."""

    def complete(self, prompt: str, ids: Iterable[int]) -> str:
        """The prompt, continued by the text of ids up to the first end."""

    def chunks(self, prompt: str, ids: Iterable[int]) -> Iterator[str]:
        """The text of ``complete`` in parts, each as soon as its ids are known."""

    def show(self, id_: int) -> str:
        """An id for a table: on one line, and visible."""

    def to_json(self) -> dict[str, Any]:
        """The tokenizer as JSON types, for ``data.words.tokenizer_from_json``."""


class Corpus(Protocol):
    """A source of texts of known entropy: ``Grammar`` or ``WordGrammar``."""

    @property
    def floor(self) -> float:
        """Entropy floor in nats per token; no model's loss is lower on average."""

    def sample_many(self, count: int, rng: np.random.Generator) -> list[str]:
        """``count`` random texts; the same in one call or in several."""

    def accepts(self, text: str) -> bool:
        """Whether the corpus can produce this text."""


def check_text(text: str) -> None:
    """Raise InputError for anything but a string."""
    if not isinstance(text, str):
        raise InputError(f"text must be a string, not {type(text).__name__}")


def each_text(texts: Iterable[str], example: str = "fit([text])") -> Iterator[str]:
    """Iterate over texts. InputError for a single string, or one that is no string."""
    if isinstance(texts, str):
        raise InputError(
            f"texts must be a list of strings, not one string: write {example}"
        )
    if not isinstance(texts, Iterable):
        raise InputError(f"texts must be a list of strings, not {type(texts).__name__}")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                f"texts[{position}] must be a string, not {type(text).__name__}"
            )
        yield text


def each_id(ids: Iterable[int], vocab_size: int) -> Iterator[int]:
    """Iterate over ids. InputError at one that is no integer or out of range."""
    # plain ints are faster
    values = ids.tolist() if isinstance(ids, np.ndarray) else ids
    if not isinstance(values, Iterable):
        raise InputError(f"ids must be a sequence of integers, not {values!r}")
    for position, value in enumerate(values):
        check_id(value, vocab_size, position)
        yield value


def check_id(value: int, vocab_size: int, position: int | None = None) -> None:
    """Raise InputError unless value is an integer from 0 to ``vocab_size - 1``."""
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if is_integer and 0 <= value < vocab_size:
        return
    where = "" if position is None else f" at position {position} (counted from 0)"
    if not is_integer:
        raise InputError(f"the id {value!r}{where} is no integer")
    raise InputError(
        f"the id {value}{where} is out of range: this tokenizer's ids are 0 to"
        f" {vocab_size - 1}"
    )


def check_form(form: dict[str, Any], kind: str, *fields: str) -> None:
    """Raise InputError unless ``form`` has the fields of a tokenizer of this kind."""
    if not isinstance(form, dict):
        raise InputError(
            f"a tokenizer is kept as a JSON object, not as {type(form).__name__}"
        )
    for field in ("kind", "tokens", *fields):
        if field not in form:
            raise InputError(
                f"the tokenizer's JSON lacks the field {field!r}: write it with to_json"
            )
    if form["kind"] != kind:
        raise InputError(
            f"the tokenizer's JSON has the kind {form['kind']!r}, not {kind!r}"
        )
    if not isinstance(form["tokens"], list):
        raise InputError(
            f"the tokenizer's tokens must be a list, not {form['tokens']!r}"
        )


def visible(token: str) -> str:
    """A token; an invisible one is escaped: ``' '``, ``'\\n'``, ``'\\u0301'``."""
    shown = "".join(
        character if character.isprintable() else _escape(character)
        for character in token
    )
    # an accent would join the character before it
    if unicodedata.category(token[0])[0] == "M":
        shown = _escape(token[0]) + shown[1:]
    return shown if shown == token and not token.isspace() else f"'{shown}'"


def _escape(character: str) -> str:
    return ascii(character)[1:-1]
