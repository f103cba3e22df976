"""Measures of texts, on examples counted by hand and against naive counts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import CharTokenizer, InputError, LanguageModel
from minilstm.generation.metrics import distinct, log_probabilities, measure
from minilstm.generation.sampling import Sampling, generate_ids
from tests.helpers.words import Words

TOKENIZERS = [CharTokenizer.fit(["abc"]), CharTokenizer.fit(["abc"], unknown=True), Words("a b c")]


def random_model(tokenizer, seed=0):
    model = LanguageModel(tokenizer.vocab_size, hidden=4, layers=2, dtype=np.float64)
    model.parameters.flat[:] = np.random.default_rng(seed).normal(0, 1, model.parameters.flat.size)
    return model


@pytest.mark.parametrize(
    "texts, n, share",
    [
        (["aaaa"], 1, 1 / 4),
        (["aaaa"], 2, 1 / 3),
        (["abab"], 2, 2 / 3),  # ab ba ab
        (["abcd"], 3, 1),
        (["ab", "ab"], 2, 1 / 2),
        (["ab", "ba"], 2, 1),  # not bb: an n-gram does not continue in the next text
        (["abc", "a"], 2, 1),  # the short text has none
        (["abc"], 3, 1),
        ([[10, 1], [1, 10]], 1, 1 / 2),
        ([[1, 11], [11, 1]], 2, 1),
    ],
)
def test_distinct_n_grams_equal_a_count_by_hand(texts, n, share):
    assert distinct(texts, n) == pytest.approx(share)


@pytest.mark.parametrize("texts", [[], [""], ["abc", "ab", ""]])
def test_without_n_grams_their_diversity_is_undefined(texts):
    assert math.isnan(distinct(texts, 4))


def test_n_grams_of_no_tokens_are_refused():
    with pytest.raises(InputError, match="n must be a whole number of at least 1"):
        distinct(["ab"], 0)


@given(st.lists(st.lists(st.integers(1, 3), max_size=7), max_size=4), st.integers(1, 5))
def test_distinct_agrees_with_a_naive_count(texts, n):
    seen, total = [], 0
    for text in texts:
        for start in range(len(text)):
            gram = text[start : start + n]
            if len(gram) == n:
                total += 1
                if gram not in seen:
                    seen.append(gram)
    share = distinct(texts, n)
    assert share == len(seen) / total if total else math.isnan(share)


@given(st.lists(st.text("ab", min_size=1), min_size=1), st.integers(1, 4))
def test_repeating_every_text_halves_diversity(texts, n):
    once, twice = distinct(texts, n), distinct(texts * 2, n)
    assert math.isnan(once) and math.isnan(twice) or twice == pytest.approx(once / 2)


def rereading(model, prompt_ids, ids):
    """log p of each id, from reading the whole prefix again, in plain Python."""
    scores = []
    for t, k in enumerate(ids):
        logits, _ = model.logits(np.array([*prompt_ids, *ids[:t]])[:, None])
        a = logits[-1, 0].tolist()
        scores.append(a[k] - math.log(math.fsum(math.exp(x) for x in a)))
    return scores


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_log_probabilities_equal_those_of_rereading_each_prefix(tokenizer):
    model = random_model(tokenizer)
    prompts = ["a", "b a" if tokenizer.unit == "word" else "ba", "c"]
    written = [np.array([2, 2, 3, 2]), np.array([3]), np.array([3, 2, tokenizer.eos_id])]
    for prompt, ids, log_p in zip(prompts, written, log_probabilities(model, tokenizer, prompts, written)):
        np.testing.assert_allclose(log_p, rereading(model, tokenizer.encode(prompt), ids.tolist()), rtol=1e-10)
        assert (log_p < 0).all()


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_measures_count_the_end_as_a_token_but_not_in_n_grams(tokenizer):
    model, eos = random_model(tokenizer), tokenizer.eos_id
    written = [np.array([2, 3, 2, eos]), np.array([2, 3])]
    measures = measure(model, tokenizer, ["a", "b"], written)
    log_p = [x for prompt, ids in zip("ab", written) for x in rereading(model, tokenizer.encode(prompt), ids.tolist())]
    assert measures.tokens == 6
    assert measures.log_likelihood == pytest.approx(sum(log_p) / 6)
    assert measures.perplexity == pytest.approx(math.exp(-sum(log_p) / 6))
    assert measures.distinct[:3] == (2 / 5, 2 / 3, 1) and math.isnan(measures.distinct[3])


def test_texts_that_ended_at_once_have_a_likelihood_but_no_diversity():
    tokenizer = TOKENIZERS[0]
    measures = measure(random_model(tokenizer), tokenizer, ["a"], [np.array([tokenizer.eos_id])])
    assert measures.tokens == 1 and measures.log_likelihood < 0 and all(map(math.isnan, measures.distinct))
    nothing = measure(random_model(tokenizer), tokenizer, ["a"], [np.array([], np.int64)])
    assert nothing.tokens == 0 and math.isnan(nothing.log_likelihood) and math.isnan(nothing.perplexity)


def test_an_impossible_text_has_infinite_perplexity_without_a_warning():
    tokenizer = TOKENIZERS[0]
    model = random_model(tokenizer)
    model.parameters["output.b"][1] = -5000
    measures = measure(model, tokenizer, ["a"], [np.array([1, 1])])
    assert measures.perplexity == math.inf and math.isfinite(measures.log_likelihood)


def test_low_temperatures_give_likely_and_repetitive_text():
    tokenizer = TOKENIZERS[0]
    model, prompts = random_model(tokenizer, 3), ["a"] * 40
    model.parameters["output.b"][tokenizer.eos_id] = -50
    cold, hot = (measure(model, tokenizer, prompts, generate_ids(model, tokenizer, prompts, 30, Sampling(T),
                                                                 np.random.default_rng(0))) for T in (0.2, 2.0))
    assert cold.log_likelihood > hot.log_likelihood and cold.perplexity < hot.perplexity
    assert cold.distinct[3] < hot.distinct[3]


def test_texts_that_do_not_fit_the_prompts_or_the_model_are_refused():
    tokenizer = TOKENIZERS[0]
    model = random_model(tokenizer)
    with pytest.raises(InputError, match="one text for each of 2 prompts, not 1"):
        log_probabilities(model, tokenizer, ["a", "b"], [np.array([1])])
    for wrong in (-1, 5):
        with pytest.raises(InputError, match="written must be at least 0 and below 5"):
            log_probabilities(model, tokenizer, ["a"], [np.array([1, wrong])])
