"""What a backward pass through time computed in place of a quantity.

As ``search.py`` does for a step. Here an array may also be that of another step, and a
sum over the steps may have the wrong terms. ``f[t + 1]`` is the f of the step after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product as pairs

import numpy as np

from minilstm.verify.diagnose.equations import EQUATIONS, Arrays
from minilstm.verify.diagnose.products import PRECISE
from minilstm.verify.diagnose.search import Search, all_arrays, equals, flat, with_whole
from minilstm.verify.diagnose.through_time import Compared, Steps

MOST = 3  # sentences
ENOUGH = 4  # entries more than numbers that are solved for
BESIDE = {"_before": "[t - 1]", "_after": "[t + 1]"}
HAND_ON = re.compile(r"(d[hc])_prev, handed on by step (\d+)")
OF_STEP = re.compile(r"(\w+) of step (\d+)(.*)")


def in_words_of_steps(
    parts: Sequence[str], compared: Compared
) -> tuple[str, tuple[str, ...]]:
    """What the earliest wrong parts are, if a formula gives them; else "". And where.

    If what arrives at a step seems wrong, and the step makes of the right gradients
    what it has by another formula, then that formula is where.
    """
    searcher = _InTime(compared)
    instead = searcher.instead_of(parts[0])
    if instead:
        return instead
    output = parts[0].partition(", ")[0].partition("[")[0]
    first = [part for part in parts if part.startswith(output)]
    if len(first) == len(searcher.cell.blocks):
        sentence = searcher.of_part(output)
        if sentence:
            return sentence, tuple(parts)
    sentences = [sentence for part in first if (sentence := searcher.of_part(part))]
    return " ".join(dict.fromkeys(sentences[:MOST])), tuple(parts)


class _InTime:
    def __init__(self, compared: Compared):
        self.steps, self.arrays = compared.steps, compared.arrays
        self.cell = self.steps[0].cell
        self.own = [with_whole(parts, self.cell) for parts in compared.yours]
        self.equations = EQUATIONS[self.cell]
        self.T = len(self.arrays[0])

    def of_part(self, part: str) -> str:
        """A sentence about one part; "" if no formula is found."""
        handed_on, of_step = HAND_ON.fullmatch(part), OF_STEP.fullmatch(part)
        if handed_on:
            return self.of_handed_on(part, handed_on[1], int(handed_on[2]))
        if of_step and part == f"dh of step {self.T - 1}":
            return self.of_last_dh(part)
        if of_step and part in self.own[0]:
            return self.of_quantity(part, of_step[1] + of_step[3], int(of_step[2]))
        return self.of_output(part)

    def searches(self, steps: Sequence[int], *, arrived: bool = False) -> Search:
        """A search among the arrays of some steps, and of the steps beside them.

        Each step is a case of its own, with the dh and dc that belong there, or with
        those that arrived.
        """
        arrays = [
            all_arrays(
                self._given(of_case[t] if arrived else case.arrays[t]), self.cell
            )
            | _beside(case, t - 1, "_before")
            | _beside(case, t + 1, "_after")
            for case, of_case in zip(self.steps, self.arrays)
            for t in steps
        ]
        cases = [case.case for case in self.steps for _ in steps]
        own = [parts for parts in self.own for _ in steps]
        return Search(own, arrays, cases, self.cell)

    def _given(self, arrays: Arrays) -> Arrays:
        """What a step is given, without what it makes of it."""
        return {k: v for k, v in arrays.items() if k not in self.equations.inside}

    def of_quantity(self, part: str, name: str, t: int) -> str:
        """Of dc, or a block of dz: in all steps the same formula, or in this one."""
        quantity = {p: q for q, p in self.equations.parts.items()}.get(name, name)
        if quantity not in self.equations.inside:
            return ""
        in_all_steps = self.formula(name, quantity, range(self.T), arrived=True)
        return in_all_steps or self.formula(part, quantity, [t], arrived=True)

    def formula(
        self, title: str, quantity: str, steps: Sequence[int], *, arrived: bool = False
    ) -> str:
        """A sentence about a quantity in some steps; "" if no formula is found."""
        target = flat(arrays[t][quantity] for arrays in self.arrays for t in steps)
        terms, search = (
            self.equations.inside[quantity],
            self.searches(steps, arrived=arrived),
        )
        return _with_steps(search.of_sum(title, quantity, terms, target))

    def instead_of(self, part: str) -> tuple[str, tuple[str, ...]] | None:
        """A formula for the only quantity that is made of a dh that seems wrong."""
        handed_on = HAND_ON.fullmatch(part)
        step = int(handed_on[2]) - 1 if handed_on else self.T - 1
        if not part.startswith("dh") or len(self.equations.inside) > 1:
            return None
        if not handed_on and part != f"dh of step {step}":
            return None
        name = f"da of step {step}"
        sentence = self.formula(name, "da", [step])
        return (sentence, (name,)) if sentence else None

    def of_handed_on(self, part: str, name: str, t: int) -> str:
        """Of what step t handed on to the one before."""
        mine = flat(parts[part] for parts in self.own)
        if not np.abs(mine).max() > PRECISE:
            return f"Nothing arrives at step {t - 1} as its {name}_next."
        searcher, title = self.searches([t]), f"{name}_prev of step {t}"
        if name == "dc":
            terms = self.equations.inside["dc_prev"]
            sentence = searcher.of_sum(title, "dc_prev", terms, mine)
            if sentence:
                return _with_steps(sentence)
        for other, of in pairs(range(self.T), self.steps[0].handed_on[t]):
            made = [case.handed_on[other][of] for case in self.steps]
            number = searcher.factor(part, made)
            if number:
                times = "" if number == 1 else f"{number:.6g} * "
                what = f"{times}the {of}_prev of step {other}"
                return f"Step {t - 1} gets {what} as its {name}_next."
        arriving = {
            f"dh[{k}]": [s.case["dh"][k] for s in self.steps] for k in range(self.T)
        }
        arriving |= {
            f"{part}T": [s.case["dstate"][k] for s in self.steps]
            for k, part in enumerate(self.steps[0].handed_on[t])
        }
        arriving |= {
            f"d{q}_prev": [s.handed_on[t][f"d{q}"] for s in self.steps]
            for q in self.cell.state
        }
        text = _combination(mine, arriving)
        return equals(title, text, f"{name}_prev") if text else ""

    def of_last_dh(self, part: str) -> str:
        """Of the dh of the last step: which gradients are added up."""
        mine = flat(parts[part] for parts in self.own)
        made = {
            f"dh[{t}]": [s.case["dh"][t] for s in self.steps] for t in range(self.T)
        }
        made["dhT"] = [s.case["dstate"][0] for s in self.steps]
        text = _combination(mine, made)
        return equals(part, text, f"dh[{self.T - 1}] + dhT") if text else ""

    def of_output(self, part: str) -> str:
        """Of a gradient that is added up over the steps."""
        output, _, block = part.partition(", ")
        if part not in self.own[0]:
            return ""
        mine = flat(parts[part] for parts in self.own)
        for side in self.equations.sides:
            if output not in (f"d{side.W}", f"d{side.bias}"):
                continue
            name = self.searches([0]).block_of(side, block)
            made: dict[str, list[np.ndarray]] = {}
            for s, t in pairs(range(self.T), repeat=2):
                da = [
                    self.searches([t]).da(case.arrays[t], side, block)
                    for case in self.steps
                ]
                if output == f"d{side.W}":
                    made[f"{side.x}[{s}].T @ {name}[{t}]"] = [
                        case.arrays[s][side.x].T @ d for case, d in zip(self.steps, da)
                    ]
                elif s == t:
                    made[f"{name}[{t}].sum(axis=0)"] = [d.sum(axis=0) for d in da]
            text = _combination(mine, made)
            right = [
                text_of
                for text_of in made
                if len(set(re.findall(r"\[(\d+)\]", text_of))) == 1
            ]
            return equals(part, text, " + ".join(right)) if text else ""
        return ""


def _beside(case: Steps, t: int, ending: str) -> Arrays:
    """The arrays of a step beside, under other names."""
    if not 0 <= t < len(case.arrays):
        return {}
    arrays = all_arrays(case.arrays[t], case.cell)
    gradients = {"dh", "dc_next", "B", *EQUATIONS[case.cell].inside}
    return {name + ending: a for name, a in arrays.items() if name not in gradients}


def _with_steps(text: str) -> str:
    """Names of arrays as learners write them."""
    for ending, index in BESIDE.items():
        text = text.replace(ending, index)
    return text


def _combination(mine: np.ndarray, made: dict[str, list[np.ndarray]]) -> str:
    """The sum of multiples of arrays that gives all of mine, as code; "" if none does."""
    columns = np.stack([flat(arrays) for arrays in made.values()])
    if columns.shape[1] != len(mine) or len(columns) > len(mine) - ENOUGH:
        return ""
    numbers = np.linalg.lstsq(columns.T, mine, rcond=None)[0]
    if np.abs(numbers @ columns - mine).max() > PRECISE * np.abs(mine).max():
        return ""
    terms = []
    for text, number in zip(made, numbers):
        if abs(number) > PRECISE:
            times = "" if abs(abs(number) - 1) < PRECISE else f"{abs(number):.6g} * "
            terms.append(f"{'-' if number < 0 else '+'} {times}{text}")
    return " ".join(terms).removeprefix("+ ")
