"""Submissions are found in the shapes that learning platforms export, and none is lost."""

from pathlib import Path

import pytest

from minilstm.course.folder import numbered
from minilstm.course.submissions import exercise_in, find_submissions
from minilstm.errors import InputError
from tests.helpers.paths import LESSONS

EXERCISES = numbered(LESSONS / "exercises")


def made(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x = 1\n")
    return folder


def found(folder, exercise=None):
    return [(s.name, s.exercise, s.problem.partition(":")[0]) for s in find_submissions(folder, EXERCISES, exercise)]


@pytest.mark.parametrize(
    "name, number",
    [
        ("03_one_step_backward.py", 3),
        ("03_mine.py", 3),
        ("ada_03_mine.py", 3),
        ("lovelaceada_4711_815_03_one_step_backward-1.py", 3),
        ("ada_03_05_through_time.py", 5),
        ("07_ada_03_one_step_backward.py", 3),
        ("03_one_step_backward.1.py", 3),
        ("03.py", None),
        ("ada.py", None),
        ("99_mine.py", None),
        ("ada_4703_mine.py", None),
        ("03_or_05_mine.py", None),
    ],
)
def test_the_name_of_a_file_tells_the_exercise(name, number):
    assert exercise_in(name, EXERCISES) == number


def test_submissions_lie_in_the_folder_or_in_one_for_each_student(tmp_path):
    made(tmp_path, "b/03_mine.py", "a 1/02_one_step.py", "c_05_through_time.py", "b/05_mine.py")
    assert found(tmp_path) == [
        ("a 1/02_one_step.py", 2, ""),
        ("b/03_mine.py", 3, ""),
        ("b/05_mine.py", 5, ""),
        ("c_05_through_time.py", 5, ""),
    ]
    assert found(tmp_path, 5) == [("b/05_mine.py", 5, ""), ("c_05_through_time.py", 5, "")]


def test_modules_beside_an_answer_go_with_it_and_are_no_submissions(tmp_path):
    made(tmp_path, "a/03_mine.py", "a/tools.py")
    (submission,) = find_submissions(tmp_path, EXERCISES)
    assert {path.name for path in submission.beside} == {"03_mine.py", "tools.py"}


def test_what_cannot_be_graded_is_listed_with_the_reason(tmp_path):
    made(tmp_path, "a.zip", "b/answer.py", "c/03_mine.ipynb", "d_03_mine.py")
    assert found(tmp_path) == [
        ("a.zip", None, "it is an archive"),
        ("b/answer.py", None, "its name tells no exercise; name it with --exercise"),
        ("c/03_mine.ipynb", 3, "it is a notebook"),
        ("d_03_mine.py", 3, ""),
    ]
    assert found(tmp_path, 3) == [
        ("a.zip", 3, "it is an archive"),
        ("b/answer.py", 3, ""),
        ("c/03_mine.ipynb", 3, "it is a notebook"),
        ("d_03_mine.py", 3, ""),
    ]


def test_a_program_whose_name_has_another_ending_is_listed_with_the_reason(tmp_path):
    made(tmp_path, "a_03_mine.PY", "b_03_mine.py.txt", "c_03_mine.py (1)", "d_03_mine.txt", "e_03_mine.pyc")
    assert found(tmp_path) == [
        (name, 3, "its name does not end in .py")
        for name in ("a_03_mine.PY", "b_03_mine.py.txt", "c_03_mine.py (1)")
    ]


def test_one_folder_that_may_not_be_read_does_not_keep_the_others_from_being_graded(tmp_path, monkeypatch):
    made(tmp_path, "ada/03_mine.py", "bob/03_mine.py")
    iterdir = Path.iterdir

    def refused(folder):
        if folder.name == "bob":
            raise PermissionError(13, "Permission denied", str(folder))
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", refused)
    assert found(tmp_path) == [("ada/03_mine.py", 3, ""), ("bob", None, "this folder may not be read")]


def test_other_files_and_those_of_the_system_are_no_submissions(tmp_path):
    made(tmp_path, "03_mine.py", "marks.csv", "._03_mine.py", "__MACOSX/03_mine.py", ".git/03_mine.py", "a/.03_x.py")
    made(tmp_path, "a/b/03_too_deep.py", "a/notes.txt")
    assert found(tmp_path) == [("03_mine.py", 3, "")]


@pytest.mark.parametrize(
    "folder, exercise, said",
    [
        ("nowhere", None, "no folder"),
        ("a", None, "no submission: no file named like 01_text_to_numbers.py"),
        ("b", 5, "no submission of exercise 5: no file named like 05_through_time.py"),
        ("b", 99, "no exercise 99; there are 1, 2, 3"),
    ],
)
def test_a_folder_without_submissions_is_refused(tmp_path, folder, exercise, said):
    made(tmp_path, "a/notes.txt", "b/03_mine.py")
    with pytest.raises(InputError, match=said):
        find_submissions(Path(tmp_path / folder), EXERCISES, exercise)
