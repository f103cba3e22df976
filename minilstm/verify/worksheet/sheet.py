"""The numbers of a worksheet, each given or computed from those before it.

``f2[1]`` is unit 2 of the forget gate at step 1, ``Wx[1,f2]`` the weight from input 1 to
it, ``dX`` is dLoss/dX, and ``X'`` is X after one weight was changed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

CHANGE = "One weight changes"  # the last section; its numbers need the gradients
FUNCTIONS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "exp": math.exp,
    "ln": math.log,
}
NAME = re.compile(r"\{(.+?)\}")  # in a formula, names stand in braces


@dataclass(frozen=True)
class Line:
    """One number: given (no formula), or computed from numbers before it."""

    section: str
    equation: str
    name: str
    formula: str  # "{f1[1]} * {c1[0]} + {i1[1]} * {g1[1]}"
    value: float

    @property
    def given(self) -> bool:
        """Whether the number is an input or a weight."""
        return not self.formula

    @property
    def forward(self) -> bool:
        """Whether the number is computed in the forward pass."""
        gradient = self.name.startswith("d")
        return not self.given and not gradient and self.section != CHANGE


def value_of(formula: str, values: Mapping[str, float]) -> float:
    """The value of a formula.

    >>> value_of("{f1[1]} * {c1[0]}^2", {"f1[1]": 0.5, "c1[0]": 3.0})
    4.5
    """
    python = NAME.sub(r'v["\1"]', formula).replace("^", "**")
    return eval(python, dict(FUNCTIONS), {"v": values})


@dataclass
class Worksheet:
    """All lines, in the order of computing; ``hidden`` H, ``input`` D, ``steps`` T.

    ``owner`` is the name of the student whose sheet it is, or empty.
    """

    hidden: int
    input: int
    steps: int
    seed: int
    lines: list[Line] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)
    by_name: dict[str, Line] = field(default_factory=dict)
    owner: str = ""

    def give(self, section: str, name: str, value: float) -> None:
        """A number that is not computed."""
        self._append(Line(section, "", name, "", value))

    def compute(self, section: str, equation: str, name: str, formula: str) -> None:
        """A number that is computed from those before it."""
        value = value_of(formula, self.values)
        self._append(Line(section, equation, name, formula, value))

    def _append(self, line: Line) -> None:
        assert line.name not in self.values, f"{line.name} is computed twice"
        self.lines.append(line)
        self.values[line.name] = line.value
        self.by_name[line.name] = line

    def perturbed_loss(self, name: str, by: float) -> float:
        """The loss if ``by`` is added to one of the given numbers."""
        other = Worksheet(self.hidden, self.input, self.steps, self.seed)
        for line in self.lines:
            if line.given:
                added = by if line.name == name else 0.0
                other.give(line.section, line.name, line.value + added)
            elif line.forward:
                other.compute(line.section, line.equation, line.name, line.formula)
        return other.values["loss"]

    def array(self, name: str, *axes) -> np.ndarray:
        """The values whose names ``name.format(...)`` gives for all axes."""
        shape = tuple(len(axis) for axis in axes)
        flat = [
            self.values[name.format(*(axis[k] for axis, k in zip(axes, index)))]
            for index in np.ndindex(shape)
        ]
        return np.array(flat).reshape(shape)
