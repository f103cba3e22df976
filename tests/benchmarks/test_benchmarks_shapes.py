"""What models of other shapes reach: tiny runs have all figures, and distances are right."""

import json
import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.paths import BENCHMARKS
from tests.helpers.scripts import run_script

SCRIPT = BENCHMARKS / "shapes.py"


@pytest.fixture(scope="module")
def shapes():
    sys.path.insert(0, str(BENCHMARKS))
    import shapes

    yield shapes
    sys.path.remove(str(BENCHMARKS))
    sys.modules.pop("shapes", None)


def run(monkeypatch, capsys, *options):
    return run_script(monkeypatch, capsys, SCRIPT, "--quick", *options)


@pytest.mark.thorough
def test_every_experiment_has_its_figures(monkeypatch, capsys, tmp_path):
    file = tmp_path / "shapes.json"
    status, out, err = run(monkeypatch, capsys, "--seeds", 2, "--json", file)
    assert (status, err) == (0, "")
    found = json.loads(file.read_text())
    assert list(found) == ["topics", "dates", "addition", "pictures"]
    for results in found.values():
        assert len(results) == 2 and all(np.isfinite(list(result.values())).all() for result in results)
    assert found["topics"][0]["Bayes-optimal after 3"] == pytest.approx(0.9041, abs=1e-4)
    assert found["pictures"][0]["loss"] > found["pictures"][0]["floor"] > 0
    assert "| exact with attention |" in out and "| addition, 2 seeds |" in out


def test_titles_are_read_from_a_table(monkeypatch, capsys, tmp_path):
    path = tmp_path / "titles.csv"
    rows = [f"{k % 4 + 1},title {'abcd'[k % 4]} {k}" for k in range(80)]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    status, out, _ = run(monkeypatch, capsys, "titles", "--titles", path)
    assert status == 0 and re.search(r"\| accuracy \| [\d.]+ \|", out)


def test_sequences_of_vectors_are_read_and_classified(shapes, monkeypatch, capsys, tmp_path):
    head = "# a comment\n@problemName Vowels\n@data\n"
    for part, count in (("TRAIN", 60), ("TEST", 30)):
        lines = [f"{k % 2},{k % 2 + 1}:0.5,{k}:{'ab'[k % 2]}" for k in range(count)]
        (tmp_path / f"JapaneseVowels_{part}.ts").write_text(head + "\n".join(lines), "utf-8")
    sequences, labels = shapes.read_ts(tmp_path / "JapaneseVowels_TRAIN.ts")
    assert sequences[1].tolist() == [[1, 0.5], [2, 1]] and labels[:3] == ["a", "b", "a"]
    status, out, _ = run(monkeypatch, capsys, "vowels", "--vowels", tmp_path)
    assert status == 0 and re.search(r"\| vowels, 1 seeds \|", out)


def test_what_is_missing_is_named(monkeypatch, capsys):
    assert "titles needs --titles FILE" in run(monkeypatch, capsys, "titles")[0]
    assert "vowels needs --vowels FOLDER" in run(monkeypatch, capsys, "vowels")[0]
    status, _, err = run(monkeypatch, capsys, "speeches")
    assert status == 2 and "no 'speeches'" in err


def naive_distance(a, b):
    """By the recursive definition."""
    if not a or not b:
        return len(a) + len(b)
    return min(naive_distance(a[1:], b) + 1, naive_distance(a, b[1:]) + 1, naive_distance(a[1:], b[1:]) + (a[0] != b[0]))


@given(st.lists(st.integers(0, 2), max_size=5), st.lists(st.integers(0, 2), max_size=5))
def test_the_edit_distance_is_that_of_its_definition(shapes, a, b):
    assert shapes.edit_distance(np.array(a), np.array(b)) == naive_distance(a, b)
