"""Answers to exercise 12, and a part of the message about each that is wrong."""

from tests.helpers.exercises import answers

ANSWERS = []
BITS = "def bits_per_character(nats, words):\n    return {bits} / {characters}\n"
RIGHT_BITS = {"bits": "np.sum(nats) / np.log(2)", "characters": "len(' '.join(words))"}
ANSWERS += answers("bits_per_character", BITS, RIGHT_BITS, [
    ({"characters": "len(''.join(words))"}, "the spaces between the words are characters"),
    ({"characters": "sum(len(word) + 1 for word in words)"}, "between 3 words there are 2 spaces"),
    ({"bits": "np.sum(nats) * np.log(2)"}, "more bits than nats"),
    ({"bits": "np.sum(nats)"}, "these are nats per character"),
    ({"characters": "len(words)"}, "these are bits per word"),
    ({"bits": "np.mean(nats) / np.log(2)"}, "this is their mean"),
    ({"bits": "len(' '.join(words))", "characters": "(np.sum(nats) / np.log(2))"}, "take the reciprocal"),
    ({"bits": "nats / np.log(2)"}, "the text has one number: sum the nats"),
    ({"bits": "np.log2(np.sum(nats))"}, "this is log2 of the nats"),
    ({"bits": "np.sum(np.log2(nats))"}, "this is the sum of log2 of each"),
    ({"bits": "np.sum(nats) / 2"}, "a bit is ln 2 = 0.69 nats, not 2"),
])

# bits per word times characters per word are named
ANSWERS += [("bits_per_character", """def bits_per_character(nats, words):
    return np.mean(nats) / np.log(2) * len(' '.join(words)) / len(words)
""", "times characters per word")]
FRACTION = """def unknown_fraction(learned, words, V):
    known = {known}
    return {fraction}
"""
RIGHT_FRACTION = {"known": "{word for word, _ in Counter(learned).most_common(V - 2)}",
               "fraction": "np.mean([word not in known for word in words])"}
ANSWERS += answers("unknown_fraction", FRACTION, RIGHT_FRACTION, [
    ({"known": "{word for word, _ in Counter(learned).most_common(V)}"}, "two words fewer"),
    ({"known": "{word for word, _ in Counter(learned).most_common(V - 1)}"}, "there are two such ids"),
    ({"known": "Counter(learned).most_common(V - 2)"}, "most_common gives pairs (word, count)"),
    ({"known": "{word for word, _ in Counter(learned).most_common(V - 3)}"}, "only two ids are taken"),
    ({"fraction": "100 * np.mean([word not in known for word in words])"}, "this is in per cent"),
    ({"fraction": "np.mean([word in known for word in words])"}, "the fraction that is known"),
    ({"fraction": "np.mean([word not in known for word in set(words)])"}, "occurs twice counts twice"),
    ({"known": "{word for word, _ in Counter(words).most_common(V - 2)}"}, "made from `learned`, not from `words`"),
    ({"known": "{word for word, _ in Counter(learned).most_common()[:-(V - 1):-1]}"}, "the rarest words got the ids"),
    ({"known": "set(list(dict.fromkeys(learned))[: V - 2])"}, "not to the first ones"),
    ({"fraction": "sum(word not in known for word in words)"}, "how many are unknown; divide by the number of words"),
    ({"fraction": "sum(word not in known for word in words) / len(learned)"}, "of `words`, not of `learned`"),
])

AGREEMENTS = """def agreements(words, kind):
    first, last, found = None, None, []
    for at in range({begin}, len(words)):
        if words[at] in kind:
            if first is None:
                first, last = words[at], at
                {at_first}
            else:
                found.append(({distance}, words[at] == first))
                {then}
    return {found}
"""
RIGHT_AGREEMENTS = {"begin": 'words.index("|") + 1', "at_first": "pass", "distance": "at - last",
               "then": "last = at if words[at] == first else last", "found": "found"}
ANSWERS += answers("agreements", AGREEMENTS, RIGHT_AGREEMENTS, [
    ({"begin": "0"}, "begin after the bar"),
    ({"at_first": "found.append((0, True))"}, "nothing is due yet"),
    ({"then": "first, last = words[at], at"}, "not with the one before it"),
    ({"then": "first = words[at]"}, "does not replace the first word"),
    ({"then": "pass"}, "where it comes again, `last` must change"),
    ({"then": "last = at"}, "at another word `last` must stay"),
    ({"distance": "at - last - 1"}, "one too small"),
    ({"distance": "at - last + 1"}, "one too large"),
    ({"distance": 'at - words.index("|")'}, "counted from the bar"),
    ({"distance": 'at - words.index("|") - 1'}, "counted from the first word after the bar"),
    ({"distance": "at"}, "counted from the beginning of the text"),
    ({"distance": "2 * (at - last)"}, "the result is [(8, True)] where [(4, True)] belongs"),
    ({"found": "[(agrees, distance) for distance, agrees in found]"}, "a pair is (distance, agrees), in this order"),
    ({"found": "np.array(found)"}, "must be a list, not ndarray"),
    ({"found": "[agrees for _, agrees in found]"}, "a list of pairs"),
    ({"found": "found[:1]"}, "belongs"),
    ({"distance": "at - begun"}, "NameError"),
])

# a part of a word is not the word
ANSWERS += [("agreements", """def agreements(words, kind):
    first, last, found = None, None, []
    for at in range(words.index("|") + 1, len(words)):
        if words[at] in kind:
            if first is None:
                first, last = words[at], at
                pass
            else:
                found.append((at - last, words[at] in first))
                last = at if words[at] in first else last
    return found
""", "`words[at] in first` looks for a part of a word")]
ANSWERS += [("agreements", """def agreements(words, kind):
    first, last, found = None, None, []
    for at in range(words.index("|") + 1, len(words)):
        if words[at] in kind:
            if first is None:
                first, last = words[at], at
                pass
            else:
                found.append((at - last, first in words[at]))
                last = at if first in words[at] else last
    return found
""", "`first in words[at]` looks for a part of a word")]
# a mistake that random words do not show is found in the corpus
ANSWERS += [("agreements", """def agreements(words, kind):
    first, last, found = None, None, []
    for at in range(words.index("|") + 1, len(words)):
        if words[at] in kind:
            if first is None:
                first, last = words[at], at
                pass
            else:
                found.append((at - last, words[at] == first))
                last = at if words[at] == first else last
    return found if len(kind) == 4 else []
""", "in a recipe of the corpus agreements returns []")]
