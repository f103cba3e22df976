"""The compiled exp: the float32 error over all numbers, and the edges of its range."""

import numba
import numpy as np
import pytest

from minilstm.kernels.exponential import EXP_FLOAT32_ERROR, HIGHEST, LOWEST, exp_in_place

NORMAL = float(np.finfo(np.float32).smallest_normal)
# the extreme numbers whose exp is neither 0 nor infinite
ZERO_BELOW, INF_ABOVE = np.float32(-103.97208), np.float32(88.72283)


def compiled(x):
    row = x.copy()
    with np.errstate(all="ignore"):  # as Python, the loops would make NumPy warn of inf
        exp_in_place(row)
    assert row.dtype == x.dtype
    return row


def largest_error(x):
    """The error relative to the exact value, at least the smallest normal number."""
    truth = np.exp(x.astype(np.float64))
    return np.max(np.abs(compiled(x) - truth) / np.maximum(truth, NORMAL))


def test_float32_stays_within_the_stated_error_over_its_whole_range():
    # Every 101st number between the edges (benchmarks/fit_exp.py tests all), or every
    # 65,521st in Python.
    stride, chunk = (65_521, 1 << 34) if numba.config.DISABLE_JIT else (101, 1 << 26)
    worst = 0.0
    for edge in (ZERO_BELOW, INF_ABOVE):
        sign, top = np.signbit(edge), int(np.abs(edge).view(np.uint32)) + 1
        for start in range(0, top, chunk):
            bits = np.arange(start, min(start + chunk, top), stride, dtype=np.uint64) + (int(sign) << 31)
            worst = max(worst, largest_error(bits.astype(np.uint32).view(np.float32)))
    assert EXP_FLOAT32_ERROR / 1.5 < worst <= EXP_FLOAT32_ERROR


def test_a_subnormal_result_is_the_nearest_number_or_its_neighbour():
    x = np.linspace(ZERO_BELOW, -87.4, 2001).astype(np.float32)
    steps = compiled(x).view(np.int32) - np.exp(x.astype(np.float64)).astype(np.float32).view(np.int32)
    assert np.abs(steps).max() <= 1 and (compiled(x) > 0).all()


def test_beyond_the_range_the_result_is_zero_or_infinity():
    below, above = np.nextafter(ZERO_BELOW, np.float32(-np.inf)), np.nextafter(INF_ABOVE, np.float32(np.inf))
    got = compiled(np.array([ZERO_BELOW, below, -1e30, -np.inf, INF_ABOVE, above, 1e30, np.inf], np.float32))
    smallest = np.finfo(np.float32).smallest_subnormal
    assert got[0] == smallest and (got[1:4] == 0).all() and not np.signbit(got).any()
    assert got[4] == pytest.approx(float(np.finfo(np.float32).max), rel=1e-5) and (got[5:] == np.inf).all()
    # clamping x to its bounds changes nothing
    assert below > LOWEST and above < HIGHEST


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_values(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([0.0, -0.0, tiny, -tiny, np.inf, -np.inf, np.nan, -np.nan], dtype)
    np.testing.assert_array_equal(compiled(x), [1, 1, 1, 1, np.inf, 0, np.nan, np.nan])


def test_a_power_of_two_is_near_each_of_its_neighbours():
    n = np.arange(-148, 128)
    x = (n * np.log(2)).astype(np.float32)
    error = np.abs(compiled(x) - np.exp(x.astype(np.float64)))
    assert (error <= EXP_FLOAT32_ERROR * np.maximum(2.0**n, NORMAL) * (1 + 1e-5)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_other_dtypes_are_exact_to_the_last_bits(dtype):
    x = np.linspace(-700, 700, 2001).astype(dtype)
    x = x * (1 + 1e-3j) if dtype == np.complex128 else x
    np.testing.assert_allclose(compiled(x), np.exp(x), rtol=1e-15)
