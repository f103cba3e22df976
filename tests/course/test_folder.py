"""Where the lessons are: in the current folder, a clone, or an installed package."""

import os
import shutil
import subprocess
import sys

import pytest

import minilstm
from minilstm.course.folder import copy_lessons, lessons, numbered
from minilstm.errors import InputError
from tests.helpers.commands import refused
from tests.helpers.course import small_course
from tests.helpers.paths import LESSONS, ROOT


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installed package with exercises 2 and 3 inside of it; returns that folder."""
    package = tmp_path / "site-packages" / "minilstm"
    material = package / "course" / "material"
    material.parent.mkdir(parents=True)
    shutil.move(small_course(tmp_path / "elsewhere"), material)
    (material / "__pycache__").mkdir()
    (material / "__pycache__" / "a.pyc").write_bytes(b"")
    monkeypatch.setattr(minilstm, "__file__", str(package / "__init__.py"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    return material


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_a_copy_the_command_that_makes_one_is_named(run, installed):
    for command in (["learn"], ["learn", "--list"], ["exercise", "2"], ["notebooks"]):
        refused(run(*command), 2, "minilstm learn --copy lessons")
    assert not (installed / "my").exists()


def test_the_installed_lessons_are_copied_and_then_used(run, installed, tmp_path):
    status, out, error = run("learn", "--copy", "lessons")
    home = tmp_path / "home" / "lessons"
    assert (status, error) == (0, "") and out.splitlines()[0] == f"{len(contents(home))} files copied to lessons."
    assert out.splitlines()[-1] == "Begin with: minilstm learn"
    assert set(contents(installed)) - set(contents(home)) == {"__pycache__/a.pyc"}
    assert lessons() == home
    assert "  fill in   lessons/my/02_one_step.py" in run("learn")[1].splitlines()
    assert run("exercise", "2")[0] == 1 and (home / "my" / "02_one_step.py").is_file()
    assert not (installed / "my").exists()


def test_links_out_of_the_folder_are_left_out_of_the_copy(installed, tmp_path):
    copy_lessons(tmp_path / "mine")
    text = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    assert "](../" in (installed / "README.md").read_text(encoding="utf-8") and "](../" not in text
    assert "](02_one_step.py)" in text and "read lesson 4" in text.lower()


def test_a_second_copy_adds_what_is_new_and_changes_nothing(run, installed, tmp_path):
    run("learn", "--copy", "mine")
    mine = tmp_path / "home" / "mine"
    (mine / "my").mkdir()
    (mine / "my" / "02_one_step.py").write_bytes(b"# mine\n")
    (mine / "02_one_step.py").write_bytes(b"# a remark\n")
    before = contents(mine)
    (installed / "exercises" / "20_new.py").write_bytes(b'"""20. New."""\n')
    status, out, _ = run("learn", "--copy", "mine")
    assert status == 0 and out.splitlines()[0] == "1 file copied to mine."
    assert "  mine/02_one_step.py" in out.splitlines() and "cd mine && minilstm learn" in out
    assert contents(mine) == before | {"exercises/20_new.py": b'"""20. New."""\n'}
    assert "0 files copied" in run("learn", "--copy", "mine")[1]


def test_the_current_folder_comes_before_the_clone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert lessons() == LESSONS
    here = small_course(tmp_path)
    for place in (tmp_path, here, here / "exercises"):
        monkeypatch.chdir(place)
        assert lessons() == here


def test_the_installed_lessons_grade_a_file_without_a_copy(run, installed, tmp_path):
    shutil.copy(numbered(LESSONS / "solutions")[2], tmp_path / "home" / "02_mine.py")
    assert run("exercise", "--file", "02_mine.py")[0] == 0
    assert not (installed / "my").exists()


def test_a_package_without_lessons_says_so(installed, tmp_path):
    shutil.rmtree(installed)
    with pytest.raises(InputError, match="install it again"):
        copy_lessons(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_a_copy_cannot_be_made_in_place_of_a_file(run, installed, tmp_path):
    (tmp_path / "home" / "file").write_bytes(b"x")
    assert run("learn", "--copy", "file")[0] in (1, 2)
    assert (tmp_path / "home" / "file").read_bytes() == b"x"


@pytest.mark.thorough
def test_the_wheel_contains_all_lessons_and_they_work_from_it(tmp_path):
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "my", "output", "*.ipynb", "*.egg-info")
    for folder in ("minilstm", "lessons"):
        shutil.copytree(ROOT / folder, source / folder, ignore=ignored)
    for file in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)

    def call(*arguments, cwd=tmp_path):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=cwd, capture_output=True, encoding="utf-8",
            env=os.environ | {"PYTHONPATH": str(tmp_path / "installed"), "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    call("-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "installed", source)
    assert call("-c", "import minilstm; print(minilstm.__file__)").startswith(str(tmp_path / "installed"))
    home = tmp_path / "home"
    home.mkdir()
    call("-m", "minilstm", "learn", "--copy", "lessons", cwd=home)
    assert set(contents(home / "lessons")) == set(contents(source / "lessons"))
    assert "Next: 1. From text to numbers" in call("-m", "minilstm", "learn", cwd=home)
    solved = shutil.copy(LESSONS / "solutions" / "03_one_step_backward.py", home / "03.py")
    assert "3 of 3 right" in call("-m", "minilstm", "exercise", "--file", "03.py", cwd=home)
    (home / "lessons" / "my").mkdir()
    shutil.copy(solved, home / "lessons" / "my" / "03_one_step_backward.py")
    assert "3. lstm_step_backward: right" in call("-m", "minilstm", "learn", "3", "--once", cwd=home)
    assert "loss before the update" in call("03_one_step_backward.py", "--quick", cwd=home / "lessons")
