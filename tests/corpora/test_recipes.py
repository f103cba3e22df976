"""The corpus `recipes`: unambiguous, with an entropy floor, true to its titles."""

import doctest
import math
import re

import numpy as np
import pytest

from minilstm.corpora import recipes as module
from minilstm.corpora.ambiguity import find_ambiguity
from minilstm.corpora.pantry import PLURAL, WORDS
from minilstm.corpora.recipes import PROMPTS, SHAPES, UNFAMILIAR_PROMPTS, recipes
from minilstm.corpora.wordgrammar import split_words, written

TITLE = re.compile(r"Recipe for (\w+) (\w+) with (\w+) and (\w+) \| ")
TEMPERATURES = {"roasted": (200, 220), "roast": (180, 190), "baked": (160, 170), "braised": (130, 150)}
MINUTES = {"roasted": ("roast", 40, 50), "roast": ("roast", 70, 90), "baked": ("bake", 18, 25),
           "braised": ("braise", 120, 150), "simmered": ("simmer", 40, 50), "steamed": ("steam", 8, 10),
           "grilled": ("grill", 4, 6), "poached": ("poach", 15, 20)}


@pytest.fixture(scope="module")
def samples():
    return recipes().sample_many(2000, np.random.default_rng(17))


def count_words(text):
    return len(re.findall(r"[a-zA-Z0-9]+|[^a-zA-Z0-9 ]", text))


def chance(rule, template):
    """The probability that a rule chooses a template, from the lists in the source."""
    alternatives = [entry if isinstance(entry, tuple) else (1, entry) for entry in (SHAPES | WORDS)[rule]]
    [weight] = [weight for weight, text in alternatives if text.startswith(template) and (template or not text)]
    return weight / sum(weight for weight, _ in alternatives)


def test_no_two_derivations_give_the_same_words():
    assert find_ambiguity(recipes().grammar) is None


def test_texts_and_their_words_are_equivalent(samples):
    """Neither spaces nor capitals matter, so results on words hold for texts."""
    assert len(set(samples)) == len({tuple(split_words(text)) for text in samples}) > 1990
    for text in samples:
        assert written(split_words(text)) == text
        assert len(split_words(text)) == count_words(text)
    for text in samples[:50]:
        assert recipes().accepts(" ".join(split_words(text)))


def test_the_mean_negative_log_probability_of_samples_is_the_stated_entropy(samples):
    surprise = np.array([-recipes().log_probability(text) for text in samples[:500]])
    error = surprise.std() / math.sqrt(len(surprise))
    assert np.isfinite(surprise).all()
    assert error < 0.02 * recipes().entropy
    assert abs(surprise.mean() - recipes().entropy) < 4 * error


def test_the_entropy_floor_is_the_negative_log_probability_per_word_of_samples(samples):
    """The first word is always "recipe" and costs nothing.

    Each other word, and the end token, is predicted once.
    """
    nats = np.array([-recipes().log_probability(text) for text in samples[500:1000]])
    predictions = np.array([count_words(text) for text in samples[500:1000]])
    ratio = nats.sum() / predictions.sum()
    error = (nats - ratio * predictions).std() / math.sqrt(len(nats)) / predictions.mean()
    assert error < 0.02 * ratio
    assert abs(ratio - recipes().floor) < 4 * error
    assert recipes().first_symbol_entropy == pytest.approx(0, abs=1e-12)
    assert recipes().floor == pytest.approx(recipes().entropy / recipes().mean_length, rel=1e-12)


def test_the_mean_length_of_samples_is_the_stated_one(samples):
    lengths = np.array([count_words(text) for text in samples])
    assert abs(lengths.mean() - recipes().mean_length) < 4 * lengths.std() / math.sqrt(len(lengths))


def test_every_recipe_fits_into_the_200_steps_of_the_published_model():
    longest, shortest = {}, {}
    # a rule comes after those that it refers to
    for rule in recipes().grammar.rules.values():
        for table, choose in ((longest, max), (shortest, min)):
            table[rule] = choose(sum(len(part) if isinstance(part, str) else table[part] for part in row)
                                 for row in rule.alternatives)
    assert 60 <= shortest[recipes().grammar.start] < 90
    assert 190 < longest[recipes().grammar.start] <= 200


def test_the_probability_of_a_recipe_is_the_product_of_its_choices():
    text = (
        "Recipe for grilled mushrooms with basil and feta | Light the barbecue. Brush the mushrooms clean (they should not get "
        "wet) and halve the large ones. Brush them with a spoonful of oil, season with salt and a pinch of pepper, and "
        "grill for 5 minutes on each side, until soft and brown. Put out the barbecue and let it cool down. Crumble the feta "
        "over the mushrooms and strew with a little basil. Serve at once."
    )
    choices = [
        ("recipe", "Recipe for grilled"), ("summer", "mushrooms"), ("sunny", "basil"), ("cheeses", "feta"), ("people", ""),
        ("grilled", "Light the"), ("prepare_mushrooms", "Brush"), ("spoons", "a spoonful"), ("pinch", "a pinch of pepper"),
        ("grill_time", "5"), ("charred", "soft and brown"), ("fire_note", " and let"), ("cheese_end", "Crumble"),
        ("some", "a little"), ("last", "Serve {how}."), ("how", "at once"),
    ]
    expected = sum(math.log(chance(rule, template)) for rule, template in choices)
    assert recipes().derivations(text) == 1
    assert recipes().log_probability(text) == pytest.approx(expected, rel=1e-12)


