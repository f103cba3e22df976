"""Setting punctuation apart, and putting it back.

To a word model a text is a row of words, and a punctuation mark is a word too:

    Don't stir (yet); bake 1/2 hour.        don ' t stir ( yet ) ; bake 1 / 2 hour .

Apart, because else ``stir``, ``stir.`` and ``stir,`` would be three words that know
nothing of each other. The rule is that of D. Foster, Generative Deep Learning (2nd
edition, 2023), chapter 5: a space on both sides of every mark, lower case, split at
white space. He names the 32 marks of ASCII; here every Unicode character is one of
three:

    white space     whatever ``str.isspace`` says, the no-break space too
    mark            punctuation and signs (``'``, ``’``, ``°``, ``–``, ``✓``); control
                    characters, surrogates, and code points without a character, which a
                    later Unicode may turn into signs
    part of a word  all others: letters, digits and fractions (``350``, ``1½``),
                    combining accents, invisible joiners

So ``1.5`` is three words, ``350°F`` too, ``2nd`` one. An accent stays with its letter,
but ``é`` in one code point and ``é`` in two are different words: nothing is normalised.
Scripts without spaces (Chinese, Japanese, Thai) are cut at marks only, and a whole
clause is then one word: use characters for them.

``join_words`` guesses the spaces from the words alone. Every mark hugs its left
neighbour, its right one, both or none; two words have no space between them exactly if
one hugs the other. **Words never hug**, so that splitting again finds the same words
whatever the guess was. Lower case stays, at the start of a sentence too: nothing says
what it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain

# they'd, they'll, I'm, they're, it's, don't, I've
CONTRACTED = {"d", "ll", "m", "re", "s", "t", "ve"}
# no plurals: after them an apostrophe opens a quotation
PLAIN_S = {"as", "is", "its", "this", "was"}
ELIDED = {"d", "l", "o", "za"}  # hors d'oeuvres, l'orange, o'clock, za'atar


CHUNK = 1 << 20  # characters
WHITE_SPACE = re.compile(r"\s")  # what ``str.split`` splits at


@cache
def is_mark(character: str) -> bool:
    """Whether this one character is set apart from its neighbours."""
    category = unicodedata.category(character)
    is_sign = category[0] in "PS" or category in ("Cc", "Cn", "Cs")
    return is_sign and not character.isspace()


def split_words(text: str) -> list[str]:
    """The words of a text in lower case, punctuation marks among them.

    Examples
    --------
    >>> split_words("Don't stir (yet)!")
    ['don', "'", 't', 'stir', '(', 'yet', ')', '!']
    """
    for character in set(text):
        if is_mark(character):
            text = text.replace(character, f" {character} ")
    # marks are set apart first: the lower case of a Greek sigma depends on neighbours
    return text.lower().split()


def text_chunks(text: str) -> Iterator[str]:
    """Split a long text at white space into chunks, which have the same words.

    A list of all words of a large file would need many times its size.
    """
    start = 0
    while start < len(text):
        space = WHITE_SPACE.search(text, start + CHUNK)
        end = space.end() if space else len(text)
        yield text[start:end]
        start = end


def join_words(words: Iterable[str]) -> str:
    """A text that people could have written; ``split_words`` gives the same words.

    Examples
    --------
    >>> join_words(['don', "'", 't', 'stir', '(', 'yet', ')', '!'])
    "don't stir (yet)!"
    """
    return "".join(gap + word for gap, word in spaced(words))


def spaced(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each word with a space or nothing before it, once the next word is known."""
    last, last_hugs = "", True
    for word, left, right in _hugs(words):
        # it stands between title and text, and keeps its distance
        is_bar = "|" in (last, word)
        yield "" if last == "" or (last_hugs or left) and not is_bar else " ", word
        last, last_hugs = word, right


def _hugs(words: Iterable[str]) -> Iterator[tuple[str, bool, bool]]:
    """Each word, and whether it hugs its left neighbour, and its right one."""
    quoting: set[str] = set()
    for before, word, after in _with_neighbours(words):
        left = right = False
        if not _is_mark(word):
            pass
        elif (
            word in "'’"
            and _is_word(before)
            and _is_word(after)
            and (after in CONTRACTED or before in ELIDED)
        ):
            left = right = True
        elif word in "\"'":
            left, right = _straight_quote(word, before, quoting)
        else:
            if word == "|":
                quoting.clear()  # what a title forgot to close
            left, right = _hugs_of_mark(before, word, after)
            left = left or word == before  # ### and ---
        yield word, left, right


def _with_neighbours(words: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Each word between the one before and the one after it, "" at the ends."""
    before, word = "", ""
    for after in chain(words, [""]):
        if word:
            yield before, word, after
        before, word = word, after


def _straight_quote(quote: str, before: str, quoting: set[str]) -> tuple[bool, bool]:
    """Opening and closing in turn, but for inches, feet and confectioners' sugar."""
    if quote in quoting:
        quoting.remove(quote)
        return True, False
    if (
        before[-1:].isnumeric()
        or quote == "'"
        and before.endswith("s")
        and before not in PLAIN_S
    ):
        return True, False
    quoting.add(quote)
    return False, True


def _hugs_of_mark(before: str, mark: str, after: str) -> tuple[bool, bool]:
    """The rules for marks that mean the same wherever they stand."""
    # 2 and 54cm in 2.54cm
    number_before, number_after = before[-1:].isnumeric(), after[:1].isnumeric()
    numbers = number_before and number_after
    if mark in ".:":
        return True, numbers  # 1.5, 1:2
    if mark == ",":
        return True, numbers and len(after) == 3  # 1,000
    if mark in ";!?%…" or unicodedata.category(mark) in ("Pe", "Pf"):
        return True, False
    if unicodedata.category(mark) in ("Ps", "Pi"):
        return False, True
    if mark in "-/_‐‑—":
        return (_is_word(before) and _is_word(after),) * 2  # well-done, 1/2
    if mark == "–":
        return numbers, numbers  # 2–3, but a dash – as here – has spaces
    if mark == "~":
        return numbers, number_after  # 15~20, ~2
    if mark in "°˚℃℉":
        return number_before, number_before and after in ("c", "f")
    if mark == "#" or unicodedata.category(mark) == "Sc":
        return False, number_after  # #1, $5
    return False, False


def _is_mark(word: str) -> bool:
    return len(word) == 1 and is_mark(word)


def _is_word(word: str) -> bool:
    return word != "" and not _is_mark(word)
