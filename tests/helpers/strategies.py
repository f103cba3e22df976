"""Hypothesis strategies, named by the shapes that they draw.

Hypothesis draws (and shrinks) sizes and a seed; the numbers come from a Generator with
that seed. Gates stay away from saturation, biases and initial states are never zero,
and lengths differ.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from minilstm import LanguageModel
from minilstm.models.batch import Batch
from tests.helpers.recurrent import CELLS

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


class StepCase(NamedTuple):
    """A time step of a cell with random arrays, and gradients for backward."""

    x: np.ndarray  # (B, D)
    state: tuple  # (h_prev, c_prev) or (h_prev,), (B, H) each
    weights: tuple  # Wx, Wh and biases
    dstate: tuple  # (dh, dc) or (dh,)

    def inputs(self, cell):
        """The arrays that backward differentiates by, by name."""
        before = (f"{part}_prev" for part in cell.parts)
        return {"x": self.x, **dict(zip(before, self.state)), **dict(zip(cell.names, self.weights))}

    def rows(self, which):
        """The same step for some of the rows, or for all in another order."""
        pick = lambda arrays: tuple(a[which] for a in arrays)
        return StepCase(self.x[which], pick(self.state), self.weights, pick(self.dstate))


class SequenceCase(NamedTuple):
    """Sequences of different lengths, parameters, states, gradients for backward."""

    x: np.ndarray  # (T, B, D)
    lengths: np.ndarray  # (B,)
    state: tuple  # (h0, c0) or (h0,), (B, H) each
    params: dict
    dh: np.ndarray  # (T, B, H)
    dstate: tuple  # (dhT, dcT) or (dhT,)

    @property
    def sizes(self):
        (T, B, D), H = self.x.shape, self.params["Wh"].shape[0]
        return T, B, D, H

    @property
    def weights(self):
        return tuple(self.params.values())

    def rows(self, which):
        """The case of some of the sequences, or of all in another order."""
        pick = lambda arrays: tuple(a[which] for a in arrays)
        return self._replace(
            x=self.x[:, which], lengths=self.lengths[which], state=pick(self.state), dh=self.dh[:, which],
            dstate=pick(self.dstate),
        )

    def astype(self, dtype):
        """The same case in another dtype."""
        cast = lambda a: a.astype(dtype)
        return SequenceCase(
            cast(self.x),
            self.lengths,
            tuple(map(cast, self.state)),
            {name: cast(p) for name, p in self.params.items()},
            cast(self.dh),
            tuple(map(cast, self.dstate)),
        )


def random_params(rng, cell, D, H):
    return {name: rng.normal(0, 0.7, shape) for name, shape in cell.shapes(D, H).items()}


@st.composite
def steps_B_D_H(draw, cell):
    B, D, H = draw(sizes), draw(sizes), draw(sizes)
    rng = np.random.default_rng(draw(seeds))
    weights = tuple(random_params(rng, cell, D, H).values())
    state = lambda: tuple(rng.standard_normal((B, H)) for _ in cell.parts)
    return StepCase(rng.standard_normal((B, D)), state(), weights, state())


@st.composite
def sequences_T_B_D_H(draw, cell, shortest=1):
    T, B, D, H = draw(sizes), draw(sizes), draw(sizes), draw(sizes)
    lengths = np.array(draw(st.lists(st.integers(shortest, T), min_size=B, max_size=B)))
    rng = np.random.default_rng(draw(seeds))
    normal = rng.standard_normal
    state = lambda: tuple(normal((B, H)) for _ in cell.parts)
    return SequenceCase(normal((T, B, D)), lengths, state(), random_params(rng, cell, D, H), normal((T, B, H)), state())


@st.composite
def logits_and_targets_N_V(draw, scale=3.0):
    N, V = draw(st.integers(1, 6)), draw(st.integers(2, 7))
    rng = np.random.default_rng(draw(seeds))
    return rng.normal(0, scale, (N, V)), rng.integers(0, V, N)


@st.composite
def models_and_batches_V_H_T_B(draw, rates=st.just(0.0)):
    """A small float64 model with random biases, a batch, and a random initial state.

    The sequences have different lengths. ``rates`` draws the dropout rate.
    """
    V, H, layers = draw(st.integers(2, 6)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    T, B = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    cell, tied, dropout = draw(st.sampled_from(list(CELLS))), draw(st.booleans()), draw(rates)
    embedding = H if tied else draw(st.none() | st.integers(1, 3))
    lengths = np.array(draw(st.lists(st.integers(1, T), min_size=B, max_size=B)))
    rng = np.random.default_rng(draw(seeds))
    model = LanguageModel(V, embedding, H, layers, cell, dropout, tied, dtype=np.float64)
    model.parameters.flat[:] = rng.normal(0, 0.6, model.parameters.flat.size)
    batch = Batch(rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B)), lengths)
    state = tuple(tuple(rng.standard_normal((B, H)) for _ in CELLS[cell].parts) for _ in range(layers))
    return model, batch, state


@st.composite
def logits_and_targets_T_B_V(draw):
    """Logits (T, B, V), targets (T, B), lengths (B,), of which one is positive."""
    T, B, V = draw(sizes), draw(sizes), draw(st.integers(2, 6))
    lengths = np.array(draw(st.lists(st.integers(0, T), min_size=B, max_size=B).filter(any)))
    rng = np.random.default_rng(draw(seeds))
    return rng.normal(0, 1.5, (T, B, V)), rng.integers(0, V, (T, B)), lengths
