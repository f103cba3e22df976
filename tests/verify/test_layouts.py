"""Code in the shapes of courses: right code passes, wrong code is found and named in its own words."""

import re
from dataclasses import replace

import numpy as np
import pytest

from minilstm import InputError
from minilstm.verify import (
    LAYOUTS,
    Layout,
    check_sequence,
    check_step,
    diagnose,
    diagnose_loss,
    diagnose_sequence,
    diagnose_step,
)
from minilstm.verify.diagnose.locate import Tried, in_time
from minilstm.verify.diagnose.trials import sequence_backward_trial
from minilstm.verify.layouts.adapted import Adapted, only_what_it_has
from tests.helpers.text import one_line
from tests.learners import cs231n, d2l, deeplearning_ai, min_char_rnn, pytorch
from tests.verify.layouts import PAIRS, functions, line_number, module

CHECK = {"step": check_step, "sequence": check_sequence}
DIAGNOSE = {"step": diagnose, "sequence": diagnose_sequence}
CAN_BE_DIAGNOSED = [pair for pair in PAIRS if pair[:2] != ("d2l", "gru")]


def diagnosed(name, kind, *changes, cell="lstm"):
    """The diagnosis of changed code, and its backward."""
    forward, backward = functions(name, cell, kind, *changes)
    return DIAGNOSE[kind](backward, forward, layout=name, cell=cell), backward


# ---- right code ----------------------------------------------------------------------


@pytest.mark.parametrize("name, cell, kind", PAIRS)
def test_right_code_of_every_course_passes_with_every_gradient(name, cell, kind):
    check = CHECK[kind](*functions(name, cell, kind), layout=name, cell=cell)
    assert all(abs(row.derivative) > 1e-9 and abs(row.yours) > 1e-9 for row in check.rows)
    assert check.passed and not check.notes and check.title == "complex step", check
    assert max(map(len, str(check).splitlines())) <= 80


@pytest.mark.parametrize("name, cell, kind", CAN_BE_DIAGNOSED)
def test_right_code_of_every_course_is_diagnosed_as_right(name, cell, kind):
    forward, backward = functions(name, cell, kind)
    found = DIAGNOSE[kind](backward, forward, layout=name, cell=cell)
    assert found.right and not found.notes, found


def test_our_own_code_may_be_given_as_a_layout():
    from minilstm.reference import gru_step, gru_step_backward, lstm_step, rnn_step, rnn_step_backward

    assert isinstance(LAYOUTS["minilstm"], Layout)
    assert check_step(gru_step, gru_step_backward, cell="gru", layout=LAYOUTS["minilstm"])
    assert check_step(rnn_step, rnn_step_backward, cell="rnn")
    assert diagnose_step(lstm_step, layout="minilstm")


def test_the_parameters_are_those_of_the_course_and_none_besides():
    names = lambda check, *pair, **options: [row.name for row in check(*pair, **options).rows]
    assert names(check_step, cs231n.lstm_step_forward, cs231n.lstm_step_backward, layout="cs231n") == [
        "x", "prev_h", "prev_c", "Wx", "Wh", "b"]
    assert names(check_sequence, cs231n.lstm_forward, cs231n.lstm_backward, layout="cs231n") == [
        "x", "h0", "Wx", "Wh", "b"]
    assert names(check_sequence, deeplearning_ai.rnn_forward, deeplearning_ai.rnn_backward,
                 layout="deeplearning.ai", cell="rnn") == ["x", "a0", "Wax", "Waa", "ba"]
    assert names(check_step, d2l.gru_step, d2l.gru_step_backward, layout="d2l", cell="gru") == [
        "X", "H_prev", "W_xz", "W_hz", "b_z", "W_xr", "W_hr", "b_r", "W_xh", "W_hh", "b_h"]
    assert names(check_step, pytorch.lstm_cell, pytorch.lstm_cell_backward, layout="pytorch") == [
        "input", "hx", "cx", "weight_ih", "weight_hh", "bias_ih", "bias_hh"]


