"""One time step by the book: each ``*_step_backward`` right below its ``*_step``."""

from minilstm.cells.lstm import LSTMGrads, LSTMStepCache, lstm_step, lstm_step_backward

__all__ = ["LSTMGrads", "LSTMStepCache", "lstm_step", "lstm_step_backward"]
