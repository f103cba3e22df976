"""Long-range agreement of texts with distances counted by hand, and of the corpus."""

import doctest
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.corpora import long_range as module
from minilstm.corpora.pantry import WORDS
from minilstm.corpora.long_range import KIND, KINDS, NAMED, NEAR, Agreement, agreements, kept_by_distance, nearest
from minilstm.corpora.recipes import SHAPES, recipes
from minilstm.data.punctuation import split_words

# roasted is word 2, leeks 3, dill 5, feta 7, the bar 8
TITLE = "Recipe for roasted leeks with dill and feta | "


def due(directions, ended=False, title=TITLE):
    return {(p.kind, p.distance, p.kept) for p in agreements(split_words(title + directions), ended)}


@pytest.fixture(scope="module")
def samples():
    return recipes().sample_many(2000, np.random.default_rng(41))


@pytest.mark.parametrize("directions, expected", [
    # from word 3 to word 11
    ("Wash the leeks.", {("main", 8, True)}),
    ("Wash the beans.", {("main", 8, False)}),
    ("Wash the leeks. Slice the leeks.", {("main", 8, True), ("main", 4, True)}),
    ("Wash the beans. Slice the leeks.", {("main", 8, False), ("main", 12, True)}),
    ("Add feta and mint.", {("side", 3, True), ("herb", 7, False)}),
    ("Add feta and rice.", {("side", 3, True), ("side", 2, False)}),
    ("Then roast.", {("method", 8, True)}),
    ("Then steam.", {("method", 8, False)}),
    ("Then braised.", {("method", 8, False)}),
    ("Heat to 200 degrees.", {("degrees", 10, True)}),
    ("Heat to 230 degrees.", {("degrees", 10, False)}),
    ("Heat to some degrees.", set()),
    ("Roast for 45 minutes.", {("method", 7, True), ("minutes", 3, True)}),
    ("Roast for 9 minutes.", {("method", 7, True), ("minutes", 3, False)}),
    ("Steam for 45 minutes.", {("method", 7, False), ("minutes", 10, True)}),
    ("Roast. Wait for 9 minutes.", {("method", 7, True)}),
    ("Take a pot. Fill the pot.", {("vessel", 4, True)}),
    ("Take a pot. Fill the wok.", {("vessel", 4, False)}),
    ("Take a pot. Fill the wok. Fill the pot.", {("vessel", 4, False), ("vessel", 8, True)}),
    ("Make a salad. Eat the sauce.", {("extra", 4, False)}),
    ("Light the stove. Turn off the oven.", {("fire", 5, False)}),
    ("Wash (and dry them) now.", {("bracket", 4, True)}),
    ("Wash (and dry them now.", {("bracket", 5, False)}),
    ("Wash (and (dry) them.", {("bracket", 2, False), ("bracket", 2, True)}),
    ("Wash them) now.", set()),
    ('Say "come in" now.', {("quote", 3, True)}),
    ('Say "come in. Now "eat".', {("quote", 3, False), ("quote", 2, True)}),
])
def test_agreements_are_found_where_they_are_due(directions, expected):
    assert due(directions) == expected


def test_a_title_requires_only_what_it_names():
    assert due("Wash the beans. Add mint. Steam for 9 minutes at 200 degrees.", title="Recipe for ice cream | ") == set()
    assert due("Steam to 200 degrees.", title="Recipe for steamed leeks | ") == {("method", 3, True), ("degrees", 3, False)}
    either = due("Mix beans and leeks.", title="Recipe for leeks and beans | ")
    assert either == {("main", 3, True), ("main", 2, True)}


def test_without_a_bar_all_is_title_and_nothing_is_due_before_the_end():
    words = split_words("recipe for roasted leeks with leeks and beans")
    assert agreements(words, ended=False) == []
    assert {(p.kind, p.distance, p.kept) for p in agreements(words)} == {("method", 6, False), ("main", 1, False)}


@pytest.mark.parametrize("directions, broken", [
    ("", {("method", 7), ("main", 6), ("herb", 4), ("side", 2)}),
    ("Roast the leeks with dill.", {("side", 8)}),
    # was due once, and is not counted again
    ("Roast the leeks with dill and rice.", {("side", 8)}),
    ("Roast leeks, dill, feta. Take a pot.", {("vessel", 2)}),
    ("Roast leeks, dill, feta in the oven. Open the oven.", {("fire", 2)}),
    ("Roast leeks, dill, feta in the oven. Turn off the oven.", set()),
    ("Roast leeks, dill, feta on the barbecue. Put out the barbecue.", set()),
    ("Roast leeks, dill, feta. Put on a lid. Hold the lid.", {("cover", 2)}),
    ("Roast leeks, dill, feta. Put on a lid. Take off the lid.", set()),
    ("Roast leeks, dill, feta (or", {("bracket", 2)}),
    ('Roast leeks, dill, feta "or', {("quote", 2)}),
])
def test_a_word_that_never_returned_counts_as_broken_at_the_end(directions, broken):
    assert {(kind, distance) for kind, distance, kept in due(directions, ended=True) if not kept} == broken


def test_a_text_that_was_cut_off_does_not_break_what_could_still_come():
    directions = "Roast the leeks in the oven. Put on a lid (or"
    assert all(kept for _, _, kept in due(directions, ended=False))
    assert {kind for kind, _, kept in due(directions, ended=True) if not kept} == {"herb", "side", "fire", "cover", "bracket"}


