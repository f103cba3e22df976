"""Grades as a table of 80 columns, and as CSV that no spreadsheet misreads."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.course.gradebook import BLANK, ENDED, NOT_RUN, RIGHT, WRONG, Row, TaskGrade
from minilstm.course.gradebook_table import SIGNS, as_csv, lines_of, name_width, summary
from minilstm.course.submissions import Submission

texts = st.text(st.characters(codec="utf-8"), max_size=40)
states = st.sampled_from([RIGHT, WRONG, BLANK, ENDED, NOT_RUN])
tasks = st.lists(st.builds(TaskGrade, st.just("dx"), states, texts), max_size=4).map(tuple)
submissions = st.builds(Submission, texts.filter(bool), st.just(Path("x")), st.none() | st.integers(1, 19))
rows = st.builds(Row, submissions, tasks, texts, st.floats(0, 999))


def row(*states, name="03_mine.py", **options):
    names = ("dc", "dz", "dx")
    graded = tuple(TaskGrade(n, state, f"about {n}") for n, state in zip(names, states))
    return Row(Submission(name, Path(name), 3), graded, seconds=1.25, **options)


def read(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_message_is_about_the_first_task_that_is_not_right():
    assert row(RIGHT, WRONG, BLANK).message == "2. dz: wrong: about dz"
    assert row(RIGHT, BLANK, WRONG).message == "2. dz: not answered: about dz"
    assert row(RIGHT, RIGHT, RIGHT).message == row(NOT_RUN, NOT_RUN).message == ""
    assert (row(RIGHT, WRONG, RIGHT).right, row().right) == (2, 0)


def test_the_table_has_a_sign_for_each_task_and_the_message_below():
    lines = lines_of(row(RIGHT, WRONG, BLANK), 12)
    assert lines == ["03_mine.py     3  +-.      1 of 3   1.2 s", "    2. dz: wrong: about dz"]
    assert lines_of(row(RIGHT, RIGHT, RIGHT), 12)[1:] == []
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_a_problem_is_not_printed_twice():
    one = row(RIGHT, ENDED, RIGHT, problem="about dz")
    assert lines_of(one, 12)[1:] == ["    2. dz: ended: about dz"]
    other = row(RIGHT, WRONG, ENDED, problem="about dx")
    assert lines_of(other, 12)[1:] == ["    about dx", "    2. dz: wrong: about dz"]


@given(rows)
def test_the_table_fits_in_80_columns(each):
    width = name_width([each.submission.name])
    lines = lines_of(each, width)
    assert lines and all(len(line) <= 80 for line in lines if " " in line.strip()[:70])
    assert lines[0].isprintable()


def test_a_long_name_loses_its_middle():
    name = "Ada Lovelace_4711_assignsubmission_file/03_one_step_backward.py"
    (line,) = lines_of(row(RIGHT, name=name), name_width([name]))
    assert line.startswith("Ada Lovelace_4") and "...file/03_one_step_backward.py " in line and len(line) <= 80


def test_the_summary_counts_right_answers_problems_and_says_if_the_network_was_open():
    cut = [row(RIGHT, WRONG, network_cut=True), row(RIGHT, RIGHT, network_cut=True)]
    assert list(summary(cut))[1:] == ["exercise 3, 2 submissions, right: dc 2, dz 1"]
    open_ = [*cut, row(NOT_RUN, NOT_RUN, problem="no")]
    assert list(summary(open_))[1:] == [
        "exercise 3, 3 submissions, right: dc 2, dz 1",
        "1 of 3 could not be run to the end",
        "This system did not keep the submissions from the network.",
    ]


def test_a_seed_that_several_handed_in_is_named_in_the_summary():
    one, two = row(RIGHT, name="03_ada.py", seed=7, network_cut=True), row(RIGHT, name="03_bob.py", seed=7, network_cut=True)
    other = row(RIGHT, name="03_eve.py", seed=8, network_cut=True)
    assert list(summary([one, other, two]))[2:] == ["exercise 3, seed 7 was handed in 2 times: 03_ada.py, 03_bob.py"]
    assert list(summary([one, other]))[2:] == []


def test_csv_has_a_column_for_each_task():
    long, short = row(RIGHT, WRONG, BLANK), row(RIGHT, name="a, b.py", problem='"no"', seed=7)
    assert as_csv([long, short]) == (
        "submission,exercise,seed,right,tasks,task 1,task 2,task 3,message,seconds,problem\r\n"
        "03_mine.py,3,,1,3,right,wrong,not answered,2. dz: wrong: about dz,1.2,\r\n"
        '"a, b.py",3,7,1,1,right,,,,1.2,"""no"""\r\n'
    )


@given(st.lists(rows, max_size=3))
def test_every_csv_is_read_back_and_no_cell_is_a_formula(several):
    table = read(as_csv(several))
    assert len(table) == 1 + len(several) and len({len(line) for line in table}) == 1
    for line, each in zip(table[1:], several):
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in line)
        assert all(cell.isprintable() for cell in line)
        assert (int(line[3]), int(line[4])) == (each.right, len(each.tasks))


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", " =", "\t="])
def test_a_name_that_is_a_formula_gets_an_apostrophe(begin):
    each = row(RIGHT)
    each = replace(each, submission=replace(each.submission, name=f"{begin}HYPERLINK(1)"))
    assert read(as_csv([each]))[1][0] in {f"'{begin}HYPERLINK(1)", "?=HYPERLINK(1)"}
