"""minilstm: an LSTM engine small enough to read, proven to the last gradient, and fast."""

__version__ = "0.1.0"
