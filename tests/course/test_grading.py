"""How a task that is data is graded: which mistake is named, and what is said of others."""

import ast

import numpy as np
import pytest

from minilstm.course import Case, Task, Wrong
from minilstm.course.answers import Answers
from minilstm.course.checks import without
from minilstm.course.mistakes import Solutions, changed

SOLUTION = """import numpy as np


def f(x, k):
    y = k * x
    z = y + 1
    return y, z


def g(x, kind):
    if kind == "sum":
        return x.sum(axis=0), (x, 2 * x)
    return x.max(axis=0), (x, 2 * x)


def over(x):
    x *= 2
"""


@pytest.fixture
def solutions(tmp_path):
    path = tmp_path / "01_solutions.py"
    path.write_text(SOLUTION, encoding="utf-8")
    return Solutions(Answers(path))


def cases(rng):
    return [(rng.normal(size=3), 2), (rng.normal(size=3), 5)]


def said(solutions, yours, **options):
    """What a learner reads who wrote this function."""
    task = Task("f", **{"cases": cases, "returns": ("y", "z"), "praise": "well done"} | options)
    try:
        return task.grade(yours, solutions)
    except Wrong as wrong:
        return str(wrong)


def test_an_answer_that_equals_the_solution_is_praised(solutions):
    assert said(solutions, lambda x, k: (x * k, 1 + k * x)) == "well done"
    assert said(solutions, lambda x, k: [k * x * (1 + 1e-13), k * x + 1]) == "well done"


def test_a_mistake_is_named_with_the_part_that_is_wrong_first(solutions):
    mistakes = {"z = y - 1": "a plus belongs there", "y = x": "k is missing"}
    assert said(solutions, lambda x, k: (k * x, k * x - 1), mistakes=mistakes) == "z is wrong: a plus belongs there"
    assert said(solutions, lambda x, k: (x, x + 1), mistakes=mistakes) == "y is wrong: k is missing"


def test_the_mistake_that_explains_most_is_named(solutions):
    mistakes = {"y = x": "one", "y = x; z = y + 2": "two", "y = 2 * x": "three"}
    assert said(solutions, lambda x, k: (x, x + 2), mistakes=mistakes) == "y is wrong: two"
    assert said(solutions, lambda x, k: (x, 7 * x), mistakes=mistakes) == "y is wrong: one"  # y alone
    of_one_case = lambda x, k: (2 * x, 2 * x + 1) if k == 5 else (k * x, 0.5 * x)
    assert said(solutions, of_one_case, mistakes=mistakes).startswith("entry [")


def test_small_whole_numbers_that_agree_in_one_case_are_a_coincidence(solutions):
    options = {"cases": lambda rng: [(np.arange(3), 2), (np.arange(3), 5)], "mistakes": {"y = x": "k is missing"}}
    yours = lambda x, k: (x, x + 1) if k == 2 else (7 * x, 7 * x + 1)
    assert said(solutions, yours, **options) == "entry [2] of y is 2 where 4 belongs, for k = 2; z is wrong, too"


def test_an_unknown_mistake_gets_its_entry_its_case_and_advice(solutions):
    yours = lambda x, k: (k * x, k * x + 3)
    assert said(solutions, yours, advice={"z": "look at the sum"}).endswith(", for k = 2; look at the sum")
    words = lambda rng: [Case(case, "three numbers") for case in cases(rng)]
    assert said(solutions, yours, cases=words).endswith(", for three numbers")


def test_an_overflow_gets_its_reason(solutions):
    yours = lambda x, k: (k * x / 0.0, k * x + 1)
    with np.errstate(all="ignore"):
        assert said(solutions, yours, not_finite="you divide by 0").endswith(" belongs: you divide by 0")


@pytest.mark.parametrize(
    "answer, form",
    [
        (None, "f must return (y, z); it returned nothing: does every branch of it end with a return?"),
        ((1, 2, 3), "f must return (y, z); it returned 3 values"),
        (1.5, "f must return (y, z); it returned one float"),
        ({"y": 1}, "f must return (y, z); it returned dy"),
    ],
)
def test_another_form_of_the_answer_is_described(solutions, answer, form):
    assert said(solutions, lambda x, k: answer) == form


def test_the_shape_that_a_mistake_gives_is_enough_to_name_it(solutions):
    mistakes = {"return np.stack([y, y]), z": "it is there twice"}
    twice = lambda x, k: (np.zeros((2, 3)), k * x + 1)
    assert said(solutions, twice, mistakes=mistakes) == "y is wrong: it is there twice"
    assert said(solutions, twice) == "y has the shape (2, 3) where (3,) belongs, for k = 2"


def test_each_call_gets_new_arguments(solutions):
    def spoils(x, k):
        y = k * x
        x[:] = np.nan
        return y, y + 1

    assert said(solutions, spoils) == "well done"


