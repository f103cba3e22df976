"""The functions that everything else is made of, for real or complex numbers.

    (1)  σ(x)       = 1 / (1 + e⁻ˣ) = (1 + tanh(x / 2)) / 2        sigmoid
    (2)  log Σ eˣ   = m + log Σ eˣ⁻ᵐ,  m = max x                    log-sum-exp
    (3)  softmax(x) = eˣ / Σ eˣ = eˣ⁻ᵐ / Σ eˣ⁻ᵐ                     softmax

The right-hand sides are what is computed: no exponent is above 0, so nothing overflows.
Complex numbers give derivatives, f'(x) ≈ Im f(x + iε) / ε (Squire and Trapp 1998); the
maximum m is then that of the real parts, which changes nothing but the scale.
"""

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function (1) of every element, in the shape and dtype of ``x``.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 * (1 + np.tanh(0.5 * x))


def log_sum_exp(x: np.ndarray) -> np.ndarray:
    """Log-sum-exp (2) over the last axis, which is kept with length 1.

    >>> log_sum_exp(np.array([1000.0, 1000.0]))
    array([1000.69314718])
    """
    m = np.max(x.real, axis=-1, keepdims=True)
    return m + np.log(np.sum(np.exp(x - m), axis=-1, keepdims=True))


def softmax(x: np.ndarray) -> np.ndarray:
    """Probabilities (3) over the last axis, in the shape and dtype of ``x``.

    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    e = np.exp(x - np.max(x.real, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)