def test_shapes_are_those_of_the_course():
    shapes = {}

    def step(xt, a_prev, c_prev, parameters):
        shapes.update(xt=xt.shape, a_prev=a_prev.shape, **{k: v.shape for k, v in parameters.items()})
        return deeplearning_ai.lstm_cell_forward(xt, a_prev, c_prev, parameters)

    check = check_step(step, deeplearning_ai.lstm_cell_backward, layout="deeplearning.ai", batch_size=5)
    assert check.passed
    assert shapes["xt"] == (3, 5) and shapes["a_prev"] == (4, 5) and shapes["Wf"] == (4, 4 + 3)
    assert shapes["bf"] == (4, 1) and shapes["Wy"][1] == 4


# ---- wrong code ----------------------------------------------------------------------


def test_a_wrong_gradient_is_reported_by_the_names_of_the_course():
    pair = functions("deeplearning.ai", "lstm", "step", ("dft = dc * c_prev * ft", "dft = dc * c_prev"))
    check = check_step(*pair, layout="deeplearning.ai")
    assert [row.name for row in check.wrong] == ["xt", "a_prev", "Wf", "bf"]
    assert re.search(r"bf\[\d, 0\]: your gradient is", one_line(check))
    assert 'diagnose(your_step_backward, your_step, layout="deeplearning.ai")' in one_line(check)


def test_the_gate_of_a_wrong_entry_is_named_in_the_order_of_the_course():
    pair = functions("cs231n", "lstm", "step", ("do * o * (1 - o)", "do * o"))
    check = check_step(*pair, layout="cs231n")
    row = next(row for row in check.wrong if row.name == "Wx")
    H = row.shape[1] // 4
    assert 2 * H <= row.where[1] < 3 * H
    assert f"Wx{list(row.where)} is in columns 2H to 3H: your output gate." in one_line(check)


def test_the_line_of_the_only_wrong_gradient_is_quoted():
    pair = functions("cs231n", "lstm", "step", ("dprev_c = dc * f", "dprev_c = dnext_c * f"))
    line = f"Your line {line_number(pair[1], 'dprev_c = ')}: `dprev_c = dnext_c * f`"
    assert line in one_line(check_step(*pair, layout="cs231n"))
    wrong = lambda *a: cs231n.lstm_step_backward(2 * a[0], *a[1:])  # many are wrong
    assert "Your line" not in str(check_step(cs231n.lstm_step_forward, wrong, layout="cs231n"))
    unknown = lambda *a: (*cs231n.lstm_step_backward(*a)[:-1], np.ones(16))  # no line assigns it
    assert "Your line" not in str(check_step(cs231n.lstm_step_forward, unknown, layout="cs231n"))


def test_a_known_mistake_is_named_in_the_words_of_cs231n_with_its_line():
    found, backward = diagnosed("cs231n", "step", ("dprev_c = dc * f", "dprev_c = dnext_c * f"))
    text = one_line(found)
    assert [mistake.name for mistake in found.mistakes] == ["dc_prev without the part of dc through h"]
    assert "Your backward step is wrong in dprev_c." in text
    assert "1. dprev_c without the part of dc through next_h" in text
    assert "Your dprev_c equals (dc - dnext_h * o * (1 - tanh_c**2)) * f where dc * f belongs" in text
    assert f"Your line {line_number(backward, 'dprev_c = ')}: `dprev_c = dnext_c * f`" in text
    assert "dc is the whole gradient of next_c: what arrives as dnext_c, and" in text
    assert re.search(r"In dprev_c\[\d, \d\] is ", text) and "c_prev" not in text and "dc_prev" not in text


