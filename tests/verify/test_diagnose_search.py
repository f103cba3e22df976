"""A mistake without a name: ``diagnose`` says what was computed, if a formula gives all digits."""

from functools import partial

import numpy as np
import pytest

from minilstm.reference.sequence import sequence_backward
from minilstm.verify import cells, diagnose, diagnose_sequence
from minilstm.verify.diagnose.products import Match, Vectors, find
from tests.helpers.learner_loop import changed, forward, step, step_backward, step_with
from tests.helpers.text import one_line
from tests.verify.test_diagnose import names
from tests.verify.test_diagnose_cells import changed as ours_with

IN_A_STEP = [
    ("f * (1 - f)", "f * (1 - i)",
     "Your dz of the forget gate equals dc * c_prev * f * (1 - i) where dc * c_prev * f * (1 - f)"
     " belongs: (1 - i) in place of (1 - f)."),
    ("f * (1 - f)", "f / 2",
     "equals 0.5 * dc * c_prev * f where dc * c_prev * f * (1 - f) belongs: (1 - f) is missing, and 0.5"),
    ("dct * i * (1 - g**2)", "-dct * i * o * (1 - g**2)",
     "Your dz of the candidate equals -dc * i * (1 - g**2) * o where"
     " dc * i * (1 - g**2) belongs: o is too much, and the sign is wrong."),
    ("dct * g * i * (1 - i)", "dht * o * f * c_prev", "Your dz of the input gate equals dh * c_prev * f * o where"),
    ("dct = dc_next +", "dct = dc_next * f +", "Your dc equals dh * o * (1 - tanh_c**2) + dc_next * f where"),
    ("dct = dc_next + dht * o * (1 - tanh_c**2)", "dct = dc_next + dht * o * (1 - tanh_c**2) + dht",
     "Your dc equals dc_next + dh * o * (1 - tanh_c**2) + dh where"
     " dc_next + dh * o * (1 - tanh_c**2) belongs: one term too many."),
    ("dWh += h_prev.T", "dWh += (h_prev * f).T",
     "Your dWh equals (h_prev * f).T @ dz where h_prev.T @ dz belongs: f is too much."),
    ("dWx += x[t].T.dot(dz)", "dWx -= 3 * x[t].T.dot(dz)", "Your dWx equals -3 * x.T @ dz where x.T @ dz belongs."),
    ("return dx,", "dWx[:, :H] = 2 * x[0].T @ dzo; return dx,",
     "Your dWx of the input gate equals 2 * x.T @ dzo where x.T @ dzi belongs: dzo in"),
    ("db += dz.sum(axis=0)", "db += dz[0]", "Your db equals dz[0] where dz.sum(axis=0) belongs."),
    ("return dx,", "db[:H] = 2 * dzo.sum(0); return dx,",
     "Your db of the input gate equals 2 * dzo.sum(axis=0) where dzi.sum(axis=0)"),
    ("dx[t] = dz.dot(Wx.T)", "dx[t] = dz.dot(Wx.T) * 1.5", "Your dx equals 1.5 * (dz @ Wx.T) where dz @ Wx.T belongs."),
    ("dx[t] = dz.dot(Wx.T)", "dx[t] = dz.dot(Wx.T) - 2 * dzi.dot(Wx[:, :H].T) + dzo.dot(Wx[:, 3 * H :].T)",
     "In your dx, dzi @ Wx_i.T is subtracted and dzo @ Wx_o.T is added 2 times."),
    ("dx[t] = dz.dot(Wx.T)", "dx[t] = dz.dot(Wx.T) + (dzf - dzi).dot(Wx[:, :H].T)",
     "In your dx, dzf @ Wx_i.T stands where dzi @ Wx_i.T"),
    ("dh_next = dz.dot(Wh.T)", "dh_next = dz.dot(Wh.T) + dht * f",
     "Your dh_prev equals dh * f + dz @ Wh.T where dz @ Wh.T belongs."),
    ("dx[t] = dz.dot(Wx.T)", "dx[t] = dz[:, H:].dot(Wx[:, H:].T)", "In your dx, dzi @ Wx_i.T is left out."),
]
MORE = [
    ("dzf = dct * c_prev", "dzf = dct * h_prev",
     "equals dc * h_prev * f * (1 - f) where dc * c_prev * f * (1 - f) belongs:"
     " h_prev in place of c_prev."),
    ("dzo = dht *", "dzo = dct *",
     "equals dc * tanh_c * o * (1 - o) where dh * tanh_c * o * (1 - o) belongs: dc in place of dh."),
    ("tanh_c**2)", "tanh_c**3)",
     "Your dc equals dc_next + dh * o * (1 - tanh_c**3) where dc_next + dh * o * (1 - tanh_c**2)"
     " belongs: (1 - tanh_c**3) in place of (1 - tanh_c**2)."),
    ("dc_next = dct * f", "dc_next = dct * f**2",
     "Your dc_prev equals dc * f**2 where dc * f belongs: f**2 in place of f."),
    ("dWh += h_prev.T", "dWh += c_prev.T",
     "Your dWh equals c_prev.T @ dz where h_prev.T @ dz belongs: c_prev in place of h_prev."),
    ("np.hstack([dzi, dzf, dzg, dzo])", "np.hstack([dzi, dzf, dzg / B, dzo])",
     "Your dz of the candidate equals dc * i * (1 - g**2) / B where dc * i * (1 - g**2) belongs"),
]
IN_TIME = [
    ("cs[t - 1] if t > 0 else c0", "cs[t - 2] if t > 0 else c0", "equals dc * c * f * (1 - f) where dc * c_prev * f"),
    ("gates[t]", "gates[t] if t else (gates[1 % T][0], *gates[t][1:])", "i[t + 1]"),
    ("dht = dh[t]", "dht = dh[0]", "Your dh of step 1 equals dh[0] + dhT where dh[1] + dhT belongs."),
    ("dc_next = dct * f", "dc_next = dct * (f if t == 0 else gates[t - 1][0])",
     "equals dc * i[t - 1] where dc * f belongs"),
    ("dht = dh[t] + dh_next", "dht = dh[t] + (dh_next if t == T - 1 else 0.5 * dh_next)",
     "Step 0 gets 0.5 * the dh_prev of step 1 as its dh_next."),
    ("dht = dh[t] + dh_next", "dht = dh[t] + (dh_next if t == T - 1 else dh_next + dh[T - 1])",
     "equals dh[1] + dh_prev where dh_prev belongs."),
    ("dWx += x[t].T", "dWx += x[max(t - 1, 0)].T",
     "Your dWx equals x[0].T @ dz[0] + x[0].T @ dz[1] where x[0].T @ dz[0] + x[1].T @ dz[1] belongs."),
    ("db += dz.sum(axis=0)", "db += dz.sum(axis=0) * (1 + t)",
     "Your db equals dz[0].sum(axis=0) + 2 * dz[1].sum(axis=0) where"),
    ("dht = dh[t] + dh_next", "dht = dh[t] + dh_next * (t == T - 1 or t % 2)",
     "Nothing arrives at step 0 as its dh_next."),
]


