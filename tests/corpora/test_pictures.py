"""The corpus `pictures`, against sentences that are written out one by one.

The writer below has its own list of phrases and shares nothing with the package but the names in a scene.
"""

import doctest
import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.corpora import pictures as module
from minilstm.corpora.ambiguity import find_ambiguity
from minilstm.corpora.pictures import (BRIGHTNESS, DIRECTIONS, PLACES, QUARTERS, SHAPES, SIZES, Thing, floor, is_true, read,
                                       render, sample, wording)
from minilstm.data.punctuation import split_words
from minilstm.errors import InputError
from tests.helpers.frequencies import chi_square

SYNONYMS = {"small": "little", "large": "big", "bright": "white", "dim": "grey"}
OBJECTS = [
    Thing(quarter, size, brightness, shape, place)
    for quarter, size, brightness, shape, place in itertools.product(QUARTERS, SIZES, BRIGHTNESS, SHAPES, PLACES)
    if size == "small" or place == (0, 0)
]
SCENES = [(a,) for a in OBJECTS] + [
    (a, b) for a, b in itertools.combinations(OBJECTS, 2) if a.quarter != b.quarter
]  # as objects are ordered by quarters


def either(word):
    return [(3 / 4, word), (1 / 4, SYNONYMS[word])]


def joined(*options):
    """All ways to put phrases together, each a list of pairs (probability, text)."""
    return [(math.prod(p for p, _ in ways), " ".join(t for _, t in ways)) for ways in itertools.product(*options)]


def one(*words):
    return [(1.0, " ".join(words))]


def scaled(factor, pairs):
    return [(factor * p, text) for p, text in pairs]


def named(thing):
    size, light, shape = either(thing.size), either(thing.brightness), one(thing.shape)
    return [
        *scaled(4 / 6, joined(one("a"), size, light, shape)),
        *scaled(1 / 6, joined(one("a"), size, shape)),
        *scaled(1 / 6, joined(one("a"), light, shape)),
    ]


def placed(thing):
    return [(3 / 4, f"at the {thing.quarter}"), (1 / 4, f"in the {thing.quarter} corner")]


def sentences(scene):
    """A pair (probability, words) for every way to write about a scene."""
    if len(scene) == 1:
        [a] = scene
        ways = [(3, joined(named(a), placed(a))), (1, joined(placed(a), one(","), named(a))),
                (1, joined(one("there is"), named(a), placed(a)))]
    else:
        ways = []
        for a, b in (scene, scene[::-1]):
            ways.append((3, joined(named(a), placed(a), one("and"), named(b), placed(b))))
            ways.append((1, joined(placed(a), one(","), named(a), one(", and"), placed(b), one(","), named(b))))
            (row, column), (other_row, other_column) = (divmod(QUARTERS.index(x.quarter), 2) for x in (a, b))
            if column == other_column:
                ways.append((2, joined(named(a), one("above" if row < other_row else "below"), named(b))))
            if row == other_row:
                ways.append((2, joined(named(a), one("to the", "left" if column < other_column else "right", "of"), named(b))))
    total = sum(weight for weight, _ in ways)
    return [pair for weight, pairs in ways for pair in scaled(weight / total, pairs)]


def without_place(scene):
    return tuple(thing._replace(place=(0, 0)) for thing in scene)


@st.composite
def some_scene(draw):
    return draw(st.sampled_from(SCENES))


def test_there_are_as_many_pictures_as_stated_and_each_determines_its_scene():
    assert len(SCENES) == 21_840 and len({without_place(scene) for scene in SCENES}) == 3_552
    pictures = {render(scene).tobytes() for scene in SCENES}
    assert len(pictures) == len(SCENES)


@given(some_scene())
def test_a_picture_is_read_as_its_scene(scene):
    picture = render(scene)
    assert read(picture) == read(picture.reshape(8, 8)) == read(picture.astype(np.float32).tolist()) == scene
    assert read(-picture * -1) == scene
    assert picture.shape == (64,) and set(picture) <= {0.0, 0.5, 1.0}
    dark = {"bright", "dim"} - {thing.brightness for thing in scene}
    assert not any(BRIGHTNESS[name] in picture for name in dark)


@given(some_scene())
def test_objects_lie_in_their_quarters(scene):
    picture = render(scene).reshape(8, 8)
    for quarter, block in zip(QUARTERS, (picture[:4, :4], picture[:4, 4:], picture[4:, :4], picture[4:, 4:])):
        assert block.any() == (quarter in [thing.quarter for thing in scene])


