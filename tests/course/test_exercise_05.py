"""Wrong answers to the exercises of lesson 5, and the messages that they get."""

import pytest

from tests.helpers.exercises import result_of, wrong

WEIGHTS = """def weights_over_time(x, h0, h, dz):
    h_before = {before}
    dWx, dWh, db = 0, 0, 0
    for t in range(len(x)):
        dWx {add} x[t].T @ dz[t]
        dWh {add} h_before[t].T @ dz[t]
        db {add} dz[t].sum(axis=0)
    return {results}
"""
RIGHT = {"before": "np.concatenate([h0[None], h[:-1]])", "add": "+=", "results": "dWx, dWh, db"}


def test_weights_summed_in_a_loop_are_right(tmp_path):
    assert result_of(tmp_path, 5, "weights_over_time", WEIGHTS.format(**RIGHT)).state == "right"


@pytest.mark.parametrize(
    "line, said",
    [
        ({"add": "="}, "dWx is wrong: it has only the last step; add the gradients of all steps, with += and not with ="),
        ({"before": "h"}, "dWh is wrong: dz[t] is multiplied by h[t]"),
        ({"before": "[h[t - 1] for t in range(len(h))]"}, "h[-1], which in Python is the last one; h0 belongs there"),
        ({"before": "np.concatenate([0 * h0[None], h[:-1]])"}, "the first step takes zeros or is missing"),
        ({"before": "np.concatenate([h0, h[:-1]])"}, "line 9: ValueError"),
        ({"results": "dWx / len(x), dWh / len(x), db / len(x)"}, "it is a mean over time"),
        ({"results": "dWx, dWh, db / len(h0)"}, "db is wrong: it is a mean over the mini-batch"),
        ({"results": "dWx, dWh"}, "must return three arrays"),
        ({"results": "dWx, dWh, dz.sum(axis=0)"}, "db has the shape (3, 8) where (8,) belongs"),
    ],
)
def test_a_message_says_what_is_wrong_with_the_gradients_of_weights(tmp_path, line, said):
    assert said in wrong(tmp_path, 5, "weights_over_time", WEIGHTS.format(**RIGHT | line))


def test_only_the_first_step_is_named(tmp_path):
    source = """def weights_over_time(x, h0, h, dz):
    return x[0].T @ dz[0], h0.T @ dz[0], dz[0].sum(axis=0)
"""
    assert "it has only the first step" in wrong(tmp_path, 5, "weights_over_time", source)


PARTS = """def in_two_parts(backward, dh, dstate, caches, Wx, Wh, cut):
    zeros = np.zeros_like(dstate[0]), np.zeros_like(dstate[1])
    dx_late, dstate_late, grads_late = backward(dh[cut:], {final}, caches[cut:], Wx, Wh)
    dx_early, dstate_early, grads_early = backward(dh[:cut], {at_cut}, caches[:cut], Wx, Wh)
    return {dx}, {initial}, {grads}
"""
WHOLE = {
    "final": "dstate", "at_cut": "dstate_late", "dx": "np.concatenate([dx_early, dx_late])", "initial": "dstate_early",
    "grads": "[a + b for a, b in zip(grads_early, grads_late)]",
}


@pytest.mark.parametrize(
    "line, said",
    [
        ({"at_cut": "zeros"}, "With zeros this is truncated backpropagation through time"),
        ({"at_cut": "(dstate_late[0], zeros[1])"}, "dc0 of the late part is lost at the cut"),
        ({"at_cut": "(zeros[0], dstate_late[1])"}, "dh0 of the late part is lost at the cut"),
        ({"at_cut": "dstate_late[::-1]"}, "dh0 and dc0 of the late part are exchanged"),
        ({"at_cut": "dstate"}, "dstate belongs to the late part"),
        ({"final": "zeros"}, "dstate is not used"),
        ({"dx": "np.concatenate([dx_late, dx_early])"}, "the late part comes first"),
        ({"dx": "dx_early + dx_late"}, "line 20: ValueError: operands"),
        ({"dx": "dx_late"}, "dx has the shape (3, 3, 4) where (5, 3, 4) belongs"),
        ({"initial": "dstate_late"}, "dh0 is wrong: this is the gradient of the state at the cut"),
        ({"grads": "grads_late"}, "dWx is wrong: it is the late part's alone"),
        ({"grads": "grads_early"}, "dWx is wrong: it is the early part's alone"),
        ({"grads": "[(a + b) / 2 for a, b in zip(grads_early, grads_late)]"}, "it is the mean of both parts"),
        ({"grads": "grads_early + grads_late"}, "the gradients must be three arrays"),
    ],
)
def test_a_message_says_what_is_lost_at_the_cut(tmp_path, line, said):
    assert said in wrong(tmp_path, 5, "in_two_parts", PARTS.format(**WHOLE | line))


def test_one_call_for_all_steps_is_no_answer(tmp_path):
    source = """def in_two_parts(backward, dh, dstate, caches, Wx, Wh, cut):
    return backward(dh, dstate, caches, Wx, Wh)
"""
    assert "all steps at once" in wrong(tmp_path, 5, "in_two_parts", source)


