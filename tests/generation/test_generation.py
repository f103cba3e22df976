"""The compiled generation loop against the reference implementation and the oracle."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minilstm import InputError, LanguageModel, kernels
from minilstm.generation import loop as generation
from minilstm.generation.sampling import Sampling, forbidden_ids, generate_ids
from minilstm.reference import generate as reference
from tests.helpers import naive
from tests.helpers.recurrent import CELLS, EACH_CELL, naive_parts
from tests.helpers.strategies import seeds


class Ids:
    """A tokenizer whose texts are the ids themselves: "2 0 1"."""

    def __init__(self, V, end=1, unknown=None):
        self.vocab_size, self.padding_id, self.eos_id, self.unknown_id = V, 0, end, unknown

    def encode(self, text):
        return np.array(text.split(), np.int32)


samplings = st.builds(
    Sampling, st.floats(0.3, 3), st.none() | st.integers(1, 3), st.none() | st.floats(0.05, 1), st.booleans()
)


def random_model(seed, V, H, layers=1, cell="lstm", embedding=None, tied=False, dtype=np.float64):
    model = LanguageModel(V, H if tied else embedding, H, layers, cell, tied=tied, dtype=dtype)
    model.parameters.flat[:] = np.random.default_rng(seed).normal(0, 0.7, model.parameters.flat.size)
    return model


@st.composite
def models_V_H_L(draw):
    V, H, layers = draw(st.integers(3, 9)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    embedding, tied = draw(st.none() | st.integers(1, 4)), draw(st.booleans())
    return random_model(draw(seeds), V, H, layers, draw(st.sampled_from(list(CELLS))), embedding, tied)


@st.composite
def cases(draw):
    """A model, a tokenizer of its ids, prompts of several lengths, options."""
    model = draw(models_V_H_L())
    tokenizer = Ids(model.vocab_size, draw(st.integers(0, 1)), draw(st.none() | st.just(2)))
    ids = st.lists(st.integers(0, model.vocab_size - 1), min_size=1, max_size=4)
    prompts = [" ".join(map(str, prompt)) for prompt in draw(st.lists(ids, min_size=1, max_size=6))]
    return model, tokenizer, prompts, draw(samplings)


def by_the_reference(model, tokenizer, prompts, length, sampling, rng):
    """The result of ``generate_ids``, from the reference implementation."""
    read = [tokenizer.encode(prompt) for prompt in prompts]
    lengths = np.array([len(ids) for ids in read])
    padded = np.zeros((lengths.max(), len(read)), int)  # (T, B)
    for b, ids in enumerate(read):
        padded[: len(ids), b] = ids
    how = {"top_k": 1} if sampling.greedy else {key: value for key, value in vars(sampling).items() if key != "greedy"}
    forbidden = forbidden_ids(tokenizer)
    rows = reference.generate_ids(
        dict(model.parameters), padded, length, rng, lengths, tokenizer.eos_id, forbidden=forbidden, **how
    ).T
    ends = [np.flatnonzero(row == tokenizer.eos_id) for row in rows]
    return [row[: end[0] + 1] if end.size else row for row, end in zip(rows, ends)]


def same(texts, others):
    return [text.tolist() for text in texts] == [text.tolist() for text in others]


@given(cases(), st.integers(1, 20), seeds)
def test_the_compiled_loop_generates_as_the_reference_and_leaves_the_same_rng_state(case, length, seed):
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed)
    assert same(generate_ids(*case[:3], length, case[3], rng), by_the_reference(*case[:3], length, case[3], other))
    assert rng.bit_generator.state == other.bit_generator.state


@given(cases(), st.integers(1, 8), seeds)
def test_the_compiled_loop_generates_as_the_oracle(case, length, seed):
    model, tokenizer, prompts, sampling = case
    written = generate_ids(model, tokenizer, prompts, length, sampling, np.random.default_rng(seed))
    u = np.random.default_rng(seed).random((length, len(prompts))).T
    parts, never = naive_parts(model), forbidden_ids(tokenizer)
    options = (sampling.temperature, sampling.top_k, sampling.top_p)
    # greedy is top-k with k = 1
    options = (1.0, 1, None) if sampling.greedy else options
    logits_after = lambda ids: naive.next_logits(ids, *parts)
    for prompt, ids, numbers in zip(prompts, written, u.tolist(), strict=True):
        read = tokenizer.encode(prompt).tolist()
        assert ids.tolist() == naive.generate(logits_after, read, numbers, tokenizer.eos_id, *options, never)


@EACH_CELL
def test_hundreds_of_tokens_are_those_of_the_reference(cell):
    model = random_model(1, 20, 10, 2, cell.name, 4)
    model.parameters["output.b"][1] = -0.5
    prompts, lengths = ["5 2", "7", "3 3 3 9"] * 6, set()
    for seed, sampling in enumerate([Sampling(), Sampling(0.5, top_k=10), Sampling(1.5, top_p=0.9)]):
        written = generate_ids(model, Ids(20), prompts, 60, sampling, np.random.default_rng(seed))
        assert same(written, by_the_reference(model, Ids(20), prompts, 60, sampling, np.random.default_rng(seed)))
        lengths |= set(map(len, written))
    assert len(lengths) > 2 and max(lengths) == 60


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("embedding, tied", [(None, False), (4, False), (6, True)])
@EACH_CELL
def test_every_distribution_is_that_of_the_reference_after_the_same_ids(cell, embedding, tied, dtype, tolerance):
    model = random_model(2, 9, 6, 2, cell.name, embedding, tied, dtype)
    sampling, rng = Sampling(0.8), np.random.default_rng(0)
    # an end that is never sampled
    choice = generation.choice_of(9, **vars(sampling), forbidden=[0], end=9)
    weights, bh, work = generation.weights_of(model), generation.bh_of(model), generation.work_for(model, 1)
    logits, state = model.logits(np.array([[3]]))
    h, c = np.stack([s[0] for s in state]), np.stack([s[1] for s in state]) if cell.name == "lstm" else None
    ids, seen = np.zeros((1, 1), np.int64), []
    for _ in range(20):
        u = rng.random((1, 1))
        assert kernels.generation.generate(weights, bh, choice, u, np.arange(1), h, c, work, ids) == (1, 1)
        # sampling has left the cumulative sums of the weights
        p = np.diff(work.w, prepend=0) / work.w[-1]
        np.testing.assert_allclose(p, sampling.distribution(logits[-1], [0])[0], rtol=0, atol=tolerance)
        logits, state = model.logits(ids, state=state)
        seen.append(ids[0, 0])
    assert len(set(seen)) > 2


@given(cases(), st.integers(1, 3), st.integers(1, 5), seeds)
def test_neither_chunks_of_steps_nor_of_rows_change_a_bit(case, rows, steps, seed):
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed)
    whole = generate_ids(*case[:3], 12, case[3], rng)
    with patch.object(generation, "ROWS_TOGETHER", rows), patch.object(generation, "MOST_STEPS", steps):
        assert same(generate_ids(*case[:3], 12, case[3], other), whole)
    assert rng.bit_generator.state == other.bit_generator.state


def test_texts_that_have_ended_do_not_change_the_others():
    model = random_model(3, 12, 8, 2)
    prompts = [str(k) for k in range(2, 12)]
    u = np.random.default_rng(0).random((25, 10))

    class Column:
        """A generator for one text, with its numbers among all texts."""

        def __init__(self, b):
            self.left, self.bit_generator = list(u[:, b]), type("State", (), {"state": None})()

        def random(self, shape):
            return np.array([self.left.pop(0) for _ in range(shape[0])])[:, None] if self.left else np.zeros(shape)

    together = generate_ids(model, Ids(12), prompts, 25, rng=np.random.default_rng(0))
    alone = [generate_ids(model, Ids(12), [prompt], 25, rng=Column(b))[0] for b, prompt in enumerate(prompts)]
    assert same(together, alone)
    assert len(set(map(len, together))) > 3 and max(map(len, together)) > 10


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_any_random_generator_ends_as_if_every_step_had_sampled(bits):
    model = random_model(4, 6, 3)
    model.parameters["output.b"][1] = 2
    rng, other = np.random.Generator(bits(7)), np.random.Generator(bits(7))
    for _ in range(5):
        written = generate_ids(model, Ids(6), ["2", "3"], 40, rng=rng)
        assert same(written, by_the_reference(model, Ids(6), ["2", "3"], 40, Sampling(), other))
        assert max(map(len, written)) < 40 and rng.random() == other.random()


@st.composite
def logits_V(draw):
    """A row, often with ties and with zeros of both signs."""
    V = draw(st.integers(1, 60))
    row = np.random.default_rng(draw(seeds)).normal(0, draw(st.sampled_from([0.1, 1, 5, 400])), V)
    return np.round(row) * draw(st.sampled_from([-1.0, 1.0])) if draw(st.booleans()) else row


def weighed(logits, sampling, forbidden=()):
    V = len(logits)
    choice = generation.choice_of(V, **vars(sampling), forbidden=forbidden, end=0)
    a, w = logits.copy(), np.full(V, np.nan)
    a[list(forbidden)] = -np.inf
    kernels.sampling.weigh(a, choice.temperature, choice.top_k, choice.top_p, np.empty(V, np.int64), w)
    return w


@given(logits_V(), st.data())
def test_weights_are_the_distribution_of_the_reference_with_ties(logits, data):
    V = len(logits)
    sampling = Sampling(
        data.draw(st.sampled_from([1.0, 0.7, 3.0, 1e-300])),
        data.draw(st.none() | st.integers(1, V)),
        data.draw(st.none() | st.floats(0.01, 1) | st.just(0.5)),
        data.draw(st.booleans()),
    )
    forbidden = data.draw(st.lists(st.integers(0, V - 1), max_size=V - 1, unique=True))
    # the two may differ if rounding decides
    if sampling.top_p is not None and not sampling.greedy:
        p = np.sort(Sampling(sampling.temperature, sampling.top_k).distribution(logits[None], forbidden)[0])[::-1]
        assume(np.abs(np.cumsum(p) - sampling.top_p)[p > 1e-13].min() > 1e-12)
    expected, w = sampling.distribution(logits[None], forbidden)[0], weighed(logits, sampling, forbidden)
    np.testing.assert_allclose(w / w.sum(), expected, rtol=0, atol=1e-12)
    assert ((w > 0) == (expected > 0)).all()


@pytest.mark.parametrize("top_p", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("top_k", [None, 1, 40, 3000])
def test_thousands_of_tokens_are_sorted_as_in_the_reference(top_k, top_p):
    logits = np.round(np.random.default_rng(0).normal(0, 2, 4000), 2)
    for sampling in (Sampling(1.0, top_k, top_p), Sampling(1.0, top_k)):
        w, expected = weighed(logits, sampling), sampling.distribution(logits[None])[0]
        assert ((w > 0) == (expected > 0)).all() and 0 < (w > 0).sum() <= (top_k or 4000)
        np.testing.assert_allclose(w / w.sum(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("top_p, kept", [(0.25, [1]), (0.5, [1, 3]), (0.5001, [1, 3, 4]), (0.75, [1, 3, 4]), (1, [1, 3, 4, 6])])
def test_top_p_that_is_reached_exactly_adds_no_token(top_p, kept):
    logits = np.array([-np.inf, 2.0, -np.inf, 2.0, 2.0, -np.inf, 2.0])
    expected, w = Sampling(top_p=top_p).distribution(logits[None])[0], weighed(logits, Sampling(top_p=top_p))
    assert np.flatnonzero(w).tolist() == np.flatnonzero(expected).tolist() == kept


@pytest.mark.parametrize("seed", range(20))
def test_top_p_of_one_keeps_all_possible_tokens_despite_rounding(seed):
    # five weights are zero
    logits = np.append(np.random.default_rng(seed).normal(0, 1, 50), [-5000.0] * 5)
    assert np.flatnonzero(weighed(logits, Sampling(top_p=1.0))).tolist() == list(range(50))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30).filter(any), st.integers(0, 63))
def test_a_sampled_token_is_that_of_the_reference(counts, u):
    """With exact binary numbers, threshold and sums are often equal."""
    w, u = np.array(counts, float), u / 64
    numbers = type("Generator", (), {"random": lambda self, shape: np.full(shape, u)})()
    assert kernels.sampling.draw(w.copy(), u) == reference.draw(w[None], numbers)[0]


@np.errstate(invalid="ignore")
def test_nan_logits_give_padding_and_do_no_harm():
    model = random_model(5, 6, 3)
    model.parameters.flat[:] = np.nan
    for sampling in (Sampling(), Sampling(top_k=2), Sampling(top_p=0.5), Sampling(greedy=True)):
        (ids,) = generate_ids(model, Ids(6), ["2"], 4, sampling, np.random.default_rng(0))
        assert ids.tolist() == [0, 0, 0, 0]
    for k, p in ((3, 0.5), (6, 0.5), (3, np.inf)):
        a, w = np.array([1.0, np.nan, 2.0, np.nan, np.nan, -np.inf]), np.zeros(6)
        kernels.sampling.weigh(a, 1.0, k, p, np.zeros(6, np.int64), w)
        assert 0 <= kernels.sampling.draw(w, 0.5) < 6


@pytest.mark.parametrize("layers", [1, 2])
def test_generation_changes_neither_the_model_nor_the_state_that_it_begins_from(layers):
    model = random_model(6, 6, 3, layers)
    before = model.parameters.flat.copy()
    _, state = model.logits(np.array([[2, 3]]))
    kept = [[part.copy() for part in layer] for layer in state]
    choice = generation.choice_of(6, **vars(Sampling()), forbidden=[0], end=1)
    generation.write(model, state, 10, choice, np.random.default_rng(0))
    np.testing.assert_array_equal(model.parameters.flat, before)
    np.testing.assert_array_equal(state, kept)


def test_complex_models_are_refused():
    model = LanguageModel(5, hidden=2, dtype=np.complex128)
    with pytest.raises(InputError, match="complex128 is for checking gradients and cannot generate"):
        generate_ids(model, Ids(5), ["2"], 3, rng=np.random.default_rng(0))
