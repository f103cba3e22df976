"""12. A recipe writer: solutions."""

from collections import Counter

import numpy as np


def bits_a_character(nats, words):
    bits = np.sum(nats) / np.log(2)
    characters = len(" ".join(words))
    return bits / characters


def unknown_share(learned, words, V):
    known = {word for word, _ in Counter(learned).most_common(V - 2)}
    return np.mean([word not in known for word in words])


def taken(words, kind):
    promised, last, found = None, None, []
    for at in range(words.index("|") + 1, len(words)):
        if words[at] in kind:
            if promised is None:
                promised = words[at]
            else:
                found.append((at - last, words[at] == promised))
            if words[at] == promised:
                last = at
    return found
