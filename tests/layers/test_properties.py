"""Properties of every step, sequence, loss and model, for all sizes and numbers.

The functions under test are looked up in their modules at every call
(``reference.lstm_step_backward``). So ``test_mistakes`` can replace each by a wrong one
and assert that this suite fails.
"""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minilstm import Adam, reference
from minilstm.layers import LSTM
from minilstm.models.batch import Batch
from minilstm.parallel import threads
from minilstm.reference import loss as losses
from minilstm.reference import sequence
from minilstm.verify import check_gradients, check_model, check_sequence, check_step
from tests.helpers import naive
from tests.helpers.recurrent import EACH_CELL
from tests.helpers.strategies import (
    logits_and_targets_N_V,
    logits_and_targets_T_B_V,
    models_and_batches_V_H_T_B,
    seeds,
    sequences_T_B_D_H,
    sizes,
    steps_B_D_H,
)

EXACT = 1e-12  # relative error of a complex step against backward
CLOSE = dict(rtol=1e-12, atol=1e-13)


def close(ours, oracles):
    for a, b in zip(ours, oracles, strict=True):
        assert np.abs(b).max() > 0, "zeros prove nothing"
        np.testing.assert_allclose(a, b, **CLOSE)


# ---- one step ------------------------------------------------------------------------


def step_and_back(cell, case):
    """A step forward and backward: arrays with a row per sequence; dWx, dWh, db.

    The rows are h, dx, dh_prev; for an LSTM h, c, dx, dh_prev, dc_prev.
    """
    state, cache = cell.step(case.x, case.state, case.weights)
    dx, dstate, grads = cell.step_backward(case.dstate, cache, case.weights)
    return (*state, dx, *dstate), grads


@given(sizes, sizes, sizes, seeds)
def test_a_complex_step_through_a_time_step_equals_its_backward(B, D, H, seed):
    check = check_step(
        reference.lstm_step, reference.lstm_step_backward,
        batch_size=B, input_size=D, hidden_size=H, seed=seed, tolerance=EXACT,
    )
    assert check, check


@EACH_CELL
@given(data=st.data())
def test_a_complex_step_through_a_time_step_of_any_cell_equals_its_backward(cell, data):
    case = data.draw(steps_B_D_H(cell))
    h = cell.step(case.x, case.state, case.weights)[0][0]
    assume(np.abs(h).max() < 0.999)  # saturated: 1 - h² has lost digits to rounding
    names, n = list(case.inputs(cell)), len(cell.parts)
    arranged = lambda p: case._replace(
        x=p["x"], state=tuple(p[k] for k in names[1 : 1 + n]), weights=tuple(p[k] for k in names[1 + n :])
    )

    def loss(p):
        given = arranged(p)
        state, _ = cell.step(given.x, given.state, given.weights)
        return sum(np.sum(part * d) for part, d in zip(state, case.dstate, strict=True))

    def gradients(p):
        by_row, grads = step_and_back(cell, arranged(p))
        return dict(zip(names, (*by_row[n:], *grads), strict=True))

    check = check_gradients(loss, case.inputs(cell), gradients, tolerance=EXACT)
    assert check, check


@EACH_CELL
@given(data=st.data())
def test_a_time_step_equals_the_oracle_forward_and_backward(cell, data):
    case = data.draw(steps_B_D_H(cell))
    by_row, grads = step_and_back(cell, case)
    summed = [np.zeros_like(g) for g in grads]
    for s in range(len(case.x)):
        own = lambda parts: tuple(part[s] for part in parts)
        state = cell.naive_step(case.x[s], own(case.state), case.weights)
        nothing = np.zeros((1, case.state[0].shape[1]))
        dx, dstate, parts = cell.naive_sequence_backward(
            case.x[s : s + 1], own(case.state), case.weights, nothing, own(case.dstate)
        )
        close(own(by_row), (*state, dx[0], *dstate))
        for total, part in zip(summed, parts, strict=True):
            total += part
    close(grads, summed)


