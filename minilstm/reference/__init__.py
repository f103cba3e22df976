"""The reference implementation: every equation once, in plain NumPy.

Real or complex numbers of any dtype. Each ``X_backward`` stands right below its ``X``.
It imports NumPy and nothing else of minilstm, so it works where Numba is not installed.

Read it in this order: functions, lstm, sequence, embedding, loss, optimizers,
language_model (a whole model on one page), generate; then gru, rnn, dropout, initial.
If you read one file, read lstm.

For models of other shapes, go on with: padding, dense, pooling, bidirectional, stack,
classifier (many to one); attention, attention_lstm, decoder, encoder_decoder (many to
many); captioner (one to many).

A model is trained on ids; ``minilstm/data/tokenizers.py`` makes them of text. One
training step takes and returns the parameters and an Adam state for each of them:

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> ids = np.tile([0, 1, 2, 3], 5)[:, None]            # (T + 1, B) = (20, 1)
>>> params = initial_parameters(rng, vocab_size=4, hidden=8)
>>> adam = {name: AdamState() for name in params}
>>> for _ in range(50):
...     loss, params, adam = train_step(params, adam, ids[:-1], ids[1:], rate=0.05)
>>> bool(loss < 0.1)
True
>>> prompt = np.array([[1]])                           # (T, B) = (1, 1)
>>> generate_ids(params, prompt, 5, rng)[:, 0].tolist()
[2, 3, 0, 1, 2]
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
from minilstm.reference.generate import generate_ids
from minilstm.reference.gru import GRUGrads, GRUStepCache, gru_step, gru_step_backward
from minilstm.reference.initial import initial_parameters
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
from minilstm.reference.optimizers import AdamState
from minilstm.reference.pooling import pool_backward, pool_forward
from minilstm.reference.rnn import RNNGrads, RNNStepCache, rnn_step, rnn_step_backward
from minilstm.reference.sequence import sequence_backward, sequence_forward

__all__ = [
    "AdamState",
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
    "generate_ids",
    "gru_step",
    "gru_step_backward",
    "initial_parameters",
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
