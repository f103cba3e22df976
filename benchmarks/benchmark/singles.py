"""Measurements of minilstm alone: tokenizing, start, memory.

    start     seconds of a whole process, from the call to its end: the help; a first
              training step (A, B = 8) with compiled kernels on disk, and with an empty
              kernel cache, as on a new machine
    memory    the largest resident size of a process that trains B, from the start of
              Python; and a curve over the training steps
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmark.processes import FOLDER, Workers, Worker, environment
from benchmark.rounds import Settings
from benchmark.workloads import WORKLOADS, write_job

FIRST_STEP = """
import numpy as np
from minilstm.models.language_model import LanguageModel
from minilstm.optim import Adam
from minilstm.models.batch import Batch
model, optimizer = LanguageModel(84, hidden=128), Adam()
ids = np.random.default_rng(0).integers(1, 84, (64, 8), dtype=np.int32)
_, gradients, _, _ = model.loss_and_gradients(Batch(ids, ids))
assert gradients.flat.any()
optimizer.step(model.parameters.flat, gradients.flat, optimizer.init(model.parameters.flat))
"""
STEPS_OF_MEMORY = 30
TEXTS = 20_000


def tokenizing(workers: Workers, settings: Settings, quick: bool = False) -> dict[str, Any]:
    """Tokens per second, to fit and to encode."""
    rows: dict[str, Any] = {}
    count = 50 if quick else TEXTS
    for corpus, unit in (("headlines", "characters"), ("recipes", "words")):
        with Worker(workers.pythons["minilstm"], FOLDER / "text.py", 1, "one thread") as worker:
            worker.ask("make", corpus=corpus, count=count)
            found = [worker.ask("tokenize", corpus=corpus, count=count) for _ in range(min(settings.rounds, 5))]
        for part in ("fit", "encode"):
            seconds, tokens = median(row[part] for row in found), found[0]["tokens"]
            rows[f"{part}, {tokens:,} {unit} of made-up {corpus}"] = {
                "value": tokens / seconds, "unit": f"{unit} per second", "seconds": [row[part] for row in found]}
    return rows


def process_seconds(command: list[str], more: dict[str, str]) -> float:
    began = time.perf_counter()
    settings = environment(2, "our threads")
    subprocess.run(command, check=True, capture_output=True, text=True, env={**settings, **more})
    return time.perf_counter() - began


def start(workers: Workers, settings: Settings) -> dict[str, Any]:
    """Median seconds over the rounds.

    With an empty cache, which compiles everything, there are at most two rounds.
    """
    python = workers.pythons["minilstm"]
    help_, first = [python, "-m", "minilstm", "--help"], [python, "-c", FIRST_STEP]
    compiled, kept, helped = [], [], []
    try:
        for _ in range(min(settings.rounds, 2)):
            with tempfile.TemporaryDirectory() as empty:
                cache = {"NUMBA_CACHE_DIR": empty}
                compiled.append(process_seconds(first, cache))
                kept += [process_seconds(first, cache) for _ in range(settings.rounds)]
        helped = [process_seconds(help_, {}) for _ in range(settings.rounds + 1)][1:]
    except subprocess.CalledProcessError as error:
        return {"start": {"failed": (error.stderr.strip().splitlines() or ["no word"])[-1]}}
    row = lambda found, most: {"value": median(found), "unit": "s", "most": most, "seconds": found}
    return {
        "minilstm --help": row(helped, 0.3),
        "first training step, kernels kept on disk": row(kept, 1.5),
        "first training step, nothing compiled yet": row(compiled, 20),
    }


def memory(workers: Workers, folder: Path, quick: bool = False) -> dict[str, Any]:
    """Peak and curve in megabytes; empty if the system does not report memory."""
    workload = WORKLOADS["B"].quick() if quick else WORKLOADS["B"]
    job = folder / "memory.npz"
    write_job(workload, job)
    with workers.start("minilstm", "our threads") as worker:
        before = worker.ask("prepare", job=str(job), variant="our threads")["memory_before_mb"]
        answer = worker.ask("steps", seconds=0, least=3 if quick else STEPS_OF_MEMORY, timeout=3600)
    curve = [megabytes for megabytes in (before, *answer["curve_mb"]) if megabytes is not None]
    if answer["peak_mb"] is None:
        return {}
    return {"training B, whole process": {"value": answer["peak_mb"], "unit": "MB at most", "most": 400, "curve_mb": curve}}


def picture(rows: dict[str, Any], path: Path) -> bool:
    """The memory curves as a picture; False if there is no matplotlib to draw it."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        return False
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for title, row in rows.items():
        axes.plot(row["curve_mb"], label=title)
    axes.set(xlabel="step (0: before the model is built)", ylabel="resident memory, MB", ylim=(0, None))
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return True
