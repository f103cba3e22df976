"""The table of kernels has a row for each; a kernel with wrong results is not timed."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from minilstm import kernels
from tests.helpers.paths import BENCHMARKS, ROOT

SCRIPT = BENCHMARKS / "kernels.py"


@pytest.fixture
def bench(monkeypatch):
    """The script as a module, with sizes so small that it is fast even in Python."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.delitem(sys.modules, "kernels", raising=False)
    import kernels as script

    for name, size in {"B": 3, "H": 5, "N": 4, "V": 40, "IDS": 50, "NUMBERS": 70, "PARAMETERS": 60}.items():
        monkeypatch.setattr(script, name, size)
    yield script
    sys.modules.pop("kernels", None)


@pytest.mark.thorough
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_case_agrees_with_its_naive_form_and_is_timed(bench, dtype):
    for case in bench.CASES:
        row = bench.measure(case, dtype, 0)
        assert row["name"] == case.name and row["dtype"] == np.dtype(dtype).name and row["elements"] >= 12
        assert row["kernel"] > 0 and row["naive"] > 0
        assert row["times_as_fast"] == pytest.approx(row["naive"] / row["kernel"])


def test_every_kernel_is_in_the_table(bench):
    names = " ".join(case.name for case in bench.CASES)
    for cell in ("lstm", "gru", "rnn"):
        assert f"{cell}_step " in names and f"{cell}_step_backward" in names
    for optimizer in ("adam", "rmsprop", "sgd"):
        assert f"{optimizer}_step" in names
    # timed by speed.py
    for module in set(kernels.__all__) - {"generation", "sampling"}:
        assert module in names
    assert all(function in names for function in ("exp", "tanh", "sigmoid"))


@pytest.mark.thorough
def test_a_kernel_that_differs_from_its_naive_form_is_refused_by_name(bench):
    for case in bench.CASES:

        def wrong(*arrays, case=case):
            results = bench.results(case.kernel, arrays)
            results[-1].flat[-1] += 1
            return results

        with pytest.raises(AssertionError, match=f"{case.name} in float64: kernel and naive form differ by"):
            bench.measure(case._replace(kernel=wrong), np.float64, 0)


@pytest.mark.thorough
def test_the_table_is_markdown_and_the_file_has_the_same_rows(tmp_path):
    def run(*options):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, env=environment)

    result = run("--only", "gather", "--seconds", "0", "--json", str(tmp_path / "k.json"))
    assert result.returncode == 0, result.stderr
    rows, lines = json.loads((tmp_path / "k.json").read_text()), result.stdout.splitlines()
    assert [line.count("|") for line in lines] == [7] * (2 + len(rows)) and len(rows) == 4
    for row, line in zip(rows, lines[2:]):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[:2] == [row["name"], row["dtype"]] and float(cells[3]) == pytest.approx(row["kernel"], abs=6e-4)
    result = run("--only", "softmix")
    assert result.returncode == 2 and "no case has 'softmix' in its name" in result.stderr
