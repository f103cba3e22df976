"""Generation: the distribution, and sampling from it."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import Adam, CharTokenizer, InputError, LanguageModel, UnknownTokenError
from minilstm.corpora.grammar import Grammar
from minilstm.data.batches import SequenceBatches
from minilstm.generation import sampling as sample
from minilstm.generation.beam import beam_search
from minilstm.generation.metrics import log_probabilities
from minilstm.generation.sampling import (
    Sampling,
    forbidden_ids,
    generate,
    generate_ids,
    generate_in_chunks,
    read_prompts,
    share_accepted,
)
from minilstm.layers import Dense
from minilstm.models.per_token import PerTokenReplica
from minilstm.reference.generate import draw
from minilstm.training.loop import Training, fit
from tests.helpers import naive
from tests.helpers.strategies import logits_and_targets_N_V
from tests.helpers.words import Words

TOKENIZER = CharTokenizer.fit(["abcabc", "bca"])


@pytest.fixture(scope="module")
def model():
    """A model trained to continue a b c a b c …, and sometimes to end."""
    ids = [TOKENIZER.encode(("abc" * 9)[k : k + n]) for k in range(3) for n in range(4, 14)]
    run = Training.begin(LanguageModel(TOKENIZER.vocab_size, hidden=12), Adam(0.02), np.random.default_rng(0))
    return fit(run, SequenceBatches(ids, 6, TOKENIZER.eos_id), epochs=30).model


@given(
    logits_and_targets_N_V(),
    st.floats(0.1, 5),
    st.none() | st.integers(1, 2),
    st.none() | st.floats(0.05, 0.999),
)
def test_the_distribution_is_that_of_the_oracle(case, temperature, top_k, top_p):
    logits, _ = case
    p = Sampling(temperature, top_k, top_p).distribution(logits, forbidden=[0])
    for row, expected in zip(p, logits):
        np.testing.assert_allclose(row, naive.distribution(expected.tolist(), temperature, top_k, top_p, [0]), atol=1e-12)
    assert (p[:, 0] == 0).all()


@given(logits_and_targets_N_V())
def test_low_temperatures_come_near_to_greedy_and_never_overflow(case):
    logits, _ = case
    greedy = Sampling(greedy=True).distribution(logits)
    np.testing.assert_allclose(Sampling(1e-300).distribution(logits), greedy, atol=1e-12)
    assert (greedy.argmax(axis=1) == logits.argmax(axis=1)).all() and (greedy.sum(axis=1) == 1).all()


@given(logits_and_targets_N_V())
def test_higher_temperatures_give_more_even_distributions(case):
    entropy = lambda p: -np.sum(p * np.log(np.maximum(p, 1e-300)), axis=1)
    cold, hot = (entropy(Sampling(t).distribution(case[0])) for t in (0.5, 2.0))
    assert (hot > cold).all()


def test_samples_follow_the_distribution_and_never_take_the_impossible():
    p = np.tile([0.0, 0.2, 0.0, 0.5, 0.3, 0.0], (20_000, 1))
    counts = np.bincount(draw(p, np.random.default_rng(0)), minlength=6) / len(p)
    np.testing.assert_allclose(counts, p[0], atol=4 * math.sqrt(0.25 / len(p)))
    assert counts[[0, 2, 5]].tolist() == [0, 0, 0]


@pytest.mark.parametrize("u, drawn", [(0.0, 1), (0.2499, 1), (0.25, 3), (0.9999, 3)])
def test_a_random_number_on_an_edge_takes_the_next_possible_token(u, drawn):
    numbers = type("Generator", (), {"random": lambda self, shape: np.full(shape, u)})()
    assert draw(np.array([[0.0, 0.25, 0.0, 0.75, 0.0]]), numbers).tolist() == [drawn]


def test_rows_of_logits_are_independent():
    logits = np.array([[0.0, 1.0, 0.5], [1000.0, 1001.0, 999.0]])
    for sampling in (Sampling(1e-306), Sampling(2.0), Sampling(1e-306, top_k=2), Sampling(1e-306, top_p=0.5)):
        together = sampling.distribution(logits)
        np.testing.assert_array_equal(together, [sampling.distribution(row[None])[0] for row in logits])
        assert (together.argmax(axis=1) == 1).all()


def test_generation_continues_as_trained(model):
    (text,) = generate(model, TOKENIZER, ["ab"], 6, Sampling(greedy=True))
    assert text.startswith("abcab")


def test_prompts_of_different_lengths_are_continued_as_if_alone(model):
    prompts = ["a", "bcab", "ca"]
    together = generate(model, TOKENIZER, prompts, 8, Sampling(greedy=True))
    alone = [generate(model, TOKENIZER, [prompt], 8, Sampling(greedy=True))[0] for prompt in prompts]
    assert together == alone and all(text.startswith(prompt) for text, prompt in zip(together, prompts))


def test_the_same_seed_gives_the_same_text(model):
    write = lambda seed: generate(model, TOKENIZER, ["a"] * 4, 30, Sampling(1.5), np.random.default_rng(seed))
    assert write(1) == write(1) != write(2)


def test_padding_and_unknown_are_never_generated():
    tokenizer = CharTokenizer.fit(["ab"], unknown=True)
    model = LanguageModel(tokenizer.vocab_size, hidden=3)
    model.parameters["output.b"][[tokenizer.padding_id, tokenizer.unknown_id]] = 50
    never = [tokenizer.padding_id, tokenizer.unknown_id]
    logits, _ = read_prompts(model, tokenizer, ["a"])
    assert logits[0].argmax() in never and Sampling().distribution(logits, never)[0, never].max() == 0
    written = generate_ids(model, tokenizer, ["a"] * 20, 20, Sampling(), np.random.default_rng(0))
    assert not np.isin(np.concatenate(written), never).any()


def test_padding_that_is_also_the_end_can_be_sampled_and_unknown_cannot():
    words = Words("roast the beef")
    model = LanguageModel(words.vocab_size, hidden=3)
    model.parameters["output.b"][words.unknown_id] = 50
    model.parameters["output.b"][words.eos_id] = -2
    written = generate_ids(model, words, ["the"] * 50, 9, Sampling(), np.random.default_rng(0))
    assert {ids[-1] == words.eos_id for ids in written} == {True, False}
    assert all(words.eos_id not in ids[:-1] and words.unknown_id not in ids for ids in written)
    assert forbidden_ids(words) == [1]
    assert forbidden_ids(CharTokenizer.fit(["ab"], unknown=True)) == [0, 3] and forbidden_ids(TOKENIZER) == [0]


def test_words_are_joined_as_their_tokenizer_continues_a_prompt():
    words = Words("roast the beef")
    model = LanguageModel(words.vocab_size, hidden=3)
    model.parameters["output.b"][words.encode("beef")] = 50
    assert generate(model, words, ["Roast the"], 2, Sampling(greedy=True)) == ["Roast the beef beef"]
    with pytest.raises(InputError, match="at least one token"):
        generate(model, words, ["the", "  "], 2, Sampling(greedy=True))


def test_ids_end_with_the_end_token_or_at_the_length(model):
    written = generate_ids(model, TOKENIZER, ["abc"] * 30, 8, Sampling(), np.random.default_rng(0))
    assert len(set(map(len, written))) > 2
    for ids in written:
        assert TOKENIZER.eos_id not in ids[:-1] and (ids[-1] == TOKENIZER.eos_id or len(ids) == 8)
    texts = generate(model, TOKENIZER, ["abc"] * 30, 8, Sampling(), np.random.default_rng(0))
    assert texts == [TOKENIZER.complete("abc", ids) for ids in written]


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_prompts_read_in_parts_give_the_same_as_whole_ones(model, monkeypatch, steps):
    prompts = ["a", "bcabc", "cab", "abcabcabc", "bca"]
    whole, whole_state = read_prompts(model, TOKENIZER, prompts)
    monkeypatch.setattr(sample, "PROMPT_CHUNK", steps)
    parts, state = read_prompts(model, TOKENIZER, prompts)
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    np.testing.assert_allclose(state, whole_state, atol=1e-5)
    for k, prompt in enumerate(prompts):
        logits, _ = model.logits(TOKENIZER.encode(prompt)[:, None])
        np.testing.assert_allclose(parts[k], logits[-1, 0], atol=1e-5)


@pytest.mark.parametrize("steps", [2, 256])
def test_equal_prompts_are_read_once_and_give_the_same_as_if_alone(model, monkeypatch, steps):
    monkeypatch.setattr(sample, "PROMPT_CHUNK", steps)
    seen, forward = [], PerTokenReplica.forward
    monkeypatch.setattr(PerTokenReplica, "forward", lambda self, shard: seen.append(shard.packing.N) or forward(self, shard))
    prompts = ["abca", "b", "abca", "ca", "b", "abca"]
    logits, state = read_prompts(model, TOKENIZER, prompts)
    assert sum(seen) == 4 + 1 + 2
    for b, prompt in enumerate(prompts):
        alone, alone_state = read_prompts(model, TOKENIZER, [prompt])
        np.testing.assert_allclose(logits[b], alone[0], atol=1e-6)
        np.testing.assert_allclose(np.array(state)[:, :, b], np.array(alone_state)[:, :, 0], atol=1e-6)
    assert np.abs(np.diff(logits[[0, 1, 3]], axis=0)).max() > 0.01


@pytest.mark.parametrize(
    "do, most",
    [
        (lambda model, prompt: read_prompts(model, TOKENIZER, [prompt, prompt, "a"]), 2),
        (lambda model, prompt: generate(model, TOKENIZER, [prompt] * 5, 3, rng=np.random.default_rng(0)), 1),
        (lambda model, prompt: beam_search(model, TOKENIZER, prompt, 3, 2), 2),
        (lambda model, prompt: log_probabilities(model, TOKENIZER, [prompt] * 3, [np.array([1, 2])] * 3), 3),
    ],
)
def test_only_the_logits_that_are_needed_are_computed(model, monkeypatch, do, most):
    rows, forward = [], Dense.forward
    monkeypatch.setattr(Dense, "forward", lambda self, params, x: rows.append(len(x)) or forward(self, params, x))
    do(model, "abcabcabcabc")
    # each row of each copy of the prompt would make at least twelve
    assert 0 < max(rows) <= most


def test_copies_of_a_long_prompt_use_the_memory_of_one():
    tokenizer, V, T, copies = Words(" ".join(f"w{k}" for k in range(998))), 1000, 60, 40
    model, peaks = LanguageModel(V, embedding=4, hidden=4), []
    prompt = " ".join(f"w{k}" for k in range(T))
    for count in (1, copies):
        tracemalloc.start()
        generate_ids(model, tokenizer, [prompt] * count, 2, rng=np.random.default_rng(0))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    a_row = V * model.dtype.itemsize
    assert peaks[1] - peaks[0] < 4 * copies * a_row < T * copies * a_row / 10


def test_generation_stops_at_the_end_token_or_at_the_length(model):
    chunks = generate_in_chunks(model, TOKENIZER, ["abc"] * 5, 60, Sampling(), np.random.default_rng(0))
    ids = np.concatenate(list(chunks))  # (steps, 5)
    assert len(ids) < 60 and (ids[-1] == TOKENIZER.eos_id).any()
    for row in ids.T:
        ended = (row == TOKENIZER.eos_id).argmax()
        assert (row[ended:] == TOKENIZER.eos_id).all()
    assert len(generate_ids(model, TOKENIZER, ["a"], 2, Sampling(greedy=True))[0]) <= 2


@pytest.mark.parametrize(
    "options, words",
    [
        ({"temperature": 0}, "greedy"),
        ({"temperature": -1}, "temperature must be a finite number greater than 0"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": math.inf}, "temperature"),
        ({"top_k": 0}, "top_k must be a whole number of at least 1"),
        ({"top_k": -2}, "top_k"),
        ({"top_p": 0}, "top_p must be above 0"),
        ({"top_p": math.nextafter(1, 2)}, "top_p"),
        ({"top_p": -0.1}, "top_p"),
        ({"top_p": math.nan}, "top_p"),
    ],
)
def test_impossible_sampling_options_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        Sampling(**options)


def test_top_k_above_the_vocabulary_is_refused(model):
    with pytest.raises(InputError, match="top_k must be at most the vocabulary's size 5, not 6"):
        generate(model, TOKENIZER, ["a"], 3, Sampling(top_k=6), np.random.default_rng(0))


def test_prompts_must_have_known_tokens_and_at_least_one(model):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="list of strings"):
        generate(model, TOKENIZER, "abc", 3, rng=rng)
    for prompts in ([""], [], ["a", ""]):
        with pytest.raises(InputError, match="at least one token"):
            generate(model, TOKENIZER, prompts, 3, rng=rng)
    with pytest.raises(UnknownTokenError, match="'x'"):
        generate(model, TOKENIZER, ["axb"], 3, rng=rng)
    with pytest.raises(InputError, match="length"):
        generate(model, TOKENIZER, ["a"], 0, rng=rng)
    with pytest.raises(InputError, match="Generator"):
        generate(model, TOKENIZER, ["a"], 3)


def test_a_tokenizer_of_another_model_is_refused():
    with pytest.raises(InputError, match="tokenizer has 5 ids, but the model 3"):
        generate(LanguageModel(3, hidden=2), TOKENIZER, ["c"], 3, rng=np.random.default_rng(0))


class Half:
    """A corpus that accepts texts beginning with an a; half of its samples do."""

    def sample_many(self, count, rng):
        return ["ab", "bc"] * (count // 2)

    def accepts(self, text):
        return text.startswith("a")


def test_the_fraction_of_texts_that_a_grammar_accepts_is_counted(model):
    assert share_accepted(model, TOKENIZER, Half(), np.random.default_rng(0), count=40) == 0.5
    corpus = Grammar({"start": ["abc", "bca"]}, "start")
    assert share_accepted(LanguageModel(TOKENIZER.vocab_size, hidden=4), TOKENIZER, corpus, np.random.default_rng(0)) < 0.2


def test_the_accepted_fraction_is_measured_on_whole_texts_at_a_low_temperature(model, monkeypatch):
    seen = []
    monkeypatch.setattr(sample, "generate", lambda model, tokenizer, prompts, *how: seen.append(how) or prompts)
    rng = np.random.default_rng(0)
    for options in ({}, {"temperature": 0.5}):
        assert share_accepted(model, TOKENIZER, Half(), rng, 40, **options) == 0.5
    assert seen == [(300, Sampling(0.7), rng), (300, Sampling(0.5), rng)]
