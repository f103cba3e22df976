"""``diagnose`` on slips without a name: each is traced to its place.

No wrong code passes, and no right code fails.
"""

from collections import deque

import re

import numpy as np
import pytest

from minilstm import InputError, reference
from minilstm.reference import lstm_step, lstm_step_backward
from minilstm.reference.sequence import lstm_sequence, lstm_sequence_backward
from minilstm.verify import (
    check_sequence,
    check_step,
    contracts,
    diagnose,
    diagnose_loss,
    diagnose_sequence,
    diagnose_step,
)
from minilstm.verify.diagnose.unwritten import empty_arrays_hold
from tests.helpers.learner_loop import backward, changed, forward, step, step_backward, step_with
from tests.helpers.text import one_line
from tests.verify.test_diagnose import my_loss, names


def diagnosed(right, wrong):
    """Diagnoses of the slip in time and in a step."""
    return diagnose_sequence(changed(right, wrong), forward), diagnose(step_with(right, wrong), step)


def test_the_learners_code_is_right_before_any_slip():
    assert diagnose_sequence(backward, forward) and diagnose(step_backward, step)


# ---- slips without a name have a place -----------------------------------------------


@pytest.mark.parametrize(
    "right, wrong, parts, words",
    [
        ("dht = dh[t] + dh_next", "dht = 3 * (dh[t] + dh_next)", ("dh",), "before equation (6) uses it"),
        ("tanh_c**2)", "tanh_c**3)", ("dc",), "Look where it is made: equation (6)."),
        ("dc_next = dct * f", "dc_next = dct * f * f", ("dc_prev",), "of dc: equation (4)"),
        ("g * i * (1 - i)", "i * (2 - i)", ("dz, input gate",), "equations (4) and (2)"),
        ("f * (1 - f)", "f / 2", ("dz, forget gate",), "equations (4) and (1)"),
        ("1 - g**2", "1 - g**4", ("dz, candidate",), "equations (4) and (3)"),
        ("tanh_c * o", "tanh_c * i", ("dz, output gate",), "equations (6) and (5)"),
        ("dz.dot(Wx.T)", "dz.dot(Wx.T) * 1.5", ("dx",), "dz is right; look where dx is made of it."),
        ("dz.dot(Wh.T)", "dht + dz.dot(Wh.T)", ("dh_prev",), "dz is right; look where dh_prev is made of it."),
    ],
)
def test_an_unknown_slip_is_traced_to_its_own_equation(right, wrong, parts, words):
    in_time, of_a_step = diagnosed(right, wrong)
    assert of_a_step.findings[0].parts == in_time.findings[0].parts == parts
    assert len(of_a_step.findings) == len(in_time.findings) == 1
    assert words in one_line(of_a_step) and words in one_line(in_time)
    assert "A sequence of a single step (T = 1) is wrong already:" in one_line(in_time)
    has_outputs = parts[0] in ("dh", "dc") or parts[0].startswith("dz, ")
    assert ("What else is wrong follows from it: " in one_line(of_a_step)) == has_outputs


def test_a_consequence_of_a_slip_is_not_a_second_slip():
    def twice(*arguments):
        dx, dh_prev, dc_prev, (dWx, dWh, db) = step_with("f * (1 - f)", "f / 2")(*arguments)
        return dx, dh_prev, dc_prev, (1.5 * dWx, dWh, db)

    text = one_line(diagnose(twice, step))
    assert "Look where dzf is made of dc" in text and "Besides, dWx is not made of this dz." in text


def test_outputs_of_which_no_three_agree_have_no_place():
    def three(*arguments):
        dx, dh_prev, dc_prev, (dWx, dWh, db) = step_backward(*arguments)
        return dx + 1e-3 * arguments[0].sum(), dh_prev * 2, dc_prev, (dWx, dWh * dWh.shape[0], 3 * db)

    text = one_line(diagnose(three, step))
    assert "No three of dx, dh_prev, dWx, dWh and db are made of one and the same dz" in text and "dz is right" not in text


def test_a_dx_without_a_leading_time_axis_is_recognized_by_its_shape():
    found = diagnose_sequence(changed("return dx,", "return dx.transpose(1, 0, 2),"), forward)
    assert "dx has the shape (2, 1, 3); its first axis is not time." in one_line(found) and "missing" not in one_line(found)