def test_the_early_part_computed_first_is_named(tmp_path):
    source = """def in_two_parts(backward, dh, dstate, caches, Wx, Wh, cut):
    dx_early, dstate_early, grads_early = backward(dh[:cut], dstate, caches[:cut], Wx, Wh)
    dx_late, dstate_late, grads_late = backward(dh[cut:], dstate_early, caches[cut:], Wx, Wh)
    return np.concatenate([dx_early, dx_late]), dstate_late, [a + b for a, b in zip(grads_early, grads_late)]
"""
    assert "the late part must be computed first" in wrong(tmp_path, 5, "in_two_parts", source)


LOOP = """def lstm_sequence_backward(dh, dstate, caches, Wx, Wh):
    T, B, H = dh.shape
    dx, dWx, dWh, db = np.zeros((T, B, len(Wx))), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H)
    dh_next, dc_next = {start}
    for t in {times}:
        dx[{at}], dh_prev, dc_prev, grads = lstm_step_backward({dh}, {dc}, caches[{cache}], Wx, Wh)
        dh_next, dc_next = {passed_on}
        dWx += grads[0]
        dWh {add} grads[1]
        db += grads[2]
    return dx, {state}, (dWx, dWh, db)
"""
LINES = {
    "start": "dstate", "times": "reversed(range(T))", "at": "t", "dh": "dh[t] + dh_next", "dc": "dc_next", "cache": "t",
    "passed_on": "dh_prev, dc_prev", "add": "+=", "state": "(dh_next, dc_next)",
}
COURSE = {"start": "np.zeros((2, B, H))", "passed_on": "dh_next, dc_next", "state": "(dh_prev, dc_prev)"}


@pytest.mark.parametrize(
    "line, said",
    [
        ({"passed_on": "dh_prev, dc_next"}, "cell-state gradient never updated"),
        ({"passed_on": "dh_prev, np.zeros_like(dc_prev)"}, "cell-state gradient dropped between steps"),
        ({"dc": "0 * dc_next"}, "only the part of dc through h"),
        ({"passed_on": "dh_next, dc_prev"}, "hidden-state gradient never updated"),
        ({"passed_on": "np.zeros_like(dh_prev), dc_prev"}, "hidden-state gradient dropped between steps"),
        ({"dh": "dh[t]"}, "hidden-state gradient carried and not added"),
        ({"dh": "dh_next"}, "gradients of the outputs left out"),
        (COURSE, "both gradients dropped between steps, handed back at step 0"),
        ({"passed_on": "dc_prev, dh_prev"}, "dh_next and dc_next exchanged"),
        ({"add": "="}, "gradient of Wh keeps one step only"),
        ({"cache": "t - 1"}, "cache of the step before"),
        ({"start": "np.zeros((2, B, H))"}, "gradients of the final state not read"),
        ({"start": "dstate[0], np.zeros((B, H))"}, "gradient of the final cell state not read"),
        ({"at": "T - 1 - t"}, "dx in reversed order"),
        ({"times": "reversed(range(1, T))"}, "first step left out"),
        ({"times": "range(T)"}, "loop in the order of the forward pass"),
        ({"times": "range(T - 1, -1)"}, "backward through no step"),
        ({"start": "dstate[::-1]"}, "gradients of the final states exchanged"),
        ({"dh": "dh[t] - dh_next"}, "hidden-state gradient subtracted"),
        ({"dh": "dh[t] + dh_next / 2"}, "none of the known ones"),
        ({"state": "(dc_next, dh_next)"}, "gradients of the initial states exchanged"),
        ({"state": "dh_next, dc_next"}, "your backward pass must return (dx, (dh0, dc0), grads); it returned 4 values"),
        ({"dh": "dh[t] @ dh_next"}, "line 29: a product @ does not fit: the left array has 2 columns, the right one 3 rows"),
    ],
)
def test_wrong_loops_are_named(tmp_path, line, said):
    assert said in " ".join(wrong(tmp_path, 5, "lstm_sequence_backward", LOOP.format(**LINES | line)).split())


def test_dh_must_not_be_changed_in_place(tmp_path):
    changing = LOOP.replace("    for t", "    dh[-1] += 0 * dh[-1] + 1\n    for t")
    message = wrong(tmp_path, 5, "lstm_sequence_backward", changing.format(**LINES))
    assert "dh is changed in place" in message


def test_dz_multiplied_by_h_of_the_same_step_is_named(tmp_path):
    shifted = LINES | {"cache": "t]._replace(h_prev=caches[t].o * caches[t].tanh_c"}
    source = LOOP.format(**shifted).replace("tanh_c], Wx", "tanh_c), Wx")
    assert "Wh paired with h[t]" in wrong(tmp_path, 5, "lstm_sequence_backward", source)


def test_a_return_within_the_loop_is_named(tmp_path):
    early = LOOP.replace("    return dx", "        return dx")
    assert "backward through the last step only" in wrong(tmp_path, 5, "lstm_sequence_backward", early.format(**LINES))
