"""Softmax cross-entropy of the reference, against the oracle and complex steps."""

import numpy as np
from hypothesis import given

from minilstm.reference.loss import softmax_cross_entropy, softmax_cross_entropy_backward
from tests.helpers import naive
from tests.helpers.strategies import logits_and_targets_N_V, logits_and_targets_T_B_V
from tests.reference.cells import assert_complex_step, close


@given(logits_and_targets_T_B_V())
def test_the_loss_is_the_oracles_mean_over_real_tokens(case):
    logits, targets, lengths = case
    loss, cache = softmax_cross_entropy(logits, targets, lengths)
    dlogits = softmax_cross_entropy_backward(cache)
    N, total = lengths.sum(), 0.0
    for b, n in enumerate(lengths):
        for t in range(n):
            nats, gradient = naive.cross_entropy(logits[t, b].tolist(), targets[t, b])
            total += nats
            close([dlogits[t, b]], [np.array(gradient) / N])
        assert (dlogits[n:, b] == 0).all()
    close([loss], [total / N])


@given(logits_and_targets_N_V())
def test_backward_equals_the_complex_step_of_the_loss(case):
    logits, targets = case
    _, cache = softmax_cross_entropy(logits, targets)
    loss = lambda arrays: softmax_cross_entropy(arrays["logits"], targets)[0]
    assert_complex_step(loss, {"logits": logits}, {"logits": softmax_cross_entropy_backward(cache)})
    close([softmax_cross_entropy_backward(cache, -2.5)], [-2.5 * softmax_cross_entropy_backward(cache)])


def test_logits_of_any_size_give_a_finite_loss():
    logits, targets = np.array([[1e4, 0.0, -1e4]]), np.array([2])
    loss, cache = softmax_cross_entropy(logits, targets)
    assert loss == 2e4
    np.testing.assert_array_equal(softmax_cross_entropy_backward(cache), [[1, 0, -1]])
