"""AG News titles: one job for all engines, ours learns from it, and the table has a row."""

import importlib.util
import re
import sys

import numpy as np
import pytest

from tests.helpers.paths import BENCHMARKS
from tests.helpers.scripts import run_script

SCRIPT = BENCHMARKS / "titles.py"
ROW = re.compile(r"\| (\w+) \| ([\d.]+)% \| [\d.]+% \| [\d.]+% \| [\d.]+ \| [\d.]+ \([\d.]+ to [\d.]+\) \|")
WORDS = ("storm", "bank", "match", "chip")
FEW = ["--seeds", 1, "--rounds", 1, "--seconds", 0]


@pytest.fixture
def source(tmp_path):
    """Titles whose third word is that of their class."""
    path = tmp_path / "news.csv"
    rows = [f'"{k % 4 + 1}","the {k % 7} {WORDS[k % 4]} today","text"' for k in range(800)]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


@pytest.fixture
def titles(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import titles

    yield titles
    sys.modules.pop("titles", None)


def test_the_job_has_one_split_and_padding_on_the_right(titles, source, tmp_path):
    assert titles.write_job(source, 3, tmp_path / "job.npz") == (720, 80)
    with np.load(tmp_path / "job.npz") as job:
        count, V, _, _, epochs = job["sizes"]
        assert (count, epochs) == (720, 3) and V > job["ids"].max() and len(job["ids"]) == 800
        real = np.arange(job["ids"].shape[1]) < job["lengths"][:, None]
        assert (job["ids"][real] > 0).all() and not job["ids"][~real].any()
        assert np.bincount(job["labels"]).tolist() == [200] * 4


@pytest.mark.thorough
def test_ours_learns_a_class_that_is_a_word(monkeypatch, capsys, source, tmp_path):
    file = tmp_path / "titles.md"
    status, out, _ = run_script(monkeypatch, capsys, SCRIPT, source, *FEW, "--epochs", 8, "--markdown", file)
    assert status == 0 and file.read_text(encoding="utf-8") == out
    ((name, accuracy),) = ROW.findall(out)
    assert name == "minilstm" and float(accuracy) > 95


def test_the_others_have_rows_too(monkeypatch, capsys, source):
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    peers = ["--torch-python", sys.executable]
    _, out, _ = run_script(monkeypatch, capsys, SCRIPT, source, *FEW, "--epochs", 8, *peers)
    assert [name for name, _ in ROW.findall(out)] == ["minilstm", "PyTorch"]
    assert all(float(accuracy) > 95 for _, accuracy in ROW.findall(out))
