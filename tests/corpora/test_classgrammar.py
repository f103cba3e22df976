"""Grammars with classes, against brute force: every derivation of small grammars, and all beginnings of their texts.

The brute force below works on the raw rules and shares nothing with the package.
"""

import doctest
import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minilstm.corpora import classgrammar
from minilstm.corpora.classgrammar import ClassGrammar
from minilstm.errors import InputError
from tests.helpers.frequencies import chi_square

PETS = {
    "s": [(3, "{cat} {verb}"), (2, "{dog} {verb}{end}"), "It rains"],
    "cat": ["Tom", (2, "Tim")],
    "dog": ["Rex", "Tom"],
    "verb": ["sleeps", "eats", (2, "")],
    "end": ["", "!"],
}

MERGED = {"s": ["{z}{x}", "{z}{y}"], "x": ["ab", "b"], "y": ["a", "ab"], "z": ["a", "b"]}  # a and b leave the same belief
CLOSE = {"s": [(50, "a{x}"), (50, "a{y}"), (51, "b{x}"), (49, "b{y}")], "x": ["c"], "y": ["c"]}  # and here nearly so


def derivations(rules, name, classes):
    """A triple (probability, text, classes that were used) for every derivation of a rule."""
    entries = [entry if isinstance(entry, tuple) else (1, entry) for entry in rules[name]]
    found = []
    for weight, template in entries:
        parts = template.replace("{", "|{").replace("}", "|").split("|")
        options = [
            derivations(rules, part[1:], classes) if part.startswith("{") else [(1.0, part, ())] for part in parts
        ]
        for ways in itertools.product(*options):
            used = sum((names for _, _, names in ways), (name,) if name in classes else ())
            probability = weight / sum(w for w, _ in entries) * math.prod(p for p, _, _ in ways)
            found.append((probability, "".join(text for _, text, _ in ways), used))
    return found


def joint(rules, start, classes, cut=lambda text: text):
    """P(class, cut text), from a cut text to its row (K,), for texts with a class."""
    table = defaultdict(lambda: np.zeros(len(classes)))
    for probability, text, used in derivations(rules, start, classes):
        assert len(used) <= 1
        if used:
            table[cut(text)][classes.index(used[0])] += probability
    total = sum(row.sum() for row in table.values())
    return {text: row / total for text, row in table.items()}


@st.composite
def raw_rules(draw):
    """Rules s -> x, y, z: x and y are classes, z is none, and s uses at most one of the classes at a time."""
    text = st.text("ab", max_size=2)
    words = st.lists(st.tuples(st.integers(1, 4), st.text("ab", min_size=1, max_size=3)), min_size=1, max_size=3)
    leading = st.sampled_from(["{x}", "{y}", "{m}"])
    row = lambda parts: st.tuples(text, st.sampled_from(["", "{z}"]), parts, text).map("".join)
    weighted = lambda templates: st.tuples(st.integers(1, 4), templates)
    return {
        "s": ["{x}", "{y}{z}", "b", *draw(st.lists(weighted(row(leading)), max_size=3))],
        "m": draw(st.lists(weighted(row(st.sampled_from(["{x}", "{y}", "a"]))), min_size=1, max_size=2)),
        "x": draw(words),
        "y": [*draw(words), "{z}"],
        "z": draw(words),
    }


@given(raw_rules())
@example(PETS | {"x": ["{cat}"], "y": ["{dog}"], "s": ["{x} {verb}", "{y}{end}"]})
def test_prior_and_posteriors_of_whole_texts_agree_with_brute_force(rules):
    grammar = ClassGrammar(rules, "s", ["x", "y"])
    table = joint(rules, "s", ["x", "y"])
    assert grammar.prior == pytest.approx(sum(table.values()), rel=1e-12)
    kept = sum(p for p, _, used in derivations(rules, "s", ["x", "y"]) if used)
    assert grammar.kept == pytest.approx(kept, rel=1e-12)
    for text, row in table.items():
        assert grammar.posterior(text) == pytest.approx(row / row.sum(), rel=1e-9)


@given(raw_rules())
@example(PETS | {"x": ["{cat}"], "y": ["{dog}"], "s": ["{x} {verb}", "{y}{end}"]})
def test_posteriors_of_every_beginning_agree_with_brute_force(rules):
    grammar = ClassGrammar(rules, "s", ["x", "y"])
    table = joint(rules, "s", ["x", "y"])
    for text in table:
        posteriors = grammar.posteriors(text)
        assert posteriors.shape == (len(text) + 1, 2)
        for t, posterior in enumerate(posteriors):
            row = sum(row for other, row in table.items() if other.startswith(text[:t]))
            assert posterior == pytest.approx(row / row.sum(), rel=1e-9)


