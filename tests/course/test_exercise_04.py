"""Wrong answers to the exercises of lesson 4, and the messages that they get."""

import numpy as np
import pytest

from minilstm.course.answers import Answers
from minilstm.course.folder import numbered
from tests.helpers.exercises import result_of, wrong
from tests.helpers.paths import LESSONS

CENTRAL = """def central_differences(f, x, h=6e-6):
    derivatives = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        {copies}
        up[index] += h
        down[index] -= h
        derivatives[index] = {derivative}
    return derivatives
"""
IN_PLACE = """def central_differences(f, x, h=6e-6):
    derivatives = np.zeros(x.shape)
    {before}
    for index in np.ndindex(x.shape):
        y[index] += h
        above = f(y)
        y[index] -= 2 * h
        derivatives[index] = (above - f(y)) / (2 * h)
        {after}
    return derivatives
"""
COPIES = "up, down = x.astype(float), x.astype(float)"
DERIVATIVE = "(f(up) - f(down)) / (2 * h)"


@pytest.mark.parametrize(
    "copies, derivative, said",
    [
        (COPIES, "(f(up) - f(down)) / h", "2h apart, but you divide by h"),
        (COPIES, "(f(up) - f(down)) / 2 * h", "needs parentheses"),
        (COPIES, "(f(up) - f(x)) / h", "one-sided, from x to x + h"),
        (COPIES, "(f(x) - f(down)) / h", "one-sided, from x - h to x"),
        (COPIES, "(f(down) - f(up)) / (2 * h)", "the two points are exchanged"),
        (COPIES + "; h = 1e-5", DERIVATIVE, "another number than h"),
        ("up = down = x.astype(float)", DERIVATIVE, "f is called twice at the same point"),
        ("up = down = x", DERIVATIVE, "`y = x` is no copy"),
        ("up, down = x.copy(), x.copy()", DERIVATIVE, "if x is float32, which has seven digits"),
        ("up, down = (x.astype(float) if x.dtype.kind == 'f' else x.copy() for _ in 'ab')", DERIVATIVE, "6e-6 is cut off"),
        ("up, down = x.ravel().astype(float), x.astype(float)", DERIVATIVE, "IndexError"),
    ],
)
def test_a_message_says_what_is_wrong_with_the_differences(tmp_path, copies, derivative, said):
    assert said in wrong(tmp_path, 4, "central_differences", CENTRAL.format(copies=copies, derivative=derivative))


@pytest.mark.parametrize(
    "before, after, said",
    [
        ("y = x", "", "2 changed entries, among them [0, 0] and [0, 1]"),
        ("y = x.astype(float)", "", "2 changed entries, among them [0, 0] and [0, 1]"),
        ("y = x", "y[index] += h * (1 + 1e-12)", "changed entries, among them"),
        ("y = x.reshape(-1)[:1]", "", "f is called with an array of the shape (1,)"),
    ],
)
def test_an_entry_that_is_not_restored_is_noticed(tmp_path, before, after, said):
    if "reshape" in before:
        source = "def central_differences(f, x, h=6e-6):\n    return f(x.ravel()[:1])\n"
    else:
        source = IN_PLACE.format(before=before, after=after)
    assert said in wrong(tmp_path, 4, "central_differences", source)


def test_an_entry_restored_by_a_sum_is_not_equal(tmp_path):
    source = IN_PLACE.format(before="y = x", after="y[index] += h") + "    # 6e-6 changes the last bit\n"
    source = source.replace("    derivatives = ", "    h = 6e-6\n    derivatives = ", 1)
    message = wrong(tmp_path, 4, "central_differences", source)
    assert "changed entries, among them" in message or "x belongs to the caller" in message


def test_an_entry_restored_by_its_value_is_right(tmp_path):
    source = IN_PLACE.format(before="y = x.astype(float)", after="y[index] = x[index]")
    assert result_of(tmp_path, 4, "central_differences", source).state == "right"


@pytest.mark.parametrize(
    "returned, said",
    [
        ("None", "this is NoneType"),
        ("0.0", "this is float, ()"),
        ("[['a'] * 3] * 2", "this is list"),
        ("[[1], []]", "rows of different lengths"),
    ],
)
@pytest.mark.parametrize("name", ["central_differences", "complex_step"])
def test_a_result_that_is_no_array_of_derivatives_is_named(tmp_path, name, returned, said):
    assert said in wrong(tmp_path, 4, name, f"def {name}(f, x, h=6e-6):\n    return {returned}\n")


def test_x_must_not_be_changed_in_place(tmp_path):
    source = "def central_differences(f, x, h=6e-6):\n    x.flat[0] += h\n    return x\n"
    assert "Perturb a copy" in wrong(tmp_path, 4, "central_differences", source)


