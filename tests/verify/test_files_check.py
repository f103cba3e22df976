"""The functions of a learner's file are checked one by one, whatever they do."""

import json
import re
from pathlib import Path

import pytest

from minilstm.errors import InputError, MinilstmError
from minilstm.verify.files.check import NothingFound, check_source
from tests.helpers.paths import ROOT
from tests.helpers.text import one_line

LEARNERS = ROOT / "tests" / "learners"
CS231N = (LEARNERS / "cs231n.py").read_text(encoding="utf-8")
HEAD = CS231N.split("def rnn_step_forward")[0]
STEP = HEAD + CS231N[CS231N.index("def lstm_step_forward") : CS231N.index("def lstm_forward")]
DC = "dc = dnext_c +"


@pytest.fixture
def check(tmp_path):
    """A function from the text of a file to the events of its check."""

    def run(text, name="mine.py", **options):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        events = []
        check_source(path, events.append, **options)
        return events

    return run


def of(kind, events):
    return [event.text for event in events if event.kind == kind]


def result(events):
    """The only result, and whether it is right."""
    (event,) = (event for event in events if event.kind == "result")
    return event.right, one_line(event.text)


# ---- right code ------------------------------------------------------------------------


@pytest.mark.parametrize("name, count", [("cs231n.py", 5), ("min_char_rnn.py", 1), ("deeplearning_ai.py", 4),
                                         ("d2l.py", 6), ("pytorch.py", 6)])  # fmt: skip
def test_right_code_of_every_course_is_right(name, count):
    events = []
    check_source(LEARNERS / name, events.append)
    results = [event for event in events if event.kind == "result"]
    assert [event.text for event in results if not event.right] == [] and len(results) == count
    assert of("note", events) == of("problem", events) == []
    for event in results:
        assert re.match(r"\w+ \(line \d+\): right, ", event.text)
        of_check = re.search(r"right, (\d+) gradients, largest relative error (\S+)$", one_line(event.text))
        assert of_check is None or int(of_check[1]) >= 5 and 0 < float(of_check[2]) < 1e-9
    assert sum("gradients" in event.text for event in results) >= count - 1  # all but a loss


def test_min_char_rnn_without_its_text_is_checked(check):
    text = (LEARNERS / "min_char_rnn.py").read_text(encoding="utf-8")
    old = "hidden_size, vocab_size = 5, 4\n"
    assert old in text
    events = check(text.replace(old, "data = open('input.txt').read()\nvocab_size, hidden_size = len(set(data)), 100\n"))
    right, words = result(events)
    assert right and "right, 5 gradients" in words
    assert of("problem", events)[:2] == ["line 5: there is no file input.txt", "line 6: NameError: name 'data' is not defined"]


def test_right_steps_of_the_shapes_of_minilstm_are_right(check):
    text = (LEARNERS / "published" / "minilstm.py").read_text(encoding="utf-8").replace("np.tanh(tanh_c) ** 2", "tanh_c**2")
    right, words = result(check(text, only=["lstm_step"]))
    assert right and words.startswith("lstm_step_backward (line 21): right, 6 gradients, largest relative error ")


def test_a_note_on_the_cache_is_no_mistake(check):
    text = STEP.replace("return next_h, next_c, cache", "return next_h, next_c, [cache]").replace(
        "g, next_c = cache\n", "g, next_c = cache.pop()\n")  # fmt: skip
    right, words = result(check(text))
    assert right and "consumes its cache" in words and "right, 6 gradients" in words


def test_a_forward_step_alone_is_compared_with_ours(check):
    text = STEP[: STEP.index("def lstm_step_backward")]
    right, words = result(check(text))
    assert right and re.fullmatch(r"lstm_step_forward \(line 10\): right, equal to ours in \d+ random cases", words)


# ---- wrong code ------------------------------------------------------------------------


def test_a_wrong_forward_is_named_and_its_own_backward_is_still_checked(check):
    text = STEP.replace("next_h = o * np.tanh(next_c)", "next_h = o * next_c")
    text = text.replace("tanh_c = np.tanh(next_c)", "tanh_c = next_c").replace("(1 - tanh_c**2)", "1")
    events = [event for event in check(text) if event.kind == "result"]
    assert [event.right for event in events] == [False, True]
    assert events[0].text.startswith("lstm_step_forward (line 10): wrong\n") and "tanh" in events[0].text
    assert "lstm_step_backward (line 23): right, 6 gradients" in one_line(events[1].text)


