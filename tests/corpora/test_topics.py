"""The corpus `topics`, against headlines that an interpreter of the raw rules writes, with the topics that it uses.

The interpreter shares nothing with the package but the lists of rules.
"""

import doctest
import math
import random
import re

import numpy as np
import pytest

from minilstm.corpora import topics as module
from minilstm.corpora.headlines import SHAPES, WORDS, headlines
from minilstm.corpora.topics import CLASSES, topics
from minilstm.errors import InputError
from tests.helpers.frequencies import chi_square

RULES = SHAPES | WORDS


def write(name, rng):
    """A text of a rule, and the topics that it used."""
    entries = [entry if isinstance(entry, tuple) else (1, entry) for entry in RULES[name]]
    template = rng.choices([text for _, text in entries], [weight for weight, _ in entries])[0]
    used = [name] if name in CLASSES else []

    def fill(match):
        text, below = write(match[1], rng)
        used.extend(below)
        return text

    return re.sub(r"\{(\w+)\}", fill, template), used


@pytest.fixture(scope="module")
def written():
    """Headlines of the interpreter, with the topics that each used."""
    rng = random.Random(3)
    return [write("headline", rng) for _ in range(8000)]


@pytest.fixture(scope="module")
def labelled(written):
    return [(text, CLASSES.index(used[0])) for text, used in written if used]


def test_no_headline_uses_two_topics_and_as_many_use_one_as_stated(written, labelled):
    assert max(len(used) for _, used in written) == 1
    spread = math.sqrt(topics().kept * (1 - topics().kept) / len(written))
    assert abs(len(labelled) / len(written) - topics().kept) < 4 * spread
    assert topics().kept == pytest.approx(0.71, abs=0.005)  # "29 % are left out"


def test_the_prior_is_the_frequency_of_the_topics(labelled):
    assert abs(chi_square([label for _, label in labelled], dict(enumerate(topics().prior)))) < 4
    _, labels = topics().sample(20_000, np.random.default_rng(8))
    assert abs(chi_square(labels.tolist(), dict(enumerate(topics().prior)))) < 4


def test_a_whole_headline_determines_its_class(labelled):
    for text, label in labelled[:500]:
        assert topics().posterior(text) == pytest.approx(np.eye(4)[label], abs=1e-12)
        assert topics().posteriors(text)[-1] == pytest.approx(np.eye(4)[label], abs=1e-12)


@pytest.mark.parametrize("characters", [1, 2, 3, 5, 16])
def test_the_best_classifier_is_right_on_other_headlines_as_often_as_stated(labelled, characters):
    cache = {text[:characters]: None for text, _ in labelled}
    for text in cache:  # a shorter text is whole: its end is seen
        cache[text] = topics().posterior(text) if len(text) < characters else topics().posteriors(text)[-1]
    rows = np.array([cache[text[:characters]] for text, _ in labelled])
    labels = np.array([label for _, label in labelled])
    right = rows.argmax(axis=1) == labels
    nats = -np.log(rows[np.arange(len(rows)), labels])
    accuracy, cross_entropy = topics().best_possible(characters)
    assert 0.2 < accuracy < 0.96 and cross_entropy > 0.05
    assert abs(right.mean() - accuracy) < 4 * right.std() / math.sqrt(len(right))
    assert abs(nats.mean() - cross_entropy) < 4 * nats.std() / math.sqrt(len(nats))


def test_the_table_of_the_header_is_right():
    lines = {line.split("  ")[2].strip(): line.split()[-9:] for line in module.__doc__.splitlines() if line.startswith("    ")}
    lengths = [int(cell) for cell in lines["n"]]
    for n, accuracy, nats in zip(lengths, lines["accuracy, %"], lines["nats per text"]):
        found = topics().best_possible(n)
        assert float(accuracy) == pytest.approx(100 * found[0], abs=0.051)
        assert float(nats) == pytest.approx(found[1], abs=0.00051)
    assert lengths == [0, 1, 2, 3, 4, 5, 10, 20, 38]
    assert topics().best_possible(37)[0] < 1 - 1e-9 < topics().best_possible(38)[0]


def test_openings_have_the_class_of_what_follows_them():
    for text, label in [
        ("Today in sports: Lynxes seek second straight win", "sports"),
        ("Today in science: Study: tea may ease pain", "discovery"),
        ("Moscow, May 3: Gold falls on debt worries - Courier", "business"),
        ("Will Chile vote on tax reform?", "politics"),
    ]:
        assert topics().posterior(text).argmax() == CLASSES.index(label)


def test_headlines_without_a_topic_are_left_out():
    for text in ("On Sunday Chile goes to the polls", "Today Boston hosts trade fair"):
        assert headlines().accepts(text)
        with pytest.raises(InputError, match="no text of any class"):
            topics().posterior(text)


def test_samples_are_headlines_of_their_class():
    texts, labels = topics().sample(300, np.random.default_rng(2))
    for text, label in zip(texts, labels):
        assert headlines().derivations(text) == 1
        assert topics().posterior(text)[label] == pytest.approx(1)
    again, same = topics().sample(300, np.random.default_rng(2))
    assert again == texts and np.array_equal(labels, same)
    assert topics().sample(300, np.random.default_rng(3))[0] != texts


def test_the_example_in_the_docstring_holds():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
