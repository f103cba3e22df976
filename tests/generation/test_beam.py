"""Beam search, against a search of all texts and a beam in plain Python."""

import contextlib
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import CharTokenizer, InputError, LanguageModel, UnknownTokenError
from minilstm.generation.beam import beam_search
from minilstm.generation.metrics import log_probabilities
from minilstm.generation.sampling import Sampling, generate_ids
from tests.helpers.words import Words

TOKENIZERS = [CharTokenizer.fit(["ab"]), CharTokenizer.fit(["ab"], unknown=True), Words("a b")]
PENALTIES = [0.0, 0.7, 3.0]


def random_model(tokenizer, seed=0, layers=2, scale=1.0):
    model = LanguageModel(tokenizer.vocab_size, hidden=3, layers=layers, dtype=np.float64)
    model.parameters.flat[:] = np.random.default_rng(seed).normal(0, scale, model.parameters.flat.size)
    return model


def scorer(model, prompt_ids):
    """A function from ids to log p of every next id.

    It reads the prompt and all ids again each time, in plain Python.
    """
    known = {}

    def log_p(ids):
        if ids not in known:
            logits, _ = model.logits(np.array([*prompt_ids, *ids])[:, None])
            a = logits[-1, 0].tolist()
            total = math.log(math.fsum(math.exp(x) for x in a))
            known[ids] = [x - total for x in a]
        return known[ids]

    return log_p


def writable(tokenizer):
    return [k for k in range(tokenizer.vocab_size)
            if k == tokenizer.eos_id or k not in (tokenizer.padding_id, tokenizer.unknown_id)]


def score(ids, value, penalty):
    return value / ((5 + len(ids)) ** penalty / 6**penalty)


def all_texts(tokenizer, log_p, length, penalty):
    """Texts that end, or have ``length`` tokens, with scores, the best first."""
    texts = []
    for n in range(1, length + 1):
        for ids in itertools.product(writable(tokenizer), repeat=n):
            ended = [k == tokenizer.eos_id for k in ids]
            if not any(ended[:-1]) and (ended[-1] or n == length):
                texts.append((ids, sum(log_p(ids[:t])[k] for t, k in enumerate(ids))))
    return sorted(texts, key=lambda text: -score(*text, penalty))


def naive_beam(tokenizer, log_p, length, width, penalty):
    """The same search on lists and tuples, without stopping early."""
    live, found = [((), 0.0)], []
    for n in range(1, length + 1):
        extended = [((*ids, k), value + log_p(ids)[k]) for ids, value in live for k in writable(tokenizer)]
        best = sorted(extended, key=lambda text: -text[1])[:width]
        live = [text for text in best if text[0][-1] != tokenizer.eos_id and n < length]
        found += [text for text in best if text not in live]
    return sorted(found, key=lambda text: -score(*text, penalty))[:width]


def same(found, expected):
    assert [tuple(h.ids.tolist()) for h in found] == [ids for ids, _ in expected]
    np.testing.assert_allclose([h.log_probability for h in found], [value for _, value in expected], rtol=1e-10)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_beam_as_wide_as_there_are_texts_finds_the_best_of_all(tokenizer, penalty):
    for seed in range(3):
        model, length = random_model(tokenizer, seed), 3
        width = tokenizer.vocab_size**length
        prompt = "a b" if tokenizer.unit == "word" else "ab"
        expected = all_texts(tokenizer, scorer(model, tokenizer.encode(prompt)), length, penalty)
        found = beam_search(model, tokenizer, prompt, length, width, penalty)
        assert len(expected) == 15 and len({h.text for h in found}) == 15
        same(found, expected)


@given(st.sampled_from(TOKENIZERS), st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 7), st.sampled_from(PENALTIES))
def test_a_narrow_beam_finds_what_the_naive_search_finds(tokenizer, seed, length, width, penalty):
    model = random_model(tokenizer, seed, layers=1 + seed % 2)
    expected = naive_beam(tokenizer, scorer(model, tokenizer.encode("b")), length, width, penalty)
    same(beam_search(model, tokenizer, "b", length, width, penalty), expected)


@pytest.mark.parametrize("width", [2, 3])
def test_a_longer_text_may_still_win_by_its_penalty(width):
    tokenizer, lengths = TOKENIZERS[0], set()
    for seed in range(40):
        model = random_model(tokenizer, seed, scale=0.5)
        model.parameters["output.b"][tokenizer.eos_id] += 0.5
        expected = naive_beam(tokenizer, scorer(model, tokenizer.encode("b")), 7, width, 2.0)
        same(beam_search(model, tokenizer, "b", 7, width, 2.0), expected)
        lengths |= {len(ids) for ids, _ in expected}
    assert len(lengths) > 3


