"""Wrong answers to the exercises of lesson 4 and what is said to them."""

import numpy as np
import pytest

from minilstm.course.answers import Answers
from minilstm.course.folder import numbered
from tests.helpers.exercises import result_of, wrong
from tests.helpers.paths import LESSONS

CENTRAL = """def central_differences(f, x, h=6e-6):
    slopes = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        {copies}
        up[index] += h
        down[index] -= h
        slopes[index] = {slope}
    return slopes
"""
IN_PLACE = """def central_differences(f, x, h=6e-6):
    slopes = np.zeros(x.shape)
    {before}
    for index in np.ndindex(x.shape):
        y[index] += h
        above = f(y)
        y[index] -= 2 * h
        slopes[index] = (above - f(y)) / (2 * h)
        {after}
    return slopes
"""
COPIES = "up, down = x.astype(float), x.astype(float)"
SLOPE = "(f(up) - f(down)) / (2 * h)"


@pytest.mark.parametrize(
    "copies, slope, said",
    [
        (COPIES, "(f(up) - f(down)) / h", "2h apart, and you divide by h"),
        (COPIES, "(f(up) - f(down)) / 2 * h", "needs parentheses"),
        (COPIES, "(f(up) - f(x)) / h", "one-sided, from x to x + h"),
        (COPIES, "(f(x) - f(down)) / h", "one-sided, from x - h to x"),
        (COPIES, "(f(down) - f(up)) / (2 * h)", "wrong way round"),
        (COPIES + "; h = 1e-5", SLOPE, "something else than h"),
        ("up = down = x.astype(float)", SLOPE, "twice at the same point"),
        ("up = down = x", SLOPE, "`y = x` is no copy"),
        ("up, down = x.copy(), x.copy()", SLOPE, "with x of float32, which has seven digits"),
        ("up, down = (x.astype(float) if x.dtype.kind == 'f' else x.copy() for _ in 'ab')", SLOPE, "6e-6 is cut off"),
        ("up, down = x.ravel().astype(float), x.astype(float)", SLOPE, "IndexError"),
    ],
)
def test_wrong_differences_are_told_apart(tmp_path, copies, slope, said):
    assert said in wrong(tmp_path, 4, "central_differences", CENTRAL.format(copies=copies, slope=slope))


@pytest.mark.parametrize(
    "before, after, said",
    [
        ("y = x", "", "2 entries are not what they were, [0, 0] and [0, 1] among them"),
        ("y = x.astype(float)", "", "2 entries are not what they were, [0, 0] and [0, 1] among them"),
        ("y = x", "y[index] += h * (1 + 1e-12)", "entries are not what they were"),
        ("y = x.reshape(-1)[:1]", "", "f is asked at a point of the shape (1,)"),
    ],
)
def test_an_entry_that_is_not_put_back_is_noticed(tmp_path, before, after, said):
    if "reshape" in before:
        source = "def central_differences(f, x, h=6e-6):\n    return f(x.ravel()[:1])\n"
    else:
        source = IN_PLACE.format(before=before, after=after)
    assert said in wrong(tmp_path, 4, "central_differences", source)


def test_an_entry_put_back_by_a_sum_is_not_what_it_was(tmp_path):
    source = IN_PLACE.format(before="y = x", after="y[index] += h") + "    # 6e-6 leaves a last bit behind\n"
    source = source.replace("    slopes = ", "    h = 6e-6\n    slopes = ", 1)
    said = wrong(tmp_path, 4, "central_differences", source)
    assert "entries are not what they were" in said or "x belongs to the caller" in said


def test_an_entry_put_back_by_its_value_is_right(tmp_path):
    source = IN_PLACE.format(before="y = x.astype(float)", after="y[index] = x[index]")
    assert result_of(tmp_path, 4, "central_differences", source).state == "right"


@pytest.mark.parametrize(
    "returned, said",
    [("None", "this is NoneType"), ("0.0", "this is float, ()"), ("[['a'] * 3] * 2", "this is list"), ("[[1], []]", "rows")],
)
@pytest.mark.parametrize("name", ["central_differences", "complex_step"])
def test_what_is_no_array_of_slopes_is_said(tmp_path, name, returned, said):
    assert said in wrong(tmp_path, 4, name, f"def {name}(f, x, h=6e-6):\n    return {returned}\n")


def test_one_entry_left_nudged_is_the_callers_loss(tmp_path):
    source = "def central_differences(f, x, h=6e-6):\n    x.flat[0] += h\n    return x\n"
    assert "nudge a copy" in wrong(tmp_path, 4, "central_differences", source)


