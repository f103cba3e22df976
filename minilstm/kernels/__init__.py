"""Compiled loops: equations of ``minilstm.reference``, with its names and numbers."""

from minilstm.kernels import (
    adam,
    attention,
    embedding,
    generation,
    gru,
    lstm,
    packed_weights,
    product,
    rmsprop,
    rnn,
    sampling,
    sgd,
    softmax,
)

__all__ = [
    "adam",
    "attention",
    "embedding",
    "generation",
    "gru",
    "lstm",
    "packed_weights",
    "product",
    "rmsprop",
    "rnn",
    "sampling",
    "sgd",
    "softmax",
]