@pytest.mark.parametrize("wrong", ["x[t].T.dot(dzf)", "x[t].T.dot(dz) * np.nan", "x[t].T.dot(dz)[None]"])
def test_a_wrong_shape_or_nan_is_reported_before_any_place(wrong):
    text = one_line(diagnose(step_with("dWx += x[t].T.dot(dz)", f"dWx = {wrong}"), step))
    assert "Fix the shape, or what is NaN, first, and check again." in text and "dz" not in text and ", )" not in text


@pytest.mark.parametrize(
    "right, wrong, words",
    [
        ("dh_next = dz.dot(Wh.T)", "dh_next = dz.dot(Wh.T) * (0.5 if t else 1)", "step 0 but for the dh_prev that it gets"),
        ("dc_next = dct * f", "dc_next = dct * f * (0.5 if t else 1)", "step 0 but for the dc_prev that it gets"),
        ("cs[t - 1] if t > 0 else c0", "cs[t - 2] if t > 0 else c0", "is what it uses, dh[t] or caches[t] or a state"),
        ("else c0", "else c0 * (2 if T > 1 else 1)", "Wrong is what it multiplies them by (forget gate)"),
        ("dWh += h_prev.T", "dWh += (h_prev + (t > 0) * h0).T",
         "The gradients dz of both steps are right; look where they are added up to dWh"),
        ("gates[t]", "gates[t if T < 2 or t else 1]",
         "what it multiplies them by (input gate, forget gate, candidate, output gate)"),
        ("dht = dh[t]", "dh_next, dc_next = (v / (1 + (t < T - 1)) for v in (dh_next, dc_next)); dht = dh[t]",
         "either it gets both recurrent gradients wrong, or"),
        ("dht = dh[t] + dh_next", "dht = dh[t] + dh_next * (1 if t < T - 1 else 2)", "zero: look where dhT is read"),
        ("dht = dh[t] + dh_next", "dht = dh[t] * 2 + dh_next", "zero: look where dh[t] is read"),
        ("dc_next = dct * f", "dc_next = dstate[0] + 0 * dct", "Where T = 1, dh[0] and dhT are added, so both have"),
        ("dct = dc_next +", "dct = dc_next * (1 if t < T - 1 else 2) +", "where dcT is zero: look where dcT is read"),
        ("dh[t] + dh_next", "dh[t] + dh_next * (1 if T < 4 else 2)", "Sequences of up to 3 steps are right; 4 are not"),
    ],
)
def test_an_unknown_slip_in_time_has_a_place(right, wrong, words):
    found = diagnose_sequence(changed(right, wrong), forward)
    assert names(found) == [] and words in one_line(found), str(found)


def test_wrong_gradients_passed_on_by_a_step_are_no_second_finding():
    text = one_line(diagnose_sequence(changed("cs[t - 1] if t > 0 else c0", "cs[t - 2] if t > 0 else c0"), forward))
    assert "In dz of step 1, forget gate" in text and "handed on" not in text


def test_a_known_slip_beside_an_unknown_one_is_still_named():
    slip = changed("db += dz", "db = dz", "dWx += x[t].T", "dWx += (t + 1) * x[t].T")
    found = diagnose_sequence(slip, forward)
    assert names(found) == ["gradient of b keeps one step only"]
    assert "The gradients dz of both steps are right; look where they are added up to dWx" in one_line(found)
    assert "What is left is none of the known ones" in one_line(found)


@pytest.mark.parametrize(
    "right, wrong, words",
    [
        ("dc_next = dct * f", "dc_next = dct * t", "of dc: equation (4). Or it is computed rightly, and kept wrongly"),
        ("dzf = dct * c_prev", "dzf = dct * (c_prev if t else 1)", "equations (4) and (1)"),
    ],
)
def test_a_name_for_a_single_step_is_not_used_for_a_sequence(right, wrong, words):
    found = diagnose_sequence(changed(right, wrong), forward)
    assert names(found) == [] and words in one_line(found) and "Fix the step first" not in one_line(found)


def test_for_slips_in_a_step_and_in_time_the_advice_is_to_fix_the_step_first():
    slip = changed("dzf = dct * c_prev", "dzf = dct", "dWx += x[t].T", "dWx += (t + 1) * x[t].T")
    found = diagnose_sequence(slip, forward)
    assert names(found) == ["partner of the forget gate missing"]
    assert "Fix the step first, and check again" in one_line(found)


