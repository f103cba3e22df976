"""Layers on top of each other, some in both directions: against plain Python, and backward against complex steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.stack import named, part, stack_backward, stack_forward, zero_states
from tests.helpers import naive_models
from tests.helpers.strategies import seeds, sizes
from tests.reference.cells import CELLS, assert_complex_step, close
from tests.reference.models import BOTH, assert_same, lengths_B, naive_layers, random_layers, spoilt, unchanged


@pytest.mark.parametrize("both", BOTH.values(), ids=BOTH)
@given(data=st.data(), cell=st.sampled_from(list(CELLS)), T=sizes, B=sizes, seed=seeds)
def test_from_zero_states_it_is_the_naive_stack_whatever_stands_at_the_padding(both, data, cell, T, B, seed):
    lengths, rng = data.draw(lengths_B(T, B)), np.random.default_rng(seed)
    params, x = random_layers(rng, cell, 3, 4, both), rng.standard_normal((T, B, 3))
    h, finals, caches = stack_forward(params, x, lengths)
    nan_h, nan_finals, nan_caches = stack_forward(params, spoilt(x, lengths, np.nan), lengths)
    assert_same((h, finals), (nan_h, nan_finals))
    assert_same(stack_backward(params, h, caches), stack_backward(params, spoilt(h, lengths, np.nan), nan_caches))
    layers, sequence = naive_layers(params)
    for b, n in enumerate(lengths):
        oracle_h, oracle_finals = naive_models.stack(x[:n, b].tolist(), layers, sequence)
        close([h[:n, b]], [oracle_h])
        for final, oracle in zip(finals, oracle_finals, strict=True):
            close([s[b] for s in final], oracle)


@pytest.mark.parametrize("both", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize("cell", CELLS)
def test_backward_is_the_complex_step_of_forward(cell, both):
    rng, lengths = np.random.default_rng(0), np.array([3, 2])
    params = random_layers(rng, cell, 3, 4, both)
    states = lambda: [tuple(rng.standard_normal((2, 4)) for _ in CELLS[cell].parts) for _ in both]
    flat = lambda states: {f"state {k} {j}": s for k, state in enumerate(states) for j, s in enumerate(state)}
    x, initial, dfinals, dh = rng.standard_normal((3, 2, 3)), states(), states(), rng.standard_normal((3, 2, 4))
    real = np.arange(3)[:, None, None] < lengths[:, None]

    def loss(arrays):
        state = [tuple(arrays[f"state {k} {j}"] for j in range(len(s))) for k, s in enumerate(initial)]
        h, finals, _ = stack_forward({name: arrays[name] for name in params}, arrays["x"], lengths, state)
        return np.sum(h * dh * real) + sum(np.sum(a * flat(dfinals)[k]) for k, a in flat(finals).items())

    _, _, caches = stack_forward(params, x, lengths, initial)
    watched = unchanged([caches, [*params.values()]])
    (dx, dstates, grads), again = (stack_backward(params, dh, caches, dfinals) for _ in range(2))
    assert grads.keys() == params.keys()
    assert_same((dx, dstates, grads), again)
    for now, before in watched:
        np.testing.assert_array_equal(now, before)
    assert_complex_step(loss, {"x": x, **flat(initial), **params}, {"x": dx, **flat(dstates), **grads})


def test_without_gradients_of_the_final_states_they_are_zero():
    rng = np.random.default_rng(0)
    params = random_layers(rng, "lstm", 3, 4, [True, False])
    h, _, caches = stack_forward(params, rng.standard_normal((3, 2, 3)))
    assert_same(stack_backward(params, h, caches), stack_backward(params, h, caches, zero_states(params, 2)))
    assert [[a.shape for a in state] for state in zero_states(params, 2)] == [[(2, 4)] * 2] * 2


def test_a_part_has_the_rest_of_the_names_and_gets_them_back():
    params = {"encoder.lstm0.Wx": np.ones(1), "decoder.lstm0.Wx": np.zeros(1), "encoder.lstm0_reverse.Wx": np.ones(2)}
    encoder = part(params, "encoder.")
    assert list(encoder) == ["lstm0.Wx", "lstm0_reverse.Wx"]
    assert list(named("encoder.", encoder)) == ["encoder.lstm0.Wx", "encoder.lstm0_reverse.Wx"]
