"""Adam and clipping, held to the algorithm as printed."""

import math

import numpy as np
import pytest
from hypothesis import given

from minilstm import Adam, InputError
from minilstm.optim import CosineDecay, adam_step, clip_by_global_norm
from tests.strategies import seeds


def naive_adam(theta, gradients, rate, beta1, beta2, epsilon):
    """Algorithm 1 of Kingma and Ba, one number at a time."""
    result = []
    for p in range(len(theta)):
        value, m, v = theta[p], 0.0, 0.0
        for t, g in enumerate(gradients, start=1):
            m = beta1 * m + (1 - beta1) * g[p]
            v = beta2 * v + (1 - beta2) * g[p] ** 2
            m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
            value -= rate * m_hat / (math.sqrt(v_hat) + epsilon)
        result.append(value)
    return result


@pytest.mark.parametrize("beta1, beta2", [(0.8, 0.95), (0.3, 0.4)])
@given(seed=seeds)
def test_compiled_book_and_naive_adam_take_the_same_steps(beta1, beta2, seed):
    rng = np.random.default_rng(seed)
    start, gradients = rng.standard_normal(5), rng.standard_normal((4, 5)) * 10.0 ** rng.integers(-4, 4, 5)
    adam = Adam(learning_rate=0.01, beta1=beta1, beta2=beta2, epsilon=1e-3)
    book, book_state = start, adam.init(start)
    theta, state = start.copy(), adam.init(start)
    for g in gradients:
        book, book_state = adam_step(book, g, book_state, 0.01, beta1, beta2, 1e-3)
        state = adam.step(theta, g, state)
    twin = naive_adam(start, gradients, 0.01, beta1, beta2, 1e-3)
    assert np.abs(theta - start).max() > 1e-4 and state.t == book_state.t == 4
    np.testing.assert_allclose(book, twin, rtol=1e-12)
    np.testing.assert_allclose(theta, twin, rtol=1e-12)
    np.testing.assert_allclose(state.v, book_state.v, rtol=1e-12)


def test_the_first_step_is_the_learning_rate_whatever_the_size_of_the_gradient():
    theta = np.zeros(3)
    adam = Adam(learning_rate=0.5)
    adam.step(theta, np.array([1e-3, -1.0, 1e5]), adam.init(theta))
    np.testing.assert_allclose(theta, [-0.5, 0.5, -0.5], rtol=1e-4)


def test_defaults_are_those_of_the_paper():
    assert Adam() == Adam(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8)


def test_float32_stays_float32_and_follows_float64():
    rng = np.random.default_rng(0)
    wide, g = rng.standard_normal(200), rng.standard_normal((20, 200))
    narrow = wide.astype(np.float32)
    adam = Adam()
    wide_state, narrow_state = adam.init(wide), adam.init(narrow)
    for k in g:
        wide_state = adam.step(wide, k, wide_state)
        narrow_state = adam.step(narrow, k.astype(np.float32), narrow_state)
    assert narrow.dtype == narrow_state.m.dtype == np.float32
    np.testing.assert_allclose(narrow, wide, rtol=0, atol=2e-6)


@pytest.mark.parametrize("max_norm, factor", [(None, 1), (10.0, 1), (5.0, 1), (2.5, 0.5)])
def test_clipping_scales_a_gradient_that_is_too_long(max_norm, factor):
    g = np.array([3.0, 0.0, -4.0])
    assert clip_by_global_norm(g, max_norm) == 5
    np.testing.assert_allclose(g, np.array([3.0, 0.0, -4.0]) * factor)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_is_reported_and_nothing_scaled(bad):
    g = np.array([1.0, bad])
    assert not math.isfinite(clip_by_global_norm(g, 1.0))
    assert g[0] == 1


@pytest.mark.parametrize(
    "constants",
    [{"learning_rate": 0}, {"learning_rate": math.nan}, {"beta1": 1.0}, {"beta2": 1.5}, {"beta2": -0.1}, {"epsilon": 0}],
)
def test_impossible_constants_are_refused_by_name(constants):
    with pytest.raises(InputError, match=next(iter(constants))):
        Adam(**constants)


def test_cosine_decay_falls_from_the_peak_to_a_hundredth():
    rate = CosineDecay(0.5, 100)
    assert rate(0) == 0.5 and rate(50) == pytest.approx(0.25) and rate(100) == rate(1000) == pytest.approx(0.005)
    rates = [rate(step) for step in range(101)]
    assert rates == sorted(rates, reverse=True)


def test_a_rate_given_for_one_step_takes_the_place_of_the_optimizers_own():
    a, b, g = np.zeros(2), np.zeros(2), np.array([1.0, -2.0])
    Adam(0.5).step(a, g, Adam(0.5).init(a), rate=0.125)
    Adam(0.125).step(b, g, Adam(0.125).init(b))
    assert (a == b).all() and np.abs(a).max() > 0.1


def test_impossible_schedules_are_refused_and_settings_do_not_change():
    for peak, total in ((0, 10), (-1.0, 10), (0.1, 0)):
        with pytest.raises(InputError):
            CosineDecay(peak, total)
    for settings, name in ((Adam(beta1=0, beta2=0), "beta1"), (CosineDecay(1, 2), "peak")):
        with pytest.raises(AttributeError):
            setattr(settings, name, 0.5)
