"""An LSTM that looks at a source at every time step.

The query is what the layer itself showed last, and the context is read beside x:

    (1)  context = attention(h_prev, a)            ``attention.py``
    (2)  z = x Wx + context Wc + h_prev Wh + b     an LSTM that reads [x; context] by
                                                   the weights [Wx; Wc], ``lstm.py``

The annotations a are the same at every time step, just as weights are. So their
gradients from all T steps add up, together with those of the weights.

Bahdanau, Cho and Bengio (2015, arXiv:1409.0473), appendix A, where the cell is a GRU.
Shapes: x (T, B, D), h (T, B, H), a state (h, c) of arrays (B, H), lengths (B,) of the
target; a (S, B, A), source_lengths (B,); Wx (D, 4H), Wc (A, 4H), Wh (H, 4H), b (4H,);
the rest as in ``attention.py``.
"""

from typing import Any, NamedTuple

import numpy as np

from minilstm.reference.attention import (
    AttentionCache,
    attention_backward,
    attention_forward,
)
from minilstm.reference.lstm import LSTMStepCache, lstm_step, lstm_step_backward
from minilstm.reference.padding import clear_padding
from minilstm.reference.sequence import (
    SequenceCache,
    sequence_backward,
    sequence_forward,
)


class AttentionLSTMWeights(NamedTuple):
    """The weights of the LSTM, then those of its attention."""

    Wx: np.ndarray  # (D, 4H)
    Wh: np.ndarray  # (H, 4H)
    b: np.ndarray  # (4H,)
    Wc: np.ndarray  # (A, 4H)
    Wq: np.ndarray  # (H, K)
    Wa: np.ndarray  # (A, K)
    ba: np.ndarray  # (K,), the bias of attention
    v: np.ndarray  # (K,)


class AttentionLSTMStepCache(NamedTuple):
    """What backward needs of a step."""

    attention: AttentionCache
    lstm: LSTMStepCache


class AttentionLSTMGrads(NamedTuple):
    """Gradients of the annotations and of the weights."""

    a: np.ndarray  # (S, B, A); the rest as in AttentionLSTMWeights
    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray
    Wc: np.ndarray
    Wq: np.ndarray
    Wa: np.ndarray
    ba: np.ndarray
    v: np.ndarray


def attention_lstm_step(x, h_prev, c_prev, a, source_lengths, W: AttentionLSTMWeights):
    """From (x, h_prev, c_prev) and a to (h, c), and a cache."""
    context, attended = attention_forward(                                     # (1)
        h_prev, a, source_lengths, W.Wq, W.Wa, W.ba, W.v
    )
    read, Wxc = np.hstack([x, context]), np.vstack([W.Wx, W.Wc])  # (B, D+A), (D+A, 4H)
    h, c, cache = lstm_step(read, h_prev, c_prev, Wxc, W.Wh, W.b)              # (2)
    return h, c, AttentionLSTMStepCache(attended, cache)


def attention_lstm_step_backward(
    dh, dc, cache: AttentionLSTMStepCache, Wxc, W: AttentionLSTMWeights
):
    """From (dh, dc) back to (dx, dh_prev, dc_prev), and the gradients. Wxc: [Wx; Wc]."""
    dread, dh_prev, dc_prev, (dWxc, dWh, db) = lstm_step_backward(             # (2)
        dh, dc, cache.lstm, Wxc, W.Wh
    )
    dx, dcontext = np.split(dread, [len(W.Wx)], axis=1)  # (B, D), (B, A)        (2)
    dWx, dWc = np.split(dWxc, [len(W.Wx)])  # (D, 4H), (A, 4H)                   (2)
    dq, da, (dWq, dWa, dba, dv) = attention_backward(                          # (1)
        dcontext, cache.attention, W.Wq, W.Wa, W.v
    )
    dh_prev = dh_prev + dq  # h_prev is read twice                          (1), (2)
    grads = AttentionLSTMGrads(da, dWx, dWh, db, dWc, dWq, dWa, dba, dv)
    return dx, dh_prev, dc_prev, grads


def attention_lstm_forward(
    x, a, state: tuple, W: AttentionLSTMWeights, source_lengths, lengths=None
) -> tuple[np.ndarray, tuple, SequenceCache]:
    """From x, a (S, B, A) and an initial state to h (T, B, H), the final state, a cache."""
    x, a = clear_padding(x, lengths), clear_padding(a, source_lengths)
    fixed: Any = a, source_lengths, W  # the same at every step
    return sequence_forward(attention_lstm_step, x, state, *fixed, lengths=lengths)


def attention_lstm_backward(
    dh, dstate: tuple, cache: SequenceCache, W: AttentionLSTMWeights
) -> tuple[np.ndarray, tuple, AttentionLSTMGrads]:
    """From dh (T, B, H) and the final state's gradient to dx, the initial state's, and
    those of a and the weights, added up over all steps.
    """
    back, Wxc = attention_lstm_step_backward, np.vstack([W.Wx, W.Wc])
    return sequence_backward(back, dh, dstate, cache, Wxc, W)


def attention_weights(cache: SequenceCache) -> np.ndarray:
    """Weights p (T, B, S) at every target step, zeros past the target's length."""
    p = np.stack([step.attention.p for step in cache.steps])  # (T, B, S)
    return clear_padding(p, cache.lengths)
