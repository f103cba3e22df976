"""Layers in both directions: against plain Python on each sequence alone, and backward against complex steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference.bidirectional import bidirectional_backward, bidirectional_forward, reverse
from tests.helpers import naive, naive_models
from tests.helpers.strategies import random_params, seeds, sequences_T_B_D_H, sizes
from tests.reference.cells import CLOSE, EACH_CELL, ROUNDING, assert_complex_step, close
from tests.reference.models import assert_same, lengths_B, spoilt, unchanged


@st.composite
def cases(draw, cell):
    """As ``SequenceCase``, with a state, dh and dstate twice as wide, and the weights of both directions."""
    case = draw(sequences_T_B_D_H(cell))
    T, B, D, H = case.sizes
    rng = np.random.default_rng(draw(seeds))
    wide = lambda: tuple(rng.standard_normal((B, 2 * H)) for _ in cell.parts)
    weights = tuple(tuple(random_params(rng, cell, D, H).values()) for _ in range(2))
    return case._replace(state=wide(), dstate=wide(), dh=rng.standard_normal((T, B, 2 * H))), weights


def forward(cell, case, weights):
    return bidirectional_forward(cell.function("step"), case.x, case.state, *weights, case.lengths)


def run(cell, case, weights):
    """h, the final state; dx, the gradients of the initial state and of the weights of both directions."""
    h, final, cache = forward(cell, case, weights)
    dx, dstate, *grads = bidirectional_backward(cell.function("step_backward"), case.dh, case.dstate, cache, *weights)
    return h, final, dx, dstate, grads


@given(st.data(), sizes, sizes)
def test_reverse_turns_each_sequence_within_its_length_and_is_its_own_inverse(data, T, B):
    lengths = data.draw(lengths_B(T, B, shortest=0))
    ids = np.arange(T * B).reshape(T, B)
    vectors = np.stack([ids, -ids], axis=2)
    for x in (ids, vectors):
        turned = reverse(x, lengths)
        for b, n in enumerate(lengths):
            assert turned[:, b].tolist() == [*x[:n, b][::-1].tolist(), *x[n:, b].tolist()]
        np.testing.assert_array_equal(reverse(turned, lengths), x)


@EACH_CELL
@given(data=st.data())
def test_it_is_the_naive_layer_on_each_sequence_and_zeros_at_the_padding(cell, data):
    case, weights = data.draw(cases(cell))
    spoilt_case = case._replace(x=spoilt(case.x, case.lengths, np.nan))
    h, final, *_ = run(cell, spoilt_case, weights)
    H = case.sizes[3]
    lists = [[W.tolist() for W in own] for own in weights]
    for b, n in enumerate(case.lengths):
        halves = [[part[b, half].tolist() for part in case.state] for half in (slice(H), slice(H, None))]
        sequence = getattr(naive, f"{cell.name}_sequence")
        oracle_h, oracle_final = naive_models.bidirectional(case.x[:n, b].tolist(), *halves, *lists, sequence)
        close((h[:n, b], *(part[b] for part in final)), (oracle_h, *oracle_final))
        assert (h[n:, b] == 0).all()


@EACH_CELL
@given(data=st.data())
def test_what_stands_at_the_padding_does_not_matter_forward_or_backward(cell, data):
    case, weights = data.draw(cases(cell))
    h, final, dx, dstate, grads = run(cell, case, weights)
    nan = case._replace(x=spoilt(case.x, case.lengths, np.nan), dh=spoilt(case.dh, case.lengths, np.nan))
    assert_same((h, final, dx, dstate, grads), run(cell, nan, weights))
    total = [0, 0]
    for b, n in enumerate(case.lengths):
        one = case.rows([b])
        one = one._replace(x=one.x[:n], dh=one.dh[:n])
        h_b, final_b, dx_b, dstate_b, grads_b = run(cell, one, weights)
        close((h[:n, b], dx[:n, b]), (h_b[:, 0], dx_b[:, 0]))
        close([part[b] for part in (*final, *dstate)], [part[0] for part in (*final_b, *dstate_b)])
        assert (dx[n:, b] == 0).all()
        total = [[a + g for a, g in zip(sums or [0] * len(own), own)] for sums, own in zip(total, grads_b)]
    for ours, alone in zip(grads, total):
        close(ours, alone)


@EACH_CELL
@given(data=st.data())
def test_backward_is_the_complex_step_of_forward(cell, data):
    case, weights = data.draw(cases(cell))
    n = len(cell.parts)
    states = {f"{part}0": s for part, s in zip(cell.parts, case.state)}
    arrays = {"x": case.x} | states
    for direction, own in zip(("", "_reverse"), weights):
        arrays |= {f"{name}{direction}": W for name, W in zip(cell.names, own)}

    def loss(arrays):
        x, *rest = arrays.values()
        state, rest = tuple(rest[:n]), rest[n:]
        half = len(rest) // 2
        h, final, _ = forward(cell, case._replace(x=x, state=state), (rest[:half], rest[half:]))
        return np.sum(h * case.dh) + sum(np.sum(part * d) for part, d in zip(final, case.dstate))

    _, _, dx, dstate, grads = run(cell, case, weights)
    assert_complex_step(loss, arrays, dict(zip(arrays, (dx, *dstate, *grads[0], *grads[1]), strict=True)), ROUNDING)


@EACH_CELL
def test_the_reverse_direction_begins_at_each_sequences_own_last_real_step(cell):
    """So a longer padding changes nothing, and at a sequence's last step the reverse direction has read that step alone."""
    rng = np.random.default_rng(0)
    weights = [tuple(random_params(rng, cell, 3, 2).values()) for _ in range(2)]
    x, state = rng.standard_normal((4, 1, 3)), tuple(rng.standard_normal((1, 4)) for _ in cell.parts)
    h, *_ = bidirectional_forward(cell.function("step"), x, state, *weights, [2])
    *first, _ = cell.function("step")(x[1], *(part[:, 2:] for part in state), *weights[1])
    np.testing.assert_allclose(h[1, :, 2:], first[0], **CLOSE)


@EACH_CELL
def test_without_lengths_all_steps_are_real_and_backward_twice_gives_the_same(cell):
    rng = np.random.default_rng(0)
    weights = [tuple(random_params(rng, cell, 3, 2).values()) for _ in range(2)]
    x, state = rng.standard_normal((4, 2, 3)), tuple(rng.standard_normal((2, 4)) for _ in cell.parts)
    step, back = cell.function("step"), cell.function("step_backward")
    h, final, cache = bidirectional_forward(step, x, state, *weights)
    assert_same((h, final), bidirectional_forward(step, x, state, *weights, [4, 4])[:2])
    watched = unchanged([cache, h, final, weights])
    assert len(watched) > 10
    assert_same(*(bidirectional_backward(back, h, final, cache, *weights) for _ in range(2)))
    for now, before in watched:
        np.testing.assert_array_equal(now, before)


@EACH_CELL
@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_the_dtype_stays(cell, dtype):
    weights = [tuple(np.ones(shape, dtype) for shape in cell.shapes(3, 2).values()) for _ in range(2)]
    x, state = np.ones((4, 2, 3), dtype), tuple(np.ones((2, 4), dtype) for _ in cell.parts)
    h, final, cache = bidirectional_forward(cell.function("step"), x, state, *weights, [4, 1])
    dx, dstate, *grads = bidirectional_backward(cell.function("step_backward"), h, final, cache, *weights)
    assert all(a.dtype == dtype for a in (h, *final, dx, *dstate, *grads[0], *grads[1]))
