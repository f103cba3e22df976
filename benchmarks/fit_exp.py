"""The coefficients of the float32 exp in ``minilstm/kernels/exponential.py``.

    python benchmarks/fit_exp.py

prints the coefficients (seconds), and the largest error over all float32 numbers
(minutes).

A polynomial p(r) of degree 4 is fitted to (eʳ - 1 - r) / r² on |r| ≤ ln 2 / 2, such
that the largest relative error of 1 + r + r² p(r) is least. Each point's weight grows
with its error (Lawson 1961), which turns least squares into a minimax fit.
"""

import numpy as np

from minilstm.kernels.exponential import HIGHEST, LOWEST, exp_in_place
from minilstm.streams import make_writable

DEGREE, POINTS, ROUNDS = 4, 1500, 400
LIMIT = np.log(2) / 2 * 1.0001  # by rounding, |x / ln 2 - n| may slightly exceed 1/2


def fit() -> tuple[float, np.ndarray]:
    """Largest relative error before rounding, and c2 … c6."""
    # Chebyshev points, none of them 0
    r = LIMIT * np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    powers = np.vander(r / LIMIT, DEGREE + 1, increasing=True)
    target, share = (np.expm1(r) - r) / r**2, r**2 / np.exp(r)
    weights, best = np.ones(POINTS), (np.inf, np.empty(0))
    for _ in range(ROUNDS):
        scale = np.sqrt(weights) * share
        solution = np.linalg.lstsq(powers * scale[:, None], target * scale, rcond=None)[0]
        error = np.abs(powers @ solution - target) * share
        best = min(best, (error.max(), solution), key=lambda pair: pair[0])
        weights *= error / error.max() + 1e-3
        weights /= weights.mean()
    error, solution = best
    return error, solution / LIMIT ** np.arange(DEGREE + 1)


def largest_error() -> float:
    """The largest error of exp over all finite float32 numbers.

    It is relative to the exact value, or to the smallest normal number if that is
    larger.
    """
    worst, smallest = 0.0, float(np.finfo(np.float32).smallest_normal)
    for start in range(0, 1 << 32, 1 << 24):
        x = np.arange(start, start + (1 << 24), dtype=np.uint64).astype(np.uint32).view(np.float32)
        x = x[np.isfinite(x)]
        row = x.copy()
        exp_in_place(row)
        inside = (x >= LOWEST) & (x <= HIGHEST)
        assert (row[x < LOWEST] == 0).all() and (row[x > HIGHEST] == np.inf).all()
        truth = np.exp(x[inside].astype(np.float64))
        with np.errstate(over="ignore"):
            finite = np.isfinite(truth.astype(np.float32))
        assert (np.isfinite(row[inside]) == finite).all(), "inf instead of a float32 number, or the other way round"
        if finite.any():
            error = np.abs(row[inside][finite] - truth[finite]) / np.maximum(truth[finite], smallest)
            worst = max(worst, float(error.max()))
    return worst


if __name__ == "__main__":
    make_writable()
    error, c = fit()
    print("c =", ", ".join(f"{np.float32(k):.7e}" for k in c))
    print(f"largest relative error of the fit before rounding to float32: {error:.1e}")
    print(f"largest relative error of exp over all float32: {largest_error():.3e}")
