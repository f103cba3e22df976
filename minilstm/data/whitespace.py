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

import numpy as np
import numpy.typing as npt

from minilstm.data.protocol import (
    check_text,
    each_text,
)
from minilstm.data.vocabulary import Vocabulary


class WhitespaceTokenizer(Vocabulary):
    """Tokens between white space to ids and back; immutable.

    Attributes
    ----------
    tokens : the tokens of the vocabulary; ``tokens[k]`` has the id ``k + 2``.
    """

    kind = "whitespace"
    unit = "token"
    form = "one token without white space"

    @classmethod
    def _is_token(cls, text: str) -> bool:
        return text.split() == [text]

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
        most, counts = cls._most(limit), Counter[str]()
        for text in each_text(texts):
            counts.update(text.split())
        several = [token for token, count in counts.most_common() if count > 1]
        tokens = several or [token for token, _ in counts.most_common()]
        return cls(tuple(tokens[:most]))

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
