"""The corpus `addition`, against the loop of the published example."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.corpora import addition as module
from minilstm.corpora.addition import as_published, sample
from minilstm.errors import InputError
from tests.helpers.frequencies import chi_square


def unzipped(pairs):
    return [question for question, _ in pairs], [answer for _, answer in pairs]


def numbers(question):
    return tuple(map(int, question.split("+")))


def published(count, digits, rng):
    """Unordered pairs in the order in which the published example finds them: one digit after the other."""
    seen = {}
    while len(seen) < count:
        f = lambda: int("".join(rng.choice(list("0123456789")) for _ in range(rng.integers(1, digits + 1))))
        seen.setdefault(tuple(sorted((f(), f()))))
    return list(seen)


@given(st.integers(1, 18), st.integers(0, 40), st.booleans(), st.integers(0, 2**32))
def test_answers_are_sums_and_questions_are_unique(digits, count, reverse, seed):
    questions, answers = unzipped(sample(count, digits, np.random.default_rng(seed), reverse))
    assert len(questions) == len(answers) == count
    forward = [question[::-1] if reverse else question for question in questions]
    pairs = [numbers(question) for question in forward]
    assert [str(a + b) for a, b in pairs] == answers
    assert len({tuple(sorted(pair)) for pair in pairs}) == count
    assert all(question == f"{a}+{b}" and max(a, b) < 10**digits for question, (a, b) in zip(forward, pairs))


@given(st.integers(0, 2**32))
def test_reversed_questions_are_the_same_questions(seed):
    questions, answers = unzipped(sample(20, 4, np.random.default_rng(seed)))
    backward, same = unzipped(sample(20, 4, np.random.default_rng(seed), reverse=True))
    assert [question[::-1] for question in backward] == questions and answers == same


def test_all_questions_can_be_drawn_and_no_more():
    questions, _ = unzipped(sample(55, 1, np.random.default_rng(0)))
    assert {tuple(sorted(numbers(question))) for question in questions} == {(a, b) for b in range(10) for a in range(b + 1)}
    questions, _ = unzipped(sample(5050, 2, np.random.default_rng(0)))
    assert len({tuple(sorted(numbers(question))) for question in questions}) == 5050
    with pytest.raises(InputError, match="count: expected 0 to 55 questions, got 56"):
        sample(56, 1, np.random.default_rng(0))


def test_numbers_have_the_stated_probabilities():
    """One question at a time, so that uniqueness changes nothing."""
    rng = np.random.default_rng(2)
    drawn = [number for _ in range(8000) for number in numbers(sample(1, 2, rng)[0][0])]
    probabilities = {n: (1 / 10 if n < 10 else 0) / 2 + 1 / 100 / 2 for n in range(100)}
    assert abs(chi_square(drawn, probabilities)) < 4


def test_questions_are_distributed_as_in_the_published_example():
    """Where many are drawn, uniqueness matters: then short questions are rarer than (1) says."""
    kinds = lambda pairs: [np.mean([max(pair) < 10 for pair in pairs]), np.mean([min(pair) < 10 for pair in pairs]),
                           np.mean([a == b for a, b in pairs]), np.mean([a + b for a, b in pairs])]
    rng = np.random.default_rng(3)
    ours = np.array([kinds([numbers(question) for question, _ in sample(400, 2, rng)]) for _ in range(60)])
    theirs = np.array([kinds(published(400, 2, rng)) for _ in range(20)])
    error = np.sqrt(ours.var(axis=0) / len(ours) + theirs.var(axis=0) / len(theirs))
    assert np.all(np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4 * error)
    assert ours.mean(axis=0)[0] < 0.2 < 0.55**2  # without uniqueness, both numbers are below 10 in 30 %


def test_the_order_says_nothing_about_the_size():
    """The published loop finds short questions first. Ours are shuffled, so that any part is a validation set."""
    lengths = np.array([[len(q) for q, _ in sample(400, 2, np.random.default_rng(seed))] for seed in range(100)])
    difference = lengths[:, :200].mean(axis=1) - lengths[:, 200:].mean(axis=1)
    assert abs(difference.mean()) < 4 * difference.std() / 10
    found = [[len(f"{a}+{b}") for a, b in published(400, 2, np.random.default_rng(seed))] for seed in range(10)]
    difference = np.array(found)[:, :200].mean(axis=1) - np.array(found)[:, 200:].mean(axis=1)
    assert difference.mean() < -4 * difference.std() / np.sqrt(10)


@given(st.integers(1, 6), st.integers(0, 2**32))
def test_the_published_format_has_fixed_lengths_and_loses_nothing(digits, seed):
    [(question, answer)] = sample(1, digits, np.random.default_rng(seed))
    padded, padded_answer = as_published(question, answer, digits)
    assert len(padded) == 2 * digits + 1 and len(padded_answer) == digits + 1
    assert padded[::-1].strip() == question and padded_answer.strip() == answer
    assert padded[::-1][0] != " " and padded_answer[0] != " "
    assert as_published(question, answer, digits, reverse=False) == (padded[::-1], padded_answer)


def test_the_same_seed_draws_the_same_questions():
    first = sample(100, 3, np.random.default_rng(1))
    assert sample(100, 3, np.random.default_rng(1)) == first != sample(100, 3, np.random.default_rng(2))


@pytest.mark.parametrize("count, digits, words", [
    (1, 0, "digits: expected 1 to 18, got 0"),
    (1, 19, "digits: expected 1 to 18, got 19"),
    (-1, 3, "count: expected 0 to 500500 questions, got -1"),
])
def test_what_cannot_be_drawn_is_refused(count, digits, words):
    with pytest.raises(InputError, match=words):
        sample(count, digits, np.random.default_rng(0))


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
