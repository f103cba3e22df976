"""``assert_gradients``, the fixture of this name, and ``assert_file``."""

import configparser
import re
import subprocess
import sys

import numpy as np
import pytest

from minilstm import reference, testing
from minilstm.course.sandbox import Outcome
from minilstm.errors import InputError
from minilstm.pytest_plugin import assert_gradients as fixture
from minilstm.reference import sequence
from tests.helpers.paths import ROOT
from tests.learners import cs231n, deeplearning_ai, pytorch

PLUGIN = "minilstm.pytest_plugin"


def halved(dh, dc, cache, Wx, Wh):
    dx, dh_prev, dc_prev, grads = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
    return dx, dh_prev, dc_prev / 2, grads


def wrong_loss(logits, targets, lengths):
    loss, cache = reference.softmax_cross_entropy(logits, targets, lengths)
    return loss, 2 * reference.softmax_cross_entropy_backward(cache)


def right_loss(*arguments):
    loss, twice = wrong_loss(*arguments)
    return loss, twice / 2


@pytest.mark.parametrize(
    "forward, backward, options",
    [
        (reference.lstm_step, reference.lstm_step_backward, {}),
        (sequence.lstm_sequence, sequence.lstm_sequence_backward, {}),
        (reference.lstm_step, None, {}),
        (right_loss, None, {}),
        (cs231n.lstm_step_forward, cs231n.lstm_step_backward, {"layout": "cs231n"}),
        (cs231n.lstm_forward, cs231n.lstm_backward, {"layout": "cs231n"}),
        (cs231n.rnn_forward, cs231n.rnn_backward, {"layout": "cs231n", "cell": "rnn"}),
        (cs231n.temporal_softmax_loss, None, {"layout": "cs231n"}),
        (deeplearning_ai.lstm_cell_forward, deeplearning_ai.lstm_cell_backward, {"layout": "deeplearning.ai"}),
        (pytorch.gru_cell, pytorch.gru_cell_backward, {"layout": "pytorch", "cell": "gru"}),
    ],
)
def test_right_functions_pass(forward, backward, options):
    assert testing.assert_gradients(forward, backward, **options) is None


def test_a_wrong_step_fails_with_its_mistake_and_its_line():
    line = halved.__code__.co_firstlineno
    with pytest.raises(AssertionError) as failure:
        testing.assert_gradients(reference.lstm_step, halved)
    text = str(failure.value)
    assert text.startswith(f"halved (line {line} of test_testing.py): wrong\n") and "dc_prev" in text
    assert max(map(len, text.splitlines())) <= 80


def twice_the_step(x, h_prev, c_prev, Wx, Wh, b):
    h, c, cache = reference.lstm_step(x, h_prev, c_prev, Wx, Wh, b)
    return 2 * h, c, cache


def twice_the_step_backward(dh, dc, cache, Wx, Wh):
    return reference.lstm_step_backward(2 * dh, dc, cache, Wx, Wh)


def test_a_pair_that_fits_together_and_is_no_lstm_fails():
    with pytest.raises(AssertionError) as failure:
        testing.assert_gradients(twice_the_step, twice_the_step_backward)
    assert re.search(r"^twice_the_step \(line \d+ of .*\): wrong\n", str(failure.value))
    assert re.search(r"\ntwice_the_step_backward \(line \d+ of .*\): right, 6 gradients", str(failure.value))


def test_results_of_another_form_fail_with_the_form_that_is_needed():
    with pytest.raises(AssertionError) as failure:
        testing.assert_gradients(cs231n.lstm_step_forward, lambda dnext_h, dnext_c, cache: 2, layout="cs231n")
    assert "your backward pass must return (dx, dprev_h, dprev_c, dWx, dWh, db); it returned one int" in str(failure.value)
    assert failure.value.__suppress_context__


def test_a_wrong_loss_fails():
    with pytest.raises(AssertionError, match=r"wrong_loss \(line \d+ of test_testing.py\): wrong"):
        testing.assert_gradients(wrong_loss)


def test_any_loss_is_checked_with_parameters():
    square, params = lambda p: np.sum(p["x"] ** 2), {"x": np.array([1.0, -2.0])}
    testing.assert_gradients(square, lambda p: {"x": 2 * p["x"]}, params=params)
    with pytest.raises(AssertionError, match=r"(?s)the gradients are wrong.*x\[0\]: your gradient is 3"):
        testing.assert_gradients(square, lambda p: {"x": 3 * p["x"]}, params=params)


class Cell:
    """Keeps its cache, as classes do."""

    def go(self, x, h_prev, c_prev, Wx, Wh, b):
        h, c, self.cache = reference.lstm_step(x, h_prev, c_prev, Wx, Wh, b)
        return h, c, None

    def back(self, dh, dc, cache, Wx, Wh):
        return reference.lstm_step_backward(dh, dc, self.cache, Wx, Wh)


