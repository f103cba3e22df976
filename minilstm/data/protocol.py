"""What a model may ask of a tokenizer, whatever an id stands for.

There are two: ``CharTokenizer`` (an id is a character) and ``WordTokenizer`` (an id is a word or a punctuation mark).
Training, generation and checkpoints know only what stands in ``Tokenizer``, so that neither of the two is a special
case. The checks below it are shared by both, for the same mistake deserves the same sentence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from minilstm.errors import InputError


class Tokenizer(Protocol):
    """Texts to dense ids, 0 to ``vocab_size - 1``, and back."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The characters or words that have an id of their own, in the order of their ids."""

    @property
    def unit(self) -> str:
        """What an id stands for: "character" or "word"; for messages."""

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""

    @property
    def padding_id(self) -> int:
        """The id that fills up short sequences in a batch."""

    @property
    def unknown_id(self) -> int | None:
        """The id of whatever has none of its own, or None if such symbols are refused."""

    @property
    def eos_id(self) -> int:
        """The id of the end of a sequence; it may be that of padding."""

    def encode(self, text: str) -> npt.NDArray[np.int32]:
        """The ids of the text, without the end."""

    def decode(self, ids: Iterable[int]) -> str:
        """The text that the ids stand for, up to the first end."""

    def complete(self, prompt: str, ids: Iterable[int]) -> str:
        """The prompt as it was typed, continued by what the ids stand for, up to the first end."""

    def pieces(self, prompt: str, ids: Iterable[int]) -> Iterator[str]:
        """What ``complete`` returns, piece by piece from left to right, each as soon as there are ids enough to know it."""

    def show(self, id_: int) -> str:
        """One id as a table shows it, on one line and never invisible."""

    def to_json(self) -> dict[str, Any]:
        """The tokenizer in plain JSON types; ``minilstm.data.words.tokenizer_from_json`` takes it back."""


class Corpus(Protocol):
    """A source of texts whose entropy is known exactly: ``Grammar`` for characters, ``WordGrammar`` for words."""

    @property
    def floor(self) -> float:
        """Nats a predicted character or word, below which no model can get on average."""

    def sample_many(self, count: int, rng: np.random.Generator) -> list[str]:
        """So many texts, drawn at random; the same whether they are asked for at once or in several calls."""

    def accepts(self, text: str) -> bool:
        """Whether the corpus could have written this text."""


def check_text(text: str) -> None:
    """Raise InputError for anything but a string."""
    if not isinstance(text, str):
        raise InputError(f"text must be a string, not {type(text).__name__}")


def each_text(texts: Iterable[str], example: str = "fit([text])") -> Iterator[str]:
    """Go through the texts; InputError for one string, and at the first that is no string."""
    if isinstance(texts, str):
        raise InputError(f"texts must be a list of strings, not one string: write {example}")
    if not isinstance(texts, Iterable):
        raise InputError(f"texts must be a list of strings, not {type(texts).__name__}")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"texts[{position}] must be a string, not {type(text).__name__}")
        yield text


def each_id(ids: Iterable[int], vocab_size: int) -> Iterator[int]:
    """Go through the ids; InputError at the first that is not an integer or stands for nothing."""
    values = ids.tolist() if isinstance(ids, np.ndarray) else ids  # plain ints are faster to walk through
    if not isinstance(values, Iterable):
        raise InputError(f"ids must be a sequence of integers, not {values!r}")
    for position, value in enumerate(values):
        check_id(value, vocab_size, position)
        yield value


def check_id(value: int, vocab_size: int, position: int | None = None) -> None:
    """Raise InputError for what is no integer from 0 to ``vocab_size - 1``."""
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if is_integer and 0 <= value < vocab_size:
        return
    where = "" if position is None else f" at position {position} (counted from 0)"
    if not is_integer:
        raise InputError(f"the id {value!r}{where} is no integer")
    raise InputError(f"the id {value}{where} is out of range: this tokenizer's ids are 0 to {vocab_size - 1}")


def check_form(form: dict[str, Any], kind: str, *fields: str) -> None:
    """Raise InputError unless ``form`` is what a tokenizer of this kind wrote, as far as its fields go."""
    if not isinstance(form, dict):
        raise InputError(f"a tokenizer is kept as a JSON object, not as {type(form).__name__}")
    for field in ("kind", "symbols", *fields):
        if field not in form:
            raise InputError(f"the tokenizer's JSON lacks the field {field!r}: write it with to_json")
    if form["kind"] != kind:
        raise InputError(f"the tokenizer's JSON has the kind {form['kind']!r}, not {kind!r}")
    if not isinstance(form["symbols"], list):
        raise InputError(f"the tokenizer's symbols must be a list, not {form['symbols']!r}")


def visible(symbol: str) -> str:
    """The symbol itself, or in quotes and escaped as Python does it what cannot be seen: ``' '``, ``'\\n'``, ``'\\u0301'``."""
    shown = "".join(character if character.isprintable() else _escape(character) for character in symbol)
    if unicodedata.category(symbol[0])[0] == "M":  # an accent would sit on what stands before it in the table
        shown = _escape(symbol[0]) + shown[1:]
    return shown if shown == symbol and not symbol.isspace() else f"'{shown}'"


def _escape(character: str) -> str:
    return ascii(character)[1:-1]
