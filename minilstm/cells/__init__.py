"""One time step by the book: each ``*_step_backward`` right below its ``*_step``."""

from minilstm.cells.gru import GRUGrads, GRUStepCache, gru_step, gru_step_backward
from minilstm.cells.lstm import LSTMGrads, LSTMStepCache, lstm_step, lstm_step_backward
from minilstm.cells.rnn import RNNGrads, RNNStepCache, rnn_step, rnn_step_backward

__all__ = [
    "GRUGrads",
    "GRUStepCache",
    "LSTMGrads",
    "LSTMStepCache",
    "RNNGrads",
    "RNNStepCache",
    "gru_step",
    "gru_step_backward",
    "lstm_step",
    "lstm_step_backward",
    "rnn_step",
    "rnn_step_backward",
]