def test_the_corpus_keeps_all_agreements_at_all_distances(samples):
    tally = kept_by_distance(samples)
    assert tally.share_kept() == 1
    for near in NEAR:
        assert tally.due_per_text(near=near) > 1
    for kind in KINDS:
        assert tally.due_per_text(kind) > 0.1
    for kind in NAMED:
        assert tally.due_per_text(kind, 100) > 0.3


def test_recipes_with_the_title_of_another_agree_only_by_chance(samples):
    titles, bodies = zip(*(text.split(" | ") for text in samples))
    tally = kept_by_distance(f"{title} | {body}" for title, body in zip(titles[1:] + titles[:1], bodies))
    for kind in NAMED:
        assert 0 < tally.share_kept(kind) < 0.2
    assert tally.share_kept("degrees") < 0.5
    for kind in ("vessel", "cover", "extra", "fire", "bracket", "quote"):
        # the title does not determine these
        assert tally.share_kept(kind) == 1
    assert tally.share_kept(near=100) < 0.3


def test_a_recipe_that_ends_early_does_not_look_better(samples):
    short = [" ".join(split_words(text)[:40]) for text in samples]
    assert kept_by_distance(short).share_kept() < 0.6
    for kind in ("herb", "side"):
        assert kept_by_distance(short).share_kept(kind) < 0.3
    cut = kept_by_distance(short, ended=False)
    assert cut.share_kept() == 1
    assert cut.due_per_text(near=100) == 0
    # compared by the number of agreements that were due
    assert cut.due_per_text() < kept_by_distance(samples).due_per_text() / 2


def test_a_single_wrong_word_breaks_a_single_agreement(samples):
    rng = np.random.default_rng(43)
    tried = 0
    for text in samples[:300]:
        words = split_words(text)
        places = [at for at, word in enumerate(words) if KIND.get(word) in ("main", "herb", "side") and at > words.index("|")]
        at = int(rng.choice(places))
        kind = KIND[words[at]]
        words[at] = str(rng.choice([word for word in NAMED[kind] if word != words[at]]))
        broken = [agreement for agreement in agreements(words) if not agreement.kept]
        assert [agreement.kind for agreement in broken] == [kind]
        tried += 1
    assert tried == 300


def test_each_word_is_of_one_kind_and_stands_only_where_it_is_chosen_or_recalled():
    kinds = [(kind, word) for kind, words in {**module.NAMED, **module.TAKEN}.items() for word in words]
    assert all(KIND[word] == kind for kind, word in kinds)
    lists = set(re.findall(r"<\w+ from (\w+)>", str(SHAPES)))
    for name, rows in {**SHAPES, **WORDS}.items():
        about = name.removeprefix("prepare_")
        literal = set(split_words(re.sub(r"\{\w+\}|<[^>]*>", " ", str(rows))))
        named = {word for word in literal & set(KIND) if KIND[word] not in ("fire", "method")} - {about}
        assert not named or name in lists
        assert not (named and name in lists) or named == literal & set(rows)


@given(st.lists(st.sampled_from(["|", ".", "(", ")", '"', "the", "for", "45", "degrees", "minutes", "off", *sorted(KIND)])),
       st.booleans())
def test_any_row_of_words_can_be_evaluated(words, ended):
    found = agreements(words, ended)
    assert all(1 <= agreement.distance <= len(words) and agreement.kind in KINDS for agreement in found)
    assert set(agreements(words, ended=False)) <= set(agreements(words, ended=True))
    if "|" not in words and not ended:
        assert not any(agreement.kind in NAMED for agreement in found)


@given(st.integers(1, 1000))
def test_each_distance_counts_for_the_nearest_by_ratio(distance):
    ratios = {near: max(near / distance, distance / near) for near in NEAR}
    assert ratios[nearest(distance)] == pytest.approx(min(ratios.values()))
    assert [nearest(d) for d in (1, 14, 15, 31, 32, 70, 71, 500)] == [10, 10, 20, 20, 50, 50, 100, 100]


def test_a_tally_counts_by_kind_and_distance():
    texts = [TITLE + "Wash the leeks. Add (some) mint.", TITLE + "Wash the beans. " + "Stir well. " * 15 + "Add dill."]
    tally = kept_by_distance(texts, ended=False)
    assert tally.texts == 2
    assert dict(tally.due) == {("main", 10): 2, ("herb", 10): 1, ("bracket", 10): 1, ("herb", 50): 1}
    assert dict(+tally.kept) == {("main", 10): 1, ("bracket", 10): 1, ("herb", 50): 1}
    assert tally.share_kept() == 3 / 5
    assert tally.share_kept("main") == 1 / 2
    assert tally.share_kept(near=50) == 1
    assert tally.due_per_text(near=10) == 2
    assert tally.due_per_text("herb", 50) == 1 / 2
    assert math.isnan(tally.share_kept("quote"))
    assert math.isnan(kept_by_distance([]).due_per_text())


def test_the_table_fits_80_columns_and_says_what_was_counted():
    lines = str(kept_by_distance([TITLE + "Wash the leeks. Take rice."], ended=False)).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[3:]] == [*KINDS, "all"]
    assert lines[3].split() == ["main", "100.0%", "(", "1.00)", "-", "-", "-"]
    assert "50.0%" in lines[-1]


def test_agreements_are_plain_values():
    assert agreements(split_words(TITLE + "Wash the leeks."), ended=False) == [Agreement("main", 8, True)]


def test_the_example_in_the_docstring_is_right():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
