"""Gradient puzzles: a line of a forward pass, and one expression for its gradient.

A puzzle never holds the right numbers. Its forward lines are evaluated with complex
numbers, so the complex step gives the gradient to the last digit, and an answer is
compared with that. Known wrong answers are expressions too, each with its sentence. The
table is ``lessons/grading/puzzles.py``.

    (1)  L = Σ_outputs Σ dy ⊙ y                    y: what forward computes and does not read
    (2)  dx = ∂L/∂x = Im L(x + ih) / h             for every entry of x, h = 1e-200

With (1) the gradient of the output y is dy, any array of its shape, as in the middle of a
network. If the output is called loss, L is the loss itself.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilstm.course.expressions import evaluate, in_letters, parsed
from minilstm.course.compare import same
from minilstm.course.grading import Wrong
from minilstm.reference.functions import sigmoid, softmax
from minilstm.verify.gradcheck.numerical import complex_step

# Two draws, so that an answer with the number 3 in place of B is not right.
SIZES = (
    {"A": 10, "B": 3, "D": 4, "H": 7, "N": 6, "S": 9, "T": 5, "V": 8},
    {"A": 3, "B": 5, "D": 7, "H": 4, "N": 2, "S": 8, "T": 6, "V": 9},
)
SHAPE = re.compile(r"(\w+(?:, \w+)*) \(([^)]*)\)")
RIGHT = "equal to the complex step"
ONE_SIZE = (
    "this is right for one size only; is there a number in it that is the length of an"
    " axis?"
)
GIVEN = {"sigmoid": sigmoid, "softmax": softmax}


@dataclass(frozen=True, eq=False)
class Case:
    """A puzzle with numbers.

    Parameters
    ----------
    names : all that an answer may use, by name.
    gradients : dL/dX of every input X by the complex step, without those of one-hot rows.
    letters : from a length of an axis to its letter.
    """

    names: Mapping[str, Any]
    gradients: Mapping[str, np.ndarray]
    letters: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class Puzzle:
    """One puzzle.

    Parameters
    ----------
    title : a few words.
    forward : lines ``y = expression``, one below the other.
    wrt : the input whose gradient is asked for.
    shapes : of all inputs, such as ``"x (B, D), w, b (D,)"``. An input that is called
        onehot has a single 1 in each row.
    hint : a sentence or two.
    solution : an expression.
    wrong : from expressions that people write to what is wrong with them.
    """

    title: str
    forward: str
    wrt: str
    shapes: str
    hint: str
    solution: str
    wrong: Mapping[str, str]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The forward lines: names and expressions."""
        pairs = (line.split(" = ", 1) for line in self.forward.splitlines())
        return [(name.strip(), expression.strip()) for name, expression in pairs]

    @property
    def outputs(self) -> list[str]:
        """What the forward lines compute and do not read."""
        read = {
            node.id
            for _, expression in self.lines
            for node in ast.walk(parsed(expression))
            if isinstance(node, ast.Name)
        }
        return [name for name, _ in self.lines if name not in read]

    @property
    def upstream(self) -> list[str]:
        """The names of the gradients that are given."""
        return [f"d{name}" for name in self.outputs if name != "loss"]

    @property
    def question(self) -> str:
        """What is given, and what is asked for."""
        given = f"Given {' and '.join(self.upstream)}: " if self.upstream else ""
        return f"{given}what is d{self.wrt}?"

    @functools.cache
    def case(self, draw: int = 0) -> Case:
        """Random numbers for the inputs, and the gradients that belong to them."""
        rng, sizes = np.random.default_rng(draw), SIZES[draw]
        letters = {n: letter for letter, n in sizes.items()}
        used = set(re.findall(r"\b[A-Z]\b", f"{self.shapes} {self.forward}"))
        axes = {letter: n for letter, n in sizes.items() if letter in used}
        inputs = self._inputs(rng, sizes)

        def forward(inputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
            names = {**inputs, **axes, **GIVEN}
            for name, expression in self.lines:
                names[name] = evaluate(expression, names, letters)
            return names

        names = forward(inputs)
        dy = {y: rng.normal(size=np.shape(names[y])) for y in self.outputs}

        def loss(moved: Mapping[str, np.ndarray]) -> Any:
            names = forward({**inputs, **moved})
            return sum(
                names[y] if y == "loss" else np.sum(dy[y] * names[y])
                for y in self.outputs
            )  # (1)

        moved = {name: x for name, x in inputs.items() if name != "onehot"}
        gradients = complex_step(loss, moved)  # (2)
        upstream = {f"d{y}": dy[y] for y in self.outputs if y != "loss"}
        names.pop("loss", None)
        for array in (*upstream.values(), *names.values()):
            if isinstance(array, np.ndarray):
                array.setflags(write=False)  # np.add(a, b, out=a) would change it
        return Case({**upstream, **names}, gradients, letters)

    def _inputs(self, rng: np.random.Generator, sizes) -> dict[str, np.ndarray]:
        inputs = {}
        for names, shape in SHAPE.findall(self.shapes):
            axes = [sizes.get(n) or int(n) for n in re.findall(r"\w+", shape)]
            for name in names.split(", "):
                inputs[name] = rng.normal(size=axes)
        if "onehot" in inputs:
            rows, columns = inputs["onehot"].shape
            inputs["onehot"] = np.eye(columns)[rng.integers(0, columns, rows)]
        return inputs

    def check(self, answer: str) -> str:
        """Grade an answer.

        Parameters
        ----------
        answer : an expression. ``dX =`` in front of it is ignored.

        Returns
        -------
        sentence : that it is right, and the solution if that looks different.

        Raises
        ------
        Wrong
            With the sentence of a known wrong answer, or else with what does not fit.
        """
        answer = self.alone(answer)
        for draw in range(len(SIZES)):
            case = self.case(draw)
            value = evaluate(answer, case.names, case.letters)
            try:
                self._compare(value, case)
            except Wrong:
                if draw == 0:
                    raise
                raise Wrong(ONE_SIZE) from None
        same_tree = ast.dump(parsed(answer)) == ast.dump(parsed(self.solution))
        return RIGHT if same_tree else f"{RIGHT}; another way: {self.solution}"

    def alone(self, answer: str) -> str:
        """The expression of an answer, without ``dX =`` in front of it."""
        return re.sub(rf"^\s*(d{self.wrt}|p\d+)\s*=(?!=)\s*", "", answer)

    def _compare(self, answer: Any, case: Case) -> None:
        name, right = f"d{self.wrt}", case.gradients[self.wrt]
        if not isinstance(answer, (int, float, np.ndarray, np.number)) or (
            np.asarray(answer).dtype.kind not in "biuf"
        ):
            kind = type(answer).__name__
            raise Wrong(f"{name} must be an array of real numbers, not {kind}")
        value = np.asarray(answer, float)
        if _equal(value, right):
            return
        for expression, sentence in self.wrong.items():
            if _equal(value, evaluate(expression, case.names, case.letters)):
                raise Wrong(sentence)
        for other, gradient in case.gradients.items():
            if _equal(value, gradient):
                raise Wrong(
                    f"this is d{other}, the gradient of {other}, not of {self.wrt}"
                )
        if value.shape != right.shape:
            raise Wrong(self._misshapen(name, value, right, case))
        if not value.any():
            raise Wrong(f"this is 0 everywhere, and {name} is not")
        if _equal(-value, right):
            raise Wrong("this has the wrong sign")
        for dy in self.upstream:
            if _product_equal(value, case.names[dy], right):
                raise Wrong(f"{dy} is missing: by the chain rule, it is a factor")
        if factor := _factor(value, right, case.names):
            raise Wrong(f"this is {factor} times what it should be")
        same(name, value, right)

    def _misshapen(self, name: str, value: np.ndarray, right: np.ndarray, case) -> str:
        yours, wanted = (in_letters(a.shape, case.letters) for a in (value, right))
        if value.ndim == 0:
            yours = "one number"
        like = (
            f"{name} must have the shape of {self.wrt}, {wanted}, but yours is {yours}"
        )
        if _equal(value.T, right):
            return f"{like}: transpose it"
        try:
            spread = np.broadcast_to(value, right.shape)
        except ValueError:
            return like
        return f"{like}. The numbers are right" if _equal(spread, right) else like


def _equal(value: Any, right: Any) -> bool:
    return np.shape(value) == np.shape(right) and np.allclose(
        value, right, rtol=1e-9, atol=1e-12
    )


def _factor(value: np.ndarray, right: np.ndarray, names: Mapping[str, Any]) -> str:
    """The factor between two arrays as text: a small number, or lengths of axes."""
    ratio = value.flat[0] / right.flat[0]
    if not np.isfinite(ratio) or not _equal(value, ratio * right):
        return ""
    sizes = {"1": 1, "2": 2} | {x: n for x, n in names.items() if type(n) is int}
    for (top, a), (bottom, b) in itertools.product(sizes.items(), repeat=2):
        if np.isclose(abs(ratio), a / b, rtol=1e-9):
            sign = "-" if ratio < 0 else ""
            return f"{sign}{top}" + (f"/{bottom}" if bottom != "1" else "")
    return ""


def _product_equal(value: Any, factor: np.ndarray, right: np.ndarray) -> bool:
    try:
        return _equal(value * factor, right)
    except ValueError:
        return False
