"""Grammars in words, against lists of all texts of small grammars, split by hand."""

import doctest
import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.corpora import wordgrammar
from minilstm.corpora.ambiguity import find_ambiguity
from minilstm.corpora.wordgrammar import WordGrammar, split_words, written

TEA = {
    "tea": [(3, "{verb} the {thing}, then {end}."), (2, "{thing} (hot) {note}| {verb}!"), 'Say "{end}".'],
    "verb": ["Boil", (2, "Warm up")],
    "thing": ["milk", (4, "water (cold)"), "30 eggs"],
    "note": ["", (2, "again ")],
    "end": ["stir", "wait for 5 minutes"],
}


def all_word_rows(rules, name):
    """A pair (probability, row of words) for every derivation.

    Texts are split at spaces, after spaces were put around punctuation marks.
    """
    pairs = [entry if isinstance(entry, tuple) else (1, entry) for entry in rules[name]]
    rows = []
    for weight, template in pairs:
        parts = template.replace("{", "\0").replace("}", "\0").split("\0")
        options = []
        for at, part in enumerate(parts):
            for mark in '.,|!()"':
                part = part.replace(mark, f" {mark} ")
            options.append(all_word_rows(rules, part.strip()) if at % 2 else [(1.0, tuple(part.lower().split()))])
        for ways in itertools.product(*options):
            probability = weight / sum(w for w, _ in pairs) * math.prod(p for p, _ in ways)
            rows.append((probability, sum((words for _, words in ways), ())))
    return rows


def test_floor_length_and_vocabulary_are_those_of_all_texts_listed():
    rows = all_word_rows(TEA, "tea")
    assert len({words for _, words in rows}) == len(rows) == 26
    machine = WordGrammar(TEA, "tea")
    prefix = defaultdict(float)
    for probability, words in rows:
        for end in range(1, len(words) + 1):
            prefix[words[:end]] += probability
        prefix[(*words, "<stop>")] = probability
    # the loss of the best possible model, which knows each prefix's probability
    nats = 0.0
    for probability, words in rows:
        seen = [words[:end] for end in range(1, len(words) + 1)] + [(*words, "<stop>")]
        nats -= probability * sum(math.log(prefix[new] / prefix[old]) for old, new in zip(seen, seen[1:]))
    length = sum(probability * len(words) for probability, words in rows)
    assert machine.mean_length == pytest.approx(length, rel=1e-12)
    assert machine.floor == pytest.approx(nats / length, rel=1e-9)
    assert machine.entropy == pytest.approx(-sum(p * math.log(p) for p, _ in rows), rel=1e-12)
    assert machine.vocabulary == sorted({word for _, words in rows for word in words})
    assert machine.first_symbol_entropy > 0.5


def test_texts_are_accepted_by_their_words():
    machine = WordGrammar(TEA, "tea")
    for probability, words in all_word_rows(TEA, "tea"):
        for text in (" ".join(words), written(words), " ".join(words).upper()):
            assert machine.derivations(text) == 1
            assert machine.accepts(text)
            assert machine.log_probability(text) == pytest.approx(math.log(probability), rel=1e-9)
        for text in (" ".join(words[1:]), " ".join(words[:-1]), " ".join((*words, "cinnamon")), " ".join(words[::-1])):
            assert not machine.accepts(text)
            assert machine.log_probability(text) == -math.inf


def test_ambiguity_is_that_of_words():
    assert find_ambiguity(WordGrammar(TEA, "tea").grammar) is None
    merged = {"s": ["Hot {a}", "hot{b}"], "a": ["tea"], "b": [" TEA", "er"]}
    witness = find_ambiguity(WordGrammar(merged, "s").grammar)
    assert witness is not None
    assert WordGrammar(merged, "s").decode(witness) == "Hot tea"


def test_sampling_one_many_or_a_stream_gives_the_same_texts():
    machine = WordGrammar(TEA, "tea")
    many = machine.sample_many(700, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    assert [machine.sample(rng) for _ in range(700)] == many
    assert list(itertools.islice(machine.stream(np.random.default_rng(3)), 700)) == many
    assert machine.sample_many(700, np.random.default_rng(4)) != many
    assert {tuple(split_words(text)) for text in many} == {words for _, words in all_word_rows(TEA, "tea")}


@given(st.lists(st.sampled_from([*"abcz", "oven", "220", *'.,;:!?()"|'])))
def test_joined_words_split_into_the_same_words(words):
    assert split_words(written(words)) == words


@pytest.mark.parametrize("words, text", [
    ('say " come in " now . " yes " .', 'Say "come in" now. "Yes".'),
    ("soup ( hot ; or cold ) | 3 bowls : eat , drink !", "Soup (hot; or cold) | 3 bowls: eat, drink!"),
    ("", ""),
])
def test_joined_words_read_as_people_write(words, text):
    assert written(words.split()) == text


def test_the_examples_in_the_docstrings_are_right():
    result = doctest.testmod(wordgrammar)
    assert result.attempted > 0
    assert result.failed == 0
