"""Gradient checks of pairs: a forward and its backward, in the shape of our cells; yours or ours.

The loss is uᵀy with random u: the sum of h ⊙ dh and c ⊙ dc, where dh and dc are drawn once and handed to the backward pass.
Every gradient that it gives is then the slope of a loss, and can be checked as one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minilstm.checks import check_seed, check_size
from minilstm.verify.gradcheck import check_gradients
from minilstm.verify.report import GradientCheck
from minilstm.verify.trials import gradient_arrays, parts_of, sequence_case, step_case


def check_step(
    step: Callable,
    step_backward: Callable,
    *,
    batch_size: int = 2,
    input_size: int = 3,
    hidden_size: int = 4,
    seed: int = 0,
    method: str = "complex",
    tolerance: float | None = None,
) -> GradientCheck:
    """Check all six gradients of one step: of x, h_prev, c_prev, Wx, Wh and b.

    Parameters
    ----------
    step : (x, h_prev, c_prev, Wx, Wh, b) to (h, c, cache).
    step_backward : (dh, dc, cache, Wx, Wh) to (dx, dh_prev, dc_prev, grads); grads are the gradients of Wx, Wh and b, in this
        order or by name. The cache is passed on and never looked at.
    batch_size, input_size, hidden_size : B, D, H of the random case; ``seed`` makes it.
    method, tolerance : as in ``check_gradients``.

    >>> from minilstm import cells
    >>> check_step(cells.lstm_step, cells.lstm_step_backward).passed
    True
    """
    rng = np.random.default_rng(check_seed("seed", seed))
    B, D, H = _sizes(batch_size, input_size, hidden_size)
    params = step_case(rng, B, D, H)
    dh, dc = rng.standard_normal((B, H)), rng.standard_normal((B, H))

    def loss(p):
        h, c, _ = parts_of(step(*p.values()), 3, "your step must return (h, c, cache)")
        return np.sum(h * dh) + np.sum(c * dc)

    def gradients(p):
        _, _, cache = parts_of(step(*p.values()), 3, "your step must return (h, c, cache)")
        answer = step_backward(dh.copy(), dc.copy(), cache, p["Wx"], p["Wh"])
        dx, dh_prev, dc_prev, grads = parts_of(answer, 4, "your backward pass must return (dx, dh_prev, dc_prev, grads)")
        return {"x": dx, "h_prev": dh_prev, "c_prev": dc_prev, **gradient_arrays(grads)}

    return check_gradients(loss, params, gradients, method=method, tolerance=tolerance, seed=seed)


def check_sequence(
    forward: Callable,
    backward: Callable,
    *,
    steps: int = 4,
    batch_size: int = 2,
    input_size: int = 3,
    hidden_size: int = 4,
    seed: int = 0,
    method: str = "complex",
    tolerance: float | None = None,
) -> GradientCheck:
    """Check all gradients of a whole sequence: of x, h0, c0, Wx, Wh and b.

    Parameters
    ----------
    forward : (x, (h0, c0), Wx, Wh, b) to (h, (hT, cT), caches), x (T, B, D) and h (T, B, H).
    backward : (dh, (dhT, dcT), caches, Wx, Wh) to (dx, (dh0, dc0), grads). The caches are passed on and never looked at.
    steps, batch_size, input_size, hidden_size : T, B, D, H of the random case; ``seed`` makes it.
    method, tolerance : as in ``check_gradients``.
    """
    rng = np.random.default_rng(check_seed("seed", seed))
    T, (B, D, H) = check_size("steps", steps), _sizes(batch_size, input_size, hidden_size)
    case = sequence_case(rng, T, B, D, H)
    h0, c0 = case.pop("state")
    params = {"x": case.pop("x"), "h0": h0, "c0": c0, **case}
    dh, dhT, dcT = rng.standard_normal((T, B, H)), rng.standard_normal((B, H)), rng.standard_normal((B, H))

    def run(p):
        answer = forward(p["x"], (p["h0"], p["c0"]), p["Wx"], p["Wh"], p["b"])
        h, final, caches = parts_of(answer, 3, "your forward pass must return (h, (hT, cT), caches)")
        return h, *parts_of(final, 2, "the final state must be a pair (hT, cT)"), caches

    def loss(p):
        h, hT, cT, _ = run(p)
        return np.sum(h * dh) + np.sum(hT * dhT) + np.sum(cT * dcT)

    def gradients(p):
        answer = backward(dh.copy(), (dhT.copy(), dcT.copy()), run(p)[-1], p["Wx"], p["Wh"])
        dx, dstate, grads = parts_of(answer, 3, "your backward pass must return (dx, (dh0, dc0), grads)")
        dh0, dc0 = parts_of(dstate, 2, "the second that your backward pass returns must be a pair (dh0, dc0)")
        return {"x": dx, "h0": dh0, "c0": dc0, **gradient_arrays(grads)}

    return check_gradients(loss, params, gradients, method=method, tolerance=tolerance, seed=seed)


def _sizes(batch_size: int, input_size: int, hidden_size: int) -> tuple[int, int, int]:
    return (
        check_size("batch_size", batch_size),
        check_size("input_size", input_size),
        check_size("hidden_size", hidden_size),
    )
