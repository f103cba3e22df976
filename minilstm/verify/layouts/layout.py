"""A layout: in which arrays, and by which names, code has what our cells have.

    axes        "time first" (T, B, n), "batch first" (B, T, n) or "columns" (n, B, T)
    gates       our letters in the order of the code: i, f, g, o of an LSTM; r, z, n
    weights     joined, or one for each gate; for x and h apart, or for [h, x]
    biases      one, or one for x and one for h
    functions   signatures in the code's own names

``names`` has the name of everything that a function is given or returns:

    x, h_prev, c_prev        a step's input and states; results h, c
    xs, h0, c0               a sequence's; results hs (all steps), hT, cT
    logits, targets, mask    a loss's; results loss, dlogits
    Wx, Wh, or W for both    weights; with {} in the name there is one for each gate
    b, or bx and bh          biases

Gradients are named by ``gradient``, "d{}" for most, unless ``names`` has one itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from minilstm.errors import InputError
from minilstm.verify.cells import CELLS, Cell
from minilstm.verify.layouts.signature import Item, Signature, flat, parse

AXES = {  # of time, batch and units; and the words for them
    "time first": ((0, 1, 2), "time first, then the batch"),
    "batch first": ((1, 0, 2), "the batch first, then time"),
    "columns": ((2, 1, 0), "units first; a column is an example"),
}
LETTERS = {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}  # of gates, in our order
STEP, SEQUENCE = "step", "sequence"
INPUTS = {STEP: ("x", "h_prev", "c_prev"), SEQUENCE: ("xs", "h0", "c0")}
OUTPUTS = {STEP: ("h", "c"), SEQUENCE: ("hs", "hT", "cT")}
OURS = {"xs": "x", "hs": "h"}  # the names that differ from what they are
WEIGHTS = ("Wx", "Wh", "W", "b", "bx", "bh")
LOSS = "logits", "targets", "lengths", "mask"
QUANTITIES = tuple(
    dict.fromkeys(
        name
        for names in (*INPUTS.values(), *OUTPUTS.values(), WEIGHTS, LOSS, ("loss",))
        for name in names
    )
)
WHAT = {  # the part of a function, for messages
    STEP: "step",
    SEQUENCE: "forward pass",
    "step_backward": "backward pass",
    "sequence_backward": "backward pass",
}


@dataclass(frozen=True)
class WeightArray:
    """An array of weights: which of ours it holds, and the blocks of which gates."""

    name: str
    parts: tuple[str, ...]  # of Wx and Wh, one below the other; or a bias
    gates: str


@dataclass(frozen=True)
class CellLayout:
    """One cell in a layout. The file's header explains the fields."""

    cell: str
    step: str = ""
    step_backward: str = ""
    sequence: str = ""
    sequence_backward: str = ""
    loss: str = ""
    loss_over: str = "tokens"  # or "sequences": what the sum of losses is divided by
    names: Mapping[str, str] = field(default_factory=dict)
    gradient: str = "d{}"
    axes: str = "time first"
    gates: str = ""  # default: in our order
    letters: str = ""  # how the names of weights call them, in the same order
    values: Mapping[str, str] = field(
        default_factory=dict
    )  # of gates and sizes, in formulas
    concatenation: str = ""  # "hx" or "xh": the rows of W
    transposed: bool = False  # weights are (gates, inputs)
    reset: str = "after"  # of a GRU: the reset gate, after or before the product
    extra: Mapping[str, str] = field(default_factory=dict)  # weights of an output layer
    whole: str = ""  # one function of loss and gradients, whose weights are global
    sizes: Mapping[str, str] = field(default_factory=dict)  # global names of sizes

    @property
    def ours(self) -> Cell:
        """The cell of ours."""
        return CELLS[self.cell]

    @property
    def order(self) -> str:
        """The letters of the gates in the order of the code."""
        return self.gates or LETTERS[self.cell]

    @property
    def titles(self) -> dict[str, str]:
        """The titles of our gates by letter, in our order."""
        return dict(zip(LETTERS[self.cell], self.ours.blocks))

    def letter(self, gate: str) -> str:
        """What the code calls a gate of ours."""
        return dict(zip(self.order, self.letters or self.order))[gate]

    def name(self, quantity: str) -> str:
        """What the code calls a quantity of ours."""
        return self.names.get(quantity, OURS.get(quantity, quantity))

    def gradient_of(self, name: str) -> str:
        """What the code calls the gradient of something, by its own name."""
        return self.gradient.format(name)

    def gradient_name(self, quantity: str) -> str:
        """What the code calls the gradient of a quantity of ours."""
        return self.names.get(f"d{quantity}", self.gradient_of(self.name(quantity)))

    @property
    def column_biases(self) -> bool:
        """Whether biases are columns (n, 1)."""
        return self.axes == "columns"

    @cached_property
    def biases(self) -> tuple[str, ...]:
        """b, or bx and bh."""
        if "bx" in self.names or "bh" in self.names:
            return "bx", "bh"
        return ("b",) if "b" in self.names else self.our_biases

    @property
    def our_biases(self) -> tuple[str, ...]:
        """Those of our cell: b, or bx and bh."""
        return self.ours.weights[2:]

    @property
    def weight_quantities(self) -> dict[str, tuple[str, ...]]:
        """Wx and Wh, or W, and the biases: what of ours each of them holds."""
        matrices: dict[str, tuple[str, ...]] = {"Wx": ("Wx",), "Wh": ("Wh",)}
        if self.concatenation:
            both = {"h": "Wh", "x": "Wx"}
            matrices = {"W": tuple(both[letter] for letter in self.concatenation)}
        return {**matrices, **{bias: (bias,) for bias in self.biases}}

    @cached_property
    def weights(self) -> tuple[WeightArray, ...]:
        """All arrays of weights, in the order of the code."""
        arrays: dict[str, WeightArray] = {}
        for gate in self.order:
            for quantity, parts in self.weight_quantities.items():
                name = self.name(quantity)
                each = "{}" in name
                name = name.format(self.letter(gate))
                arrays[name] = WeightArray(name, parts, gate if each else self.order)
        return tuple(arrays.values())

    @property
    def weight_names(self) -> list[str]:
        """The names of all arrays of weights."""
        return [array.name for array in self.weights]

    def inputs(self, kind: str) -> dict[str, str]:
        """From the arguments of a step or sequence, but weights, to their names."""
        return self._read(kind, INPUTS[kind], self.signature(kind).arguments)

    def outputs(self, kind: str) -> dict[str, str]:
        """From the results whose gradient backward is given to their names."""
        names = self._read(kind, OUTPUTS[kind], self.signature(kind).results)
        backward = self.signature(f"{kind}_backward")
        given = {item.name for item in flat(backward.arguments)}
        return {q: name for q, name in names.items() if self.gradient_name(q) in given}

    def results(self, kind: str) -> dict[str, str]:
        """From the quantities whose gradients backward returns to their names."""
        items = list(flat(self.signature(f"{kind}_backward").results))
        returned = {item.name for item in items}
        everything = any(item.mark == "{}" for item in items)
        return {
            q: name
            for q, name in self.inputs(kind).items()
            if everything or self.gradient_name(q) in returned
        }

    def held(self, function: str) -> list[str]:
        """What a list or dictionary of weights among its arguments holds."""
        apart = self._names(self.signature(function).arguments)
        return [n for n in (*self.weight_names, *self.extra) if n not in apart]

    def collected(self, kind: str) -> dict[str, str]:
        """What a list or dictionary of gradients holds: of which array each one is."""
        items = flat(self.signature(f"{kind}_backward").results)
        apart = {item.name for item in items if not item.mark}
        names = {self.gradient_name(q): name for q, name in self.inputs(kind).items()}
        names |= {self.gradient_of(name): name for name in self.weight_names}
        return {name: of for name, of in names.items() if name not in apart}

    def signature(self, function: str) -> Signature:
        """How a function is called; InputError if the layout does not have it."""
        text = getattr(self, function)
        if not text:
            what = function.replace("_", " ")
            instead = "; check_sequence checks its function" if self.whole else ""
            raise InputError(
                f'this layout has no {what} for the cell "{self.cell}"{instead}'
            )
        return parse(text)

    @staticmethod
    def _names(items: Sequence[Item]) -> set[str]:
        return {item.name for item in flat(items) if item.mark != "?"}

    def _read(self, kind: str, quantities: Sequence[str], items) -> dict[str, str]:
        there = self._names(items)
        return {q: self.name(q) for q in quantities if self.name(q) in there}


@dataclass(frozen=True)
class Layout:
    """The shapes and names of a course or a library, for one cell or for several."""

    name: str
    title: str
    cells: Mapping[str, CellLayout]

    def of(self, cell: str) -> CellLayout:
        """Its form of a cell; InputError if it has none.

        If it has one cell only, that one is meant by the default, "lstm", too.
        """
        if cell == "lstm" and len(self.cells) == 1:
            return next(iter(self.cells.values()))
        if cell not in self.cells:
            raise InputError(
                f'the layout "{self.name}" has no cell "{cell}", only'
                f" {', '.join(self.cells)}; describe yours with a dictionary, see"
                " docs/check-your-code.md"
            )
        return self.cells[cell]
