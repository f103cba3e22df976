"""12. A recipe writer: solutions."""

from collections import Counter

import numpy as np


def bits_per_character(nats, words):
    bits = np.sum(nats) / np.log(2)
    characters = len(" ".join(words))
    return bits / characters


def unknown_fraction(learned, words, V):
    known = {word for word, _ in Counter(learned).most_common(V - 2)}
    return np.mean([word not in known for word in words])


def agreements(words, kind):
    first, last, found = None, None, []
    for at in range(words.index("|") + 1, len(words)):
        if words[at] in kind:
            if first is None:
                first = words[at]
            else:
                found.append((at - last, words[at] == first))
            if words[at] == first:
                last = at
    return found
