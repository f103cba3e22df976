"""The three cells, as functions under test must be: what they take, and return.

    step           (x, *state, *weights)             to  (*state, cache)
    its backward   (*dstate, cache, Wx, Wh)          to  (dx, *dstate, grads)
    sequence       (x, state, *weights)              to  (h, state, caches)
    its backward   (dh, dstate, caches, Wx, Wh)      to  (dx, dstate, grads)

A state is (h, c) for an LSTM, and (h,) for a GRU or a simple RNN. ``weights`` are Wx,
Wh and the biases: b, or bx and bh for a GRU. Shapes as in ``minilstm/reference``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilstm import reference
from minilstm.errors import InputError
from minilstm.reference.sequence import (
    SequenceCache,
    sequence_backward,
    sequence_forward,
)
from minilstm.verify.contracts import Case, check_function, grads_by_name, unpack


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell of ``minilstm.reference``, and the form of its functions."""

    name: str  # as in cell="lstm"
    title: str
    step: Callable
    step_backward: Callable
    state: tuple[str, ...]
    blocks: tuple[str, ...]  # of the weights' columns
    weights: tuple[str, ...]

    # ---- how functions under test are called -----------------------------------------

    def call_step(self, step: Callable, case: Case) -> tuple[list, Any]:
        """The new state, and the cache."""
        check_function(step)
        names = ", ".join([*self.state, "cache"])
        sentence = f"your step must return ({names})"
        *state, cache = unpack(step(*case.values()), len(self.state) + 1, sentence)
        return state, cache

    def call_step_backward(self, backward: Callable, *arguments) -> tuple:
        """dx, the gradients of the state before, and those of the weights by name."""
        check_function(backward)
        names = ", ".join(["dx", *(f"d{part}_prev" for part in self.state), "grads"])
        sentence = f"your backward pass must return ({names})"
        count = len(self.state) + 2
        dx, *dstate, grads = unpack(backward(*arguments), count, sentence)
        return dx, dstate, grads_by_name(grads, self.weights)

    def call_sequence(self, forward: Callable, case: Case) -> tuple:
        """h, the final state, and the caches."""
        check_function(forward)
        sentence = f"your forward pass must return (h, {self.pair('{}T')}, caches)"
        h, final, caches = unpack(forward(*case.values()), 3, sentence)
        return h, self._state(final, "{}T", "forward"), caches

    def call_sequence_backward(self, backward: Callable, *arguments) -> tuple:
        """dx, the gradients of the initial state, and those of the weights by name."""
        check_function(backward)
        sentence = f"your backward pass must return (dx, {self.pair('d{}0')}, grads)"
        dx, dstate, grads = unpack(backward(*arguments), 3, sentence)
        dstate = self._state(dstate, "d{}0", "backward")
        return dx, dstate, grads_by_name(grads, self.weights)

    def pair(self, form: str) -> str:
        """A state in brackets, such as (hT, cT), or (hT,)."""
        names = [form.format(part) for part in self.state]
        return f"({', '.join(names)}{',' if len(names) == 1 else ''})"

    def _state(self, value, form: str, which: str):
        if len(self.state) == 1 and isinstance(value, np.ndarray) and value.ndim == 2:
            return [value]  # h itself, not in a tuple
        sort = "a pair" if len(self.state) == 2 else "a tuple"
        sentence = (
            f"the second result of your {which} pass must be {sort} {self.pair(form)}"
        )
        return unpack(value, len(self.state), sentence)

    # ---- random arguments ------------------------------------------------------------

    def step_case(self, rng: np.random.Generator, B: int, D: int, H: int) -> Case:
        """Random arguments of a step: nothing is zero, no gate is saturated."""
        x, state = rng.standard_normal((B, D)), self.random_state(rng, B, H)
        before = {f"{part}_prev": array for part, array in zip(self.state, state)}
        return {"x": x, **before, **self._weights(rng, D, H)}

    def sequence_case(
        self, rng: np.random.Generator, T: int, B: int, D: int, H: int
    ) -> Case:
        """Random arguments of a whole sequence."""
        x, state = rng.standard_normal((T, B, D)), self.random_state(rng, B, H)
        return {"x": x, "state": state, **self._weights(rng, D, H)}

    def random_state(self, rng: np.random.Generator, B: int, H: int) -> tuple:
        """A random state, or the gradient of one."""
        return tuple(rng.standard_normal((B, H)) for _ in self.state)

    def _weights(self, rng: np.random.Generator, D: int, H: int) -> Case:
        columns = len(self.blocks) * H
        shapes = {"Wx": (D, columns), "Wh": (H, columns)}
        return {
            name: rng.normal(0, 0.7, shapes.get(name, (columns,)))
            for name in self.weights
        }

    # ---- our own, through time -------------------------------------------------------

    def sequence(self, x, state, *weights) -> tuple:
        """Our forward pass through time: h, the final state, T caches."""
        h, final, cache = sequence_forward(self.step, x, state, *weights)
        return h, final, cache.steps

    def sequence_backward(
        self, dh, dstate, caches, Wx, Wh, *, loop=sequence_backward, step=None
    ) -> tuple:
        """Our backward pass through time: dx, and the gradients of the initial state
        and of the weights. ``loop`` and ``step`` may be ours with a mistake.
        """
        cache = SequenceCache(caches, np.full(dh.shape[1], len(dh)))
        return loop(step or self.step_backward, dh, dstate, cache, Wx, Wh)


LSTM = Cell(
    name="lstm",
    title="an LSTM",
    step=reference.lstm_step,
    step_backward=reference.lstm_step_backward,
    state=("h", "c"),
    blocks=("input gate", "forget gate", "candidate", "output gate"),
    weights=("Wx", "Wh", "b"),
)
GRU = Cell(
    name="gru",
    title="a GRU",
    step=reference.gru_step,
    step_backward=reference.gru_step_backward,
    state=("h",),
    blocks=("reset gate", "update gate", "candidate"),
    weights=("Wx", "Wh", "bx", "bh"),
)
RNN = Cell(
    name="rnn",
    title="a simple RNN",
    step=reference.rnn_step,
    step_backward=reference.rnn_step_backward,
    state=("h",),
    blocks=("",),
    weights=("Wx", "Wh", "b"),
)
CELLS = {cell.name: cell for cell in (LSTM, GRU, RNN)}


def cell_named(name: str) -> Cell:
    """The cell of that name; InputError if there is none."""
    if not isinstance(name, str) or name not in CELLS:
        raise InputError(f"cell must be one of {', '.join(CELLS)}, not {name!r}")
    return CELLS[name]
