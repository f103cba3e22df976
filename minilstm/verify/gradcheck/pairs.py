"""Gradient checks of pairs: a forward and its backward, called as our cells are.

The loss is uᵀy with random u: the sum of h ⊙ dh and c ⊙ dc. dh and dc are drawn once
and passed to the backward pass. Every gradient that it gives is then the derivative of
a loss, and can be checked as one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from minilstm.checks import check_seed, check_size
from minilstm.verify import contracts
from minilstm.verify.gradcheck import conduct
from minilstm.verify.gradcheck.check import check_gradients
from minilstm.verify.gradcheck.report import GradientCheck
from minilstm.verify.gradcheck.numerical import Params

HINT = "This names the mistake, if it is a known one: minilstm.verify.{}"


def check_step(
    step: Callable,
    step_backward: Callable,
    *,
    batch_size: int = 2,
    input_size: int = 3,
    hidden_size: int = 4,
    seed: int = 0,
    method: str = "auto",
    tolerance: float | None = None,
) -> GradientCheck:
    """Check the gradients of one step, and that backward is linear in dh and dc.

    The gradients are those of x, h_prev, c_prev, Wx, Wh and b.

    Parameters
    ----------
    step, step_backward : callable
        With the arguments and results of ``reference.lstm_step`` and
        ``lstm_step_backward``, see ``minilstm.verify.contracts``. The cache may be
        anything, and may be kept on ``self``.
    batch_size, input_size, hidden_size : int
        B, D, H of the random case.
    seed : int
        Of the random case.
    method, tolerance
        As in ``check_gradients``.

    Returns
    -------
    GradientCheck
        True if every gradient is right. It prints as a table.

    Raises
    ------
    InputError
        As ``check_gradients``; and if backward changes what belongs to the caller, or
        gives other gradients for the same arguments.

    >>> from minilstm import reference
    >>> check_step(reference.lstm_step, reference.lstm_step_backward).passed
    True
    """
    rng = np.random.default_rng(check_seed("seed", seed))
    B, D, H = _sizes(batch_size, input_size, hidden_size)
    params = contracts.step_case(rng, B, D, H)
    dy = {"dh": rng.standard_normal((B, H)), "dc": rng.standard_normal((B, H))}

    def forward(p):
        h, c, cache = contracts.call_step(step, **p)
        return {"h": h, "c": c}, cache

    def backward(d, cache, p):
        arguments = {**d, "cache": cache, "Wx": p["Wx"], "Wh": p["Wh"]}
        dx, dh_prev, dc_prev, grads = contracts.call_step_backward(
            step_backward, **arguments
        )
        return {"x": dx, "h_prev": dh_prev, "c_prev": dc_prev, **grads}

    check = _check_pair(forward, backward, params, dy, method, tolerance, seed)
    return replace(check, hint=HINT.format("diagnose(your_step_backward, your_step)"))


def check_sequence(
    forward: Callable,
    backward: Callable,
    *,
    steps: int = 5,
    batch_size: int = 2,
    input_size: int = 3,
    hidden_size: int = 4,
    seed: int = 0,
    method: str = "auto",
    tolerance: float | None = None,
) -> GradientCheck:
    """Check the gradients of a sequence, and linearity in dh, dhT and dcT.

    The gradients are those of x, h0, c0, Wx, Wh and b.

    Parameters
    ----------
    forward, backward : callable
        With the arguments and results of ``reference.sequence.lstm_sequence`` and
        ``lstm_sequence_backward``, see ``minilstm.verify.contracts``. The caches may be
        anything, and may be kept on ``self``.
    steps, batch_size, input_size, hidden_size : int
        T, B, D, H of the random case.
    seed, method, tolerance
        As in ``check_step``, and so are the result and the errors.
    """
    rng = np.random.default_rng(check_seed("seed", seed))
    T = check_size("steps", steps)
    B, D, H = _sizes(batch_size, input_size, hidden_size)
    case = contracts.sequence_case(rng, T, B, D, H)
    h0, c0 = case.pop("state")
    params = {"x": case.pop("x"), "h0": h0, "c0": c0, **case}
    shapes = {"dh": (T, B, H), "dhT": (B, H), "dcT": (B, H)}
    dy = {name: rng.standard_normal(shape) for name, shape in shapes.items()}

    def run(p):
        h, hT, cT, caches = contracts.call_sequence(
            forward, p["x"], (p["h0"], p["c0"]), p["Wx"], p["Wh"], p["b"]
        )
        return {"h": h, "hT": hT, "cT": cT}, caches

    def back(d, caches, p):
        arguments = d["dh"], (d["dhT"], d["dcT"]), caches, p["Wx"], p["Wh"]
        dx, dh0, dc0, grads = contracts.call_sequence_backward(backward, *arguments)
        return {"x": dx, "h0": dh0, "c0": dc0, **grads}

    check = _check_pair(run, back, params, dy, method, tolerance, seed)
    return replace(
        check, hint=HINT.format("diagnose_sequence(your_backward, your_forward)")
    )


def _check_pair(
    forward: conduct.Forward,
    backward: conduct.Backward,
    params: Params,
    dy: Params,
    method,
    tolerance,
    seed: int,
) -> GradientCheck:
    """The check of a forward and its backward, in the form of ``conduct``."""

    def loss(p):
        outputs, _ = forward(p)
        contracts.check_shapes(
            **{name: (y, dy["d" + name].shape) for name, y in outputs.items()}
        )
        # asarray: * of np.matrix is @
        return sum(
            np.sum(np.asarray(y) * dy["d" + name]) for name, y in outputs.items()
        )

    check = check_gradients(
        loss,
        params,
        lambda p: conduct.ask(forward, backward, p, dy),
        method=method,
        tolerance=tolerance,
        seed=seed,
    )
    note = conduct.check_repeatable(forward, backward, params, dy)
    problem = conduct.check_linear(
        forward, backward, params, dy, np.random.default_rng([seed, 1])
    )
    return replace(
        check,
        problems=(problem,) if problem else (),
        notes=check.notes + ((note,) if note else ()),
    )


def _sizes(batch_size: int, input_size: int, hidden_size: int) -> tuple[int, int, int]:
    return (
        check_size("batch_size", batch_size),
        check_size("input_size", input_size),
        check_size("hidden_size", hidden_size),
    )
