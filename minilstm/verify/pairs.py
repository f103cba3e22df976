"""Gradient checks of pairs: a forward and its backward, in the shape of our cells; yours or ours.

The loss is uᵀy with random u: the sum of h ⊙ dh and c ⊙ dc, where dh and dc are drawn once and handed to the backward pass.
Every gradient that it gives is then the slope of a loss, and can be checked as one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from minilstm.checks import check_seed, check_size
from minilstm.verify import contracts
from minilstm.verify.gradcheck import check_gradients
from minilstm.verify.report import GradientCheck


HINT = "To be told which mistake it is: minilstm.verify.{}"


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
    step, step_backward : functions in the shape of ``cells.lstm_step`` and ``lstm_step_backward``, told in
        ``minilstm.verify.contracts``. The cache may be anything.
    batch_size, input_size, hidden_size : B, D, H of the random case; ``seed`` makes it.
    method, tolerance : as in ``check_gradients``.

    >>> from minilstm import cells
    >>> check_step(cells.lstm_step, cells.lstm_step_backward).passed
    True
    """
    rng = np.random.default_rng(check_seed("seed", seed))
    B, D, H = _sizes(batch_size, input_size, hidden_size)
    params = contracts.step_case(rng, B, D, H)
    dh, dc = rng.standard_normal((B, H)), rng.standard_normal((B, H))

    def loss(p):
        h, c, _ = contracts.call_step(step, **p)
        contracts.check_shapes(h=(h, (B, H)), c=(c, (B, H)))
        return np.sum(h * dh) + np.sum(c * dc)

    def gradients(p):
        _, _, cache = contracts.call_step(step, **p)
        arguments = {"dh": dh.copy(), "dc": dc.copy(), "cache": cache, "Wx": p["Wx"], "Wh": p["Wh"]}
        dx, dh_prev, dc_prev, grads = contracts.twice(contracts.call_step_backward, step_backward, arguments)
        return {"x": dx, "h_prev": dh_prev, "c_prev": dc_prev, **grads}

    check = check_gradients(loss, params, gradients, method=method, tolerance=tolerance, seed=seed)
    return replace(check, hint=HINT.format("diagnose(your_step_backward, your_step)"))


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
    forward, backward : functions in the shape of ``verify.sequence.lstm_sequence`` and ``lstm_sequence_backward``, told in
        ``minilstm.verify.contracts``. The caches may be anything.
    steps, batch_size, input_size, hidden_size : T, B, D, H of the random case; ``seed`` makes it.
    method, tolerance : as in ``check_gradients``.
    """
    rng = np.random.default_rng(check_seed("seed", seed))
    T, (B, D, H) = check_size("steps", steps), _sizes(batch_size, input_size, hidden_size)
    case = contracts.sequence_case(rng, T, B, D, H)
    h0, c0 = case.pop("state")
    params = {"x": case.pop("x"), "h0": h0, "c0": c0, **case}
    dh, dhT, dcT = rng.standard_normal((T, B, H)), rng.standard_normal((B, H)), rng.standard_normal((B, H))

    def run(p):
        return contracts.call_sequence(forward, p["x"], (p["h0"], p["c0"]), p["Wx"], p["Wh"], p["b"])

    def loss(p):
        h, hT, cT, _ = run(p)
        contracts.check_shapes(h=(h, (T, B, H)), hT=(hT, (B, H)), cT=(cT, (B, H)))
        return np.sum(h * dh) + np.sum(hT * dhT) + np.sum(cT * dcT)

    def gradients(p):
        *_, caches = run(p)
        dstate = dhT.copy(), dcT.copy()
        arguments = {"dh": dh.copy(), "dstate": dstate, "caches": caches, "Wx": p["Wx"], "Wh": p["Wh"]}
        dx, dh0, dc0, grads = contracts.twice(contracts.call_sequence_backward, backward, arguments)
        return {"x": dx, "h0": dh0, "c0": dc0, **grads}

    check = check_gradients(loss, params, gradients, method=method, tolerance=tolerance, seed=seed)
    return replace(check, hint=HINT.format("diagnose_sequence(your_backward, your_forward)"))


def _sizes(batch_size: int, input_size: int, hidden_size: int) -> tuple[int, int, int]:
    return (
        check_size("batch_size", batch_size),
        check_size("input_size", input_size),
        check_size("hidden_size", hidden_size),
    )
