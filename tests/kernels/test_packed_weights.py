"""The product with packed weights against scalar sums; layers on it against BLAS."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import kernels
from minilstm.kernels import simd
from minilstm.kernels.compile import kernel
from minilstm.layers import Workspace
from minilstm.parallel import threads
from tests.helpers.recurrent import EACH_CELL
from tests.helpers.strategies import seeds

TOLERANCE = {np.float32: 2e-6, np.float64: 1e-14, np.complex64: 2e-6, np.complex128: 1e-14}
EACH_DTYPE = pytest.mark.parametrize("dtype", TOLERANCE)


def random(rng, *shape, dtype):
    numbers = rng.standard_normal(shape)
    return (numbers + 0.1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else numbers).astype(dtype)


def packed(W):
    weights = np.full(kernels.packed_weights.shape(W), np.nan, W.dtype)
    kernels.packed_weights.pack(W, weights)
    return weights


def naive_product(x, W):
    """The product scalar by scalar, in double precision."""
    R, K, C = len(x), len(W), len(W[0])
    return [[sum(complex(x[r][k]) * complex(W[k][c]) for k in range(K)) for c in range(C)] for r in range(R)]


@EACH_DTYPE
@given(R=st.integers(1, 9), K=st.integers(1, 6), C=st.integers(1, 40), by_columns=st.booleans(), seed=seeds)
def test_the_product_is_right_and_writes_nothing_else(dtype, R, K, C, by_columns, seed):
    rng = np.random.default_rng(seed)
    x, W = random(rng, R, K, dtype=dtype), random(rng, K, C, dtype=dtype)
    around = np.full((R + 2, C), 7, dtype)
    kernels.packed_weights.multiply_packed(x, packed(W.T.copy().T if by_columns else W), around[1:-1])
    truth = np.array(naive_product(x.tolist(), W.tolist()))
    scale = max(1, np.abs(truth).max())
    np.testing.assert_allclose(around[1:-1] / scale, truth / scale, rtol=0, atol=TOLERANCE[dtype])
    assert (around[0] == 7).all() and (around[-1] == 7).all()


@EACH_DTYPE
def test_nan_and_infinity_stay_in_their_row_and_column(dtype):
    x, W = np.ones((6, 3), dtype), np.ones((3, 37), dtype)
    x[4, 1], W[2, 30] = np.nan, np.nan
    y = np.zeros((6, 37), dtype)
    kernels.packed_weights.multiply_packed(x, packed(W), y)
    wrong = ~np.isfinite(y)
    assert wrong[4].all() and wrong[:, 30].all() and wrong.sum() == 37 + 6 - 1


@kernel
def product_by_vectors(x, rows, start, out):
    total = simd.zeros(rows)
    for k in range(len(rows)):
        total = simd.add_product(total, x[k], simd.load(rows, k))
    simd.store(total, out[start : start + rows.shape[1]])


@EACH_DTYPE
def test_a_simd_vector_computes_as_a_row_of_numpy(dtype):
    rng, width = np.random.default_rng(0), simd.VECTOR_BYTES // np.dtype(dtype).itemsize
    x, rows = random(rng, 5, dtype=dtype), random(rng, 5, width, dtype=dtype)
    out = np.zeros(width + 9, dtype)
    product_by_vectors(x, rows, 3, out)
    np.testing.assert_allclose(out[3 : 3 + width], x @ rows, rtol=0, atol=10 * TOLERANCE[dtype])
    assert np.abs(out[3 : 3 + width]).min() > 0 and not out[:3].any() and not out[3 + width :].any()
    by_numpy = np.zeros_like(out)
    getattr(product_by_vectors, "py_func", product_by_vectors)(x, rows, 3, by_numpy)
    np.testing.assert_allclose(out, by_numpy, rtol=0, atol=10 * TOLERANCE[dtype])


WIDE_OR_NOT = """
import sys
import llvmlite.binding
import numba
numba.njit(lambda: 1)()  # the compiler has now seen the processor as it is
llvmlite.binding.get_host_cpu_features = lambda: {"avx512f": sys.argv[1] == "wide"}
import numpy as np
from minilstm import kernels
rng = np.random.default_rng(0)
for dtype, tolerance in ((np.float32, 1e-5), (np.float64, 1e-13)):
    x, W, y = (rng.standard_normal(shape).astype(dtype) for shape in ((6, 5), (5, 70), (6, 70)))
    weights = np.empty(kernels.packed_weights.shape(W), dtype)
    kernels.packed_weights.pack(W, weights)
    kernels.packed_weights.multiply_packed(x, weights, y)
    print(weights.shape[2], np.abs(x @ W).max() > 1 and np.abs(y - x @ W).max() < tolerance)
"""


@pytest.mark.thorough
@pytest.mark.parametrize("registers, widths", [("wide", (32, 16)), ("narrow", (16, 8))])
def test_a_simd_vector_is_two_registers_wide(tmp_path, registers, widths):
    """The compiler splits wide vectors for narrow registers.

    So both widths can be tested on every processor.
    """
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    said = subprocess.run([sys.executable, "-c", WIDE_OR_NOT, registers], env=environment, capture_output=True, text=True)
    assert said.stdout.split() == [str(widths[0]), "True", str(widths[1]), "True"], said.stderr


@EACH_CELL
@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 2e-5), (np.float64, 1e-13), (np.complex128, 1e-13)])
@pytest.mark.parametrize("H", [7, 16, 21])
def test_the_loop_with_packed_weights_equals_the_loop_over_blas(monkeypatch, cell, dtype, tolerance, H):
    rng, (T, B, D), layer = np.random.default_rng(H), (5, 6, 3), cell.layer(3, H)
    params = {name: random(rng, *shape, dtype=dtype) / 4 for name, shape in layer.shapes.items()}
    x, dh = random(rng, T, B, D, dtype=dtype), random(rng, T, B, H, dtype=dtype)
    state, dstate = (tuple(random(rng, B, H, dtype=dtype) for _ in cell.parts) for _ in range(2))
    found, work = [], Workspace()
    for blas in (True, False, False):  # again, in arrays that contain the first results
        monkeypatch.setattr(threads, "left_to_blas", lambda sequences: blas)
        h, final, cache = layer.forward(params, x, state, [5, 1, 3, 5, 2, 4], workspace=work)
        dx, before, grads = layer.backward(params, dh, cache, dstate)
        found.append([h, *final, dx, *before, *grads.values()])
    for over_blas, *with_packed_weights in zip(*found):
        scale = max(1, np.abs(over_blas).max())
        assert np.abs(over_blas).max() > 0
        for array in with_packed_weights:
            np.testing.assert_allclose(array / scale, over_blas / scale, rtol=0, atol=tolerance)
