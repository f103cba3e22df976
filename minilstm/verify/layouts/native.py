"""A learner's forward and backward for a gradient check, in the learner's own arrays.

Nothing is translated: the parameters of the check are the arrays that the functions
take, so its report is in their names, axes and entries. What a layout does not have,
such as an initial cell state, is no parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.verify.layouts import arrays
from minilstm.verify.layouts.described import is_ours
from minilstm.verify.layouts.layout import AXES, WHAT, CellLayout
from minilstm.verify.layouts.recognize import call_or_recognize
from minilstm.verify.layouts.words import Words

EXTRA_WIDTH = 2  # of an output layer that forward has besides


@dataclass(frozen=True)
class Pair:
    """A forward and its backward in a layout, with a random case for them."""

    layout: CellLayout
    kind: str  # "step" or "sequence"
    params: dict[str, np.ndarray]  # what is differentiated, by the learner's names
    dy: dict[str, np.ndarray]  # the gradients that arrive, likewise
    extra: dict[str, np.ndarray]  # what forward needs besides

    @property
    def axes(self) -> str:
        """The order of axes in words."""
        return AXES[self.layout.axes][1]

    def forward(self, function: Callable) -> Callable:
        """From parameters to outputs, by their gradients' names, and the cache."""
        layout, kind = self.layout, self.kind
        signature, held = layout.signature(kind), layout.held(kind)
        outputs = layout.outputs(kind)

        def run(p):
            given = {**p, **self.extra}
            found = call_or_recognize(function, signature, given, {}, WHAT[kind], held)
            return {name: found[name] for name in outputs.values()}, found["cache"]

        return run

    def backward(self, function: Callable) -> Callable:
        """From the gradients that arrive, cache and parameters to gradients."""
        layout, kind = self.layout, f"{self.kind}_backward"
        signature, held = layout.signature(kind), layout.held(kind)
        collected, names = layout.collected(self.kind), self.gradient_names

        def run(d, cache, p):
            given = {**p, **self.extra, **d, "cache": cache}
            found = call_or_recognize(
                function, signature, given, collected, WHAT[kind], held
            )
            for gradient in names.values():
                if found[gradient] is None:
                    raise InputError(f"your {gradient} is None: is it written yet?")
            return {name: found[gradient] for name, gradient in names.items()}

        return run

    @property
    def gradient_names(self) -> dict[str, str]:
        """From the name of each parameter to that of its gradient."""
        layout = self.layout
        results = layout.results(self.kind).items()
        return {
            **{name: layout.gradient_name(quantity) for quantity, name in results},
            **{name: layout.gradient_of(name) for name in layout.weight_names},
        }

    def gate_of(self, name: str, where: tuple[int, ...]) -> str:
        """In whose block an entry is, if an array has blocks of several gates."""
        layout = self.layout
        array = {array.name: array for array in layout.weights}.get(name)
        if is_ours(layout) or array is None or len(array.gates) == 1:
            return ""
        along = 0 if layout.transposed else len(where) - 1
        H = self.params[name].shape[along] // len(array.gates)
        return Words(layout, self.kind).gate(array.gates[where[along] // H])

    def output_gradient(self, name: str) -> str:
        """The name of an output's gradient."""
        by_name = {n: q for q, n in self.layout.outputs(self.kind).items()}
        return self.layout.gradient_name(by_name[name])


def random_pair(
    layout: CellLayout, kind: str, rng: np.random.Generator, sizes: dict[str, int]
) -> Pair:
    """A random case of a step or a sequence; ``sizes`` has T, B, D and H."""
    inputs, weights = arrays.draw(layout, rng, kind, sizes)
    theirs = {
        name: arrays.to_theirs(layout, kind, inputs[quantity])
        for quantity, name in layout.inputs(kind).items()
    }
    given = set(layout.results(kind).values())
    constant = {name: array for name, array in theirs.items() if name not in given}
    params = {name: array for name, array in theirs.items() if name in given}
    dy = {}
    T, B, H = (sizes[letter] for letter in "TBH")
    for quantity in layout.outputs(kind):
        shape = (T, B, H) if quantity == "hs" else (B, H)
        array = arrays.to_theirs(layout, kind, rng.standard_normal(shape))
        dy[layout.gradient_name(quantity)] = array
    params |= arrays.split_weights(layout, weights)
    return Pair(layout, kind, params, dy, constant | extra_weights(layout, rng, H))


def extra_weights(
    layout: CellLayout, rng: np.random.Generator, H: int
) -> dict[str, Any]:
    """Weights of an output layer, in the form of the others."""
    extra = {}
    for name, what in layout.extra.items():
        if what == "weights":
            W = rng.normal(0, 0.7, (H, EXTRA_WIDTH))
            extra[name] = np.ascontiguousarray(W.T) if layout.transposed else W
        else:
            b = rng.normal(0, 0.7, EXTRA_WIDTH)
            extra[name] = b[:, None] if layout.column_biases else b
    return extra
