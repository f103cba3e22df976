"""The reference implementation: every equation once, in NumPy, as the book has it.

Real or complex numbers of any dtype. Each ``X_backward`` stands right below its ``X``.
It imports NumPy and nothing else of minilstm, so it works where Numba is not installed.

Read it in this order: functions, lstm, sequence, embedding, loss, optimizers,
language_model (a whole model on one page), generate; then gru, rnn, dropout, initial.

For models of other shapes, go on with: padding, dense, pooling, bidirectional, stack,
classifier (many to one); attention, attention_lstm, decoder, encoder_decoder (many to
many); captioner (one to many).
"""

from minilstm.reference.attention import attention_backward, attention_forward
from minilstm.reference.attention_lstm import (
    attention_lstm_backward,
    attention_lstm_forward,
)
from minilstm.reference.bidirectional import (
    bidirectional_backward,
    bidirectional_forward,
)
from minilstm.reference.gru import GRUGrads, GRUStepCache, gru_step, gru_step_backward
from minilstm.reference.language_model import loss_and_gradients, train_step
from minilstm.reference.loss import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from minilstm.reference.lstm import (
    LSTMGrads,
    LSTMStepCache,
    lstm_step,
    lstm_step_backward,
)
from minilstm.reference.pooling import pool_backward, pool_forward
from minilstm.reference.rnn import RNNGrads, RNNStepCache, rnn_step, rnn_step_backward
from minilstm.reference.sequence import sequence_backward, sequence_forward

__all__ = [
    "GRUGrads",
    "GRUStepCache",
    "LSTMGrads",
    "LSTMStepCache",
    "RNNGrads",
    "RNNStepCache",
    "attention_backward",
    "attention_forward",
    "attention_lstm_backward",
    "attention_lstm_forward",
    "bidirectional_backward",
    "bidirectional_forward",
    "gru_step",
    "gru_step_backward",
    "loss_and_gradients",
    "lstm_step",
    "lstm_step_backward",
    "pool_backward",
    "pool_forward",
    "rnn_step",
    "rnn_step_backward",
    "sequence_backward",
    "sequence_forward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
    "train_step",
]
