"""Generation by the reference: distribution, samples, greedy, beam are the engine's."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import CharTokenizer, LanguageModel
from minilstm.generation.beam import beam_search as engines_beam
from minilstm.generation.sampling import Sampling, forbidden_ids
from minilstm.generation.sampling import generate_ids as engines_ids
from minilstm.reference.functions import log_sum_exp
from minilstm.reference.generate import beam_search, distribution, draw, generate_ids
from minilstm.reference.language_model import forward
from tests.helpers import naive
from tests.helpers.strategies import seeds

PROMPTS = ["a", "bca", "cc"]


@pytest.fixture(scope="module")
def small():
    """A model of random weights, its tokenizer, prompts and their lengths as arrays."""
    tokenizer = CharTokenizer.fit(["abc"])
    model = LanguageModel(tokenizer.vocab_size, 3, 5, 2, dtype=np.float64)
    model.parameters.flat[:] = np.random.default_rng(3).normal(0, 1.5, model.parameters.flat.size)
    encoded = [tokenizer.encode(prompt) for prompt in PROMPTS]
    lengths = np.array([len(ids) for ids in encoded])
    prompts = np.zeros((lengths.max(), len(encoded)), int)
    for b, ids in enumerate(encoded):
        prompts[: len(ids), b] = ids
    return model, tokenizer, prompts, lengths


@given(
    seeds, st.integers(3, 8), st.floats(0.2, 3), st.none() | st.integers(1, 3), st.none() | st.floats(0.05, 1),
    st.sampled_from([(), (0,), (2, 0)]),
)
def test_the_distribution_equals_the_engines_and_the_oracles(seed, V, temperature, top_k, top_p, forbidden):
    logits = np.random.default_rng(seed).normal(0, 2, (2, V))
    p = distribution(logits, temperature, top_k, top_p, forbidden)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    theirs = Sampling(temperature, top_k, top_p).distribution(logits, forbidden)
    np.testing.assert_allclose(p, theirs, rtol=1e-12, atol=1e-15)
    for row, a in zip(p, logits):
        oracle = naive.distribution(a.tolist(), temperature, top_k, top_p, forbidden)
        np.testing.assert_allclose(row, oracle, rtol=1e-12, atol=1e-15)


def test_top_k_of_one_is_greedy():
    logits = np.random.default_rng(0).standard_normal((3, 5))
    np.testing.assert_array_equal(distribution(logits, top_k=1), Sampling(greedy=True).distribution(logits))


def test_samples_follow_the_distribution():
    p = np.array([[0.2, 0.5, 0.0, 0.3]])
    ids = draw(np.repeat(p, 4000, axis=0), np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(ids, minlength=4) / 4000, p[0], atol=0.03)


@pytest.mark.parametrize("sampling", [{}, {"temperature": 0.7}, {"top_k": 2}, {"top_p": 0.8}, {"top_k": 1}])
def test_the_generated_text_is_the_engines(small, sampling):
    model, tokenizer, prompts, lengths = small
    for seed in range(5):
        rngs = np.random.default_rng(seed), np.random.default_rng(seed)
        ids = generate_ids(
            dict(model.parameters), prompts, 12, rngs[0], lengths, tokenizer.eos_id,
            forbidden=forbidden_ids(tokenizer), **sampling,
        )
        theirs = engines_ids(model, tokenizer, PROMPTS, 12, Sampling(**sampling), rngs[1])
        for column, text in zip(ids.T, theirs, strict=True):
            assert column[: len(text)].tolist() == text.tolist()
            assert (column[len(text) :] == tokenizer.eos_id).all()
        assert len(ids) == max(map(len, theirs))
        # both have used equally many random numbers
        assert rngs[0].random() == rngs[1].random()


def test_without_an_end_every_text_has_the_full_length(small):
    model, _, prompts, lengths = small
    ids = generate_ids(dict(model.parameters), prompts, 7, np.random.default_rng(0), lengths)
    assert ids.shape == (7, 3)


def test_greedy_takes_the_most_likely_token_after_rereading_the_whole_text(small):
    model, _, prompts, _ = small
    params, read = dict(model.parameters), prompts[:, 1:2]
    for written in generate_ids(params, read, 4, np.random.default_rng(0), top_k=1):
        logits, _, _ = forward(params, read)
        assert written[0] == logits[-1, 0].argmax()
        read = np.vstack([read, [written]])


@pytest.mark.parametrize("width, penalty", [(1, 0.0), (3, 0.0), (4, 0.8)])
def test_the_beam_finds_what_the_engines_beam_finds(small, width, penalty):
    model, tokenizer, prompts, lengths = small
    for b, prompt in enumerate(PROMPTS):
        ours = beam_search(
            dict(model.parameters), prompts[: lengths[b], b], 6, width, tokenizer.eos_id, forbidden_ids(tokenizer), penalty
        )
        theirs = engines_beam(model, tokenizer, prompt, 6, width, penalty)
        assert [ids for ids, _ in ours] == [text.ids.tolist() for text in theirs]
        np.testing.assert_allclose([log_P for _, log_P in ours], [text.log_probability for text in theirs], rtol=1e-12)


def test_a_beam_as_wide_as_there_are_texts_finds_the_best_of_all(small):
    model, _, prompts, _ = small
    params, prompt, V = dict(model.parameters), prompts[:1, 0], model.vocab_size

    def log_probability(text):
        logits, _, _ = forward(params, np.array([[*prompt, *text[:-1]]]).T)
        rows = logits[len(prompt) - 1 :, 0]
        return sum((a - log_sum_exp(a))[v] for a, v in zip(rows, text))

    texts = sorted(itertools.product(range(V), repeat=3), key=log_probability, reverse=True)
    found = beam_search(params, prompt, 3, V**2)
    assert found[0][0] == list(texts[0])
    np.testing.assert_allclose(found[0][1], log_probability(texts[0]), rtol=1e-12)
