"""Mini-batches of sequences of different lengths, without the padding.

A mini-batch is padded on the right to T time steps. Sort the sequences from the longest
to the shortest: those that still run at step t are then the first counts[t] of them.
Written one step after the other, the real tokens make N dense rows, the packed rows:

    lengths 4, 2, 1              rows          counts    starts
    t=0   a0  b0  c0             0 1 2           3         0
    t=1   a1  b1  .              3 4             2         3
    t=2   a2  .   .              5               1         5
    t=3   a3  .   .              6               1         6

Whatever is computed on these rows costs nothing for padding. A recurrent layer keeps all
states in a *state buffer* of B + N rows: first the B initial states, then the counts[t]
states after each step t. state_starts[t] is where the states before step t begin, and
state_starts[t + 1] where those after it begin. So h_prev of step t begins at
state_starts[t], and no index is shifted by one.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from minilstm.checks import check_lengths


class Packing:
    """Which packed rows belong to which time step of which sequence.

    Parameters
    ----------
    T, B : int
        Time steps and sequences of the padded mini-batch.
    lengths : (B,) integers, optional
        Number of real steps of each sequence. Default: all T.

    Attributes
    ----------
    T, B, N : int
        Time steps, sequences, real tokens.
    order : (B,) integers
        The sequences from the longest to the shortest.
    counts : list of at most T integers
        How many sequences run at each step, without zeros.
    starts : list of integers
        The first packed row of each step.
    state_starts : list of integers
        Where the states before each step begin in a state buffer (B + N, H).
    """

    def __init__(self, T: int, B: int, lengths: np.ndarray | None = None):
        self.T, self.B = T, B
        lengths = check_lengths(lengths, T, B)
        self.full = bool((lengths == T).all())
        self.order = np.argsort(-lengths.astype(np.int64), kind="stable")  # (B,)
        self.lengths = lengths[self.order].astype(np.int64)  # (B,), falling
        self._real = self.lengths > np.arange(T)[:, None]  # (T, B)
        counts = self._real.sum(axis=1)  # (T,)
        self.counts: list[int] = counts[counts > 0].tolist()
        self.starts: list[int] = (np.cumsum(counts) - counts).tolist()
        self.state_starts: list[int] = [0, *(B + start for start in self.starts)]
        self.N = int(counts.sum())

    def pack(self, padded: np.ndarray) -> np.ndarray:
        """From (T, B, …) to packed rows (N, …): the real tokens."""
        flat = padded.reshape(self.T * self.B, *padded.shape[2:])
        return flat if self.full else flat[self._tokens]

    def unpack(self, rows: np.ndarray) -> np.ndarray:
        """From packed rows (N, …) to (T, B, …), zeros at the padding."""
        padded = np.zeros((self.T * self.B, *rows.shape[1:]), rows.dtype)
        padded[slice(None) if self.full else self._tokens] = rows
        return padded.reshape(self.T, self.B, *rows.shape[1:])

    def unpack_states(self, states: np.ndarray) -> np.ndarray:
        """From a state buffer (B + N, H) to (T, B, H): the state after every step.

        Past its length a sequence repeats its last state.
        """
        # (T, B); -1 for an empty sequence: its initial state
        t = np.minimum(np.arange(self.T)[:, None], self.lengths - 1)
        return states[self._state_rows(t)[:, self._inverse]]

    def last(self, states: np.ndarray) -> np.ndarray:
        """From a state buffer (B + N, H) to (B, H): the state after the last real step."""
        return states[self._state_rows(self.lengths - 1)[self._inverse]]

    def before(self, states: np.ndarray) -> np.ndarray:
        """From a state buffer (B + N, H) to (N, H): the state before each row's step."""
        return states[: self.N] if self.full else states[self._previous]

    def sort(self, states: np.ndarray) -> np.ndarray:
        """(B, H) in the mini-batch's order to (B, H) from longest to shortest."""
        return states[self.order]

    def unsort(self, states: np.ndarray) -> np.ndarray:
        """The inverse of ``sort``."""
        return states[self._inverse]

    def _state_rows(self, t: np.ndarray) -> np.ndarray:
        """Rows of the states after steps t (…, B), longest sequence first; -1: initial."""
        return np.array(self.state_starts)[t + 1] + np.arange(self.B)

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """(N,) each: the time step of each row, and its sequence, the longest being 0."""
        t, s = np.nonzero(self._real)
        return t, s

    @cached_property
    def reversal(self) -> np.ndarray:
        """(N,): for each row, that of the same sequence read from its last real step.

        ``rows[packing.reversal]`` are the sequences in reverse; doing it twice changes
        nothing.
        """
        t, s = self.places
        return np.array(self.starts)[self.lengths[s] - 1 - t] + s

    @cached_property
    def slices(self) -> list[tuple[int, slice, slice, slice]]:
        """For each step: sequences that run, its rows, and the states before and after."""
        part = lambda first, n: slice(first, first + n)
        steps = zip(self.counts, self.starts, self.state_starts, self.state_starts[1:])
        return [
            (n, part(row, n), part(before, n), part(now, n))
            for n, row, before, now in steps
        ]

    @cached_property
    def steps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``counts``, ``starts`` and ``state_starts`` for a compiled loop over time."""
        of_steps = self.counts, self.starts, self.state_starts
        counts, starts, state_starts = (np.array(a, np.int64) for a in of_steps)
        return counts, starts, state_starts

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.argsort(self.order)  # (B,)

    @cached_property
    def _tokens(self) -> np.ndarray:
        """(N,): the place of each row in the padded mini-batch, flattened to T·B."""
        t, s = self.places
        return t * self.B + self.order[s]

    @cached_property
    def _previous(self) -> np.ndarray:
        """(N,): for each row, where the state before its step is in a state buffer."""
        t, s = self.places
        return np.array(self.state_starts)[t] + s
