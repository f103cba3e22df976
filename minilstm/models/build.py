"""From sizes to layers, and to the names and shapes of all parameters.

Nothing is allocated here, so a model's size is known before it is built.
"""

from __future__ import annotations

from typing import Any

from minilstm.checks import check_flag, check_size
from minilstm.errors import InputError
from minilstm.layers import GRU, LSTM, RNN, Dense, Embedding, Recurrent, TiedDense
from minilstm.layers.stack import REVERSE

CELLS: dict[str, type[Recurrent]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


def check_stack(cell: str, hidden: int, layers: int, bidirectional: bool) -> None:
    """Raise InputError unless these are sizes of a stack of recurrent layers."""
    check_size("hidden", hidden)
    check_size("layers", layers)
    check_flag("bidirectional", bidirectional)
    if not isinstance(cell, str) or cell not in CELLS:
        raise InputError(f"cell must be one of {', '.join(CELLS)}, not {cell!r}")
    if bidirectional and hidden % 2:
        raise InputError(
            f"hidden must be even, since each direction has half of it, not {hidden}"
        )


def build_layers(
    vocab_size: int,
    embedding: int | None,
    hidden: int,
    layers: int,
    cell: str,
    tied: bool = False,
) -> dict[str, Any]:
    """The layers by name, in the order in which the data passes through them."""
    built: dict[str, Any] = {}
    width = vocab_size
    if embedding is not None:
        built["embedding"] = Embedding(vocab_size, embedding)
        width = embedding
    built |= recurrent_layers(cell, width, hidden, layers)
    width = hidden
    built["output"] = TiedDense(width, vocab_size) if tied else Dense(width, vocab_size)
    return built


def recurrent_layers(
    cell: str, width: int, hidden: int, layers: int, bidirectional: bool = False
) -> dict[str, Recurrent]:
    """Recurrent layers by name: ``lstm0``, ``lstm1`` …; the first reads ``width`` numbers.

    All have outputs of width ``hidden``. A bidirectional layer also has ``lstm0_reverse``,
    and each direction is half as wide.
    """
    built: dict[str, Recurrent] = {}
    for k in range(layers):
        size = hidden // 2 if bidirectional else hidden
        for suffix in ("", REVERSE)[: 1 + bidirectional]:
            built[f"{cell}{k}{suffix}"] = CELLS[cell](width, size)
        width = hidden
    return built


def parameter_shapes(layers: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all parameters, in the order of the flat vector."""
    return {
        f"{name}.{key}": shape
        for name, layer in layers.items()
        for key, shape in layer.shapes.items()
    }
