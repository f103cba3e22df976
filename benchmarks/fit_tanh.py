"""The coefficients of the float32 tanh in ``minilstm/kernels/activations.py``.

    python benchmarks/fit_tanh.py

prints the coefficients (seconds), and the largest errors over all float32 numbers
(minutes).

A rational function P(u)/Q(u), u = x², is fitted to tanh(x)/x on (0, 7.9], such that the
largest relative error is least. The problem is not linear in Q. It is solved again and
again with the last Q in the denominator (Sanathanan and Koerner 1963). Each point's
weight grows with its error (Lawson 1961), which turns least squares into a minimax fit.
"""

import numpy as np

from minilstm.kernels.activations import LIMIT, sigmoid_in_place, tanh_in_place
from minilstm.streams import make_writable

DEGREE_P, DEGREE_Q, POINTS, ROUNDS = 6, 3, 1500, 400


def fit(limit: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Largest relative error before rounding, a0 … a6, and b1 … b3."""
    # Chebyshev points
    x = limit * (1 + np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)) / 2
    powers = np.vander((x / limit) ** 2, DEGREE_P + 1, increasing=True)
    target = np.tanh(x) / x
    columns = np.hstack([powers, -target[:, None] * powers[:, 1 : DEGREE_Q + 1]])
    weights, q = np.ones(POINTS), np.ones(POINTS)
    best = (np.inf, np.empty(0))
    for _ in range(ROUNDS):
        scale = np.sqrt(weights) / (q * target)
        solution = np.linalg.lstsq(columns * scale[:, None], target * scale, rcond=None)[0]
        p = powers @ solution[: DEGREE_P + 1]
        q = 1 + powers[:, 1 : DEGREE_Q + 1] @ solution[DEGREE_P + 1 :]
        error = np.abs(p / q / target - 1)
        best = min(best, (error.max(), solution), key=lambda pair: pair[0])
        weights *= error / error.max() + 1e-3
        weights /= weights.mean()
    error, solution = best
    a = solution[: DEGREE_P + 1] / limit ** (2 * np.arange(DEGREE_P + 1))
    b = solution[DEGREE_P + 1 :] / limit ** (2 * np.arange(1, DEGREE_Q + 1))
    return error, a, b


def largest_error(function, truth) -> float:
    """The largest absolute error over all finite float32 numbers."""
    worst = 0.0
    for start in range(0, 1 << 32, 1 << 24):
        x = np.arange(start, start + (1 << 24), dtype=np.uint64).astype(np.uint32).view(np.float32)
        x = x[np.isfinite(x)]
        if x.size:
            row = x.copy()
            function(row)
            worst = max(worst, float(np.abs(row - truth(x.astype(np.float64))).max()))
    return worst


if __name__ == "__main__":
    make_writable()
    error, a, b = fit(float(LIMIT))
    print("a =", ", ".join(f"{np.float32(k):.7e}" for k in a))
    print("b =", ", ".join(f"{np.float32(k):.7e}" for k in b))
    print(f"largest relative error of the fit before rounding to float32: {error:.1e}")
    print(f"largest absolute error of tanh    over all float32: {largest_error(tanh_in_place, np.tanh):.2e}")
    sigmoid = lambda x: 0.5 * (1 + np.tanh(0.5 * x))
    print(f"largest absolute error of sigmoid over all float32: {largest_error(sigmoid_in_place, sigmoid):.2e}")
