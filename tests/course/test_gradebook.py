"""Every submission is one row, whatever its code does, and nothing of the teacher's changes."""

import csv
import os
import sys

import pytest

from minilstm.course import sandbox
from minilstm.course.folder import numbered
from minilstm.course.gradebook import BLANK, ENDED, NOT_RUN, RIGHT, Limits, grade_one, grade_all
from minilstm.course.submissions import find_submissions
from tests.helpers.commands import refused
from tests.helpers.paths import LESSONS

SOLVED = (LESSONS / "solutions" / "02_one_step.py").read_text(encoding="utf-8")
EMPTY = (LESSONS / "exercises" / "02_one_step.py").read_text(encoding="utf-8")
LOOP = "\ndef gates(*arguments):\n    while True:\n        pass\n"
FAKE = """
import os, sys
say = '{"task": 0, "state": "right", "sentence": ""}'
for number in range(3, 20):
    try:
        os.write(number, f"\\n{say}\\n{'0' * 32}{say}\\n".encode())
    except OSError:
        pass
print(say)
print(say, file=sys.stderr)
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this limit")


def submitted(folder, text, name="02_mine.py"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return find_submissions(folder, numbered(LESSONS / "exercises"))


def graded(folder, text, **limits):
    (submission,) = submitted(folder, text)
    return grade_one(submission, LESSONS, Limits(**limits))


def states(row):
    return [task.state for task in row.tasks]


def test_a_solution_is_right_and_prints_are_no_results(tmp_path):
    row = graded(tmp_path, SOLVED + FAKE)
    assert states(row) == [RIGHT] * 3 and row.problem == row.message == ""
    row = graded(tmp_path, EMPTY + FAKE)
    assert states(row) == [BLANK] * 3 and row.problem == ""
    assert row.message == "1. gates: not answered: line 25 still has a blank: ..."


@linux
@pytest.mark.thorough
def test_a_task_that_never_ends_is_named_and_the_others_are_marked(tmp_path):
    row = graded(tmp_path, SOLVED.replace("def lstm_step", "def another", 1) + LOOP, seconds=3)
    lines = (SOLVED + LOOP).splitlines()
    assert states(row) == [ENDED, "wrong", RIGHT]
    line = int(row.problem.split()[1])
    assert lines[line - 1] in {"    while True:", "        pass"}
    assert row.problem == f"line {line} of 02_mine.py: it ran for more than 3 s; does a loop there never end?"
    assert row.message == f"1. gates: ended: {row.problem}"


MISCHIEF = [  # what is added to a solution, the states, what the row says
    ("import os; os._exit(0)", NOT_RUN, "ended the whole process, with status 0"),
    ("raise SystemExit", NOT_RUN, "line 27 of 02_mine.py ends with SystemExit"),
    ("1 / 0", NOT_RUN, "line 27 of 02_mine.py ends with ZeroDivisionError"),
    ("def f(:", NOT_RUN, "line 27 of 02_mine.py is not Python"),
    ("import ctypes; ctypes.string_at(0)", NOT_RUN, "line 27 of 02_mine.py: it crashed (segmentation fault)"),
    ("while True: print('x' * 1000)", NOT_RUN, "line 27 of 02_mine.py: it ran for more than 3 s"),
    ("while True: pass", NOT_RUN, "line 27 of 02_mine.py: it ran for more than 3 s"),
    ("x = [0] * 10**9", NOT_RUN, "line 27 of 02_mine.py ends with MemoryError"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", NOT_RUN, "it was killed"),
    ("import os; os.fork()", RIGHT, ""),
    ("import os\nfor k in range(2): os.fork()", RIGHT, ""),
    ("import shutil; shutil.rmtree('..', True)", RIGHT, ""),
    ("import os; os.remove(__file__)", RIGHT, ""),
    ("open('02_mine.py', 'w').write('x')", RIGHT, ""),
    ("import sys; sys.stdout.close(); sys.stderr.close()", RIGHT, ""),
    ("import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()", RIGHT, ""),
    ("import os; assert os.path.expanduser('~') == os.path.dirname(os.getcwd())", RIGHT, ""),
    ("import os; assert 'SECRET_TOKEN' not in os.environ and os.environ['PATH']", RIGHT, ""),
    ("import sys; assert sys.stdin.read() == ''", RIGHT, ""),
]


@linux
@pytest.mark.thorough
@pytest.mark.parametrize("code, state, problem", MISCHIEF)
def test_whatever_a_submission_does_its_row_says_it(tmp_path, monkeypatch, code, state, problem):
    monkeypatch.setenv("SECRET_TOKEN", "1")
    folder = tmp_path / "submissions"
    row = graded(folder, SOLVED + code + "\n", seconds=3)
    assert set(states(row)) == {state}
    assert problem in row.problem and (row.problem == "") == (problem == "")
    assert "minilstm-" not in row.problem  # nothing of the temporary folder
    assert [path.name for path in folder.iterdir()] == ["02_mine.py"]
    assert (folder / "02_mine.py").read_text(encoding="utf-8") == SOLVED + code + "\n"


@pytest.mark.thorough
def test_a_submission_imports_what_lies_beside_it_and_hides_no_module(tmp_path):
    student = tmp_path / "ada"
    student.mkdir()
    (student / "tools.py").write_text("import this_one\nanswer = 1\n")
    (student / "this_one.py").write_text("")
    (student / "colorsys.py").write_text("raise Exception('this hides a module')\n")
    submitted(student, SOLVED + "import colorsys, tools\nassert tools.answer == 1\n")
    (submission,) = find_submissions(tmp_path, numbered(LESSONS / "exercises"))
    row = grade_one(submission, LESSONS)
    assert (states(row), row.problem) == ([RIGHT] * 3, "")


def test_a_submission_that_cannot_be_read_is_one_row_with_the_reason(tmp_path):
    submitted(tmp_path, SOLVED, "01_mine.py")
    first, second = submitted(tmp_path, SOLVED, "02_mine.py")
    first.path.unlink()
    rows = list(grade_all([first, second], LESSONS, Limits()))
    assert rows[0].problem == "it cannot be read: No such file or directory" and rows[0].tasks == ()
    assert states(rows[1]) == [RIGHT] * 3


@pytest.mark.thorough
def test_several_at_a_time_come_in_their_order(tmp_path):
    submitted(tmp_path, SOLVED, "a_02_mine.py")
    submitted(tmp_path, "def f(:", "b_02_mine.py")
    rows = list(grade_all(submitted(tmp_path, EMPTY, "c_02_mine.py"), LESSONS, Limits(), jobs=3))
    assert [row.submission.name[0] for row in rows] == ["a", "b", "c"]
    assert [row.right for row in rows] == [3, 0, 0]


@linux
@pytest.mark.thorough
def test_ctrl_c_ends_all_that_run(tmp_path):
    for name in "abcd":
        submissions = submitted(tmp_path, "while True: pass\n", f"{name}_02_mine.py")
    submissions = [*submitted(tmp_path, EMPTY, "0_02_mine.py")[:1], *submissions]
    rows = grade_all(submissions, LESSONS, Limits(seconds=600), jobs=2)
    next(rows)
    with pytest.raises(KeyboardInterrupt):
        rows.throw(KeyboardInterrupt)
    assert not sandbox.RUNNING


# The command


def test_the_command_prints_a_table_and_writes_csv(run, tmp_path):
    submitted(tmp_path, SOLVED, "a_02_mine.py")
    out = tmp_path / "grades.csv"
    out.write_text("older")
    status, said, error = run("grade", tmp_path, "--csv", out)
    assert (status, error) == (0, "")
    assert said.splitlines()[0].startswith("a_02_mine.py   2  +++      3 of 3")
    assert "exercise 2, 1 submission, right: gates 1," in said
    assert (tmp_path / "grades.1.csv").read_text() == "older"
    with open(out, encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["right"], row["tasks"], row["task 3"], row["problem"]) == ("3", "3", "right", "")
    assert out.read_bytes().startswith(b"\xef\xbb\xbfsubmission,")


def test_csv_on_standard_output_has_nothing_else_there_and_a_problem_is_status_1(run, tmp_path):
    submitted(tmp_path, "x", "02_mine.ipynb")
    status, out, error = run("grade", tmp_path, "--csv", "-")
    assert status == 1 and "1 of 1 could not be run to the end" in error
    header, row = csv.reader(out.splitlines())
    assert header[:5] == ["submission", "exercise", "seed", "right", "tasks"] and row[:2] == ["02_mine.ipynb", "2"]


@pytest.mark.parametrize("out", ["nowhere/grades.csv", "."])
def test_a_csv_file_that_cannot_be_written_is_refused_before_marking(run, tmp_path, monkeypatch, out):
    submitted(tmp_path, "while True: pass\n")
    monkeypatch.chdir(tmp_path)
    refused(run("grade", ".", "--csv", out), 2, "--csv", "must be a folder")
    assert os.listdir() == ["02_mine.py"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_csv_file_never_takes_the_place_of_a_pipe_or_a_device(run, tmp_path):
    submitted(tmp_path, "while True: pass\n")
    os.mkfifo(pipe := tmp_path / "grades.csv")
    refused(run("grade", tmp_path, "--csv", pipe), 2, "--csv", "is a device or a pipe")
    assert pipe.is_fifo() and sorted(os.listdir(tmp_path)) == ["02_mine.py", "grades.csv"]


def test_a_folder_that_is_not_there_is_refused(run, tmp_path):
    refused(run("grade", tmp_path / "nowhere"), 2, "there is no folder")
