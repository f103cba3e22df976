"""The exponential function inside kernels.

float64 and complex numbers use the mathematical library's, exact to the last bits.
float32 uses a power of two times a polynomial, several times as fast, that a compiler
turns into SIMD instructions:

    (1)  eˣ = 2ⁿ eʳ,            n the whole number nearest to x / ln 2,  r = x - n ln 2
    (2)  eʳ ≈ 1 + (r + r² (c2 + c3 r + … + c6 r⁴)),    |r| ≤ ln 2 / 2

(1) uses ln 2 in two parts, the first so short that n times it is exact: Cody and Waite,
Software manual for the elementary functions (1980), chapter 6. 2ⁿ is written into the
bits of two float32 numbers, 2^⌊n/2⌋ and the rest, since n may be too large or too small
for one. Their product is then inf or subnormal where it must be. There is no branch: x
is first limited to where eˣ changes, and NaN passes through. The coefficients are our
own minimax fit, by ``benchmarks/fit_exp.py``, which also tries all float32 numbers to
find the largest error stated below.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import overload

from minilstm.kernels.compile import kernel

# largest relative error; below 1.2e-38, the smallest normal number, relative to it
EXP_FLOAT32_ERROR = 9.0e-8

LOWEST, HIGHEST = np.float32(-104.0), np.float32(89.0)  # beyond them eˣ is 0 or inf
PER_LN2 = np.float32(1.44269504)
LN2_SHORT, LN2_REST = np.float32(0.693359375), np.float32(-2.12194440e-4)
# 1.5 · 2²³: what is added to it is rounded to a whole number, which its last bits hold
ROUND = np.float32(12_582_912.0)
ROUND_BITS = np.int32(0x4B40_0000)
BIAS, PLACES = np.int32(127), np.int32(23)  # 2ⁿ is stored as n + 127, 23 places left
ONE, HALF = np.float32(1.0), np.int32(1)
C2, C3, C4, C5, C6 = (
    np.float32(c)
    for c in (4.9999994e-01, 1.6666521e-01, 4.1668389e-02, 8.3687166e-03, 1.3814599e-03)
)


@kernel
def exp_float32(x):
    """Equations (1) and (2).

    Numba makes int64 of the sum of two int32: it is cast back before its bits are read.
    """
    # NaN compares false, so it passes through unchanged
    x = HIGHEST if x > HIGHEST else (LOWEST if x < LOWEST else x)
    rounded = x * PER_LN2 + ROUND
    n = rounded - ROUND
    r = (x - n * LN2_SHORT) - n * LN2_REST                                 # (1)
    p = ONE + (r + r * r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * C6)))))  # (2)
    k = np.int32(np.float32(rounded).view(np.int32) - ROUND_BITS)
    half = np.int32(k >> HALF)
    power = np.int32((half + BIAS) << PLACES).view(np.float32)
    rest = np.int32((k - half + BIAS) << PLACES).view(np.float32)
    return p * power * rest                                                # (1)


def exp(x):
    """exp of one number: (1) and (2) for float32, exact for every other dtype."""
    return exp_float32(x) if isinstance(x, np.float32) else np.exp(x)


@overload(exp)
def _exp_for(x):  # pragma: no cover: runs only while Numba compiles
    if x == types.float32:
        return lambda x: exp_float32(x)
    return lambda x: np.exp(x)


@kernel
def exp_in_place(row):
    for j in range(row.size):
        row[j] = exp(row[j])
