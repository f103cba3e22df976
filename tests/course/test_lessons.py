"""Lessons run; exercises have blanks, right solutions, and hints that do not contain them."""

import ast
import io
import os
import re
import subprocess
import sys
import tokenize
import unicodedata

import pytest

from minilstm.course.exercise import copy_of
from minilstm.course.folder import numbered, title
from tests.helpers.exercises import exercise
from tests.helpers.paths import LESSONS

SCRIPTS = numbered(LESSONS)
PNG = b"\x89PNG\r\n\x1a\n"
AT_ONCE = (2, 3)  # the others take longer
TO_RUN = [pytest.param(number, marks=() if number in AT_ONCE else pytest.mark.thorough) for number in SCRIPTS]


def lines_of_code(text):
    """The number of lines with code."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return len({line for token in tokens if token.type not in silent for line in range(token.start[0], token.end[0] + 1)})


def columns(line):
    """The columns of a line in a terminal; a combining accent takes none."""
    return sum(not unicodedata.combining(character) for character in line)


@pytest.mark.parametrize("number", TO_RUN)
def test_a_lesson_runs(number, tmp_path):
    folder = tmp_path / "lessons"
    folder.mkdir()
    script = folder / SCRIPTS[number].name
    script.write_bytes(SCRIPTS[number].read_bytes())
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "error", "PYTHONPATH": str(LESSONS.parent)}
    done = subprocess.run(
        [sys.executable, script, "--quick"], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = re.sub("\x1b\\[[0-9;]*m", "", done.stdout).splitlines()
    assert lines and not [line for line in lines if columns(line) > 80 and not line.startswith("picture: ")]
    pictures = re.findall(r"^picture: (.+)$", done.stdout, re.MULTILINE)
    assert all((tmp_path / picture).read_bytes().startswith(PNG) for picture in pictures)
    assert pictures or number == 1


@pytest.mark.parametrize("number", SCRIPTS)
def test_a_lesson_has_cells_and_at_most_150_lines_of_code(number):
    text = SCRIPTS[number].read_text(encoding="utf-8")
    assert text.startswith(f"# %% [markdown]\n# # {number}. ")
    assert "\n# %%\nimport numpy as np\n" in text
    assert "\n# ## Exercises\n" in text
    assert f"`minilstm exercise {number}` makes your copy, `lessons/my/{SCRIPTS[number].name}`." in text
    assert lines_of_code(text) <= 150
    assert "assert " in text


@pytest.mark.parametrize("number", SCRIPTS)
def test_an_exercise_has_blanks_in_three_tasks_and_their_lines_are_named(number):
    this, blank_file = exercise(number), numbered(LESSONS / "exercises")[number]
    results = [*this.results()]
    assert [result.state for result in results] == ["not answered"] * 3
    for result in results:
        line = int(re.fullmatch(r"line (\d+) still has a blank: \.\.\.", result.sentence)[1])
        assert "..." in blank_file.read_text(encoding="utf-8").splitlines()[line - 1]
    assert not copy_of(number, LESSONS).filled_in()
    assert sum(len(this.answers.blanks(task.name)) for task in this.tasks) == copy_of(number, LESSONS).blanks


@pytest.mark.parametrize("number", SCRIPTS)
def test_solutions_are_right(number):
    results = [*exercise(number, numbered(LESSONS / "solutions")[number]).results()]
    assert [result.state for result in results] == ["right"] * 3, [result.sentence for result in results]
    assert all(result.sentence for result in results)


@pytest.mark.parametrize("number", SCRIPTS)
def test_each_task_has_two_hints_which_do_not_contain_the_solution(number):
    this = exercise(number)
    for task in this.tasks:
        first, second = task.hints
        assert len(first) > 20 and len(second) > 20 and first != second
        solution = this.solutions.source(task.name)
        assert solution and solution.strip() not in first + second
        nodes = [node.value for node in ast.walk(ast.parse(solution)) if isinstance(node, ast.Return)]
        returned = [ast.unparse(node) for node in nodes if node]
        assert not [value for value in returned if len(value) > 25 and value in first + second]


@pytest.mark.parametrize("number", SCRIPTS)
def test_an_exercise_and_its_solutions_define_the_same_names(number):
    this = exercise(number)
    for task in this.tasks:
        mine, theirs = (ast.parse(answers.source(task.name)).body[0] for answers in (this.answers, this.solutions))
        assert type(mine) is type(theirs)
        if isinstance(mine, ast.FunctionDef):
            assert ast.dump(mine.args) == ast.dump(theirs.args)


def test_every_lesson_has_its_exercise():
    for folder in ("exercises", "solutions", "grading"):
        assert {number: path.name for number, path in numbered(LESSONS / folder).items()} == {
            number: path.name for number, path in SCRIPTS.items()
        }
    for path in numbered(LESSONS / "exercises").values():
        text, number = path.read_text(encoding="utf-8"), int(path.name[:2])
        assert title(path).startswith(f"{number}. ") and "\n" not in title(path)
        assert f"\nlessons/my/{path.name}. Leave the one in lessons/exercises blank." in text
        assert text.endswith('if __name__ == "__main__":\n    from minilstm.course import grade\n\n    grade(__file__)\n')


def test_the_page_of_the_lessons_links_every_lesson_and_shows_its_picture():
    text = (LESSONS / "README.md").read_text(encoding="utf-8")
    for number, path in SCRIPTS.items():
        title = path.read_text(encoding="utf-8").splitlines()[1].removeprefix(f"# # {number}. ")
        assert f"| {number} | [{title}]({path.name}) |" in text
        assert f'<a href="{path.name}"><img src="pictures/{path.stem}.png" ' in text
    for link in re.findall(r'(?:href|src)="([^"]+)"|\]\(([^)#]+)[^)]*\)', text):
        assert (LESSONS / "".join(link)).is_file(), link
    for picture in (LESSONS / "pictures").iterdir():
        assert picture.read_bytes().startswith(PNG) and picture.stem in {path.stem for path in SCRIPTS.values()}
