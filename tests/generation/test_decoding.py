"""Decoding: greedy is the reference's, beams find the likeliest, samples follow their distribution, all side by side."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import InputError
from minilstm.generation.decoding import beam_decode, decode
from minilstm.generation.sampling import Sampling
from minilstm.models.captioner import Captioner
from minilstm.models.encoder_decoder import EncoderDecoder
from minilstm.reference import encoder_decoder as reference
from minilstm.reference.functions import log_sum_exp
from tests.helpers.shapes import END, START, randomized

LIMIT = 5


def pair_model(rng, attention=3, reverse=False, **options):
    model = EncoderDecoder(
        7, 6, 3, 4, attention=attention, reverse_source=reverse, dtype=np.float64, **options
    )
    return randomized(model, rng)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_greedy_texts_and_weights_are_those_of_the_reference(seed, attends, reverse):
    rng = np.random.default_rng(seed)
    model = pair_model(rng, 3 if attends else None, reverse, layers=2)
    model.parameters["output.b"][START] = -np.inf  # the reference may write any id
    source, lengths = rng.integers(0, 7, (4, 3)), rng.integers(1, 5, 3)
    ids, weights = reference.greedy(
        dict(model.parameters), source, lengths, START, END, LIMIT, reverse
    )
    found = decode(model, model.encode(source, lengths), START, END, LIMIT)
    for b, text in enumerate(found.texts):
        expected = ids[:, b]
        ended = np.flatnonzero(expected == END)
        n = ended[0] if len(ended) else len(expected)
        assert text.tolist() == expected[:n].tolist()
        if attends:
            steps = min(n + 1, len(expected))
            np.testing.assert_allclose(found.weights[b], weights[:steps, b], rtol=1e-9, atol=1e-12)
            assert found.weights[b].sum() == pytest.approx(steps)
    assert (found.weights is None) == (not attends)


def log_probability(model, memory, text):
    """Of a text with its end, one step after the other."""
    total, token = 0.0, START
    for next_token in (*text, END):
        step = model.step(np.array([token]), memory)
        a, memory, token = step.logits[0], step.memory, next_token
        total += a[token] - log_sum_exp(a)
    return total.item()


def test_a_wide_beam_finds_the_likeliest_text_of_all():
    model = pair_model(np.random.default_rng(1))
    memory = model.encode(np.array([[1, 2], [3, 4]]))
    texts = [text for n in range(3) for text in itertools.product(range(1, 5), repeat=n)]
    for b, found in enumerate(beam_decode(model, memory, START, END, 3, 200)):
        own = memory.take(np.array([b]))
        best = max(texts, key=lambda text: log_probability(model, own, text))
        ended = [(ids, log_P) for ids, log_P in found if len(ids) < 3]
        assert ended[0][0].tolist() == list(best)
        assert ended[0][1] == pytest.approx(log_probability(model, own, best))


def test_a_beam_of_one_is_greedy():
    model = pair_model(np.random.default_rng(2), None)
    memory = model.encode(np.array([[1, 2, 3], [3, 4, 5]]))
    greedy = decode(model, memory, START, END, LIMIT).texts
    beams = beam_decode(model, memory, START, END, LIMIT, 1)
    assert [beam[0][0].tolist() for beam in beams] == [text.tolist() for text in greedy]


def test_samples_follow_the_distribution_of_the_first_token():
    model = randomized(Captioner(4, 6, hidden=4, dtype=np.float64), np.random.default_rng(0))
    vectors = np.repeat(np.random.default_rng(1).normal(size=(1, 4)), 4000, axis=0)
    memory = model.encode(vectors)
    texts = decode(model, memory, START, END, 1, Sampling(), np.random.default_rng(2)).texts
    drawn = np.bincount([text[0] if len(text) else END for text in texts], minlength=6) / 4000
    logits = model.step(np.array([START]), memory.take(np.array([0]))).logits
    p = Sampling().distribution(logits, [START])[0]
    assert drawn[START] == p[START] == 0
    np.testing.assert_allclose(drawn, p, atol=4 * np.sqrt(0.25 / 4000))


def test_a_text_does_not_depend_on_its_neighbours():
    model = pair_model(np.random.default_rng(3))
    source, lengths = np.random.default_rng(4).integers(0, 7, (4, 5)), np.array([1, 4, 2, 3, 4])
    together = decode(model, model.encode(source, lengths), START, END, LIMIT).texts
    for b, text in enumerate(together):
        own = model.encode(source[: lengths[b], b : b + 1])
        assert decode(model, own, START, END, LIMIT).texts[0].tolist() == text.tolist()


def test_wrong_arguments_are_refused():
    model = pair_model(np.random.default_rng(0))
    memory = model.encode(np.array([[1]]))
    with pytest.raises(InputError, match="sampling needs a numpy.random.Generator"):
        decode(model, memory, START, END, 3, Sampling(1.0))
    with pytest.raises(InputError, match="limit must be a whole number of at least 1"):
        decode(model, memory, START, END, 0)
    with pytest.raises(InputError, match="width must be a whole number of at least 1"):
        beam_decode(model, memory, START, END, 3, 0)
    with pytest.raises(InputError, match="ids must be at least 0 and below 6"):
        model.step(np.array([6]), memory)
