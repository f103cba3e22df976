"""``diagnose`` on the most frequent slips of learners: each is one named mistake."""

import numpy as np
import pytest

from minilstm.verify import diagnose, diagnose_sequence
from tests.helpers.learner_loop import backward, changed, forward, step, step_backward, step_with
from tests.helpers.text import one_line
from tests.verify.test_diagnose import names

IN_A_STEP = [
    ("dc_next = dct * f", "dc_next = dct * c_prev", "c_prev in place of f in dc_prev"),
    ("(1 - tanh_c**2)", "(1 - tanh_c)**2", "square over the whole bracket in the derivative of tanh(c)"),
    ("(1 - tanh_c**2)", "(1 - hs[t]**2)", "h in place of tanh(c)"),
    ("dzo = dht * tanh_c", "dzo = dht * hs[t]", "h in place of tanh(c) at the output gate"),
    ("dzo = dht * tanh_c * o", "dzo = 0 * dht * tanh_c * o", "gradient of the output gate left out"),
    ("dzf = dct * c_prev", "dzf = dc_next * c_prev", "dc without its part through h at the forget gate"),
    ("dzi = dct * g", "dzi = dc_next * g", "dc without its part through h at the input gate"),
    ("f * (1 - f)", "sigmoid(f)", "sigmoid in place of its derivative at the forget gate"),
    ("o * (1 - o)", "o", "factor 1 - o missing at the output gate"),
    ("(1 - g**2)", "g", "tanh in place of its derivative at the candidate"),
    ("dzi, dzf, dzg, dzo]", "dzi, dzf, dzf, dzo]", "block of the candidate from the forget gate"),
    ("dzi, dzf, dzg, dzo])", "dzi, dzf, dzg, dzo]) / len(x[t])", "dz averaged over the batch"),
    ("np.hstack(", "-np.hstack(", "sign of dz"),
    ("return dx,", "dWf = [d[:, 2 * H : 3 * H] for d in (dWx, dWh)]; dWx[:, H : 2 * H], dWh[:, H : 2 * H] = dWf; return dx,",
     "weights of the forget gate from the candidate"),
    ("return dx,", "dWx, dWh = (d[:, np.r_[:H, 2 * H : 3 * H, H : 2 * H, 3 * H : 4 * H]] for d in (dWx, dWh)); return dx,",
     "gradients of Wx and Wh, not of b, returned in the order i, g, f, o"),
    ("db += dz.sum(axis=0)", "db += dz.sum()", "db summed over everything, one number in every entry"),
    ("db += dz.sum(axis=0)", "db += np.repeat(dz.reshape(B, 4, H).sum(axis=(0, 2)), H)",
     "db summed over each gate, one number for all its units"),
    ("(dWx, dWh, db)", "(np.vstack([dWx, dWh])[H:], np.vstack([dWx, dWh])[:H], db)",
     "inputs joined as [x, h_prev] where the weights are for [h_prev, x]"),
    ("(dWx, dWh, db)", "(np.vstack([dWh, dWx])[:len(Wx)], np.vstack([dWh, dWx])[len(Wx):], db)",
     "inputs joined as [h_prev, x] where the weights are for [x, h_prev]"),
]
IN_TIME = [
    ("dc_next = dct * f", "dc_next = dh_next", "dh_next handed on as dc_next"),
    ("dct = dc_next + dht", "dct = dh_next + dht", "dh_next passed as dc"),
    ("dzo = dht *", "dzo = dh[t] *", "dh_next left out at the output gate"),
    ("dct = dc_next + dht *", "dct = dc_next + dh[t] *", "dh_next left out of dc"),
    ("cs[t - 1] if t > 0 else c0", "cs[t - 1]", "c_prev of step 0 is the last c"),
    ("cs[t - 1] if t > 0 else c0", "cs[t - 1] if t > 0 else 0 * c0", "c0 forgotten"),
    ("cs[t - 1] if t > 0 else c0", "cs[-1]", "c_prev overwritten by later steps"),
    ("tanh_c = np.tanh(cs[t])", "tanh_c = np.tanh(cs[-1])", "c overwritten by later steps"),
    ("hs[t - 1] if t > 0 else h0", "hs[t - 1]", "Wh paired with the last h at step 0"),
    ("hs[t - 1] if t > 0 else h0", "hs[t - 1] if t > 0 else 0 * h0", "gradient of Wh not added at step 0, or h0 forgotten"),
    ("dWh += h_prev.T.dot(dz)", "dWh += h_prev.T.dot(dz) * (t > 0)", "gradient of Wh not added at step 0, or h0 forgotten"),
    ("dWx += x[t]", "dWx += x[t - 1]", "x of the step before"),
    # gates of the last step only, with the states of each step; not in the catalogue
    ("gates[t]", "gates[-1]", None),
    ("gates[t]", "gates[t - 1]", "gates of the step before"),
    ("np.tanh(cs[t])", "np.tanh(([c0] + list(cs))[t]); c_prev = ([c0] + list(cs[:-1]) + [cs[-1]])[t - 1]",
     "states with c0 in front, read as if they had T entries"),
    ("range(T - 1, -1, -1)", "range(T - 1, 0, -1)", "first step left out"),
    ("range(T - 1, -1, -1)", "range(T - 2, -1, -1)", "last step left out"),
]
F_ONE_STEP_LATE = [  # dc_next is dc, multiplied by f of the step that receives it
    ("dc_next * f", "dct", "dc_next multiplied by f one step late, at the last step too, handed back without it"),
    ("(dc_next * f if t < T - 1 else dc_next)", "dct", "dc_next multiplied by f one step late, handed back without it"),
    ("dc_next * f", "dct if t else dct * f", "dc_next multiplied by f one step late, at the last step too"),
    ("(dc_next * f if t < T - 1 else dc_next)", "dct if t else dct * f", "dc_next multiplied by f one step late"),
]