def test_clipping_is_found_in_what_the_diagnosis_cannot_compare(check):
    text = (LEARNERS / "min_char_rnn.py").read_text(encoding="utf-8").replace("dh = Why.T @ dy + dhnext", "dh = Why.T @ dy")
    right, words = result(check(text))
    assert not right and words.startswith("lossFun (line 14): wrong Wxh[") and "by complex step" in words


@pytest.mark.parametrize(
    "name, function, old, new, words",
    [
        ("cs231n.py", "rnn_step_backward", "dprev_h = da.dot(Wh.T)", "dprev_h = da.dot(Wh)", "prev_h"),
        ("pytorch.py", "gru_cell_backward", "z * (1 - z)", "(1 - z)", "weight_hh"),
        ("d2l.py", "gru_step_backward", "dRH * H_prev * R * (1 - R)", "dRH * R * (1 - R)", "W_xr"),
    ],
)
def test_mistakes_of_other_cells_are_found(check, name, function, old, new, words):
    text = (LEARNERS / name).read_text(encoding="utf-8")
    assert old in text
    right, said = result(check(text.replace(old, new, 1), only=[function]))
    assert not right and said.startswith(f"{function} (line ") and words in said


def test_the_loss_that_a_course_hands_out_is_right_with_a_note_about_large_logits(check):
    text = HEAD + """
def temporal_softmax_loss(x, y, mask):
    N, T, V = x.shape
    flat, rows = x.reshape(N * T, V), np.arange(N * T)
    probs = np.exp(flat - flat.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    loss = -np.sum(mask.ravel() * np.log(probs[rows, y.ravel()])) / N
    dx = probs.copy()
    dx[rows, y.ravel()] -= 1
    return loss, (dx * mask.reshape(-1, 1) / N).reshape(N, T, V)
"""
    right, words = result(check(text))
    assert right and "right, equal to ours but for logits as large as 1000 At logits" in words
    right, words = result(check(text.replace("/ N)", "/ T)")))
    assert not right and "wrong" in words
    right, words = result(check(text.replace("flat - flat.max(axis=1, keepdims=True)", "flat")))
    assert not right and "overflow" in words


def test_a_wrong_loss_is_named(check):
    text = HEAD + CS231N[CS231N.index("def temporal") :].replace("dx_flat /= N", "pass")
    right, words = result(check(text))
    assert not right and words.startswith("temporal_softmax_loss (line 10): wrong") and "dx" in words


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("    return dx, dprev_h", "    return dprev_h", "your backward pass must return (dx, dprev_h, dprev_c, dWx, dWh, db)"),
        (DC, "dc = torch.zeros(3) +", "it cannot be checked in line 27 of mine.py, `dc = torch.zeros(3) +"),
        (DC, f"raise SystemExit\n    {DC}", "line 27 of mine.py, `raise SystemExit`: it ends the program"),
        (DC, f"x = [0] * 10**18\n    {DC}", "line 27 of mine.py, `x = [0] * 10**18`: it needs too much memory"),
        (DC, f"while True: pass\n    {DC}", "line 27 of mine.py, `while True: pass`: it still ran after"),
        ("dnext_h, dnext_c, cache):", "dnext_h, cache):", "lstm_step_backward() takes 2 positional arguments but 3 were given"),
    ],
)  # fmt: skip
def test_what_prevents_a_check_is_one_sentence_with_the_line(check, old, new, words):
    head, tail = STEP[: STEP.index("def lstm_step_backward")], STEP[STEP.index("def lstm_step_backward") :]
    assert old in tail
    seconds = 1 if "while True" in new else 60
    right, said = result(check(head + tail.replace(old, new, 1), seconds=seconds))
    assert not right and said.startswith("lstm_step_backward (line 23): ") and words in said, said


def test_an_argument_changed_in_place_is_one_mistake_beside_others(check):
    changed = STEP.replace(DC, "dc = dnext_c; dc +=").replace("f * (1 - f)", "(1 - f)")
    right, said = result(check(changed, seconds=60))
    assert not right and "dnext_c changed in place" in said and "f missing at the forget gate" in said, said


def test_a_partner_that_is_missing_is_named(check):
    only_back = STEP[STEP.index("def lstm_step_backward") :]
    assert result(check(only_back)) == (
        False, "lstm_step_backward (line 1): it is checked together with its forward, lstm_step_forward")  # fmt: skip
    only_forward = CS231N[CS231N.index("def lstm_forward") : CS231N.index("def lstm_backward")]
    assert result(check(only_forward)) == (
        False, "lstm_forward (line 1): it is checked together with its backward, lstm_backward")  # fmt: skip


