"""A grammar for a model of words: probabilities, entropy and floor in nats per word.

A `Grammar` works with characters. Here every word gets a character of its own, and the
literal text of all rules is written in these. So what the grammar computes of
characters is true of words: its floor is in nats per predicted word, its mean length in
words. Its parser and the search for ambiguity read words.

A word is a run of letters and digits, in lower case, or a single mark of punctuation.
Spaces only separate words, as in Foster (2023), Generative Deep Learning, 2nd edition,
chapter 5. Texts that differ only in spaces and capitals are the same words, and the
same text to every function here.

    (1)  floor = (H - H_1) / L

H is the entropy of a text, H_1 that of its first word, which a model is given, and L
the number of words. The second to the last word are predicted, and then the end token.
It is (7) of `minilstm.corpora.grammar`, with words as characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from minilstm.corpora.grammar import REFERENCE, Grammar, Template
from minilstm.data.punctuation import spaced, split_words

FIRST_CODE = 0xE000  # Unicode's private use area
NO_WORD = "\0"  # any word that the grammar does not have
BEGINS_SENTENCE = frozenset(".!?|")  # a capital follows


def written(words: Sequence[str]) -> str:
    """Words as a text that people read; `split_words` gives the same words again.

    Examples
    --------
    >>> written(["soup", "|", "stir", "(", "and", "taste", ")", ".", "eat", "."])
    'Soup | Stir (and taste). Eat.'
    """
    text, capital = "", True
    for gap, word in spaced(words):
        text += gap + (
            word[0].upper() + word[1:] if capital and word.isascii() else word
        )
        capital = word in BEGINS_SENTENCE or capital and not word[0].isalnum()
    return text


class WordGrammar:
    """A finite stochastic grammar whose tokens are words.

    Parameters
    ----------
    rules, start : as for `Grammar`; a literal text begins and ends where words do.

    Attributes
    ----------
    grammar : the same grammar in characters that stand for words.
    vocabulary : all words and marks that texts can hold, sorted.

    Examples
    --------
    >>> rules = {"s": ["Boil {what}, stir.", "Drink."], "what": ["water", "some milk"]}
    >>> tea = WordGrammar(rules, "s")
    >>> tea.sample_many(2, np.random.default_rng(1))
    ['Drink.', 'Boil some milk, stir.']
    >>> tea.vocabulary
    [',', '.', 'boil', 'drink', 'milk', 'some', 'stir', 'water']
    >>> tea.accepts("boil water , stir ."), tea.accepts("boil stir")
    (True, False)
    """

    def __init__(self, rules: Mapping[str, Sequence[Template]], start: str) -> None:
        self._code: dict[str, str] = {}  # word -> character
        self._literals: dict[str, str] = {}  # literal text -> characters
        coded = {
            name: [self._encoded(template) for template in templates]
            for name, templates in rules.items()
        }
        self._word = {character: word for word, character in self._code.items()}
        self.grammar = grammar = Grammar(coded, start)
        self.vocabulary = sorted(
            self._word[character] for character in grammar.alphabet
        )
        self.entropy = grammar.entropy  # nats per text
        # nats of its first word
        self.first_symbol_entropy = grammar.first_symbol_entropy
        self.mean_length = grammar.mean_length  # words per text
        self.floor = grammar.floor  # nats per predicted word: (1)

    def _encoded(self, template: Template) -> Template:
        """The template with its literal text in characters that stand for words."""
        weight, text = (None, template) if isinstance(template, str) else template
        parts = REFERENCE.split(text)  # literal, name, ..., literal
        coded = "".join(
            f"{self._characters(literal)}{{{name}}}"
            for literal, name in zip(parts[::2], parts[1::2])
        )
        coded += self._characters(parts[-1])
        return coded if weight is None else (weight, coded)

    def _characters(self, literal: str) -> str:
        if literal not in self._literals:
            self._literals[literal] = "".join(
                self._code.setdefault(word, chr(FIRST_CODE + len(self._code)))
                for word in split_words(literal)
            )
        return self._literals[literal]

    def encode(self, text: str) -> str:
        """The text in characters that stand for words, as `grammar` reads it."""
        return "".join(self._code.get(word, NO_WORD) for word in split_words(text))

    def decode(self, characters: str) -> str:
        """The text that `characters` of `grammar` stand for."""
        return written([self._word[character] for character in characters])

    # ---- writing and reading, as for `Grammar`, of texts that people read ------------

    def sample(self, rng: np.random.Generator) -> str:
        """Write one text, drawn at random."""
        return self.sample_many(1, rng)[0]

    def sample_many(self, count: int, rng: np.random.Generator) -> list[str]:
        """Write the texts of `count` calls of `sample`.

        Each takes equally many random numbers.
        """
        return [self.decode(coded) for coded in self.grammar.sample_many(count, rng)]

    def stream(self, rng: np.random.Generator) -> Iterator[str]:
        """Write the texts that `sample` would, without end.

        Draws numbers from `rng` in advance.
        """
        return map(self.decode, self.grammar.stream(rng))

    def log_probability(self, text: str) -> float:
        """ln P of the words of `text`; -inf if the grammar cannot write them."""
        return self.grammar.log_probability(self.encode(text))

    def derivations(self, text: str) -> int:
        """In how many ways the grammar can write the words of `text`."""
        return self.grammar.derivations(self.encode(text))

    def accepts(self, text: str) -> bool:
        """Whether the grammar can write the words of `text`, whatever its spaces."""
        return self.derivations(text) > 0