def test_four_slips_at_once_are_named():
    sums = "db += dz", "db = dz", "dWx += x[t]", "dWx = x[t]", "dWh += h_prev", "dWh = h_prev"
    found = diagnose_sequence(changed(*sums, "return dx", "return dx[::-1]"), forward)
    assert len(names(found)) == len(found.findings) == 4


def test_outputs_in_time_of_which_no_three_agree_have_no_place():
    def all_wrong(*arguments):
        dx, dstate, (dWx, dWh, db) = backward(*arguments)
        return (dx, dstate, (dWx, dWh, db)) if len(dx) == 1 else (3 * dx, dstate, (4 * dWx, 5 * dWh, 6 * db))

    text = one_line(diagnose_sequence(all_wrong, forward))
    assert "none of the known ones" in text and "ook " not in text


# ---- linear in dh and dc -------------------------------------------------------------


@pytest.mark.parametrize(
    "right, wrong, words",
    [
        ("(dWx, dWh, db)", "[d * min(1, 5 / np.linalg.norm(d)) for d in (dWx, dWh, db)]", "a norm bounded"),
        ("dh_next = dz.dot(Wh.T)", "dh_next = dz.dot(Wh.T) * (1 if t == 0 else 1 / (1 + abs(dz).max()))", "a norm bounded"),
        ("dh_next = dz.dot(Wh.T)", "dh_next = dz.dot(Wh.T) * (2 if 0.1 < abs(dh).max() < 99 else 1)", "only where they are"),
        ("dh_next = dz.dot(Wh.T)", "dh_next = 9 * np.tanh(dz.dot(Wh.T) / 9)", "Is something clipped"),
        ("dct = dc_next + dht", "dct = dc_next + dht * dht", "It never takes a product or a power of them"),
        ("db += dz.sum(axis=0)", "db += dz.sum(axis=0) + 0.1", "With zeros for dh and dc every gradient is zero; your db"),
        ("(dWx, dWh, db)", "(dWx + 0.01 * Wx, dWh, db)", "gradient of a penalty on the weights"),
        ("dh_next = dz.dot(Wh.T)", "dh_next = dz.dot(Wh.T) + 1", "comes neither from dh nor from dc"),
        ("dh_next = dz.dot(Wh.T)", "dh_next = dz.dot(Wh.T); assert abs(dh_next).max() < 99", "times as large it raises"),
    ],
)
def test_a_backward_pass_that_is_not_linear_in_dh_and_dc_is_reported(right, wrong, words):
    found = diagnose_sequence(changed(right, wrong), forward)
    assert not found and names(found) == [] and words in one_line(found)


def test_a_truncation_that_shows_only_in_long_sequences_is_found():
    found = diagnose_sequence(changed("range(T - 1, -1, -1)", "range(T - 1, max(-1, T - 9), -1)"), forward)
    assert not found and "right in 3 cases, but wrong at T = 12, B = 1" in one_line(found)


def test_a_mistake_beside_a_bounded_norm_is_still_named():
    def both(*arguments):
        dx, dstate, grads = changed("dzf = dct * c_prev", "dzf = dct")(*arguments)
        return dx, dstate, [d * min(1, 50 / np.linalg.norm(d)) for d in grads]

    found = diagnose_sequence(both, forward)
    assert names(found) == ["partner of the forget gate missing"] and "1. not linear in dh and dc" in str(found)


# ---- uninitialized arrays, caches of every form -----------------------------------


def test_unwritten_rows_of_dx_are_reported_beside_the_named_mistake():
    text = one_line(diagnose_sequence(changed("range(T - 1, -1, -1)", "range(T - 1, 0, -1)"), forward))
    assert "1. first step left out" in text and "dx[0]: never written, or only added to" in text


@pytest.mark.parametrize("empty", ["np.empty_like(Wx)", "np.empty(Wx.shape)"])
def test_sums_that_start_from_uninitialized_memory_are_always_wrong(empty):
    found = diagnose_sequence(changed("dWx, dWh, db = np.zeros_like(Wx)", f"dWx, dWh, db = {empty}"), forward)
    assert not found and "dWx (all gates): never written, or only added to" in one_line(found)
    assert "use np.zeros" in one_line(found)


def test_empty_arrays_are_filled_only_during_the_check():
    before = np.empty
    with empty_arrays_hold(7):
        assert np.empty((2, 2)).sum() == 28 and np.empty_like(np.ones(3)).sum() == 21 and np.empty(2, int).shape == (2,)
    assert np.empty is before


