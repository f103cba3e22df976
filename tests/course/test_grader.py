"""Grading in a process of its own: whatever a learner's code does ends in a sentence."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import pytest

from minilstm.course.grader import Grader
from minilstm.course.units import unit_of
from tests.helpers.course import WRONG, mine, small_course, solve

LINE = "    return dc_next"  # the first of the solution's lines in exercise 3
HERE = 7  # its number


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    return small_course(tmp_path_factory.mktemp("clone"), [3])


@pytest.fixture(scope="module")
def grader(lessons):
    with Grader(lessons) as grader:
        yield grader


@pytest.fixture
def grade(grader, lessons):
    """Grade the solution of exercise 3 with lines in front of its first return."""

    def graded(*lines, seconds=20.0):
        solve(lessons, 3, LINE, "".join(f"    {line}\n" for line in lines) + LINE)
        grading = grader.grade(dataclasses.replace(unit_of("3", lessons), seconds=seconds))
        grader.prepare()
        while not grading.ended:
            grading.wait(0.1)
        return grading

    return graded


def first(grading):
    """The sentence about the first task, which is wrong."""
    assert not grading.problem and not grading.all_right and grading.first_wrong == 0
    state, sentence = grading.results[0]
    assert state == "wrong"
    return sentence


def test_a_right_exercise_is_right_and_what_it_prints_is_kept(grade, lessons):
    grading = grade("print('σ', flush=True)")
    assert grading.all_right and grading.right == 3 and grading.printed.startswith("σ\n")
    assert grading.names == [task.name for task in unit_of("3", lessons).tasks()]
    assert [len(hints) for hints in grading.hints] == [2, 2, 2]


def test_a_loop_without_end_is_stopped_and_its_line_is_named(grade):
    said = first(grade("while True:", "    dh = dh + 1", seconds=0.5))
    assert said in {f"line {HERE + k}: it ran for more than 0.5 s; does a loop there never end?" for k in (0, 1)}


def test_a_crash_names_its_line(grade):
    assert first(grade("import os", "os.abort()")) == f"line {HERE + 1}: Python crashed (Aborted)"


def test_exits_recursion_and_questions_are_wrong_answers_and_the_next_task_is_graded(grader, lessons):
    text = (
        "import os\ndef cell_state_gradient(*a): os._exit(0)\n"
        "def pre_activation_gradient(*a): return pre_activation_gradient(*a)\n"
        "def lstm_step_backward(*a): return input('?')\n"
    )
    solve(lessons, 3).write_text(text, encoding="utf-8")
    grading = grader.grade(unit_of("3", lessons))
    while not grading.ended:
        grading.wait(0.1)
    said = [sentence.partition(":")[::2] for _, sentence in grading.results]
    assert [line for line, _ in said] == ["line 2", "line 3", "line 4"]
    assert [word.split(":")[0].strip() for _, word in said] == ["SystemExit", "RecursionError", "EOFError"]


def test_a_file_that_is_no_python_is_a_problem(grade):
    grading = grade("retur dh")
    assert grading.ended and not grading.all_right and not grading.results
    assert f"line {HERE} of " in grading.problem and "is not Python" in grading.problem


@pytest.mark.thorough
def test_a_learners_numpy_does_not_replace_the_real_one(tmp_path, monkeypatch):
    lessons = small_course(tmp_path, [3])
    (lessons / "numpy.py").write_text("raise SystemExit('not this one')\n", encoding="utf-8")
    monkeypatch.chdir(lessons)
    solve(lessons, 3)
    with Grader(lessons) as grader:
        grading = grader.grade(unit_of("3", lessons))
        while not grading.ended:
            grading.wait(1)
    assert grading.all_right


@pytest.mark.thorough
@pytest.mark.parametrize(
    "lines, said",
    [
        (["import ctypes", "ctypes.string_at(0)"], f"line {HERE + 1}: Python crashed (Segmentation"),
        (["import os, signal", "os.kill(os.getpid(), signal.SIGKILL)"], "Python was killed; did your code need"),
        (["import time", "time.sleep(100)"], f"line {HERE + 1}: it ran for more than 2 s"),
        (["while True:", "    print('again and again')"], f"line {HERE + 1}: it ran for more than 2 s"),
    ],
)
def test_other_ends_are_sentences_too(grade, lines, said):
    if "ctypes" in lines[0] or "signal" in lines[0]:
        pytest.importorskip("resource")  # Windows words its crashes in another way
    grading = grade(*lines, seconds=2)
    assert first(grading).startswith(said) and len(grading.printed) < 5000


@pytest.mark.thorough
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits the memory")
def test_a_full_memory_is_a_wrong_answer(grade):
    lines = ["all = []", "while True:", "    all.append(np.empty(10_000_000))"]
    assert first(grade(*lines)).startswith(f"line {HERE + 2}: MemoryError")


@pytest.mark.thorough
def test_a_new_grading_ends_the_one_that_still_runs(grader, lessons):
    solve(lessons, 3, LINE, "    while True: pass\n" + LINE)
    unit = unit_of("3", lessons)
    running = grader.grade(unit)
    solve(lessons, 3, *WRONG[3])
    new = grader.grade(unit)
    for grading in (running, new):
        while not grading.ended:
            grading.wait(1)
    assert new.right == 1 and running.right == 0


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_no_process_is_left_if_the_one_that_watches_is_killed(lessons):
    solve(lessons, 3, LINE, f"    open({str(mine(lessons, 3)) + '.pid'!r}, 'w').write(str(os.getpid()))\n"
          "    while True: pass\n" + LINE)  # fmt: skip
    text = mine(lessons, 3).read_text(encoding="utf-8")
    mine(lessons, 3).write_text(text.replace("import numpy", "import os\nimport numpy"), encoding="utf-8")
    watching = subprocess.Popen(
        [sys.executable, "-m", "minilstm", "learn", "3", "--once"], cwd=lessons, stdout=subprocess.DEVNULL
    )
    pid = mine(lessons, 3).with_name(mine(lessons, 3).name + ".pid")
    while watching.poll() is None and not (pid.exists() and pid.read_text(encoding="utf-8")):
        time.sleep(0.1)
    watching.kill()
    watching.wait()
    process = int(pid.read_text(encoding="utf-8"))
    for _ in range(200):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            if file.read().split()[2] == "Z":  # ended; its status was not asked for
                return
        time.sleep(0.1)
    os.kill(process, signal.SIGKILL)
    pytest.fail("the loop still runs")
