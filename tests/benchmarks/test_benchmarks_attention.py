"""The benchmark of attention: both engines get one job, and what differs is refused."""

import importlib.util
import re
import sys

import numpy as np
import pytest

from tests.helpers.paths import BENCHMARKS
from tests.helpers.scripts import run_script

SCRIPT = BENCHMARKS / "attention.py"
ROW = re.compile(r"\| (\w+) \| \d+e-\d+ \| [\d.,]+ \| [\d.,]+ \| [\d.]+ \([\d.]+ to [\d.]+\) \|")


@pytest.fixture
def attention(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import attention

    yield attention
    sys.modules.pop("attention", None)


@pytest.mark.thorough
def test_a_worker_trains_the_model_of_the_job(attention, tmp_path):
    sizes = attention.QUICK
    rng = np.random.default_rng(0)
    from minilstm.models import EncoderDecoder

    V, E, H, K = sizes[3:]
    parameters = EncoderDecoder(V, V, E, H, attention=K, bidirectional=True).parameters
    weights = {attention.WEIGHTS + name: rng.normal(size=a.shape).astype(np.float32) for name, a in parameters.items()}
    np.savez(tmp_path / "job.npz", sizes=np.array(sizes), **weights, **attention.batch_of(sizes, rng))
    questions = [
        {"do": "gradients", "to": str(tmp_path / "before.npz")}, {"do": "steps", "seconds": 0},
        {"do": "gradients", "to": str(tmp_path / "after.npz")},
    ]
    worker = attention.Worker(sys.executable, attention.WORKER, "minilstm", tmp_path / "job.npz")
    before, steps, after = (worker.ask(**question) for question in questions)
    worker.stop()
    assert after["loss"] < before["loss"] and steps["seconds"] > 0
    assert attention.difference(tmp_path / "before.npz", tmp_path / "before.npz") == 0
    assert attention.difference(tmp_path / "before.npz", tmp_path / "after.npz") > 1e-4


def test_an_unknown_case_is_refused(monkeypatch, capsys):
    status, _, err = run_script(monkeypatch, capsys, SCRIPT, "speeches")
    assert status == 2 and "no case 'speeches'" in err and "dates" in err


@pytest.mark.thorough
def test_without_pytorch_it_says_what_to_name(monkeypatch, capsys, tmp_path):
    if importlib.util.find_spec("torch") is not None:
        pytest.skip("PyTorch is installed")
    status, _, _ = run_script(monkeypatch, capsys, SCRIPT, "dates", "--quick", "--rounds", 1)
    assert "PyTorch ended without an answer" in status and "its option names a Python" in status


def test_both_engines_agree_and_the_table_has_a_row(monkeypatch, capsys, tmp_path):
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    few = ["--quick", "--rounds", 1, "--seconds", 0, "--markdown", tmp_path / "table.md"]
    status, out, _ = run_script(monkeypatch, capsys, SCRIPT, *few)
    assert status == 0 and ROW.findall(out) == ["dates", "phonemes", "sentences"]
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == out
