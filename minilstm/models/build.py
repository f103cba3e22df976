"""From sizes to layers, and to the names and shapes of all parameters.

Nothing is allocated here, so a model's size is known before it is built.
"""

from __future__ import annotations

from typing import Any

from minilstm.layers import GRU, LSTM, RNN, Dense, Embedding, Recurrent, TiedDense

CELLS: dict[str, type[Recurrent]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


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
    for k in range(layers):
        built[f"{cell}{k}"] = CELLS[cell](width, hidden)
        width = hidden
    built["output"] = TiedDense(width, vocab_size) if tied else Dense(width, vocab_size)
    return built


def parameter_shapes(layers: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all parameters, in the order of the flat vector."""
    return {
        f"{name}.{key}": shape
        for name, layer in layers.items()
        for key, shape in layer.shapes.items()
    }