@EACH_CELL
@given(data=st.data())
def test_a_step_of_a_batch_equals_the_steps_of_its_rows(cell, data):
    case = data.draw(steps_B_D_H(cell))
    by_row, grads = step_and_back(cell, case)
    rows = [step_and_back(cell, case.rows(slice(s, s + 1))) for s in range(len(case.x))]
    close(by_row, [np.concatenate(parts) for parts in zip(*(one for one, _ in rows))])
    close(grads, [np.sum(parts, axis=0) for parts in zip(*(own for _, own in rows))])


@EACH_CELL
@given(data=st.data(), seed=seeds)
def test_the_order_of_the_rows_of_a_step_does_not_matter(cell, data, seed):
    case = data.draw(steps_B_D_H(cell))
    order = np.random.default_rng(seed).permutation(len(case.x))
    by_row, grads = step_and_back(cell, case)
    shuffled, other_grads = step_and_back(cell, case.rows(order))
    close(shuffled, [a[order] for a in by_row])
    close(other_grads, grads)


@EACH_CELL
@given(data=st.data(), seed=seeds)
def test_the_gradient_of_a_sum_of_losses_is_the_sum_of_gradients(cell, data, seed):
    case = data.draw(steps_B_D_H(cell))
    n, rng, terms = len(cell.parts), np.random.default_rng(seed), []
    # two terms for each part of the state alone
    for k, whole in enumerate(case.dstate):
        some = whole * rng.uniform(0.2, 0.8, whole.shape)
        zeros = [np.zeros_like(d) for d in case.dstate]
        terms += [tuple([*zeros[:k], term, *zeros[k + 1 :]]) for term in (some, whole - some)]
    backward = lambda dstate: [a for part in step_and_back(cell, case._replace(dstate=dstate)) for a in part][n:]
    close(backward(case.dstate), [sum(parts) for parts in zip(*map(backward, terms))])


@EACH_CELL
@given(data=st.data())
def test_step_backward_gives_the_same_twice_and_changes_nothing(cell, data):
    case = data.draw(steps_B_D_H(cell))
    _, cache = cell.step(case.x, case.state, case.weights)
    inputs = (case.x, *case.state, *case.weights, *case.dstate, *cache)
    kept = [a.copy() for a in inputs]
    first, second = (cell.step_backward(case.dstate, cache, case.weights) for _ in range(2))
    for a, b in zip((first[0], *first[1], *first[2]), (second[0], *second[1], *second[2])):
        np.testing.assert_array_equal(a, b)
    for before, after in zip(kept, inputs):
        np.testing.assert_array_equal(before, after)


# ---- a whole sequence ----------------------------------------------------------------


def reference_and_back(cell, case):
    """The reference without lengths: arrays by step, arrays by row, and dWx, dWh, db.

    By step: h, dx. By row: hT, dh0; for an LSTM hT, cT, dh0, dc0.
    """
    h, final, caches = cell.sequence(case.x, case.state, case.weights)
    dx, dstate, grads = cell.sequence_backward(case.dh, case.dstate, caches, case.weights)
    return (h, dx), (*final, *dstate), tuple(grads)


def layer_and_back(cell, case, lengths=None):
    """The same three from the layer's loop over BLAS.

    Asserts that the compiled time loop agrees.
    """
    layer, both = cell.layer(case.x.shape[2], len(case.params["Wh"])), []
    for blas in (False, True):
        asked = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(threads, "left_to_blas", lambda sequences: asked.append(sequences) or blas)
            h, final, cache = layer.forward(case.params, case.x, case.state, lengths)
            dx, dstate, grads = layer.backward(case.params, case.dh, cache, case.dstate)
        assert asked == [len(case.x[0])] * 2  # forward and backward
        both.append(((h, dx), (*final, *dstate), tuple(grads.values())))
    for compiled, step_by_step in zip(*both):
        for a, b in zip(compiled, step_by_step, strict=True):
            np.testing.assert_allclose(a, b, **CLOSE)
    return both[1]