def test_objects_are_drawn_as_they_are_called():
    show = lambda *fields: ["".join(".-#"[int(2 * value)] for value in row) for row in render((Thing(*fields),)).reshape(8, 8)]
    assert show("top left", "small", "bright", "cross", (1, 0))[:5] == [
        "........", ".#......", "###.....", ".#......", "........"]
    assert show("bottom right", "large", "dim", "diamond")[3:] == [
        "........", ".....--.", "....-..-", "....-..-", ".....--."]
    assert show("top right", "small", "dim", "vertical line", (0, 1))[:4] == ["......-.", "......-.", "......-.", "........"]
    assert show("bottom left", "large", "bright", "horizontal line")[4:] == ["........", "####....", "####....", "........"]


@given(some_scene())
def test_sentences_have_the_probabilities_of_the_choices_that_write_them(scene):
    written = sentences(scene)
    assert len({text for _, text in written}) == len(written)
    assert sum(p for p, _ in written) == pytest.approx(1)
    grammar = wording(scene)
    for probability, text in random.Random(0).sample(written, 20):
        assert grammar.derivations(text) == 1
        assert grammar.log_probability(text) == pytest.approx(math.log(probability), rel=1e-9)
    assert grammar.entropy == pytest.approx(-sum(p * math.log(p) for p, _ in written), rel=1e-9)
    assert grammar.mean_length == pytest.approx(sum(p * len(split_words(text)) for p, text in written), rel=1e-9)


@given(some_scene())
def test_no_sentence_has_two_derivations_in_one_scene(scene):
    assert find_ambiguity(wording(scene).grammar) is None


@pytest.mark.thorough
def test_no_sentence_has_two_derivations_in_any_scene():
    scenes = {without_place(scene) for scene in SCENES}
    assert [scene for scene in scenes if find_ambiguity(wording(scene).grammar) is not None] == []


def test_no_sentence_has_two_derivations_even_if_both_objects_look_alike():
    for a, b in itertools.combinations(QUARTERS, 2):
        scene = (Thing(a, "large", "dim", "square"), Thing(b, "large", "dim", "square"))
        assert find_ambiguity(wording(scene).grammar) is None


def test_the_floor_is_the_mean_over_all_scenes_of_what_is_written_out():
    """Entropy and length depend on a scene only by its number of objects and by whether a direction is named."""
    nats = words = 0.0
    kinds = [
        (1 / 3, (OBJECTS[0],)),
        (2 / 3 * 4 / 6, (Thing("top left", "small", "dim", "cross"), Thing("top right", "large", "dim", "frame"))),
        (2 / 3 * 2 / 6, (Thing("top left", "small", "dim", "cross"), Thing("bottom right", "large", "dim", "frame"))),
    ]
    nats -= sum(weight * sum(p * math.log(p) for p, _ in sentences(scene)) for weight, scene in kinds)
    # lines have a word more: 2 of 6 shapes; "above" has one word, "to the left of" has four
    for weight, scene in kinds:
        lengths = [len(split_words(text)) for _, text in sentences(scene)]
        words += weight * sum(p * length for (p, _), length in zip(sentences(scene), lengths))
        words += weight * len(scene) * 2 / 6
    direction = sum(p for p, text in sentences(kinds[1][1]) if " to the " in text)
    words -= kinds[1][0] / 2 * direction * 3
    assert floor() == pytest.approx(nats / (words + 1), rel=1e-9)


@pytest.mark.thorough
def test_the_floor_is_the_mean_surprise_of_samples():
    """An independent writer draws scenes and sentences; words and the end are predicted, given the picture."""
    rng = random.Random(5)
    nats, tokens, scenes = [], [], {len(scene): [] for scene in SCENES}
    for scene in {without_place(scene) for scene in SCENES}:
        scenes[len(scene)].append(scene)
    for group in scenes.values():
        group.sort()
    for _ in range(800):
        scene = rng.choice(scenes[1 if rng.random() < 1 / 3 else 2])
        written = sentences(scene)
        [(probability, text)] = rng.choices(written, [p for p, _ in written])
        nats.append(-math.log(probability))
        tokens.append(len(split_words(text)) + 1)
    residual = np.array(nats) - floor() * np.array(tokens)
    assert abs(residual.mean()) < 4 * residual.std() / math.sqrt(len(residual))
    assert residual.std() / math.sqrt(len(residual)) < 0.04 * np.mean(nats)