COMPLEX = """def complex_step(f, x, h=1e-200):
    derivatives = np.zeros(x.shape{dtype})
    for index in np.ndindex(x.shape):
        perturbed = {copy}
        perturbed[index] += {step}
        derivatives[index] = {derivative}
    return derivatives
"""
RIGHT = {"copy": "x.astype(complex)", "step": "1j * h", "derivative": "f(perturbed).imag / h", "dtype": ""}


@pytest.mark.parametrize(
    "change, said",
    [
        ({"derivative": "f(perturbed).real / h"}, "this is the real part"),
        ({"derivative": "f(perturbed) / h", "dtype": ", complex"}, "this is the real part"),
        ({"derivative": "abs(f(perturbed)) / h"}, "the absolute value of a complex number"),
        ({"derivative": "f(perturbed).imag"}, "the derivative times h; divide it by h"),
        ({"derivative": "f(perturbed).imag / (2 * h)"}, "you divide by 2h"),
        ({"step": "-1j * h"}, "its sign is wrong; do you perturb by -1j * h?"),
        ({"step": "h"}, "a real 1e-200 is lost by rounding"),
        ({"copy": "x.astype(float)"}, "a copy as floats loses it"),
        ({"copy": "x.astype(float)", "step": "0; perturbed[index] = complex(x[index], h)"}, "cannot store an imaginary part"),
        ({"copy": "x.astype(float)", "step": "h"}, "never called at a complex point"),
        ({"copy": "x + 0j"}, "complex64, in which 1e-200 is 0"),
        ({"copy": "x + 1j * h"}, "6 changed entries"),
        ({"step": "1j * 6e-6", "derivative": "f(perturbed).imag / 6e-6"}, "right to six digits only"),
    ],
)
def test_a_message_says_what_is_wrong_with_the_complex_step(tmp_path, change, said):
    assert said in wrong(tmp_path, 4, "complex_step", COMPLEX.format(**RIGHT | change))


FIND = """def wrong_entries(f, x, gradient):
    derivatives = complex_step(f, x)
    larger = np.maximum(np.abs(gradient), np.abs(derivatives))
    error = np.abs(gradient - derivatives)
    return {answer}
"""


@pytest.mark.parametrize(
    "answer, said",
    [
        ("np.argwhere(~np.isclose(gradient, derivatives))", "wrong by one part in a million, and you do not report it"),
        ("np.argwhere(~np.isclose(gradient, derivatives, rtol=1e-9))", "of np.isclose and np.allclose, accepts it"),
        ("np.argwhere(error > 1e-12 * np.abs(derivatives).max())", "is NaN, and you do not report it"),
        ("np.argwhere(~(error / larger <= 1e-9))", "0/0 is NaN, but two zeros are equal"),
        ("np.argwhere(~(error / np.maximum(larger, 1e-300) <= 1e-9))", "so this is rounding"),
        ("np.argwhere(error > 0)", "so this is rounding"),
        ("np.argwhere(~(error <= 1e-11))", "compare errors with it"),
        ("np.argwhere(~(error <= 1e-13))", "compare errors with it"),
        ("~(error <= 1e-12 * np.abs(derivatives).max())", "np.argwhere makes indices of it"),
        ("np.where(~(error <= 1e-12 * np.abs(derivatives).max()))", "return rows and columns separately"),
        ("np.argwhere(~(error <= 1e-12 * np.abs(derivatives).max()))[:1]", "of 3 mistakes in this gradient you report 1"),
        ("np.unravel_index(error.argmax(), x.shape)", "with 2 columns, a row for each mistake"),
        ("None", "with 2 columns, a row for each mistake"),
        ("[(0, 1), (2,)]", "rows of different lengths"),
        ("[]", "wrong by one part in a million, and you do not report it"),
    ],
)
def test_a_message_says_what_a_check_misses_or_reports_wrongly(tmp_path, answer, said):
    assert said in wrong(tmp_path, 4, "wrong_entries", FIND.format(answer=answer))


def test_differences_are_not_enough(tmp_path):
    source = FIND.replace("complex_step", "central_differences").format(answer="np.argwhere(~(error <= 1e-12))")
    assert "Central differences have ten digits at best" in wrong(tmp_path, 4, "wrong_entries", source)


def test_a_relative_error_with_a_denominator_floor_is_right(tmp_path):
    answer = "[tuple(row) for row in np.argwhere(~(error / np.maximum(larger, 1e-2 * np.abs(derivatives).max()) <= 1e-10))]"
    assert result_of(tmp_path, 4, "wrong_entries", FIND.format(answer=answer)).state == "right"


def test_planted_mistakes_are_those_of_the_task():
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
