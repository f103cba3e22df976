"""Hypothesis strategies, named by the shapes that they draw.

Sizes and a seed are what is drawn (and shrunk); the numbers come from a Generator with that seed. They are scaled so that
gates stay away from saturation, biases and initial states are never zero, and lengths differ.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from minilstm import LanguageModel
from minilstm.text.batches import Batch

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


class StepCase(NamedTuple):
    """One step of an LSTM with random everything, and gradients to send back."""

    x: np.ndarray  # (B, D)
    h_prev: np.ndarray  # (B, H)
    c_prev: np.ndarray
    Wx: np.ndarray  # (D, 4H)
    Wh: np.ndarray  # (H, 4H)
    b: np.ndarray  # (4H,)
    dh: np.ndarray  # (B, H)
    dc: np.ndarray


class SequenceCase(NamedTuple):
    """A batch of sequences of different lengths, parameters, initial states, and gradients to send back."""

    x: np.ndarray  # (T, B, D)
    lengths: np.ndarray  # (B,)
    state: tuple  # (h0, c0), (B, H) each
    params: dict
    dh: np.ndarray  # (T, B, H)
    dstate: tuple  # (dhT, dcT)

    @property
    def sizes(self):
        (T, B, D), H = self.x.shape, self.params["Wh"].shape[0]
        return T, B, D, H

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


def lstm_params(rng, D, H):
    return {
        "Wx": rng.normal(0, 0.7, (D, 4 * H)),
        "Wh": rng.normal(0, 0.7, (H, 4 * H)),
        "b": rng.normal(0, 0.7, 4 * H),
    }


@st.composite
def lstm_steps_B_D_H(draw):
    B, D, H = draw(sizes), draw(sizes), draw(sizes)
    rng = np.random.default_rng(draw(seeds))
    normal = rng.standard_normal
    params = lstm_params(rng, D, H)
    return StepCase(normal((B, D)), normal((B, H)), normal((B, H)), *params.values(), normal((B, H)), normal((B, H)))


@st.composite
def lstm_sequences_T_B_D_H(draw, shortest=1):
    T, B, D, H = draw(sizes), draw(sizes), draw(sizes), draw(sizes)
    lengths = np.array(draw(st.lists(st.integers(shortest, T), min_size=B, max_size=B)))
    rng = np.random.default_rng(draw(seeds))
    normal = rng.standard_normal
    pair = lambda: (normal((B, H)), normal((B, H)))
    return SequenceCase(normal((T, B, D)), lengths, pair(), lstm_params(rng, D, H), normal((T, B, H)), pair())


@st.composite
def logits_and_targets_N_V(draw, scale=3.0):
    N, V = draw(st.integers(1, 6)), draw(st.integers(2, 7))
    rng = np.random.default_rng(draw(seeds))
    return rng.normal(0, scale, (N, V)), rng.integers(0, V, N)


@st.composite
def models_and_batches_V_H_T_B(draw):
    """A small float64 model with random biases, a batch of different lengths, and a random state to begin from."""
    V, H, layers = draw(st.integers(2, 6)), draw(st.integers(1, 4)), draw(st.integers(1, 2))
    T, B = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    embedding = draw(st.none() | st.integers(1, 3))
    lengths = np.array(draw(st.lists(st.integers(1, T), min_size=B, max_size=B)))
    rng = np.random.default_rng(draw(seeds))
    model = LanguageModel(V, embedding, H, layers, dtype=np.float64)
    model.parameters.flat[:] = rng.normal(0, 0.6, model.parameters.flat.size)
    batch = Batch(rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B)), lengths)
    state = tuple((rng.standard_normal((B, H)), rng.standard_normal((B, H))) for _ in range(layers))
    return model, batch, state


@st.composite
def logits_and_targets_T_B_V(draw):
    """With lengths, of which at least one is positive."""
    T, B, V = draw(sizes), draw(sizes), draw(st.integers(2, 6))
    lengths = np.array(draw(st.lists(st.integers(0, T), min_size=B, max_size=B).filter(any)))
    rng = np.random.default_rng(draw(seeds))
    return rng.normal(0, 1.5, (T, B, V)), rng.integers(0, V, (T, B)), lengths
