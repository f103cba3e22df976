"""What each complication of the engine brings: the same work with it and without it.

    OPENBLAS_NUM_THREADS=1 python benchmarks/ablation.py --markdown ablation.md

    huge pages            parameters and buffers in pages of 2 MB, or as NumPy places them
    packed weights        the time loop compiled as a whole, with packed weights, or one
                          product by BLAS and one kernel call per time step
    shards                a mini-batch sharded over two threads, or one thread
    compiled generation   text by one compiled loop, or by the reference's loop in NumPy
    heap for top-k        a draw of 40 of 10,000 tokens by a heap, or by sorting all
    kernel cache          a process's first training step, kernels from disk or compiled

With and without run in turn, and a ratio is taken within each round. Reported are
medians, and of the ratio also the smallest and the largest value.
"""

from __future__ import annotations

import argparse
import atexit
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from benchmark.machine import processor
from benchmark.workloads import WORKLOADS, random_batches

from minilstm import Adam, LanguageModel
from minilstm.generation.loop import choice_of, write
from minilstm.kernels import huge_pages
from minilstm.kernels.compile import kernel
from minilstm.kernels.sampling import weigh
from minilstm.parallel import threads
from minilstm.reference import generate as reference
from minilstm.streams import make_writable

Work = Callable[[], Any]
FIRST_STEP = """
import numpy as np
from minilstm import LanguageModel
from minilstm.models.batch import Batch
ids = np.zeros((8, 8), np.int32)
LanguageModel(84).loss_and_gradients(Batch(ids, ids, np.full(8, 8)))
"""


@contextmanager
def replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """A context in which ``module.name`` is ``value``."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def step_of(name: str) -> Work:
    """A training step of a workload: forward, backward, Adam. Its buffers exist."""
    w = WORKLOADS[name]
    model, optimizer = LanguageModel(w.V, w.E or None, w.H, w.L), Adam()
    state = optimizer.init(model.parameters.flat)
    batch = random_batches(w, np.random.default_rng(0))[0]

    def step() -> None:
        nonlocal state
        _, gradients, _, _ = model.loss_and_gradients(batch)
        state = optimizer.step(model.parameters.flat, gradients.flat, state)

    step()
    return step


def within(work: Work, module: Any, name: str, value: Any) -> Work:
    def changed() -> None:
        with replaced(module, name, value):
            work()

    return changed


def with_huge_pages() -> tuple[Work, Work]:
    with replaced(huge_pages, "empty", np.empty):
        without = step_of("A64")
    return step_of("A64"), without


def with_packed_weights() -> tuple[Work, Work]:
    step = step_of("A8")
    return step, within(step, threads, "left_to_blas", lambda sequences: True)


def with_shards() -> tuple[Work, Work]:
    one, two = step_of("A64"), step_of("A64")
    return (
        within(two, threads, "ours", lambda: 2),
        within(one, threads, "ours", lambda: 1),
    )


def with_compiled_generation(length: int = 200) -> tuple[Work, Work]:
    model = LanguageModel(84)
    params, prompt = dict(model.parameters.items()), np.zeros((1, 1), np.int32)
    choice = choice_of(84, 1.0, None, None, False, (), end=-1)
    rng = np.random.default_rng(0)

    def compiled() -> None:
        write(model, model.zero_state(1), length, choice, rng)

    return compiled, lambda: reference.generate_ids(params, prompt, length, rng)


@kernel
def weigh_by_sorting(a, k, w):
    """Weights of the k largest of a; of equals, any. The others get 0."""
    order = np.argsort(a)
    for r in range(a.size):
        w[order[r]] = np.exp(a[order[r]] - a[order[-1]]) if r >= a.size - k else 0.0


def with_heap(V: int = 10_000, k: int = 40) -> tuple[Work, Work]:
    logits = np.random.default_rng(0).normal(0, 3, V)
    heap, w = np.empty(V, np.int64), np.empty(V)
    heaped = lambda: weigh(logits.copy(), 1.0, k, np.inf, heap, w)
    return heaped, lambda: weigh_by_sorting(logits, k, w)


def with_kernel_cache() -> tuple[Work, Work]:
    def first_step(folder: str) -> None:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        subprocess.run([sys.executable, "-c", FIRST_STEP], env=environment, check=True)

    def compiling() -> None:
        with tempfile.TemporaryDirectory() as folder:
            first_step(folder)

    kept = tempfile.TemporaryDirectory()  # filled by the first, uncounted call
    atexit.register(kept.cleanup)
    return lambda: first_step(kept.name), compiling


PARTS: dict[str, tuple[str, Callable[[], tuple[Work, Work]]]] = {
    "huge pages": ("training step A64", with_huge_pages),
    "packed weights": ("training step A8", with_packed_weights),
    "shards": ("training step A64", with_shards),
    "compiled generation": ("200 characters", with_compiled_generation),
    "heap for top-k": ("one draw", with_heap),
    "kernel cache": ("first step of a process", with_kernel_cache),
}


def seconds_of(work: Work, seconds: float) -> float:
    """Median time of one call, called for so long."""
    times: list[float] = []
    while sum(times) < seconds or not times:
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def compare(name: str, rounds: int, seconds: float) -> str:
    """A row of the table."""
    what, build = PARTS[name]
    pair = build()
    for work in pair:
        work()  # compiles, and fills caches
    turns = []
    for k in range(rounds):
        order = (0, 1) if k % 2 else (1, 0)
        took = {side: seconds_of(pair[side], seconds) for side in order}
        turns.append((took[0], took[1]))
    with_it, without = (1e3 * statistics.median(side) for side in zip(*turns))
    ratios = sorted(b / a for a, b in turns)
    spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    figures = (f"{ms:,.0f}" if ms >= 100 else f"{ms:.3g}" for ms in (with_it, without))
    return f"| {name} | {what} | {' | '.join(figures)} | {spread} |"


def main() -> int:
    parser = argparse.ArgumentParser(description="What each complication brings.")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)}"
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each turn")
    parser.add_argument("--markdown", type=Path, help="write the table to this file, too")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    lines = [
        f"Processor: {processor()}. {arguments.rounds} rounds.",
        "",
        "| part | measured | with it, ms | without, ms | without / with |",
        "|---|---|---:|---:|---:|",
    ]
    print(*lines, sep="\n", flush=True)
    for name in arguments.parts or PARTS:
        lines.append(compare(name, arguments.rounds, arguments.seconds))
        print(lines[-1], flush=True)
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
