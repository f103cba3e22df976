"""A mini-batch sharded over threads: the same results as on one thread, and errors."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilstm.models.per_token
from minilstm import SGD, Adam, LanguageModel, RMSprop
from minilstm.errors import InputError, NotFiniteError
from minilstm.models.batch import Batch
from minilstm.parallel import threads
from minilstm.parallel.shards import shard_batch, whole_batch
from tests.helpers.strategies import models_and_batches_V_H_T_B, seeds

CLOSE = dict(rtol=1e-11, atol=1e-13)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in (*threads.BLAS_VARIABLES, threads.OUR_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def among(count, do):
    """``do()`` with every mini-batch sharded over ``count`` threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "choose", lambda sequences, multiplications: count)
        # gradients are added in chunks
        patch.setattr(threads, "ours", lambda: count), patch.setattr(threads, "LONG", 3)
        return do()


def everything(model, batch, state, seed):
    loss, gradients, final, dstate = model.loss_and_gradients(batch, state, np.random.default_rng(seed))
    return loss, gradients.flat.copy(), np.array(final), np.array(dstate)


@given(models_and_batches_V_H_T_B(rates=st.just(0.0) | st.floats(0.1, 0.6)), st.integers(2, 5), seeds)
def test_several_threads_compute_the_same_as_one(case, count, seed):
    model, batch, state = case
    one, several = (among(n, lambda: everything(model, batch, state, seed)) for n in (1, count))
    assert np.abs(one[1]).max() > 0
    for a, b in zip(several, one, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)
    loss, final = among(count, lambda: model.loss(batch, state, np.random.default_rng(seed)))
    assert loss == pytest.approx(one[0], rel=1e-12)
    np.testing.assert_allclose(np.array(final), one[2], **CLOSE)


@given(models_and_batches_V_H_T_B(rates=st.just(0.3)), seeds)
def test_the_same_number_of_threads_gives_the_same_bits(case, seed):
    model, batch, state = case
    first, second = (among(2, lambda: everything(model, batch, state, seed)) for _ in range(2))
    assert np.abs(first[1]).max() > 0
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=9).filter(any), st.integers(1, 4), seeds)
def test_every_token_is_in_one_shard_and_shards_are_of_similar_size(lengths, count, seed):
    rng, B, T = np.random.default_rng(seed), len(lengths), max(lengths)
    inputs = np.arange(T * B).reshape(T, B)  # all tokens are different
    state = ((rng.standard_normal((B, 2)),),)
    batch = whole_batch(inputs, -inputs, np.array(lengths), state, {"output": np.arange(sum(lengths))[:, None]})
    shards = shard_batch(batch, count)
    assert len(shards) == min(count, np.count_nonzero(lengths))
    seen = []
    for shard in shards:
        mine = np.arange(B)[shard.sequences]
        np.testing.assert_array_equal(shard.targets, -shard.inputs)
        assert shard.packing.N == len(shard.inputs) > 0 and shard.tokens == sum(lengths)
        assert sorted(shard.inputs) == sorted(inputs[t, b] for b in mine for t in range(lengths[b]))
        padded = shard.packing.unpack(shard.inputs)
        for column, b in enumerate(mine):
            np.testing.assert_array_equal(padded[: lengths[b], column], inputs[: lengths[b], b])
            np.testing.assert_array_equal(shard.state[0][0][column], state[0][0][b])
        np.testing.assert_array_equal(batch.inputs[shard.masks["output"][:, 0]], shard.inputs)
        seen += shard.inputs.tolist()
    assert sorted(seen) == sorted(batch.inputs.tolist())
    sizes = [shard.packing.N for shard in shards]
    assert max(sizes) - min(sizes) <= T


def test_a_large_batch_is_sharded_and_a_small_one_is_not(monkeypatch):
    monkeypatch.setenv("MINILSTM_THREADS", "3")
    model, seen = LanguageModel(20, hidden=96), []
    seeing = lambda batch, count: seen.append(count) or shard_batch(batch, count)
    monkeypatch.setattr(minilstm.models.per_token, "shard_batch", seeing)
    for T, B in ((2, 4), (60, 8), (60, 2), (60, 1)):
        model.loss_and_gradients(Batch(np.ones((T, B), int), np.ones((T, B), int)))
    assert seen == [1, 3, 2, 1]


