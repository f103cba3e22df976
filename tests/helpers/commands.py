"""Shared by the tests of the command line."""

import sys

from minilstm.cli import check_file
from minilstm.course.sandbox import Outcome
from minilstm.verify.files import process


def check_in_this_process(monkeypatch):
    """``minilstm check FILE`` runs the code of the file in this process, which is faster."""

    def limited(arguments, **limits):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "path", ["a folder that is replaced", *sys.path])
            process.main(arguments[-1])
        return Outcome(0, "", "", "", 0.1)

    monkeypatch.setattr(check_file, "run_limited", limited)


def refused(result, status, *words):
    """Asserts the status and exactly one sentence on standard error; returns it."""
    assert result[0] == status, result
    assert "Traceback" not in result[2]
    for word in words:
        assert word in result[2], result[2]
    complaint = [line for line in result[2].splitlines() if line.startswith("minilstm")]
    assert len(complaint) == 1, result[2]
    return complaint[0]