def test_a_mistake_in_a_gate_shows_its_columns():
    found, _ = diagnosed("cs231n", "step", ("do * o * (1 - o)", "do * (1 - o)"))
    text = one_line(found)
    assert "wrong in db (output gate), dWx (output gate), dWh (output gate), dx, dprev_h." in text
    assert re.search(r"In db\[2H( \+ \d)?\] \(columns 2H to 3H: your output gate\) is", text), text


def test_a_gate_of_columns_is_an_array_of_its_own():
    found, backward = diagnosed("deeplearning.ai", "step", ("dWf, dbf = np.dot", "dWf, dbf = 2 * np.dot"))
    text = one_line(found)
    assert "wrong in dWf." in text and "All of dWf is 2 times what belongs there." in text
    assert re.search(r"In dWf\[\d, (n_a \+ )?\d\] is", text), text
    assert f"Your line {line_number(backward, 'dWf, dbf')}: `dWf, dbf = 2 * np.dot" in text


def test_values_of_gates_have_the_names_of_the_course():
    found, _ = diagnosed("deeplearning.ai", "step", ("dft = dc * c_prev * ft", "dft = dc * c_prev"))
    assert "1. factor ft missing at the forget gate" in one_line(found)
    assert "equals df * (1 - ft) where df * ft * (1 - ft) belongs" in one_line(found)
    found, _ = diagnosed("d2l", "step", ("dC_prev = dC * F", "dC_prev = dC * C_prev"))
    assert "Your dC_prev equals dc * C_prev where dc * F belongs" in one_line(found)


def test_the_order_of_gates_is_told_in_that_of_the_course():
    found, _ = diagnosed("cs231n", "step", ("o = sigmoid(a[:, 2 * H : 3 * H])", "g = np.tanh(a[:, 2 * H : 3 * H])"),
                         ("    g = np.tanh(a[:, 3 * H :])\n", "    o = sigmoid(a[:, 3 * H :])\n"))
    text = one_line(found)
    assert "1. gates read in the order i, f, g, o" in text
    assert "`zi, zf, zg, zo` stood where `zi, zf, zo, zg` belongs" in text
    assert "stand in the order i, f, o, g" in text


def test_a_forward_step_is_diagnosed_alone():
    found = diagnose_step(module("d2l", ("H = O * np.tanh(C)", "H = O * C")).lstm_step, layout="d2l")
    assert [mistake.name for mistake in found.mistakes] == ["output tanh left out"]
    assert "Your H equals O * C where O * tanh_c belongs" in one_line(found)
    assert "`H = O * C`" in one_line(found)


def test_an_index_has_the_axes_of_the_course():
    change = ("0 * dprev_c", "dprev_c")
    sequence = "lstm_step_backward(dh[:, t, :] + dprev_h, dprev_c, cache[t])"
    found, _ = diagnosed("cs231n", "sequence", (sequence, sequence.replace(*change[::-1])))
    assert [mistake.name for mistake in found.mistakes] == ["cell-state gradient dropped between steps"]
    shown = re.search(r"In dx\[(\d), (\d), (\d)\] is", one_line(found))
    assert int(shown[2]) == 2 and "right at the last step" in one_line(found)  # (N, T, D): the step before the last


def test_what_a_layout_lacks_is_no_error_and_hides_none():
    text = "dprev_h, dprev_c = np.zeros((N, H)), np.zeros((N, H))"
    found, _ = diagnosed("cs231n", "sequence", (text, text.replace("np.zeros((N, H))", "np.ones((N, H))")))
    assert not found.right and not {"dc0", "cT"} & {*found.wrong_parts}
    start = "next_h, next_c = h0, np.zeros_like(h0)"
    found, _ = diagnosed("cs231n", "sequence", (start, "next_h, next_c = h0, np.ones_like(h0)"))
    assert "Your forward pass through time is wrong in h" in one_line(found)


