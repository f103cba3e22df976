"""What must hold for every step, sequence, loss and model, whatever the sizes and the numbers.

The functions under test are looked up in their modules at every call (``cells.lstm_step_backward``), so that ``test_mistakes``
can put a wrong one in place of each and see this suite fail.
"""

import numpy as np
import pytest
from hypothesis import given

from minilstm import Adam, cells, losses
from minilstm.layers import LSTM
from minilstm.text.batches import Batch
from minilstm.verify import check_gradients, check_model, check_sequence, check_step, sequence
from tests import naive
from tests.strategies import (
    logits_and_targets_N_V,
    logits_and_targets_T_B_V,
    lstm_sequences_T_B_D_H,
    lstm_steps_B_D_H,
    models_and_batches_V_H_T_B,
    seeds,
    sizes,
)

EXACT = 1e-12  # relative error of a complex step against backward
CLOSE = dict(rtol=1e-12, atol=1e-13)


def close(ours, twins):
    for a, b in zip(ours, twins, strict=True):
        assert np.abs(b).max() > 0, "zeros prove nothing"
        np.testing.assert_allclose(a, b, **CLOSE)


# ---- one step ---------------------------------------------------------------------------------------------------------


def step_and_back(x, h_prev, c_prev, Wx, Wh, b, dh, dc):
    """h, c, dx, dh_prev, dc_prev, dWx, dWh, db."""
    h, c, cache = cells.lstm_step(x, h_prev, c_prev, Wx, Wh, b)
    dx, dh_prev, dc_prev, grads = cells.lstm_step_backward(dh, dc, cache, Wx, Wh)
    return h, c, dx, dh_prev, dc_prev, *grads


@given(sizes, sizes, sizes, seeds)
def test_a_complex_step_through_a_step_is_its_backward(B, D, H, seed):
    check = check_step(
        cells.lstm_step, cells.lstm_step_backward,
        batch_size=B, input_size=D, hidden_size=H, seed=seed, tolerance=EXACT,
    )  # fmt: skip
    assert check, check


@given(lstm_steps_B_D_H())
def test_a_step_is_the_naive_step_forward_and_backward(case):
    h, c, dx, dh_prev, dc_prev, *grads = step_and_back(*case)
    summed = [np.zeros_like(g) for g in grads]
    for s in range(len(case.x)):
        weights = case.Wx, case.Wh, case.b
        twin_h, twin_c, _ = naive.lstm_step(case.x[s], case.h_prev[s], case.c_prev[s], *weights)
        close((h[s], c[s]), (twin_h, twin_c))
        back = naive.lstm_sequence_backward(
            case.x[s : s + 1], case.h_prev[s], case.c_prev[s], *weights, [[0] * len(case.Wh)], case.dh[s], case.dc[s]
        )
        close((dx[s], dh_prev[s], dc_prev[s]), (back[0][0], *back[1:3]))
        for total, part in zip(summed, back[3:]):
            total += part
    close(grads, summed)


@given(lstm_steps_B_D_H())
def test_a_step_of_a_batch_is_the_steps_of_its_rows(case):
    whole = step_and_back(*case)
    per_row = lambda a, s: a[s : s + 1]
    rows = [
        step_and_back(*(per_row(a, s) for a in case[:3]), *case[3:6], *(per_row(a, s) for a in case[6:]))
        for s in range(len(case.x))
    ]
    close(whole[:5], [np.concatenate(parts) for parts in zip(*(row[:5] for row in rows))])
    close(whole[5:], [np.sum(parts, axis=0) for parts in zip(*(row[5:] for row in rows))])


@given(lstm_steps_B_D_H(), seeds)
def test_the_order_of_the_rows_of_a_step_does_not_matter(case, seed):
    order = np.random.default_rng(seed).permutation(len(case.x))
    shuffled = step_and_back(*(a[order] for a in case[:3]), *case[3:6], *(a[order] for a in case[6:]))
    whole = step_and_back(*case)
    close(shuffled[:5], [a[order] for a in whole[:5]])
    close(shuffled[5:], whole[5:])


@given(lstm_steps_B_D_H())
def test_the_gradient_of_a_sum_of_losses_is_the_sum_of_the_gradients(case):
    both = step_and_back(*case)[2:]
    of_h = step_and_back(*case[:7], np.zeros_like(case.dc))[2:]
    of_c = step_and_back(*case[:6], np.zeros_like(case.dh), case.dc)[2:]
    close(both, [a + b for a, b in zip(of_h, of_c)])


