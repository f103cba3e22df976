"""``minilstm exercise``: copies and messages; no answer is lost or committed."""

import shutil
import subprocess
import sys

import pytest
from matplotlib.figure import Figure

import minilstm
from minilstm.course import save
from minilstm.course.copies import keep
from minilstm.course.exercise import copy_of
from minilstm.course.folder import numbered
from tests.helpers.commands import refused
from tests.helpers.paths import LESSONS

NAME = "02_one_step.py"
SOLVED = (LESSONS / "solutions" / NAME).read_bytes()
BLANK = (LESSONS / "exercises" / NAME).read_bytes()
FOLDERS = ("exercises", "grading", "solutions")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A clone with exercises 2 and 3 as the current folder; returns its ``lessons/``."""
    folder = tmp_path / "clone" / "lessons"
    for number in (2, 3):
        for part in FOLDERS:
            (folder / part).mkdir(parents=True, exist_ok=True)
            shutil.copy(numbered(LESSONS / part)[number], folder / part)
    monkeypatch.chdir(folder.parent)
    return folder


def git(folder, *arguments):
    """Run git in a folder, without user settings; skips if git is not installed."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    options = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=false", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *options, *arguments], cwd=folder, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def committed(folder):
    """Make a folder a repository, and commit all that git does not ignore."""
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "course")


# A copy is made, graded, and begun again


def test_exercises_are_listed(run, course):
    status, out, error = run("exercise")
    assert (status, error) == (0, "")
    assert out.splitlines()[:-1] == ["2. One step of an LSTM", "3. One step backward"]
    assert "lessons/my" in out.splitlines()[-1] and not (course / "my").exists()


def test_the_first_time_a_copy_is_made_and_its_path_is_printed(run, course):
    status, out, error = run("exercise", "2")
    assert (status, error) == (1, "")
    assert (course / "my" / NAME).read_bytes() == (course / "exercises" / NAME).read_bytes() == BLANK
    assert f"\nlessons/my/{NAME} (new: your copy of the exercise)\n" in out
    assert "0 of 3 right" in out and "minilstm exercise 2 --hint" in out and f"blanks of lessons/my/{NAME}" in out
    assert max(map(len, out.splitlines())) <= 80


def test_answers_are_graded_and_not_changed(run, course):
    run("exercise", "2")
    mine = course / "my" / NAME
    answers = SOLVED.replace(b"o * np.tanh(c)", b"o * c")
    mine.write_bytes(answers)
    status, out, _ = run("exercise", "2")
    assert status == 1 and "2 of 3 right" in out and "output tanh left out" in out and "new:" not in out
    assert mine.read_bytes() == answers and (course / "exercises" / NAME).read_bytes() == BLANK


def test_the_next_lesson_is_named_when_all_is_right(run, course):
    (course / "my").mkdir()
    for name in (NAME, "03_one_step_backward.py"):
        shutil.copy(course / "solutions" / name, course / "my")
    status, out, _ = run("exercise", "2")
    assert status == 0
    assert out.splitlines()[-2:] == [
        "3 of 3 right",
        "Exercise 2 is done. Next: python lessons/03_one_step_backward.py, then minilstm exercise 3",
    ]
    assert run("exercise", "3")[1].splitlines()[-1] == "Exercise 3 is done, and it was the last."


def test_reset_gives_a_blank_copy_and_keeps_each_old_one(run, course):
    mine = course / "my" / NAME
    assert run("exercise", "2", "--reset") == (0, f"lessons/my/{NAME} is blank.\n", "")  # nothing was there
    for number in (1, 2):
        mine.write_bytes(b"# attempt %d\n" % number)
        status, out, error = run("exercise", "2", "--reset")
        assert (status, error) == (0, "") and f"What you wrote is kept in lessons/my/02_one_step.{number}.py." in out
        assert mine.read_bytes() == BLANK
    assert run("exercise", "2", "--reset")[1] == f"lessons/my/{NAME} is blank.\n"  # a blank one need not be kept
    kept = {path.name: path.read_bytes() for path in mine.parent.iterdir()}
    assert kept == {NAME: BLANK, "02_one_step.1.py": b"# attempt 1\n", "02_one_step.2.py": b"# attempt 2\n"}


