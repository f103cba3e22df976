"""The backward step of each cell as a table: what ``causes.py`` and ``search.py`` read.

A quantity is a sum of products, written as in ``minilstm/reference``, with products of
the form ``a * b`` and sums of the form ``a + b``. ``dc_next`` is the argument dc. What a
step computes with it are the products of each side: an input, its weights, its bias.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minilstm.verify.cells import GRU, LSTM, RNN, Cell
from minilstm.verify.contracts import Case

Arrays = dict[str, np.ndarray]
Product = tuple[str, ...]  # factors
Sum = tuple[Product, ...]


class Side(NamedTuple):
    """x @ W + b, where x may be h_prev."""

    x: str
    dx: str
    W: str
    bias: str  # "" if the other side has it
    blocks: tuple[str, ...]  # the quantities of which the gradients are made
    direct: str = ""  # what dx has besides


@dataclass(frozen=True)
class Equations:
    """What a backward step computes, in the order of computing."""

    inside: dict[str, Sum]
    parts: dict[str, str]  # a quantity, and the part that it is called
    da: str  # what the gradient of the pre-activations is called
    uses_dh: str  # the equation that is the first to read dh
    sides: tuple[Side, ...]
    derived: dict[str, str]  # arrays that are not in the cache, from those that are
    hidden: tuple[str, ...]  # what no output shows, the last first
    outputs: tuple[str, ...] = ()  # quantities that are outputs themselves

    def values(self, arrays: Arrays) -> Arrays:
        """All quantities, from the arrays of the cache, dh and dc_next."""
        found = dict(arrays)
        for name, terms in self.inside.items():
            found[name] = sum_of(terms, found)
        return {name: found[name] for name in self.inside}

    def outputs_of(self, arrays: Arrays) -> Arrays:
        """The quantities that are outputs, made of the others."""
        return {name: sum_of(self.inside[name], arrays) for name in self.outputs}

    def paths(self, name: str) -> Iterator[tuple[str, Product, list[Product]]]:
        """Which quantities have ``name`` as a factor: quantity, other factors, other
        terms.
        """
        for made, terms in self.inside.items():
            for term in terms:
                if term[0] == name:
                    yield made, term[1:], [other for other in terms if other != term]


def _parse(text: str) -> dict[str, Sum]:
    """Quantities and their terms from lines of code."""
    lines = (line.partition(" = ") for line in text.strip().splitlines())
    return {name.strip(): terms_of(right) for name, _, right in lines}


def terms_of(text: str) -> Sum:
    """The products of a sum."""
    return tuple(tuple(term.split(" * ")) for term in text.split(" + "))


def value_of(factor: str, arrays: Arrays) -> np.ndarray:
    """A factor, such as ``f`` or ``(1 - f)``."""
    value = arrays.get(factor)
    if value is None:
        value = eval(_compiled(factor), {"np": np}, arrays)
    return value


@cache
def _compiled(factor: str) -> Any:
    return compile(factor, "<factor>", "eval")


def product_of(factors: Product, arrays: Arrays) -> np.ndarray | float:
    """The product of some factors."""
    result: np.ndarray | float = 1.0
    for factor in factors:
        result = result * value_of(factor, arrays)
    return result


def sum_of(terms: Sum | list[Product], arrays: Arrays) -> Any:
    """The sum of some products."""
    return sum((product_of(term, arrays) for term in terms), 0.0)


def arrays_of(case: Case) -> Arrays:
    """What a backward step reads of a case: the cache, dh and dc_next."""
    gradients = {"dh": case["dh"]}
    if "dc" in case:
        gradients["dc_next"] = case["dc"]
    return {**case["cache"]._asdict(), **gradients}


_OF_LSTM = "dzi", "dzf", "dzg", "dzo"
EQUATIONS: dict[Cell, Equations] = {
    LSTM: Equations(
        inside=_parse("""
            dc = dc_next + dh * o * (1 - tanh_c**2)
            dc_prev = dc * f
            dzi = dc * g * i * (1 - i)
            dzf = dc * c_prev * f * (1 - f)
            dzg = dc * i * (1 - g**2)
            dzo = dh * tanh_c * o * (1 - o)
        """),
        parts={
            f"dz{gate[0] if gate != 'candidate' else 'g'}": f"dz, {gate}"
            for gate in LSTM.blocks
        },
        da="dz",
        uses_dh="equation (6)",
        sides=(
            Side("x", "dx", "Wx", "b", _OF_LSTM),
            Side("h_prev", "dh_prev", "Wh", "", _OF_LSTM),
        ),
        derived={"c": "f * c_prev + i * g", "h": "o * tanh_c"},
        hidden=("dc", "dh"),
        outputs=("dc_prev",),
    ),
    GRU: Equations(
        inside=_parse("""
            dan = dh * (1 - z) * (1 - n**2)
            daz = dh * (h_prev - n) * z * (1 - z)
            dar = dan * q * r * (1 - r)
            dq = dan * r
        """),
        parts={
            "dan": "da, candidate",
            "daz": "da, update gate",
            "dar": "da, reset gate",
            "dq": "dq",
        },
        da="da",
        uses_dh="equation (5)",
        sides=(
            Side("x", "dx", "Wx", "bx", ("dar", "daz", "dan")),
            Side("h_prev", "dh_prev", "Wh", "bh", ("dar", "daz", "dq"), "dh * z"),
        ),
        derived={"h": "(1 - z) * n + z * h_prev"},
        hidden=("dh",),
    ),
    RNN: Equations(
        inside=_parse("da = dh * (1 - h**2)"),
        parts={"da": "da"},
        da="da",
        uses_dh="equation (1)",
        sides=(
            Side("x", "dx", "Wx", "b", ("da",)),
            Side("h_prev", "dh_prev", "Wh", "", ("da",)),
        ),
        derived={},
        hidden=("dh",),
    ),
}
