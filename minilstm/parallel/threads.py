"""How many threads compute, and of which kind. It is decided here and nowhere else.

Threads can share a step in two ways:

    BLAS's own     every matrix product is split; what stands between the products runs on one thread
    ours           the batch is split: each thread takes some of its sequences all the way forward and back

Ours share all the work and meet once a step; those of BLAS meet at every product. ``benchmarks/speed.py`` measures both in
turn. Both at once wait for each other, so ours are used where BLAS has been told to use one: the command line does so before
NumPy is loaded, a program or notebook by ``OPENBLAS_NUM_THREADS=1`` in its environment. ``MINILSTM_THREADS`` says how many of
ours there may be. The gradient is the same but for rounding, and the same to the last bit for the same number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

from minilstm.errors import InputError

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
OUR_VARIABLE = "MINILSTM_THREADS"
DEFAULT = 2  # as many as were measured
WORTHWHILE = 10_000_000  # multiplications in a step: with fewer, to wake a thread takes longer than what it saves
MANY = 40  # sequences: with fewer, their product at one step is no slower on one thread than shared by those of BLAS
LONG = 500_000  # numbers that a thread goes through one by one: the same

Result = TypeVar("Result")


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def blas_threads() -> int:
    """How many threads the environment lets BLAS use: all cores, where it says nothing."""
    said = next((os.environ[name] for name in BLAS_VARIABLES if os.environ.get(name, "").isdecimal()), "0")
    return int(said) or cores()


def ours() -> int:
    """How many threads may share a batch."""
    said = os.environ.get(OUR_VARIABLE, "").strip()
    if not said:
        return min(DEFAULT, cores()) if blas_threads() == 1 else 1
    if not said.isdecimal() or int(said) < 1:
        raise InputError(f"{OUR_VARIABLE} must be a whole number of at least 1, or unset, not {said!r}")
    return int(said)


def choose(sequences: int, multiplications: float) -> int:
    """Among how many threads to deal out so many sequences, in which there is so much to multiply."""
    return max(1, min(ours(), sequences)) if multiplications >= WORTHWHILE else 1


def left_to_blas(sequences: int) -> bool:
    """Whether the product that a recurrent layer takes at every step is better left to BLAS than to a kernel of ours.

    Where threads of BLAS share it, and where kernels are not compiled.
    """
    compiled = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
    return not compiled or (sequences > MANY and blas_threads() > 1)


def pieces(size: int) -> list[slice]:
    """A vector of so many numbers in pieces, one for each thread, for what is done to each number by itself."""
    count = max(1, min(ours(), size // LONG))
    return [slice(size * k // count, size * (k + 1) // count) for k in range(count)]


def run(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    """Do all jobs at once, the first of them in the thread that asks. Returns, or raises, when all have come to an end."""
    if len(jobs) == 1:
        return [jobs[0]()]
    import numpy as np  # here, for the command line reads this file before NumPy may be loaded

    floating_point = np.geterr()  # every thread has its own

    def as_here(job: Callable[[], Result]) -> Result:
        with np.errstate(**floating_point):
            return job()

    pool = _pool(os.getpid(), len(jobs) - 1)
    others: list[Future[Result]] = [pool.submit(as_here, job) for job in jobs[1:]]
    try:
        first = jobs[0]()
    finally:
        wait(others)
    return [first, *(other.result() for other in others)]


@cache
def _pool(process: int, size: int) -> ThreadPoolExecutor:
    """Threads that stay from step to step; a forked process has none of its parent's, and makes its own."""
    return ThreadPoolExecutor(size, thread_name_prefix="minilstm")
