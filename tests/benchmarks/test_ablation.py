"""What each complication brings: both sides compute the same, and the table has a row."""

import re
import sys

import numpy as np
import pytest

from minilstm.kernels import huge_pages
from minilstm.kernels.sampling import weigh
from minilstm.parallel import threads
from tests.helpers.paths import BENCHMARKS
from tests.helpers.scripts import run_script

SCRIPT = BENCHMARKS / "ablation.py"
ROW = re.compile(r"\| (.+) \| .+ \| [\d.,]+ \| [\d.,]+ \| [\d.]+ \([\d.]+ to [\d.]+\) \|")


@pytest.fixture
def ablation(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import ablation

    yield ablation
    sys.modules.pop("ablation", None)


@pytest.mark.thorough
def test_the_table_has_a_row_for_each_part(monkeypatch, capsys, tmp_path):
    file = tmp_path / "ablation.md"
    few = ["--rounds", 2, "--seconds", 1e-6, "--markdown", file]
    parts = ["huge pages", "packed weights", "shards", "compiled generation", "heap for top-k"]
    status, out, err = run_script(monkeypatch, capsys, SCRIPT, *parts, *few)
    assert (status, err) == (0, "")
    assert ROW.findall(out) == parts and file.read_text(encoding="utf-8") == out


@pytest.mark.thorough
def test_the_kernel_cache_has_a_row_too(monkeypatch, capsys):
    few = ["--rounds", 1, "--seconds", 1e-6]
    status, out, err = run_script(monkeypatch, capsys, SCRIPT, "kernel cache", *few)
    assert (status, err, ROW.findall(out)) == (0, "", ["kernel cache"])


def test_an_unknown_part_is_refused(monkeypatch, capsys):
    status, _, err = run_script(monkeypatch, capsys, SCRIPT, "wings")
    assert status == 2 and "no part 'wings'" in err and "huge pages" in err


@pytest.mark.thorough
def test_sorting_keeps_the_tokens_that_the_heap_keeps(ablation):
    logits = np.random.default_rng(0).normal(size=50)
    w, heap, sorted_w = np.empty(50), np.empty(50, np.int64), np.empty(50)
    weigh(logits.copy(), 1.0, 7, np.inf, heap, w)
    ablation.weigh_by_sorting(logits, 7, sorted_w)
    assert np.count_nonzero(w) == 7
    np.testing.assert_allclose(w, sorted_w, rtol=1e-15)


def test_replaced_functions_are_restored(ablation):
    before = huge_pages.empty, threads.left_to_blas, threads.ours
    for build in (ablation.with_huge_pages, ablation.with_packed_weights):
        for work in build():
            work()
    assert before == (huge_pages.empty, threads.left_to_blas, threads.ours)
