"""From words to numbers and back.

A word model predicts the next word where a character model predicts the next letter: a recipe is then 200 steps long
and not 1,000, no word is ever misspelt, and what was not among the words at the start can never be said. The ids:

    id 0                    padding, and the end of a sequence: after the last word comes nothing
    id 1                    [UNK], any word without an id of its own
    ids 2 to K + 1          the K most frequent words of the texts, the most frequent first

This is the vocabulary of D. Foster, Generative Deep Learning (2nd edition, 2023), chapter 5, there made by Keras's
TextVectorization with 10,000 ids in all; words of equal frequency stand from z to a, as Keras sorts them. What a word
is, ``split_words`` says; since it sets brackets apart, a text that has "[UNK]" in it has the three words ``[ unk ]``,
and none of them is the id 1.
"""

from __future__ import annotations

import numbers
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from minilstm.data.protocol import Tokenizer, check_form, check_id, check_text, each_id, each_text, visible
from minilstm.data.punctuation import join_words, pieces, spaced, split_words
from minilstm.data.tokenizers import CharTokenizer
from minilstm.errors import InputError

SHOWN_FOR_UNKNOWN = "[UNK]"
SPECIAL = 2  # padding and unknown: the first word has this id


@dataclass(frozen=True)
class WordTokenizer:
    """Words to dense ids and back; made by ``WordTokenizer.fit``, and never changed afterwards.

    Attributes
    ----------
    symbols : the words with an id of their own; ``symbols[k]`` has the id ``k + 2``.
    """

    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.symbols, tuple):
            raise InputError(f"symbols must be a tuple of words, not {type(self.symbols).__name__}")
        if not self.symbols:
            raise InputError("a tokenizer needs at least one word: give it a text that is not empty")
        seen = set()
        for position, symbol in enumerate(self.symbols):
            if not isinstance(symbol, str) or split_words(symbol) != [symbol]:
                raise InputError(f"symbols[{position}] must be a single word or punctuation mark in lower case, not {symbol!r}")
            if symbol in seen:
                raise InputError(f"symbols[{position}] = {symbol!r} is a duplicate: keep one of them")
            seen.add(symbol)

    @classmethod
    def fit(cls, texts: Iterable[str], limit: int | None = None) -> WordTokenizer:
        """Give ids to the most frequent words of the texts; of equally frequent ones, from z to a.

        Parameters
        ----------
        limit : how many ids there may be in all, those of padding and [UNK] included; None: one for every word.

        Raises InputError if ``texts`` is one string, holds anything but strings, or has no word at all, and if ``limit``
        leaves no room for a word.
        """
        if limit is not None:
            _check_limit(limit)
        chunks: Counter[str] = Counter()  # between white space: few kinds, so that few need to be split
        for text in each_text(texts):
            for piece in pieces(text):
                chunks.update(piece.split())
        counts: Counter[str] = Counter()
        for chunk, count in chunks.items():
            for word in split_words(chunk):
                counts[word] += count
        ordered = sorted(counts.items(), key=lambda item: (item[1], item[0]), reverse=True)
        return cls(tuple(word for word, _ in ordered[: None if limit is None else limit - SPECIAL]))

    @property
    def unit(self) -> str:
        """What an id stands for."""
        return "word"

    @property
    def padding_id(self) -> int:
        """The id that fills up short sequences: 0."""
        return 0

    @property
    def unknown_id(self) -> int:
        """The id of all words without one of their own: 1."""
        return 1

    @property
    def eos_id(self) -> int:
        """The id of the end of a sequence: 0, as padding."""
        return 0

    @property
    def vocab_size(self) -> int:
        """How many ids there are, padding and unknown included."""
        return len(self.symbols) + SPECIAL

    def encode(self, text: str) -> npt.NDArray[np.int32]:
        """The ids of the text's words, one each; unknown words are 1, and the end is not appended.

        Raises InputError if ``text`` is not a string.
        """
        check_text(text)
        words = chain.from_iterable(map(split_words, pieces(text)))
        return np.fromiter(map(self._id_of.get, words, repeat(self.unknown_id)), np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """The text that the ids stand for, up to the first 0, with spaces where people write them (``join_words``).

        Encoding it again gives the same ids, but for unknown words, which are written [UNK].

        Raises InputError at the first id that is not an integer or stands for nothing.
        """
        return join_words(self._words(ids))

    def complete(self, prompt: str, ids: Iterable[int]) -> str:
        """The prompt as it was typed, continued by what the ids stand for, up to the first 0.

        The prompt keeps its capitals, its own spaces and its unknown words; white space at its end gives way to the
        space, if any, that belongs between its last word and the first one that follows.
        """
        return "".join(self.pieces(prompt, ids))

    def pieces(self, prompt: str, ids: Iterable[int]) -> Iterator[str]:
        """What ``complete`` returns, from left to right: each word when the one after it is known, for the space between."""
        check_text(prompt)
        words = self._words(ids)
        stripped = prompt.rstrip()
        yield stripped
        first = next(words, None)
        if first is None:
            yield prompt[len(stripped):]
            return
        before = split_words(prompt)
        for space, word in islice(spaced(chain(before, [first], words)), len(before), None):
            yield space + word

    def show(self, id_: int) -> str:
        """One id as a table shows it: a word as it is, ``[UNK]``, ``<eos>``; what cannot be seen, as Python writes it.

        Raises InputError for an id that is not an integer or stands for nothing.
        """
        check_id(id_, self.vocab_size)
        if id_ == self.eos_id:
            return "<eos>"
        return SHOWN_FOR_UNKNOWN if id_ == self.unknown_id else visible(self.symbols[id_ - SPECIAL])

    def share_unknown(self, texts: Iterable[str]) -> float:
        """The share of the texts' words that have no id of their own, from 0 to 1; InputError if there is no word."""
        unknown = total = 0
        for text in each_text(texts, "share_unknown([text])"):
            ids = self.encode(text)
            unknown += int(np.count_nonzero(ids == self.unknown_id))
            total += len(ids)
        if total == 0:
            raise InputError("the texts have no word in them: give texts that are not empty")
        return unknown / total

    def to_json(self) -> dict[str, Any]:
        """The tokenizer in plain JSON types; ``WordTokenizer.from_json`` takes it back."""
        return {"kind": "words", "symbols": list(self.symbols)}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> WordTokenizer:
        """The tokenizer that ``to_json`` wrote down; InputError, saying what is wrong, for anything else."""
        check_form(form, "words")
        return cls(tuple(form["symbols"]))

    def __repr__(self) -> str:
        return f"<WordTokenizer: {len(self.symbols)} words, vocab_size {self.vocab_size}>"

    def _words(self, ids: Iterable[int]) -> Iterator[str]:
        for value in each_id(ids, self.vocab_size):
            if value == self.eos_id:
                break
            yield SHOWN_FOR_UNKNOWN if value == self.unknown_id else self.symbols[value - SPECIAL]

    @cached_property
    def _id_of(self) -> dict[str, int]:
        return {symbol: position + SPECIAL for position, symbol in enumerate(self.symbols)}


def _check_limit(limit: int) -> None:
    smallest = SPECIAL + 1
    if isinstance(limit, bool) or not isinstance(limit, numbers.Integral) or limit < smallest:
        raise InputError(f"limit must be a whole number of at least {smallest} (padding, unknown words and one word),"
                         f" not {limit!r}")


def tokenizer_from_json(form: dict[str, Any]) -> Tokenizer:
    """The tokenizer of either kind that its ``to_json`` wrote down; InputError for anything else."""
    if not isinstance(form, dict):
        raise InputError(f"a tokenizer is kept as a JSON object, not as {type(form).__name__}")
    kind = form.get("kind")
    if kind == "characters":
        return CharTokenizer.from_json(form)
    if kind == "words":
        return WordTokenizer.from_json(form)
    raise InputError(f"the tokenizer's JSON has the kind {kind!r}, but there are only 'characters' and 'words'")
