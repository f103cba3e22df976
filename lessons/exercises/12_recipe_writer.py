"""12. A recipe writer.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/12_recipe_writer.py. Leave the one in lessons/exercises blank.

    minilstm exercise 12           make the copy, the first time, and grade it
    minilstm exercise 12 --hint    a hint, when you are stuck
    minilstm exercise 12 --reset   begin again; what you wrote is kept beside it
"""

from collections import Counter

import numpy as np


def bits_per_character(nats, words):
    """Task 1. The loss of a text in bits per character, equation (1) of the lesson.

    words : the N words of the text, with one space between neighbours.
    nats (N,) : the loss of each word, in nats.
    """
    bits = ...
    characters = ...
    return bits / characters


def unknown_fraction(learned, words, V):
    """Task 2. The fraction of words without an id of their own, if there are V ids.

    learned : the words that the vocabulary is made from; the most frequent get ids. Two
    of the V ids are used already: 0 for padding and the end, 1 for [UNK].
    words : the words of another text. A word that occurs twice counts twice.
    """
    known = ...
    return ...


def agreements(words, kind):
    """Task 3. Long-range agreement of a text: [(distance, agrees), ...], place by place.

    kind : a set of words, such as {"pot", "pan", "tray"}. The title ends with "|" and
    does not count. The first word of the kind after it decides: the pot that was taken
    must be the one that is used. Agreement is due at each later word of the kind. There,
    agrees is True if it is the first word again. distance is the number of words since
    the first word was last named.
    """
    first, last, found = None, None, []
    for at in range(words.index("|") + 1, len(words)):
        if words[at] in kind:
            ...
    return found


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
