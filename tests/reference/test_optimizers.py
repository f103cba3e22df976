"""Optimizers and clipping of the reference against the engine and definitions."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minilstm.optim import SGD, Adam, RMSprop, clip
from minilstm.reference.optimizers import (
    AdamState,
    RMSpropState,
    SGDState,
    adam_step,
    clip_by_norm,
    clip_by_value,
    rmsprop_step,
    sgd_step,
)
from tests.helpers.strategies import seeds

fractions = st.floats(0, 0.99)
# with less, the engine's form of a running mean rounds differently for small gradients
decays = st.floats(0.3, 0.99)
rates = st.floats(1e-4, 0.5)


def assert_steps_agree(seed, step, state, optimizer, *constants):
    """Asserts that reference and engine agree in parameters and state at every step."""
    rng = np.random.default_rng(seed)
    start = rng.standard_normal(7)
    theta, theirs, their_state = start, start.copy(), optimizer.init(start)
    for _ in range(5):
        g = rng.standard_normal(7)
        theta, state = step(theta, g, state, *constants)
        their_state = optimizer.step(theirs, g, their_state)
        assert (theta != start).all()
        for ours, engines in zip((theta, *state), (theirs, *their_state), strict=True):
            np.testing.assert_allclose(ours, engines, rtol=1e-12, atol=1e-13)
    assert state.t == 5


@given(seeds, rates, decays, decays, st.booleans())
def test_adam_is_the_engines(seed, rate, beta1, beta2, epsilon_hat):
    constants = rate, beta1, beta2, 1e-6, epsilon_hat
    assert_steps_agree(seed, adam_step, AdamState(), Adam(*constants), *constants)


@given(seeds, rates, decays, fractions)
def test_rmsprop_is_the_engines(seed, rate, rho, momentum):
    constants = rate, rho, momentum, 1e-6
    assert_steps_agree(seed, rmsprop_step, RMSpropState(), RMSprop(*constants), *constants)


@given(seeds, rates, fractions, st.booleans())
def test_sgd_is_the_engines(seed, rate, momentum, nesterov):
    constants = rate, momentum, nesterov
    assert_steps_agree(seed, sgd_step, SGDState(), SGD(*constants), *constants)


def test_the_defaults_are_the_engines():
    for step, state, optimizer in (
        (adam_step, AdamState(), Adam()), (rmsprop_step, RMSpropState(), RMSprop()), (sgd_step, SGDState(), SGD()),
    ):
        assert_steps_agree(0, step, state, optimizer)


def test_adams_first_step_has_the_size_of_the_learning_rate():
    theta, state = adam_step(np.array([1.0, 1.0]), np.array([1e-3, -50.0]), AdamState(), rate=0.1)
    np.testing.assert_allclose(theta, [0.9, 1.1], rtol=1e-4)
    assert state.t == 1


@given(seeds, st.floats(0.1, 3))
def test_clipping_by_norm_scales_only_what_exceeds_the_limit(seed, size):
    rng = np.random.default_rng(seed)
    grads = {"W": size * rng.standard_normal((2, 3)), "b": size * rng.standard_normal(4)}
    flat = lambda arrays: np.concatenate([a.ravel() for a in arrays.values()])
    theirs = flat(grads).copy()
    norm = clip(theirs, max_norm=3.0)
    clipped = clip_by_norm(grads, 3.0)
    assert clipped.keys() == grads.keys()
    np.testing.assert_allclose(flat(clipped), theirs, rtol=1e-12)
    assert math.isclose(np.linalg.norm(flat(clipped)), min(norm, 3.0), rel_tol=1e-12)
    assert (clip_by_norm({"b": np.zeros(3)}, 3.0)["b"] == 0).all()


@given(seeds)
def test_clipping_by_value_is_the_engines(seed):
    g = np.random.default_rng(seed).standard_normal(6)
    theirs = g.copy()
    clip(theirs, max_value=0.5)
    kept = g.copy()
    np.testing.assert_array_equal(clip_by_value({"b": g}, 0.5)["b"], theirs)
    np.testing.assert_array_equal(g, kept)
