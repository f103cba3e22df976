"""A diagnosis in the learner's words.

A diagnosis is made of the names of our own source: dc_prev, ``dWx (forget gate)``,
``In dWx, forget gate, entry [1, 2]``. They are a language of their own, in which nothing
else looks like them. Here, and nowhere else, it is translated: names, gates, and the
entry of an array to the same entry of the learner's array.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from minilstm.verify.layouts.layout import AXES, LOSS, SEQUENCE, STEP, CellLayout

ENTRY = re.compile(
    r"In (\w+)(?:\[(\d+)\])?( of step \d+)?(, handed on by step \d+)?"
    r"(?:, ([a-z ]+))?, entry \[([\d, ]+)\](?= is )"
)
BLOCKS = re.compile(r"\b(d?)(Wx|Wh|bx|bh|b) \(([a-z, ]+)\)")
BLOCK = re.compile(r"\b(d?)(Wx|Wh|bx|bh|b), ((?:[a-z]+ )?(?:gate|candidate))")
AT_STEP = re.compile(r"\b(dx|h)\[(\d+)\]")
# one for each gate, with the same letters before: i, f, g, o or dzi, dzf, dzg, dzo
ORDERS = {
    "lstm": re.compile(r"\b([a-z]{0,2})[ifgo](?:, \1[ifgo]){3}\b"),
    "gru": re.compile(r"\b([a-z]{0,2})[rzn](?:, \1[rzn]){2}\b"),
    "rnn": re.compile(r"(?!)"),
}
NAME = re.compile(r"(?<![\w.])([A-Za-z]\w*)(?![\w(])")
# the gradient that arrives at a step: (6) is dc = dc + dh * o * ...
ARRIVES = re.compile(r"\bdc(?= \+=? (?:\d \* )?dh\b)")
CHANGED = re.compile(r"\bdc(?=,? \(?changed in place)|(?<=changes )dc\b")
LIST = re.compile(r"\b[A-Za-z]\w*(?:, [A-Za-z]\w*)+")
TWICE = re.compile(r"\b(\w[\w, ]*) and \1\b")
# a line of the learner's, an address, and what Python says stay as they are
AS_IT_IS = re.compile(
    r"line \d+: `[^`]*`|https?://\S+|It raises [^.]*\.|It is called as .*"
)
# what goes into the sigmoids and tanh
LEGENDS = {
    "lstm": (
        {"dz", *(f"dz{gate}" for gate in "ifgo")},
        "dz is the gradient of what goes into the sigmoids and tanh, dzf that of the"
        " forget gate and so on",
    ),
    "gru": (
        {"da", "dax", "dah", "dar", "daz", "dan", "dq"},
        "dax and dah are the gradients of what goes into the sigmoids and tanh, from the"
        " input and from the hidden state; dar is that of the reset gate and so on, and"
        " q is what r scales",
    ),
    "rnn": ({"da"}, "da is the gradient of what goes into the tanh"),
}


@dataclass(frozen=True)
class Words:
    """Translates sentences of ours about a function of a layout."""

    layout: CellLayout
    kind: str  # "step", "sequence" or "loss"
    bias: str = ""  # that is compared with ours, if there are two

    def __call__(self, text: str) -> str:
        """A line of a report, in the learner's words."""
        done: list[str] = []  # what is translated must not be translated again

        def keep(words: str) -> str:
            done.append(words)
            return f"\0{len(done) - 1}\0"

        translations: list[tuple[re.Pattern, Callable[[re.Match], str]]] = [
            (AS_IT_IS, lambda m: m[0]),
            (ENTRY, lambda m: f"In {self._entry(*m.groups())}"),
            (BLOCKS, lambda m: self._blocks(*m.groups())),
            (BLOCK, lambda m: self._blocks(*m.groups())),
            (CHANGED, lambda m: self.layout.gradient_name("c")),
            (ARRIVES, lambda m: self.layout.gradient_name("c")),
            (AT_STEP, lambda m: self._at_step(m[1], m[2])),
            (ORDERS[self.layout.cell], lambda m: self._order(m[0])),
            (NAME, lambda m: self.name(m[1])),
        ]
        for pattern, say in translations:
            text = pattern.sub(lambda m: keep(say(m)), text)  # noqa: B023
        while "\0" in text:
            text = re.sub(r"\0(\d+)\0", lambda m: done[int(m[1])], text)
        text = LIST.sub(lambda m: self._each_once(m[0].split(", ")), text)
        return TWICE.sub(r"\1", text)

    def _each_once(self, names: Iterable[str]) -> str:
        """A list in which no array of weights comes twice, as it would for x and h."""
        arrays = self.layout.weight_names
        weights = {*arrays, *map(self.layout.gradient_of, arrays)}
        kept: list[str] = []
        for name in names:
            if name not in weights or name not in kept:
                kept.append(name)
        return ", ".join(kept)

    def name(self, ours: str) -> str:
        """What the learner calls a quantity, a gate or a gradient of ours."""
        return self._names.get(ours, ours)

    @cached_property
    def _names(self) -> dict[str, str]:
        layout = self.layout
        sizes = {name: layout.values.get(name, name) for name in "TBDH"}
        if self.kind == "loss":
            names = {q: layout.name(q) for q in (*LOSS, "dlogits")}
            return names | {"lengths": layout.name("mask"), **sizes}
        quantities = {q: q for q in ("h_prev", "c_prev", "x", "h", "c")}
        if self.kind == SEQUENCE:
            quantities |= {"x": "xs", "h": "hs"}
            quantities |= {q: q for q in ("h0", "c0", "hT", "cT")}
        names = {ours: layout.name(q) for ours, q in quantities.items()}
        for ours, q in quantities.items():
            if ours != "c":  # dc is not what arrives alone: see ``legend``
                names[f"d{ours}"] = layout.gradient_name(q)
        names |= {**sizes, **layout.values}
        for part in ("Wx", "Wh", *layout.biases, "b"):
            names[part] = self._weights(part, layout.order)
            names[f"d{part}"] = self._weights(part, layout.order, gradient=True)
        return names

    def legend(self, text: str) -> str:
        """What the names in our formulas are that the learner's code may not have."""
        layout, named = self.layout, set(re.findall(r"\w+", text))
        found = []
        if "dc" in named and layout.gradient_name("c") != "dc" and self.kind == STEP:
            found.append(
                f"dc is the whole gradient of {layout.name('c')}: what arrives as"
                f" {layout.gradient_name('c')}, and what comes through"
                f" {layout.name('h')}"
            )
        names, sentence = LEGENDS[layout.cell]
        if named & names:
            found.append(sentence)
        return f"In this, {'; '.join(found)}." if found else ""

    def _order(self, ours: str) -> str:
        """What stands in the learner's blocks, where these stand in ours."""
        by_gate = dict(zip(self.layout.titles, ours.split(", ")))
        return ", ".join(by_gate[gate] for gate in self.layout.order)

    def array_of(self, parts: Iterable[str]) -> str:
        """The one array in the learner's code that some parts are; "" if it is none."""
        outputs = {part.partition("[")[0] for part in parts}
        names = {self(part) for part in outputs}
        whole = {part.partition(", ")[0] for part in outputs}
        if len(whole) == 1 and len(outputs) == len(self.layout.titles):
            names = {self(whole.pop())}  # all gates
        if len(names) != 1 or not next(iter(names)).isidentifier():
            return ""
        return names.pop()

    # ---- weights ---------------------------------------------------------------------

    def _arrays(self, part: str, gates: str) -> list:
        """The learner's arrays that hold these blocks of a part."""
        if part == "b" and "b" not in self.layout.biases:
            part = self.bias or self.layout.biases[0]
        return [
            array
            for array in self.layout.weights
            if part in array.parts and {*array.gates} & {*gates}
        ]

    def _weights(self, part: str, gates: str, *, gradient: bool = False) -> str:
        names = [array.name for array in self._arrays(part, gates)]
        if gradient:
            names = list(map(self.layout.gradient_of, names))
        return ", ".join(names) or part

    def _blocks(self, d: str, part: str, titles: str) -> str:
        """``dWx (forget gate, candidate)``: dWf, dWc, or dWx with columns and gates."""
        layout = self.layout
        letters = {title: k for k, title in layout.titles.items()}
        gates = [letters[t] for t in titles.split(", ") if t in letters]
        if len(gates) in (0, len(letters)):  # "all gates", or all of them
            return self._weights(part, self.layout.order, gradient=bool(d))
        arrays = self._arrays(part, "".join(gates))
        name = self._weights(part, "".join(gates), gradient=bool(d))
        if all(len(array.gates) == 1 for array in arrays):
            return name
        return f"{name} ({', '.join(layout.titles[k] for k in gates)})"

    def gate(self, letter: str) -> str:
        """columns H to 2H: your forget gate."""
        k = self.layout.order.index(letter)
        lines = "rows" if self.layout.transposed else "columns"
        place = f"{lines} {self._times_h(k)} to {self._times_h(k + 1)}"
        return f"{place}: your {self.layout.titles[letter]}"

    # ---- entries ---------------------------------------------------------------------

    def _entry(
        self,
        name: str,
        step: str | None,
        of_step: str | None,
        handed_on: str | None,
        gate: str | None,
        where: str,
    ) -> str:
        """An entry of one of ours as the learner would index it."""
        index = [int(k) for k in where.split(",")]
        part = name.removeprefix("d")
        if part in ("Wx", "Wh", "b", "bx", "bh"):
            return self._weight_entry(name, gate, index)
        if step is not None:
            index = [int(step), *index]
        axes = AXES[self.layout.axes][0]
        if len(index) == 3:
            index = [index[k] for k in axes]
        elif len(index) == 2 and self.layout.axes == "columns":
            index = index[::-1]
        of_gate = f" of the {gate}" if gate else ""
        by = f"{handed_on}," if handed_on else ""
        place = ", ".join(map(str, index))
        return f"{self.name(name)}[{place}]{of_gate}{of_step or ''}{by}"

    def _weight_entry(self, name: str, gate: str | None, index: list[int]) -> str:
        layout = self.layout
        letters = {title: k for k, title in layout.titles.items()}
        if gate is None and len(letters) > 1:
            return f"{self.name(name)}{index}"
        letter = letters[gate] if gate else layout.order
        part = name.removeprefix("d")
        array = self._arrays(part, letter)[0]
        block = self._times_h(array.gates.index(letter), index[-1])
        array_name = array.name
        if name != part:
            array_name = layout.gradient_of(array_name)
        if len(index) == 1:
            place = [block, "0"] if layout.column_biases else [block]
        else:
            row = str(index[0])
            if array.parts.index(part):  # the second of two
                size = "D" if part == "Wh" else "H"
                row = f"{layout.values.get(size, size)} + {row}"
            place = [block, row] if layout.transposed else [row, block]
        of_gate = f" ({self.gate(letter)})" if len(array.gates) > 1 else ""
        return f"{array_name}[{', '.join(place)}]{of_gate}"

    def _times_h(self, k: int, more: int = 0) -> str:
        """k H + more, as one would write it."""
        H = self.layout.values.get("H", "H")
        multiple = {0: "", 1: H}.get(k, f"{k}{H}" if H == "H" else f"{k} * {H}")
        if not multiple:
            return str(more)
        return f"{multiple} + {more}" if more else multiple

    def _at_step(self, name: str, step: str) -> str:
        """dx[2]: one step of a sequence."""
        k = AXES[self.layout.axes][0].index(0)  # where time is
        place = [":"] * 3
        place[k] = step
        shown = place[: k + 1] if self.layout.axes != "columns" else place
        return f"{self.name(name)}[{', '.join(shown)}]"
