"""Batches of sequences of different lengths, without the padding.

A batch is padded on the right to T steps. Sorted from the longest sequence to the shortest, the sequences that still run
at step t are the first counts[t] of them; written one step after the other, the real tokens make N dense rows:

    lengths 4, 2, 1              rows          counts    starts
    t=0   a0  b0  c0             0 1 2           3         0
    t=1   a1  b1  .              3 4             2         3
    t=2   a2  .   .              5               1         5
    t=3   a3  .   .              6               1         6

Whatever is computed on these rows costs nothing for padding. Recurrent layers keep their states in *slots*, blocks of
rows: slot 0 holds the B initial states, slot t + 1 the counts[t] states after step t. What step t finds as h_prev is then
the beginning of slot t: an index that is off by one cannot be written.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from minilstm.checks import check_lengths


class Packing:
    """Which rows belong to which step of which sequence.

    Attributes
    ----------
    T, B, N : steps, sequences, real tokens.
    order : (B,) the sequences from the longest to the shortest.
    counts : how many sequences run at each step; a list of at most T numbers, zeros left out.
    starts : the first row of each step.
    slots : the first row of each slot, in an array of B + N rows.
    """

    def __init__(self, T: int, B: int, lengths=None):
        self.T, self.B = T, B
        lengths = np.full(B, T) if lengths is None else check_lengths(lengths, T, B)
        self.full = bool((lengths == T).all())
        self.order = np.argsort(-lengths.astype(np.int64), kind="stable")  # (B,)
        self.lengths = lengths[self.order].astype(np.int64)  # (B,), falling
        self._real = self.lengths > np.arange(T)[:, None]  # (T, B)
        counts = self._real.sum(axis=1)  # (T,)
        self.counts: list[int] = counts[counts > 0].tolist()
        self.starts: list[int] = (np.cumsum(counts) - counts).tolist()
        self.slots: list[int] = [0, *(B + start for start in self.starts)]
        self.N = int(counts.sum())

    def pack(self, padded: np.ndarray) -> np.ndarray:
        """From (T, B, …) to (N, …): the real tokens."""
        flat = padded.reshape(self.T * self.B, *padded.shape[2:])
        return flat if self.full else flat[self._tokens]

    def unpack(self, rows: np.ndarray) -> np.ndarray:
        """From (N, …) to (T, B, …), zeros at the padding."""
        padded = np.zeros((self.T * self.B, *rows.shape[1:]), rows.dtype)
        padded[slice(None) if self.full else self._tokens] = rows
        return padded.reshape(self.T, self.B, *rows.shape[1:])

    def unpack_slots(self, slots: np.ndarray) -> np.ndarray:
        """From slots (B + N, H) to (T, B, H): every state after its step; past its length a sequence's state stands still."""
        t = np.minimum(np.arange(self.T)[:, None], self.lengths - 1)  # (T, B), -1 for an empty sequence: slot 0
        return slots[self._slot_rows(t)[:, self._inverse]]

    def last(self, slots: np.ndarray) -> np.ndarray:
        """From slots (B + N, H) to (B, H): the state of every sequence after its last real step."""
        return slots[self._slot_rows(self.lengths - 1)[self._inverse]]

    def before(self, slots: np.ndarray) -> np.ndarray:
        """From slots (B + N, H) to (N, H): what each token's step found as the state before it."""
        return slots[: self.N] if self.full else slots[self._previous]

    def sort(self, states: np.ndarray) -> np.ndarray:
        """(B, H) in the batch's order to (B, H) in the order of the rows."""
        return states[self.order]

    def unsort(self, states: np.ndarray) -> np.ndarray:
        """The way back from ``sort``."""
        return states[self._inverse]

    def _slot_rows(self, t: np.ndarray) -> np.ndarray:
        """Where the states after steps t (…, B) stand in the slots, sequences in the order of the rows; t = -1: initial."""
        return np.array(self.slots)[t + 1] + np.arange(self.B)

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """(N,) each: the step of each row, and its sequence, 0 being the longest."""
        t, s = np.nonzero(self._real)
        return t, s

    @cached_property
    def slices(self) -> list[tuple[int, slice, slice, slice]]:
        """Of each step: how many sequences run, its rows, and where in the slots the states before and after it stand."""
        rows_of = lambda first, n: slice(first, first + n)
        places = zip(self.counts, self.starts, self.slots, self.slots[1:])
        return [(n, rows_of(row, n), rows_of(before, n), rows_of(now, n)) for n, row, before, now in places]

    @cached_property
    def steps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``counts``, ``starts`` and ``slots`` as arrays, for a compiled loop over time."""
        return np.array(self.counts, np.int64), np.array(self.starts, np.int64), np.array(self.slots, np.int64)

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.argsort(self.order)  # (B,)

    @cached_property
    def _tokens(self) -> np.ndarray:
        """(N,): where each row stands in the padded batch, flattened to T·B."""
        t, s = self.places
        return t * self.B + self.order[s]

    @cached_property
    def _previous(self) -> np.ndarray:
        """(N,): the slot row of the state before each row."""
        t, s = self.places
        return np.array(self.slots)[t] + s