@pytest.mark.parametrize("bias", ["grad_bias_ih", "grad_bias_hh"])
def test_each_of_two_biases_is_compared(bias):
    line = "grad_cx = grad_c * f\n    grad_weight_ih = grad_gates.T @ input\n    grad_weight_hh = grad_gates.T @ hx\n{}"
    both = "    grad_bias_ih = grad_gates.sum(0)\n    grad_bias_hh = grad_gates.sum(0)\n"
    found, _ = diagnosed("pytorch", "step", (line.format(both), line.format(both.replace(f"{bias} = ", f"{bias} = 2 * "))))
    text = one_line(found)
    assert f"Your backward step is wrong in {bias}." in text and f"All of {bias} is 2 times" in text
    assert f"`{bias} = 2 * grad_gates.sum(0)`" in text and "rows 0 to H: your input gate" in text


@pytest.mark.parametrize(
    "layout, cell, change, words",
    [
        ("cs231n", "rnn", ("da = dnext_h * (1 - next_h**2)", "da = dnext_h * (1 - next_h)"),
         "Your da equals dnext_h * (1 - next_h) where dnext_h * (1 - next_h**2) belongs"),
        ("deeplearning.ai", "rnn", ("da_prev = np.dot(Waa.T, dtanh)", "da_prev = np.dot(Waa, dtanh)"),
         "wrong in da_prev. 1. transposed Waa"),
        ("deeplearning.ai", "rnn", ("dWaa = np.dot(dtanh, a_prev.T)", "dWaa = np.dot(dtanh, a_next.T)"),
         "Your dWaa equals a_next.T @ da where a_prev.T @ da belongs"),
        ("d2l", "rnn", ("(da @ W_hh.T,)", "(da @ W_hh,)"), "wrong in dH_prev. 1. transposed W_hh"),
        ("pytorch", "gru", ("grad_hx = grad_hy * z + ", "grad_hx = "),
         "Your grad_hx equals dah @ weight_hh.T where grad_hy * z + dah @ weight_hh.T belongs"),
        ("pytorch", "gru", ("grad_iz, grad_in * r)", "grad_iz, grad_in)"),
         "wrong in grad_bias_hh (candidate), grad_weight_hh (candidate), grad_hx. 1. r missing in dq"),
        ("pytorch", "gru", ("grad_hy * (hx - n) * z", "grad_hy * (n - hx) * z"), "rows H to 2H: your update gate"),
    ],
)
def test_mistakes_in_other_cells_are_named_in_the_words_of_the_course(layout, cell, change, words):
    found, _ = diagnosed(layout, "step", change, cell=cell)
    assert words in one_line(found) and found.mistakes, found


def test_a_sequence_of_another_cell_is_diagnosed():
    step = "rnn_step_backward(dh[:, t, :] + dprev_h, cache[t])"
    found, _ = diagnosed("cs231n", "sequence", (step, step.replace("[t])", "[t - 1])")), cell="rnn")
    assert [mistake.name for mistake in found.mistakes] == ["cache of the step before"]
    assert re.search(r"In dx\[\d, 3, \d\] is", one_line(found))


@pytest.mark.parametrize(
    "change, where, words",
    [
        (("+ dprev_h, dprev_c, cache[t])", "+ dprev_h, 0.7 * dprev_c, cache[t])"), "dc_prev, handed on by step 2",
         "Your dc_prev of step 2 equals 0.7 * dc * f where dc * f belongs: 0.7 is too much."),
        (("df * f * (1 - f), do", "df * f * (1 - f), do * prev_h"), "dz of step 2, output gate",
         "Your dz of the output gate equals dh * tanh_c * o * (1 - o) * h_prev where"),
        (("di * i * (1 - i), df * f", "di * i * (1 - i), np.sin(f) * df"), "dz of step 2, forget gate",
         "Look where dzf is made of dc: equations (4) and (1)."),
    ],
)
def test_a_wrong_sequence_has_its_place_where_no_cell_state_can_be_given(change, where, words):
    forward, backward = functions("cs231n", "lstm", "sequence", change)
    code = Adapted(LAYOUTS["cs231n"].of("lstm"), "sequence")
    forward, backward = code.forward(forward), code.backward(backward)
    trial = only_what_it_has(sequence_backward_trial(0, forward), code, "sequence_backward")
    trial = replace(trial, catalogue=())
    (found,) = in_time(Tried(trial, backward, trial.yours(backward), trial.right()))
    assert found.where[0] == where and words in one_line(found)