@pytest.mark.thorough
def test_scenes_are_drawn_as_often_as_stated():
    pixels, _ = sample(10_000, np.random.default_rng(3))
    scenes = [read(picture) for picture in pixels]
    pairs = list(itertools.combinations(QUARTERS, 2))
    where = {(quarter,): 1 / 12 for quarter in QUARTERS} | {pair: 2 / 3 / 6 for pair in pairs}
    assert abs(chi_square([tuple(thing.quarter for thing in scene) for scene in scenes], where)) < 4
    looks = {thing[1:]: 1 / 24 * (1 / 4 if thing.size == "small" else 1) for thing in OBJECTS}
    assert abs(chi_square([thing[1:] for scene in scenes for thing in scene], looks)) < 4
    both = {(a, b): 1 / 16 for a in itertools.product(SIZES, BRIGHTNESS) for b in itertools.product(SIZES, BRIGHTNESS)}
    assert abs(chi_square([(a[1:3], b[1:3]) for a, b in (scene for scene in scenes if len(scene) == 2)], both)) < 4


@pytest.mark.thorough
def test_sentences_are_drawn_as_often_as_their_probabilities_say(monkeypatch):
    scene = (Thing("top left", "small", "dim", "cross"), Thing("top right", "large", "dim", "frame"))
    monkeypatch.setattr(module, "_draw", lambda rng: scene)
    _, texts = sample(30_000, np.random.default_rng(7))
    probabilities = {text: p for p, text in sentences(scene)}
    assert abs(chi_square([" ".join(split_words(text)) for text in texts],
                          {" ".join(split_words(text)): p for text, p in probabilities.items()})) < 4


def test_a_sentence_is_true_of_its_picture_and_seldom_of_another():
    pixels, texts = sample(300, np.random.default_rng(11))
    assert pixels.shape == (300, 64) and len(texts) == 300
    for picture, other, text in zip(pixels, np.roll(pixels, 1, axis=0), texts):
        assert is_true(text, picture) and is_true(text.lower(), picture)
        assert is_true(text, other) == (text.lower() in {t.replace(" ,", ",") for _, t in sentences(read(other))})
    assert sum(is_true(text, other) for text, other in zip(texts, np.roll(pixels, 1, axis=0))) < 10


def test_a_sentence_with_a_wrong_word_is_false():
    picture = render((Thing("top left", "small", "dim", "cross", (1, 1)), Thing("bottom left", "large", "bright", "frame")))
    assert is_true("a little cross above a big white frame", picture)
    assert is_true("a big white frame below a little cross", picture)
    for text in ("a little cross below a big white frame", "a little cross above a big dim frame", "a little cross", "",
                 "a little cross to the left of a big white frame", "a small cross at the top left",
                 "a little ring above a big white frame", "a cross above a big white frame"):
        assert not is_true(text, picture)


@pytest.mark.parametrize("pixels", [
    np.zeros(64), np.ones(64), np.full(64, 0.5), np.zeros(63), np.zeros((8, 9)),
    render((OBJECTS[0],)) * 0.9, render((OBJECTS[0], OBJECTS[60], OBJECTS[-1])), np.eye(8), np.full(64, np.nan),
])
def test_what_is_no_picture_of_the_corpus_is_refused(pixels):
    with pytest.raises(InputError, match="8x8 picture"):
        is_true("a small cross at the top left", pixels)


def test_the_same_seed_draws_the_same_pictures_and_sentences():
    pixels, texts = sample(50, np.random.default_rng(1))
    again, same = sample(50, np.random.default_rng(1))
    assert np.array_equal(pixels, again) and texts == same
    assert not np.array_equal(pixels, sample(50, np.random.default_rng(2))[0])
    empty, none = sample(0, np.random.default_rng(1))
    assert empty.shape == (0, 64) and none == []


def test_directions_are_those_of_neighbours():
    assert len(DIRECTIONS) == 4
    for (a, b), (first, second) in DIRECTIONS.items():
        (row, column), (other_row, other_column) = divmod(QUARTERS.index(a), 2), divmod(QUARTERS.index(b), 2)
        assert (row == other_row) != (column == other_column)
        assert (first, second) == (("above", "below") if row < other_row else ("to the left of", "to the right of"))


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
