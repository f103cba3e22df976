"""``diagnose`` on backward passes of learners, with and without mistakes."""

import numpy as np
import pytest

from minilstm import InputError, reference
from minilstm.reference import sequence
from minilstm.reference.functions import sigmoid
from minilstm.verify import diagnose, diagnose_loss, diagnose_sequence, diagnose_step
from minilstm.verify.diagnose import trial
from tests.helpers.text import one_line


def names(diagnosis):
    return [mistake.name for mistake in diagnosis.mistakes]


# ---- a learner with a dictionary as cache, gate by gate ---------------------------


def my_step(x, h_prev, c_prev, Wx, Wh, b):
    n = h_prev.shape[1]
    i = 1 / (1 + np.exp(-(x.dot(Wx[:, :n]) + h_prev.dot(Wh[:, :n]) + b[:n])))
    f = 1 / (1 + np.exp(-(x.dot(Wx[:, n : 2 * n]) + h_prev.dot(Wh[:, n : 2 * n]) + b[n : 2 * n])))
    g = np.tanh(x.dot(Wx[:, 2 * n : 3 * n]) + h_prev.dot(Wh[:, 2 * n : 3 * n]) + b[2 * n : 3 * n])
    o = 1 / (1 + np.exp(-(x.dot(Wx[:, 3 * n :]) + h_prev.dot(Wh[:, 3 * n :]) + b[3 * n :])))
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c, dict(x=x, h_prev=h_prev, c_prev=c_prev, i=i, f=f, g=g, o=o, c=c, h=h)


def my_backward(dh, dc, m, Wx, Wh, wrong=""):
    n = dh.shape[1]
    tc = np.tanh(m["c"])
    dcell = dc + dh * m["o"] * (1 - tc * tc)
    deltas = [
        dcell * m["g"] * m["i"] * (1 - m["i"]),
        dcell * m["c_prev"] * m["f"] * (1 - m["f"]),
        dcell * m["i"] * (1 - m["g"] ** 2),
        dh * tc * m["o"] * (1 - m["o"]),
    ]
    if "sigmoid twice" in wrong:
        s = sigmoid(m["o"])
        deltas[3] = dh * tc * s * (1 - s)
    if "all gates twice" in wrong:
        of = lambda s: s * (1 - s)
        deltas = [
            dcell * m["g"] * of(sigmoid(m["i"])),
            dcell * m["c_prev"] * of(sigmoid(m["f"])),
            dcell * m["i"] * (1 - np.tanh(m["g"]) ** 2),
            dh * tc * of(sigmoid(m["o"])),
        ]
    if "twice" in wrong.split(", "):
        deltas[2] = 2 * deltas[2]
    dx, dh_prev = np.zeros_like(m["x"]), np.zeros_like(m["h_prev"])
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * n)
    for k, delta in enumerate(deltas):
        block = slice(k * n, (k + 1) * n)
        dx += delta @ Wx[:, block].T
        dh_prev += delta @ (Wh[:, block] if "transposed" in wrong else Wh[:, block].T)
        dWx[:, block] = m["x"].T @ delta
        dWh[:, block] = (m["h"] if "h[t]" in wrong else m["h_prev"]).T @ delta
        db[block] = delta[-1] if "last row" in wrong else delta.sum(0)
    dc_prev = dcell if "no forget" in wrong else dcell * m["f"]
    return dx, dh_prev, dc_prev, (dWx, dWh, db)


def with_mistake(wrong):
    return lambda *arguments: my_backward(*arguments, wrong=wrong)


def test_right_code_in_another_style_passes():
    diagnosis = diagnose(my_backward, my_step)
    assert diagnosis and diagnosis.right and not diagnosis.findings
    assert "backward step is right" in str(diagnosis)


def test_a_recurrent_gradient_without_its_forget_gate_is_named():
    diagnosis = diagnose(with_mistake("no forget"), my_step)
    assert names(diagnosis) == ["forget gate left out of dc_prev"] and diagnosis.wrong_parts == ("dc_prev",)
    assert "Your dc_prev equals dc where dc * f belongs: equation (4)." in str(diagnosis)


def test_a_transposed_weight_is_named():
    diagnosis = diagnose(with_mistake("transposed"), my_step)
    assert names(diagnosis) == ["transposed recurrent weights"] and diagnosis.wrong_parts == ("dh_prev",)
    assert "It is as if `dh_prev = dz @ Wh, gate by gate` stood where `dh_prev = dz @ Wh.T` belongs" in one_line(diagnosis)


