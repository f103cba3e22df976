"""Mini-batches of labelled sequences, of pairs, and of vectors with texts: everything once an epoch, padded on the right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import InputError
from minilstm.data.pairs import (
    LabelledBatches,
    PairBatches,
    TaggedBatches,
    VectorBatches,
    pad,
    teacher_forcing,
)

SEQUENCES = [np.array(s) for s in ([1], [2, 3], [4, 5, 6], [7, 8], [9, 1, 2, 3], [5])]
LABELS = [3, 1, 4, 1, 5, 9]


def columns(padded, lengths):
    return [padded[:n, b].tolist() for b, n in enumerate(lengths)]


def test_padding_is_on_the_right():
    padded, lengths = pad([np.array([1, 2]), np.array([3])])
    assert padded.tolist() == [[1, 3], [2, 0]] and lengths.tolist() == [2, 1]
    vectors, lengths = pad([np.ones((1, 2)), np.ones((3, 2))])
    assert vectors.shape == (3, 2, 2) and not vectors[1:, 0].any() and lengths.tolist() == [1, 3]


def test_the_decoder_reads_the_start_and_predicts_the_end():
    inputs, targets, lengths = teacher_forcing([np.array([4, 5]), np.array([], int)], 0, 9)
    assert inputs[:, 0].tolist() == [0, 4, 5] and targets[:, 0].tolist() == [4, 5, 9]
    assert inputs[0, 1] == 0 and targets[0, 1] == 9 and lengths.tolist() == [3, 1]


def examples(batch):
    """Every input with its output, however they are padded."""
    if hasattr(batch, "labels"):
        return zip(columns(batch.inputs, batch.lengths), batch.labels.tolist())
    if hasattr(batch, "source"):
        targets = columns(batch.targets, batch.lengths - 1)
        return zip(columns(batch.source, batch.source_lengths), targets)
    if hasattr(batch, "vectors"):
        return zip(batch.vectors.tolist(), columns(batch.targets, batch.lengths - 1))
    return zip(columns(batch.inputs, batch.lengths), columns(batch.targets, batch.lengths))


VECTORS = [np.array([float(k), -k]) for k in range(6)]
TAGS = [s % 3 for s in SEQUENCES]
ALL = {
    "labelled": lambda B, pool: LabelledBatches(SEQUENCES, LABELS, B, pool),
    "tagged": lambda B, pool: TaggedBatches(SEQUENCES, TAGS, B, pool),
    "pairs": lambda B, pool: PairBatches(SEQUENCES, SEQUENCES[::-1], B, pool, 0, 10),
    "vectors": lambda B, pool: VectorBatches(VECTORS, SEQUENCES, B, pool, 0, 10),
}
PAIRS = {
    "labelled": (SEQUENCES, LABELS), "tagged": (SEQUENCES, TAGS),
    "pairs": (SEQUENCES, SEQUENCES[::-1]), "vectors": (VECTORS, SEQUENCES),
}
EXPECTED = {
    kind: [repr((np.array(x).tolist(), np.array(y).tolist())) for x, y in zip(*both)]
    for kind, both in PAIRS.items()
}


@pytest.mark.parametrize("kind", ALL)
@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 99))
def test_an_epoch_has_every_example_once(kind, B, pool, seed):
    batches = ALL[kind](B, pool)
    epoch = list(batches.epoch(np.random.default_rng(seed)))
    assert len(epoch) == len(batches) and not batches.carries_state
    assert sorted(repr(pair) for batch in epoch for pair in examples(batch)) == sorted(EXPECTED[kind])
    later = list(batches.epoch(np.random.default_rng(seed), 1))
    assert [repr(batch) for batch in later] == [repr(batch) for batch in epoch[1:]]


@pytest.mark.parametrize("kind", ALL)
def test_without_a_generator_the_order_is_that_of_the_data(kind):
    (batch,) = ALL[kind](6, 1).epoch()
    assert [repr(pair) for pair in examples(batch)] == EXPECTED[kind]
    real = sum(map(len, SEQUENCES))
    assert batch.tokens == {"labelled": 6, "tagged": real}.get(kind, real + 6)  # 6 ends


def test_bucketing_puts_equal_lengths_together():
    batches = LabelledBatches(SEQUENCES * 5, LABELS * 5, 5, pool=6)
    padding = [5 * len(b.inputs) - b.lengths.sum() for b in batches.epoch(np.random.default_rng(0))]
    unsorted = LabelledBatches(SEQUENCES * 5, LABELS * 5, 5)
    assert sum(padding) < sum(5 * len(b.inputs) - b.lengths.sum() for b in unsorted.epoch(np.random.default_rng(0)))


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: LabelledBatches(SEQUENCES, LABELS[1:], 2), "6 inputs, but 5 outputs"),
        (lambda: LabelledBatches(SEQUENCES, LABELS, 7), "6 examples, too few for one mini-batch of 7"),
        (lambda: LabelledBatches([np.array([], int)], [1], 1), "input 0 is empty"),
        (lambda: TaggedBatches(SEQUENCES, SEQUENCES[::-1], 2), "sequence 1 has 2 tokens, but 4 labels"),
        (lambda: LabelledBatches(SEQUENCES, LABELS, 0), "batch_size must be a whole number"),
        (lambda: LabelledBatches(SEQUENCES, LABELS, 2, 0), "pool must be a whole number"),
    ],
)
def test_examples_that_do_not_fit_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