def test_a_gradient_of_another_shape_is_refused_in_the_words_of_the_course():
    end = "db = da.sum(axis=0)\n    return dx, dprev_h, dprev_c, dWx, dWh, db"
    forward, backward = functions("cs231n", "lstm", "step", (end, end.replace("axis=0", "")))
    with pytest.raises(InputError, match=r"your db has the shape \(\), but b has \(12,\) \(np.sum without axis"):
        diagnose(backward, forward, layout="cs231n")
    with pytest.raises(InputError, match="the gradient of b has the shape"):
        check_step(forward, backward, layout="cs231n")


def test_results_that_are_missing_are_named():
    forward, right = cs231n.lstm_step_forward, cs231n.lstm_step_backward
    with pytest.raises(InputError, match="your dprev_h is None: is it written yet"):
        check_step(forward, lambda *a: (right(*a)[0], None, *right(*a)[2:]), layout="cs231n")
    with pytest.raises(InputError, match=r"must return \(dx, dprev_h, dprev_c, dWx, dWh, db\); it returned 5"):
        check_step(forward, lambda *a: right(*a)[:5], layout="cs231n")
    missing = lambda *a: {k: v for k, v in deeplearning_ai.lstm_cell_backward(*a).items() if k != "dWo"}
    with pytest.raises(InputError, match="the gradients of your backward pass must have dxt.*missing: dWo"):
        check_step(deeplearning_ai.lstm_cell_forward, missing, layout="deeplearning.ai")
    with pytest.raises(InputError, match=r"the second result of your step must be|must return \(\(hy, cy\), cache\)"):
        check_step(lambda *a: pytorch.lstm_cell(*a)[0][0], pytorch.lstm_cell_backward, layout="pytorch")
    with pytest.raises(InputError, match="the grads of your backward pass must be 12 arrays: dW_xi, .* it returned 2 values"):
        check_step(d2l.lstm_step, lambda *a: (*d2l.lstm_step_backward(*a)[:2], [0, 0]), layout="d2l")
    with pytest.raises(InputError, match=r"your next_h must have the shape \(2, 4\), not \(4, 2\): the batch first"):
        check_step(lambda *a: (forward(*a)[0].T, *forward(*a)[1:]), right, layout="cs231n")


def test_clipping_is_reported_by_the_names_of_the_course():
    right = pytorch.lstm_cell_backward
    clipped = lambda *a: tuple(np.clip(v, -5, 5) if isinstance(v, np.ndarray) else v for v in right(*a))
    check = check_step(pytorch.lstm_cell, clipped, layout="pytorch")
    assert "not linear in (grad_hy, grad_cy): grad_input at 1000" in one_line(check)


def test_arrays_of_the_caller_that_are_changed_have_the_name_of_the_course():
    def careless(dnext_h, dnext_c, cache):
        dnext_c += 1
        return cs231n.lstm_step_backward(dnext_h, dnext_c, cache)

    with pytest.raises(InputError, match="your backward pass changes dnext_c"):
        check_step(cs231n.lstm_step_forward, careless, layout="cs231n")

    def later(dnext_h, dnext_c, cache):
        answer = cs231n.lstm_step_backward(dnext_h, dnext_c, cache)
        dnext_c += 1
        return answer

    found = diagnose(later, cs231n.lstm_step_forward, layout="cs231n")
    assert "Your function changes dnext_c, which belongs to the caller." in one_line(found)


