"""A backward step alone gets caches that end in tanh(c); the learner's own may end in c."""

import numpy as np
import pytest

from minilstm import reference
from minilstm.verify import diagnose, diagnose_sequence
from tests.helpers.text import one_line
from tests.verify.test_diagnose import names


def backward_of_c(dh, dc, cache, Wx, Wh, factor=1.0):
    x, h_prev, c_prev, i, f, g, o, c = cache
    do = dh * np.tanh(c)
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    dz = [dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), do * o * (1 - o)]
    dz = factor * np.concatenate(dz, axis=1)
    return dz @ Wx.T, dz @ Wh.T, dc * f, (x.T @ dz, h_prev.T @ dz, dz.sum(axis=0))


def backward_of_tanh_c(dh, dc, cache, Wx, Wh):
    """A mistake: tanh of a field whose name says that it is the tanh already."""
    tanh_c = cache.tanh_c
    return backward_of_c(dh, dc, (*cache[:-1], tanh_c), Wx, Wh)


def through_time(step_backward):
    def backward(dh, dstate, caches, Wx, Wh):
        dx, grads, (dh_next, dc) = [], [], dstate
        for dh_t, cache in zip(reversed(dh), reversed(caches)):
            dx_t, dh_next, dc, of_step = step_backward(dh_t + dh_next, dc, cache, Wx, Wh)
            dx.insert(0, dx_t)
            grads.append(of_step)
        return np.stack(dx), (dh_next, dc), [sum(g) for g in zip(*grads)]

    return backward


ALONE = [
    pytest.param(diagnose, lambda step_backward: step_backward, "forward step", id="step"),
    pytest.param(diagnose_sequence, through_time, "forward pass", id="sequence"),
]


@pytest.mark.parametrize("examine, made_of, forward", ALONE)
def test_a_right_backward_whose_cache_has_c_is_not_accused(examine, made_of, forward):
    found = examine(made_of(backward_of_c))
    assert found.right and names(found) == []
    assert "That is with c as the last field of the cache, where reference.lstm_step has tanh(c)." in one_line(found)
    assert f"Give your own {forward} as the second argument, to check both." in one_line(found)


@pytest.mark.parametrize("examine, made_of, forward", ALONE)
def test_a_wrong_backward_whose_cache_has_c_may_say_so(examine, made_of, forward):
    found = examine(made_of(lambda *given: backward_of_c(*given, factor=0.5)))
    assert not found.right
    advice = f"if your cache keeps c, give your own {forward} as the second argument."
    assert (advice in one_line(found)) == ("tanh of tanh(c)" in names(found))


def test_tanh_of_a_field_that_is_named_tanh_is_a_mistake():
    found = diagnose(backward_of_tanh_c)
    assert "tanh of tanh(c)" in names(found) and not found.right
    assert "if your cache keeps c, give your own forward step as the second argument." in one_line(found)


def test_with_its_own_forward_step_a_backward_gets_no_advice_about_the_cache():
    def step(*inputs):
        h, c, cache = reference.lstm_step(*inputs)
        return h, c, (*cache[:-1], c)

    assert str(diagnose(backward_of_c, step)).splitlines() == ["Your backward step is right: it equals ours in 6 random cases."]
    found = diagnose(backward_of_tanh_c, reference.lstm_step)
    assert "tanh of tanh(c)" in names(found) and "second argument" not in one_line(found)


def test_other_mistakes_get_no_advice_about_the_cache():
    def dropped(*given):
        dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(*given)
        return dx, dh_prev, 0 * dc_prev, grads

    assert "second argument" not in one_line(diagnose(dropped))


def test_what_is_not_known_says_how_many_mistakes_of_how_many_were_tried():
    def unknown(*given):
        dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(*given)
        return dx, dh_prev, dc_prev + 0.1 * dx.mean(), grads

    assert (
        "It is none of the known ones: 200 of the 528 known mistakes were tried, alone and in pairs,"
        " those of a backward step." in one_line(diagnose(unknown))
    )
