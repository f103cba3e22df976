"""How time and memory grow: does twice the work take twice the time?

    (1)  log y = a + k log x        y: seconds or megabytes, x: size; k by least squares

k = 1 is linear growth. The sizes are 1 to 16 times the smallest one. They are time
steps, sequences of a mini-batch, and tokens of a text that is read, encoded and trained
on for an epoch. Memory is the peak of a process, minus that of a process with one time
step of one sequence. This subtracts what does not grow: Python, the libraries, compiled
kernels and the model's weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmark.processes import FOLDER, Workers, Worker
from benchmark.rounds import Settings
from benchmark.workloads import Workload, write_job

FACTORS = (1, 2, 4, 8, 16)
LEAST, MOST = 0.95, 1.05
SMALLEST = Workload("growth", "growth", "step", 64, 32, 84, 0, 128, 1, batches=1)
TEXTS = 1000  # headlines in the smallest text


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """k of (1)."""
    x, y = [math.log(size) for size in sizes], [math.log(value) for value in values]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)


def step_sizes(axis: str, quick: bool) -> list[Workload]:
    base = SMALLEST.quick() if quick else SMALLEST
    return [replace(base, **{axis: getattr(base, axis) * factor}) for factor in FACTORS]


def measure_steps(
    axis: str, workers: Workers, settings: Settings, folder: Path, quick: bool
) -> tuple[list[float], list[float]]:
    """Seconds of a training step and megabytes for each size, on one thread."""
    with ExitStack() as stack:
        started, sizes = [], step_sizes(axis, quick)
        for workload in (*sizes, replace(sizes[0], T=1, B=1)):
            write_job(workload, folder / "growth.npz")
            started.append(stack.enter_context(workers.start("minilstm", "one thread")))
            started[-1].ask("prepare", job=str(folder / "growth.npz"), variant="one thread")
            started[-1].ask("steps", seconds=0)
        *started, single = started
        seconds: list[list[float]] = [[] for _ in started]
        for _ in range(settings.rounds):
            for found, worker in zip(seconds, started):
                answer = worker.ask("steps", seconds=settings.trial, least=settings.least)
                found.append(median(answer["seconds"]))
        alone, *peaks = (worker.ask("hello")["peak_mb"] for worker in (single, *started))
    return list(map(median, seconds)), [] if alone is None else [peak - alone for peak in peaks]


def measure_texts(workers: Workers, settings: Settings, quick: bool) -> tuple[list[float], list[float]]:
    """Seconds to read, encode and train on texts of each size; their characters."""
    with Worker(workers.pythons["minilstm"], FOLDER / "text.py", 1, "one thread") as worker:
        counts = [(10 if quick else TEXTS) * factor for factor in FACTORS]
        tokens = [worker.ask("make", corpus="headlines", count=count)["characters"] for count in counts]
        seconds: list[list[float]] = [[] for _ in counts]
        for _ in range(min(settings.rounds, 3)):
            for found, count in zip(seconds, counts):
                found.append(worker.ask("learn", count=count, hidden=8 if quick else 128)["seconds"])
    return [median(found) for found in seconds], tokens


def growth(workers: Workers, settings: Settings, folder: Path, quick: bool = False) -> dict[str, Any]:
    """Rows of the report: the exponents, with the measurements that they fit."""
    rows: dict[str, Any] = {}
    for axis, title in (("T", "time steps T"), ("B", "sequences B")):
        seconds, memory = measure_steps(axis, workers, settings, folder, quick)
        rows[f"exponent of time in {title}"] = {
            "value": exponent(FACTORS, seconds), "unit": "", "least": LEAST, "most": MOST, "sizes": FACTORS, "seconds": seconds}
        if memory and min(memory) > 0:
            rows[f"exponent of memory in {title}"] = {
                "value": exponent(FACTORS, memory), "unit": "", "least": LEAST, "most": MOST, "sizes": FACTORS,
                "megabytes": memory}
    seconds, tokens = measure_texts(workers, settings, quick)
    rows["exponent of time in tokens of a text"] = {
        "value": exponent(tokens, seconds), "unit": "", "least": LEAST, "most": MOST, "sizes": tokens, "seconds": seconds}
    return rows
