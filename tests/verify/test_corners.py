"""Rare ways through the verification tools."""

import numpy as np

from minilstm import verify
from minilstm.reference import sequence
from minilstm.verify import MISTAKES, diagnose_sequence, numerical
from minilstm.verify.diagnose.explain import partly
from minilstm.verify.gradcheck.objective import watch
from tests.helpers.text import one_line


def test_a_step_that_changes_nothing_has_no_derivative():
    derivatives = numerical.central_differences(lambda p: np.sum(p["x"] ** 2), {"x": np.array([1.0, 0.0])}, step=1e-30)
    assert np.isnan(derivatives["x"][0]) and derivatives["x"][1] == 0


def test_a_function_of_two_results_is_watched():
    loss = lambda p: np.sum(np.modf(p["x"])[0]) + np.sum(np.abs(p["x"]))
    assert watch(loss, {"x": np.array([1.5])}) == {"absolute"}


def test_mistakes_that_explain_all_leave_nothing():
    right, wrong = {"dx": np.ones(2), "db": np.ones(2)}, {"dx": np.zeros(2), "db": np.ones(2)}
    assert partly([wrong], [right], {MISTAKES[0]: [wrong]}) == [(MISTAKES[0], ["dx"])]


def _wrong_if(condition, change):
    def backward(dh, dstate, caches, Wx, Wh):
        dx, dstate0, grads = sequence.lstm_sequence_backward(dh, dstate, caches, Wx, Wh)
        return (dx, dstate0, change(grads)) if condition(*dh.shape) else (dx, dstate0, grads)

    return backward


def test_a_mistake_at_one_mini_batch_size_alone_has_no_place_in_time():
    diagnosis = diagnose_sequence(_wrong_if(lambda T, B, H: B == 5, lambda g: g._replace(b=g.b * np.arange(g.b.size))))
    assert diagnosis.mistakes == () and "Sequences of up to" not in one_line(diagnosis)


def test_gradients_of_no_common_dz_are_reported_as_they_are():
    factors = lambda g: type(g)(g.Wx * 2, g.Wh * 3 + 1, g.b * np.arange(g.b.size))

    def backward(dh, *rest):
        dx, (dh0, dc0), grads = _wrong_if(lambda T, B, H: T > 1, factors)(dh, *rest)
        return (dx**2 + 1, (dh0**3, dc0), grads) if len(dh) > 1 else (dx, (dh0, dc0), grads)

    diagnosis = diagnose_sequence(backward)
    assert diagnosis.mistakes == () and not diagnosis


def test_two_steps_that_give_no_numbers_are_not_taken_apart():
    wrong = lambda g: g._replace(b=g.b * np.arange(g.b.size))
    nan = lambda g: g._replace(b=np.nan * g.b)
    backward = lambda dh, *rest: _wrong_if(lambda T, B, H: T > 1, nan if len(dh) == 2 else wrong)(dh, *rest)
    diagnosis = diagnose_sequence(backward)
    assert diagnosis.mistakes == () and "In db, input gate, entry" in one_line(diagnosis)


def test_a_name_that_the_package_does_not_have_is_an_attribute_error():
    assert not hasattr(verify, "check_everything") and callable(verify.check_model)
