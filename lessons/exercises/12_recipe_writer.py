"""12. A recipe writer.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/12_recipe_writer.py. Leave the one in lessons/exercises blank.

    minilstm exercise 12           make the copy, the first time, and grade it
    minilstm exercise 12 --hint    a hint, when you are stuck
    minilstm exercise 12 --reset   begin again; what you wrote is kept beside it
"""

from collections import Counter

import numpy as np


def bits_a_character(nats, words):
    """Task 1. What a text costs in bits a character, equation (1) of the lesson.

    words : the N words of the text, written with one space between neighbours. nats (N,) : what each cost, in nats.
    """
    bits = ...
    characters = ...
    return bits / characters


def unknown_share(learned, words, V):
    """Task 2. Which share of these words has no id of its own, when the vocabulary has V ids?

    learned : the words of the texts that the vocabulary is made from, in which the most frequent get ids. Two of the V ids are
    taken already: 0 for padding and the end, 1 for [UNK]. words : another text; a word that occurs twice counts twice.
    """
    known = ...
    return ...


def taken(words, kind):
    """Task 3. The promises of a text that it makes on its way: [(distance, kept), ...], in the order in which they are due.

    kind : a set of words, such as {"pot", "pan", "tray"}. The title ends with "|" and does not count. The first word of the
    kind behind it is a promise: the pot that was taken must be the one that is used. Each later word of the kind is a place
    where it is due: kept is True if it is the first word again; distance is the number of words since the promised word
    stood there last.
    """
    promised, last, found = None, None, []
    for at in range(words.index("|") + 1, len(words)):
        if words[at] in kind:
            ...
    return found


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