@given(sizes, sizes, sizes, sizes, seeds)
def test_a_complex_step_through_a_sequence_equals_its_backward(T, B, D, H, seed):
    layer = LSTM(D, H)
    named = lambda *weights: dict(zip(("Wx", "Wh", "b"), weights))
    forward = lambda x, state, *weights: layer.forward(named(*weights), x, state)

    def backward(dh, dstate, cache, Wx, Wh):
        # backward does not depend on b
        return layer.backward(named(Wx, Wh, np.zeros(4 * H)), dh, cache, dstate)

    arguments = dict(steps=T, batch_size=B, input_size=D, hidden_size=H, seed=seed, tolerance=EXACT)
    for pair in ((sequence.lstm_sequence, sequence.lstm_sequence_backward), (forward, backward)):
        check = check_sequence(*pair, **arguments)
        assert check, check


@EACH_CELL
@given(data=st.data())
def test_a_complex_step_through_a_sequence_of_any_cell_equals_its_backward(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    T, B, D, H = case.sizes
    layer, initial, n = cell.layer(D, H), [f"{part}0" for part in cell.parts], len(cell.parts)
    arranged = lambda p: case._replace(
        x=p["x"], state=tuple(p[name] for name in initial), params={name: p[name] for name in cell.names}
    )

    def loss(p):
        given = arranged(p)
        h, final, _ = layer.forward(given.params, given.x, given.state, case.lengths)
        real = np.arange(T)[:, None, None] < case.lengths[:, None]  # (T, B, 1)
        return np.sum(h * real * case.dh) + sum(np.sum(part * d) for part, d in zip(final, case.dstate, strict=True))

    def gradients(p):
        (_, dx), by_row, grads = layer_and_back(cell, arranged(p), case.lengths)
        return {"x": dx, **dict(zip(initial, by_row[n:], strict=True)), **dict(zip(cell.names, grads, strict=True))}

    params = {"x": case.x, **dict(zip(initial, case.state)), **case.params}
    check = check_gradients(loss, params, gradients, tolerance=EXACT)
    # the gradient of a single weight may nearly cancel; so it is compared with the
    # largest of all gradients
    rounding = EXACT / 100 * max(np.abs(gradient).max() for gradient in gradients(params).values())
    assert all(row.verdict == "ok" or row.verdict == "WRONG" and row.absolute < rounding for row in check.rows), str(check)


@EACH_CELL
@given(data=st.data())
def test_layer_and_reference_equal_the_oracle(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    by_step, by_row, grads = reference_and_back(cell, case)
    for ours, by_reference in zip(layer_and_back(cell, case), (by_step, by_row, grads)):
        close(by_reference, ours)
    summed = [0] * len(grads)
    for s in range(case.sizes[1]):
        own = lambda parts: tuple(part[s] for part in parts)
        h, final = cell.naive_sequence(case.x[:, s], own(case.state), case.weights)
        dx, dstate, parts = cell.naive_sequence_backward(
            case.x[:, s], own(case.state), case.weights, case.dh[:, s], own(case.dstate)
        )
        close([part[:, s] for part in by_step], (h, dx))
        close(own(by_row), (*final, *dstate))
        summed = [np.add(total, part) for total, part in zip(summed, parts, strict=True)]
    close(grads, summed)


@EACH_CELL
@given(data=st.data(), cut=sizes)
def test_a_sequence_cut_anywhere_with_its_state_passed_on_equals_the_whole(cell, data, cut):
    case = data.draw(sequences_T_B_D_H(cell))
    T, B, D, H = case.sizes
    cut %= T + 1
    layer = cell.layer(D, H)
    for forward, backward in (
        (lambda x, state: layer.forward(case.params, x, state), lambda dh, c, d: layer.backward(case.params, dh, c, d)),
        (
            lambda x, state: cell.sequence(x, state, case.weights),
            lambda dh, caches, dstate: cell.sequence_backward(dh, dstate, caches, case.weights),
        ),
    ):
        h_1, state, cache_1 = forward(case.x[:cut], case.state)
        h_2, final, cache_2 = forward(case.x[cut:], state)
        dx_2, dstate, grads_2 = backward(case.dh[cut:], cache_2, case.dstate)
        dx_1, dstate0, grads_1 = backward(case.dh[:cut], cache_1, dstate)
        grads = [a + b for a, b in zip(*(g.values() if isinstance(g, dict) else g for g in (grads_1, grads_2)))]
        joined = (np.concatenate([h_1, h_2]), np.concatenate([dx_1, dx_2])), (*final, *dstate0), grads
        for ours, whole in zip(joined, reference_and_back(cell, case)):
            close(ours, whole)


@EACH_CELL
@given(data=st.data())
def test_with_lengths_every_sequence_is_as_if_it_were_alone(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    by_step, by_row, grads = layer_and_back(cell, case, case.lengths)
    summed = [0] * len(grads)
    for s, n in enumerate(case.lengths):
        only = slice(s, s + 1)
        one = case.rows(only)
        alone_by_step, alone_by_row, own = layer_and_back(cell, one._replace(x=one.x[:n], dh=one.dh[:n]))
        close([part[:n, only] for part in by_step], alone_by_step)
        close([part[only] for part in by_row], alone_by_row)
        summed = [a + b for a, b in zip(summed, own)]
    close(grads, summed)


@EACH_CELL
@given(data=st.data(), seed=seeds)
def test_the_order_of_the_sequences_in_a_batch_does_not_matter(cell, data, seed):
    case = data.draw(sequences_T_B_D_H(cell))
    order = np.random.default_rng(seed).permutation(len(case.lengths))
    by_step, by_row, grads = layer_and_back(cell, case, case.lengths)
    shuffled = case.rows(order)
    other_by_step, other_by_row, other_grads = layer_and_back(cell, shuffled, shuffled.lengths)
    close(other_by_step, [part[:, order] for part in by_step])
    close(other_by_row, [part[order] for part in by_row])
    close(other_grads, grads)


@EACH_CELL
@given(data=st.data())
def test_sequence_backward_gives_the_same_twice_and_changes_nothing(cell, data):
    case = data.draw(sequences_T_B_D_H(cell))
    _, _, caches = cell.sequence(case.x, case.state, case.weights)
    inputs = (case.x, case.dh, *case.state, *case.dstate, *case.weights, *(array for cache in caches for array in cache))
    kept = [a.copy() for a in inputs]
    both = [cell.sequence_backward(case.dh, case.dstate, caches, case.weights) for _ in range(2)]
    first, second = ((dx, *dstate, *grads) for dx, dstate, grads in both)
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)
    for before, after in zip(kept, inputs):
        np.testing.assert_array_equal(before, after)


# ---- the loss ------------------------------------------------------------------------


def loss_and_gradient(logits, targets, lengths=None):
    loss, cache = losses.softmax_cross_entropy(logits, targets, lengths)
    return loss, losses.softmax_cross_entropy_backward(cache)


@given(logits_and_targets_T_B_V())
def test_a_complex_step_through_the_loss_equals_its_backward(case):
    logits, targets, lengths = case
    loss = lambda p: losses.softmax_cross_entropy(p["logits"], targets, lengths)[0]
    gradients = lambda p: {"logits": loss_and_gradient(p["logits"], targets, lengths)[1]}
    check = check_gradients(loss, {"logits": logits}, gradients, tolerance=EXACT)
    assert check, check


@given(logits_and_targets_T_B_V())
def test_the_loss_is_the_oracles_mean_over_the_real_tokens(case):
    logits, targets, lengths = case
    loss, gradient = loss_and_gradient(logits, targets, lengths)
    oracles = [
        naive.cross_entropy(list(logits[t, s]), targets[t, s]) for s, n in enumerate(lengths) for t in range(n)
    ]
    assert loss == pytest.approx(sum(value for value, _ in oracles) / len(oracles), rel=1e-12)
    ours = np.concatenate([gradient[:n, s] for s, n in enumerate(lengths)])
    close([ours], [np.array([g for _, g in oracles]) / len(oracles)])


@given(logits_and_targets_T_B_V())
def test_logits_at_the_padding_change_no_loss_and_no_gradient(case):
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
    oracles = [naive.cross_entropy(list(row), y) for row, y in zip(logits, targets)]
    assert loss == pytest.approx(np.mean([value for value, _ in oracles]), rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(gradient, np.array([g for _, g in oracles]) / len(oracles), rtol=1e-11, atol=1e-15)


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


# ---- the whole model -----------------------------------------------------------------


@given(models_and_batches_V_H_T_B(rates=st.just(0.0) | st.floats(0.1, 0.6)), seeds)
def test_a_complex_step_through_the_whole_model_equals_its_backward(case, seed):
    model, batch, state = case
    check = check_model(model, batch, state, tolerance=EXACT, seed=seed)
    assert not check.wrong, check
    # dropout may drop everything, and all derivatives are then zero
    assert check or model.dropout, check


def loss_and_all_gradients(model, batch, state):
    loss, gradients, final, dstate = model.loss_and_gradients(batch, state)
    # (layers, 2 or 1, B, H)
    return loss, gradients.flat.copy(), np.array(final), np.array(dstate)


@given(models_and_batches_V_H_T_B())
def test_padded_ids_change_nothing_in_a_model(case):
    model, batch, state = case
    before = loss_and_all_gradients(model, batch, state)
    padding = np.arange(len(batch.inputs))[:, None] >= batch.lengths
    for ids in (batch.inputs, batch.targets):
        ids[padding] = (ids[padding] + 1) % model.vocab_size
    for a, b in zip(before, loss_and_all_gradients(model, batch, state)):
        np.testing.assert_array_equal(a, b)


def rows_of_states(states, which):
    return tuple(tuple(part[which] for part in layer) for layer in states)


@given(models_and_batches_V_H_T_B())
def test_the_loss_of_a_batch_is_the_mean_over_its_sequences_weighted_by_tokens(case):
    model, batch, state = case
    loss, gradient, final, dstate = loss_and_all_gradients(model, batch, state)
    weights = batch.lengths / batch.lengths.sum()
    mean_loss, mean_gradient = 0, 0
    for s, (n, weight) in enumerate(zip(batch.lengths, weights)):
        only = slice(s, s + 1)
        alone = Batch(batch.inputs[:n, only], batch.targets[:n, only], None)
        one = loss_and_all_gradients(model, alone, rows_of_states(state, only))
        mean_loss, mean_gradient = mean_loss + weight * one[0], mean_gradient + weight * one[1]
        close((final[:, :, only], dstate[:, :, only]), (one[2], weight * one[3]))
    assert loss == pytest.approx(mean_loss, rel=1e-12)
    close([gradient], [mean_gradient])


@given(models_and_batches_V_H_T_B(), seeds)
def test_the_order_of_the_sequences_does_not_matter_in_a_model(case, seed):
    model, batch, state = case
    order = np.random.default_rng(seed).permutation(len(batch.lengths))
    before = loss_and_all_gradients(model, batch, state)
    shuffled = Batch(batch.inputs[:, order], batch.targets[:, order], batch.lengths[order])
    after = loss_and_all_gradients(model, shuffled, rows_of_states(state, order))
    close(after, (*before[:2], before[2][:, :, order], before[3][:, :, order]))


# ---- the optimizer -------------------------------------------------------------------


@given(seeds, sizes)
def test_adams_first_step_is_the_learning_rate_times_the_sign_of_a_large_gradient(seed, size):
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(size)
    g = rng.choice([-1, 1], size) * 10.0 ** rng.uniform(0, 6, size)
    adam, before = Adam(learning_rate=0.01), theta.copy()
    adam.step(theta, g, adam.init(theta))
    np.testing.assert_allclose(theta - before, -0.01 * np.sign(g), rtol=1e-6)
