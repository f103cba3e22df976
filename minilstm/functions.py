"""The four functions that everything else is made of, in plain NumPy, for real or complex numbers.

    (1)  σ(x)         = 1 / (1 + e⁻ˣ) = (1 + tanh(x / 2)) / 2        sigmoid
    (2)  tanh(x)                                                      NumPy's own
    (3)  log Σ eˣ     = m + log Σ eˣ⁻ᵐ,  m = max x                    log-sum-exp
    (4)  softmax(x)   = eˣ / Σ eˣ = eˣ⁻ᵐ / Σ eˣ⁻ᵐ                     softmax

The right-hand sides are the ones computed: e^x of a large x never occurs, so nothing overflows as long as the difference
of the largest and the smallest x can be written in the dtype.
Complex numbers are welcome since a derivative can be read off a function's imaginary part: f'(x) ≈ Im f(x + iε) / ε
(Squire and Trapp 1998). The maximum in (3) is then that of the real parts, which changes nothing but the scale.
"""

from __future__ import annotations

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function (1) of every element; same shape and dtype as ``x``.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 * (1 + np.tanh(0.5 * x))


def log_sum_exp(x: np.ndarray) -> np.ndarray:
    """Log-sum-exp (3) over the last axis, which is kept with length 1.

    >>> log_sum_exp(np.array([1000.0, 1000.0]))
    array([1000.69314718])
    """
    m = np.max(x.real, axis=-1, keepdims=True)
    return m + np.log(np.sum(np.exp(x - m), axis=-1, keepdims=True))


def softmax(x: np.ndarray) -> np.ndarray:
    """Probabilities (4) over the last axis; same shape and dtype as ``x``.

    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    e = np.exp(x - np.max(x.real, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)
