"""Grammars against brute force, which lists every derivation of small grammars.

The brute force below works on the raw rules and shares nothing with the package.
"""

import doctest
import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from minilstm.corpora import ambiguity, grammar
from minilstm.corpora.ambiguity import find_ambiguity
from minilstm.corpora.grammar import Grammar
from minilstm.errors import InputError

LN2 = math.log(2)


def all_derivations(rules, name):
    """A pair (probability, text) for every derivation of the rule `name`."""
    alternatives = [entry if isinstance(entry, tuple) else (1, entry) for entry in rules[name]]
    total = sum(weight for weight, _ in alternatives)
    derivations = []
    for weight, template in alternatives:
        parts = template.replace("{", "|{").replace("}", "|").split("|")
        options = [
            all_derivations(rules, part[1:]) if part.startswith("{") else [(1.0, part)] for part in parts
        ]
        for combination in itertools.product(*options):
            probability = weight / total * math.prod(p for p, _ in combination)
            derivations.append((probability, "".join(text for _, text in combination)))
    return derivations


def all_sentences(rules, name):
    """The probability of every sentence, a sum over its derivations."""
    sentences = defaultdict(float)
    for probability, text in all_derivations(rules, name):
        sentences[text] += probability
    return sentences


def surprise(probabilities):
    return -sum(p * math.log(p) for p in probabilities)


@st.composite
def raw_rules(draw, letters="ab"):
    """Rules r0, r1, r2; each refers to later ones, at most twice per alternative."""
    rules = {}
    for level in range(3):
        text = st.text(letters, min_size=1, max_size=2)
        reference = st.sampled_from(["{r1}", "{r2}"][level:]) if level < 2 else text
        perhaps = st.just("") | text
        row = st.tuples(perhaps, reference, perhaps, reference).map("".join)
        template = st.one_of(row, text, st.just("") if level else text)
        weighted = st.tuples(st.integers(1, 5), template)
        rules[f"r{level}"] = draw(st.lists(st.one_of(template, weighted), min_size=1, max_size=3))
    assume("" not in all_sentences(rules, "r0"))
    return rules


# aa and ab with 1/4, b with 1/2
TINY = {"s": ["a{x}", "b"], "x": ["a", "b"]}
# three parts may write the first character
OPTIONAL = {"s": ["{x}{x}c"], "x": [(3, ""), "ab"]}
UNEQUAL = {"s": [(1, "{x}-{x}"), (9, "z{y}")], "x": ["a", "b", (2, "c")], "y": ["", "yy"]}


# ---- exact quantities -----------------------------------------------------


def test_the_quantities_of_a_tiny_grammar_are_those_computed_by_hand():
    tiny = Grammar(TINY, "s")
    assert tiny.entropy == pytest.approx(1.5 * LN2)
    assert tiny.mean_length == pytest.approx(1.5)
    assert tiny.first_symbol_distribution == {"a": 0.5, "b": 0.5}
    assert tiny.first_symbol_entropy == pytest.approx(LN2)
    assert tiny.floor == pytest.approx(LN2 / 3)
    assert tiny.alphabet == ["a", "b"]


@given(raw_rules(letters="abcdef"))
@example(TINY)
@example(UNEQUAL)
def test_entropy_of_an_unambiguous_grammar_is_that_of_its_sentences(rules):
    derivations = all_derivations(rules, next(iter(rules)))
    assume(len(derivations) == len({text for _, text in derivations}))
    machine = Grammar(rules, next(iter(rules)))
    sentences = all_sentences(rules, next(iter(rules)))
    assert machine.entropy == pytest.approx(surprise(sentences.values()), rel=1e-12, abs=1e-12)


@given(raw_rules())
@example(OPTIONAL)
def test_entropy_of_any_grammar_is_that_of_its_derivations(rules):
    start = next(iter(rules))
    expected = surprise(p for p, _ in all_derivations(rules, start))
    assert Grammar(rules, start).entropy == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(raw_rules())