@pytest.mark.parametrize("name", ["da_next", "dc_next", "xt"])
def test_changes_of_arrays_that_stand_in_other_axes_are_noticed(name):
    def careless(da_next, dc_next, cache):
        answer = deeplearning_ai.lstm_cell_backward(da_next, dc_next, cache)
        {"da_next": da_next, "dc_next": dc_next, "xt": cache[8]}[name][0, 0] += 1
        return answer

    found = diagnose(careless, deeplearning_ai.lstm_cell_forward, layout="deeplearning.ai")
    assert f"Your function changes {name}, which belongs to the caller." in one_line(found), found


def test_what_python_says_stays_as_it_is():
    found, _ = diagnosed("deeplearning.ai", "step", ("dit = dc * cct * it", "dit = dc * h * it"))
    assert "It raises NameError: name 'h' is not defined. It is called as (da_next, dc_next, cache)." in one_line(found)


# ---- the loss, and min-char-rnn ------------------------------------------------------


def test_the_loss_of_cs231n_is_a_sum_over_tokens_divided_by_the_sequences():
    assert diagnose_loss(cs231n.temporal_softmax_loss, layout="cs231n").right
    over_tokens = {"like": "cs231n", "loss_over": "tokens"}
    found = diagnose_loss(cs231n.temporal_softmax_loss, layout=over_tokens)
    assert "loss divided by the number of sequences" in {mistake.name for mistake in found.mistakes}


@pytest.mark.parametrize(
    "change, name, words",
    [
        (("/ N\n    dx", "/ mask.sum()\n    dx"),
         "loss divided by the number of tokens", "Your loss per sequence is wrong in loss"),
        (("dx_flat /= N\n", "dx_flat /= N * T\n"), "gradient divided by tokens and padding", "wrong in dx at the real tokens."),
        (("dx_flat *= mask_flat[:, None]\n", "pass\n"), "mask not used in the gradient", "wrong in dx at the padding."),
        (("y_flat] -= 1", "y_flat] += 1"), "target added", "wrong in dx at the real tokens."),
    ],
)
def test_mistakes_in_the_loss_of_cs231n_are_named(change, name, words):
    found = diagnose_loss(module("cs231n", change).temporal_softmax_loss, layout="cs231n")
    assert [mistake.name for mistake in found.mistakes] == [name] and words in one_line(found)


def test_min_char_rnn_is_checked_where_its_weights_are_global():
    before = {name: getattr(min_char_rnn, name) for name in ("Wxh", "Why", "by", "vocab_size")}
    check = check_sequence(min_char_rnn.lossFun, layout="min-char-rnn")
    assert check.passed and [row.name for row in check.rows] == ["Wxh", "Whh", "bh", "Why", "by"]
    assert all(getattr(min_char_rnn, name) is value for name, value in before.items())
    wrong = module("min-char-rnn", ("dhnext = Whh.T @ dhraw", "dhnext = Whh @ dhraw"))
    check = check_sequence(wrong.lossFun, layout="min-char-rnn")
    assert [row.name for row in check.wrong] == ["Wxh", "Whh", "bh"]
    with pytest.raises(InputError, match="no step for the cell \"rnn\"; check_sequence checks its function"):
        diagnose(min_char_rnn.lossFun, layout="min-char-rnn")


def test_global_names_that_were_not_there_are_gone_again():
    scope = {"np": np}
    source = (
        "def lossFun(inputs, targets, hprev):\n    s = Wxh.sum()\n"
        "    return s**2, 2 * s + 0 * Wxh, 0 * Whh, 0 * Why, 0 * bh, 0 * by, hprev"
    )
    exec(source, scope)
    check = check_sequence(scope["lossFun"], layout="min-char-rnn")
    assert {row.name: row.verdict for row in check.rows}["Wxh"] == "ok" and "Wxh" not in scope


def test_the_function_of_min_char_rnn_must_have_a_module():
    with pytest.raises(InputError, match="hand in the function itself"):
        check_sequence(print, layout="min-char-rnn")