def unroll(x, state, Wx, Wh, b):
    return sequence.lstm_sequence(x, state, Wx, Wh, b)


def unclear(input, hx, weight_ih, weight_hh, bias_ih, bias_hh):
    return pytorch.lstm(input, hx, weight_ih, weight_hh, bias_ih, bias_hh)


def step_of_mine(*arguments):
    return pytorch.lstm_cell(*arguments)


def test_what_other_names_are_is_seen_by_the_arguments_or_said():
    cell = Cell()
    testing.assert_gradients(cell.go, cell.back)  # six arguments: a step
    testing.assert_gradients(unroll, sequence.lstm_sequence_backward)  # five: a sequence
    testing.assert_gradients(unclear, pytorch.lstm_backward, layout="pytorch")  # both have six
    testing.assert_gradients(step_of_mine, pytorch.lstm_cell_backward, layout="pytorch")
    testing.assert_gradients(unclear, pytorch.lstm_backward, layout="pytorch", kind="sequence")


@pytest.mark.parametrize(
    "arguments, options, words",
    [
        ((3,), {}, "a function is needed, not int"),
        ((reference.lstm_step, 3), {}, "a function is needed, not int"),
        ((reference.lstm_step,), {"kind": "layer"}, "kind must be one of step, sequence, loss, not 'layer'"),
        ((reference.lstm_step,), {"layout": "klingon"}, "there is no layout 'klingon'"),
        ((reference.lstm_step,), {"cell": "klingon"}, "cell must be one of"),
        ((reference.lstm_step,), {"cell": ["lstm"]}, "cell must be one of lstm, gru, rnn, not .'lstm'."),
    ],
)
def test_wrong_usage_is_no_failure_of_the_gradients(arguments, options, words):
    with pytest.raises(InputError, match=words):
        testing.assert_gradients(*arguments, **options)


def test_objects_that_can_be_called_have_a_name():
    class Wrong:
        def __call__(self, x, h_prev, c_prev, Wx, Wh, b):
            h, c, cache = reference.lstm_step(x, h_prev, c_prev, Wx, Wh, b)
            return 2 * h, c, cache

    with pytest.raises(AssertionError, match=r"^Wrong \(no line\): wrong"):
        testing.assert_gradients(Wrong())


# ---- a file -------------------------------------------------------------------------------


def events(*kinds):
    return [{"kind": kind, "text": f"a {kind}", "right": False} for kind in kinds]


def test_a_file_is_checked_in_a_process_of_its_own():
    testing.assert_file(ROOT / "tests" / "learners" / "min_char_rnn.py")


@pytest.mark.parametrize(
    "happened, outcome, error, words",
    [
        (events("result", "end"), Outcome(0, "", "", "", 1), AssertionError, "a result"),
        (events("result"), Outcome(-6, "", "", "it crashed", 1), AssertionError, "a result\nmine.py: it crashed"),
        (events("cannot run", "end"), Outcome(0, "", "", "", 1), AssertionError, "a cannot run"),
        (events("wrong usage", "end"), Outcome(0, "", "", "", 1), InputError, "a wrong usage"),
    ],
)
def test_what_is_wrong_with_a_file_is_the_message(monkeypatch, happened, outcome, error, words):
    monkeypatch.setattr(testing, "events_of", lambda path, **options: (happened, outcome))
    with pytest.raises(error) as failure:
        testing.assert_file("mine.py")
    assert str(failure.value) == words


# ---- the plug-in ---------------------------------------------------------------------------


def test_the_fixture_is_the_function():
    function = getattr(fixture, "__wrapped__", None) or fixture.__pytest_wrapped__.obj
    assert function() is testing.assert_gradients


def test_the_plug_in_is_an_entry_point_of_the_same_name_as_its_module():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    points = setup["options.entry_points"]["pytest11"].split("\n")
    assert f"{PLUGIN} = {PLUGIN}" in points  # so that -p does not load it twice


def test_the_plug_in_imports_nothing_heavy():
    code = f"import sys, {PLUGIN}; print(sorted({{'numpy', 'numba'}} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert out == "[]\n"


@pytest.mark.thorough
def test_the_test_of_a_student_is_one_line(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "from tests.learners import cs231n as c\n"
        "def test_step(assert_gradients): assert_gradients(c.lstm_step_forward, c.lstm_step_backward, layout='cs231n')\n"
        "def test_wrong(assert_gradients): assert_gradients(c.lstm_step_forward, lambda *a: 2, layout='cs231n')\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", PLUGIN, "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "AssertionError: <lambda> (line 3 of test_mine.py)" in done.stdout
