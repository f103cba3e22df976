"""Wrong answers to the exercises of lesson 12 and what is said to them."""

import pytest

from tests.helpers.exercises import wrong

BITS = "def bits_a_character(nats, words):\n    return {bits} / {characters}\n"
RIGHT_BITS = {"bits": "np.sum(nats) / np.log(2)", "characters": "len(' '.join(words))"}


@pytest.mark.parametrize(
    "part, said",
    [
        ({"characters": "len(''.join(words))"}, "the spaces between the words are characters"),
        ({"characters": "sum(len(word) + 1 for word in words)"}, "between 3 words there are 2 spaces"),
        ({"bits": "np.sum(nats) * np.log(2)"}, "more bits than nats"),
        ({"bits": "np.sum(nats)"}, "these are nats a character"),
        ({"characters": "len(words)"}, "these are bits a word"),
        ({"bits": "np.mean(nats) / np.log(2)"}, "not their mean"),
        ({"bits": "len(' '.join(words))", "characters": "(np.sum(nats) / np.log(2))"}, "turn it over"),
        ({"bits": "nats / np.log(2)"}, "it is one number for the text: sum the nats"),
        ({"bits": "np.log2(np.sum(nats))"}, "this is log2 of the nats"),
        ({"bits": "np.sum(np.log2(nats))"}, "this is the sum of log2 of each"),
        ({"bits": "np.sum(nats) / 2"}, "a bit is ln 2 = 0.69 nats, not 2"),
    ],
)
def test_wrong_units_are_told_apart(tmp_path, part, said):
    assert said in wrong(tmp_path, 12, "bits_a_character", BITS.format(**RIGHT_BITS | part))


def test_characters_a_word_multiply_nothing(tmp_path):
    source = BITS.format(bits="np.mean(nats) / np.log(2) * len(' '.join(words))", characters="len(words)")
    assert "times characters a word" in wrong(tmp_path, 12, "bits_a_character", source)


SHARE = """def unknown_share(learned, words, V):
    known = {known}
    return {share}
"""
RIGHT_SHARE = {"known": "{word for word, _ in Counter(learned).most_common(V - 2)}",
               "share": "np.mean([word not in known for word in words])"}


@pytest.mark.parametrize(
    "part, said",
    [
        ({"known": "{word for word, _ in Counter(learned).most_common(V)}"}, "two words less"),
        ({"known": "{word for word, _ in Counter(learned).most_common(V - 1)}"}, "there are two such ids"),
        ({"known": "Counter(learned).most_common(V - 2)"}, "most_common gives pairs (word, count)"),
        ({"known": "{word for word, _ in Counter(learned).most_common(V - 3)}"}, "only two ids are taken"),
        ({"share": "100 * np.mean([word not in known for word in words])"}, "this is in per cent"),
        ({"share": "np.mean([word in known for word in words])"}, "the share that is known"),
        ({"share": "np.mean([word not in known for word in set(words)])"}, "occurs twice counts twice"),
        ({"known": "{word for word, _ in Counter(words).most_common(V - 2)}"}, "not from the judged ones"),
        ({"known": "{word for word, _ in Counter(learned).most_common()[:-(V - 1):-1]}"}, "the rarest words got the ids"),
        ({"known": "set(list(dict.fromkeys(learned))[: V - 2])"}, "not to the first ones"),
        ({"share": "sum(word not in known for word in words)"}, "divide by the number of words"),
        ({"share": "sum(word not in known for word in words) / len(learned)"}, "words that are judged"),
    ],
)
def test_wrong_vocabularies_are_told_apart(tmp_path, part, said):
    assert said in wrong(tmp_path, 12, "unknown_share", SHARE.format(**RIGHT_SHARE | part))


TAKEN = """def taken(words, kind):
    promised, last, found = None, None, []
    for at in range({begin}, len(words)):
        if words[at] in kind:
            if promised is None:
                promised, last = words[at], at
                {first}
            else:
                found.append(({distance}, words[at] == promised))
                {then}
    return {found}
"""
RIGHT_TAKEN = {"begin": 'words.index("|") + 1', "first": "pass", "distance": "at - last",
               "then": "last = at if words[at] == promised else last", "found": "found"}


@pytest.mark.parametrize(
    "part, said",
    [
        ({"begin": "0"}, "begin behind the bar"),
        ({"first": "found.append((0, True))"}, "it is not due yet"),
        ({"then": "promised, last = words[at], at"}, "not against the one before it"),
        ({"then": "promised = words[at]"}, "does not change what was promised"),
        ({"then": "pass"}, "a kept promise is a reminder"),
        ({"then": "last = at"}, "another word reminds nobody"),
        ({"distance": "at - last - 1"}, "one too small"),
        ({"distance": "at - last + 1"}, "one too large"),
        ({"distance": 'at - words.index("|")'}, "counted from the bar"),
        ({"distance": 'at - words.index("|") - 1'}, "counted from the first word after the bar"),
        ({"distance": "at"}, "counted from the beginning of the text"),
        ({"distance": "2 * (at - last)"}, "the promises are right, but not their distances"),
        ({"found": "[(kept, distance) for distance, kept in found]"}, "the pair is (distance, kept), in this order"),
        ({"found": "np.array(found)"}, "a list of pairs (distance, kept); yours is of type ndarray"),
        ({"found": "[kept for _, kept in found]"}, "a list of pairs"),
        ({"found": "found[:1]"}, "belongs"),
        ({"distance": "at - first"}, "NameError"),
    ],
)
def test_wrong_promises_are_told_apart(tmp_path, part, said):
    assert said in wrong(tmp_path, 12, "taken", TAKEN.format(**RIGHT_TAKEN | part))


@pytest.mark.parametrize("kept", ["words[at] in promised", "promised in words[at]"])
def test_a_part_of_a_word_is_not_the_word(tmp_path, kept):
    source = TAKEN.format(**RIGHT_TAKEN | {"then": f"last = at if {kept} else last"})
    source = source.replace("words[at] == promised))", f"{kept}))")
    assert f"`{kept}` looks for a part of a word" in wrong(tmp_path, 12, "taken", source)


def test_a_mistake_that_random_words_do_not_show_is_found_in_the_corpus(tmp_path):
    source = TAKEN.format(**RIGHT_TAKEN | {"found": "found if len(kind) == 4 else []"})
    assert "in a recipe of the corpus yours says []" in wrong(tmp_path, 12, "taken", source)
