"""Batches: shifted by one, ended by the end token, padded on the right; and windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import CharTokenizer, InputError
from minilstm.corpora.grammar import Grammar
from minilstm.data.batches import CorpusBatches, SequenceBatches
from minilstm.data.published import LeftPadded, RightPadded
from minilstm.data.windows import StatelessWindows, WindowBatches, running_text

EOS = 9
id_sequences = st.lists(st.lists(st.integers(1, 8), min_size=1, max_size=7), min_size=1, max_size=12)


def arrays(sequences):
    return [np.array(ids, np.int32) for ids in sequences]


@given(id_sequences, st.integers(1, 5), st.integers(0, 99))
def test_an_epoch_shows_every_sequence_once_with_its_targets(sequences, batch_size, seed):
    batch_size = min(batch_size, len(sequences))
    batches = SequenceBatches(arrays(sequences), batch_size, EOS)
    seen = []
    for batch in batches.epoch(np.random.default_rng(seed)):
        T, B = batch.inputs.shape
        assert batch.lengths.max() == T and B <= batch_size and batch.tokens == batch.lengths.sum()
        for b, n in enumerate(batch.lengths):
            ids, targets = batch.inputs[:n, b].tolist(), batch.targets[:n, b].tolist()
            assert targets == [*ids[1:], EOS]
            assert not batch.inputs[n:, b].any() and not batch.targets[n:, b].any()
            seen.append(ids)
    assert sorted(seen) == sorted(sequences)


@given(id_sequences, st.integers(1, 5), st.integers(0, 12))
def test_an_epoch_can_start_at_any_batch(sequences, batch_size, start):
    batches = SequenceBatches(arrays(sequences), min(batch_size, len(sequences)), EOS)
    whole = list(batches.epoch(np.random.default_rng(0)))
    rest = list(batches.epoch(np.random.default_rng(0), start))
    assert len(whole) == len(batches) and len(rest) == max(0, len(whole) - start)
    for a, b in zip(whole[start:], rest):
        np.testing.assert_array_equal(a.inputs, b.inputs)


@given(id_sequences, st.integers(1, 4), st.integers(2, 4), st.integers(0, 99), st.integers(0, 12))
def test_bucketing_sorts_by_length_and_shows_every_sequence_once(sequences, batch_size, pool, seed, start):
    batch_size = min(batch_size, len(sequences))
    batches = SequenceBatches(arrays(sequences), batch_size, EOS, pool=pool)
    epoch = list(batches.epoch(np.random.default_rng(seed)))
    seen = [batch.inputs[:n, b].tolist() for batch in epoch for b, n in enumerate(batch.lengths)]
    assert sorted(seen) == sorted(sequences) and len(epoch) == len(batches)
    for a, b in zip(batches.epoch(np.random.default_rng(seed), start), epoch[start:], strict=True):
        np.testing.assert_array_equal(a.inputs, b.inputs)
    one_pool = SequenceBatches(arrays(sequences), batch_size, EOS, pool=len(sequences))
    ranges = sorted((b.lengths.min(), b.lengths.max()) for b in one_pool.epoch(np.random.default_rng(seed)))
    assert all(shorter[1] <= longer[0] for shorter, longer in zip(ranges, ranges[1:]))
    alone = SequenceBatches(arrays(sequences), 1, EOS, pool=pool).epoch()
    # without a random generator the order is that of the data
    assert [batch.inputs[:, 0].tolist() for batch in alone] == sequences


def test_which_sequences_share_a_batch_is_random():
    batches = SequenceBatches(arrays([[k, k] for k in range(1, 9)]), 2, EOS, pool=2)
    together, firsts, rng = set(), np.zeros(9), np.random.default_rng(1)
    for _ in range(400):
        for number, batch in enumerate(batches.epoch(rng)):
            together.add(tuple(sorted(batch.inputs[0].tolist())))
            firsts[batch.inputs[0]] += number == 0
    assert len(together) == 8 * 7 / 2  # every pair occurs
    assert firsts[1:].min() > 60  # every sequence comes first, about 100 times in 400


def test_the_order_comes_from_the_generator():
    batches = SequenceBatches(arrays([[k] for k in range(1, 9)] * 4), 4, EOS)
    order = lambda seed: [b.inputs.tolist() for b in batches.epoch(seed and np.random.default_rng(seed))]
    assert order(1) == order(1) != order(2)
    assert order(None)[0] == [[1, 2, 3, 4]]


@given(st.lists(st.integers(1, 8), min_size=1, max_size=60), st.integers(1, 4), st.integers(1, 7))
def test_windows_joined_are_the_text_and_targets_are_shifted_by_one(ids, batch_size, window):
    if len(ids) // batch_size < window:
        with pytest.raises(InputError, match="too small"):
            WindowBatches(np.array(ids), batch_size, window, EOS)
        return
    batches = WindowBatches(np.array(ids), batch_size, window, EOS)
    windows = list(batches.epoch())
    assert len(windows) == len(batches) and batches.carries_state
    inputs = np.concatenate([w.inputs for w in windows]).T.ravel().tolist()
    targets = np.concatenate([w.targets for w in windows]).T.ravel().tolist()
    assert inputs == ids[: len(inputs)] and len(ids) - len(inputs) < batch_size
    assert targets == [*ids, EOS][1 : len(inputs) + 1]
    assert all(w.inputs.shape[0] == window for w in windows[:-1]) and sum(w.tokens for w in windows) == len(inputs)


@given(st.lists(st.integers(1, 8), min_size=1, max_size=60), st.integers(1, 4), st.integers(1, 7), st.integers(0, 99))
def test_stateless_windows_are_shuffled_and_each_comes_once(ids, batch_size, window, seed):
    if len(ids) // window < batch_size:
        with pytest.raises(InputError, match="too small"):
            StatelessWindows(np.array(ids), batch_size, window, EOS)
        return
    batches = StatelessWindows(np.array(ids), batch_size, window, EOS)
    epoch = list(batches.epoch(np.random.default_rng(seed)))
    assert len(epoch) == len(batches) and not batches.carries_state
    seen = [(b.inputs[:, k].tolist(), b.targets[:, k].tolist()) for b in epoch for k in range(b.inputs.shape[1])]
    cut = lambda row: [row[k : k + window] for k in range(0, len(ids) // window * window, window)]
    assert sorted(seen) == sorted(zip(cut(ids), cut([*ids[1:], EOS])))
    in_order = [b.inputs[:, k].tolist() for b in batches.epoch() for k in range(b.inputs.shape[1])]
    assert in_order == cut(ids)
    rest = list(batches.epoch(np.random.default_rng(seed), 1))
    assert [b.inputs.tolist() for b in rest] == [b.inputs.tolist() for b in epoch[1:]]


@pytest.mark.parametrize("kind", [WindowBatches, StatelessWindows])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
def test_windows_are_int32_for_every_dtype_of_the_text(kind, dtype):
    batches = kind(np.arange(1, 60, dtype=dtype), 2, 4, 200)
    for batch, expected in zip(batches.epoch(), kind(np.arange(1, 60), 2, 4, 200).epoch(), strict=True):
        for array, other in zip(batch[:2], expected[:2]):
            assert array.dtype == np.int32 and array.flags.c_contiguous and (array == other).all()


def test_stateless_windows_change_their_order_from_epoch_to_epoch():
    batches, rng = StatelessWindows(np.arange(64) % 9, 2, 4, EOS), np.random.default_rng(0)
    first, second = ([b.inputs.tolist() for b in batches.epoch(rng)] for _ in range(2))
    assert first != second


@given(id_sequences, st.integers(1, 8))
def test_a_sequence_that_is_cut_gets_no_end_token(sequences, max_steps):
    batches = SequenceBatches(arrays(sequences), 1, EOS, max_steps=max_steps)
    for ids, batch in zip(sequences, batches.epoch(), strict=True):
        n = min(len(ids), max_steps)
        assert batch.lengths.tolist() == [n] and batch.inputs[:, 0].tolist() == ids[:n]
        assert batch.targets[:, 0].tolist() == [*ids, EOS][1 : n + 1]


def test_padded_on_the_left_as_published():
    batches = LeftPadded(arrays([[1, 2, 3], [4], [5, 6]]), 2, EOS)
    first, second = batches.epoch(np.random.default_rng(0))
    assert first.inputs.T.tolist() == [[1, 2, 3], [0, 0, 4]] and first.targets.T.tolist() == [[2, 3, EOS], [0, 4, EOS]]
    assert second.inputs.T.tolist() == [[5, 6]] and second.targets.T.tolist() == [[6, EOS]]
    assert first.lengths is None and first.tokens == 6 and len(batches) == 2 and not batches.carries_state
    assert [b.inputs.tolist() for b in batches.epoch(start=1)] == [second.inputs.tolist()]


def test_padded_on_the_right_as_published():
    batches = RightPadded(arrays([[1, 2, 3, 4, 5], [4], [5, 6]]), 2, steps=3)
    first, second = batches.epoch()
    assert first.inputs.T.tolist() == [[1, 2, 3], [4, 0, 0]] and first.targets.T.tolist() == [[2, 3, 4], [0, 0, 0]]
    assert second.inputs.T.tolist() == [[5, 6, 0]] and second.targets.T.tolist() == [[6, 0, 0]]
    assert first.lengths is None and len(batches) == 2 and not batches.carries_state


def test_as_published_neighbours_share_a_batch_and_only_batches_are_shuffled():
    batches = RightPadded(arrays([[k] for k in range(1, 9)]), 2, steps=1)
    order = lambda seed, start=0: [b.inputs[0].tolist() for b in batches.epoch(np.random.default_rng(seed), start)]
    assert sorted(order(0)) == [[1, 2], [3, 4], [5, 6], [7, 8]] and len({str(order(seed)) for seed in range(20)}) > 5
    assert order(0, 3) == order(0)[3:]


def test_a_long_text_has_the_end_token_between_sequences():
    assert running_text(arrays([[1, 2], [3]]), EOS).tolist() == [1, 2, EOS, 3]
    assert running_text(arrays([[1, 2]]), EOS).tolist() == [1, 2]


def test_a_sequence_of_one_token_predicts_the_end():
    (batch,) = SequenceBatches(arrays([[5]]), 1, EOS).epoch()
    assert batch.inputs.tolist() == [[5]] and batch.targets.tolist() == [[EOS]]


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: SequenceBatches(arrays([[1]]), 2, EOS), "the corpus has 1 sequence, too few for one mini-batch of 2"),
        (lambda: SequenceBatches([], 1, EOS), "too few"),
        (lambda: SequenceBatches(arrays([[1], []]), 1, EOS), "sequence 1 is empty"),
        (lambda: SequenceBatches(arrays([[1]]), 0, EOS), "batch_size"),
        (lambda: WindowBatches(np.ones(5, int), 1, 0, EOS), "window"),
        (lambda: WindowBatches(np.ones(1, int), 1, 2, EOS), "a text of 1 tokens is too small"),
        (lambda: WindowBatches(np.ones(5, int), 0, 1, EOS), "batch_size"),
        (lambda: StatelessWindows(np.ones(5, int), 0, 1, EOS), "batch_size"),
        (lambda: StatelessWindows(np.ones(5, int), 1, 6, EOS), "a text of 5 tokens is too small"),
        (lambda: SequenceBatches(arrays([[1]]), 1, EOS, max_steps=0), "max_steps"),
        (lambda: LeftPadded(arrays([[1]]), 0, EOS), "batch_size"),
        (lambda: RightPadded(arrays([[1]]), 1, 0), "steps"),
    ],
)
def test_a_corpus_too_small_for_a_batch_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def corpus_batches(size=10, batch_size=4):
    corpus = Grammar({"start": ["{a}{a}{a}"], "a": ["x", "yy", "zzz"]}, "start")
    return CorpusBatches(corpus, CharTokenizer.fit(corpus.alphabet), size, batch_size)


def test_each_epoch_of_a_grammar_has_new_texts_from_the_generator():
    batches = corpus_batches()
    epoch = lambda rng: [batch.inputs.tolist() for batch in batches.epoch(rng)]
    rng = np.random.default_rng(0)
    first, second = epoch(rng), epoch(rng)
    assert first != second and first == epoch(np.random.default_rng(0))
    assert [np.shape(inputs)[1] for inputs in first] == [4, 4, 2] and len(batches) == 3


@pytest.mark.parametrize("start", [0, 1, 2, 3])
def test_an_epoch_of_a_grammar_can_start_at_any_batch(start):
    whole, rest = (list(corpus_batches().epoch(np.random.default_rng(0), k)) for k in (0, start))
    assert len(rest) == 3 - start
    for a, b in zip(whole[start:], rest):
        np.testing.assert_array_equal(a.targets, b.targets)


def test_texts_of_a_grammar_are_made_batch_by_batch_and_equal_those_made_at_once():
    batches = corpus_batches()
    texts = batches.corpus.sample_many(10, np.random.default_rng(3))
    rng, before = np.random.default_rng(3), np.random.default_rng(3)
    before.bit_generator.advance(4 * 4)  # four texts, of four choices each
    epoch = batches.epoch(rng)
    shown = [next(epoch)]
    assert rng.bit_generator.state == before.bit_generator.state
    shown += epoch
    read = [batches.tokenizer.decode(ids[:n]) for batch in shown for ids, n in zip(batch.inputs.T, batch.lengths)]
    assert sorted(read[:4]) == sorted(texts[:4]) and sorted(read) == sorted(texts)


def test_a_grammar_needs_a_generator_and_sizes():
    with pytest.raises(InputError, match="Generator"):
        next(corpus_batches().epoch())
    with pytest.raises(InputError, match="size"):
        corpus_batches(size=0)
