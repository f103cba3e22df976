"""``minilstm check FILE`` at the command line: the code runs in a process of its own, whatever it does."""

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minilstm.cli import check_file
from minilstm.course.sandbox import Outcome
from minilstm.verify.files import process
from tests.helpers.commands import check_in_this_process, refused
from tests.helpers.paths import ROOT

RNN = ROOT / "tests" / "learners" / "min_char_rnn.py"
MINE, BEGAN = Path("mine.py"), Path.cwd()
SLIPS = RNN.read_text(encoding="utf-8").replace("dhnext = Whh.T @ dhraw", "pass")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def checked(run, here):
    """Write a file, check it in a process of its own: status, output, errors."""

    def check(text, *options, name="mine.py"):
        (here / name).write_text(text, encoding="utf-8")
        return run("check", name, *options)

    return check


@pytest.fixture
def in_this_process(monkeypatch):
    """The code runs in this process, which is faster."""
    check_in_this_process(monkeypatch)


# ---- what is printed, and the exit status ---------------------------------------------


def test_a_right_file_ends_with_status_0(checked, run):
    status, out, error = run("check", RNN)
    assert (status, error) == (0, "") and max(map(len, out.splitlines()[1:])) <= 80
    assert "\nIts code is executed, for at most 30 s. Check only files that you trust.\n\n" in out
    first, last = out.splitlines()[-2:]
    assert first.startswith("lossFun (line 14): right, 5 gradients, largest relative error ") and last == "1 of 1 right"
    assert float(first.split()[-1]) < 1e-9


def test_a_wrong_file_ends_with_status_1_and_says_what_is_wrong(checked, in_this_process):
    status, out, error = checked(SLIPS)
    assert (status, error) == (1, "") and out.endswith("0 of 1 right\n")
    assert "lossFun (line 14): wrong\nWxh[" in out and "by complex step" in out and "Why[" not in out


def test_notes_come_first_and_many_failures_are_counted(checked, in_this_process):
    text = "from rnn_utils import *\nimport not_here\n" + "1/0\n" * 5 + SLIPS
    status, out, _ = checked(text)
    assert status == 1 and max(map(len, out.splitlines()[1:])) <= 80
    lines = out.splitlines()
    assert lines[3] == "Note: stand-ins with sigmoid and softmax for what is missing: rnn_utils"
    assert lines[5:9] == ["Not run: line 2: there is no module not_here",
                          "Not run: line 3: ZeroDivisionError: division by zero",
                          "Not run: line 4: ZeroDivisionError: division by zero", "Not run: 3 more"]  # fmt: skip
    assert lines[10] == "lossFun (line 21): wrong"


def test_without_a_known_function_both_are_listed(checked, in_this_process):
    result = checked("def my_step(x, h=0): pass\n")
    assert refused(result, 2) == "minilstm: mine.py has no function that is known"
    assert "Functions in mine.py:\n  my_step(x, h=0)\n" in result[1] and "\n  lstm_step_forward(x, prev_h," in result[1]
    assert max(map(len, result[1].splitlines()[1:])) <= 100


# ---- wrong usage ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, status, words",
    [
        (["none.py"], 2, "there is no file none.py; look for a typing mistake"),
        (["."], 2, "is a folder; name a .py file or a notebook in it"),
        (["text.txt"], 2, "is neither a .py file nor a notebook"),
        (["wrong.py"], 1, "wrong.py, line 2: this is not Python"),
        (["wrong.ipynb"], 1, "wrong.ipynb is not a notebook in JSON"),
        (["mine.py", "--layout", "none.json"], 2, "there is no file none.json"),
        (["mine.py", "--layout", "wrong.ipynb.json"], 2, "there is no file wrong.ipynb.json"),
        (["mine.py", "--layout", "list.json"], 2, "list.json must hold a dictionary, not list"),
        (["mine.py", "--layout", "bad.json"], 2, "bad.json is not JSON"),
        (["mine.py", "--layout", "good.json"], 2, "has no function that is known"),
        (["mine.py", "--layout", "klingon"], 2, "there is no layout 'klingon'"),
        (["mine.py", "--function", "f"], 2, "there is no function f, only: lossFun"),
        (["mine.py", "--model", "tagger"], 2, "--model is for models of minilstm; leave it out with a file"),
        (["mine.py", "--sizes", "T=2"], 2, "--sizes is for models of minilstm"),
        (["mine.py", "--seed", "0"], 2, "--seed is for models of minilstm"),
        (["mine.py", "--reverse-source"], 2, "--reverse-source is for models of minilstm"),
        (["--layout", "d2l"], 2, "--layout needs a file: minilstm check FILE --layout ..."),
        (["--function", "f"], 2, "--function needs a file"),
        (["--time", "3"], 2, "--time needs a file"),
    ],
)
def test_wrong_usage_is_one_sentence(run, here, in_this_process, arguments, status, words):
    (here / "text.txt").write_text("x = 1", encoding="utf-8")
    (here / "wrong.py").write_text("x = 1\ndef f(:\n", encoding="utf-8")
    (here / "wrong.ipynb").write_text("{", encoding="utf-8")
    (here / "list.json").write_text("[]", encoding="utf-8")
    (here / "good.json").write_text('{"like": "cs231n"}', encoding="utf-8")
    (here / "bad.json").write_text("{", encoding="utf-8")
    (here / "mine.py").write_text(SLIPS, encoding="utf-8")
    refused(run("check", *arguments), status, words)


