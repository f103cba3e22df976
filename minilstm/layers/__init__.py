"""Layers: descriptions of sizes, with ``init``, ``forward`` and ``backward``. They keep nothing between calls."""

from minilstm.layers.dense import Dense
from minilstm.layers.embedding import Embedding
from minilstm.layers.lstm import LSTM
from minilstm.layers.packing import Packing
from minilstm.layers.workspace import Workspace

__all__ = ["LSTM", "Dense", "Embedding", "Packing", "Workspace"]
