"""Functions of a layout as functions of ours, so that ``diagnose`` can run them.

The numbers are the same, in other places: see ``arrays``. The learner's cache is passed
through untouched. Beside it goes what backward needs of the forward pass in order to be
called: weights, and the shapes that its results must have.

If a layout has no initial cell state, it is zero, in our function too; and what is not
given to backward, or not returned by it, is not compared. The gradient of hT is added
to that of the last output, which is the same array.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.verify.layouts.arrays import (
    Arrays,
    check_shape,
    from_theirs,
    join_weights,
    split_weights,
    to_theirs,
)
from minilstm.verify.layouts.described import can_be_ours
from minilstm.verify.layouts.layout import INPUTS, OUTPUTS, SEQUENCE, STEP, WHAT
from minilstm.verify.layouts.layout import CellLayout
from minilstm.verify.layouts.native import extra_weights
from minilstm.verify.layouts.recognize import call_or_recognize
from minilstm.verify.layouts.signature import flat


Turned = tuple[np.ndarray, np.ndarray]  # an array of ours, and the learner's for it


@dataclass(frozen=True)
class Kept:
    """What an adapted forward pass hands to its backward pass."""

    cache: Any  # the learner's
    given: Arrays  # all arguments, by the learner's names
    turned: list[Turned]  # those of them that are other arrays than ours


@dataclass(frozen=True)
class Adapted:
    """Makes functions of ours of the functions of a layout."""

    layout: CellLayout
    kind: str  # "step" or "sequence"

    def __post_init__(self) -> None:
        self.layout.signature(self.kind)  # it must have one
        if not can_be_ours(self.layout):
            raise InputError(
                "diagnose has a GRU with two biases, whose reset gate scales a product"
                f" (minilstm/reference/gru.py); check yours with check_{self.kind}"
            )

    @property
    def choices(self) -> tuple[str, ...]:
        """Biases of whose gradients each must be ours, if ours is one and theirs two."""
        ours = self.layout.our_biases
        return self.layout.biases if len(ours) == 1 else ours[:1]

    @property
    def lacks(self) -> tuple[str, ...]:
        """Of c0, cT, dcT and dc0: what the layout does not have."""
        if self.kind == STEP or "c" not in self.layout.ours.state:
            return ()
        known = {
            "c0": "c0" in self.layout.inputs(SEQUENCE),
            "cT": self._has(self.kind, "results", self.layout.name("cT")),
            "dcT": "cT" in self.layout.outputs(SEQUENCE),
            "dc0": "c0" in self.layout.results(SEQUENCE),
        }
        return tuple(name for name, there in known.items() if not there)

    def forward(self, function: Callable) -> Callable:
        """A step (x, *state, *weights), or a sequence (x, state, *weights)."""

        def run(x, *rest):
            states, weights = self._apart(rest)
            if "c0" in self.lacks and np.any(states[1]):
                raise InputError("this layout has no initial cell state")
            ours = dict(zip(INPUTS[self.kind], (x, *states)))
            given, turned = self._theirs(ours, self.layout.inputs(self.kind))
            given |= self._weights(weights, states[0].shape[1])
            found = self._call(self.kind, function, given, {})
            _write_back(self.layout, self.kind, turned)
            return self._outputs(found, Kept(found["cache"], given, turned))

        return run

    def backward(self, function: Callable, bias: str = "") -> Callable:
        """A backward step (*dstate, cache, Wx, Wh), or sequence (dh, dstate, ...)."""
        layout, kind = self.layout, f"{self.kind}_backward"

        def run(*arguments):
            *arriving, kept, _, _ = arguments
            ours = self._arriving(arriving)
            names = {q: layout.gradient_name(q) for q in layout.outputs(self.kind)}
            given, turned = self._theirs(ours, names)
            values = {**kept.given, **given, "cache": kept.cache}
            found = self._call(kind, function, values, layout.collected(self.kind))
            _write_back(layout, self.kind, [*turned, *kept.turned])
            return self._gradients(found, kept, bias)

        return run

    # ---- arguments -------------------------------------------------------------------

    def _apart(self, rest: Sequence) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """The states, and the weights by name."""
        if self.kind == STEP:
            count = len(self.layout.ours.state)
            states, weights = list(rest[:count]), rest[count:]
        else:
            states, weights = list(rest[0]), rest[1:]
        names = ("Wx", "Wh", *self.layout.our_biases)
        return states, dict(zip(names, weights))

    def _weights(self, weights: Arrays, H: int) -> Arrays:
        """The weights by the learner's names, and those of an output layer."""
        layout = self.layout
        if layout.biases != layout.our_biases:  # ours is the sum of two
            part = np.random.default_rng(0).normal(0, 0.7, weights["b"].shape)
            b = weights.pop("b")
            weights |= {"bx": b - part, "bh": part}
        extra = extra_weights(layout, np.random.default_rng(0), H)
        return split_weights(layout, weights) | extra

    def _arriving(self, arriving: Sequence) -> Arrays:
        """The gradients that a backward pass is given, by our names."""
        if self.kind == STEP:
            return dict(zip(OUTPUTS[STEP], arriving))
        dh, (dhT, *dcT) = arriving
        outputs = self.layout.outputs(SEQUENCE)
        if "hT" not in outputs:
            dh = dh.copy()
            dh[-1] += dhT
        if dcT and "cT" not in outputs and np.any(dcT[0]):
            raise InputError("this layout has no gradient of the final cell state")
        return dict(zip(OUTPUTS[SEQUENCE], (dh, dhT, *dcT)))

    def _theirs(
        self, ours: Arrays, names: Mapping[str, str]
    ) -> tuple[Arrays, list[Turned]]:
        """Arrays by the learner's names, in the learner's axes."""
        layout, kind = self.layout, self.kind
        theirs = {name: to_theirs(layout, kind, ours[q]) for q, name in names.items()}
        pairs = [(ours[q], theirs[name]) for q, name in names.items()]
        return theirs, [pair for pair in pairs if not np.shares_memory(*pair)]

    def _call(self, kind: str, function: Callable, values: Mapping, collected: Mapping):
        """The results of a function of the layout, by the learner's names."""
        signature, held = self.layout.signature(kind), self.layout.held(kind)
        return call_or_recognize(
            function, signature, values, collected, WHAT[kind], held
        )

    # ---- results ---------------------------------------------------------------------

    def _outputs(self, found: Arrays, kept: Kept):
        """(h, c, cache) of a step, (h, (hT, cT), caches) of a sequence."""
        layout = self.layout
        ours = {
            q: from_theirs(layout, self.kind, np.asarray(found[layout.name(q)]))
            for q in OUTPUTS[self.kind]
            if layout.name(q) in found
            and self._has(self.kind, "results", layout.name(q))
        }
        if self.kind == STEP:
            return (*(ours[state] for state in layout.ours.state), kept)
        final = [ours.get("hT", ours["hs"][-1])]
        if "c" in layout.ours.state:
            final.append(ours.get("cT", np.zeros_like(final[0])))  # not compared
        return ours["hs"], tuple(final), kept

    def _gradients(self, found: Arrays, kept: Kept, bias: str):
        """(dx, dh_prev, dc_prev, grads), or (dx, (dh0, dc0), grads)."""
        layout = self.layout
        ours = {}
        for quantity, name in layout.results(self.kind).items():
            gradient = layout.gradient_name(quantity)
            array = np.asarray(found[gradient])
            check_shape(gradient, array, kept.given[name].shape, name)
            ours[quantity] = from_theirs(layout, self.kind, array)
        weights = {
            name: np.asarray(found[layout.gradient_of(name)])
            for name in layout.weight_names
        }
        x, h, *c = INPUTS[self.kind]
        D, H = ours[x].shape[-1], ours[h].shape[-1]
        grads = join_weights(layout, weights, D, H)
        if layout.biases != layout.our_biases:
            grads["b"] = grads[bias or "bx"]
        c = c[: len(layout.ours.state) - 1]
        before = [ours[h], *(ours.get(name, np.zeros_like(ours[h])) for name in c)]
        if self.kind == STEP:
            return (ours[x], *before, grads)
        return ours[x], tuple(before), grads

    def _has(self, function: str, side: str, name: str) -> bool:
        items = flat(getattr(self.layout.signature(function), side))
        return any(item.name == name and item.mark != "?" for item in items)


