"""Any cell through time, and backpropagation through time.

A state is all that a cell remembers: (h, c) for an LSTM, (h,) for a GRU or an RNN.

    (1)  state[t] = step(x[t], state[t-1])         while t < length
    (2)  state[t] = state[t-1]                     past its length it stands still

State t acts on the loss through the output h[t] and through step t + 1: both gradients
add up. So do those of the weights, the same at every step. Werbos (1990).

Shapes: x (T, B, D), h (T, B, H), the arrays of a state (B, H), lengths (B,) integers;
right-padded: steps from lengths[b] on are padding. Wx, Wh and biases as in the cell.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minilstm.reference.lstm import lstm_step, lstm_step_backward


class SequenceCache(NamedTuple):
    """What backward needs of a sequence."""

    steps: list[Any]  # T caches, one a step
    lengths: np.ndarray  # (B,)


def sequence_forward(
    step: Callable, x: np.ndarray, state: tuple, *weights: np.ndarray, lengths=None
) -> tuple[np.ndarray, tuple, SequenceCache]:
    """From x (T, B, D) and an initial state to h (T, B, H), the final state, a cache.

    ``step`` is ``lstm_step``, ``gru_step`` or ``rnn_step``, ``weights`` are its own.
    Past its length a sequence repeats its last h. Default of ``lengths``: all are T.
    """
    T, B = x.shape[:2]
    lengths = np.full(B, T) if lengths is None else np.asarray(lengths)
    hs, caches = [], []
    for t in range(T):
        *new, cache = step(x[t], *state, *weights)                             # (1)
        real = (t < lengths)[:, None]  # (B, 1)
        state = tuple(np.where(real, s, s_prev) for s, s_prev in zip(new, state))  # (2)
        hs.append(state[0])
        caches.append(cache)
    return np.stack(hs), state, SequenceCache(caches, lengths)


def sequence_backward(
    step_backward: Callable, dh: np.ndarray, dstate: tuple, cache: SequenceCache, Wx, Wh
) -> tuple[np.ndarray, tuple, Any]:
    """From dh (T, B, H) and the final state's gradient to dx, the initial state's, and
    those of the weights. Past a sequence's length, ``dh`` is not read.
    """
    caches, lengths, T = cache.steps, cache.lengths, len(dh)
    dx: list[Any] = [None] * T
    grads = []
    for t in reversed(range(T)):
        real = (t < lengths)[:, None]  # (B, 1)
        dh_next, *dc_next = dstate  # from step t + 1; dc_next: [dc] of an LSTM, else []
        dnow = [np.where(real, d, 0) for d in (dh[t] + dh_next, *dc_next)]     # (1)
        dx[t], *dprev, dweights = step_backward(*dnow, caches[t], Wx, Wh)      # (1)
        dstate = tuple(np.where(real, d, kept) for d, kept in zip(dprev, dstate))  # (2)
        grads.append(dweights)
    total = type(grads[0])(*map(sum, zip(*grads)))  # for each weight, over all steps
    return np.stack(dx), dstate, total


def lstm_sequence(x: np.ndarray, state: tuple, Wx, Wh, b) -> tuple:
    """An LSTM over sequences of one length: h (T, B, H), the final (h, c), T caches."""
    h, final, cache = sequence_forward(lstm_step, x, state, Wx, Wh, b)
    return h, final, cache.steps


def lstm_sequence_backward(dh: np.ndarray, dstate: tuple, caches, Wx, Wh) -> tuple:
    """From dh (T, B, H) and the final (dh, dc) to dx (T, B, D), the initial (dh, dc),
    and the gradients of Wx, Wh and b.
    """
    cache = SequenceCache(caches, np.full(dh.shape[1], len(dh)))
    return sequence_backward(lstm_step_backward, dh, dstate, cache, Wx, Wh)