@example(OPTIONAL)
@example(UNEQUAL)
def test_mean_length_alphabet_and_first_characters_agree_with_brute_force(rules):
    start = next(iter(rules))
    machine, sentences = Grammar(rules, start), all_sentences(rules, start)
    mean_length = sum(probability * len(text) for text, probability in sentences.items())
    assert machine.mean_length == pytest.approx(mean_length, rel=1e-12)
    assert machine.alphabet == sorted(set("".join(sentences)))
    first = defaultdict(float)
    for text, probability in sentences.items():
        first[text[0]] += probability
    assert machine.first_symbol_distribution == pytest.approx(first, rel=1e-12)
    assert machine.first_symbol_entropy == pytest.approx(surprise(first.values()), rel=1e-12, abs=1e-12)


@given(raw_rules(letters="abcdef"))
@example(TINY)
@example(OPTIONAL | {"s": ["{x}c"]})
@example(UNEQUAL)
def test_the_entropy_floor_is_the_loss_of_the_best_possible_predictor(rules):
    """It knows the probability of every prefix.

    It gets the first character and predicts the rest.
    """
    start = next(iter(rules))
    sentences = all_sentences(rules, start)
    assume(len(sentences) == len(all_derivations(rules, start)))
    prefix = defaultdict(float)
    for text, probability in sentences.items():
        for end in range(1, len(text) + 1):
            prefix[text[:end]] += probability
        prefix[text + "<eos>"] = probability
    nats = predictions = 0.0
    for text, probability in sentences.items():
        seen = [text[:end] for end in range(1, len(text) + 1)] + [text + "<eos>"]
        nats -= probability * sum(math.log(prefix[new] / prefix[old]) for old, new in zip(seen, seen[1:]))
        predictions += probability * (len(seen) - 1)
    assert Grammar(rules, start).floor == pytest.approx(nats / predictions, rel=1e-9, abs=1e-12)


# ---- reading -------------------------------------------------------------------------


@given(raw_rules(), st.lists(st.text("ab", max_size=9), max_size=20))
@example(OPTIONAL, ["c", "abc", "ababc", "ab", ""])
def test_the_parser_finds_the_probability_and_the_derivations_of_every_text(rules, other_texts):
    start = next(iter(rules))
    machine, sentences = Grammar(rules, start), all_sentences(rules, start)
    texts = [text for _, text in all_derivations(rules, start)]
    for text in {*texts, *other_texts}:
        assert machine.derivations(text) == texts.count(text)
        assert machine.accepts(text) == (text in sentences)
        expected = math.log(sentences[text]) if text in sentences else -math.inf
        assert machine.log_probability(text) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_probabilities_of_two_derivations_add():
    ambiguous = Grammar({"s": [(1, "ab{t}"), (2, "a{u}"), (1, "c")], "t": ["c"], "u": ["bc", "d"]}, "s")
    assert ambiguous.derivations("abc") == 2
    assert ambiguous.log_probability("abc") == pytest.approx(math.log(1 / 4 + 2 / 4 * 1 / 2))


def test_a_probability_below_the_smallest_float_still_has_a_logarithm():
    machine = Grammar({"s": ["{ten}" * 10], "ten": ["{one}" * 100], "one": list("abcdefghij")}, "s")
    assert machine.log_probability("j" * 1000) == pytest.approx(-1000 * math.log(10))


# ---- sampling -------------------------------------------------------------


@pytest.mark.parametrize("rules", [TINY, OPTIONAL, UNEQUAL])
def test_sentences_are_sampled_with_their_probabilities(rules):
    count = 40_000
    drawn = Grammar(rules, "s").sample_many(count, np.random.default_rng(7))
    sentences = all_sentences(rules, "s")
    assert set(drawn) == set(sentences)
    for text, probability in sentences.items():
        spread = math.sqrt(probability * (1 - probability) / count)
        assert abs(drawn.count(text) / count - probability) < 4 * spread