# ---- which layout --------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask, words",
    [
        (lambda: diagnose(cs231n.lstm_step_backward),
         'this looks like CS231n\'s lstm_step_backward(dnext_h, dnext_c, cache): add layout="cs231n" (TypeError'),
        (lambda: check_step(cs231n.lstm_step_forward, cs231n.lstm_step_backward), 'cache): add layout="cs231n"'),
        (lambda: check_sequence(cs231n.lstm_forward, cs231n.lstm_backward), "CS231n's lstm_forward(x, h0, Wx, Wh, b)"),
        (lambda: diagnose_sequence(cs231n.lstm_backward, cs231n.lstm_forward), 'Wh, b): add layout="cs231n" (Attr'),
        (lambda: diagnose_loss(cs231n.temporal_softmax_loss), 'temporal_softmax_loss(x, y, mask): add layout="cs231n"'),
        (lambda: check_step(deeplearning_ai.rnn_cell_forward, deeplearning_ai.rnn_cell_backward),
         'rnn_cell_forward(xt, a_prev, parameters): add layout="deeplearning.ai", cell="rnn"'),
        (lambda: check_step(d2l.lstm_step, d2l.lstm_step_backward), 'lstm_step(X, state, params): add layout="d2l"'),
        (lambda: check_step(pytorch.gru_cell, pytorch.gru_cell_backward), 'add layout="pytorch", cell="gru"'),
        (lambda: check_sequence(min_char_rnn.lossFun, min_char_rnn.lossFun), 'add layout="min-char-rnn", cell="rnn"'),
        (lambda: check_step(cs231n.lstm_step_forward, cs231n.lstm_step_backward, layout="pytorch"), 'add layout="cs231n"'),
    ],
)
def test_code_of_a_course_that_is_checked_as_other_code_is_told_its_layout(ask, words):
    with pytest.raises(InputError, match=re.escape(words)):
        ask()


def test_code_that_runs_as_ours_and_is_of_a_course_gets_a_note():
    found = diagnose(cs231n.lstm_step_backward, cs231n.lstm_step_forward)
    assert [mistake.name for mistake in found.mistakes] == ["gates read in the order i, f, o, g"]
    assert 'This looks like CS231n\'s lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b): add layout="cs231n".' in one_line(found)


def test_code_that_looks_like_no_course_raises_what_it_raises():
    with pytest.raises(TypeError, match="positional"):
        check_step(lambda a, b: 1, lambda a: 1)


@pytest.mark.parametrize(
    "layout, cell, words",
    [
        ("cs232n", "lstm", 'no layout \'cs232n\'; did you mean "cs231n"?'),
        ("cs231n", "gru", 'the layout "cs231n" has no cell "gru", only lstm, rnn'),
        ("cs231n", "lsmt", "cell must be one of lstm, gru, rnn, not 'lsmt'"),
        (3, "lstm", "layout must be a name, a Layout or a dictionary, not int"),
        ({"gate": "ifog"}, "lstm", 'no key of a layout \'gate\'; did you mean "gates"?'),
        ({"gates": "ifo"}, "lstm", "gates of a layout must be the letters i (input gate), f (forget gate), g (candidate)"),
        ({"gates": 4}, "lstm", "gates of a layout must be a text, not 4"),
        ({"letters": "iifo"}, "lstm", "letters of a layout must be one for each gate"),
        ({"axes": "batchfirst"}, "lstm", "axes of a layout must be one of 'time first', 'batch first', 'columns', not"),
        ({"transposed": "yes"}, "lstm", "transposed of a layout must be one of False, True"),
        ({"names": ["x"]}, "lstm", "names of a layout must be a dictionary of texts"),
        ({"names": {"hprev": "a"}}, "lstm", 'no quantity \'hprev\'; did you mean "h_prev"?'),
        ({"names": {"Wx": "W", "Wh": "W"}, "step": "f(x, h_prev, c_prev, W, b) -> h, c, cache"}, "lstm",
         "two arrays of weights have the same name"),
        ({"gradient": "d"}, "lstm", 'gradient of a layout must have {} once'),
        ({"step": "no signature"}, "lstm", "'no signature' does not describe a function; write it like this: 'my_step("),
        ({"step": "f(x, (h -> c"}, "lstm", "does not describe a function"),
        ({"step": "f(x, h_perv, c_prev, Wx, Wh, b) -> h, c, cache"}, "lstm", 'name \'h_perv\'; did you mean "h_prev"?'),
        ({"step_backward": "f(dh, dc, cache) -> dx, dh_pre, dc_prev, grads[]"}, "lstm", 'did you mean "dh_prev"?'),
        ({"loss": "f(logits, target) -> loss, dlogits"}, "lstm", 'did you mean "targets"?'),
        ({"names": {"h_prev": "before"}}, "lstm", "in step of the layout: there is no name 'h_prev'"),
        ({"like": "cs231m"}, "lstm", 'did you mean "cs231n"?'),
        ({"cell": "rnn", "gates": "ifgo"}, "lstm", "letters h in your order, as in 'h'"),
    ],
)  # fmt: skip
def test_a_layout_that_is_none_is_refused_with_what_it_may_be(layout, cell, words):
    with pytest.raises(InputError, match=re.escape(words)):
        check_step(cs231n.lstm_step_forward, cs231n.lstm_step_backward, layout=layout, cell=cell)