@given(lstm_steps_B_D_H())
def test_a_step_backward_gives_the_same_twice_and_changes_nothing(case):
    _, _, cache = cells.lstm_step(*case[:6])
    inputs = (*case, *cache)
    kept = [a.copy() for a in inputs]
    first, second = (cells.lstm_step_backward(case.dh, case.dc, cache, case.Wx, case.Wh) for _ in range(2))
    for a, b in zip((*first[:3], *first[3]), (*second[:3], *second[3])):
        np.testing.assert_array_equal(a, b)
    for before, after in zip(kept, inputs):
        np.testing.assert_array_equal(before, after)


# ---- a whole sequence -------------------------------------------------------------------------------------------------


def book_and_back(case):
    """By the book, without lengths: h, hT, cT, dx, dh0, dc0, dWx, dWh, db."""
    Wx, Wh, b = case.params.values()
    h, final, caches = sequence.lstm_sequence(case.x, case.state, Wx, Wh, b)
    dx, dstate, grads = sequence.lstm_sequence_backward(case.dh, case.dstate, caches, Wx, Wh)
    return h, *final, dx, *dstate, *grads


def layer_and_back(case, lengths=None):
    """The compiled layer: the same nine."""
    layer = LSTM(case.x.shape[2], len(case.params["Wh"]))
    h, final, cache = layer.forward(case.params, case.x, case.state, lengths)
    dx, dstate, grads = layer.backward(case.params, case.dh, cache, case.dstate)
    return h, *final, dx, *dstate, *grads.values()


@given(sizes, sizes, sizes, sizes, seeds)
def test_a_complex_step_through_a_sequence_is_its_backward(T, B, D, H, seed):
    layer = LSTM(D, H)
    named = lambda *weights: dict(zip(("Wx", "Wh", "b"), weights))
    forward = lambda x, state, *weights: layer.forward(named(*weights), x, state)

    def backward(dh, dstate, cache, Wx, Wh):
        return layer.backward(named(Wx, Wh, np.zeros(4 * H)), dh, cache, dstate)  # what b is does not matter on the way back

    arguments = dict(steps=T, batch_size=B, input_size=D, hidden_size=H, seed=seed, tolerance=EXACT)
    for pair in ((sequence.lstm_sequence, sequence.lstm_sequence_backward), (forward, backward)):
        check = check_sequence(*pair, **arguments)
        assert check, check


@given(lstm_sequences_T_B_D_H())
def test_layer_and_book_are_the_naive_twin(case):
    T, B, D, H = case.sizes
    book = book_and_back(case)
    close(book, layer_and_back(case))
    summed = [0, 0, 0]
    for s in range(B):
        xs, h0, c0 = case.x[:, s], case.state[0][s], case.state[1][s]
        h, hT, cT = naive.lstm_sequence(xs, h0, c0, *case.params.values())
        back = naive.lstm_sequence_backward(
            xs, h0, c0, *case.params.values(), case.dh[:, s], case.dstate[0][s], case.dstate[1][s]
        )
        close([part[:, s] for part in (book[0], book[3])], (h, back[0]))
        close([part[s] for part in (*book[1:3], *book[4:6])], (hT, cT, *back[1:3]))
        summed = [np.add(total, part) for total, part in zip(summed, back[3:])]
    close(book[6:], summed)


@given(lstm_sequences_T_B_D_H(), sizes)
def test_a_sequence_cut_anywhere_with_both_carries_is_the_whole(case, cut):
    T, B, D, H = case.sizes
    cut %= T + 1
    layer = LSTM(D, H)
    for forward, backward in (
        (lambda x, state: layer.forward(case.params, x, state), lambda dh, c, d: layer.backward(case.params, dh, c, d)),
        (
            lambda x, state: sequence.lstm_sequence(x, state, *case.params.values()) if len(x) else (x[:, :, :0], state, []),
            lambda dh, c, d: sequence.lstm_sequence_backward(dh, d, c, case.params["Wx"], case.params["Wh"]),
        ),
    ):
        h_1, state, cache_1 = forward(case.x[:cut], case.state)
        h_2, final, cache_2 = forward(case.x[cut:], state)
        dx_2, dstate, grads_2 = backward(case.dh[cut:], cache_2, case.dstate)
        dx_1, dstate0, grads_1 = backward(case.dh[:cut], cache_1, dstate)
        h = np.concatenate([part for part in (h_1, h_2) if len(part)])
        grads = [a + b for a, b in zip(*(g.values() if isinstance(g, dict) else g for g in (grads_1, grads_2)))]
        close((h, *final, np.concatenate([dx_1, dx_2]), *dstate0, *grads), book_and_back(case))


