"""A bidirectional layer: one cell reads forward, a second one in reverse.

    (1)  reverse(x)[t] = x[n - 1 - t] if t < n, else x[t]    n is the sequence's length
    (2)  →h = the cell through time, of x
    (3)  ←h = reverse(the cell through time, of reverse(x))
    (4)  h[t] = [→h[t]; ←h[t]] if t < n, else 0    side by side: width 2H

Each sequence is reversed within its own length, so the reverse direction begins at its
last real step, never in the padding. Reversing twice changes nothing, so (1) is its own
backward, too. The directions have weights of their own. At a real step, h knows all of
the sequence: →h what came before, ←h what comes after.

The layer has one state of width 2H: its first half is the forward direction's, its
second half the reverse direction's. In the final state, the forward direction has read
up to step n - 1, and the reverse direction down to step 0.

Schuster and Paliwal, Bidirectional recurrent neural networks (1997).
Shapes: x (T, B, D), h (T, B, 2H), the arrays of a state (B, 2H), lengths (B,).
"""

from typing import NamedTuple

import numpy as np

from minilstm.reference.padding import clear_padding, real_steps
from minilstm.reference.sequence import (
    SequenceCache,
    sequence_backward,
    sequence_forward,
)


class BidirectionalCache(NamedTuple):
    """What backward needs of a layer: the cache of each direction."""

    forward: SequenceCache
    reverse: SequenceCache


def reverse(x: np.ndarray, lengths) -> np.ndarray:
    """Every sequence of x (T, B, …) last step first (1). The padding stays in place."""
    t, last = np.arange(len(x))[:, None], np.asarray(lengths) - 1  # (T, 1), (B,)
    from_step = np.where(real_steps(len(x), lengths), last - t, t)  # (T, B)
    return x[from_step, np.arange(x.shape[1])]                                 # (1)


def split_state(state: tuple) -> tuple:
    """Arrays (B, 2H) of a state, as the states (B, H) of both directions."""
    return tuple(zip(*(np.split(part, 2, axis=1) for part in state)))


def join_states(first: tuple, second: tuple) -> tuple:
    """The states (B, H) of both directions, as one with arrays (B, 2H)."""
    return tuple(np.concatenate(parts, axis=1) for parts in zip(first, second))


def bidirectional_forward(
    step, x: np.ndarray, state: tuple, weights, reverse_weights, lengths=None
) -> tuple[np.ndarray, tuple, BidirectionalCache]:
    """From x (T, B, D) and an initial state to h (T, B, 2H), the final state, a cache.

    ``weights`` and ``reverse_weights``: (Wx, Wh, biases) of each direction.
    """
    T, B, _ = x.shape
    lengths = np.full(B, T) if lengths is None else np.asarray(lengths)
    x = clear_padding(x, lengths)
    first, second = split_state(state)
    h, final, cache = sequence_forward(step, x, first, *weights, lengths=lengths)  # (2)
    h_reverse, final_reverse, cache_reverse = sequence_forward(                # (3)
        step, reverse(x, lengths), second, *reverse_weights, lengths=lengths
    )
    h_reverse = reverse(h_reverse, lengths)                                    # (3)
    h = clear_padding(np.concatenate([h, h_reverse], axis=2), lengths)         # (4)
    final = join_states(final, final_reverse)
    return h, final, BidirectionalCache(cache, cache_reverse)


def bidirectional_backward(
    step_backward, dh, dstate: tuple, cache: BidirectionalCache, weights,
    reverse_weights,
) -> tuple:
    """From dh (T, B, 2H) and the final state's gradient to dx, the initial state's, and
    those of the weights of both directions. At the padding, ``dh`` is not read.
    """
    lengths = cache.forward.lengths
    dh, dh_reverse = np.split(dh, 2, axis=2)  # (T, B, H) each                     (4)
    first, second = split_state(dstate)
    dx, first, grads = sequence_backward(                                      # (2)
        step_backward, dh, first, cache.forward, *weights[:2]
    )
    dx_reverse, second, grads_reverse = sequence_backward(                     # (3)
        step_backward, reverse(dh_reverse, lengths), second, cache.reverse,
        *reverse_weights[:2],
    )
    dx = dx + reverse(dx_reverse, lengths)  # x is read twice                  (2), (3)
    return dx, join_states(first, second), grads, grads_reverse
