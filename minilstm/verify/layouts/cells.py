"""What the layouts know of our three cells: their states, gates and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from minilstm.errors import InputError


@dataclass(frozen=True)
class Cell:
    """A cell of ``minilstm.reference``."""

    name: str
    states: tuple[str, ...]  # what it hands to the next step
    gates: Mapping[str, str]  # titles by letter, in the order of our blocks
    biases: tuple[str, ...]


CELLS = {
    "lstm": Cell(
        "lstm",
        ("h", "c"),
        {"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"},
        ("b",),
    ),
    "gru": Cell(
        "gru",
        ("h",),
        {"r": "reset gate", "z": "update gate", "n": "candidate"},
        ("bx", "bh"),
    ),
    "rnn": Cell("rnn", ("h",), {"h": "hidden state"}, ("b",)),
}


def find_cell(name) -> Cell:
    """The cell of a name."""
    if not isinstance(name, str) or name not in CELLS:
        raise InputError(f"cell must be one of {', '.join(CELLS)}, not {name!r}")
    return CELLS[name]
