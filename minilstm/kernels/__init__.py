"""The same mathematics as by the book, as compiled loops: the same names, in the same order."""

from minilstm.kernels import adam, embedding, gru, lstm, product, rmsprop, rnn, sgd, softmax

__all__ = ["adam", "embedding", "gru", "lstm", "product", "rmsprop", "rnn", "sgd", "softmax"]
