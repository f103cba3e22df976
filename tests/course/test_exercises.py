"""Answers to all exercises, right and wrong, and the messages that learners get.

The tables are in ``wrong_answers/``, one for each exercise. A mistake in the grading of
an exercise is an answer, too: the solution with that line.
"""

import importlib
import subprocess
import sys

import numpy as np
import pytest

from minilstm.course import Wrong
from minilstm.course.answers import Answers
from minilstm.course.exercise import describe
from minilstm.course.folder import numbered
from minilstm.course.mistakes import Solutions
from tests.helpers.exercises import IS_RIGHT, exercise, result_of, solution
from tests.helpers.paths import LESSONS

NUMBERS = sorted(int(path.stem) for path in (LESSONS.parent / "tests/course/wrong_answers").glob("[0-9][0-9].py"))
QUICK = 10  # the answers to later exercises are graded in the long run


def answers():
    for number in NUMBERS:
        for task, source, said in importlib.import_module(f"tests.course.wrong_answers.{number:02d}").ANSWERS:
            long = number > QUICK
            yield pytest.param(number, task, source, said, marks=[pytest.mark.thorough] * long, id=f"{number}-{task}-{said}")


@pytest.mark.parametrize("number, task, source, said", [*answers()])
def test_the_message_about_an_answer_says_what_is_wrong(tmp_path, number, task, source, said):
    result = result_of(tmp_path, number, task, source)
    assert result.state == ("right" if said == IS_RIGHT else "wrong"), result.sentence
    assert said in " ".join(result.sentence.split())


def mistakes():
    for number in NUMBERS:
        for task in exercise(number).tasks:
            for k, change in enumerate(task.mistakes):
                marks = [pytest.mark.thorough] * (k > 0 or number > QUICK)
                yield pytest.param(number, task, change, marks=marks, id=f"{number}-{task.name}-{change}")


@pytest.mark.parametrize("number, task, change", [*mistakes()])
def test_each_mistake_of_a_table_is_named_when_it_is_made(number, task, change):
    solutions = Solutions(exercise(number).solutions)
    with pytest.raises(Wrong) as wrong:
        task.grade(solutions.wrong(task.name, change), solutions)
    assert str(wrong.value).endswith(task.mistakes[change])


@pytest.mark.parametrize("number", NUMBERS)
def test_each_task_has_wrong_answers_and_hints(number):
    tasks = {task.name for task in exercise(number).tasks}
    table = importlib.import_module(f"tests.course.wrong_answers.{number:02d}").ANSWERS
    assert {task for task, _, said in table if said != IS_RIGHT} == tasks
    assert all(len(task.hints) == 2 and all(task.hints) for task in exercise(number).tasks)


def test_an_exercise_is_graded_without_numba():
    program = (
        "import sys\nfrom minilstm.cli.main import main\n"
        "status = main(['exercise', '--file', sys.argv[1]])\nsys.exit(status or 'numba' in sys.modules)"
    )
    solutions = numbered(LESSONS / "solutions")[3]
    done = subprocess.run([sys.executable, "-c", program, solutions], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


def test_two_mistakes_are_both_named_and_each_sentence_is_wrapped(tmp_path):
    source = solution(8, "batch_loss").replace("losses.mean()", "losses.sum()").replace("da / len(losses)", "da")
    result = result_of(tmp_path, 8, "batch_loss", source)
    lines = describe(1, result).splitlines()
    assert lines[:3] == [
        "1. batch_loss: wrong",
        "   Your loss is wrong in loss, dlogits at the real tokens.",
        "   1. sum in place of the mean",
    ]
    words = " ".join(result.sentence.split())
    assert " ".join(" ".join(lines).split()) == f"1. batch_loss: wrong {words}"
    assert max(map(len, lines)) <= 80
    pairs = zip(lines[3:], lines[4:])
    inside = [(line, below) for line, below in pairs if below.startswith("      ") and line[-1] not in ".s"]
    assert inside and all(len(line) + 1 + len(below.split()[0]) > 80 for line, below in inside)


def test_the_mistakes_in_the_gradients_of_exercise_4_are_those_of_its_text():
    planted = Answers(numbered(LESSONS / "grading")[4]).load().planted
    for _, x, gradient, right, mistakes, _ in planted():
        largest = np.abs(right).max()
        off = [abs(gradient[place] - right[place]) / largest for place in mistakes]
        assert len(set(mistakes)) == len(mistakes) and all(np.isnan(size) or size > 1e-10 for size in off)
        others = np.ones(x.shape, bool)
        for place in mistakes:
            others[place] = False
        assert np.all(np.abs(gradient - right)[others] <= 1.1e-15 * largest)
        behind = [place for place in mistakes if gradient[place] == 0]
        assert all(1e-10 < abs(right[place]) / largest < 1e-8 for place in behind)
