"""How many threads compute, and of which kind. It is decided here and nowhere else.

Threads can divide a training step in two ways:

    BLAS threads    each matrix product is split; all else runs on one thread
    our threads     the mini-batch is sharded: each thread takes some of its sequences
                    all the way forward and backward (data parallelism)

Our threads divide all the work and wait for each other once a step; BLAS threads wait at
every product. ``benchmarks/speed.py`` measures both. Both kinds at once would compete for
the cores, so ours are used only where BLAS is limited to one thread. The command line
sets that before it loads NumPy; a program or notebook sets ``OPENBLAS_NUM_THREADS=1`` in
its environment. ``MINILSTM_THREADS`` sets the number of our threads.

Another number of threads changes the gradient by rounding only. The same number gives the
same bits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

from minilstm.errors import InputError

BLAS_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
OUR_VARIABLE = "MINILSTM_THREADS"
DEFAULT = 2  # benchmarks/speed.py measures two
# multiplications in a step; below, waking a thread takes longer than it saves
WORTHWHILE = 10_000_000
# sequences; below, one thread computes the product of a time step as fast as BLAS threads
MANY = 40
# numbers in an elementwise loop; below, waking a thread takes longer than it saves
LONG = 500_000

Result = TypeVar("Result")


def cores() -> int:
    """The cores that this process may use."""
    return (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1
    )


def blas_threads() -> int:
    """How many threads the environment lets BLAS use. Default: all cores."""
    values = (os.environ.get(name, "") for name in BLAS_VARIABLES)
    return int(next((value for value in values if value.isdecimal()), "0")) or cores()


def ours() -> int:
    """The largest number of shards of a mini-batch. Raises InputError if set wrongly."""
    value = os.environ.get(OUR_VARIABLE, "").strip()
    if not value:
        return min(DEFAULT, cores()) if blas_threads() == 1 else 1
    if not value.isdecimal() or int(value) < 1:
        raise InputError(
            f"{OUR_VARIABLE} must be a whole number of at least 1, or unset, not {value!r}"
        )
    return int(value)


def choose(sequences: int, multiplications: float) -> int:
    """The number of shards for so many sequences with so many multiplications."""
    return max(1, min(ours(), sequences)) if multiplications >= WORTHWHILE else 1


def left_to_blas(sequences: int) -> bool:
    """Whether BLAS, not a compiled loop, multiplies h_prev by Wh at each time step.

    So it is with many sequences and several BLAS threads, and where nothing is compiled.
    """
    compiled = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
    return not compiled or (sequences > MANY and blas_threads() > 1)


def chunks(size: int) -> list[slice]:
    """A vector of ``size`` numbers in chunks, one for each thread."""
    count = max(1, min(ours(), size // LONG))
    return [slice(size * k // count, size * (k + 1) // count) for k in range(count)]


def run(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all jobs at once, the first of them in the calling thread.

    Returns their results in order, or raises the first error, when all have ended.
    """
    if len(jobs) == 1:
        return [jobs[0]()]
    import numpy as np  # here: the command line imports this file before NumPy

    floating_point = np.geterr()  # every thread has settings of its own

    def with_our_settings(job: Callable[[], Result]) -> Result:
        with np.errstate(**floating_point):
            return job()

    pool = _pool(os.getpid(), len(jobs) - 1)
    others: list[Future[Result]] = [pool.submit(with_our_settings, j) for j in jobs[1:]]
    try:
        first = jobs[0]()
    finally:
        wait(others)
    return [first, *(other.result() for other in others)]


@cache
def _pool(process: int, size: int) -> ThreadPoolExecutor:
    """Threads that are kept from step to step; a forked process makes its own."""
    return ThreadPoolExecutor(size, thread_name_prefix="minilstm")