@pytest.mark.parametrize("time", ["0", "nan", "x", "1e9"])
def test_a_time_that_is_none_is_refused(run, time):
    status, _, error = run("check", "mine.py", "--time", time)
    assert status == 2 and "argument --time: must be a number of seconds from 1 to 86400" in error


def test_a_bug_of_ours_is_no_mistake_of_the_learner(checked, in_this_process, monkeypatch):
    def broken(*arguments, **options):
        raise KeyError("a bug")

    monkeypatch.setattr("minilstm.verify.files.check.check_source", broken)
    status, _, error = checked(SLIPS)
    assert status == 1 and "KeyError: 'a bug'" in error and "this is a bug in minilstm" in error


@pytest.mark.parametrize(
    "outcome, words",
    [
        (Outcome(0, "", "", "", 1), "mine.py, line 7: its code ended the process, with the exit status 0"),
        (Outcome(-6, "", "", "it crashed (aborted)", 1), "mine.py, line 7: it crashed (aborted)"),
        (Outcome(-6, "", "", "it crashed", 1, (("numpy.py", 3), (str(MINE.resolve()), 2))), "mine.py, line 2: it crashed"),
        (Outcome(None, "", "", "it ran for more than 9 s", 9, (("numpy.py", 3), ("code cell 3 of x.ipynb", 4))),
         "mine.py, code cell 3, line 4: it ran for more than 9 s; does a loop there never end?"),
    ],
)  # fmt: skip
def test_an_early_end_is_placed_in_the_innermost_line_that_is_known(monkeypatch, outcome, words):
    events = [{"kind": "at", "text": place, "right": True} for place in ("line 1", "line 7")]
    monkeypatch.chdir(BEGAN)
    assert str(check_file.failure_in(MINE, events, outcome)) == words
    assert check_file.failure_in(MINE, [*events, {"kind": "end", "text": ""}], outcome) is None
    assert "mine.py: it crashed" == str(check_file.failure_in(MINE, [], Outcome(1, "", "", "it crashed", 1)))


# ---- what code may do ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, words",
    [
        ("import os; os.abort()", "mine.py, line 1: it crashed (aborted)"),
        pytest.param("import os; os._exit(0)", "mine.py, line 1: its code ended the process, with the exit status 0",
                     marks=pytest.mark.thorough),
    ],
)  # fmt: skip
def test_what_ends_the_process_is_one_sentence(checked, line, words):
    refused(checked(f"{line}\n{SLIPS}"), 1, words)


@pytest.mark.thorough
def test_code_that_cannot_be_interrupted_is_killed_and_its_line_is_named(checked, monkeypatch):
    monkeypatch.setattr(check_file, "MORE", 1)
    text = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\nwhile True: pass\n"
    refused(checked(text, "--time", 1), 1, "mine.py, line 3: it ran for more than 2 s; does a loop there never end?")


@pytest.mark.thorough
def test_a_crash_in_a_notebook_is_placed_in_its_cell(checked):
    cells = [{"cell_type": "code", "source": text} for text in ("x = 1", "import os\nos.abort()")]
    result = checked(json.dumps({"cells": cells}), name="mine.ipynb")
    refused(result, 1, "mine.ipynb, code cell 2, line 2: it crashed (aborted)")


@pytest.mark.thorough
def test_results_from_before_a_crash_are_printed(checked):
    text = SLIPS + "\n\ndef temporal_softmax_loss(x, y, mask):\n    import os\n    os.abort()\n"
    result = checked(text)
    refused(result, 1, "mine.py, line 46: it crashed (aborted)")
    assert "lossFun (line 14): wrong" in result[1]


def started(*arguments, **options):
    return subprocess.Popen([sys.executable, "-m", "minilstm", "check", *arguments], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # fmt: skip


@pytest.mark.thorough
def test_ctrl_c_ends_the_check_and_its_process(here):
    (here / "mine.py").write_text(f"open({str(here / 'began')!r}, 'w').close()\nwhile True: pass\n", encoding="utf-8")
    command = started(here / "mine.py", start_new_session=True)
    while not (here / "began").exists():
        time.sleep(0.05)
    os.kill(command.pid, signal.SIGINT)
    _, error = command.communicate(timeout=60)
    assert (command.returncode, error) == (1, "minilstm: interrupted\n")


@pytest.mark.thorough
def test_a_pipe_that_closes_is_no_error(here):
    command = started(RNN)
    command.stdout.close()
    assert command.stderr.read() == "" and command.wait(60) == 1
    command.stderr.close()


def test_modules_of_this_folder_are_not_in_the_way_of_those_of_the_code(monkeypatch, here):
    request = json.dumps({"path": "none.py", "report": str(here / "report"), "seconds": 1})
    for path in ([str(ROOT), "else"], ["else"]):
        monkeypatch.setattr(sys, "path", ["the folder of process.py", *path])
        process.main(request)
        assert sorted(sys.path) == sorted([str(ROOT), "else"])


def test_the_request_of_the_process_is_a_line_of_json(here, monkeypatch):
    report = here / "report"
    request = json.dumps({"path": str(RNN), "report": str(report), "seconds": 20})
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.setattr(sys, "argv", [process.__file__, request])
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    runpy.run_path(process.__file__, run_name="__main__")
    assert ended == [0]  # at once, whatever threads the code has started
    events = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    assert [event["kind"] for event in events if event["kind"] != "at"] == ["ready", "result", "end"]
    assert events[-2]["right"] is True and events[1] == {"kind": "at", "text": "line 1", "right": True}
