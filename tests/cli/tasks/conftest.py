"""What the tests of the tasks share: a folder to work in, and a terminal of 80 columns."""

import csv
import io
import json
import sys

import pytest


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def table(here):
    """Write rows as a CSV file."""

    def write(name, rows, delimiter=","):
        with open(here / name, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        return name

    return write


@pytest.fixture
def json_lines(here):
    """Write objects as JSON Lines."""

    def write(name, objects):
        (here / name).write_text("\n".join(map(json.dumps, objects)), "utf-8")
        return name

    return write


@pytest.fixture
def typed_in(monkeypatch):
    """What is read from standard input."""

    def write(text):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return write