def test_sampling_one_many_or_a_stream_gives_the_same_sentences():
    machine = Grammar(UNEQUAL, "s")
    many = machine.sample_many(1300, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    assert [machine.sample(rng) for _ in range(1300)] == many
    assert list(itertools.islice(machine.stream(np.random.default_rng(3)), 1300)) == many
    assert machine.sample_many(1300, np.random.default_rng(4)) != many
    assert machine.sample_many(0, rng) == []


# ---- ambiguity -----------------------------------------------------------------------


@given(st.one_of(raw_rules(), raw_rules(letters="abcd")))
@example(TINY)
@example(OPTIONAL)
def test_ambiguity_is_decided_as_by_listing_all_derivations(rules):
    start = next(iter(rules))
    texts = [text for _, text in all_derivations(rules, start)]
    witness = find_ambiguity(Grammar(rules, start))
    if len(texts) == len(set(texts)):
        assert witness is None
    else:
        assert texts.count(witness) >= 2


@pytest.mark.parametrize("rules", [
    {"s": ["a", "a"]},                                            # the same text twice
    {"s": ["{x}", "{y}"], "x": ["a"], "y": ["a"]},                # the same text by different rules
    {"s": ["{x}{y}"], "x": ["a", "ab"], "y": ["bc", "c"]},        # a border that can be in two places
    {"s": ["{x}{x}c"], "x": ["", "ab"]},                          # abc: was the first omitted, or the second?
    {"s": ["a{x}"], "x": ["", "{y}"], "y": ["", "b"]},            # the empty text, in two ways
    {"s": ["{x}-{x}", "{x}-b"], "x": ["a", "b"]},                 # found only after the first part was read
    {"s": ["{x}q", "z"], "x": ["{y}", "{y}{y}"], "y": ["a", "aa"]},
])
def test_an_ambiguous_grammar_is_detected(rules):
    machine = Grammar(rules, "s")
    witness = find_ambiguity(machine)
    assert witness is not None
    assert machine.derivations(witness) >= 2


@pytest.mark.parametrize("rules", [
    TINY, UNEQUAL,
    {"s": ["{x}{y}"], "x": ["a", "ab"], "y": ["cb", "c"]},
    {"s": ["{x}{x}"], "x": ["a", "b"]},
    {"s": ["a{x}{y}"], "x": ["", "b"], "y": ["", "c"]},
    {"s": ["{x} wins", "{x} won", "{x}"], "x": ["A", "AB", "ABC"]},
])
def test_an_unambiguous_grammar_is_not_called_ambiguous(rules):
    assert find_ambiguity(Grammar(rules, "s")) is None


# ---- refused grammars -----------------------------------------------------


@pytest.mark.parametrize("rules, start, words", [
    ({"s": ["a"]}, "t", ["start", "'t'", "s"]),
    ({"s": ["a {who}"]}, "s", ["'s'", "{who}"]),
    ({"s": ["{a}"], "a": ["x{b}"], "b": ["y", "{a}"]}, "s", ["'a'", "a -> b -> a"]),
    ({"s": ["x", "{s}"]}, "s", ["s -> s"]),
    ({"s": ["x"], "unused": ["{unused}"]}, "s", ["unused -> unused"]),
    ({"s": ["{a}"], "a": []}, "s", ["'a'", "alternatives"]),
    ({"s": "text"}, "s", ["'s'", "list", "'text'"]),
    ({"s": [(0, "x"), "y"]}, "s", ["'s'", "positive", "0"]),
    ({"s": [(-2, "x"), "y"]}, "s", ["'s'", "positive", "-2"]),
    ({"s": [(math.inf, "x")]}, "s", ["'s'", "finite", "inf"]),
    ({"s": [(math.nan, "x")]}, "s", ["'s'", "finite", "nan"]),
    ({"s": [("3", "x")]}, "s", ["'s'", "weight", "'3'"]),
    ({"s": [(1e-300, "x"), (1e300, "y")]}, "s", ["'s'", "unequal"]),
    ({"s": [(1e308, "x"), (1e308, "y")]}, "s", ["'s'", "too large"]),
    ({"s": ["a {b"]}, "s", ["'s'", "brace", "a {b"]),
    ({"s": ["a {two words}"]}, "s", ["'s'", "brace"]),
    ({"s": ["{a}{a}"], "a": ["", "x"]}, "s", ["'s'", "empty sentence"]),
])
def test_a_bad_grammar_is_refused_with_the_reason(rules, start, words):
    with pytest.raises(InputError) as complaint:
        Grammar(rules, start)
    for word in words:
        assert word in str(complaint.value)


@pytest.mark.parametrize("module", [grammar, ambiguity])
def test_the_examples_in_the_docstrings_are_right(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