@pytest.mark.parametrize(
    "environment, cores, ours",
    [
        ({}, 4, 1),  # BLAS takes all cores
        ({}, 1, 1),
        ({"OPENBLAS_NUM_THREADS": "1"}, 4, 2),
        ({"OMP_NUM_THREADS": "1"}, 4, 2),
        ({"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "1"}, 4, 1),
        ({"OPENBLAS_NUM_THREADS": "1"}, 1, 1),
        ({"OPENBLAS_NUM_THREADS": "0"}, 2, 1),
        ({"MINILSTM_THREADS": "5"}, 4, 5),
        ({"MINILSTM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, 4, 1),
    ],
)
def test_our_threads_are_used_if_blas_has_one(monkeypatch, environment, cores, ours):
    monkeypatch.setattr(threads, "cores", lambda: cores)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert threads.ours() == ours


@pytest.mark.parametrize(
    "blas, sequences, without_compiler, left",
    [("1", 1000, "0", False), ("2", 8, "", False), ("2", 64, "0", True), ("1", 1, "1", True)],
)
def test_products_of_many_sequences_are_left_to_blas_if_it_has_threads(
    monkeypatch, blas, sequences, without_compiler, left
):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", blas)
    monkeypatch.setenv("NUMBA_DISABLE_JIT", without_compiler)
    assert threads.left_to_blas(sequences) is left


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5"])
def test_an_impossible_number_of_threads_is_refused(monkeypatch, said):
    monkeypatch.setenv("MINILSTM_THREADS", said)
    with pytest.raises(InputError, match="MINILSTM_THREADS must be a whole number of at least 1, or unset, not"):
        threads.ours()


@given(st.integers(0, 5000), st.integers(1, 5))
def test_chunks_cover_the_whole_without_gaps(size, count):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "LONG", 100), patch.setattr(threads, "ours", lambda: count)
        chunks = threads.chunks(size)
    assert np.concatenate([np.arange(size)[chunk] for chunk in chunks]).tolist() == list(range(size))
    assert len(chunks) == max(1, min(count, size // 100))
    assert all(chunk.stop - chunk.start >= min(size, 100) for chunk in chunks)


@pytest.mark.parametrize("optimizer", [Adam(0.1), RMSprop(0.1, momentum=0.5), SGD(0.1, momentum=0.5, nesterov=True)])
def test_an_optimizer_on_several_threads_takes_the_same_step(monkeypatch, optimizer):
    rng, results = np.random.default_rng(0), []
    start, g = rng.standard_normal(1003), rng.standard_normal(1003)
    monkeypatch.setattr(threads, "LONG", 10)
    for count in (1, 4):
        monkeypatch.setattr(threads, "ours", lambda count=count: count)
        theta, state = start.copy(), optimizer.init(start)
        for _ in range(3):
            state = optimizer.step(theta, g, state)
        results.append((theta, *state))
    assert np.abs(results[0][0] - start).min() > 0
    for one, several in zip(*results):
        np.testing.assert_array_equal(one, several)


@pytest.mark.parametrize("place", [0, 999])
def test_an_infinite_or_nan_parameter_is_noticed_on_any_thread(monkeypatch, place):
    monkeypatch.setattr(threads, "LONG", 10), monkeypatch.setattr(threads, "ours", lambda: 2)
    theta, g = np.zeros(1000), np.ones(1000)
    theta[place] = np.inf
    with pytest.raises(NotFiniteError):
        SGD().step(theta, g, SGD().init(theta))


def test_jobs_run_in_parallel_and_return_in_order():
    # no job continues before all three have started
    meeting = threading.Barrier(3, timeout=60)
    names = threads.run([lambda k=k: meeting.wait() * 0 + k for k in range(3)])
    assert names == [0, 1, 2]


@pytest.mark.parametrize("wrong", [0, 1])
def test_an_error_is_raised_after_all_jobs_have_ended(wrong):
    others, go = [], threading.Event()

    def fail():
        go.set()
        raise ValueError("in a shard")

    def work():
        assert go.wait(60)
        others.append("ended")

    with pytest.raises(ValueError, match="in a shard"):
        threads.run([fail, work] if wrong == 0 else [work, fail])
    assert others == ["ended"]


def test_floating_point_settings_hold_in_every_thread():
    overflow = lambda: np.float32(3e38) * np.float32(10)
    with np.errstate(over="ignore"):
        assert threads.run([overflow, overflow]) == [np.inf, np.inf]
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        threads.run([lambda: np.float32(0), overflow])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_has_threads_of_its_own():
    program = (
        "import os\nfrom minilstm.parallel import threads\n"
        "jobs = [lambda: 1, lambda: 2]\n"
        "assert threads.run(jobs) == [1, 2]\n"
        "child = os.fork()\n"
        "if child == 0:\n    os._exit(0 if threads.run(jobs) == [1, 2] else 1)\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=60).returncode == 0
