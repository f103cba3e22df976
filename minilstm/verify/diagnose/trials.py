"""The trials: a step, a sequence, both backward, and the loss.

In the first case D = H, so a transposed block has the right shape; in others all sizes
differ. ``more`` has sizes at which the function is compared with the right one only: a
single unit, a long sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilstm.reference.loss import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from minilstm.reference.lstm import lstm_step, lstm_step_backward
from minilstm.reference.sequence import (
    lstm_sequence,
    lstm_sequence_backward,
    sequence_backward,
    sequence_forward,
)
from minilstm.verify import contracts
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose import mistakes
from minilstm.verify.diagnose.diagnosis import Parts
from minilstm.verify.diagnose.trial import GATE_NAMES, INPUTS, Made, Trial
from minilstm.verify.diagnose.variant import variant


def step_trial(seed: int = 0) -> Trial:
    """Of a forward step."""

    def take_apart(step: Callable, case: Case) -> Parts:
        h, c, _ = contracts.call_step(step, **case)
        return {"c": c, "h": h}

    return Trial(
        title="forward step",
        call="(x, h_prev, c_prev, Wx, Wh, b)",
        catalogue=mistakes.STEP,
        build=lambda made: variant(lstm_step, made),
        take_apart=take_apart,
        letters="BDH",
        sizes=STEP_SIZES,
        more=STEP_SIZES_MORE,
        make=lambda rng, _, *sizes: contracts.step_case(rng, *sizes),
        seed=seed,
    )


def step_backward_trial(seed: int = 0, forward: Callable = lstm_step) -> Trial:
    """Of a backward step, which gets the caches of ``forward``."""

    def take_apart(backward: Callable, case: Case) -> Parts:
        dx, dh_prev, dc_prev, grads = contracts.call_step_backward(
            backward, **_arguments(case)
        )
        # in the order of computing
        return {"dc_prev": dc_prev, **_gates(grads), "dx": dx, "dh_prev": dh_prev}

    call = "(dh, dc, cache, Wx, Wh)"
    if forward is lstm_step:
        call += ", with the cache of reference.lstm_step"
    return Trial(
        title="backward step",
        call=call,
        catalogue=mistakes.STEP_BACKWARD,
        build=lambda made: variant(lstm_step_backward, made),
        take_apart=take_apart,
        letters="BDH",
        sizes=STEP_SIZES,
        more=STEP_SIZES_MORE,
        make=_step_backward_case,
        seed=seed,
        linear_in=("dh", "dc"),
        forward=lstm_step,
        your_forward=forward,
    )


STEP_SIZES = ((2, 3, 3), (3, 2, 4))  # B, D, H
STEP_SIZES_MORE = ((1, 1, 1), (4, 5, 2), (5, 1, 3), (2, 1, 3))


def _step_backward_case(
    rng: np.random.Generator, step: Callable, B: int, D: int, H: int
) -> Case:
    case = contracts.step_case(rng, B, D, H)
    inputs = contracts.copy_of(case)
    _, _, cache = contracts.call_step(step, **inputs)
    dh, dc = rng.standard_normal((B, H)), rng.standard_normal((B, H))
    weights = {"Wx": case["Wx"], "Wh": case["Wh"]}
    return {"dh": dh, "dc": dc, "cache": cache, **weights, INPUTS: inputs}


def sequence_trial(seed: int = 0) -> Trial:
    """Of a forward pass through time."""

    def take_apart(forward: Callable, case: Case) -> Parts:
        h, hT, cT, _ = contracts.call_sequence(forward, **case)
        return {**_steps("h", h, len(case["x"])), "hT": hT, "cT": cT}

    def build(made: Made) -> Callable:
        loop, step = variant(sequence_forward, made), variant(lstm_step, made)
        return variant(lstm_sequence, (), sequence_forward=loop, lstm_step=step)

    return Trial(
        title="forward pass through time",
        call="(x, (h0, c0), Wx, Wh, b)",
        catalogue=[*mistakes.SEQUENCE, *mistakes.STEP],
        build=build,
        take_apart=take_apart,
        letters="TBDH",
        sizes=SEQUENCE_SIZES,
        more=SEQUENCE_SIZES_MORE,
        make=lambda rng, _, *sizes: contracts.sequence_case(rng, *sizes),
        seed=seed,
    )


def sequence_backward_trial(seed: int = 0, forward: Callable = lstm_sequence) -> Trial:
    """Of a backward pass through time, which gets the caches of ``forward``."""

    def take_apart(backward: Callable, case: Case) -> Parts:
        arguments = _arguments(case)
        dx, dh0, dc0, grads = contracts.call_sequence_backward(backward, **arguments)
        last_first = dict(reversed(_steps("dx", dx, len(case["dh"])).items()))
        return {**last_first, "dc0": dc0, "dh0": dh0, **_gates(grads)}

    def build(made: Made) -> Callable:
        loop, step = variant(sequence_backward, made), variant(lstm_step_backward, made)
        return variant(
            lstm_sequence_backward, (), sequence_backward=loop, lstm_step_backward=step
        )

    of_a_step = [
        mistake
        for mistake in mistakes.STEP_BACKWARD
        if mistake.name not in ALSO_OF_THE_LOOP | ONLY_IN_A_STEP
    ]
    call = "(dh, (dhT, dcT), caches, Wx, Wh)"
    if forward is lstm_sequence:
        call += ", with caches of reference.lstm_step"
    return Trial(
        title="backward pass through time",
        call=call,
        catalogue=[*mistakes.SEQUENCE_BACKWARD, *of_a_step],
        build=build,
        take_apart=take_apart,
        letters="TBDH",
        sizes=SEQUENCE_SIZES,
        more=SEQUENCE_SIZES_MORE,
        make=_sequence_backward_case,
        seed=seed,
        linear_in=("dh", "dstate"),
        forward=lstm_sequence,
        your_forward=forward,
    )


SEQUENCE_SIZES = ((1, 2, 3, 3), (4, 2, 3, 3), (3, 5, 2, 4))  # T, B, D, H
SEQUENCE_SIZES_MORE = ((2, 1, 1, 1), (2, 4, 5, 3), (12, 1, 3, 2), (3, 2, 3, 2))
# a step that does not return a gradient gives what a loop that drops it gives
ALSO_OF_THE_LOOP = {
    "cell-state gradient not carried",
    "hidden-state gradient not carried",
    "dh_prev and dc_prev the other way round",
}
# a loop fails with such a db, or repeats it; and its dc is no array of the caller
ONLY_IN_A_STEP = {
    "dc changed in place",
    "db summed over everything",
    "db summed over the units",
}


def _sequence_backward_case(
    rng: np.random.Generator, forward: Callable, T: int, B: int, D: int, H: int
) -> Case:
    case = contracts.sequence_case(rng, T, B, D, H)
    inputs = contracts.copy_of(case)
    *_, caches = contracts.call_sequence(forward, **inputs)
    dh = rng.standard_normal((T, B, H))
    dstate = rng.standard_normal((B, H)), rng.standard_normal((B, H))
    weights = {"Wx": case["Wx"], "Wh": case["Wh"]}
    return {"dh": dh, "dstate": dstate, "caches": caches, **weights, INPUTS: inputs}


def loss_trial(seed: int = 0) -> Trial:
    """Of a softmax cross-entropy with its gradient.

    The last case has logits whose exp overflows.
    """

    def make(
        rng: np.random.Generator, _, T: int, B: int, V: int, scale: float = 1
    ) -> Case:
        logits, targets = rng.normal(0, scale, (T, B, V)), rng.integers(0, V, (T, B))
        return {
            "logits": logits,
            "targets": targets,
            "lengths": np.resize([T, 1, 2], B),
        }

    def take_apart(loss_function: Callable, case: Case) -> Parts:
        loss, dlogits = contracts.call_loss(loss_function, **case)
        if np.shape(dlogits) != case["logits"].shape:
            return {"loss": loss, "dlogits": dlogits}
        real = np.arange(len(case["logits"]))[:, None] < case["lengths"]  # (T, B)
        dlogits = np.asarray(dlogits)
        return {
            "loss": loss,
            "dlogits at the real tokens": dlogits[real],
            "dlogits at the padding": dlogits[~real],
        }

    def build(made: Made) -> Callable:
        forward = variant(softmax_cross_entropy, made)
        backward = variant(softmax_cross_entropy_backward, made)

        def loss_and_gradient(logits, targets, lengths):
            loss, cache = forward(logits, targets, lengths)
            return loss, backward(cache)

        return loss_and_gradient

    return Trial(
        title="loss",
        call="(logits, targets, lengths)",
        catalogue=mistakes.LOSS,
        build=build,
        take_apart=take_apart,
        letters="TBV",
        sizes=LOSS_SIZES,
        more=LOSS_SIZES_MORE,
        make=make,
        seed=seed,
    )


# T, B, V, and the size of the logits
LOSS_SIZES = ((4, 3, 5, 1.0), (2, 1, 3, 3.0), (3, 2, 4, 1000.0))
LOSS_SIZES_MORE = ((1, 1, 2), (2, 5, 3))


def _arguments(case: Case) -> Case:
    """What a backward pass is called with."""
    return {name: value for name, value in case.items() if name != INPUTS}


def _gates(grads: dict[str, Any]) -> Parts:
    """The gradients of the weights, each cut into three gates and the candidate."""
    parts: Parts = {}
    for name in ("b", "Wx", "Wh"):
        array = np.asarray(grads[name])
        if array.ndim == 0 or array.shape[-1] % 4:
            parts["d" + name] = array
        else:
            blocks = np.split(array, 4, axis=-1)
            parts |= {
                f"d{name}, {gate}": block for gate, block in zip(GATE_NAMES, blocks)
            }
    return parts


def _steps(name: str, array, T: int) -> Parts:
    """One part for each time step, if there is one."""
    array = np.asarray(array)
    if array.shape[:1] != (T,):
        return {name: array}
    return {f"{name}[{t}]": array[t] for t in range(T)}