def test_one_function_that_does_not_end_leaves_time_for_the_others(check):
    text = CS231N.replace("dtanh", "").replace("    x, prev_h, Wx, Wh, next_h = cache\n", "    while True: pass\n")
    events = check(text, seconds=3, only=["rnn_step_backward", "lstm_step_forward", "temporal_softmax_loss"])
    assert [event.right for event in events if event.kind == "result"] == [False, True, True]
    assert "it still ran after" in of("result", events)[0]
    assert [place.split(" (")[0] for place in of("at", events)[-3:]] == [
        "rnn_step_backward", "lstm_step_backward", "temporal_softmax_loss"]  # fmt: skip


def test_ctrl_c_during_a_check_ends_it(check):
    with pytest.raises(KeyboardInterrupt):
        check(STEP.replace("tanh_c = np.tanh(next_c)", "import signal; signal.raise_signal(signal.SIGINT)"))


def test_a_bug_of_ours_is_not_blamed_on_the_file(check, monkeypatch):
    monkeypatch.setattr("minilstm.verify.files.check.diagnose", None)
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        check(STEP)


def test_time_that_is_spent_in_our_own_code_is_over_as_well(check, monkeypatch):
    ours = {}
    exec(compile("def check_step(*arguments, **options):\n while True: pass", "<frozen ours>", "exec"), ours)
    monkeypatch.setattr("minilstm.verify.files.check.check_step", ours["check_step"])
    right, words = result(check(STEP, seconds=0.5))
    assert not right and words.startswith("lstm_step_backward (line 23): it cannot be checked: it still ran after ")


# ---- layouts, notebooks, and nothing at all ---------------------------------------------


def test_functions_of_other_names_are_checked_in_a_layout(check):
    text = STEP.replace("lstm_step_forward", "forward_step").replace("lstm_step_backward", "backward_step")
    with pytest.raises(NothingFound, match="has no function that is known"):
        check(text)
    right, words = result(check(text, layout="cs231n", only=["backward_step"]))
    assert right and words.startswith("backward_step (line 23): right, 6 gradients")


def test_a_file_may_be_named_relative_to_the_current_folder(tmp_path, monkeypatch):
    folder = tmp_path / "homework"
    folder.mkdir()
    (folder / "layers.py").write_text(STEP, encoding="utf-8")
    (folder / "mine.py").write_text("from layers import *\nwith open('mine.py') as me: pass\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    events = []
    check_source(Path("homework/mine.py"), events.append)
    right, words = result(events)
    assert right and words.startswith("lstm_step_backward (line 23 of layers.py): right") and of("problem", events) == []


def test_a_dictionary_describes_another_layout(check):
    text = STEP.replace("np.hstack((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)))",
                        "np.hstack((do * o * (1 - o), di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2)))")  # fmt: skip
    for gate, old, new in [("o", "2 * H : 3 * H", ":H"), ("i", ":H", "H : 2 * H"), ("f", "H : 2 * H", "2 * H : 3 * H")]:
        text = text.replace(f"{gate} = sigmoid(a[:, {old}])", f"{gate} = sigmoid(a[:, {new}])")
    assert [event.right for event in check(text) if event.kind == "result"] == [False, True]  # forward is not CS231n's
    right, words = result(check(text, layout={"like": "cs231n", "gates": "oifg"}))
    assert right and "right, 6 gradients" in words
    with pytest.raises(InputError, match="gates of a layout must be"):
        check(text, layout={"like": "cs231n", "gates": "oif"})


def test_a_notebook_whose_late_cell_fails_is_checked(check):
    cells = ["%matplotlib inline\nfrom lstm_utils import sigmoid", STEP, "assert 1 == 2", "x = ("]
    notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    events = check(json.dumps(notebook), name="mine.ipynb")
    assert result(events)[0] and result(events)[1].startswith("lstm_step_backward (code cell 2, line 23): right")
    assert of("note", events) == ["code cell 1: `%matplotlib inline` was not run",
                                  "stand-ins with sigmoid and softmax for what is missing: lstm_utils"]  # fmt: skip
    first, second = of("problem", events)
    assert first.startswith("code cell 4, line 1: this is not Python") and second == "code cell 3, line 1: AssertionError"


def test_a_file_without_functions_is_refused_and_says_what_was_looked_for(check):
    with pytest.raises(NothingFound) as refusal:
        check("def f(x): pass\n")
    assert "  f(x)\n" in refusal.value.listing and "lstm_step_forward(" in refusal.value.listing
    with pytest.raises(MinilstmError, match="line 1: this is not Python"):
        check("def f(:")
