"""Sigmoid and hyperbolic tangent inside kernels.

float64 and complex numbers use the functions of the mathematical library, exact to the
last bits. float32 uses a rational function, many times as fast, that a compiler turns
into SIMD instructions:

    (1)  tanh x ≈ x (a0 + a1 u + … + a6 u⁶) / (1 + b1 u + b2 u² + b3 u³),   u = x²,
         for |x| ≤ 7.9, and constant beyond
    (2)  σ(x) = (1 + tanh(x / 2)) / 2

(1) has the form of Eigen's float32 tanh. The coefficients are our own minimax fit, by
``benchmarks/fit_tanh.py``, which also tries all float32 numbers to find the largest
errors stated below. NaN stays NaN, and tanh(±0) is ±0.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import overload

from minilstm.kernels.compile import kernel

TANH_FLOAT32_ERROR = 3.5e-7  # largest absolute error
SIGMOID_FLOAT32_ERROR = 2.1e-7

LIMIT = np.float32(7.9)  # tanh(7.9) = 1 - 2.7e-7
A0, A1, A2, A3, A4, A5, A6 = (
    np.float32(a)
    for a in (
        1.0, 1.3128123e-01, 3.1536375e-03, 1.1689413e-05, -2.2525020e-08, 6.4825922e-11,
        -1.1923780e-13,
    )
)
B1, B2, B3 = (np.float32(b) for b in (4.6461454e-01, 2.4691846e-02, 2.6193165e-04))
ONE = np.float32(1.0)


@kernel
def tanh_float32(x):
    """Equation (1)."""
    # NaN compares false, so it passes through unchanged
    x = LIMIT if x > LIMIT else (-LIMIT if x < -LIMIT else x)
    u = x * x
    p = A0 + u * (A1 + u * (A2 + u * (A3 + u * (A4 + u * (A5 + u * A6)))))
    q = ONE + u * (B1 + u * (B2 + u * B3))
    return x * p / q


def tanh(x):
    """tanh of one number: (1) for float32, exact for every other dtype."""
    return tanh_float32(x) if isinstance(x, np.float32) else np.tanh(x)


@overload(tanh)
def _tanh_for(x):  # pragma: no cover: runs only while Numba compiles
    if x == types.float32:
        return lambda x: tanh_float32(x)
    return lambda x: np.tanh(x)


@kernel
def tanh_in_place(row):
    for j in range(row.size):
        row[j] = tanh(row[j])


@kernel
def sigmoid_in_place(row):
    """Equation (2). The half takes the dtype of the row: float32 stays float32."""
    half = row.dtype.type(0.5)
    for j in range(row.size):
        row[j] = half + half * tanh(half * row[j])