def test_a_dictionary_changes_what_differs_from_a_course():
    forward, backward = functions(
        "cs231n", "lstm", "step", ("o = sigmoid(a[:, 2 * H : 3 * H])", "g = np.tanh(a[:, 2 * H : 3 * H])"),
        ("    g = np.tanh(a[:, 3 * H :])\n", "    o = sigmoid(a[:, 3 * H :])\n"),
        ("do * o * (1 - o), dg * (1 - g**2)", "dg * (1 - g**2), do * o * (1 - o)"),
    )
    mine = {"like": "cs231n", "gates": "ifgo"}
    assert check_step(forward, backward, layout=mine) and diagnose(backward, forward, layout=mine)
    assert not diagnose(backward, forward, layout="cs231n")


def test_a_backward_may_take_the_weights_in_a_dictionary():
    mine = {"like": "deeplearning.ai", "step_backward": "f(da_next, dc_next, cache, parameters{}) -> gradients{}"}
    seen = []

    def backward(da_next, dc_next, cache, parameters):
        seen.append([*parameters])
        return deeplearning_ai.lstm_cell_backward(da_next, dc_next, (*cache[:-1], parameters))

    forward = deeplearning_ai.lstm_cell_forward
    assert check_step(forward, backward, layout=mine) and diagnose(backward, forward, layout=mine)
    assert all(names == ["Wf", "bf", "Wi", "bi", "Wc", "bc", "Wo", "bo", "Wy", "by"] for names in seen)


def test_a_backward_of_another_layout_needs_its_own_forward():
    with pytest.raises(InputError, match="hand in your own forward step as the second argument"):
        diagnose(cs231n.lstm_step_backward, layout="cs231n")
    with pytest.raises(InputError, match="hand in your backward pass as the second argument"):
        check_sequence(cs231n.lstm_forward, layout="cs231n")


def test_a_gru_whose_reset_gate_comes_before_the_product_is_checked_but_not_diagnosed():
    assert check_step(d2l.gru_step, d2l.gru_step_backward, layout="d2l", cell="gru")
    with pytest.raises(InputError, match="diagnose has a GRU with two biases.*check yours with check_step"):
        diagnose(d2l.gru_step_backward, d2l.gru_step, layout="d2l", cell="gru")
    wrong = lambda dstate, cache: d2l.gru_step_backward((2 * dstate[0],), cache)
    assert "diagnose" not in str(check_step(d2l.gru_step, wrong, layout="d2l", cell="gru"))