class Cell:
    """Keeps the cache of the last forward step on ``self``."""

    def step(self, *arguments):
        h, c, self.cache = step(*arguments)
        return h, c, None

    def back(self, dh, dc, _, Wx, Wh):
        return step_backward(dh, dc, self.cache, Wx, Wh)


class Layer:
    def forward(self, *arguments):
        h, state, self.cache = forward(*arguments)
        return h, state, None

    def back(self, dh, dstate, _, Wx, Wh):
        return backward(dh, dstate, self.cache, Wx, Wh)


def test_a_class_that_keeps_its_cache_on_itself_is_right():
    cell, layer = Cell(), Layer()
    assert diagnose(cell.back, cell.step) and diagnose_sequence(layer.back, layer.forward)
    slip = step_with("dc_next = dct * f", "dc_next = dct")
    found = diagnose(lambda dh, dc, _, *weights: slip(dh, dc, cell.cache, *weights), cell.step)
    assert names(found) == ["forget gate left out of dc_prev"]


@pytest.mark.parametrize(
    "kept, taken",
    [
        (list, lambda caches: caches.pop()),
        (deque, lambda caches: caches.pop()),
        (lambda caches: iter(caches[::-1]), next),
        (lambda caches: (cache for cache in caches[::-1]), next),
    ],
)
def test_caches_that_are_used_up_are_right(kept, taken):
    def once_forward(*arguments):
        h, state, caches = lstm_sequence(*arguments)
        return h, state, kept(caches)

    def once(dh, dstate, caches, Wx, Wh):
        in_order = [taken(caches) for _ in dh]
        return lstm_sequence_backward(dh, dstate, in_order[::-1], Wx, Wh)

    assert diagnose_sequence(once, once_forward)


def test_a_cache_that_is_changed_or_used_up_is_a_note_in_the_check_and_in_the_diagnosis():
    def works_in_it(dh, dc, cache, Wx, Wh):
        result = lstm_step_backward(dh, dc, cache, Wx, Wh)
        cache.i[:], cache.f[:] = 0, 0
        return result

    def works_in_them(dh, dstate, caches, Wx, Wh):
        result = lstm_sequence_backward(dh, dstate, caches, Wx, Wh)
        for cache in caches:
            cache.i[:], cache.f[:] = 0, 0
        return result

    def uses_them_up(dh, dstate, caches, Wx, Wh):
        return lstm_sequence_backward(dh, dstate, [caches.pop() for _ in dh][::-1], Wx, Wh)

    for found, check, note in (
        (diagnose(works_in_it, lstm_step), check_step(lstm_step, works_in_it), "changes its cache"),
        (diagnose_sequence(works_in_them), check_sequence(lstm_sequence, works_in_them), "changes its cache"),
        (diagnose_sequence(uses_them_up), check_sequence(lstm_sequence, uses_them_up), "consumes its cache"),
    ):
        assert found and found.wrong_parts == () and check
        assert len(found.notes) == len(check.notes) == 1 and note in found.notes[0] and note in check.notes[0]
        assert found.notes[0] in found.text
    assert diagnose(lstm_step_backward, lstm_step).notes == ()


def test_arrays_are_found_by_their_names_in_python():
    a, b = np.ones(2), np.zeros(3)
    assert contracts.arrays_in({"cache": (a, [None, b], "text")}).keys() == {"cache[0]", "cache[1][1]"}
    assert contracts.arrays_in(3) == contracts.arrays_in(np.array(["text"])) == {}


def test_gradients_that_accumulate_from_call_to_call_are_found():
    class Keeps:
        sums: dict[str, np.ndarray] = {}

        def forward(self, *arguments):
            h, c, self.cache = lstm_step(*arguments)
            return h, c, None

        def backward(self, dh, dc, cache, Wx, Wh):
            *through, grads = lstm_step_backward(dh, dc, self.cache, Wx, Wh)
            # set to zero only for other sizes
            if not self.sums or self.sums["Wx"].shape != Wx.shape:
                self.sums = {name: np.zeros_like(grad) for name, grad in grads._asdict().items()}
            for name, grad in grads._asdict().items():
                self.sums[name] += grad
            return *through, self.sums

    keeps = Keeps()
    text = " ".join(str(diagnose(keeps.backward, keeps.forward)).split())
    assert "Your backward step is wrong in" in text and "dWx" in text
    assert "does it keep something from call to call" in text and "changes its cache" not in text