@pytest.mark.parametrize("right, wrong, words", IN_A_STEP)
def test_what_a_step_computes_is_said_by_its_formula(right, wrong, words):
    found = diagnose(step_with(right, wrong), step)
    assert words in one_line(found) and names(found) == [], str(found)


@pytest.mark.thorough
@pytest.mark.parametrize("right, wrong, words", MORE)
def test_what_else_a_step_computes_is_said_by_its_formula(right, wrong, words):
    test_what_a_step_computes_is_said_by_its_formula(right, wrong, words)


@pytest.mark.parametrize("right, wrong, words", IN_TIME)
def test_what_a_loop_computes_is_said_by_its_formula(right, wrong, words):
    found = diagnose_sequence(changed(right, wrong), forward)
    assert words in one_line(found) and names(found) == [], str(found)


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("f * (1 - f)", "np.sin(f)"),
        ("dWh += h_prev.T.dot(dz)", "dWh += np.abs(h_prev.T.dot(dz))"),
        ("dWh += h_prev.T.dot(dz)", "dWh += np.sin(3 * h_prev).T.dot(dz)"),
        ("dWx += x[t].T.dot(dz)", "dWx += (x[t] + 1).T.dot(dz)"),
        ("db += dz.sum(axis=0)", "db += (dz * [[1]] * np.arange(B)[:, None]).sum(0)"),
        ("dx[t] = dz.dot(Wx.T)", "dx[t] = dz.dot(Wx.T) * np.arange(B)[:, None]"),
        ("dh_next = dz.dot(Wh.T)", "dh_next = dz.dot(Wh.T) * np.arange(B)[:, None]"),
    ],
)
def test_where_no_formula_fits_none_is_said(right, wrong):
    text = one_line(diagnose(step_with(right, wrong), step))
    assert "none of the known ones" in text and " equals " not in text and "stands where" not in text


