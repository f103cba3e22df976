"""The output of all programs accepts every character."""

import ast
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minilstm import streams
from minilstm.course.folder import numbered
from tests.helpers.paths import LESSONS

ROOT = LESSONS.parent
SCRIPTS = numbered(LESSONS)
# one runs without minilstm, one is not a program
FOREIGN = {"keras_reference.py", "published.py"}
PROGRAMS = [path for path in (ROOT / "benchmarks").glob("*.py") if path.name not in FOREIGN]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_characters_that_an_encoding_lacks_are_escaped(monkeypatch, encoding, name):
    written = io.BytesIO()
    monkeypatch.setattr(sys, name, io.TextIOWrapper(written, encoding=encoding))
    streams.make_writable()
    print("σ(z) ▁█ z", file=getattr(sys, name), flush=True)
    assert written.getvalue().split() == [rb"\u03c3(z)", rb"\u2581\u2588", b"z"]


def test_streams_that_are_closed_or_have_no_encoding_are_not_changed(monkeypatch):
    in_memory = io.StringIO()
    monkeypatch.setattr(sys, "stdout", in_memory)
    monkeypatch.setattr(sys, "stderr", None)
    streams.make_writable()
    print("σ")
    print("σ", file=sys.stderr)
    assert sys.stdout is in_memory and in_memory.getvalue() == "σ\n"
    sys.stderr.close()


def first_line_of(path, wanted):
    """The line of the first wanted node in the top level of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    lines = [node.lineno for statement in tree.body for node in ast.walk(statement) if wanted(node)]
    return min(lines, default=None)


def is_print(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


@pytest.mark.parametrize("number", SCRIPTS)
def test_every_lesson_imports_what_makes_its_output_writable_before_it_prints(number):
    imports = first_line_of(SCRIPTS[number], lambda node: isinstance(node, ast.ImportFrom) and node.module == "minilstm.course")
    assert imports is not None and imports < first_line_of(SCRIPTS[number], is_print)


@pytest.mark.parametrize("path", [*PROGRAMS, ROOT / "tests" / "mutation.py"], ids=lambda path: path.name)
def test_every_program_makes_its_output_writable_first(path):
    *_, last = ast.parse(path.read_text("utf-8")).body
    assert isinstance(last, ast.If) and ast.unparse(last.test) == "__name__ == '__main__'"
    assert ast.unparse(last.body[0]) == "make_writable()"


@pytest.mark.parametrize(
    "number, encoding", [(1, "cp1252"), pytest.param(4, "ascii", marks=pytest.mark.thorough)]
)
def test_a_lesson_can_be_read_in_a_pipe_that_lacks_its_characters(tmp_path, number, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    script = tmp_path / SCRIPTS[number].name
    script.write_bytes(SCRIPTS[number].read_bytes())
    done = subprocess.run([sys.executable, Path(script), "--quick"], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 0 and done.stderr == b"", done.stderr.decode()
    assert re.search(rb"\\[ux][0-9a-f]{2}", done.stdout) and done.stdout.decode(encoding)