def test_two_mistakes_in_the_same_gradient_are_reported_as_two():
    diagnosis = diagnose(with_mistake("sigmoid twice, h[t]"), my_step)
    assert sorted(names(diagnosis)) == ["Wh paired with h[t]", "derivative of the output gate at the activated value"]
    assert "\n1. " in str(diagnosis) and "\n2. " in str(diagnosis)
    assert "Your dzo equals do * sigmoid(o) * (1 - sigmoid(o)) where do * o * (1 - o) belongs" in one_line(diagnosis)


def test_three_mistakes_in_different_outputs_are_reported_as_three():
    diagnosis = diagnose(with_mistake("no forget, h[t], transposed"), my_step)
    assert sorted(names(diagnosis)) == [
        "Wh paired with h[t]", "forget gate left out of dc_prev", "transposed recurrent weights",
    ]


def test_an_unknown_mistake_is_called_unknown_with_its_place():
    diagnosis = diagnose(with_mistake("last row"), my_step)
    assert names(diagnosis) == [] and len(diagnosis.findings) == 1 and not diagnosis.right
    assert diagnosis.wrong_parts == ("db, input gate", "db, forget gate", "db, candidate", "db, output gate")
    assert "It is none of the known ones: " in str(diagnosis) and "\n   In db, input gate, entry [" in str(diagnosis)
    assert "dz is right; look where db is made of it." in one_line(diagnosis)


def test_a_known_mistake_and_an_unknown_one_are_kept_apart():
    diagnosis = diagnose(with_mistake("last row, no forget"), my_step)
    assert names(diagnosis) == ["forget gate left out of dc_prev"]
    assert diagnosis.findings[1].mistake is None and diagnosis.findings[1].parts[0] == "db, input gate"


def test_a_constant_factor_is_reported():
    diagnosis = diagnose(with_mistake("twice"), my_step)
    assert "All of dz (candidate) is 2 times what belongs there." in one_line(diagnosis)
    assert "Look where dzg is made of dc: equations (4) and (3)." in one_line(diagnosis)


