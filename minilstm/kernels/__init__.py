"""The same mathematics as by the book, as compiled loops: the same names, in the same order."""

from minilstm.kernels import adam, embedding, generation, gru, lstm, panels, product, rmsprop, rnn, sampling, sgd, softmax

__all__ = [
    "adam", "embedding", "generation", "gru", "lstm", "panels", "product", "rmsprop", "rnn", "sampling", "sgd", "softmax",
]  # fmt: skip
