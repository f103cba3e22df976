"""What a function computed in place of a quantity, found by search.

``causes.py`` shows the earliest quantity that is wrong, and its numbers. Here a formula
is sought that gives these numbers: in every entry of every random case, to eight
digits. So a formula that is reported is right, and where there is none, none is
reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product as pairs

import numpy as np

from minilstm.verify.cells import Cell
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose.causes import block_part
from minilstm.verify.diagnose.diagnosis import Parts
from minilstm.verify.diagnose.equations import (
    EQUATIONS,
    Arrays,
    Side,
    Sum,
    arrays_of,
    sum_of,
    terms_of,
    value_of,
)
from minilstm.verify.diagnose.explain import same
from minilstm.verify.diagnose.products import (
    PRECISE,
    Vectors,
    find,
    text_of,
    with_constant,
)

MOST = 3  # sentences


def in_words(
    parts: Sequence[str], own: Sequence[Parts], cases: Sequence[Case], cell: Cell
) -> str:
    """What the first of these parts are, if a formula gives them; else ""."""
    if any(part not in results for part in parts for results in own):
        return ""
    arrays = [all_arrays(arrays_of(case), cell) for case in cases]
    searcher = Search(own, arrays, cases, cell)
    together = searcher.exchanged(parts)
    if together:
        return together
    sentences: list[str] = []
    for output in dict.fromkeys(part.partition(", ")[0] for part in parts):
        blocks = [part for part in parts if part.partition(", ")[0] == output]
        sentence = ""
        if len(blocks) == len(cell.blocks):
            sentence = searcher.of_part(output)
        sentences += [sentence] if sentence else map(searcher.of_part, blocks)
    return " ".join([sentence for sentence in sentences if sentence][:MOST])


class Search:
    """A search for the formulas of parts, given all arrays that a step has."""

    def __init__(
        self,
        own: Sequence[Parts],
        arrays: Sequence[Arrays],
        cases: Sequence[Case],
        cell: Cell,
    ):
        self.equations, self.cell = EQUATIONS[cell], cell
        self.own, self.cases = [with_whole(parts, cell) for parts in own], cases
        self.arrays = arrays
        gradients = {"dh", "dc_next", *self.equations.inside}
        self.names = [
            name
            for name in self.arrays[0]
            if name not in gradients
            and all(
                name in arrays and arrays[name].shape == arrays["dh"].shape
                for arrays in self.arrays
            )
        ]
        self.vectors = Vectors(self.arrays, self.names)
        self.quantities = {
            part: name for name, part in self.equations.parts.items()
        } | {name: name for name in self.equations.inside}

    def of_part(self, part: str) -> str:
        """A sentence about one part; "" if no formula is found."""
        if part in self.quantities:
            name = self.quantities[part]
            target = flat(results[part] for results in self.own)
            return self.of_sum(part, name, self.equations.inside[name], target)
        output, _, block = part.partition(", ")
        for side in self.equations.sides:
            for name in side.blocks:
                if part == block_part(self.equations, side, name):
                    target = flat(results[part] for results in self.own)
                    return self.of_sum(part, name, ((name,),), target)
            if output == f"d{side.W}":
                return self.of_weight(part, side, block)
            if side.bias and output == f"d{side.bias}":
                return self.of_bias(part, side, block)
            if output == side.dx:
                return self.of_input(part, side)
        return ""

    # ---- a sum of products -----------------------------------------------------------

    def of_sum(self, part: str, name: str, terms: Sum, target: np.ndarray) -> str:
        """Of a quantity whose terms have the form of an array of the state."""
        values = [self.vectors.product(term) for term in terms]
        gradients = ["dh", *(("dc_next",) if "dc_next" in self.arrays[0] else ())]
        gradients += [q for q in self.equations.inside if q not in (name, "dc_prev")]
        right = text_of(terms)
        for k, term in enumerate(terms):
            rest = target - sum(values[:k] + values[k + 1 :], np.zeros_like(target))
            others = [text_of((other,)) for other in (*terms[:k], *terms[k + 1 :])]
            if np.abs(rest).max() <= PRECISE * np.abs(values[k]).max():
                left = " + ".join(others) or "0"
                return equals(part, left, right, f"{text_of((term,))} is left out")
            match = find(rest, term, gradients, self.vectors)
            if match:
                return equals(part, _sum([*others, match.text]), right, match.change)
        extra = find(target - sum(values), (), gradients, self.vectors)
        if extra:
            return equals(part, _sum([right, extra.text]), right, "one term too many")
        return ""

    # ---- outputs ---------------------------------------------------------------------

    def of_weight(self, part: str, side: Side, block: str) -> str:
        """Of the gradient of a weight: xᵀ da."""
        name = self.block_of(side, block)
        right = f"{side.x}.T @ {name}"
        made = [
            arrays[side.x].T @ self.da(arrays, side, block) for arrays in self.arrays
        ]
        constant = self.factor(part, made)
        if constant:
            return equals(part, with_constant(constant, (right,)), right, "")
        for other in self.others(side, name):
            made = [arrays[side.x].T @ arrays[other] for arrays in self.arrays]
            constant = self.factor(part, made)
            if constant:
                text = with_constant(constant, (f"{side.x}.T @ {other}",))
                return equals(part, text, right, f"{other} in place of {name}")
        return self.of_left_operand(part, side, block, name, right)

    def of_left_operand(
        self, part: str, side: Side, block: str, name: str, right: str
    ) -> str:
        """What da is multiplied by in place of x or h_prev."""
        targets = []
        for results, arrays in zip(self.own, self.arrays):
            da, dW = self.da(arrays, side, block), results[part]
            x = np.linalg.lstsq(da.T, dW.T, rcond=None)[0]  # (B, D) or (B, H)
            if not same(x.T @ da, dW):
                return ""
            targets.append(x)
        if targets[0].shape != self.arrays[0]["dh"].shape or side.x not in self.names:
            return ""
        target = flat(targets)
        match = find(target, (side.x,), (), self.vectors)
        if not match:
            return ""
        x = match.text if len(match.factors) == 1 else f"({match.text})"
        return equals(part, f"{x}.T @ {name}", right, match.change)

    def of_bias(self, part: str, side: Side, block: str) -> str:
        """Of the gradient of a bias: the sum of da over the batch."""
        name = self.block_of(side, block)
        right = f"{name}.sum(axis=0)"
        sums = {
            right: lambda da: da.sum(axis=0),
            f"{name}[0]": lambda da: da[0],
            f"{name}[-1]": lambda da: da[-1],
            f"{name}.max(axis=0)": lambda da: da.max(axis=0),
            f"abs({name}).sum(axis=0)": lambda da: np.abs(da).sum(axis=0),
            f"({name}**2).sum(axis=0)": lambda da: (da**2).sum(axis=0),
            f"{name}.sum()": lambda da: np.full(da.shape[1:], da.sum()),
        }
        for other in (name, *self.others(side, name)):
            for text, made in sums.items():
                get = lambda arrays: (
                    self.da(arrays, side, block) if other == name else arrays[other]
                )
                constant = self.factor(
                    part, [made(get(arrays)) for arrays in self.arrays]
                )
                if constant:
                    return equals(
                        part,
                        with_constant(constant, (text.replace(name, other),)),
                        right,
                    )
        return ""

    def of_input(self, part: str, side: Side) -> str:
        """Of dx or dh_prev: the sum of the products with each block's weights."""
        whole = self.block_of(side, "")
        right = f"{whole} @ {side.W}.T"
        right = f"{side.direct} + {right}" if side.direct else right
        results = [parts[part] for parts in self.own]
        made = [self.input_of(arrays, case, side) for arrays, case in self.zipped()]
        constant = self.factor(part, made)
        if constant:
            return equals(part, with_constant(constant, (f"({right})",)), right)
        through = [self.through(arrays, case, side) for arrays, case in self.zipped()]
        if results[0].shape == self.arrays[0]["dh"].shape and part == "dh_prev":
            rest = [mine - sum(blocks) for mine, blocks in zip(results, through)]
            terms = terms_of(side.direct) if side.direct else ()
            target = flat(rest)
            sentence = self.of_sum("", "", terms or ((),), target)
            if sentence:
                direct = sentence.partition(" equals ")[2].partition(" where ")[0]
                shown = "" if direct == "0" else f"{direct} + "
                return equals(part, f"{shown}{whole} @ {side.W}.T", right)
        besides = [
            sum_of(terms_of(side.direct), arrays) if side.direct else 0.0
            for arrays in self.arrays
        ]
        rest = [mine - part_of for mine, part_of in zip(results, besides)]
        return self.of_products(part, side, rest, through)

    def of_products(
        self, part: str, side: Side, rest: list[np.ndarray], through: list
    ) -> str:
        """Which of the products with the blocks' weights are not as they should be."""
        columns = [flat(of_block) for of_block in zip(*through)]
        target = flat(rest)
        matrix = np.stack(columns, axis=1)
        numbers = np.linalg.lstsq(matrix, target, rcond=None)[0]
        term = lambda name: f"{name} @ {self.weight(side, name)}.T"
        if same(matrix @ numbers, target, PRECISE):
            wrong = [
                f"{term(name)} is {_times(number)}"
                for name, number in zip(side.blocks, numbers)
                if abs(number - 1) > PRECISE
            ]
            return f"In your {part}, {' and '.join(wrong)}."
        for k, name in enumerate(side.blocks):
            left = target - matrix.sum(axis=1) + columns[k]
            for text, other in self.products(side, name):
                value = flat(other)
                if same(value, left, PRECISE):
                    return f"In your {part}, {text} stands where {term(name)} belongs."
        return ""

    def products(self, side: Side, name: str) -> Iterator[tuple[str, list]]:
        """Other products of a block's shape, as code, with their values."""
        names = [q for q in self.equations.inside if q != "dc"] + ["dh"]
        for other, s in pairs(names, self.equations.sides):
            for k, block in enumerate(s.blocks):
                W = self.weight(s, block)
                weights = [
                    np.split(case[s.W], len(s.blocks), axis=1)[k] for case in self.cases
                ]
                for transposed in (True, False):
                    try:
                        value = [
                            arrays[other] @ (w.T if transposed else w)
                            for arrays, w in zip(self.arrays, weights)
                        ]
                    except ValueError:
                        continue
                    yield f"{other} @ {W}{'.T' if transposed else ''}", value

    # ---- blocks that are exchanged ---------------------------------------------------

    def exchanged(self, parts: Sequence[str]) -> str:
        """Whether some blocks are those of others."""
        outputs = {part.partition(", ")[0] for part in parts}
        blocks = [part.partition(", ")[2] for part in parts]
        if len(outputs) != 1 or not all(blocks):
            return ""
        output = outputs.pop()
        found = []
        for block in blocks:
            for other in self.cell.blocks:
                if other != block and all(
                    same(results[f"{output}, {block}"], ours, PRECISE)
                    for results, ours in zip(self.own, self.right(output, other))
                ):
                    found.append(f"your {output} of the {block} is that of the {other}")
        if len(found) < len(blocks):
            return ""
        sentence = ", ".join(found)
        return f"{sentence[0].upper()}{sentence[1:]}."

    def right(self, output: str, block: str) -> list[np.ndarray]:
        """What belongs in a block of an output or of da."""
        part = f"{output}, {block}"
        if part in self.quantities:
            return [arrays[self.quantities[part]] for arrays in self.arrays]
        for side in self.equations.sides:
            if output == f"d{side.W}":
                return [a[side.x].T @ self.da(a, side, block) for a in self.arrays]
            if side.bias and output == f"d{side.bias}":
                return [self.da(a, side, block).sum(axis=0) for a in self.arrays]
        return [np.full((), np.nan) for _ in self.arrays]

    # ---- small things ----------------------------------------------------------------

    def zipped(self) -> Iterator[tuple[Arrays, Case]]:
        return zip(self.arrays, self.cases)

    def block_of(self, side: Side, block: str) -> str:
        """The quantity that is a block of da, or da itself."""
        if not block:
            return side.blocks[0] if len(side.blocks) == 1 else self.equations.da
        return side.blocks[self.cell.blocks.index(block)]

    def da(self, arrays: Arrays, side: Side, block: str) -> np.ndarray:
        """A block of da, or all of it."""
        if block:
            return arrays[self.block_of(side, block)]
        return np.concatenate([arrays[name] for name in side.blocks], axis=1)

    def others(self, side: Side, name: str) -> list[str]:
        """Other quantities of the shape of a block."""
        names = ["dh", *self.equations.inside]
        return [other for other in names if other != name] if name in names else []

    def weight(self, side: Side, name: str) -> str:
        """The weights of a block, as code: ``Wx_f``."""
        return side.W if len(side.blocks) == 1 else f"{side.W}_{_letter(name)}"

    def through(self, arrays: Arrays, case: Case, side: Side) -> list[np.ndarray]:
        """The products of each block with its weights."""
        weights = np.split(case[side.W], len(side.blocks), axis=1)
        return [arrays[name] @ W.T for name, W in zip(side.blocks, weights)]

    def input_of(self, arrays: Arrays, case: Case, side: Side) -> np.ndarray:
        """dx or dh_prev, as it belongs."""
        dx = np.sum(self.through(arrays, case, side), axis=0)
        return dx + (sum_of(terms_of(side.direct), arrays) if side.direct else 0)

    def factor(self, part: str, made: Sequence[np.ndarray]) -> float:
        """By which number, the same in all cases, all of a part is what is made; or 0."""
        mine = flat(results[part] for results in self.own)
        other = flat(made)
        number = float(mine @ other / (other @ other)) if other.any() else 0.0
        close = same(number * other, mine, PRECISE) and abs(number) > PRECISE
        return float(f"{number:.9g}") if close else 0


