"""Gradient checks of pairs: a forward and its backward, called as our cells are.

The loss is uᵀy with random u: the sum of h ⊙ dh and c ⊙ dc. dh and dc are drawn once
and passed to the backward pass. Every gradient that it gives is then the derivative of
a loss, and can be checked as one. All arrays are those of the layout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from minilstm.checks import check_seed, check_size
from minilstm.errors import InputError
from minilstm.verify import contracts
from minilstm.verify.gradcheck import conduct
from minilstm.verify.gradcheck.check import check_gradients
from minilstm.verify.gradcheck.report import GradientCheck
from minilstm.verify.layouts.described import can_be_ours, find_layout, is_ours
from minilstm.verify.layouts.layout import SEQUENCE, STEP, CellLayout
from minilstm.verify.layouts.lines import line_that_makes
from minilstm.verify.layouts.native import Pair, random_pair
from minilstm.verify.layouts.whole import random_whole

HINT = "This names the mistake, if it is a known one: minilstm.verify.{}"


def check_step(
    step: Callable,
    step_backward: Callable,
    *,
    layout="minilstm",
    cell: str = "lstm",
    batch_size: int = 2,
    input_size: int = 3,
    hidden_size: int = 4,
    seed: int = 0,
    method: str = "auto",
    tolerance: float | None = None,
) -> GradientCheck:
    """Check the gradients of one step, and that backward is linear in dh and dc.

    The gradients are those of x, h_prev, c_prev, Wx, Wh and b, or of what the layout
    has in their place.

    Parameters
    ----------
    step, step_backward : callable
        As the layout says; by default with the arguments and results of
        ``reference.lstm_step`` and ``lstm_step_backward``, see
        ``minilstm.verify.contracts``. The cache may be anything, and may be kept on
        ``self``.
    layout : str, Layout or dict
        A name of ``LAYOUTS``, or a description of other shapes and names, see
        docs/check-your-code.md.
    cell : str
        "lstm", "gru" or "rnn".
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
        gives other gradients for the same arguments; and if there is no such layout.

    >>> from minilstm import reference
    >>> check_step(reference.lstm_step, reference.lstm_step_backward).passed
    True
    """
    rng = np.random.default_rng(check_seed("seed", seed))
    sizes = {"T": 1, **_sizes(batch_size, input_size, hidden_size)}
    form = find_layout(layout, cell)
    pair = random_pair(form, STEP, rng, sizes)
    check = _check_pair(pair, step, step_backward, method, tolerance, seed)
    hint = _hint("diagnose(your_step_backward, your_step", layout, cell, form)
    return replace(check, hint=hint)


def check_sequence(
    forward: Callable,
    backward: Callable | None = None,
    *,
    layout="minilstm",
    cell: str = "lstm",
    steps: int = 5,
    batch_size: int = 2,
    input_size: int = 3,
    hidden_size: int = 4,
    seed: int = 0,
    method: str = "auto",
    tolerance: float | None = None,
) -> GradientCheck:
    """Check the gradients of a sequence, and linearity in dh, dhT and dcT.

    The gradients are those of x, h0, c0, Wx, Wh and b, or of what the layout has in
    their place.

    Parameters
    ----------
    forward, backward : callable
        As the layout says; by default with the arguments and results of
        ``reference.sequence.lstm_sequence`` and ``lstm_sequence_backward``, see
        ``minilstm.verify.contracts``. The caches may be anything, and may be kept on
        ``self``. In the layout "min-char-rnn", ``forward`` is its one function of loss
        and gradients.
    steps, batch_size, input_size, hidden_size : int
        T, B, D, H of the random case.
    layout, cell, seed, method, tolerance
        As in ``check_step``, and so are the result and the errors.
    """
    rng = np.random.default_rng(check_seed("seed", seed))
    T = check_size("steps", steps)
    sizes = {"T": T, **_sizes(batch_size, input_size, hidden_size)}
    form = find_layout(layout, cell)
    if form.whole:
        loss, params = random_whole(form, forward, rng, sizes)
        return check_gradients(
            loss, params, method=method, tolerance=tolerance, seed=seed
        )
    if backward is None:
        raise InputError("hand in your backward pass as the second argument")
    pair = random_pair(form, SEQUENCE, rng, sizes)
    check = _check_pair(pair, forward, backward, method, tolerance, seed)
    hint = _hint("diagnose_sequence(your_backward, your_forward", layout, cell, form)
    return replace(check, hint=hint)


def _hint(call: str, layout, cell: str, form: CellLayout) -> str:
    """How to ask for the name of the mistake; "" if that cannot be asked for."""
    if not can_be_ours(form):
        return ""
    if is_ours(form):
        layout = ""
    elif isinstance(layout, str):
        layout = f', layout="{layout}"'
    else:
        layout = ", layout=your_layout"
    of_cell = "" if cell == "lstm" else f', cell="{cell}"'
    return HINT.format(f"{call}{layout}{of_cell})")


def _check_pair(
    pair: Pair,
    forward: Callable,
    backward: Callable,
    method,
    tolerance,
    seed: int,
) -> GradientCheck:
    """The check of a forward and its backward, in the form of ``conduct``."""
    run, back = pair.forward(forward), pair.backward(backward)
    params, dy = pair.params, pair.dy

    def loss(p):
        outputs, _ = run(p)
        arriving = {name: dy[pair.output_gradient(name)] for name in outputs}
        contracts.check_shapes(
            pair.axes,
            **{name: (y, arriving[name].shape) for name, y in outputs.items()},
        )
        # asarray: * of np.matrix is @
        return sum(np.sum(np.asarray(y) * arriving[n]) for n, y in outputs.items())

    check = check_gradients(
        loss,
        params,
        lambda p: conduct.ask(run, back, p, dy),
        method=method,
        tolerance=tolerance,
        seed=seed,
    )
    note = conduct.check_repeatable(run, back, params, dy)
    rng = np.random.default_rng([seed, 1])
    problem = conduct.check_linear(run, back, params, dy, rng, pair.gradient_names)
    remarks = [
        f"{row.name}{row.place} is in {gate}."
        for row in check.wrong
        if row.where is not None and (gate := pair.gate_of(row.name, row.where))
    ]
    if len(check.wrong) == 1 and not is_ours(pair.layout):
        name = pair.gradient_names[check.wrong[0].name]
        line = line_that_makes(backward, name)
        remarks += [f"Your {line}"] if line else []
    return replace(
        check,
        problems=(problem,) if problem else (),
        notes=(*check.notes, *remarks, *([note] if note else [])),
    )


def _sizes(batch_size: int, input_size: int, hidden_size: int) -> dict[str, int]:
    return {
        "B": check_size("batch_size", batch_size),
        "D": check_size("input_size", input_size),
        "H": check_size("hidden_size", hidden_size),
    }
