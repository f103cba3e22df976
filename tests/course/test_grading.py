"""What a task says about an answer: a known mistake, or the parts that are wrong."""

import numpy as np
import pytest

from minilstm.course import Task, Wrong
from minilstm.course.answers import Answers
from minilstm.course.mistakes import Solutions

SOLUTION = """import numpy as np

def f(x, kind):
    if kind == "sum":
        return x.sum(axis=0), (x, 2 * x)
    return x.max(axis=0), (x, 2 * x)
"""


@pytest.fixture
def said(tmp_path):
    """A function from a learner's function to the message about it."""
    path = tmp_path / "solution.py"
    path.write_text(SOLUTION, encoding="utf-8")
    solutions = Solutions(Answers(path))

    def grade(yours, **options):
        x = np.arange(6.0).reshape(2, 3)
        cases = lambda rng: [(x, "sum"), (x, "max"), (-x, "sum")]
        task = Task("f", cases=cases, returns=("y", ("same", "double")), **options)
        with pytest.raises(Wrong) as wrong:
            task.grade(yours, solutions)
        return str(wrong.value)

    return grade


def test_all_wrong_parts_are_named_and_the_first_one_that_has_advice_shows_what_to_look_at(said):
    advice = {"same": "look at same", "double": "look at double"}
    message = said(lambda x, kind: (x[0] - 1, (x + 1, x)), advice=advice)
    assert message == "entry [2] of y is 1 where 7 belongs, for kind = 'sum'; same, double are wrong, too; look at same"


def test_a_mistake_is_named_if_only_its_shape_is_that_of_the_answer(said):
    mistakes = {"x.sum(axis=0) -> x.sum(axis=1)": "it is a sum over the wrong axis"}
    assert said(lambda x, kind: (x[:, 0], (x, 2 * x)), mistakes=mistakes) == "y is wrong: it is a sum over the wrong axis"
    assert said(lambda x, kind: (x, (x, 2 * x)), mistakes=mistakes).startswith("y has the shape (2, 3) where (3,) belongs")
    assert said(lambda x, kind: ("no", (x, 2 * x)), mistakes=mistakes).startswith("y must consist of numbers")


def test_a_mistake_is_named_beside_another_one_in_other_cases(said):
    mistakes = {"x.sum(axis=0) -> x[0]": "it is the first row", "x.max(axis=0) -> x[1]": "it is the second row"}
    by_kind = lambda got, given: {f"the {given['kind']}": got[0]}
    wrong = lambda x, kind: (x[0] if kind == "sum" else x[0] + 9, (x, 2 * x))
    assert said(wrong, mistakes=mistakes, compared=by_kind) == "the sum is wrong: it is the first row"


def test_a_part_with_another_form_is_named(said):
    form = "f must return (y, (same, double))"
    assert said(lambda x, kind: (x[0], x)) == f"{form}; for (same, double) it returned one ndarray"
    assert said(lambda x, kind: x) == f"{form}; it returned one ndarray"