COMPLEX = """def complex_step(f, x, h=1e-200):
    slopes = np.zeros(x.shape{dtype})
    for index in np.ndindex(x.shape):
        aside = {copy}
        aside[index] += {step}
        slopes[index] = {slope}
    return slopes
"""
RIGHT = {"copy": "x.astype(complex)", "step": "1j * h", "slope": "f(aside).imag / h", "dtype": ""}


@pytest.mark.parametrize(
    "change, said",
    [
        ({"slope": "f(aside).real / h"}, "this is the real part"),
        ({"slope": "f(aside) / h", "dtype": ", complex"}, "this is the real part"),
        ({"slope": "abs(f(aside)) / h"}, "the length of a complex number"),
        ({"slope": "f(aside).imag"}, "not divided by h"),
        ({"slope": "f(aside).imag / (2 * h)"}, "you divide by 2h"),
        ({"step": "-1j * h"}, "its sign is"),
        ({"step": "h"}, "a real step of 1e-200"),
        ({"copy": "x.astype(float)"}, "a copy as floats drops it"),
        ({"copy": "x.astype(float)", "step": "0; aside[index] = complex(x[index], h)"}, "no room for an imaginary part"),
        ({"copy": "x.astype(float)", "step": "h"}, "never asked at a complex point"),
        ({"copy": "x + 0j"}, "complex64, in which 1e-200 is 0"),
        ({"copy": "x + 1j * h"}, "6 entries are not what they were"),
        ({"step": "1j * 6e-6", "slope": "f(aside).imag / 6e-6"}, "right to six digits only"),
    ],
)
def test_wrong_complex_steps_are_told_apart(tmp_path, change, said):
    assert said in wrong(tmp_path, 4, "complex_step", COMPLEX.format(**RIGHT | change))


FIND = """def wrong_entries(f, x, gradient):
    slopes = complex_step(f, x)
    larger = np.maximum(np.abs(gradient), np.abs(slopes))
    error = np.abs(gradient - slopes)
    return {answer}
"""


@pytest.mark.parametrize(
    "answer, said",
    [
        ("np.argwhere(~np.isclose(gradient, slopes))", "off by one part in a million, and is not found"),
        ("np.argwhere(~np.isclose(gradient, slopes, rtol=1e-9))", "does not see it"),
        ("np.argwhere(error > 1e-12 * np.abs(slopes).max())", "is NaN, and is not found"),
        ("np.argwhere(~(error / larger <= 1e-9))", "0/0 is NaN, but two zeros agree"),
        ("np.argwhere(~(error / np.maximum(larger, 1e-300) <= 1e-9))", "that is rounding"),
        ("np.argwhere(error > 0)", "that is rounding"),
        ("np.argwhere(~(error <= 1e-11))", "what is large depends on the loss"),
        ("np.argwhere(~(error <= 1e-13))", "what is large depends on the loss"),
        ("~(error <= 1e-12 * np.abs(slopes).max())", "np.argwhere makes places of it"),
        ("np.where(~(error <= 1e-12 * np.abs(slopes).max()))", "rows and columns apart"),
        ("np.argwhere(~(error <= 1e-12 * np.abs(slopes).max()))[:1]", "of 3 mistakes in this gradient you report 1"),
        ("np.unravel_index(error.argmax(), x.shape)", "a row of 2 for each mistake"),
        ("None", "a row of 2 for each mistake"),
        ("[(0, 1), (2,)]", "rows of different lengths"),
        ("[]", "off by one part in a million, and is not found"),
    ],
)
def test_a_check_that_misses_or_cries_wolf_is_told_what(tmp_path, answer, said):
    assert said in wrong(tmp_path, 4, "wrong_entries", FIND.format(answer=answer))


def test_differences_are_not_enough(tmp_path):
    source = FIND.replace("complex_step", "central_differences").format(answer="np.argwhere(~(error <= 1e-12))")
    assert "Slopes by differences have ten digits at best" in wrong(tmp_path, 4, "wrong_entries", source)


def test_a_relative_error_with_a_floor_is_right(tmp_path):
    answer = "[tuple(row) for row in np.argwhere(~(error / np.maximum(larger, 1e-2 * np.abs(slopes).max()) <= 1e-10))]"
    assert result_of(tmp_path, 4, "wrong_entries", FIND.format(answer=answer)).state == "right"


def test_what_is_planted_is_what_the_task_says():
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