def test_a_kept_file_can_be_graded_but_is_not_in_the_list(run, course):
    (course / "my").mkdir()
    (course / "my" / NAME).write_bytes(SOLVED)
    run("exercise", "2", "--reset")
    assert list(numbered(course / "my").values()) == [course / "my" / NAME]
    assert run("exercise", "--file", "lessons/my/02_one_step.1.py")[0] == 0


@pytest.mark.parametrize("place", [".", "lessons", "lessons/my", "lessons/exercises"])
def test_the_copy_is_the_same_from_every_folder_of_the_course(run, course, monkeypatch, place):
    (course / "my").mkdir()
    (course / "my" / NAME).write_bytes(SOLVED)
    monkeypatch.chdir(course.parent / place)
    status, out, _ = run("exercise", "2")
    assert status == 0 and NAME in out.splitlines()[1]


def test_from_another_folder_the_copy_is_in_the_repository_of_the_package(run, course, tmp_path, monkeypatch):
    monkeypatch.setattr(minilstm, "__file__", str(course.parent / "minilstm" / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    assert run("exercise", "2")[0] == 1
    assert (course / "my" / NAME).is_file() and not (tmp_path / "lessons").exists() and not (tmp_path / "my").exists()
    assert run("exercise", "2")[1].splitlines()[1] == f"clone/lessons/my/{NAME}"


def test_a_file_of_a_clone_is_graded_by_a_package_that_is_installed_elsewhere(run, course, tmp_path, monkeypatch):
    monkeypatch.setattr(minilstm, "__file__", str(tmp_path / "site-packages" / "minilstm" / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    refused(run("exercise", "2"), 2, "clone of the repository")
    status, out, error = run("exercise", "--file", course / "exercises" / NAME)
    assert (status, error) == (1, "") and "0 of 3 right" in out
    assert (course / "my" / NAME).is_file()


def test_a_copy_grades_itself_when_it_is_run(course, tmp_path):
    (course / "my").mkdir()
    copy = shutil.copy(course / "exercises" / NAME, course / "my")
    done = subprocess.run([sys.executable, copy], cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (1, "") and "0 of 3 right" in done.stdout
    assert "minilstm exercise 2 --hint" in done.stdout
    done = subprocess.run([sys.executable, copy, "--hint"], cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "") and "Hint 1" in done.stdout


@pytest.mark.parametrize("folder", ["exercises", "my"])
def test_an_exercise_by_its_file_is_the_same_as_by_its_number(run, course, folder):
    run("exercise", "2")
    (course / "my" / NAME).write_bytes(SOLVED)
    status, out, _ = run("exercise", "--file", f"lessons/{folder}/{NAME}")
    assert status == 0 and out.splitlines()[1] == f"lessons/my/{NAME}"
    assert run("exercise", "--file", f"lessons/{folder}/{NAME}", "--reset")[1].startswith(f"lessons/my/{NAME} is blank.")


def test_a_file_in_another_folder_is_graded_there(run, course, tmp_path):
    mine = tmp_path / "02_of_mine.py"
    mine.write_bytes(SOLVED)
    assert run("exercise", "--file", mine)[0] == 0
    assert "3 of 3 right" in run("exercise", "2", "--file", mine)[1].splitlines()
    mine.write_text("def gates(z):\n    return z\n", encoding="utf-8")
    status, out, _ = run("exercise", "--file", mine)
    assert status == 1 and f"minilstm exercise 2 --file {mine} --hint" in out
    assert run("exercise", "2", "--file", mine)[1].startswith("2. One step of an LSTM\n")
    assert not (course / "my").exists()


# Help


def test_hints_are_printed_one_by_one_and_the_solution_only_on_request(run, course):
    outs = [run("exercise", "2", *options.split())[1] for options in ("", "--hint", "--hint --hint", "--solution")]
    solution = "return sigmoid(zi), sigmoid(zf), np.tanh(zg), sigmoid(zo)"
    assert [out.count("Hint") for out in outs] == [0, 1, 2, 0]
    assert [solution in out for out in outs] == [False, False, False, True]


def test_help_is_for_the_first_task_that_is_not_right_or_for_the_named_one(run, course):
    assert run("exercise", "2", "--hint")[1].startswith("1. gates")
    assert run("exercise", "2", "--hint", "--task", "3")[1].startswith("3. remembering_bias")
    assert not (course / "my").exists()  # help alone makes no copy
    mine = course.parent / "02_mine.py"
    mine.write_bytes(SOLVED.replace(b"o * np.tanh(c)", b"..."))
    assert run("exercise", "--file", mine, "--hint")[1].startswith("2. lstm_step")
    mine.write_bytes(SOLVED)
    status, out, _ = run("exercise", "--file", mine, "--hint")
    assert status == 0 and out.startswith("All 3 tasks are right.") and "--file 02_mine.py --task 1 --hint" in out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["99"], ["no exercise 99"]),
        (["2", "--task", "4", "--hint"], ["has 3 tasks", "--task 4"]),
        (["2", "--task", "4"], ["has 3 tasks", "--task 4"]),
        (["2", "--file", "nowhere.py"], ["there is no file nowhere.py"]),
        (["--file", "nowhere.py"], ["there is no file nowhere.py"]),
        (["--file", "mine.py"], ["minilstm exercise 2 --file mine.py"]),
        (["--file", "/02_nowhere.py"], ["there is no file"]),
        (["--reset"], ["minilstm exercise 2 --reset"]),
        (["--hint"], ["minilstm exercise 2 --hint"]),
        (["2", "--file", "mine.py", "--reset"], [f"your copy, lessons/my/{NAME}", "--file"]),
        (["2", "--move"], ["nothing to move", f"lessons/exercises/{NAME} is blank"]),
    ],
)
def test_wrong_arguments_are_refused_and_no_copy_is_made(run, course, arguments, words):
    (course.parent / "mine.py").write_text("", encoding="utf-8")
    refused(run("exercise", *arguments), 2, *words)
    assert not (course / "my").exists()


def test_after_a_long_wait_a_message_says_how_to_stop_a_loop(run, course, monkeypatch):
    mine = course.parent / "02_mine.py"
    mine.write_text("import time\n\ndef gates(z):\n    time.sleep(0.5)\n    return z\n", encoding="utf-8")
    assert run("exercise", "--file", mine)[2] == ""
    monkeypatch.setattr("minilstm.cli.exercise.PATIENCE", 0.1)
    assert "Ctrl-C stops it" in run("exercise", "--file", mine)[2]


# Answers in the blank file

PLACES = [
    SOLVED,
    BLANK.replace(b"return ...", b"return z", 1),  # one task
    BLANK.replace(b"    c = ...\n", b"    c = f * c_prev + i * g\n"),  # one line of a task
    b"def gates(z)\n",  # no Python
    b"",
]


@pytest.mark.parametrize("answers", PLACES)
def test_answers_in_the_blank_file_are_noticed(course, answers):
    copy = copy_of(2, course)
    assert not copy.filled_in()
    copy.blank.write_bytes(answers)
    assert copy.filled_in()


def test_answers_in_the_blank_file_are_graded_there_until_they_are_moved(run, course):
    (course / "exercises" / NAME).write_bytes(SOLVED)
    status, out, _ = run("exercise", "2")
    assert status == 0 and out.splitlines()[1] == f"lessons/exercises/{NAME}" and "3 of 3 right" in out
    assert "belongs to the course" in out and out.splitlines()[-1] == "minilstm exercise 2 --move"
    assert not (course / "my").exists()
    refused(run("exercise", "2", "--reset"), 2, "no blank exercise to copy", "minilstm exercise 2 --move")


def test_beside_a_copy_they_are_not_graded_and_a_message_says_so(run, course):
    run("exercise", "2")
    (course / "exercises" / NAME).write_bytes(b"def gates(z)\n")
    status, out, error = run("exercise", "2")
    assert (status, error) == (1, "") and "0 of 3 right" in out and f"Only lessons/my/{NAME} was graded." in out
    assert run("exercise")[0] == 0


@pytest.mark.parametrize("mine", [None, b"# my own\n"])
def test_moving_them_loses_nothing_and_restores_the_blank_file(run, course, mine):
    committed(course.parent)
    (course / "exercises" / NAME).write_bytes(SOLVED)
    if mine:
        (course / "my").mkdir()
        (course / "my" / NAME).write_bytes(mine)
    status, out, error = run("exercise", "2", "--move")
    assert (status, error) == (0, "") and f"lessons/exercises/{NAME} is blank again." in out
    assert (course / "exercises" / NAME).read_bytes() == BLANK and (course / "my" / NAME).read_bytes() == SOLVED
    if mine:
        assert "kept in lessons/my/02_one_step.1.py" in out
        assert (course / "my" / "02_one_step.1.py").read_bytes() == mine
    status, out, _ = run("exercise", "2")
    assert status == 0 and "--move" not in out


def test_answers_are_moved_without_git_too(run, course, monkeypatch):
    monkeypatch.setenv("PATH", "")
    (course / "exercises" / NAME).write_bytes(SOLVED)
    for _ in range(2):  # a second time keeps no second copy
        status, out, error = run("exercise", "2", "--move")
        assert (status, error) == (0, "") and "still filled in" in out
    assert [path.name for path in (course / "my").iterdir()] == [NAME]
    assert (course / "my" / NAME).read_bytes() == SOLVED == (course / "exercises" / NAME).read_bytes()


def test_a_copy_that_cannot_be_written_leaves_the_old_one_unchanged(run, course, monkeypatch):
    run("exercise", "2")
    mine = course / "my" / NAME
    mine.write_bytes(SOLVED)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("minilstm.files.os.fsync", full)
    assert run("exercise", "2", "--reset")[0] == 1
    assert {path.name: path.read_bytes() for path in mine.parent.iterdir()} == {NAME: SOLVED}


def test_a_kept_file_never_takes_the_name_of_another(tmp_path):
    path = tmp_path / "notes.ipynb"
    path.write_bytes(b"new")
    (tmp_path / "notes.1.ipynb").write_bytes(b"older")
    assert keep(path) == tmp_path / "notes.2.ipynb"
    assert (tmp_path / "notes.1.ipynb").read_bytes() == b"older" and path.read_bytes() == b"new"


# The clone


def test_working_through_the_course_leaves_the_clone_clean(run, tmp_path, monkeypatch):
    pytest.importorskip("jupytext")
    clone = tmp_path / "clone"
    lessons = clone / "lessons"
    for part in (*FOLDERS, "pictures"):
        shutil.copytree(LESSONS / part, lessons / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(LESSONS / NAME, lessons)
    shutil.copy(LESSONS.parent / ".gitignore", clone)
    committed(clone)
    monkeypatch.chdir(clone)
    for number, solution in numbered(LESSONS / "solutions").items():  # every exercise: begun, solved, begun again
        assert run("exercise", number, "--reset")[0] == 0
        shutil.copy(solution, lessons / "my")
    assert run("exercise", "2")[0] == 0
    assert run("exercise", "2", "--reset")[0] == 0
    for number in numbered(lessons / "exercises"):  # which the tests of the exercises look at
        assert not copy_of(number, lessons).filled_in()

    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(lessons / NAME), raising=False)
    monkeypatch.setattr("minilstm.course.pictures.in_notebook", lambda: False)
    for options in ([], ["--quick"]):  # a lesson's pictures
        monkeypatch.setattr(sys, "argv", [str(lessons / NAME), *options])
        save(Figure(figsize=(1, 1)), "02_one_step")

    assert run("notebooks", "2")[0] == 0
    notebook = lessons / "02_one_step.ipynb"
    notebook.write_text(notebook.read_text(encoding="utf-8").replace("After", "My notes: after"), encoding="utf-8")
    assert run("notebooks", "2", "--force")[0] == 0
    (lessons / ".ipynb_checkpoints").mkdir()
    (lessons / ".ipynb_checkpoints" / "02_one_step-checkpoint.ipynb").write_text("{}", encoding="utf-8")
    monkeypatch.setattr("minilstm.course.pictures.in_notebook", lambda: True)
    for place in (lessons, clone):  # where a notebook may be run
        monkeypatch.chdir(place)
        save(Figure(figsize=(1, 1)), "02_one_step")
        assert (place / "output" / "02_one_step.png").is_file()
    assert git(clone, "status", "--porcelain", "--untracked-files=all") == ""
