"""An LSTM with attention over a whole target: against plain Python on each pair alone, and backward against complex steps."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.attention_lstm import (
    AttentionLSTMWeights,
    attention_lstm_backward,
    attention_lstm_forward,
    attention_weights,
)
from minilstm.reference.lstm import lstm_step
from minilstm.reference.sequence import sequence_forward
from tests.helpers import naive_models
from tests.helpers.strategies import seeds, sizes
from tests.reference.cells import CLOSE, ROUNDING, assert_complex_step, close
from tests.reference.models import assert_same, lengths_B, spoilt, unchanged


class Case(NamedTuple):
    x: np.ndarray  # (T, B, D)
    lengths: np.ndarray  # (B,)
    a: np.ndarray  # (S, B, A)
    source_lengths: np.ndarray  # (B,)
    state: tuple  # (h0, c0), (B, H) each
    weights: AttentionLSTMWeights
    dh: np.ndarray  # (T, B, H)
    dstate: tuple

    def alone(self, b):
        """One pair, without padding."""
        one = lambda arrays: tuple(a[b : b + 1] for a in arrays)
        n, m = self.lengths[b], self.source_lengths[b]
        return self._replace(
            x=self.x[:n, b : b + 1], lengths=self.lengths[b : b + 1], a=self.a[:m, b : b + 1],
            source_lengths=self.source_lengths[b : b + 1], state=one(self.state), dh=self.dh[:n, b : b + 1],
            dstate=one(self.dstate),
        )


def random_weights(rng, D, A, H, K):
    shapes = (D, 4 * H), (H, 4 * H), (4 * H,), (A, 4 * H), (H, K), (A, K), (K,), (K,)
    return AttentionLSTMWeights(*(rng.normal(0, 0.7, shape) for shape in shapes))


@st.composite
def pairs_T_S_B(draw):
    T, S, B, D, A, H, K = draw(sizes), draw(st.integers(2, 4)), *(draw(st.integers(1, 3)) for _ in range(5))
    lengths = draw(lengths_B(T, B))
    source_lengths = draw(lengths_B(S, B).filter(lambda lengths: lengths.max() > 1))
    rng = np.random.default_rng(draw(seeds))
    state = lambda: tuple(rng.standard_normal((B, H)) for _ in "hc")
    normal = rng.standard_normal
    weights = random_weights(rng, D, A, H, K)
    return Case(normal((T, B, D)), lengths, normal((S, B, A)), source_lengths, state(), weights, normal((T, B, H)), state())


def forward(case):
    return attention_lstm_forward(case.x, case.a, case.state, case.weights, case.source_lengths, case.lengths)


def run(case):
    """h, the final state; dx, the gradients of the initial state, of a and the weights."""
    h, final, cache = forward(case)
    return h, final, *attention_lstm_backward(case.dh, case.dstate, cache, case.weights)


@given(pairs_T_S_B())
def test_it_is_the_naive_layer_on_each_pair(case):
    x, a = spoilt(case.x, case.lengths, np.nan), spoilt(case.a, case.source_lengths, np.nan)
    h, final, cache = forward(case._replace(x=x, a=a))
    p = attention_weights(cache)
    lists = [W.tolist() for W in case.weights]
    for b, (n, m) in enumerate(zip(case.lengths, case.source_lengths)):
        state = [part[b].tolist() for part in case.state]
        oracle = naive_models.attention_lstm(case.x[:n, b].tolist(), case.a[:m, b].tolist(), *state, *lists)
        close((h[:n, b], final[0][b], final[1][b], p[:n, b, :m]), oracle)
        assert (p[n:, b] == 0).all() and (p[:, b, m:] == 0).all() and (h[n:, b] == h[n - 1, b]).all()


@given(pairs_T_S_B())
def test_backward_is_the_complex_step_of_forward(case):
    names = [f"weights {name}" for name in case.weights._fields]
    arrays = {"x": case.x, "h0": case.state[0], "c0": case.state[1], "a": case.a, **dict(zip(names, case.weights))}
    real = np.arange(len(case.x))[:, None, None] < case.lengths[:, None]

    def loss(arrays):
        x, h0, c0, a, *weights = arrays.values()
        h, final, _ = forward(case._replace(x=x, state=(h0, c0), a=a, weights=AttentionLSTMWeights(*weights)))
        return np.sum(h * case.dh * real) + sum(np.sum(part * d) for part, d in zip(final, case.dstate))

    _, _, dx, dstate, grads = run(case)
    assert_complex_step(loss, arrays, dict(zip(arrays, (dx, *dstate, *grads), strict=True)), ROUNDING)


@given(pairs_T_S_B())
def test_what_stands_at_the_padding_does_not_matter_forward_or_backward(case):
    h, final, dx, dstate, grads = run(case)
    x, dh = (spoilt(array, case.lengths, np.nan) for array in (case.x, case.dh))
    a = spoilt(case.a, case.source_lengths, np.nan)
    assert_same((h, final, dx, dstate, grads), run(case._replace(x=x, dh=dh, a=a)))
    parts = []
    for b, (n, m) in enumerate(zip(case.lengths, case.source_lengths)):
        h_b, final_b, dx_b, dstate_b, (da_b, *grads_b) = run(case.alone(b))
        close((h[:n, b], dx[:n, b]), (h_b[:, 0], dx_b[:, 0]))
        close([part[b] for part in (*final, *dstate)], [part[0] for part in (*final_b, *dstate_b)])
        close([grads.a[:m, b]], [da_b[:, 0]])
        assert (grads.a[m:, b] == 0).all() and (dx[n:, b] == 0).all()
        parts.append(grads_b)
    for ours, alone in zip(grads[1:], (sum(part) for part in zip(*parts)), strict=True):
        np.testing.assert_allclose(ours, alone, rtol=1e-11, atol=1e-13)


def test_the_annotations_gradient_adds_up_over_all_steps():
    """Two steps that look at the same annotations as if they were two sequences of one step, each with its own."""
    rng = np.random.default_rng(0)
    W = random_weights(rng, 2, 3, 2, 2)._replace(Wh=np.zeros((2, 8)), Wq=np.zeros((2, 2)))
    W.b[2:4] = -1e4  # forget all: the steps know nothing of each other
    x, a, zeros = rng.standard_normal((2, 1, 2)), rng.standard_normal((3, 1, 3)), (np.zeros((1, 2)),) * 2
    dh = rng.standard_normal((2, 1, 2))
    da = []
    for steps in (slice(0, 2), slice(0, 1), slice(1, 2)):
        _, _, cache = attention_lstm_forward(x[steps], a, zeros, W, [3])
        da.append(attention_lstm_backward(dh[steps], zeros, cache, W)[2].a)
    close([da[0]], [da[1] + da[2]])
    assert np.abs(da[0] - da[1]).max() > 0.01 and np.abs(da[0] - da[2]).max() > 0.01


def test_without_the_contexts_weights_it_is_an_lstm():
    rng = np.random.default_rng(0)
    W = random_weights(rng, 2, 3, 2, 2)
    W = W._replace(Wc=np.zeros_like(W.Wc))
    x, state = rng.standard_normal((4, 2, 2)), (rng.standard_normal((2, 2)), rng.standard_normal((2, 2)))
    h, final, _ = attention_lstm_forward(x, rng.standard_normal((3, 2, 3)), state, W, [3, 1], [4, 2])
    theirs, their_final, _ = sequence_forward(lstm_step, x, state, W.Wx, W.Wh, W.b, lengths=[4, 2])
    for ours, plain in zip((h, *final), (theirs, *their_final), strict=True):
        np.testing.assert_allclose(ours, plain, **CLOSE)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_backward_twice_gives_the_same_and_changes_nothing_and_the_dtype_stays(dtype):
    rng = np.random.default_rng(0)
    W = AttentionLSTMWeights(*(part.astype(dtype) for part in random_weights(rng, 2, 3, 2, 2)))
    x, a = rng.standard_normal((4, 2, 2)).astype(dtype), rng.standard_normal((3, 2, 3)).astype(dtype)
    h, final, cache = attention_lstm_forward(x, a, (np.ones((2, 2), dtype),) * 2, W, [3, 1])
    watched = unchanged([cache, h, final, W])
    assert len(watched) > 40
    (dx, dstate, grads), again = (attention_lstm_backward(h, final, cache, W) for _ in range(2))
    assert_same((dx, dstate, grads), again)
    for now, before in watched:
        np.testing.assert_array_equal(now, before)
    assert all(part.dtype == dtype for part in (h, *final, attention_weights(cache), dx, *dstate, *grads))
