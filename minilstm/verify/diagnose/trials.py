"""The trials: a step, a sequence, both backward, and the loss.

In the first case D = H, so a transposed block has the right shape; in others all sizes
differ. ``more`` has sizes at which the function is compared with the right one only: a
single unit, a long sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from minilstm.reference.loss import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from minilstm.reference.sequence import sequence_backward, sequence_forward
from minilstm.verify import contracts
from minilstm.verify.cells import GRU, LSTM, RNN, Cell
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose import mistakes, mistakes_of_gru, mistakes_of_rnn
from minilstm.verify.diagnose.diagnosis import Parts
from minilstm.verify.diagnose.trial import INPUTS, Made, Trial
from minilstm.verify.diagnose.variant import Mistake, variant


@dataclass(frozen=True)
class Catalogue:
    """The known mistakes of a cell, function by function."""

    step: list[Mistake]
    step_backward: list[Mistake]
    sequence: list[Mistake]
    sequence_backward: list[Mistake]


CATALOGUES = {
    LSTM: Catalogue(
        mistakes.STEP,
        mistakes.STEP_BACKWARD,
        mistakes.SEQUENCE,
        mistakes.SEQUENCE_BACKWARD,
    ),
    GRU: Catalogue(
        mistakes_of_gru.STEP,
        mistakes_of_gru.STEP_BACKWARD,
        mistakes_of_gru.SEQUENCE,
        mistakes_of_gru.SEQUENCE_BACKWARD,
    ),
    RNN: Catalogue(
        mistakes_of_rnn.STEP,
        mistakes_of_rnn.STEP_BACKWARD,
        mistakes_of_rnn.SEQUENCE,
        mistakes_of_rnn.SEQUENCE_BACKWARD,
    ),
}


def step_trial(seed: int = 0, cell: Cell = LSTM) -> Trial:
    """Of a forward step."""

    def take_apart(step: Callable, case: Case) -> Parts:
        state, _ = cell.call_step(step, case)
        return dict(reversed([*zip(cell.state, state)]))  # in the order of computing

    return Trial(
        title=f"forward step{_of(cell)}",
        call=f"({', '.join(_step_arguments(cell))})",
        catalogue=CATALOGUES[cell].step,
        build=lambda made: variant(cell.step, made),
        take_apart=take_apart,
        letters="BDH",
        sizes=STEP_SIZES,
        more=STEP_SIZES_MORE,
        make=lambda rng, _, *sizes: cell.step_case(rng, *sizes),
        seed=seed,
        cell=cell,
    )


def step_backward_trial(
    seed: int = 0, forward: Callable | None = None, cell: Cell = LSTM
) -> Trial:
    """Of a backward step, which gets the caches of ``forward`` (default: ours)."""

    def take_apart(backward: Callable, case: Case) -> Parts:
        dx, (dh_prev, *dc_prev), grads = cell.call_step_backward(
            backward, *_arguments(case)
        )
        carried = dict(zip(["dc_prev"], dc_prev))  # of an LSTM
        # in the order of computing
        return {**carried, **_blocks(grads, cell), "dx": dx, "dh_prev": dh_prev}

    def make(rng: np.random.Generator, step: Callable, B: int, D: int, H: int) -> Case:
        case = cell.step_case(rng, B, D, H)
        inputs = contracts.copy_of(case)
        _, cache = cell.call_step(step, inputs)
        dstate = zip(cell.state, cell.random_state(rng, B, H))
        return {
            **{f"d{part}": array for part, array in dstate},
            "cache": cache,
            "Wx": case["Wx"],
            "Wh": case["Wh"],
            INPUTS: inputs,
        }

    gradients = tuple(f"d{part}" for part in cell.state)
    call = f"({', '.join(gradients)}, cache, Wx, Wh)"
    if forward in (None, cell.step):
        call += f", with the cache of reference.{cell.name}_step"
    return Trial(
        title=f"backward step{_of(cell)}",
        call=call,
        catalogue=CATALOGUES[cell].step_backward,
        build=lambda made: variant(cell.step_backward, made),
        take_apart=take_apart,
        letters="BDH",
        sizes=STEP_SIZES,
        more=STEP_SIZES_MORE,
        make=make,
        seed=seed,
        linear_in=gradients,
        forward=cell.step,
        your_forward=forward or cell.step,
        cell=cell,
    )


STEP_SIZES = ((2, 3, 3), (3, 2, 4))  # B, D, H
STEP_SIZES_MORE = ((1, 1, 1), (4, 5, 2), (5, 1, 3), (2, 1, 3))


def sequence_trial(seed: int = 0, cell: Cell = LSTM) -> Trial:
    """Of a forward pass through time."""

    def take_apart(forward: Callable, case: Case) -> Parts:
        h, final, _ = cell.call_sequence(forward, case)
        of_final = {f"{part}T": array for part, array in zip(cell.state, final)}
        return {**_steps("h", h, len(case["x"])), **of_final}

    def build(made: Made) -> Callable:
        loop, step = variant(sequence_forward, made), variant(cell.step, made)

        def forward(x, state, *weights):
            h, final, cache = loop(step, x, state, *weights)
            return h, final, cache.steps

        return forward

    catalogue = CATALOGUES[cell]
    weights = ", ".join(cell.weights)
    return Trial(
        title=f"forward pass through time{_of(cell)}",
        call=f"(x, {cell.pair('{}0')}, {weights})",
        catalogue=[*catalogue.sequence, *catalogue.step],
        build=build,
        take_apart=take_apart,
        letters="TBDH",
        sizes=SEQUENCE_SIZES,
        more=SEQUENCE_SIZES_MORE,
        make=lambda rng, _, *sizes: cell.sequence_case(rng, *sizes),
        seed=seed,
        cell=cell,
    )


def sequence_backward_trial(
    seed: int = 0, forward: Callable | None = None, cell: Cell = LSTM
) -> Trial:
    """Of a backward pass through time, with the caches of ``forward`` (default: ours)."""

    def take_apart(backward: Callable, case: Case) -> Parts:
        dx, (dh0, *dc0), grads = cell.call_sequence_backward(
            backward, *_arguments(case)
        )
        last_first = dict(reversed(_steps("dx", dx, len(case["dh"])).items()))
        carried = dict(zip(["dc0"], dc0))
        return {**last_first, **carried, "dh0": dh0, **_blocks(grads, cell)}

    def build(made: Made) -> Callable:
        loop, step = variant(sequence_backward, made), variant(cell.step_backward, made)
        return partial(cell.sequence_backward, loop=loop, step=step)

    def make(
        rng: np.random.Generator, forward: Callable, T: int, B: int, D: int, H: int
    ) -> Case:
        case = cell.sequence_case(rng, T, B, D, H)
        inputs = contracts.copy_of(case)
        *_, caches = cell.call_sequence(forward, inputs)
        return {
            "dh": rng.standard_normal((T, B, H)),
            "dstate": cell.random_state(rng, B, H),
            "caches": caches,
            "Wx": case["Wx"],
            "Wh": case["Wh"],
            INPUTS: inputs,
        }

    catalogue = CATALOGUES[cell]
    not_here = tuple(ALSO_OF_THE_LOOP | ONLY_IN_A_STEP)
    of_a_step = [m for m in catalogue.step_backward if not m.name.startswith(not_here)]
    call = f"(dh, {cell.pair('d{}T')}, caches, Wx, Wh)"
    if forward in (None, cell.sequence):
        call += f", with caches of reference.{cell.name}_step"
    return Trial(
        title=f"backward pass through time{_of(cell)}",
        call=call,
        catalogue=[*catalogue.sequence_backward, *of_a_step],
        build=build,
        take_apart=take_apart,
        letters="TBDH",
        sizes=SEQUENCE_SIZES,
        more=SEQUENCE_SIZES_MORE,
        make=make,
        seed=seed,
        linear_in=("dh", "dstate"),
        forward=cell.sequence,
        your_forward=forward or cell.sequence,
        cell=cell,
    )


SEQUENCE_SIZES = ((1, 2, 3, 3), (4, 2, 3, 3), (3, 5, 2, 4))  # T, B, D, H
SEQUENCE_SIZES_MORE = ((2, 1, 1, 1), (2, 4, 5, 3), (12, 1, 3, 2), (3, 2, 3, 2))
# a step that does not return a gradient gives what a loop that drops it gives
ALSO_OF_THE_LOOP = {
    "cell-state gradient not carried",
    "hidden-state gradient not carried",
    "dh_prev and dc_prev the other way round",
}
# in a loop, dc is no array of the caller
ONLY_IN_A_STEP = {"dc changed in place"}


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


def _of(cell: Cell) -> str:
    """What is said of a function's cell, unless it is an LSTM."""
    return "" if cell is LSTM else f" of {cell.title}"


def _step_arguments(cell: Cell) -> list[str]:
    return ["x", *(f"{part}_prev" for part in cell.state), *cell.weights]


def _arguments(case: Case) -> list[Any]:
    """What a backward pass is called with."""
    return [value for name, value in case.items() if name != INPUTS]


def _blocks(grads: dict[str, Any], cell: Cell) -> Parts:
    """The gradients of the weights, each cut into the blocks of its columns."""
    parts: Parts = {}
    for name in (*cell.weights[2:], "Wx", "Wh"):
        array = np.asarray(grads[name])
        count = len(cell.blocks)
        if array.ndim == 0 or array.shape[-1] % count or count == 1:
            parts["d" + name] = array
        else:
            blocks = np.split(array, count, axis=-1)
            parts |= {
                f"d{name}, {block}": part for block, part in zip(cell.blocks, blocks)
            }
    return parts


def _steps(name: str, array, T: int) -> Parts:
    """One part for each time step, if there is one."""
    array = np.asarray(array)
    if array.shape[:1] != (T,):
        return {name: array}
    return {f"{name}[{t}]": array[t] for t in range(T)}
