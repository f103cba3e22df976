"""The process that runs a learner's file: what it reports, event by event."""

import json
import os
import runpy
import sys
from pathlib import Path

import pytest

from minilstm.verify.files import check, process
from tests.helpers.paths import ROOT

RIGHT = ROOT / "tests" / "learners" / "cs231n.py"


@pytest.fixture
def events(monkeypatch, tmp_path):
    """From the text of a file to the kinds of events and their texts."""
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)

    def run(text, *only):
        file, report = tmp_path / "mine.py", tmp_path / "report"
        file.write_text(text, encoding="utf-8")
        request = {"path": str(file), "report": str(report), "only": only, "seconds": 60}
        monkeypatch.setattr(sys, "argv", [process.__file__, json.dumps(request)])
        monkeypatch.setattr(sys, "path", [str(Path(process.__file__).parent), *sys.path])
        runpy.run_path(process.__file__, run_name="__main__")
        assert ended.pop() == 0 and str(Path(process.__file__).parent) not in sys.path
        found = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
        return {event["kind"]: event["text"] for event in found if event["kind"] != "at"}

    return run


def test_a_result_stands_between_ready_and_end(events):
    found = events(RIGHT.read_text(encoding="utf-8"), "rnn_step_backward")
    assert list(found) == ["ready", "result", "end"] and "right, 5 gradients" in found["result"]


def test_a_file_without_a_known_function_is_wrong_usage_with_a_listing(events):
    found = events("def f(x):\n    return x\n")
    assert list(found) == ["ready", "listing", "wrong usage", "end"]
    assert "f(x)" in found["listing"] and "no function that is known" in found["wrong usage"]


def test_what_is_not_python_cannot_be_run(events):
    found = events("def f(x:\n")
    assert list(found) == ["ready", "cannot run", "end"] and "line 1" in found["cannot run"]


def test_a_bug_of_ours_is_reported_with_its_traceback(events, monkeypatch):
    monkeypatch.setattr(check, "find", lambda *arguments: 1 / 0)
    found = events(RIGHT.read_text(encoding="utf-8"))
    assert list(found) == ["ready", "bug", "end"] and "ZeroDivisionError" in found["bug"]
