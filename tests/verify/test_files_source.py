"""Learners' files are read and run: .py files and notebooks, with all that can go wrong in them."""

import json
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from minilstm.errors import InputError, MinilstmError
from minilstm.verify.files.course_modules import Missing
from minilstm.verify.files.execute import execute, surroundings
from minilstm.verify.files.limits import TimeIsUp, at_most
from minilstm.verify.files.source import read_source, without_magic


@pytest.fixture
def run_code(tmp_path):
    """A function that runs a text as a file: its names, and what could not be run."""

    def run(text, seconds=5, name="mine.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        source = read_source(path)
        with surroundings(path):
            return execute(source, seconds)

    return run


def notebook(*cells, **more):
    """A notebook of these code cells as JSON, behind a cell of text."""
    text = {"cell_type": "markdown", "source": "# a title"}
    code = [{"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"nbformat": 4, "cells": [text, *code], **more})


# ---- reading ------------------------------------------------------------------------


def test_a_file_is_one_cell(tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")  # with a byte order mark, as Windows writes it
    (cell,) = read_source(path).cells
    assert (cell.place, cell.text, len(cell.tree.body)) == ("", "x = 1\ny = 2\n", 2)


def test_the_declared_encoding_of_a_file_is_used(tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"))
    assert "é" in read_source(path).cells[0].text


@pytest.mark.parametrize(
    "name, content, kind, words",
    [
        ("mine.txt", b"x = 1", InputError, "is neither a .py file nor a notebook"),
        ("none.py", None, InputError, "there is no file"),
        ("none.ipynb", None, InputError, "there is no file"),
        ("mine.py", b"x = '\xe9'", MinilstmError, "is not a text in UTF-8"),
        ("mine.py", b"# coding: klingon\n", MinilstmError, "is not a text in UTF-8"),
        ("mine.py", b"x = 1\ndef f(:\n", MinilstmError, "line 2: this is not Python"),
        ("mine.py", b"x = 1\0", MinilstmError, "this is not Python: source code string cannot contain null bytes"),
        ("mine.py", b"x = " + b"(" * 5000, MinilstmError, "this is not Python"),
        ("mine.py", b"x = " + b"-" * 200_000 + b"1", MinilstmError, "this is not Python"),
        ("mine.ipynb", b"{", MinilstmError, "is not a notebook in JSON"),
        ("mine.ipynb", b"\xff", MinilstmError, "is not a notebook in JSON"),
        ("mine.ipynb", b"[" * 100_000, MinilstmError, "is not a notebook in JSON"),
        ("mine.ipynb", b"[1]", MinilstmError, "has no list of cells"),
        ("mine.ipynb", b'{"cells": 3}', MinilstmError, "has no list of cells"),
        ("mine.ipynb", notebook(metadata={"kernelspec": {"language": "R"}}).encode(), MinilstmError, "a notebook in R, not in"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_gets_a_sentence(tmp_path, name, content, kind, words):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(kind) as refusal:
        read_source(path)
    assert words in str(refusal.value) and name in str(refusal.value)
    assert type(refusal.value) is kind  # usage: 2; content: 1


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder; name a .py file or a notebook in it"):
        read_source(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(path := tmp_path / "mine.py")
    with pytest.raises(InputError, match="is a device or a pipe; name a file"):
        read_source(path)


def test_code_cells_of_a_notebook_are_counted_from_1_and_bad_ones_are_reported(tmp_path):
    path = tmp_path / "mine.ipynb"
    path.write_text(notebook(["x = 1\n", "y = 2"], "def f(:", "%%bash\nls", "%%time\nz = 3\n!ls\n?np"), encoding="utf-8")
    source = read_source(path)
    assert [cell.place for cell in source.cells] == ["code cell 1, ", "code cell 3, ", "code cell 4, "]
    assert [len(cell.tree.body) for cell in source.cells] == [2, 0, 4]
    (problem,) = source.problems
    assert problem.startswith("code cell 2, line 1: this is not Python")
    assert source.notes == (
        "code cell 3: `%%bash` was not run",
        "code cell 4: `%%time` and 2 more lines of IPython were not run",
    )


def test_notebooks_of_format_3_are_read(tmp_path):
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}, 7]}]}), encoding="utf-8")
    assert [cell.text for cell in read_source(path).cells] == ["x = 1"]


@pytest.mark.parametrize(
    "text, code, dropped",
    [
        ("x = 7 % 2", "x = 7 % 2", 0),
        ("%matplotlib inline\nx = 1", "pass\nx = 1", 1),
        ("if x:\n    !pip install y\nz = 1", "if x:\n    pass\nz = 1", 1),
        ("x = 1\nnp.zeros?", "x = 1\npass", 1),
        ("files = !ls\nwhere = %pwd", "pass\npass", 2),
        ("x = (1\n% 2)", "x = (1\n% 2)", 0),
        ("x = (\n", "x = (", 0),
        ("", "", 0),
        ("%%html\n<b>", "", 1),
    ],
)
def test_lines_of_ipython_are_dropped_where_they_are_no_python(text, code, dropped):
    found, lines = without_magic(text)
    assert (found, len(lines)) == (code, dropped)


# ---- running ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, words",
    [
        ("import torch_that_is_not_here", "line 2: there is no module torch_that_is_not_here"),
        ("open('input.txt')", "line 2: there is no file input.txt"),
        ("import sys; sys.exit(3)", "line 2: it ends the program"),
        ("quit()", "line 2: it ends the program"),
        ("input('name? ')", "line 2: it asks for input, which a check cannot give"),
        ("x = [0] * 10**18", "line 2: it needs too much memory"),
        ("import numpy; numpy.zeros(10**17)", "line 2: it needs too much memory (Unable to allocate"),
        ("def f(): return 1 / 0\nf()", "line 2: ZeroDivisionError: division by zero"),
        ("raise ValueError", "line 2: ValueError"),
        ("return 3", "line 2: SyntaxError: 'return' outside function"),
        ("import os; os.kill", None),
    ],
)
def test_a_statement_that_fails_is_reported_and_the_next_one_is_run(run_code, line, words):
    names, problems = run_code(f"before = 1\n{line}\nafter = 2\n")
    assert names["after"] == 2
    assert [problem[: len(words)] for problem in problems] == ([words] if words else []), problems


@pytest.mark.parametrize("loop", ["while True: pass", "import time; time.sleep(60)",
                                  "while True:\n    try: x = 1\n    except Exception: pass"])  # fmt: skip
def test_what_does_not_end_is_stopped_and_the_functions_below_are_found(run_code, loop):
    names, problems = run_code(f"x = 1\n{loop}\nprint('not run')\nfor x in []: pass\ndef f(): return 2\n", seconds=0.2)
    assert names["f"]() == 2
    first, last = problems
    assert first.startswith("line ") and first.endswith("it still ran after 0.2 s, and was stopped")
    assert "from here on, only definitions were run" in last


def test_ctrl_c_ends_the_run(run_code):
    with pytest.raises(KeyboardInterrupt):
        run_code("import signal\nsignal.raise_signal(signal.SIGINT)")


def test_the_code_prints_nothing_and_has_no_main_block(run_code, capfd):
    names, problems = run_code("import sys, warnings\nprint(1)\nsys.stderr.write('2')\nwarnings.warn('3')\n"
                               "ran = False\nif __name__ == '__main__': ran = True\n")  # fmt: skip
    assert (problems, names["ran"]) == ([], False) and capfd.readouterr() == ("", "")


def test_files_and_modules_beside_the_file_are_found_also_relatively(run_code, tmp_path):
    (tmp_path / "beside_me.py").write_text("from dataclasses import dataclass\nVALUE = 3\n", encoding="utf-8")
    (tmp_path / "data.txt").write_text("4", encoding="utf-8")
    text = ("from __future__ import annotations\nimport dataclasses\nfrom beside_me import VALUE\nfrom . import beside_me\n"
            "size = int(open('data.txt').read())\n@dataclasses.dataclass\nclass Cell:\n    size: not_defined\n")  # fmt: skip
    before = os.getcwd(), list(sys.path), dict(os.environ)
    names, problems = run_code(text)
    assert problems == [] and (names["VALUE"], names["size"], names["Cell"](5).size) == (3, 4, 5)
    assert (os.getcwd(), list(sys.path), dict(os.environ)) == before
    assert "beside_me" not in sys.modules and "mine" not in sys.modules


def test_a_module_that_has_the_name_of_the_file_is_put_back(run_code):
    assert run_code("x = 1", name="json.py")[0]["x"] == 1
    assert sys.modules["json"] is json


def test_places_in_notebooks_have_their_cell(tmp_path):
    path = tmp_path / "mine.ipynb"
    path.write_text(notebook("x = 1\ny = z", "a = 1", "1/0"), encoding="utf-8")
    with surroundings(path):
        names, problems = execute(read_source(path), 5)
    assert names["a"] == 1
    assert problems == ["code cell 1, line 2: NameError: name 'z' is not defined",
                        "code cell 3, line 1: ZeroDivisionError: division by zero"]  # fmt: skip


# ---- stand-ins for modules of courses -------------------------------------------------


def test_missing_helper_modules_of_courses_have_sigmoid_and_softmax(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("from rnn_utils import *\nfrom cs231n.layers import affine_forward\nfrom cs231n import layers as l\n"
                    "s, e = sigmoid(np.zeros(1)), softmax(np.ones((4, 2), complex))\nwhat = l.__doc__\n", encoding="utf-8")
    with surroundings(path) as modules:
        names, problems = execute(read_source(path), 5)
        assert modules.note == "stand-ins with sigmoid and softmax for what is missing: rnn_utils, cs231n.layers"
    assert problems == [] and names["s"] == 0.5
    np.testing.assert_array_equal(names["e"], np.full((4, 2), 0.25))
    assert isinstance(names["affine_forward"], Missing)
    with pytest.raises(ImportError, match="cs231n.layers.affine_forward is missing: put the module beside the file"):
        names["affine_forward"](1)
    assert "rnn_utils" not in sys.modules and "cs231n" not in sys.modules


def test_a_module_that_is_there_is_preferred(run_code, tmp_path):
    (tmp_path / "rnn_utils.py").write_text("def sigmoid(x): return 'mine'\n", encoding="utf-8")
    assert run_code("from rnn_utils import *\nx = sigmoid(0)")[0]["x"] == "mine"


# ---- time limits ---------------------------------------------------------------------


def test_a_block_that_ends_in_time_is_left_alone():
    with at_most(5):
        handler = signal.getsignal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is not handler
    assert handler(signal.SIGINT, None) is None  # a signal that comes too late


def test_a_block_that_catches_everything_is_stopped_again():
    caught = 0
    with pytest.raises(TimeIsUp):
        with at_most(0.05):
            while True:
                try:
                    time.sleep(5)
                except BaseException:
                    caught += 1
                    if caught > 1:
                        raise
    assert caught == 2


def test_without_signals_to_a_thread_the_main_thread_is_interrupted(monkeypatch):
    monkeypatch.delattr("signal.pthread_kill", raising=False)
    with pytest.raises(TimeIsUp):
        with at_most(0.05):
            while True:
                pass


def test_there_is_no_limit_in_another_thread():
    done = []

    def run():
        with at_most(0.01):
            time.sleep(0.05)
            done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done
