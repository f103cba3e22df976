"""The three cells in one form, so that one test fits all of them.

States are tuples, (h, c) or (h,), and weights are tuples (Wx, Wh, …). The functions
under test are looked up in their modules at every call, so that a test can replace one
by a wrong one.
"""

from typing import NamedTuple

import numpy as np
import pytest

from minilstm import reference
from minilstm.layers import GRU, LSTM, RNN, Recurrent
from minilstm.reference import sequence
from tests.helpers import naive


class Cell(NamedTuple):
    """A cell of minilstm, as tests use it."""

    name: str
    layer: type[Recurrent]
    parts: tuple  # the names of the state's parts
    blocks: int  # number of blocks of H columns
    biases: tuple

    @property
    def names(self):
        """The names of the weights."""
        return "Wx", "Wh", *self.biases

    def shapes(self, D, H):
        return {"Wx": (D, self.blocks * H), "Wh": (H, self.blocks * H)} | {b: (self.blocks * H,) for b in self.biases}

    def step(self, x, state, weights):
        """The new state, and a cache."""
        *state, cache = getattr(reference, f"{self.name}_step")(x, *state, *weights)
        return tuple(state), cache

    def step_backward(self, dstate, cache, weights):
        """dx, the gradient of the previous state, and those of the weights."""
        dx, *dstate, grads = getattr(reference, f"{self.name}_step_backward")(*dstate, cache, *weights[:2])
        assert grads._fields == self.names
        return dx, tuple(dstate), tuple(grads)

    def sequence(self, x, state, weights):
        """The reference, step by step: h (T, B, H), the final state, the caches."""
        if self.name == "lstm" and len(x):
            return sequence.lstm_sequence(x, state, *weights)
        hs, caches = [], []
        for x_t in x:
            state, cache = self.step(x_t, state, weights)
            hs.append(state[0])
            caches.append(cache)
        return np.array(hs).reshape(len(x), *state[0].shape), state, caches

    def sequence_backward(self, dh, dstate, caches, weights):
        """dx (T, B, D), the gradient of the initial state, and those of the weights."""
        if self.name == "lstm" and len(dh):
            return sequence.lstm_sequence_backward(dh, dstate, caches, *weights[:2])
        dxs, total = [], [np.zeros_like(w) for w in weights]
        for dh_t, cache in zip(dh[::-1], caches[::-1]):
            dx, dstate, grads = self.step_backward((dstate[0] + dh_t, *dstate[1:]), cache, weights)
            dxs.insert(0, dx)
            total = [a + b for a, b in zip(total, grads)]
        return np.array(dxs).reshape(len(dh), dh.shape[1], len(weights[0])), dstate, tuple(total)

    def naive_step(self, x, state, weights):
        """The oracle's step for one row: the new state."""
        state = getattr(naive, f"{self.name}_step")(x, *state, *weights)
        return (state,) if self.name == "rnn" else state[:-1]

    def naive_sequence(self, x, state, weights):
        """The oracle for one sequence: h (T, H), and the final state."""
        h, *final = getattr(naive, f"{self.name}_sequence")(x, *state, *weights)
        return h, tuple(final)

    def naive_sequence_backward(self, x, state, weights, dh, dstate):
        """The oracle's gradients of one sequence: dx, initial state, weights."""
        dx, *rest = getattr(naive, f"{self.name}_sequence_backward")(x, *state, *weights, dh, *dstate)
        n = len(self.parts)
        return np.reshape(dx, (len(dh), len(weights[0]))), tuple(rest[:n]), tuple(rest[n:])


CELLS = {
    "lstm": Cell("lstm", LSTM, ("h", "c"), 4, ("b",)),
    "gru": Cell("gru", GRU, ("h",), 3, ("bx", "bh")),
    "rnn": Cell("rnn", RNN, ("h",), 1, ("b",)),
}
EACH_CELL = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


def naive_parts(model):
    """The oracle's arguments for a model: its first input, its loop, all weights."""
    p = model.parameters
    one_hot = lambda k: naive.one_hot(k, model.vocab_size)
    first = one_hot if model.embedding is None else lambda k: p["embedding.W"][k].tolist()
    W = [list(column) for column in zip(*p["embedding.W"].tolist())] if model.tied else p["output.W"].tolist()
    layers = [[p[f"{model.cell}{k}.{name}"].tolist() for name in CELLS[model.cell].names] for k in range(model.layers)]
    return first, getattr(naive, f"{model.cell}_sequence"), layers, W, p["output.b"].tolist()


def naive_loss(model, batch, masks=None):
    """The oracle's loss of a model on a batch, from zero states.

    For ``masks`` see ``naive.language_model_loss``.
    """
    cut = lambda a: [a[:n, b].tolist() for b, n in enumerate(batch.lengths)]
    return naive.language_model_loss(cut(batch.inputs), cut(batch.targets), *naive_parts(model), masks)
