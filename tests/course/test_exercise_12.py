"""Wrong answers to the exercises of lesson 12, and the message that each one gets."""

import pytest

from tests.helpers.exercises import wrong

BITS = "def bits_per_character(nats, words):\n    return {bits} / {characters}\n"
RIGHT_BITS = {"bits": "np.sum(nats) / np.log(2)", "characters": "len(' '.join(words))"}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "part, said",
    [
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
    ],
)
def test_each_wrong_unit_is_named(tmp_path, part, said):
    assert said in wrong(tmp_path, 12, "bits_per_character", BITS.format(**RIGHT_BITS | part))


def test_bits_per_word_times_characters_per_word_are_named(tmp_path):
    source = BITS.format(bits="np.mean(nats) / np.log(2) * len(' '.join(words))", characters="len(words)")
    assert "times characters per word" in wrong(tmp_path, 12, "bits_per_character", source)


FRACTION = """def unknown_fraction(learned, words, V):
    known = {known}
    return {fraction}
"""
RIGHT_FRACTION = {"known": "{word for word, _ in Counter(learned).most_common(V - 2)}",
               "fraction": "np.mean([word not in known for word in words])"}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "part, said",
    [
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
    ],
)
def test_each_wrong_vocabulary_is_named(tmp_path, part, said):
    assert said in wrong(tmp_path, 12, "unknown_fraction", FRACTION.format(**RIGHT_FRACTION | part))


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


@pytest.mark.thorough
@pytest.mark.parametrize(
    "part, said",
    [
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
        ({"distance": "2 * (at - last)"}, "what agrees is right, but the distances are not"),
        ({"found": "[(agrees, distance) for distance, agrees in found]"}, "a pair is (distance, agrees), in this order"),
        ({"found": "np.array(found)"}, "a list of pairs (distance, agrees); yours is of type ndarray"),
        ({"found": "[agrees for _, agrees in found]"}, "a list of pairs"),
        ({"found": "found[:1]"}, "belongs"),
        ({"distance": "at - begun"}, "NameError"),
    ],
)
def test_each_wrong_agreement_is_named(tmp_path, part, said):
    assert said in wrong(tmp_path, 12, "agreements", AGREEMENTS.format(**RIGHT_AGREEMENTS | part))


@pytest.mark.parametrize("equal", ["words[at] in first", "first in words[at]"])
def test_a_part_of_a_word_is_not_the_word(tmp_path, equal):
    source = AGREEMENTS.format(**RIGHT_AGREEMENTS | {"then": f"last = at if {equal} else last"})
    source = source.replace("words[at] == first))", f"{equal}))")
    assert f"`{equal}` looks for a part of a word" in wrong(tmp_path, 12, "agreements", source)


def test_a_mistake_that_random_words_do_not_show_is_found_in_the_corpus(tmp_path):
    source = AGREEMENTS.format(**RIGHT_AGREEMENTS | {"found": "found if len(kind) == 4 else []"})
    assert "in a recipe of the corpus agreements returns []" in wrong(tmp_path, 12, "agreements", source)