@given(lstm_sequences_T_B_D_H())
def test_with_lengths_every_sequence_is_as_if_it_were_alone(case):
    whole = layer_and_back(case, case.lengths)
    summed = [0, 0, 0]
    for s, n in enumerate(case.lengths):
        only = lambda a: a[s : s + 1]
        alone = layer_and_back(case._replace(
            x=case.x[:n, s : s + 1], dh=case.dh[:n, s : s + 1],
            state=tuple(map(only, case.state)), dstate=tuple(map(only, case.dstate)),
        ))  # fmt: skip
        close([part[:n, s : s + 1] for part in (whole[0], whole[3])], (alone[0], alone[3]))
        close([part[s : s + 1] for part in (*whole[1:3], *whole[4:6])], (*alone[1:3], *alone[4:6]))
        summed = [a + b for a, b in zip(summed, alone[6:])]
    close(whole[6:], summed)


@given(lstm_sequences_T_B_D_H(), seeds)
def test_the_order_of_the_sequences_in_a_batch_does_not_matter(case, seed):
    order = np.random.default_rng(seed).permutation(len(case.lengths))
    pick = lambda pair: tuple(a[order] for a in pair)
    shuffled = case._replace(x=case.x[:, order], dh=case.dh[:, order], state=pick(case.state), dstate=pick(case.dstate))
    whole, other = layer_and_back(case, case.lengths), layer_and_back(shuffled, case.lengths[order])
    close([other[0], other[3]], [whole[0][:, order], whole[3][:, order]])
    close([other[k] for k in (1, 2, 4, 5)], [whole[k][order] for k in (1, 2, 4, 5)])
    close(other[6:], whole[6:])


@given(lstm_sequences_T_B_D_H())
def test_a_sequence_backward_gives_the_same_twice_and_changes_nothing(case):
    Wx, Wh, b = case.params.values()
    _, _, caches = sequence.lstm_sequence(case.x, case.state, Wx, Wh, b)
    inputs = (case.x, case.dh, *case.state, *case.dstate, Wx, Wh, b, *(array for cache in caches for array in cache))
    kept = [a.copy() for a in inputs]
    both = [sequence.lstm_sequence_backward(case.dh, case.dstate, caches, Wx, Wh) for _ in range(2)]
    first, second = ((dx, *dstate, *grads) for dx, dstate, grads in both)
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)
    for before, after in zip(kept, inputs):
        np.testing.assert_array_equal(before, after)


# ---- the loss ---------------------------------------------------------------------------------------------------------


def loss_and_gradient(logits, targets, lengths=None):
    loss, cache = losses.softmax_cross_entropy(logits, targets, lengths)
    return loss, losses.softmax_cross_entropy_backward(cache)


@given(logits_and_targets_T_B_V())
def test_a_complex_step_through_the_loss_is_its_backward(case):
    logits, targets, lengths = case
    loss = lambda p: losses.softmax_cross_entropy(p["logits"], targets, lengths)[0]
    gradients = lambda p: {"logits": loss_and_gradient(p["logits"], targets, lengths)[1]}
    check = check_gradients(loss, {"logits": logits}, gradients, tolerance=EXACT)
    assert check, check


@given(logits_and_targets_T_B_V())
def test_the_loss_is_the_naive_mean_over_the_real_tokens(case):
    logits, targets, lengths = case
    loss, gradient = loss_and_gradient(logits, targets, lengths)
    twins = [
        naive.cross_entropy(list(logits[t, s]), targets[t, s]) for s, n in enumerate(lengths) for t in range(n)
    ]
    assert loss == pytest.approx(sum(value for value, _ in twins) / len(twins), rel=1e-12)
    ours = np.concatenate([gradient[:n, s] for s, n in enumerate(lengths)])
    close([ours], [np.array([g for _, g in twins]) / len(twins)])


@given(logits_and_targets_T_B_V())
def test_what_stands_at_the_padding_changes_no_loss_and_no_gradient(case):
    logits, targets, lengths = case
    loss, gradient = loss_and_gradient(logits, targets, lengths)
    padding = np.arange(len(logits))[:, None] >= lengths
    assert (gradient[padding] == 0).all() and np.abs(gradient).max() > 0
    logits[padding], targets[padding] = 7.0, 0
    other_loss, other = loss_and_gradient(logits, targets, lengths)
    assert loss == other_loss
    np.testing.assert_array_equal(gradient, other)


@given(logits_and_targets_N_V(), seeds)
def test_a_shift_of_all_logits_changes_nothing_and_gradients_sum_to_zero(case, seed):
    logits, targets = case
    loss, gradient = loss_and_gradient(logits, targets)
    shift = np.random.default_rng(seed).uniform(-1000, 1000)
    shifted_loss, shifted = loss_and_gradient(logits + shift, targets)
    assert np.abs(gradient).max() > 0
    assert shifted_loss == pytest.approx(loss, rel=1e-10)
    np.testing.assert_allclose(shifted, gradient, rtol=0, atol=1e-11)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-15)