def flat(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """All entries of some arrays."""
    return np.concatenate([np.ravel(array) for array in arrays])


def with_whole(parts: Parts, cell: Cell) -> Parts:
    """The parts, and the outputs whose blocks they are."""
    outputs = dict.fromkeys(part.partition(", ")[0] for part in parts)
    joined: Parts = {}
    for output in outputs:
        blocks = [f"{output}, {block}" for block in cell.blocks]
        if all(block in parts for block in blocks):
            joined[output] = np.concatenate([parts[b] for b in blocks], axis=-1)
    return joined | parts


def all_arrays(arrays: Arrays, cell: Cell) -> Arrays:
    """The arrays of a step, those derived from them, and the quantities; and B."""
    equations = EQUATIONS[cell]
    derived = {name: value_of(code, arrays) for name, code in equations.derived.items()}
    given = {**arrays, **derived}
    return {**given, **equations.values(given), "B": np.array(float(len(arrays["dh"])))}


def equals(part: str, text: str, right: str, change: str = "") -> str:
    """The sentence about a part: its formula, and what belongs there."""
    output, _, block = part.partition(", ")
    what = f"{output} of the {block}" if block else output
    end = f": {change}." if change else "."
    return f"Your {what} equals {text} where {right} belongs{end}"


def _sum(terms: Sequence[str]) -> str:
    return " + ".join(terms).replace("+ -", "- ")


def _times(number: float) -> str:
    if abs(number) <= PRECISE:
        return "left out"
    if abs(number + 1) <= PRECISE:
        return "subtracted"
    return f"added {number:.6g} times"


def _letter(name: str) -> str:
    """The block of a quantity: ``f`` of dzf, ``n`` of dan and dq."""
    return "n" if name == "dq" else name[-1]