@pytest.mark.parametrize("right, wrong, name", IN_A_STEP)
def test_a_slip_in_a_step_is_one_named_mistake(right, wrong, name):
    in_time, of_a_step = diagnose_sequence(changed(right, wrong), forward), diagnose(step_with(right, wrong), step)
    assert names(in_time) == names(of_a_step) == [name]
    assert len(in_time.findings) == len(of_a_step.findings) == 1


@pytest.mark.parametrize("right, wrong, name", IN_TIME)
def test_a_slip_in_time_is_one_named_mistake(right, wrong, name):
    found = diagnose_sequence(changed(right, wrong), forward)
    assert names(found) == ([name] if name else []) and not found


@pytest.mark.parametrize("arrives, goes, name", F_ONE_STEP_LATE)
def test_f_of_the_wrong_step_is_named(arrives, goes, name):
    slip = changed("dct = dc_next", f"dct = {arrives}", "dc_next = dct * f", f"dc_next = {goes}")
    found = diagnose_sequence(slip, forward)
    assert names(found) == [name] and "equation (4)" in one_line(found)


def test_one_number_for_db_is_named():
    def scalar(*arguments):
        dx, dh_prev, dc_prev, (dWx, dWh, db) = step_backward(*arguments)
        return dx, dh_prev, dc_prev, (dWx, dWh, db.sum())

    found = diagnose(scalar, step)
    assert names(found) == ["db summed over everything"] and "Without axis=0 the sum is one number." in one_line(found)


def test_joined_inputs_split_in_the_wrong_order_are_named():
    def first(*arguments, x_first):
        dx, dh_prev, *rest = step_backward(*arguments)
        cut = dx.shape[1] if x_first else dh_prev.shape[1]
        both = np.hstack([dh_prev, dx] if x_first else [dx, dh_prev])
        one, other = both[:, :cut], both[:, cut:]
        return (one, other, *rest) if x_first else (other, one, *rest)

    wrong_orders = {True: "dx cut out first where h_prev stands first", False: "dh_prev cut out first where x stands first"}
    for x_first, name in wrong_orders.items():
        assert names(diagnose(lambda *a: first(*a, x_first=x_first), step)) == [name]


def test_arrays_that_later_steps_change_are_named():
    def in_place(x, state, Wx, Wh, b):
        hs, (h, c), (x, state, _, cs, gates) = forward(x, state, Wx, Wh, b)
        same = hs.copy()
        same[:] = h  # every entry of the list is the one array
        return hs, (h, c), (x, (h, state[1]), same, cs, gates)

    assert names(diagnose_sequence(backward, in_place)) == ["h_prev overwritten by later steps"]


@pytest.mark.parametrize("limit", ["0.5", "1", "5"])
@pytest.mark.parametrize(
    "right, wrong, name",
    [
        ("(dWx, dWh, db)", "[np.clip(d, -L, L) for d in (dWx, dWh, db)]", "gradients of the weights clipped at the end"),
        ("np.hstack([dzi, dzf, dzg, dzo])", "np.clip(np.hstack([dzi, dzf, dzg, dzo]), -L, L)",
         "dz clipped inside the backward pass"),
        ("dc_next = dct * f", "dh_next, dc_next = np.clip(dh_next, -L, L), np.clip(dct * f, -L, L)",
         "recurrent gradients clipped inside the backward pass"),
        ("dh_next = dz.dot(Wh.T)", "dh_next = np.clip(dz.dot(Wh.T), -L, L)",
         "hidden-state gradient clipped inside the backward pass"),
    ],
)
def test_clipping_within_the_backward_pass_is_named_at_every_limit(right, wrong, name, limit):
    found = diagnose_sequence(changed(right, wrong.replace("L", limit)), forward)
    assert names(found) == [name]
    assert f"-{limit}, {limit})" in one_line(found) and "With dh and dc a thousand times as large: In " in one_line(found)


def test_an_unusual_clipping_limit_is_found_from_the_results():
    found = diagnose_sequence(changed("(dWx, dWh, db)", "[np.clip(d, -0.37, 0.37) for d in (dWx, dWh, db)]"), forward)
    assert names(found) == ["gradients of the weights clipped at the end"] and "np.clip(d, -0.37, 0.37)" in one_line(found)
