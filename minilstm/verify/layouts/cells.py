"""What the layouts know of our three cells: their states, gates and weights."""

from __future__ import annotations

from dataclasses import dataclass

from minilstm.errors import InputError


@dataclass(frozen=True)
class Cell:
    """A cell of ``minilstm.reference``."""

    name: str
    state: tuple[str, ...]  # what it hands to the next step
    blocks: tuple[str, ...]  # of the weights' columns
    weights: tuple[str, ...]


LSTM_BLOCKS = "input gate", "forget gate", "candidate", "output gate"
CELLS = {
    "lstm": Cell("lstm", ("h", "c"), LSTM_BLOCKS, ("Wx", "Wh", "b")),
    "gru": Cell(
        "gru",
        ("h",),
        ("reset gate", "update gate", "candidate"),
        ("Wx", "Wh", "bx", "bh"),
    ),
    "rnn": Cell("rnn", ("h",), ("",), ("Wx", "Wh", "b")),
}


def cell_named(name: str) -> Cell:
    """The cell of that name; InputError if there is none."""
    if name not in CELLS:
        raise InputError(f"cell must be one of {', '.join(CELLS)}, not {name!r}")
    return CELLS[name]
