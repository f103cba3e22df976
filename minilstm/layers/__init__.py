"""Layers: frozen sizes with ``init``, ``forward`` and ``backward``, without any state."""

from minilstm.layers.dense import Dense, TiedDense
from minilstm.layers.dropout import Dropout
from minilstm.layers.embedding import Embedding
from minilstm.layers.gru import GRU
from minilstm.layers.lstm import LSTM
from minilstm.layers.packing import Packing
from minilstm.layers.recurrent import Recurrent, State
from minilstm.layers.rnn import RNN
from minilstm.layers.workspace import Workspace

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Dense",
    "Dropout",
    "Embedding",
    "Packing",
    "Recurrent",
    "State",
    "TiedDense",
    "Workspace",
]
