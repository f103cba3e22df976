"""Teacher forcing, by examples. The decoder itself is tested in whole models: encoder and decoder, captioner."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.decoder import teacher_forcing
from tests.helpers.strategies import seeds, sizes
from tests.reference.models import lengths_B, spoilt


def test_the_input_is_the_true_token_before_and_the_target_the_token_itself():
    y = np.array([[5, 6], [7, 0]])
    inputs, targets, lengths = teacher_forcing(y, [2, 1], start=1, end=2)
    assert inputs[:, 0].tolist() == [1, 5, 7] and targets[:, 0].tolist() == [5, 7, 2]
    assert inputs[:2, 1].tolist() == [1, 6] and targets[:2, 1].tolist() == [6, 2]
    assert lengths.tolist() == [3, 2]


@given(st.data(), sizes, sizes, seeds)
def test_of_every_length_the_target_is_the_next_input_and_then_the_end(data, T, B, seed):
    lengths = data.draw(lengths_B(T, B, shortest=0))
    y = spoilt(np.random.default_rng(seed).integers(3, 9, (T, B)), lengths, -1)
    kept = y.copy()
    inputs, targets, n = teacher_forcing(y, lengths, 1, 2)
    np.testing.assert_array_equal(y, kept)
    for b, length in enumerate(lengths):
        text = y[:length, b].tolist()
        assert n[b] == length + 1
        assert inputs[: n[b], b].tolist() == [1, *text] and targets[: n[b], b].tolist() == [*text, 2]
