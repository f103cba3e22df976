"""The parameters of a language model before the first step of training.

    (1)  Wx, W: uniform in ±√(6 / (rows + columns))    Glorot and Bengio (2010), eq. 16
    (2)  Wh: random, with orthonormal rows             Saxe, McClelland, Ganguli (2014)
    (3)  We, the embedding: uniform in ±0.05
    (4)  biases: zero, but 1 for an LSTM's forget gate    Jozefowicz et al. (2015)

(1) and (2) keep signals and gradients from growing or shrinking from layer to layer and
from step to step; (4) lets the memory last. Names and shapes: ``language_model.py``.
"""

import numpy as np

# blocks of H columns in the weights of a cell, and its biases
BLOCKS = {"lstm": (4, ["b"]), "gru": (3, ["bx", "bh"]), "rnn": (1, ["b"])}


def glorot_uniform(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A matrix (rows, columns) by (1)."""
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns))


def orthogonal(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A matrix (rows, columns) by (2); orthonormal columns, if there are more rows."""
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))  # without the sign q would not be uniform
    return q if rows >= columns else q.T


def initial_parameters(
    rng: np.random.Generator,
    vocab_size: int,
    embedding: int | None = None,
    hidden: int = 128,
    layers: int = 1,
    cell: str = "lstm",
    tied: bool = False,
    dtype=np.float64,
) -> dict[str, np.ndarray]:
    """Parameters by name. ``embedding`` is the width E of We; default: one-hot input."""
    params: dict[str, np.ndarray] = {}
    width = vocab_size
    if embedding is not None:
        params["embedding.W"] = rng.uniform(-0.05, 0.05, (vocab_size, embedding))  # (3)
        width = embedding
    blocks, biases = BLOCKS[cell]
    for k in range(layers):
        params[f"{cell}{k}.Wx"] = glorot_uniform(rng, width, blocks * hidden)   # (1)
        params[f"{cell}{k}.Wh"] = orthogonal(rng, hidden, blocks * hidden)      # (2)
        for name in biases:
            params[f"{cell}{k}.{name}"] = np.zeros(blocks * hidden)             # (4)
        if cell == "lstm":
            params[f"{cell}{k}.b"][hidden : 2 * hidden] = 1                    # (4)
        width = hidden
    if not tied:
        params["output.W"] = glorot_uniform(rng, width, vocab_size)            # (1)
    params["output.b"] = np.zeros(vocab_size)
    return {name: np.ascontiguousarray(W, dtype) for name, W in params.items()}
