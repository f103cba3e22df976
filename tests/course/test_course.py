"""How answers are graded, which messages a learner gets, and how notebooks are built."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import minilstm
from minilstm.course import Task, Wrong, bars, same
from minilstm.course.answers import Answers
from minilstm.course.exercise import Exercise, describe
from minilstm.course.folder import numbered
from minilstm.errors import InputError
from tests.helpers.commands import refused
from tests.helpers.paths import LESSONS


def answers(tmp_path, text):
    path = tmp_path / "07_mine.py"
    path.write_text(text, encoding="utf-8")
    return Answers(path)


def results(tmp_path, text, check=lambda yours: f"it is {yours(1.0)}", **options):
    mine = answers(tmp_path, text)
    return [*Exercise(mine, mine, (Task("f", check, ("one", "two"), **options),)).results()]


def one(tmp_path, text, **options):
    (result,) = results(tmp_path, text, **options)
    return result.state, result.sentence


@pytest.mark.parametrize(
    "text, line",
    [
        ("def f(x):\n    return ...\n", 2),
        ("def f(x):\n    y = x[..., 0]\n    z = ...\n    return y + ...\n", 3),
        ("f = ...\n", 1),
        ("f: float = ...\n", 1),
        ("class f:\n    def g(self):\n        return [1, ...]\n", 3),
        ("def g():\n    return ...\ndef f(x):\n    ...\n", 4),
    ],
)
def test_a_blank_is_not_answered_and_its_line_is_named(tmp_path, text, line):
    assert one(tmp_path, text) == ("not answered", f"line {line} still has a blank: ...")


@pytest.mark.parametrize(
    "text", ["def f(x):\n    return 2 * x\n", "f = lambda x: 2 * x\n", "def f(x):\n    return np.array([2 * x])[..., 0]\n"]
)
def test_a_right_answer_is_right_and_an_ellipsis_in_an_index_is_not_a_blank(tmp_path, text):
    assert one(tmp_path, "import numpy as np\n" + text) == ("right", "it is 2.0")


@pytest.mark.parametrize(
    "text, said",
    [
        ("def f(x):\n    y = 1\n    return y / 0\n", "line 3: ZeroDivisionError: division by zero"),
        ("def f(x):\n    raise SystemExit\n", "line 2: SystemExit"),
        ("def f(x):\n    assert x > 5\n", "line 2: AssertionError"),
        ("def f(x):\n    raise KeyboardInterrupt\n", "line 2: stopped by Ctrl-C; does a loop there never end?"),
        ("import numpy as np\ndef f(x):\n    return np.ones(2) @ np.ones(3)\n", "line 3: a product @ does not fit: the left"),
        ("def f(x):\n    return x ^ 2\n", "line 2: a power is written ** in Python"),
        ("import numpy as np\ndef f(x):\n    return np.ones(2) ^ 2\n", "line 3: a power is written ** in Python"),
        ("def f():\n    return 1\n", "TypeError"),
        ("def g(x):\n    return x\n", "f is not in the file any more"),
    ],
)
def test_each_error_of_an_answer_becomes_a_message_with_its_line(tmp_path, text, said):
    state, sentence = one(tmp_path, text)
    assert state == "wrong" and said in sentence and "Traceback" not in sentence


def test_an_answer_that_cannot_be_checked_is_wrong(tmp_path):
    state, sentence = one(tmp_path, "def f(x):\n    return [[1], [1, 2]]\n", check=lambda yours: str(np.shape(yours(1.0))))
    assert state == "wrong" and sentence.startswith("f returns something that cannot be checked (ValueError: ")


@pytest.mark.parametrize("text", ["def f(x):\n    x += 1\n    return x\n", "def f(x):\n    x[0, 0] = np.nan\n    return x\n"])
def test_an_argument_that_is_changed_in_place_is_named(tmp_path, text):
    check = lambda yours: str(yours(np.zeros((2, 2))))
    state, sentence = one(tmp_path, "import numpy as np\n" + text, check=check)
    assert state == "wrong" and "x is changed in place, but it belongs to the caller; work on a copy" in sentence
    assert one(tmp_path, "import numpy as np\n" + text, check=check, may_change=("x",))[0] == "right"


def test_an_array_that_is_removed_from_an_argument_is_named(tmp_path):
    check = lambda yours: str(yours({"W": np.ones(2)}))
    said = one(tmp_path, "def f(params):\n    del params['W']\n    return 1\n", check=check)[1]
    assert said.startswith("params.W is changed in place")


def test_a_changed_array_inside_of_an_argument_is_named(tmp_path):
    text = "def f(params, state=None):\n    state[1][:] = 3\n    return 1\n"
    check = lambda yours: str(yours({"W": np.ones(2)}, state=(np.ones(2), np.ones(2))))
    assert one(tmp_path, text, check=check)[1].startswith("state[1] is changed in place")


@pytest.mark.parametrize(
    "text, said",
    [
        ("def f(x)\n    return x\n", "line 1 of"),
        ("import numpyy\n", "line 1 of"),
        ("x = 1\nx.y\n", "line 2 of"),
        ("import sys\nsys.exit(3)\n", "line 2 of"),
        ("x = 1\nreturn x\n", "line 2 of .* 'return' outside function"),
        ("x = 1\nraise KeyboardInterrupt\n", "line 2 of .* stopped by Ctrl-C"),
    ],
)
def test_a_file_that_does_not_run_is_refused_with_its_line(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        results(tmp_path, text)


def test_a_file_that_is_edited_twice_in_a_moment_is_read_again(tmp_path):
    for k in range(3):
        assert one(tmp_path, f"def f(x):\n    return {k}\n") == ("right", f"it is {k}")
    assert list(tmp_path.iterdir()) == [tmp_path / "07_mine.py"]


@pytest.mark.parametrize(
    "yours, right, said",
    [
        (None, 1.0, "a is missing"),
        ("1", 1.0, "a must consist of numbers"),
        ([[1], [1, 2]], np.ones(2), "a is made of rows of different lengths"),
        (np.ones((2, 1)), np.ones(2), r"a has the shape \(2, 1\) where \(2,\) belongs"),
        (np.array([1.0, 2.5]), np.array([1.0, 2.0]), r"entry \[1\] of a is 2.5 where 2 belongs"),
        (float("nan"), 1.0, "a is nan where 1 belongs"),
        (-2.0, 2.0, "a is wrong: the sign is turned round"),
        ("dog", "cat", "a is 'dog' where 'cat' belongs"),
        ([1, 2], [2, 1], "a is wrong: backwards"),
        (np.float32([1 / 3, 2 / 3]), np.array([1 / 3, 2 / 3]), "a is right to six digits only"),
        (np.array([0.5, 1e-9]), np.array([0.5, 1e-7]), "a is right to six digits only"),
        (0.0, 1e-7, "a is 0 where 1e-07 belongs"),
        (True, 7, "a is True where 7|a is 1 where 7"),
    ],
)
def test_the_difference_from_the_right_value_is_named(yours, right, said):
    known = {"the sign is turned round": -2.0, "backwards": [1, 2]} if not isinstance(right, np.ndarray) else {}
    with pytest.raises(Wrong, match=said):
        same("a", yours, right, known)


@pytest.mark.parametrize("right", [1.0, np.arange(6.0).reshape(2, 3), "text", [1, 2], 1e12])
def test_equal_values_pass(right):
    same("a", right, right)
    if not isinstance(right, (str, list)):
        same("a", right * (1 + 1e-12), right)


def test_results_are_numbered_and_fit_80_columns(tmp_path):
    mine = answers(tmp_path, "def f(x):\n    return x\ndef g(x):\n    return ...\n")

    def refuse(yours):
        raise Wrong("long " * 40 + "\n   indented")

    tasks = (Task("f", refuse, ("", "")), Task("g", refuse, ("", "")), Task("f", lambda yours: "well done", ("", "")))
    text = "\n".join(describe(k, result) for k, result in enumerate(Exercise(mine, mine, tasks).results(), start=1))
    assert max(map(len, text.splitlines())) <= 80
    heads = [line for line in text.splitlines() if line[0] != " "]
    assert heads == ["1. f: wrong", "2. g: not answered", "3. f: right"]


def test_a_wrong_task_names_the_wrong_tasks_that_it_uses(tmp_path):
    mine = answers(tmp_path, "def f(x):\n    return x\n\ndef g(x):\n    return f(x)\n\ndef h(x):\n    return x\n")

    def refuse(yours):
        raise Wrong("no")

    tasks = tuple(Task(name, refuse, ("", "")) for name in "fgh")
    sentences = [result.sentence for result in Exercise(mine, mine, tasks).results()]
    assert sentences == ["no", "It uses f, which must be right first. As it is:\nno", "no"]


def test_bars_are_as_long_as_their_values():
    text = bars(["one", "three"], [1, 3], width=9)
    assert [line.count("█") for line in text.splitlines()] == [3, 9]
    assert bars(["nothing"], [0.0]).count("█") == 0


# The command


def test_without_the_lessons_the_message_says_where_they_are(run, tmp_path, monkeypatch):
    monkeypatch.setattr(minilstm, "__file__", str(tmp_path / "site-packages" / "minilstm" / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    refused(run("exercise", "2"), 2, "clone of the repository")
    refused(run("notebooks"), 2, "clone of the repository")


def test_a_notebook_is_built_beside_its_lesson_and_has_its_cells(run, tmp_path, monkeypatch):
    pytest.importorskip("jupytext")
    monkeypatch.setattr("minilstm.cli.notebooks.lessons", lambda: tmp_path)
    script = tmp_path / "02_one_step.py"
    script.write_bytes(numbered(LESSONS)[2].read_bytes())
    status, out, error = run("notebooks", "2")
    assert (status, out, error) == (0, f"{script.with_suffix('.ipynb')}\n", "")
    cells = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    kinds = [cell["cell_type"] for cell in cells]
    assert kinds.count("markdown") == script.read_text(encoding="utf-8").count("# %% [markdown]\n")
    assert "".join(cells[0]["source"]).startswith("# 2. One step of an LSTM\n\nIn this lesson")
    refused(run("notebooks", "77"), 2, "no lesson 77")


def test_a_notebook_with_changes_is_replaced_only_with_force_and_kept(run, tmp_path, monkeypatch):
    pytest.importorskip("jupytext")
    monkeypatch.setattr("minilstm.cli.notebooks.lessons", lambda: tmp_path)
    script = tmp_path / "02_one_step.py"
    script.write_bytes(numbered(LESSONS)[2].read_bytes())
    notebook = script.with_suffix(".ipynb")
    assert [run("notebooks", "2")[0] for _ in range(2)] == [0, 0]
    worked_in = notebook.read_text(encoding="utf-8").replace("In this lesson", "My notes: in this lesson")
    notebook.write_text(worked_in, encoding="utf-8")
    refused(run("notebooks", "2"), 2, "02_one_step.ipynb is there", "--force")
    assert notebook.read_text(encoding="utf-8") == worked_in
    status, out, _ = run("notebooks", "2", "--force")
    kept = tmp_path / "02_one_step.1.ipynb"
    assert status == 0 and f"the old one is kept: {kept}" in out
    assert "My notes" not in notebook.read_text(encoding="utf-8") and kept.read_text(encoding="utf-8") == worked_in
    notebook.write_text("not a notebook", encoding="utf-8")
    refused(run("notebooks", "2"), 2, "02_one_step.ipynb is there")


def test_a_notebook_that_appears_during_the_build_is_kept(run, tmp_path, monkeypatch):
    jupytext = pytest.importorskip("jupytext")
    monkeypatch.setattr("minilstm.cli.notebooks.lessons", lambda: tmp_path)
    script = tmp_path / "02_one_step.py"
    script.write_bytes(numbered(LESSONS)[2].read_bytes())
    notebook, writes = script.with_suffix(".ipynb"), jupytext.writes

    def meanwhile(*arguments, **options):
        notebook.write_text("mine", encoding="utf-8")
        return writes(*arguments, **options)

    monkeypatch.setattr(jupytext, "writes", meanwhile)
    refused(run("notebooks", "2"), 2, "02_one_step.ipynb is there")
    assert notebook.read_text(encoding="utf-8") == "mine"


def test_without_jupytext_the_command_says_how_to_get_it(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupytext", None)
    refused(run("notebooks", "2"), 2, 'pip install "minilstm[notebooks]"')


@pytest.mark.thorough
@pytest.mark.parametrize("number", [2, 8])
def test_a_notebook_runs_from_its_first_cell_to_its_last(number, tmp_path):
    pytest.importorskip("jupytext")
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    from minilstm.course.notebooks import build

    notebook, _ = build(numbered(LESSONS)[number], tmp_path)
    program = (
        "import nbformat, nbclient, sys\n"
        "notebook = nbformat.read(sys.argv[1], 4)\n"
        "nbclient.NotebookClient(notebook, timeout=300, resources={'metadata': {'path': sys.argv[2]}}).execute()\n"
        "print(sum(len(cell.get('outputs', ())) for cell in notebook.cells))\n"
        "print(any('image/png' in o.get('data', {}) for cell in notebook.cells for o in cell.get('outputs', ())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, notebook, tmp_path], capture_output=True, encoding="utf-8",
        env=os.environ | {"MINILSTM_QUICK": "1", "PYTHONPATH": str(LESSONS.parent), "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
    )
    assert done.returncode == 0, done.stderr
    outputs, picture = done.stdout.split()
    assert int(outputs) >= 5 and picture == "True"
    assert list((tmp_path / "output" / "quick").glob("*.png"))