def _write_back(layout: CellLayout, kind: str, turned: Sequence[Turned]) -> None:
    """What a function changed in its arrays changes in ours, where it is noticed."""
    for ours, theirs in turned:
        ours[...] = from_theirs(layout, kind, theirs)


def only_what_it_has(trial: Any, code: Adapted, function: str) -> Any:
    """A trial of a function of a layout: without a cell state that it does not have.

    What is lacking is zero among the arguments, and left out of the results.
    """
    lacks = code.lacks
    names = ", ".join(code.layout.signature(function).argument_names)
    trial = replace(trial, call=f"({names})")
    if not lacks:
        return trial

    def from_zero(forward):
        return lambda x, state, *weights: forward(x, (state[0], 0 * state[1]), *weights)

    def make(rng, forward, *sizes):
        case = trial.make(rng, forward and from_zero(forward), *sizes)
        if "c0" in lacks and "state" in case:
            case["state"] = (case["state"][0], 0 * case["state"][1])
        if "dcT" in lacks and "dstate" in case:
            case["dstate"] = (case["dstate"][0], 0 * case["dstate"][1])
        return case

    def take_apart(function, case):
        parts = trial.take_apart(function, case)
        return {name: part for name, part in parts.items() if name not in lacks}

    return replace(trial, make=make, take_apart=take_apart, lacks=lacks)


def adapted_loss(layout: CellLayout, function: Callable) -> Callable:
    """A loss of a layout as (logits, targets, lengths) to (loss, dlogits)."""
    signature = layout.signature("loss")
    turned = layout.axes != "time first"

    def run(logits, targets, lengths):
        real = np.arange(len(targets))[:, None] < lengths  # (T, B)
        values = {
            layout.name("logits"): to_theirs(layout, SEQUENCE, logits),
            layout.name("targets"): targets.T.copy() if turned else targets,
            layout.name("mask"): real.T.copy() if turned else real,
            layout.name("lengths"): lengths,
        }
        found = call_or_recognize(function, signature, values, {}, "loss")
        dlogits = np.asarray(found[layout.name("dlogits")])
        theirs = values[layout.name("logits")].shape
        check_shape(layout.name("dlogits"), dlogits, theirs, layout.name("logits"))
        return found["loss"], from_theirs(layout, SEQUENCE, dlogits)

    return run
