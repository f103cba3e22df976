"""Answers to all exercises, right and wrong, and the messages that learners get.

The tables are in ``wrong_answers/``, one for each exercise. A mistake in the grading of
an exercise is an answer, too: the solution with that line.
"""

import importlib

import pytest

from minilstm.course import Wrong
from minilstm.course.mistakes import Solutions
from tests.helpers.exercises import IS_RIGHT, exercise, result_of
from tests.helpers.paths import LESSONS

NUMBERS = sorted(int(path.stem) for path in (LESSONS.parent / "tests/course/wrong_answers").glob("[0-9][0-9].py"))
QUICK = 10  # the answers to later exercises are graded in the long run, but for a right one of each task


def answers():
    for number in NUMBERS:
        for task, source, said in importlib.import_module(f"tests.course.wrong_answers.{number:02d}").ANSWERS:
            long = number > QUICK and said != IS_RIGHT
            yield pytest.param(number, task, source, said, marks=[pytest.mark.thorough] * long, id=f"{number}-{task}-{said}")


@pytest.mark.parametrize("number, task, source, said", [*answers()])
def test_the_message_about_an_answer_says_what_is_wrong(tmp_path, number, task, source, said):
    result = result_of(tmp_path, number, task, source)
    assert result.state == ("right" if said == IS_RIGHT else "wrong"), result.sentence
    assert said in " ".join(result.sentence.split())


def mistakes():
    for number in NUMBERS:
        for task in exercise(number).tasks:
            for change in task.mistakes:
                marks = [pytest.mark.thorough] * (number > QUICK)
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