def test_what_the_title_names_occurs_in_the_directions(samples):
    for text in samples:
        method, main, herb, side = TITLE.match(text).groups()
        directions = text.split(" | ")[1]
        for word in (main, herb, side):
            assert re.search(rf"\b{word}\b", directions), text
        verb, low, high = MINUTES[method]
        [minutes] = re.findall(rf"\b{verb}\b[^.]* for (\d+) minutes", directions, flags=re.IGNORECASE)
        assert low <= int(minutes) <= high, text
        degrees = re.findall(r"to (\d+) degrees", directions)
        assert len(degrees) == (method in TEMPERATURES), text
        assert all(TEMPERATURES[method][0] <= int(n) <= TEMPERATURES[method][1] for n in degrees), text


def test_everything_that_was_begun_is_ended(samples):
    for text in samples:
        for device in ("oven", "stove", "barbecue"):
            undone = len(re.findall(rf"(?:turn off|put out) the {device}\b", text, flags=re.IGNORECASE))
            assert undone == (f"the {device}" in text), text
        for cover in re.findall(r"(?:with a|with some|[Pp]ut a) (lid|plate|cloth|foil|parchment)\b", text):
            assert re.search(rf"take off the {cover}\b", text, flags=re.IGNORECASE), text
        for extra in re.findall(r"make a (\w+):", text, flags=re.IGNORECASE):
            assert re.search(rf"the {extra}\b", text.split(f"ake a {extra}:")[1]), text
        assert text.count('"') % 2 == 0
        assert re.sub(r"[^()]", "", text) in ("", "()", "()()", "()()()", "()()()()")


def test_words_agree_in_number_and_articles_with_what_follows(samples):
    every = " ".join(samples)
    assert not re.search(r"\ba [aeiou]\w+|\ban (?!hour)[^aeiou]", every)
    assert not re.search(r"\b(\w+) \1\b", every)
    assert not re.search(r"  | [.,;:)]|\( |\.\.|[.,] [.,]", every)
    seen = set()
    for text in samples:
        main = TITLE.match(text).group(2)
        plural = main.endswith("s") and main != "asparagus"
        assert (main in PLURAL) == plural
        for verb in re.findall(r"until (it is|they are) soft", text.split("Warm the")[0]):
            seen.add(verb)
            assert verb == ("they are" if plural else "it is"), text
        for pronoun in re.findall(r"(?:Toss|Brush|Lay|turning) (it|them)\b", text):
            assert pronoun == ("them" if plural else "it"), text
    assert seen == {"it is", "they are"}
    assert PLURAL <= set(split_words(every))


def test_recipes_of_other_titles_are_rejected(samples):
    rejected = 0
    for text, other in zip(samples[:200], samples[1:]):
        mixed = other.split(" | ")[0] + " | " + text.split(" | ")[1]
        if TITLE.match(text).groups() != TITLE.match(other).groups():
            rejected += 1
            assert not recipes().accepts(mixed)
    assert rejected > 150


def test_a_text_that_is_not_a_whole_recipe_is_rejected(samples):
    assert not recipes().accepts("")
    for text in samples[:50]:
        words = split_words(text)
        assert not recipes().accepts(" ".join(words[:-1]))
        assert not recipes().accepts(" ".join(words[1:]))
        assert not recipes().accepts(text + " " + text)
        assert not recipes().accepts(text.replace("the ", "these ", 1))


def test_recipes_begin_with_every_prompt_but_not_with_the_unfamiliar_ones():
    texts = [" ".join(split_words(text)) + " " for text in recipes().sample_many(5000, np.random.default_rng(29))]
    for prompt in PROMPTS:
        ways = {text.removeprefix(prompt + " ") for text in texts if text.startswith(prompt + " ")}
        assert len(ways) >= 3
    for prompt in UNFAMILIAR_PROMPTS:
        assert not any(text.startswith(prompt) for text in texts)
    for prompt in (*PROMPTS, *UNFAMILIAR_PROMPTS):
        assert set(split_words(prompt)) <= set(recipes().vocabulary)


def test_the_corpus_has_the_stated_size():
    assert 450 < len(recipes().vocabulary) <= 500
    assert 130 < recipes().mean_length < 150
    assert 0.1 < recipes().floor < 0.25
    assert len(recipes().grammar.rules) < 10_000
    texts = recipes().sample_many(5000, np.random.default_rng(37))
    assert set(split_words(" ".join(texts))) == set(recipes().vocabulary)


def test_the_same_seed_gives_the_same_recipes(samples):
    assert recipes().sample_many(2000, np.random.default_rng(17)) == samples
    assert recipes().sample_many(2000, np.random.default_rng(18)) != samples
    assert recipes() is recipes()


def test_every_rule_of_the_corpus_is_used():
    assert set(SHAPES) & set(WORDS) == set()
    text = str([*SHAPES.values(), *WORDS.values()])
    used = set(re.findall(r"\{(\w+)\}", text)) | set(re.findall(r"<\w+ from (\w+)>", text))
    unused = {name for name in SHAPES | WORDS if name not in used}
    mains = " ".join(" ".join(WORDS[words]) for words in re.findall(r"<main from (\w+)>", text)).split()
    extras = " ".join(" ".join(WORDS[words]) for words in re.findall(r"<extra from (\w+)>", text)).split()
    assert unused == {"recipe"} | {f"prepare_{main}" for main in mains} | {f"make_{extra}" for extra in extras}


def test_the_example_in_the_docstring_is_right():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
