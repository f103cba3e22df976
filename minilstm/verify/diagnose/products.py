"""Which product of arrays is this? A search over small changes of the right product.

A quantity of a backward step is a product, such as ``dc * c_prev * f * (1 - f)``. A slip
usually changes little of it: a factor is missing, another stands in its place, there is
one too many, or the sign or a constant is wrong. All entries of all random cases stand
in one vector. A candidate must give each of them, up to one constant. Since there are
more entries than anybody would believe in by chance, nothing is found that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np

from minilstm.verify.diagnose.equations import Arrays, Product, Sum, value_of

PRECISE = 1e-8  # relative; solving for a quantity loses some digits
FORMS = (  # of one array, the likely ones first
    "{}", "(1 - {})", "{}**2", "(1 - {}**2)", "(1 + {})", "(1 - {})**2", "(1 + {}**2)",
    "(1 - 2 * {})", "(2 - {})", "(2 - {}**2)", "{}**3", "(1 - {}**3)", "{}**4",
    "(1 - {}**4)", "sigmoid({})", "(1 - sigmoid({}))", "np.tanh({})",
    "(1 - np.tanh({})**2)", "(sigmoid({0}) * (1 - sigmoid({0})))",
)  # fmt: skip
OF_TWO = "({} - {})", "({} + {})", "(1 - {} * {})"
SIMPLE = FORMS[:2]
AT_MOST = 3  # arrays in a product that is not made from the right one


@dataclass(frozen=True)
class Match:
    """A product that gives all entries, and the one that belongs there."""

    constant: float
    factors: Product
    right: Product

    @property
    def text(self) -> str:
        """As code."""
        return with_constant(self.constant, self.factors)

    @property
    def change(self) -> str:
        """The difference to the right product, in words."""
        missing, added = less(self.right, self.factors), less(self.factors, self.right)
        found = []
        if missing and added:
            found.append(f"{' * '.join(added)} in place of {' and '.join(missing)}")
        elif missing or added:
            names, what = (missing, "missing") if missing else (added, "too much")
            verb = "is" if len(names) == 1 else "are"
            found.append(f"{' and '.join(names)} {verb} {what}")
        if self.constant == -1:
            found.append("the sign is wrong")
        elif self.constant != 1:
            found.append(f"{self.constant:.6g} is too much")
        return ", and ".join(found)


class Vectors:
    """All entries of all cases, one vector for each factor."""

    def __init__(self, cases: Sequence[Arrays], names: Iterable[str]):
        self.cases: list[dict[str, Any]] = [
            {**arrays, "sigmoid": _sigmoid} for arrays in cases
        ]
        self.names = list(names)  # of the arrays that a factor may be made of
        self.kept: dict[str, np.ndarray] = {}
        self.stacks: dict[tuple[Product, ...], np.ndarray] = {}

    def __getitem__(self, factor: str) -> np.ndarray:
        if factor not in self.kept:
            values = [
                np.broadcast_to(value_of(factor, case), case["dh"].shape).ravel()
                for case in self.cases
            ]
            self.kept[factor] = np.concatenate(values)
        return self.kept[factor]

    def product(self, factors: Iterable[str]) -> np.ndarray:
        """The product of some factors."""
        result = np.ones_like(self["dh"])
        for factor in factors:
            result = result * self[factor]
        return result

    def stack(self, products: Sequence[Product]) -> np.ndarray:
        """A row (entries,) for each product; those that were asked for are kept."""
        key = tuple(products)
        if key not in self.stacks:
            self.stacks[key] = np.stack([self.product(factors) for factors in key])
        return self.stacks[key]

    def factors(self, forms: Sequence[str], pairs: Sequence[str] = ()) -> list[str]:
        """Forms of one array each, and of two."""
        of_one = [form.format(name) for form in forms for name in self.names]
        of_two = [
            form.format(a, b) for form in pairs for a, b in combinations(self.names, 2)
        ]
        return [*of_one, *of_two, "1 / B", "B"]


def find(
    target: np.ndarray, right: Product, gradients: Sequence[str], vectors: Vectors
) -> Match | None:
    """The product that is nearest to the right one and equals the target."""
    if not np.isfinite(target).all() or not target.any():
        return None
    with np.errstate(all="ignore"):
        for kept, place, additions in _changes(right, gradients, vectors):
            found = _first(target / vectors.product(kept), additions, vectors)
            if found:
                constant, added = found
                factors = (*kept[:place], *added, *kept[place:])
                if factors:
                    return Match(constant, factors, right)
    return None


def _changes(
    right: Product, gradients: Sequence[str], vectors: Vectors
) -> Iterator[tuple[Product, int, list[Product]]]:
    """What is kept of the right product, and what may come in its place, and where.

    Small changes come first.
    """
    every: list[Product] = [(factor,) for factor in vectors.factors(FORMS, OF_TWO)]
    simple = vectors.factors(SIMPLE)
    two: list[Product] = [*combinations_with_replacement(simple, 2)]
    others: list[Product] = [(name,) for name in gradients if name not in right]
    end = len(right)
    yield right, end, [()]
    for additions in ([(), *others], every):
        for k in range(end):
            yield right[:k] + right[k + 1 :], k, additions
    yield right, end, every
    for k in range(end):
        yield right[:k] + right[k + 1 :], k, two
    for j, k in combinations(range(end), 2):
        kept = right[:j] + right[j + 1 : k] + right[k + 1 :]
        yield kept, j, [(), *every]
        if j:  # not the gradient
            yield kept, j, two
    for gradient in gradients:
        for size in range(AT_MOST + 1):
            yield (gradient,), 1, [*combinations_with_replacement(simple, size)]


def _first(
    rest: np.ndarray, additions: Sequence[Product], vectors: Vectors
) -> tuple[float, Product] | None:
    """The first of the additions with which the rest is one constant; and that."""
    ratios = rest / vectors.stack(additions)  # (candidates, entries)
    middle = ratios.mean(axis=1)
    spread = np.abs(ratios - middle[:, None]).max(axis=1)
    found = np.flatnonzero(spread <= PRECISE * np.abs(middle))
    if not found.size:
        return None
    # a constant of 1 or -1 is likelier than any other
    k = int(min(found, key=lambda k: abs(abs(middle[k]) - 1) > PRECISE))
    return _rounded(float(middle[k])), additions[k]


def less(factors: Product, without: Sequence[str]) -> Product:
    """The factors that are left without some others."""
    left = list(factors)
    for factor in without:
        if factor in left:
            left.remove(factor)
    return tuple(left)


def _rounded(number: float) -> float:
    """The number of few digits that it is nearly, if there is one."""
    short = float(f"{number:.6g}")
    return short if abs(short - number) <= PRECISE * abs(number) else number


def with_constant(constant: float, factors: Sequence[str]) -> str:
    """A product as code, with its constant in front."""
    product = " * ".join(factors) or "1"
    product = product.replace(" * 1 / B", " / B")
    if constant in (1, -1):
        return f"{'-' if constant < 0 else ''}{product}"
    return f"{constant:.6g} * {product}"


def text_of(terms: Sum) -> str:
    """A sum of products as code."""
    return " + ".join(" * ".join(term) for term in terms)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))