def test_a_sign_that_is_wrong_everywhere_is_one_finding():
    def uphill(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
        return -dx, -dh_prev, -dc_prev, [-gradient for gradient in grads]

    text = one_line(diagnose(uphill))
    everything = "All of dc_prev, db (all gates), dWx (all gates), dWh (all gates), dx, dh_prev is -1 times what belongs there."
    assert everything in text and text.count(" entry ") == 1


def test_a_function_that_raises_is_reported_with_error_and_line():
    def broken(dh, dc, cache, Wx, Wh):
        return dh @ Wx, dh, dc, reference.LSTMGrads(Wx, Wh, Wx[0])

    diagnosis = diagnose(broken)
    assert not diagnosis.right and diagnosis.wrong_parts and "none of the known ones" in str(diagnosis)
    diagnosis = diagnose(lambda dh, dc, cache, Wx, Wh: dh.no_such_thing)
    text = one_line(diagnosis)
    assert "is wrong. It raises AttributeError: 'numpy.ndarray' object has no attribute 'no_such_thing'." in text
    assert "It is called as (dh, dc, cache, Wx, Wh), with the cache of reference.lstm_step." in text


def test_code_that_works_only_for_square_weights_is_reported():
    diagnosis = diagnose(lambda dh, dc, m, Wx, Wh: my_backward(dh + 0 * m["x"], dc, m, Wx, Wh), my_step)
    assert names(diagnosis) == [] and "where D and H differ" in one_line(diagnosis)


def test_a_backward_in_float32_is_right_to_six_digits_only():
    def narrow(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
        return dx.astype(np.float32), dh_prev, dc_prev, grads

    diagnosis = diagnose(narrow)
    assert not diagnosis.right and diagnosis.wrong_parts == ("dx",)
    assert "It equals ours to six digits and no further: is something computed in float32" in one_line(diagnosis)


def test_wrong_shapes_are_reported():
    def flat(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
        return dx.ravel(), dh_prev, dc_prev, grads

    assert "dx has the shape (6,) where (2, 3) belongs." in str(diagnose(flat))

    def one_bias(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
        return dx, dh_prev, dc_prev, grads._replace(b=grads.b.sum())

    assert "db, input gate has the shape () where (3,) belongs." in one_line(diagnose(one_bias))

    def complex_dx(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
        return dx + 0j, dh_prev, dc_prev, grads

    assert "dx holds complex128, not real numbers." in str(diagnose(complex_dx))


def test_inputs_that_are_changed_are_reported():
    def greedy(dh, dc, cache, Wx, Wh):
        result = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
        cache.c_prev[:] = 0
        return result

    assert diagnose(greedy).wrong_parts == ("c_prev, changed in place",)


def test_the_forward_step_is_checked_first():
    def no_tanh(x, h_prev, c_prev, Wx, Wh, b):
        h, c, cache = my_step(x, h_prev, c_prev, Wx, Wh, b)
        return cache["o"] * c, c, cache

    diagnosis = diagnose(my_backward, no_tanh)
    assert diagnosis.title == "forward step" and names(diagnosis) == ["output tanh left out"]
    assert names(diagnose_step(no_tanh)) == ["output tanh left out"]
    assert "Your h equals o * c where o * tanh_c belongs: equation (6)." in str(diagnosis)


# ---- through time --------------------------------------------------------------------


def my_forward(x, state, Wx, Wh, b):
    h, c = state
    hs, memory = [], []
    for x_t in x:
        h, c, m = my_step(x_t, h, c, Wx, Wh, b)
        hs.append(h)
        memory.append(m)
    return np.array(hs), (h, c), memory


def my_backward_through_time(dh, dstate, memory, Wx, Wh, wrong=""):
    dxs = []
    dh_next, dc_next = dstate
    total = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(Wh.shape[1])]
    for t in range(len(dh) - 1, -1, -1):
        if "half a gradient" in wrong:
            dc_next = dc_next / 2 if t < len(dh) - 1 else dc_next
        dx, dh_next, dc_next, grads = my_backward(dh[t] + dh_next, dc_next, memory[t], Wx, Wh, wrong)
        dxs.append(dx)
        total = [a + b for a, b in zip(total, grads)]
        if "last bias" in wrong:
            total[2] = grads[2]
    if "reversed" not in wrong:
        dxs.reverse()
    return np.array(dxs), (dh_next, dc_next), {"Wx": total[0], "Wh": total[1], "b": total[2]}


def through_time(wrong):
    return lambda *arguments: my_backward_through_time(*arguments, wrong=wrong)


def test_right_code_through_time_in_another_style_passes():
    assert diagnose_sequence(my_backward_through_time, my_forward)


def test_the_place_in_time_is_reported():
    diagnosis = diagnose_sequence(through_time("no forget"), my_forward)
    assert names(diagnosis) == ["forget gate left out of dc_prev"]
    assert "It is right at the last step, wrong from the step before." in one_line(diagnosis)
    diagnosis = diagnose_sequence(through_time("sigmoid twice"), my_forward)
    assert "It is wrong from the last step on, which is computed first." in one_line(diagnosis)
    diagnosis = diagnose_sequence(through_time("last bias"), my_forward)
    assert names(diagnosis) == ["gradient of b keeps one step only"]
    assert "All steps are right, but the sums over them for the weights are not." in one_line(diagnosis)


def test_a_dropped_recurrent_gradient_is_named():
    def dropped(dh, dstate, caches, Wx, Wh):
        dx, (dh_next, dc_next), total = np.zeros((*dh.shape[:2], len(Wx))), dstate, [0, 0, 0]
        for t in reversed(range(len(dh))):
            dx[t], dh_next, dc_prev, grads = reference.lstm_step_backward(dh[t] + dh_next, dc_next, caches[t], Wx, Wh)
            dc_next = np.zeros_like(dc_prev)
            total = [a + b for a, b in zip(total, grads)]
        return dx, (dh_next, dc_next), total

    diagnosis = diagnose_sequence(dropped)
    assert names(diagnosis) == ["cell-state gradient dropped between steps"]
    text = one_line(diagnosis)
    assert "right at the last step, wrong from the step before" in text
    assert "The cell-state gradient is not carried to the step before." in text


@pytest.mark.parametrize("lost, what", [("c", "cell-state gradient"), ("h", "hidden-state gradient"), ("hc", "both gradients")])
@pytest.mark.parametrize("stale, how", [(False, "dropped between steps"), (True, "never updated")])
@pytest.mark.parametrize("own, back", [(False, ""), (True, ", handed back at step 0")])
def test_a_lost_recurrent_gradient_is_named_for_any_replacement(lost, what, stale, how, own, back):
    def learner(dh, dstate, caches, Wx, Wh):
        previous, total, dx = dict(zip("hc", dstate)), [0, 0, 0], np.zeros((*dh.shape[:2], len(Wx)))
        for t in reversed(range(len(dh))):
            dx[t], dh_prev, dc_prev, grads = reference.lstm_step_backward(
                dh[t] + previous["h"], previous["c"], caches[t], Wx, Wh
            )
            total = [a + b for a, b in zip(total, grads)]
            came = {"h": dh_prev, "c": dc_prev}
            previous = {k: came[k] if k not in lost else previous[k] if stale else np.zeros_like(dh_prev) for k in "hc"}
        return dx, (dh_prev, dc_prev) if own else (previous["h"], previous["c"]), total

    assert names(diagnose_sequence(learner)) == [f"{what} {how}{back}"]


def test_a_loop_that_begins_with_zeros_and_keeps_them_has_two_mistakes():
    def course(dh, dstate, caches, Wx, Wh):
        dx, total, zero = np.zeros((*dh.shape[:2], len(Wx))), [0, 0, 0], np.zeros_like(dh[0])
        for t in reversed(range(len(dh))):
            dx[t], dh_prev, dc_prev, grads = reference.lstm_step_backward(dh[t] + zero, zero, caches[t], Wx, Wh)
            total = [a + b for a, b in zip(total, grads)]
        return dx, (dh_prev, dc_prev), total

    wanted = ["both gradients dropped between steps, handed back at step 0", "gradients of the final state not read"]
    assert sorted(names(diagnose_sequence(course))) == wanted


def test_two_mistakes_in_the_loop_and_in_the_step():
    diagnosis = diagnose_sequence(through_time("last bias, reversed"), my_forward)
    assert sorted(names(diagnosis)) == ["dx in reversed order", "gradient of b keeps one step only"]


def test_an_unknown_mistake_in_time_has_its_first_step():
    diagnosis = diagnose_sequence(through_time("half a gradient"), my_forward)
    assert names(diagnosis) == [] and diagnosis.findings[0].parts[0] == "dx[2]"
    assert "mistakes were tried, alone and in pairs" in one_line(diagnosis)
    assert "The last step is right, and so is step 0 but for the dc_prev that it gets" in one_line(diagnosis)

    def from_step_1(dh, dstate, caches, Wx, Wh):
        dx, dstate0, grads = sequence.lstm_sequence_backward(dh, dstate, caches, Wx, Wh)
        dx[:2] += 1
        return dx, dstate0, grads

    text = one_line(diagnose_sequence(from_step_1))
    assert "it is right down to step 2, wrong at step 1." in text and "is wrong in dx of several steps" in text


def test_a_loop_that_begins_with_zeros_is_reported():
    def from_zeros(dh, dstate, caches, Wx, Wh):
        return sequence.lstm_sequence_backward(dh, (0 * dstate[0], 0 * dstate[1]), caches, Wx, Wh)

    assert names(diagnose_sequence(from_zeros)) == ["gradients of the final state not read"]
    forward = lambda x, state, *weights: my_forward(x, (0 * state[0], 0 * state[1]), *weights)
    assert names(diagnose_sequence(my_backward_through_time, forward)) == ["initial state not read"]


def test_both_recurrent_gradients_dropped_as_in_a_published_answer_are_named():
    def dropped(dh, dstate, caches, Wx, Wh):
        dx, total, dstate0 = np.zeros((*dh.shape[:2], len(Wx))), [0, 0, 0], dstate
        for t in reversed(range(len(dh))):
            last = t == len(dh) - 1
            dh_t, dc_t = (dh[t] + dstate[0], dstate[1]) if last else (dh[t], np.zeros_like(dh[t]))
            dx[t], _, _, grads = reference.lstm_step_backward(dh_t, dc_t, caches[t], Wx, Wh)
            total = [a + b for a, b in zip(total, grads)]
        return dx, (0 * dstate0[0], 0 * dstate0[1]), total

    assert names(diagnose_sequence(dropped)) == ["both gradients dropped between steps"]


def test_one_mistake_at_all_gates_is_named_in_a_step_and_through_time():
    gates = ("candidate", "forget gate", "input gate", "output gate")
    wanted = [f"derivative of the {gate} at the activated value" for gate in gates]
    assert sorted(names(diagnose(with_mistake("all gates twice"), my_step))) == wanted
    assert sorted(names(diagnose_sequence(through_time("all gates twice"), my_forward))) == wanted


def test_gradients_of_weights_returned_in_another_order_are_named():
    def course(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
        turn = lambda W: np.concatenate([np.split(W, 4, axis=-1)[k] for k in (1, 0, 3, 2)], axis=-1)
        return dx, dh_prev, dc_prev, [turn(grad) for grad in grads]

    assert names(diagnose(course)) == ["gradients of the weights returned in the order f, i, o, g"]


def test_any_other_order_of_the_gates_is_named():
    def in_my_order(x, h_prev, c_prev, Wx, Wh, b):
        i, f, g, o = range(4)
        turn = lambda W: np.concatenate([np.split(W, 4, axis=-1)[k] for k in (f, i, o, g)], axis=-1)
        return my_step(x, h_prev, c_prev, turn(Wx), turn(Wh), turn(b))

    assert len(names(diagnose_step(in_my_order))) == 1
    assert names(diagnose_step(in_my_order))[0].startswith("gates read in the order")


def test_a_wrong_forward_through_time_is_reported_first():
    wrong = lambda x, state, Wx, Wh, b: sequence.lstm_sequence(x, state, Wx, Wh, 0 * b)
    diagnosis = diagnose_sequence(sequence.lstm_sequence_backward, wrong)
    assert diagnosis.title == "forward pass through time" and names(diagnosis) == ["bias left out"]


# ---- the loss ------------------------------------------------------------------------


def my_loss(logits, targets, lengths, wrong=""):
    T, B, V = logits.shape
    mask = (np.arange(T)[:, None] < lengths).astype(float)
    shifted = logits if "overflow" in wrong else logits - logits.max(axis=2, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=2, keepdims=True)
    tokens = T * B if "padding" in wrong else mask.sum()
    at_target = np.take_along_axis(p, targets[..., None], 2)[..., 0]
    if "overflow" not in wrong:
        log_p = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
        loss = -np.sum(np.take_along_axis(log_p, targets[..., None], 2)[..., 0] * mask) / tokens
    else:
        loss = -np.log(at_target[mask == 1]).sum() / tokens
    return loss, (p - np.eye(V)[targets]) * mask[..., None] / tokens


def test_a_right_loss_passes():
    assert diagnose_loss(my_loss)


def test_padding_in_the_mean_is_two_mistakes_of_one_cause():
    diagnosis = diagnose_loss(lambda *a: my_loss(*a, wrong="padding"))
    assert names(diagnosis) == ["padding counted in the mean", "gradient divided by padding too"]


def test_overflow_is_found_with_large_logits():
    diagnosis = diagnose_loss(lambda *a: my_loss(*a, wrong="overflow"))
    assert names(diagnosis) == ["overflow or log(0) at large logits", "overflow in the softmax"]


def test_a_mean_over_sequences_is_reported():
    right = lambda *a: my_loss(*a)
    per_sequence = lambda a, lengths: a * lengths.sum() / len(lengths)
    wrong = lambda logits, targets, lengths: tuple(per_sequence(a, lengths) for a in right(logits, targets, lengths))
    assert names(diagnose_loss(wrong)) == [
        "loss divided by the number of sequences", "gradient divided by the number of sequences",
    ]


def test_a_loss_of_another_shape_is_reported():
    assert not diagnose_loss(lambda logits, targets, lengths: (1.0, logits[0]))


# ---- functions that are no backward pass ------------------------------------------


@pytest.mark.parametrize(
    "diagnosis, function, words",
    [
        (diagnose, None, "what is to be checked must be a function, not NoneType"),
        (diagnose, lambda *a: 3, r"your backward pass must return \(dx, dh_prev, dc_prev, grads\); it returned one int"),
        (diagnose, lambda *a: None, "it returned nothing: does every branch of it end with a return?"),
        (diagnose, lambda *a: (1, 2, 3), r"\(dx, dh_prev, dc_prev, grads\); it returned 3 values"),
        (diagnose, lambda dh, dc, *a: (dh, dh, dc, {"W": dh}), "the gradients must be those of Wx, Wh and b, not of W"),
        (diagnose, lambda dh, dc, *a: (dh, dh, dc, (dh, dh)), "the gradients must be three arrays, of Wx, Wh and b"),
        (diagnose_step, lambda *a: 1, r"your step must return \(h, c, cache\)"),
        (diagnose_sequence, lambda dh, *a: (dh, dh, dh), r"must be a pair \(dh0, dc0\)"),
        (diagnose_loss, lambda *a, **k: 1.0, r"your loss must return \(loss, dlogits\)"),
    ],
)
def test_answers_of_another_form_are_refused(diagnosis, function, words):
    with pytest.raises(InputError, match=words):
        diagnosis(function)


def test_the_text_fits_80_columns():
    for diagnosis in (
        diagnose(with_mistake("sigmoid twice, h[t], no forget"), my_step),
        diagnose_sequence(through_time("transposed"), my_forward),
        diagnose_loss(lambda *a: my_loss(*a, wrong="padding")),
        diagnose(my_backward, my_step),
    ):
        assert max(map(len, str(diagnosis).splitlines())) <= 80


def test_results_of_known_mistakes_are_cached_for_a_few_seeds_and_are_right():
    wrong = with_mistake("no forget")
    assert all(names(diagnose(wrong, my_step, seed=seed)) == ["forget gate left out of dc_prev"] for seed in range(10))
    assert len(trial._known) <= 8