def test_what_is_compared_may_be_a_part_of_the_answer_and_of_the_arguments(solutions):
    compared = lambda got, given: {"the sum": got[0].sum() + given["x"].sum()}
    assert said(solutions, lambda x, k: ((k * x)[::-1], 0 * x), compared=compared) == "well done"
    assert said(solutions, lambda x, k: (x, 0 * x), compared=compared).startswith("the sum is ")


def test_arguments_that_are_overwritten_are_the_results(solutions):
    mistakes = {"x *= 3": "twice, not three times"}
    task = Task("over", cases=lambda rng: [(rng.normal(size=3),)], changes=("x",), mistakes=mistakes)

    def times(factor, returned=None):
        def over(x):
            x *= factor
            return returned

        return over

    assert task.grade(times(2), solutions) == ""
    for yours, sentence in ((times(3), "twice, not three times"), (times(2, 1), "return nothing: only overwrite x")):
        with pytest.raises(Wrong, match=sentence):
            task.grade(yours, solutions)


def test_an_answer_that_does_not_end_is_stopped_at_its_line(solutions):
    def forever(x, k):
        while True:
            k += 1

    assert "100 lines and no end" in said(solutions, wrapped(forever), lines=100)


def wrapped(function):
    """As the grading of a file does: an error of the learner's function is Wrong."""

    def call(*arguments):
        try:
            return function(*arguments)
        except RuntimeError as error:
            raise Wrong(str(error)) from None

    call.__wrapped__ = function
    return call


def test_a_check_comes_last_and_may_praise(solutions):
    right = lambda x, k: (k * x, k * x + 1)
    assert said(solutions, right, check=lambda yours: f"{yours(1, 2)}") == "(2, 3)"
    assert said(solutions, lambda x, k: (x, x), check=lambda yours: 1 / 0).startswith("entry")


def test_syntax_that_a_task_forbids_is_found():
    def loops(x):
        for _ in range(3):
            x += 1

    without("no loop", ast.While)(loops)
    with pytest.raises(Wrong, match="no loop"):
        without("no loop", ast.For)(loops)


# A task with nested results


@pytest.fixture
def about_g(solutions):
    """A function from a learner's function to the message about it."""

    def grade(yours, **options):
        x = np.arange(6.0).reshape(2, 3)
        cases = lambda rng: [(x, "sum"), (x, "max"), (-x, "sum")]
        task = Task("g", cases=cases, returns=("y", ("same", "double")), **options)
        with pytest.raises(Wrong) as wrong:
            task.grade(yours, solutions)
        return str(wrong.value)

    return grade


def test_all_wrong_parts_are_named_and_the_first_one_that_has_advice_shows_what_to_look_at(about_g):
    advice = {"same": "look at same", "double": "look at double"}
    message = about_g(lambda x, kind: (x[0] - 1, (x + 1, x)), advice=advice)
    assert message == "entry [2] of y is 1 where 7 belongs, for kind = 'sum'; same, double are wrong, too; look at same"


def test_a_mistake_is_named_beside_another_one_in_other_cases(about_g):
    mistakes = {"x.sum(axis=0) -> x[0]": "it is the first row", "x.max(axis=0) -> x[1]": "it is the second row"}
    by_kind = lambda got, given: {f"the {given['kind']}": got[0]}
    wrong = lambda x, kind: (x[0] if kind == "sum" else x[0] + 9, (x, 2 * x))
    assert about_g(wrong, mistakes=mistakes, compared=by_kind) == "the sum is wrong: it is the first row"


def test_a_part_with_another_form_is_named(about_g):
    form = "g must return (y, (same, double))"
    assert about_g(lambda x, kind: (x[0], x)) == f"{form}; for (same, double) it returned one ndarray"
    assert about_g(lambda x, kind: x) == f"{form}; it returned one ndarray"


# Changes of a solution


@pytest.mark.parametrize(
    "change, source",
    [
        ("y = 3", "def f(x):\n    y = 3\n    y[0] += 1\n    return y, x"),
        ("y[0] -= 1", "def f(x):\n    y = 2 * x\n    y[0] -= 1\n    return y, x"),
        ("y[0] = 1; return x", "def f(x):\n    y = 2 * x\n    y[0] = 1\n    return x"),
        ("2 * x -> x", "def f(x):\n    y = x\n    y[0] += 1\n    return y, x"),
        ("2 * -> ", "def f(x):\n    y = x\n    y[0] += 1\n    return y, x"),
        (", x -> ", "def f(x):\n    y = 2 * x\n    y[0] += 1\n    return y"),
    ],
)
def test_a_change_replaces_a_line_or_a_part_of_one(change, source):
    assert changed("def f(x):\n    y = 2 * x\n    y[0] += 1\n    return y, x", change) == source


@pytest.mark.parametrize("change", ["w = 3", "x -> y", "σ -> s", "pass"])
def test_a_change_of_what_is_not_there_once_is_a_bug_of_the_table(change):
    with pytest.raises(ValueError, match="occurs|replaces"):
        changed("def f(x):\n    y = 2 * x  # in σ(σ)\n    return y, x", change)
