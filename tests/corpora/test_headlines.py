"""The corpus `headlines`: unambiguous, accepts its texts, begins with its prompts."""

import doctest
import math
import re

import numpy as np
import pytest

from minilstm.corpora import headlines as module
from minilstm.corpora.ambiguity import find_ambiguity
from minilstm.corpora.headlines import PROMPTS, SHAPES, UNFAMILIAR_PROMPT, WORDS, headlines


@pytest.fixture(scope="module")
def samples():
    return headlines().sample_many(2000, np.random.default_rng(17))


def chance(rule, template):
    """The probability that a rule chooses a template, from the lists in the source."""
    entries = (SHAPES | WORDS)[rule]
    alternatives = [entry if isinstance(entry, tuple) else (1, entry) for entry in entries]
    [weight] = [weight for weight, text in alternatives if text == template]
    return weight / sum(weight for weight, _ in alternatives)


def corrupted(text, rng):
    """Drop a character, swap two different neighbours, or replace a character."""
    at = int(rng.integers(len(text) - 1))
    kind = rng.choice(["drop", "swap", "replace"])
    if kind == "swap" and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2:]
    if kind == "drop":
        return text[:at] + text[at + 1:]
    other = rng.choice([character for character in headlines().alphabet if character != text[at]])
    return text[:at] + str(other) + text[at + 1:]


def test_no_headline_has_two_derivations():
    assert find_ambiguity(headlines()) is None


def test_every_sample_has_one_derivation_and_a_probability(samples):
    for text in samples:
        assert headlines().derivations(text) == 1
        assert -math.inf < headlines().log_probability(text) < 0


@pytest.mark.parametrize("text, choices", [
    ("Foxes stun Otters, 2-1", [
        ("headline", "{news}{agency}"), ("agency", ""), ("news", "{sports}"),
        ("sports", "{team} {beat} {opponent}, {score}"),
        ("team", "Foxes"), ("beat", "stun"), ("opponent", "Otters"), ("score", "2-1"),
    ]),
    ("Moscow, March 12: Study: tea may ease pain (Globe)", [
        ("headline", "{capital}, {dateline}{agency}"), ("agency", " (Globe)"), ("capital", "Moscow"),
        ("dateline", "{month} {day}: {news}"), ("month", "March"), ("day", "1{digit}"), ("digit", "2"),
        ("news", "{discovery}"), ("discovery", "Study: {food} may {heal}"), ("food", "tea"),
        ("heal", "ease pain"),
    ]),
    ('President Kestrel says "peace is possible" - Courier', [
        ("headline", "{news}{agency}"), ("agency", " - Courier"), ("news", "{politics}"),
        ("politics", "{official} {acts}"), ("official", "President {surname}"), ("surname", "Kestrel"),
        ("acts", 'says "{saying}"'), ("saying", "peace is possible"),
    ]),
])
def test_the_probability_of_a_headline_is_the_product_of_its_choices(text, choices):
    expected = sum(math.log(chance(rule, template)) for rule, template in choices)
    assert headlines().log_probability(text) == pytest.approx(expected, rel=1e-12)


def test_the_mean_negative_log_probability_of_samples_is_the_stated_entropy(samples):
    surprise = np.array([-headlines().log_probability(text) for text in samples])
    error = surprise.std() / math.sqrt(len(surprise))
    assert error < 0.02 * headlines().entropy
    assert abs(surprise.mean() - headlines().entropy) < 4 * error


def test_the_mean_length_and_first_characters_of_samples_are_the_stated_ones(samples):
    lengths = np.array([len(text) for text in samples])
    assert abs(lengths.mean() - headlines().mean_length) < 4 * lengths.std() / math.sqrt(len(lengths))
    assert sum(headlines().first_symbol_distribution.values()) == pytest.approx(1, rel=1e-12)
    for character, probability in headlines().first_symbol_distribution.items():
        share = np.mean([text[0] == character for text in samples])
        assert abs(share - probability) < 4.5 * math.sqrt(probability * (1 - probability) / len(samples))


def test_corrupted_headlines_are_rejected_unless_they_are_still_headlines(samples):
    rng = np.random.default_rng(23)
    accepted = []
    for text in samples[:1000]:
        damaged = corrupted(text, rng)
        assert damaged != text
        derivations = headlines().derivations(damaged)
        if derivations:
            accepted.append(damaged)
            assert derivations == 1
        assert math.isfinite(headlines().log_probability(damaged)) == (derivations == 1)
    assert len(accepted) <= 50
    # for example one digit replaced by another; so both cases were tried
    assert accepted


def test_a_text_that_is_not_a_whole_headline_is_rejected(samples):
    assert not headlines().accepts("")
    for text in samples[:200]:
        assert not headlines().accepts(text + " ")
        assert not headlines().accepts(" " + text)
        assert not headlines().accepts(text[:-1])
        assert not headlines().accepts(text[1:])
        assert not headlines().accepts(text + text)
    assert not headlines().accepts(PROMPTS[0])
    assert not headlines().accepts('Mayor Kestrel says "peace is possible')
    assert not headlines().accepts("Oil prices rises 2 percent on supply worries")
    assert not headlines().accepts("Gold slip 2 percent on supply worries")


def test_headlines_begin_with_every_prompt_and_continue_in_many_ways():
    texts = headlines().sample_many(20_000, np.random.default_rng(29))
    for prompt in PROMPTS:
        ways = [text.removeprefix(prompt) for text in texts if text.startswith(prompt)]
        assert 0.02 < len(ways) / len(texts) < 0.1
        assert len({way.split()[0] for way in ways}) >= 10


def test_no_headline_begins_with_the_unfamiliar_prompt_but_its_characters_occur():
    texts = headlines().sample_many(20_000, np.random.default_rng(31))
    assert not any(text.startswith("Little") for text in texts)
    assert not any("Little" in template for rules in (SHAPES, WORDS) for template in map(str, rules.values()))
    assert set(UNFAMILIAR_PROMPT) <= set(headlines().alphabet)


def test_the_corpus_has_the_stated_size():
    texts = headlines().sample_many(20_000, np.random.default_rng(37))
    words = set(re.findall(r"[A-Za-z][A-Za-z-]+", " ".join(texts)))
    assert 450 < len(words) < 600  # "some five hundred words"
    assert 45 < headlines().mean_length < 60
    assert 55 <= len(headlines().alphabet) <= 75
    assert all(character.isascii() for character in headlines().alphabet)
    assert 0.2 < headlines().floor < 0.6


def test_quotation_marks_and_brackets_are_closed_and_spaces_are_single(samples):
    assert sum('"' in text for text in samples) > 50
    for text in samples:
        assert text.count('"') % 2 == 0
        assert text.count("'") % 2 == 0
        assert text.count("(") == text.count(")")
        assert "  " not in text
        assert text == text.strip()


def test_the_same_seed_gives_the_same_headlines(samples):
    assert headlines().sample_many(2000, np.random.default_rng(17)) == samples
    assert headlines().sample_many(2000, np.random.default_rng(18)) != samples
    assert headlines() is headlines()


def test_every_rule_of_the_corpus_is_used():
    assert set(SHAPES) & set(WORDS) == set()
    text = str(list(SHAPES.values()))
    assert {name for name in SHAPES | WORDS if f"{{{name}}}" not in text} == {"headline"}


def test_the_example_in_the_docstring_is_right():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
