"""Words as tokens: from text to ids and back.

A word model predicts the next word, a character model the next character. With words, a
recipe has 200 time steps instead of 1,000, and no word is misspelt, but words outside
the vocabulary can never be generated. The ids:

    id 0                padding, and the end of a sequence
    id 1                [UNK], any word outside the vocabulary
    ids 2 to K + 1      the K most frequent words of the texts, the most frequent first

This is the vocabulary of D. Foster, Generative Deep Learning (2nd edition, 2023),
chapter 5, there made by Keras's TextVectorization with 10,000 ids in all. Words of
equal frequency stand from z to a, as in Keras. ``split_words`` defines what a word is.
It separates brackets, so "[UNK]" in a text is three words ``[ unk ]``, and none of them
is the id 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from minilstm.data.protocol import (
    Tokenizer,
    check_text,
    each_text,
)
from minilstm.data.punctuation import join_words, spaced, split_words, text_chunks
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.vocabulary import Vocabulary
from minilstm.data.whitespace import WhitespaceTokenizer
from minilstm.errors import InputError


class WordTokenizer(Vocabulary):
    """Words to ids and back; made by ``WordTokenizer.fit``, and immutable.

    Attributes
    ----------
    tokens : the words of the vocabulary; ``tokens[k]`` has the id ``k + 2``.
    """

    kind = "words"
    unit = "word"
    form = "a single word or punctuation mark in lower case"

    @classmethod
    def _is_token(cls, text: str) -> bool:
        return split_words(text) == [text]

    @classmethod
    def fit(cls, texts: Iterable[str], limit: int | None = None) -> WordTokenizer:
        """Make a tokenizer with ids for the most frequent words of the texts.

        Equally frequent words stand from z to a.

        Parameters
        ----------
        texts : strings, usually the training set.
        limit : most ids, those of padding and [UNK] included. Default: all words.

        Raises
        ------
        InputError : if ``texts`` is a single string, has anything but strings, or has
            no word at all, or if ``limit`` is below 3.
        """
        most = cls._most(limit)
        # between white space; each kind is split once
        unsplit: Counter[str] = Counter()
        for text in each_text(texts):
            for chunk in text_chunks(text):
                unsplit.update(chunk.split())
        counts: Counter[str] = Counter()
        for string, count in unsplit.items():
            for word in split_words(string):
                counts[word] += count
        ordered = sorted(
            counts.items(), key=lambda item: (item[1], item[0]), reverse=True
        )
        return cls(tuple(word for word, _ in ordered[:most]))

    def encode(self, text: str) -> npt.NDArray[np.int32]:
        """Ids of the words of a text.

        Returns
        -------
        (number of words,) int32, without the end; unknown words are 1.

        Raises
        ------
        InputError : if ``text`` is not a string.
        """
        check_text(text)
        words = chain.from_iterable(map(split_words, text_chunks(text)))
        return np.fromiter(
            map(self._id_of.get, words, repeat(self.unknown_id)), np.int32
        )

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids up to the first 0, with natural spaces (``join_words``).

        Encoding it gives the same ids again, except for unknown words, written [UNK].

        Raises
        ------
        InputError : at the first id that is not an integer, or out of range.
        """
        return join_words(self._words(ids))

    def complete(self, prompt: str, ids: Iterable[int]) -> str:
        """The prompt, continued by the text of ids up to the first 0.

        The prompt keeps its capitals, spaces and unknown words. Only white space at its
        end is replaced by the space, if any, that belongs before the next word.
        """
        return "".join(self.chunks(prompt, ids))

    def chunks(self, prompt: str, ids: Iterable[int]) -> Iterator[str]:
        """The text of ``complete`` in parts: the prompt, then words with spaces."""
        check_text(prompt)
        words = self._words(ids)
        stripped = prompt.rstrip()
        yield stripped
        first = next(words, None)
        if first is None:
            yield prompt[len(stripped) :]
            return
        before = split_words(prompt)
        for space, word in islice(
            spaced(chain(before, [first], words)), len(before), None
        ):
            yield space + word

    def share_unknown(self, texts: Iterable[str]) -> float:
        """Fraction of words outside the vocabulary; InputError without any word."""
        unknown = total = 0
        for text in each_text(texts, "share_unknown([text])"):
            ids = self.encode(text)
            unknown += int(np.count_nonzero(ids == self.unknown_id))
            total += len(ids)
        if total == 0:
            raise InputError(
                "the texts have no word in them: give texts that are not empty"
            )
        return unknown / total


def tokenizer_from_json(form: dict[str, Any]) -> Tokenizer:
    """The tokenizer of any kind that ``to_json`` returned; else InputError."""
    if not isinstance(form, dict):
        raise InputError(
            f"a tokenizer is kept as a JSON object, not as {type(form).__name__}"
        )
    kind = form.get("kind")
    if kind == "characters":
        return CharTokenizer.from_json(form)
    if kind == "words":
        return WordTokenizer.from_json(form)
    if kind == "whitespace":
        return WhitespaceTokenizer.from_json(form)
    raise InputError(
        f"the tokenizer's JSON has the kind {kind!r}, but there are only 'characters',"
        " 'words' and 'whitespace'"
    )
