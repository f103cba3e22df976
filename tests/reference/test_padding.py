"""Padding: what is real, and zeros in place of the rest."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.padding import clear_padding, real_steps
from tests.helpers.strategies import seeds, sizes
from tests.reference.models import lengths_B, spoilt


@given(st.data(), sizes, sizes, seeds)
def test_a_step_is_real_before_its_sequences_length(data, T, B, seed):
    lengths = data.draw(lengths_B(T, B, shortest=0))
    assert real_steps(T, lengths).tolist() == [[t < n for n in lengths] for t in range(T)]
    rng = np.random.default_rng(seed)
    for x, garbage in ((rng.standard_normal((T, B, 2)), np.nan), (rng.integers(1, 9, (T, B)), -1)):
        cleared = clear_padding(spoilt(x, lengths, garbage), lengths)
        assert cleared.dtype == x.dtype
        for b, n in enumerate(lengths):
            np.testing.assert_array_equal(cleared[:n, b], x[:n, b])
            assert (cleared[n:, b] == 0).all()


def test_without_lengths_nothing_is_padding():
    x = np.ones((2, 3))
    assert clear_padding(x) is x


def test_the_dtype_stays():
    for dtype in (np.float32, np.complex64, np.int32):
        assert clear_padding(np.ones((2, 1, 3), dtype), [1]).dtype == dtype