def test_a_formula_must_hold_in_every_case():
    found = diagnose(step_with("f * (1 - f)", "(f * (1 - i) if B == 2 else f * (1 - g))"), step)
    assert "In dz, forget gate, entry" in one_line(found) and " equals " not in one_line(found)


def test_what_shows_in_one_case_alone_has_no_formula():
    def greedy(dh, dc, caches, Wx, Wh):
        result = step_backward(dh, dc, caches, Wx, Wh)
        caches[1][1][:] *= len(dh) != 2  # c0, the c_prev of the caller
        return result

    found = diagnose(greedy, step)
    assert found.wrong_parts == ("c_prev, changed in place",) and found.findings[0].formula == ""


def test_a_sum_over_many_steps_in_few_entries_has_no_formula():
    wrong = "db[:H] += dz[:, :H].sum(0) * (2 if T > 3 and t == 0 else 1); db[H:] += dz[:, H:].sum(0)"
    found = diagnose_sequence(changed("db += dz.sum(axis=0)", wrong), forward)
    assert found.findings[0].where == ("db, input gate",) and found.findings[0].formula == ""
    assert "Sequences of up to 3 steps are right; 4 are not." in one_line(found)


def test_of_blocks_that_are_exchanged_each_is_named():
    found = diagnose(step_with("return dx,", "dWx = dWx[:, np.r_[3 * H : 4 * H, H : 3 * H, :H]]; return dx,"), step)
    one = "our dWx of the input gate is that of the output gate"
    other = "your dWx of the output gate is that of the input gate"
    assert f"Y{one}, {other}." in one_line(found)


@pytest.mark.parametrize(
    "wrong, where, words",
    [
        ("caches[t]._replace(h=caches[max(t - 1, 0)].h)", "da of step 1",
         "dh * (1 - h_prev**2) where dh * (1 - h**2) belongs"),
        ("caches[t]._replace(h=caches[min(t + 1, T - 1)].h)", "da of step 0",
         "dh * (1 - h[t + 1]**2) where dh * (1 - h**2) belongs"),
        ("caches[t]._replace(h=np.sin(caches[t - 1].h) if t else caches[t].h)", "dh of step 1",
         "T = 1 is right. For T = 2: In dh of step 1"),
        ("caches[t]", "dh0", "In dh0, entry"),
        ("caches[t]._replace(h=np.sin(caches[t].h) if t < T - 1 else caches[t].h)", "dh_prev, handed on by step 1",
         "In dh_prev, handed on"),
    ],
)
def test_a_simple_rnn_that_reads_another_h_has_its_place_in_time(wrong, where, words):
    loop = ours_with(sequence_backward, "caches[t]", wrong)
    if where == "dh0":
        loop = ours_with(sequence_backward, "np.stack(dx), dstate", "np.stack(dx), tuple(d * T for d in dstate)")
    found = diagnose_sequence(partial(cells.RNN.sequence_backward, loop=loop), cell="rnn")
    assert names(found) == [] and found.findings[0].where[0] == where and words in one_line(found)


def test_a_product_is_found_with_few_changes_first():
    rng = np.random.default_rng(0)
    cases = [{name: rng.normal(size=(2, 3)) for name in ("dh", "f", "g")} | {"B": np.array(2.0)} for _ in range(2)]
    vectors = Vectors(cases, ["f", "g"])
    target = lambda *factors: vectors.product(factors)
    assert find(target("dh", "g"), ("dh", "f"), ["dh"], vectors) == Match(1, ("dh", "g"), ("dh", "f"))
    assert find(-2 * target("dh"), ("dh", "f"), ["dh"], vectors).change == "f is missing, and -2 is too much"
    assert find(target("dh", "f", "g", "g"), (), ["dh"], vectors).text == "dh * f * g * g"
    assert find(np.zeros(12), ("dh",), ["dh"], vectors) is None
    assert find(rng.normal(size=12), ("dh", "f"), ["dh"], vectors) is None
