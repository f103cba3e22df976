"""Optimizers, schedules and clipping, against the published algorithms."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given

from minilstm import SGD, Adam, InputError, NotFiniteError, RMSprop
from minilstm.optim import (
    OPTIMIZERS,
    Constant,
    CosineDecay,
    StepDecay,
    adam_step,
    clip,
    clip_by_global_norm,
    clip_by_value,
    clip_up_to_a_factor,
    rmsprop_step,
    sgd_step,
)
from tests.helpers.strategies import seeds

REFERENCE = {"adam": adam_step, "rmsprop": rmsprop_step, "sgd": sgd_step}
KINDS = pytest.mark.parametrize("optimizer", [Adam(), RMSprop(), SGD()], ids=lambda optimizer: optimizer.kind)


def naive_adam(theta, gradients, rates, beta1, beta2, epsilon, epsilon_hat):
    """Algorithm 1 of Kingma and Ba, scalar by scalar.

    Epsilon hat is in the last line of their section 2.
    """
    result = []
    for p in range(len(theta)):
        value, m, v = theta[p], 0.0, 0.0
        for t, (g, rate) in enumerate(zip(gradients, rates), start=1):
            m = beta1 * m + (1 - beta1) * g[p]
            v = beta2 * v + (1 - beta2) * g[p] ** 2
            if epsilon_hat:
                value -= rate * math.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (math.sqrt(v) + epsilon)
            else:
                m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
                value -= rate * m_hat / (math.sqrt(v_hat) + epsilon)
        result.append(value)
    return result


def naive_rmsprop(theta, gradients, rates, rho, momentum, epsilon):
    """As Keras documents it: the momentum buffer has what is subtracted."""
    result = []
    for p in range(len(theta)):
        value, mean_square, subtracted = theta[p], 0.0, 0.0
        for g, rate in zip(gradients, rates):
            mean_square = rho * mean_square + (1 - rho) * g[p] * g[p]
            subtracted = momentum * subtracted + rate * g[p] / math.sqrt(mean_square + epsilon)
            value -= subtracted
        result.append(value)
    return result


def naive_sgd(theta, gradients, rates, momentum, nesterov):
    """Every step as a sum of all gradients so far.

    A gradient of n steps ago is multiplied by momentum ** n.
    """
    result = []
    for p in range(len(theta)):
        value = theta[p]
        for t in range(len(gradients)):
            velocity = -sum(momentum ** (t - s) * rates[s] * gradients[s][p] for s in range(t + 1))
            value += momentum * velocity - rates[t] * gradients[t][p] if nesterov else velocity
        result.append(value)
    return result


NAIVE = {"adam": naive_adam, "rmsprop": naive_rmsprop, "sgd": naive_sgd}


def constants(optimizer):
    """All hyperparameters but the learning rate, in the order of the fields."""
    return list(dataclasses.asdict(optimizer).values())[1:]


@pytest.mark.parametrize(
    "optimizer",
    [
        Adam(0.01, 0.8, 0.95, 1e-3),
        Adam(0.01, 0.3, 0.4, 1e-3),
        Adam(0.01, 0.8, 0.95, 1e-3, epsilon_hat=True),
        Adam(0.01, 0.3, 0.4, 1e-3, epsilon_hat=True),
        RMSprop(0.01, 0.8, 0.0, 1e-3),
        RMSprop(0.01, 0.3, 0.7, 1e-2),
        SGD(0.01),
        SGD(0.01, 0.7),
        SGD(0.01, 0.7, nesterov=True),
        SGD(0.01, 0.2, nesterov=True),
    ],
    ids=repr,
)
@given(seed=seeds)
def test_kernel_reference_and_oracle_take_the_same_steps(optimizer, seed):
    rng = np.random.default_rng(seed)
    start, gradients = rng.standard_normal(5), rng.standard_normal((4, 5)) * 10.0 ** rng.integers(-4, 4, 5)
    rates = [0.01, *rng.uniform(0.005, 0.05, 3)]
    reference_theta, reference_state = start, optimizer.init(start)
    theta, state = start.copy(), optimizer.init(start)
    for g, rate in zip(gradients, rates):
        reference_theta, reference_state = REFERENCE[optimizer.kind](
            reference_theta, g, reference_state, rate, *constants(optimizer)
        )
        state = optimizer.step(theta, g, state, None if rate == 0.01 else rate)
    oracle = NAIVE[optimizer.kind](start, gradients, rates, *constants(optimizer))
    moved = np.abs(gradients).max() * 1e-4
    assert np.abs(theta - start).max() > min(moved, 1e-4) and state.t == reference_state.t == 4
    np.testing.assert_allclose(reference_theta, oracle, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(theta, oracle, rtol=1e-12, atol=1e-12)
    for compiled, expected in zip(state[:-1], reference_state[:-1]):
        np.testing.assert_allclose(compiled, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


@KINDS
def test_the_reference_changes_nothing_in_place_and_the_kernel_allocates_nothing(optimizer):
    theta, g = np.ones(3), np.array([1.0, -2.0, 3.0])
    state = optimizer.init(theta)
    REFERENCE[optimizer.kind](theta, g, state, 0.1, *constants(optimizer))
    assert (theta == 1).all() and state.t == 0 and not any(array.any() for array in state[:-1])
    after = optimizer.step(theta, g, state)
    assert (theta != 1).all() and all(new is old and new.all() for new, old in zip(after[:-1], state[:-1]))
    assert (g == [1, -2, 3]).all()


@pytest.mark.parametrize("optimizer", [Adam(), RMSprop(momentum=0.5), SGD(0.1, 0.5), SGD(0.1, 0.5, True)], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=seeds)
def test_a_step_with_the_factor_of_clipping_is_the_step_of_the_clipped_gradient_to_the_bit(optimizer, dtype, seed):
    rng = np.random.default_rng(seed)
    start, g = rng.standard_normal(37).astype(dtype), rng.standard_normal((3, 37)).astype(dtype)
    theta, other = start.copy(), start.copy()
    state, other_state = optimizer.init(theta), optimizer.init(other)
    for k in g:
        whole, rounding = k.copy(), 8 * float(np.finfo(dtype).eps)
        norm, scale = clip_up_to_a_factor(k, 0.9, 2.0)
        # on some processors the last digit of a norm depends on the place in memory
        assert clip(whole, 0.9, 2.0) == pytest.approx(norm, rel=rounding) and norm > 2.0 and scale < 1
        clipped = k * dtype(scale)
        np.testing.assert_allclose(whole, clipped, rtol=rounding)
        state, other_state = optimizer.step(theta, k, state, scale=scale), optimizer.step(other, clipped, other_state)
    assert (theta != start).any()
    for ours, expected in zip((theta, *state), (other, *other_state)):
        np.testing.assert_array_equal(ours, expected)


@KINDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_that_leaves_a_parameter_infinite_or_nan_says_so(optimizer, dtype):
    for size, place in ((1, 0), (37, 0), (37, 20), (37, 36)):
        for bad in (np.nan, np.inf, -np.inf, np.finfo(dtype).max):
            theta, g = np.ones(size, dtype), np.ones(size, dtype)
            theta[place] = bad
            # the largest finite number; a step that does not change it is accepted
            if bad == np.finfo(dtype).max:
                optimizer.step(theta, g, optimizer.init(theta))
            else:
                with np.errstate(invalid="ignore"), pytest.raises(NotFiniteError, match="a parameter has become NaN or inf"):
                    optimizer.step(theta, g, optimizer.init(theta))


@KINDS
def test_a_learning_rate_that_overflows_the_dtype_is_reported(optimizer):
    theta = np.full(5, -2e38, np.float32)
    with np.errstate(all="ignore"), pytest.raises(NotFiniteError):
        optimizer.step(theta, np.full(5, 10, np.float32), optimizer.init(theta), rate=3e38)


@KINDS
def test_an_optimizer_can_be_built_again_from_its_kind_and_constants(optimizer):
    assert OPTIMIZERS[optimizer.kind] is type(optimizer)
    other = dataclasses.replace(optimizer, learning_rate=0.25)
    assert OPTIMIZERS[other.kind](**dataclasses.asdict(other)) == other != optimizer
    state = optimizer.init(np.ones(3, np.float32))
    assert type(state) is optimizer.State and state._fields[-1] == "t" and state.t == 0
    for array in state[:-1]:
        assert array.shape == (3,) and array.dtype == np.float32 and not array.any()


def test_every_kind_of_optimizer_is_named():
    assert {name: kind.kind for name, kind in OPTIMIZERS.items()} == {name: name for name in ("adam", "rmsprop", "sgd")}


def test_adams_first_step_is_the_learning_rate_for_any_size_of_the_gradient():
    theta = np.zeros(3)
    adam = Adam(learning_rate=0.5)
    adam.step(theta, np.array([1e-3, -1.0, 1e5]), adam.init(theta))
    np.testing.assert_allclose(theta, [-0.5, 0.5, -0.5], rtol=1e-4)


def test_epsilon_hat_is_added_to_the_root_before_bias_correction():
    g = np.array([1e-3, -1e-6])
    for epsilon_hat, root in ((False, np.abs(g)), (True, np.sqrt(0.001) * np.abs(g))):
        theta, adam = np.zeros(2), Adam(1.0, epsilon=1e-5, epsilon_hat=epsilon_hat)
        adam.step(theta, g, adam.init(theta))
        np.testing.assert_allclose(theta, -np.sign(g) * root / (root + 1e-5), rtol=1e-9)


def test_rmsprops_first_step_has_epsilon_inside_the_root():
    theta, g = np.zeros(3), np.array([1e-4, -1.0, 1e5])
    rmsprop = RMSprop(0.5)
    rmsprop.step(theta, g, rmsprop.init(theta))
    large = 0.5 / math.sqrt(0.1)
    np.testing.assert_allclose(theta, [-0.5e-4 / math.sqrt(1e-9 + 1e-7), large, -large], rtol=1e-6)


def test_without_momentum_either_kind_of_sgd_is_plain_gradient_descent():
    for sgd in (SGD(0.5), SGD(0.5, nesterov=True)):
        theta, state = np.ones(2), sgd.init(np.ones(2))
        for _ in range(3):
            state = sgd.step(theta, np.array([1.0, -2.0]), state)
        assert (theta == [-0.5, 4]).all()


@pytest.mark.parametrize("optimizer, size", [(SGD(0.5, 0.75), 2.0), (RMSprop(0.5, 0.5, 0.75), 2.0)], ids=repr)
def test_under_a_constant_gradient_momentum_grows_to_a_limit(optimizer, size):
    theta, state = np.zeros(1), optimizer.init(np.zeros(1))
    speeds = []
    for _ in range(80):
        before = theta[0]
        state = optimizer.step(theta, np.ones(1), state)
        speeds.append(before - theta[0])
    # rate / (1 - momentum)
    assert speeds[1] > speeds[0] and speeds[-1] == pytest.approx(size, rel=1e-6)


@given(seed=seeds)
def test_nesterov_momentum_takes_the_gradient_at_the_point_ahead(seed):
    """Sutskever and others (2013), equations 3 and 4, on a quadratic loss.

    Our parameters are the point ahead.
    """
    rng = np.random.default_rng(seed)
    curvature, rate, momentum = rng.uniform(0.5, 2.0, 4), 0.1, 0.8
    point, velocity = rng.standard_normal(4), np.zeros(4)
    theta, sgd = point.copy(), SGD(rate, momentum, nesterov=True)
    state = sgd.init(theta)
    for _ in range(10):
        velocity = momentum * velocity - rate * curvature * (point + momentum * velocity)  # equation 3
        point = point + velocity                                                       # equation 4
        state = sgd.step(theta, curvature * theta, state)
        np.testing.assert_allclose(theta, point + momentum * velocity, rtol=1e-10, atol=1e-12)


def test_defaults_are_those_of_the_paper_for_adam_and_those_of_keras_for_the_others():
    assert Adam() == Adam(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, epsilon_hat=False)
    assert RMSprop() == RMSprop(learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7)
    assert SGD() == SGD(learning_rate=0.01, momentum=0.0, nesterov=False)


@pytest.mark.parametrize(
    "optimizer", [Adam(), Adam(epsilon_hat=True), RMSprop(momentum=0.5), SGD(0.001, 0.9), SGD(0.001, 0.9, True)], ids=repr
)
def test_float32_stays_float32_and_agrees_with_float64(optimizer):
    rng = np.random.default_rng(0)
    wide, g = rng.standard_normal(200), rng.standard_normal((20, 200))
    start, narrow = wide.copy(), wide.astype(np.float32)
    wide_state, narrow_state = optimizer.init(wide), optimizer.init(narrow)
    for k in g:
        wide_state = optimizer.step(wide, k, wide_state)
        narrow_state = optimizer.step(narrow, k.astype(np.float32), narrow_state)
    assert narrow.dtype == np.float32 and all(array.dtype == np.float32 for array in narrow_state[:-1])
    assert np.abs(wide - start).max() > 0.005
    np.testing.assert_allclose(narrow, wide, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    "kind, constants",
    [
        (Adam, {"learning_rate": 0}), (Adam, {"learning_rate": math.nan}), (Adam, {"beta1": 1.0}), (Adam, {"beta2": 1.5}),
        (Adam, {"beta2": -0.1}), (Adam, {"beta1": math.nan}), (Adam, {"epsilon": 0}), (Adam, {"epsilon_hat": 1}),
        (RMSprop, {"learning_rate": -1}), (RMSprop, {"rho": 1.0}), (RMSprop, {"rho": "0.9"}), (RMSprop, {"momentum": -0.1}),
        (RMSprop, {"momentum": 1}), (RMSprop, {"epsilon": 0.0}), (SGD, {"learning_rate": math.inf}), (SGD, {"momentum": 1.0}),
        (SGD, {"momentum": True}), (SGD, {"nesterov": "no"}),
    ],
)
def test_impossible_constants_are_refused_by_name(kind, constants):
    with pytest.raises(InputError, match=f"^{next(iter(constants))} must be"):
        kind(**constants)


def test_extreme_constants_are_accepted():
    assert Adam(beta1=0, beta2=0) and RMSprop(rho=0) and SGD(momentum=0.999) and StepDecay(1, 1, 1)


@KINDS
def test_a_learning_rate_given_for_one_step_replaces_the_optimizers_own(optimizer):
    fast, slow = dataclasses.replace(optimizer, learning_rate=0.5), dataclasses.replace(optimizer, learning_rate=0.125)
    a, b, g = np.zeros(2), np.zeros(2), np.array([1.0, -2.0])
    fast.step(a, g, fast.init(a), rate=0.125)
    slow.step(b, g, slow.init(b))
    assert (a == b).all() and np.abs(a).max() > 0.1


def test_a_constant_learning_rate_is_the_same_for_every_step():
    assert {Constant(0.25)(step) for step in (0, 1, 1000)} == {0.25}


def test_step_decay_keeps_the_learning_rate_and_then_multiplies_it_by_its_factor():
    rate = StepDecay(0.5, 3, 0.1)
    assert [rate(step) for step in range(8)] == pytest.approx([0.5] * 3 + [0.05] * 3 + [0.005] * 2, rel=1e-12)


def test_cosine_decay_falls_from_the_peak_to_a_hundredth():
    rate = CosineDecay(0.5, 100)
    assert rate(0) == 0.5 and rate(50) == pytest.approx(0.25) and rate(100) == rate(1000) == pytest.approx(0.005)
    rates = [rate(step) for step in range(101)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(
    "kind, constants, name",
    [
        (Constant, (0,), "rate"), (Constant, (math.nan,), "rate"), (StepDecay, (0, 1, 0.5), "peak"),
        (StepDecay, (1, 0, 0.5), "every"), (StepDecay, (1, 2.5, 0.5), "every"), (StepDecay, (1, 1, 0), "factor"),
        (StepDecay, (1, 1, 1.5), "factor"), (CosineDecay, (0, 10), "peak"), (CosineDecay, (-1.0, 10), "peak"),
        (CosineDecay, (0.1, 0), "total"),
    ],
)
def test_impossible_schedules_are_refused_by_name(kind, constants, name):
    with pytest.raises(InputError, match=f"^{name} must be"):
        kind(*constants)


@pytest.mark.parametrize("settings", [Adam(), RMSprop(), SGD(), Constant(1), StepDecay(1, 2, 0.5), CosineDecay(1, 2)], ids=repr)
def test_optimizers_and_schedules_are_immutable(settings):
    for field in dataclasses.fields(settings):
        with pytest.raises(AttributeError):
            setattr(settings, field.name, 0.5)


@pytest.mark.parametrize("max_norm, factor", [(None, 1), (10.0, 1), (5.0, 1), (2.5, 0.5)])
def test_clipping_scales_a_gradient_whose_norm_is_too_large(max_norm, factor):
    g = np.array([3.0, 0.0, -4.0])
    assert clip_by_global_norm(g, max_norm) == 5
    np.testing.assert_allclose(g, np.array([3.0, 0.0, -4.0]) * factor)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_is_reported_and_nothing_scaled(bad):
    for measure in (clip_by_global_norm, lambda g, limit: clip(g, None, limit), lambda g, limit: clip(g, limit, limit)):
        g = np.array([2.0, bad])
        assert not math.isfinite(measure(g, 1.0))
        np.testing.assert_array_equal(g, [2.0, bad])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping_by_value_clips_each_entry_alone(dtype):
    g = np.array([3.0, 0.25, -4.0, np.nan, -0.5, np.inf], dtype)
    clip_by_value(g, None)
    np.testing.assert_array_equal(g, [3.0, 0.25, -4.0, np.nan, -0.5, np.inf])
    clip_by_value(g, 0.5)
    np.testing.assert_array_equal(g, [0.5, 0.25, -0.5, np.nan, -0.5, 0.5])
    assert g.dtype == dtype


def test_clipping_by_norm_keeps_the_direction_and_clipping_by_value_changes_it():
    g = np.array([3.0, 0.0, -4.0])
    by_norm, by_value = g.copy(), g.copy()
    clip_by_global_norm(by_norm, 1.0)
    clip_by_value(by_value, 3.5)
    cosine = lambda a: a @ g / (np.linalg.norm(a) * np.linalg.norm(g))
    assert cosine(by_norm) == pytest.approx(1, abs=1e-12) and cosine(by_value) < 0.999


@pytest.mark.parametrize("limit", [0, -1.0, math.nan])
def test_a_clipping_limit_that_is_not_positive_is_refused(limit):
    with pytest.raises(InputError, match="^limit must be greater than 0"):
        clip_by_value(np.ones(2), limit)


@pytest.mark.parametrize(
    "max_value, max_norm, clipped",
    [
        (None, None, [3.0, 0.0, -4.0]),
        (None, 2.5, [1.5, 0.0, -2.0]),
        (1.0, None, [1.0, 0.0, -1.0]),
        # clipped by norm first, it would be 0.6 and -0.8
        (3.0, 1.0, [math.sqrt(0.5), 0.0, -math.sqrt(0.5)]),
        # its norm is small enough once its entries are clipped
        (3.0, 4.5, [3.0, 0.0, -3.0]),
    ],
)
def test_clipping_by_value_comes_before_clipping_by_norm_and_the_raw_norm_is_returned(max_value, max_norm, clipped):
    g = np.array([3.0, 0.0, -4.0])
    assert clip(g, max_value, max_norm) == 5
    np.testing.assert_allclose(g, clipped, rtol=1e-12)


# norm / limit, or entry / limit
AROUND_THE_LIMIT = [0.5, 0.99, 0.995, 1 - 1e-5, 1.0, 1 + 1e-5, 1.005, 1.01, 2.0, 1e3]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=seeds)
def test_after_clipping_the_norm_is_the_smaller_of_norm_and_limit(dtype, seed):
    rng, rounding = np.random.default_rng(seed), 20 * float(np.finfo(dtype).eps)
    g = (rng.standard_normal(rng.integers(1, 40)) * 10.0 ** rng.integers(-3, 4)).astype(dtype)
    norm = float(np.linalg.norm(g))
    for ratio in AROUND_THE_LIMIT:
        limit = norm / ratio
        assert clip_up_to_a_factor(g, None, limit)[1] * norm == pytest.approx(min(norm, limit), rel=rounding)
        for do in (clip_by_global_norm, lambda g, limit: clip(g, None, limit), lambda g, limit: clip(g, math.inf, limit)):
            clipped = g.copy()
            assert do(clipped, limit) == norm
            assert np.linalg.norm(clipped) == pytest.approx(min(norm, limit), rel=rounding)
            np.testing.assert_allclose(clipped, g * min(1, 1 / ratio), rtol=rounding)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=seeds)
def test_after_clipping_by_value_an_entry_is_the_smaller_of_itself_and_the_limit(dtype, seed):
    rng, rounding = np.random.default_rng(seed), 20 * float(np.finfo(dtype).eps)
    g = rng.standard_normal(rng.integers(1, 40)).astype(dtype)
    for ratio in AROUND_THE_LIMIT:
        # one of the entries is just above or below the limit
        limit = dtype(np.abs(rng.choice(g)) / ratio)
        cut, both = g.copy(), g.copy()
        clip_by_value(cut, limit)
        assert cut.tolist() == [math.copysign(min(abs(x), limit), x) for x in g.tolist()]
        norm = float(np.linalg.norm(cut))
        clip(both, limit, norm / ratio)  # then clipping by norm
        assert np.linalg.norm(both) == pytest.approx(min(norm, norm / ratio), rel=rounding)