@given(raw_rules(), st.integers(0, 9))
@example(PETS | {"x": ["{cat}"], "y": ["{dog}"], "s": ["{x} {verb}", "{y}{end}"]}, 6)
@example(MERGED, 1)
@example(MERGED, 2)
@example(CLOSE, 1)
@example(CLOSE, 9)
def test_the_best_accuracy_and_cross_entropy_agree_with_brute_force(rules, characters):
    table = joint(rules, "s", ["x", "y"], cut=lambda text: (text + "$")[:characters])  # "$": the end is seen
    accuracy = sum(row.max() for row in table.values())
    nats = -sum(p * math.log(p / row.sum()) for row in table.values() for p in row if p > 0)
    found = ClassGrammar(rules, "s", ["x", "y"]).best_possible(characters)
    assert found == (pytest.approx(accuracy, rel=1e-9), pytest.approx(nats, rel=1e-8, abs=1e-8))


@given(raw_rules())
def test_more_characters_never_make_the_best_classifier_worse(rules):
    grammar = ClassGrammar(rules, "s", ["x", "y"])
    results = [grammar.best_possible(characters) for characters in range(8)]
    for (accuracy, nats), (later_accuracy, later_nats) in zip(results, results[1:]):
        assert later_accuracy >= accuracy - 1e-12 and later_nats <= nats + 1e-12
    assert results[0][0] == pytest.approx(grammar.prior.max())


def test_the_values_of_a_small_grammar_are_those_found_by_hand():
    pets = ClassGrammar({"s": ["{cat}", "{dog}", "{dog}", "none"], "cat": ["ab", "ac"], "dog": ["ab"]}, "s", ["cat", "dog"])
    assert pets.kept == pytest.approx(3 / 4)
    assert pets.prior == pytest.approx([1 / 3, 2 / 3])
    assert pets.posteriors("ab") == pytest.approx(np.array([[1 / 3, 2 / 3], [1 / 3, 2 / 3], [1 / 5, 4 / 5]]))
    accuracy, nats = pets.best_possible(2)
    assert accuracy == pytest.approx(5 / 6)
    assert nats == pytest.approx(1 / 6 * math.log(5) + 4 / 6 * math.log(5 / 4))


def test_texts_and_classes_are_drawn_as_often_as_their_probabilities_say():
    table = joint(PETS, "s", ["cat", "dog"])
    texts, labels = ClassGrammar(PETS, "s", ["cat", "dog"]).sample(20_000, np.random.default_rng(5))
    probabilities = {(text, k): p for text, row in table.items() for k, p in enumerate(row) if p > 0}
    assert len(probabilities) > 12
    assert abs(chi_square(list(zip(texts, labels.tolist())), probabilities)) < 4
    assert labels.shape == (20_000,) and labels.dtype == np.int64


def test_cut_texts_are_the_beginnings_of_the_same_texts():
    pets = ClassGrammar(PETS, "s", ["cat", "dog"])
    texts, labels = pets.sample(50, np.random.default_rng(1))
    cut, same = pets.sample(50, np.random.default_rng(1), characters=5)
    assert cut == [text[:5] for text in texts] and any(map(str.__ne__, cut, texts))
    assert np.array_equal(labels, same)
    nothing, none = pets.sample(0, np.random.default_rng(1))
    assert nothing == [] and len(none) == 0


@pytest.mark.parametrize("rules, classes, words", [
    ({"s": ["{x}{y}"], "x": ["a"], "y": ["b"]}, ["x", "y"], ["'s'", "two classes"]),
    ({"s": ["{x}", "{y}"], "x": ["a{y}"], "y": ["b"]}, ["x", "y"], ["'x'", "two classes"]),
    ({"s": ["{m}{x}"], "m": ["", "{x}"], "x": ["a"]}, ["x"], ["'s'", "two classes"]),
    ({"s": ["{x}"], "x": ["a"], "y": ["b"]}, ["x", "y"], ["no text uses", "'y'"]),
    ({"s": ["{x}"], "x": ["a"]}, ["x", "z"], ["no text uses", "'z'"]),
    ({"s": ["{x}"], "x": ["a"]}, [], ["at least one"]),
])
def test_classes_that_exclude_nothing_or_are_not_there_are_refused(rules, classes, words):
    with pytest.raises(InputError) as error:
        ClassGrammar(rules, "s", classes)
    assert all(word in str(error.value) for word in words)


def test_texts_that_the_grammar_cannot_write_are_refused():
    pets = ClassGrammar(PETS, "s", ["cat", "dog"])
    for text in ("It rains", "Tom", "Tom sleeps?"):
        with pytest.raises(InputError, match="no text of any class"):
            pets.posterior(text)
    for text, beginning in (("It rains", "I"), ("Tom sleeps?", r"Tom sleeps\?"), ("Tox", "Tox")):
        with pytest.raises(InputError, match=f"begins with '{beginning}'"):
            pets.posteriors(text)
    for call in (lambda: pets.best_possible(-1), lambda: pets.sample(1, np.random.default_rng(0), characters=-1)):
        with pytest.raises(InputError, match="characters: expected 0 or more, got -1"):
            call()


def test_the_example_in_the_docstring_holds():
    result = doctest.testmod(classgrammar)
    assert result.attempted > 0
    assert result.failed == 0