class Bigrams:
    """A model that reads only the last token; a table (V, V) has p of the next one."""

    def __init__(self, p):
        self.log_p, self.vocab_size = np.log(p), len(p)

    def logits(self, inputs, lengths=None, state=None, last_only=True):
        return self.log_p[inputs[-1]], ((np.zeros((inputs.shape[1], 1)),),)

    shared = staticmethod(contextlib.nullcontext)


def test_a_text_whose_score_is_low_at_first_wins_in_the_end():
    """Two finished texts beat all that could end next, but not a longer one."""
    tokenizer, never = CharTokenizer.fit(["abc"]), 1e-9
    a, b, c, end = 1, 2, 3, tokenizer.eos_id
    p = np.full((5, 5), never)
    p[a, [end, b, c]], p[b, [end, c]], p[c, c] = [0.5, 0.44, 0.06], [0.9, 0.1], 1.0
    p /= p.sum(axis=1, keepdims=True)
    best, second = beam_search(Bigrams(p), tokenizer, "a", 12, 2, 3.0)
    assert best.text == "ab" + "c" * 11 and second.text == "ab"
    assert best.log_probability == pytest.approx(math.log(0.044), abs=1e-6)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_beam_of_one_is_greedy(tokenizer):
    lengths = set()
    for seed in range(12):
        model = random_model(tokenizer, seed)
        (found,) = beam_search(model, tokenizer, "b", 6, 1, length_penalty=1.0)
        (greedy,) = generate_ids(model, tokenizer, ["b"], 6, Sampling(greedy=True))
        assert found.ids.tolist() == greedy.tolist()
        lengths.add(len(greedy))
    assert len(lengths) > 1  # some ended, some did not


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_log_probabilities_are_those_of_scoring_each_text_token_by_token(tokenizer):
    model = random_model(tokenizer, 4)
    found = beam_search(model, tokenizer, "a", 5, 4)
    scored = log_probabilities(model, tokenizer, ["a"] * 4, [h.ids for h in found])
    np.testing.assert_allclose([h.log_probability for h in found], [log_p.sum() for log_p in scored], rtol=1e-12)
    assert [h.text for h in found] == [tokenizer.complete("a", h.ids) for h in found]
    assert all(h.text.startswith("a") for h in found)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_padding_and_unknown_are_never_found_even_if_likely(tokenizer):
    never = {tokenizer.padding_id, tokenizer.unknown_id} - {tokenizer.eos_id, None}
    model = random_model(tokenizer, 1)
    model.parameters["output.b"][list(never)] = 30
    found = beam_search(model, tokenizer, "a", 3, 100)
    assert len(found) == 15 and not never & {k for h in found for k in h.ids.tolist()}


def test_the_same_search_finds_the_same_texts():
    first, second = (beam_search(random_model(TOKENIZERS[0], 2), TOKENIZERS[0], "ab", 8, 5) for _ in range(2))
    assert [(h.text, h.log_probability) for h in first] == [(h.text, h.log_probability) for h in second]


def test_equally_likely_texts_are_found_in_the_order_of_their_ids():
    model = random_model(TOKENIZERS[0], scale=0)
    assert [h.ids.tolist() for h in beam_search(model, TOKENIZERS[0], "a", 2, 3)] == [[3], [1, 1], [1, 2]]


def test_a_search_ends_when_nothing_better_can_come(monkeypatch):
    tokenizer, calls = TOKENIZERS[0], []
    model = random_model(tokenizer)
    model.parameters["output.b"][tokenizer.eos_id] = 12
    logits = model.logits
    monkeypatch.setattr(model, "logits", lambda *a, **o: calls.append(1) or logits(*a, **o))
    assert len(beam_search(model, tokenizer, "a", 500, 3)) == 3
    assert len(calls) < 10


@pytest.mark.parametrize(
    "options, words",
    [
        ({"length": 0}, "length must be a whole number of at least 1"),
        ({"width": 0}, "width must be a whole number of at least 1"),
        ({"length_penalty": -0.1}, "length_penalty must be a finite number of at least 0"),
        ({"length_penalty": math.nan}, "length_penalty"),
        ({"length_penalty": math.inf}, "length_penalty"),
        ({"prompt": ""}, "a prompt must have at least one token"),
        ({"prompt": "x"}, "'x'"),
    ],
)
def test_impossible_searches_are_refused(options, words):
    arguments = {"prompt": "a", "length": 3, "width": 2, **options}
    with pytest.raises(InputError, match=words) as caught:
        beam_search(random_model(TOKENIZERS[0]), TOKENIZERS[0], **arguments)
    assert isinstance(caught.value, UnknownTokenError) == (options.get("prompt") == "x")
