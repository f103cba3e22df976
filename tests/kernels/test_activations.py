"""The compiled sigmoid and tanh: the float32 error over all numbers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import minilstm
from minilstm.kernels.activations import SIGMOID_FLOAT32_ERROR, TANH_FLOAT32_ERROR, sigmoid_in_place, tanh_in_place


def compiled(function, x):
    row = x.copy()
    function(row)
    assert row.dtype == x.dtype
    return row


def largest_errors(bits):
    """The largest errors of tanh and sigmoid over float32 numbers, given as bits."""
    x = bits.astype(np.uint32).view(np.float32)
    x = x[np.isfinite(x)]
    wide = x.astype(np.float64)
    truths = np.tanh(wide), 0.5 * (1 + np.tanh(0.5 * wide))
    return [
        np.abs(compiled(function, x) - truth).max()
        for function, truth in zip((tanh_in_place, sigmoid_in_place), truths)
    ]


def test_float32_stays_within_the_stated_error_over_its_whole_range():
    # Both signs; beyond |x| = 128 nothing changes, which the next test shows. Below,
    # every 101st number is tested (benchmarks/fit_tanh.py tests all), or every 65,521st
    # if the loops run as Python.
    stride, chunk = (65_521, 1 << 34) if numba.config.DISABLE_JIT else (101, 1 << 26)
    top = int(np.float32(128).view(np.uint32))
    worst = np.zeros(2)
    for start in range(0, top, chunk):
        positive = np.arange(start, min(start + chunk, top), stride, dtype=np.uint64)
        for bits in (positive, positive + (1 << 31)):
            worst = np.maximum(worst, largest_errors(bits))
    assert TANH_FLOAT32_ERROR / 3 < worst[0] <= TANH_FLOAT32_ERROR
    assert SIGMOID_FLOAT32_ERROR / 3 < worst[1] <= SIGMOID_FLOAT32_ERROR


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_values(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([0.0, -0.0, tiny, -tiny, 1e30, -1e30, np.inf, -np.inf, np.nan], dtype)
    tanh, sigmoid = compiled(tanh_in_place, x), compiled(sigmoid_in_place, x)
    np.testing.assert_allclose(tanh, [0, 0, tiny, -tiny, 1, -1, 1, -1, np.nan], atol=TANH_FLOAT32_ERROR)
    np.testing.assert_allclose(sigmoid, [0.5] * 4 + [1, 0, 1, 0, np.nan], atol=SIGMOID_FLOAT32_ERROR)
    assert np.signbit(tanh[:4]).tolist() == [False, True, False, True]
    assert (np.abs(tanh[:-1]) <= 1).all() and (sigmoid[:-1] >= 0).all() and (sigmoid[:-1] <= 1).all()


def test_float64_is_exact_to_the_last_bits():
    x = np.linspace(-30, 30, 2001)
    np.testing.assert_allclose(compiled(tanh_in_place, x), np.tanh(x), rtol=1e-15)


COPY_AND_RUN = """
import numpy as np, sys
sys.path.insert(0, sys.argv[1])
from minilstm.kernels.lstm import lstm_step
z, c_prev = np.full((1, 4), 2.0, np.float32), np.ones((1, 1), np.float32)
c, tanh_c, h = np.empty_like(c_prev), np.empty_like(c_prev), np.empty_like(c_prev)
lstm_step(np.zeros_like(z), np.zeros(4, np.float32), c_prev, z, c, tanh_c, h)
print(h[0, 0])
"""


@pytest.mark.thorough
@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled, so nothing is kept on disk")
def test_a_change_in_a_helper_recompiles_the_kernels_that_call_it(tmp_path):
    package = tmp_path / "minilstm"
    shutil.copytree(Path(minilstm.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}

    def run():
        command = [sys.executable, "-c", COPY_AND_RUN, str(tmp_path)]
        return float(subprocess.run(command, env=environment, capture_output=True, check=True, cwd=tmp_path).stdout)

    before = run()
    assert run() == before
    helper = package / "kernels" / "activations.py"
    helper.write_text(helper.read_text("utf-8").replace("np.float32(7.9)", "np.float32(0.5)"), "utf-8")
    assert run() != before