def test_a_cache_whose_second_use_returns_nothing_is_a_note_too():
    def once(dh, dstate, caches, Wx, Wh):
        if not caches:
            return None
        own = caches[:]
        caches.clear()
        return lstm_sequence_backward(dh, dstate, own, Wx, Wh)

    found = diagnose_sequence(once)
    assert found and "consumes its cache" in found.notes[0] and "it returned nothing" in found.notes[0]


def test_a_note_on_the_cache_follows_the_mistakes():
    def both(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = lstm_step_backward(dh, dc, cache, Wx, Wh)
        dc_prev = dc_prev * cache.i / cache.f
        cache.g[:] = 0
        return dx, dh_prev, dc_prev, grads

    found = diagnose(both)
    assert names(found) == ["carried through the input gate"]
    assert found.text.splitlines()[-1] == found.notes[0]


@pytest.mark.parametrize("field", ["x", "h_prev", "c_prev"])
def test_inputs_that_a_backward_pass_changes_through_its_cache_are_a_mistake_in_both(field):
    def spoils(dh, dc, cache, Wx, Wh):
        result = lstm_step_backward(dh, dc, cache, Wx, Wh)
        getattr(cache, field)[:] = 0
        return result

    found = diagnose(spoils)
    assert found.wrong_parts == (f"{field}, changed in place",) and one_line(found).count("belongs to the caller") == 1
    with pytest.raises(InputError, match=f"changes {field}, which belongs to the caller"):
        check_step(lstm_step, spoils)


# ---- every sentence is true ----------------------------------------------------------


@pytest.mark.parametrize(
    "right, wrong, words",
    [
        ("tanh_c = np.tanh(cs[t])", "tanh_c = np.tanh(cs[t]) + np.zeros((B, len(Wx)))", "where D and H differ"),
        ("tanh_c = np.tanh(cs[t])", "tanh_c = np.tanh(cs[t]) + np.zeros((T, H))", "where T and B differ"),
        ("tanh_c = np.tanh(cs[t])", "tanh_c = np.tanh(cs[t]) + np.zeros((H, H))", "where B and H differ"),
        ("T, B, H = dh.shape", "T, B, H = dh.shape; assert H == 3", "but not if H alone becomes 2"),
        ("T, B, H = dh.shape", "T, B, H = dh.shape; assert T != 1", "and not at T = 3, B = 3, D = 3, H = 3"),
        ("T, B, H = dh.shape", "T, B, H = dh.shape; assert T == 1", "at T = 3, B = 3, D = 3, H = 3 too"),
        ("T, B, H = dh.shape", "T, B, H, _ = dh.shape", "It is called as (dh, (dhT, dcT), caches, Wx, Wh)."),
    ],
)
def test_the_size_that_makes_it_raise_is_found_by_varying_one_at_a_time(right, wrong, words):
    found = diagnose_sequence(changed(right, wrong), forward)
    assert not found and words in one_line(found) and names(found) == []


def test_a_factor_is_reported_only_if_it_is_the_same_in_every_case():
    of_sizes = diagnose_sequence(changed("dx[t] = dz.dot(Wx.T)", "dx[t] = dz.dot(Wx.T) * B"), forward)
    always = diagnose_sequence(changed("dx[t] = dz.dot(Wx.T)", "dx[t] = dz.dot(Wx.T) * 3"), forward)
    assert "times what belongs" not in one_line(of_sizes) and "All of dx is 3 times what belongs there." in one_line(always)


@pytest.mark.parametrize(
    "wrong, gates",
    [
        ("dz = 0.5 * np.hstack([dzi, dzf, dzg, dzo])", "all gates"),
        ("dz = np.hstack([2 * dzi, 2 * dzf, 2 * dzg, dzo])", "input gate, forget gate, candidate"),
    ],
)
def test_if_dc_prev_is_right_gates_with_a_common_factor_blame_neither_it_nor_dc(wrong, gates):
    for diagnosis in diagnosed("dz = np.hstack([dzi, dzf, dzg, dzo])", wrong):
        (finding,) = diagnosis.findings
        assert all(part.startswith("dz, ") for part in finding.parts)
        assert f"All of dz ({gates}) is " in one_line(diagnosis) and "equation (6)." not in one_line(diagnosis)
        assert "dc_prev" not in one_line(diagnosis)


@pytest.mark.parametrize("factor", [-1, 2])
def test_if_dx_and_dh_prev_are_right_weight_gradients_blame_neither_them_nor_dz(factor):
    def in_time(*arguments):
        dx, dstate, grads = backward(*arguments)
        return dx, dstate, [factor * d for d in grads]

    def of_a_step(*arguments):
        dx, dh_prev, dc_prev, grads = step_backward(*arguments)
        return dx, dh_prev, dc_prev, [factor * d for d in grads]

    for diagnosis in diagnose_sequence(in_time, forward), diagnose(of_a_step, step):
        text = one_line(diagnosis)
        assert not diagnosis and "dz is right; look where db, dWx and dWh are made of it." in text
        assert f"All of db (all gates), dWx (all gates), dWh (all gates) is {factor} times what belongs there." in text
        assert "dx" not in text and "dh_prev" not in text


def test_if_all_is_wrong_by_one_factor_no_line_is_blamed():
    def uphill(*arguments):
        dx, dstate, grads = backward(*arguments)
        return -dx, tuple(-d for d in dstate), [-d for d in grads]

    text = one_line(diagnose_sequence(uphill, forward))
    assert "is -1 times what belongs there" in text and "equation" not in text and "ook where" not in text


def test_no_gate_is_blamed_for_errors_in_weight_gradients():
    text = one_line(diagnose_sequence(changed("db += dz.sum(axis=0)", "db += (t + 1) * dz.sum(axis=0)"), forward))
    assert "All steps are right, but the sums over them for the weights are not." in text and "equation" not in text


def test_an_unknown_mistake_has_no_number_like_a_finding():
    for found in diagnosed("f * (1 - f)", "f / 2"):
        assert "It is none of the known ones: " in str(found) and "1. " not in str(found)


def test_a_time_step_is_reported_only_if_it_is_the_same_in_all_cases():
    found = diagnose_sequence(changed("dx[t] = dz.dot(Wx.T)", "dx[t] = dz.dot(Wx.T) * (1 if t == 2 else 2)"), forward)
    assert "For T = 4, it is wrong at step 3, which is computed first." in one_line(found)


def test_a_forward_step_and_a_loss_are_checked_with_unusual_sizes():
    wrong = lambda x, h, c, *W: step(x, h, c if len(x) != 5 else 0 * c, *W)
    assert "wrong at B = 5, D = 1, H = 3" in one_line(diagnose_step(wrong))
    once = lambda logits, *rest: my_loss(logits if logits.shape[1] != 5 else 2 * logits, *rest)
    assert "wrong at T = 2, B = 5, V = 3" in one_line(diagnose_loss(once))
    raises = lambda logits, *rest: my_loss(logits, *rest) if logits.shape[2] > 2 else 1 / 0
    assert "It raises ZeroDivisionError" in one_line(diagnose_loss(raises))


def test_an_unknown_slip_of_a_forward_step_has_its_equations():
    wrong = lambda x, h, c, *W: step(x, h, 2 * c, *W)
    assert "Look at equations (1) to (4)." in one_line(diagnose_step(wrong))
    late = lambda *a: (lambda h, c, cache: (h * 2, c, cache))(*reference.lstm_step(*a))
    assert "Look at equations (5) and (6)." in one_line(diagnose_step(late))


@pytest.mark.parametrize("kind", ["complex128", "bool", "object", "<U3", "datetime64[s]"])
def test_gradients_that_are_no_real_numbers_are_said_to_be_that_and_nothing_else(kind):
    def odd(dh, dc, cache, Wx, Wh):
        dx, *others = lstm_step_backward(dh, dc, cache, Wx, Wh)
        return np.ones(dx.shape).astype(int).astype(kind), *others

    found = diagnose(odd)
    assert found.wrong_parts == ("dx",) and re.search("dx holds (complex128|bool|object|<U|datetime64)", one_line(found))
    assert "linear" not in found.text and found.notes == ()


def test_an_argument_changed_in_place_is_not_called_unknown():
    def careless(dh, dc, cache, Wx, Wh):
        result = lstm_step_backward(dh, dc, cache, Wx, Wh)
        dh *= 2
        return result

    found = diagnose(careless)
    assert one_line(found) == (
        "Your backward step is wrong in dh (changed in place). Your function changes dh, which belongs to the caller."
    )