@given(logits_and_targets_N_V(scale=1000.0))
def test_large_logits_have_the_right_loss_and_gradient(case):
    logits, targets = case
    loss, gradient = loss_and_gradient(logits, targets)
    twins = [naive.cross_entropy(list(row), y) for row, y in zip(logits, targets)]
    assert loss == pytest.approx(np.mean([value for value, _ in twins]), rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(gradient, np.array([g for _, g in twins]) / len(twins), rtol=1e-11, atol=1e-15)


@given(sizes, sizes, seeds)
def test_the_loss_of_uniform_logits_is_log_V(N, V, seed):
    rng = np.random.default_rng(seed)
    loss, gradient = loss_and_gradient(np.full((N, V + 1), rng.normal()), rng.integers(0, V + 1, N))
    assert loss == pytest.approx(np.log(V + 1), rel=1e-14)
    assert gradient.max() == pytest.approx(1 / (V + 1) / N, rel=1e-14)


@given(logits_and_targets_N_V())
def test_the_gradient_scales_with_the_gradient_of_the_loss(case):
    _, cache = losses.softmax_cross_entropy(*case)
    close([losses.softmax_cross_entropy_backward(cache, -2.5)], [-2.5 * losses.softmax_cross_entropy_backward(cache)])


# ---- the whole model --------------------------------------------------------------------------------------------------


@given(models_and_batches_V_H_T_B(), seeds)
def test_a_complex_step_through_the_whole_model_is_its_backward(case, seed):
    model, batch, state = case
    check = check_model(model, batch, state, tolerance=EXACT, seed=seed)
    assert check, check


def loss_and_all_gradients(model, batch, state):
    loss, gradients, final, dstate = model.loss_and_gradients(batch, state)
    return loss, gradients.flat.copy(), np.array(final), np.array(dstate)  # (layers, 2, B, H)


@given(models_and_batches_V_H_T_B())
def test_padded_ids_change_nothing_in_a_model(case):
    model, batch, state = case
    before = loss_and_all_gradients(model, batch, state)
    padding = np.arange(len(batch.inputs))[:, None] >= batch.lengths
    for ids in (batch.inputs, batch.targets):
        ids[padding] = (ids[padding] + 1) % model.vocab_size
    for a, b in zip(before, loss_and_all_gradients(model, batch, state)):
        np.testing.assert_array_equal(a, b)


@given(models_and_batches_V_H_T_B())
def test_a_batch_is_the_mean_of_its_sequences_weighed_by_their_tokens(case):
    model, batch, state = case
    loss, gradient, final, dstate = loss_and_all_gradients(model, batch, state)
    weights = batch.lengths / batch.lengths.sum()
    mean_loss, mean_gradient = 0, 0
    for s, (n, weight) in enumerate(zip(batch.lengths, weights)):
        only = slice(s, s + 1)
        alone = Batch(batch.inputs[:n, only], batch.targets[:n, only], None)
        one = loss_and_all_gradients(model, alone, tuple((h[only], c[only]) for h, c in state))
        mean_loss, mean_gradient = mean_loss + weight * one[0], mean_gradient + weight * one[1]
        close((final[:, :, only], dstate[:, :, only]), (one[2], weight * one[3]))
    assert loss == pytest.approx(mean_loss, rel=1e-12)
    close([gradient], [mean_gradient])


@given(models_and_batches_V_H_T_B(), seeds)
def test_the_order_of_the_sequences_does_not_matter_to_a_model(case, seed):
    model, batch, state = case
    order = np.random.default_rng(seed).permutation(len(batch.lengths))
    before = loss_and_all_gradients(model, batch, state)
    shuffled = Batch(batch.inputs[:, order], batch.targets[:, order], batch.lengths[order])
    after = loss_and_all_gradients(model, shuffled, tuple((h[order], c[order]) for h, c in state))
    close(after, (*before[:2], before[2][:, :, order], before[3][:, :, order]))


# ---- the optimizer ----------------------------------------------------------------------------------------------------


@given(seeds, sizes)
def test_adams_first_step_is_the_rate_against_the_sign_of_a_large_gradient(seed, size):
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(size)
    g = rng.choice([-1, 1], size) * 10.0 ** rng.uniform(0, 6, size)
    adam, before = Adam(learning_rate=0.01), theta.copy()
    adam.step(theta, g, adam.init(theta))
    np.testing.assert_allclose(theta - before, -0.01 * np.sign(g), rtol=1e-6)
