"""The worker's side of the benchmark: one process, one engine, one job.

Questions are read, and answers written, as lines of JSON:

    {"do": "hello"}
        versions, threads, matrix library
    {"do": "prepare", "job": FILE, "variant": NAME}
        read the job, build the model, compile; answers seconds
    {"do": "gradients", "to": FILE}
        write the gradients of the first mini-batch to the file; answers the loss
    {"do": "steps", "seconds": S, "least": n}
        train for S seconds and at least n steps; answers the seconds of each step
    {"do": "epoch"}
        train on every mini-batch once; answers the seconds of all together
    {"do": "generate", "prompt": ids, "length": n, "count": m}
        generate m texts of n tokens; answers seconds per token, and the tokens

Every answer has ``idle_cpu``, the CPU seconds used since the last answer, and
``peak_mb``, the largest memory so far; if the question failed, also ``error``. An
engine is a class:

    Engine(job, variant)                  the model with the job's weights; an optimizer
    .loss_and_gradients()                 of the first mini-batch: a float, and arrays
                                          with minilstm's names and layout
    .step(k)                              train on mini-batch k; returns the loss when
                                          all work is done
    .generate(prompt, length, count)      generate; returns the number of tokens
    .describe()                           a dictionary for the head of the report

This file runs in every engine's environment, so it imports only NumPy.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from typing import Any, NamedTuple

import numpy as np

THREADS = int(os.environ.get("BENCHMARK_THREADS", "2"))
SIZES = ("V", "E", "H", "L")


class Job(NamedTuple):
    """What all engines get: a model and mini-batches."""

    sizes: dict[str, int]  # V, E (0: one-hot), H, L
    weights: dict[str, np.ndarray]  # by minilstm's names
    # inputs (T, B), targets (T, B), lengths (B,), falling
    batches: list[tuple[np.ndarray, np.ndarray, np.ndarray]]

    @classmethod
    def read(cls, path: str) -> Job:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        sizes = {name: int(arrays[name]) for name in SIZES}
        weights = {name.removeprefix("weights/"): value for name, value in arrays.items() if name.startswith("weights/")}
        numbers = range(sum(name.startswith("inputs") for name in arrays))
        return cls(sizes, weights, [(arrays[f"inputs{k}"], arrays[f"targets{k}"], arrays[f"lengths{k}"]) for k in numbers])

    @property
    def ragged(self) -> bool:
        """Whether any batch has padding."""
        return any((lengths < len(inputs)).any() for inputs, _, lengths in self.batches)


def without_padding(targets: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Targets (T, B) with -1 at the padding, which the losses of peers ignore."""
    real = np.arange(len(targets))[:, None] < lengths  # (T, B)
    return np.where(real, targets, -1)


def memory_mb(peak: bool = False) -> float | None:
    """Megabytes of this process, or its peak; None if the system reports none."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["VmHWM" if peak else "VmRSS"].split()[0]) / 1024
    except (OSError, KeyError):
        pass
    try:
        import resource
    except ImportError:
        return None
    # bytes on a Mac, kilobytes elsewhere
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (most / 2**20 if sys.platform == "darwin" else most / 1024) if peak else None


class Session:
    """The questions, as methods."""

    def __init__(self, engine_class: Any):
        self.engine_class, self.done = engine_class, 0
        self.engine: Any = None

    def hello(self) -> dict[str, Any]:
        described = self.engine_class.describe() if self.engine_class else {}
        return {"python": sys.version.split()[0], "numpy": np.__version__, **described}

    def prepare(self, job: str, variant: str) -> dict[str, Any]:
        self.job = Job.read(job)
        before, began = memory_mb(), time.perf_counter()
        self.engine = self.engine_class(self.job, variant)
        return {"seconds": time.perf_counter() - began, "memory_before_mb": before}

    def gradients(self, to: str) -> dict[str, Any]:
        loss, gradients = self.engine.loss_and_gradients()
        np.savez(to, **{name: np.asarray(value) for name, value in gradients.items()})
        return {"loss": float(loss)}

    def steps(self, seconds: float, least: int = 3, warm: int = 1) -> dict[str, Any]:
        times, curve, loss = [], [], None
        end = time.perf_counter() + seconds
        while len(times) < least + warm or time.perf_counter() < end:
            began = time.perf_counter()
            loss = self.engine.step(self.done % len(self.job.batches))
            times.append(time.perf_counter() - began)
            curve.append(memory_mb())
            self.done += 1
        return {"seconds": times[warm:], "loss": loss, "curve_mb": curve}

    def epoch(self) -> dict[str, Any]:
        began = time.perf_counter()
        losses = [self.engine.step(k) for k in range(len(self.job.batches))]
        return {"seconds": [time.perf_counter() - began], "loss": losses[-1]}

    def generate(self, prompt: list[int], length: int, count: int) -> dict[str, Any]:
        began = time.perf_counter()
        tokens = self.engine.generate(prompt, length, count)
        return {"seconds": [(time.perf_counter() - began) / tokens], "tokens": tokens}


def serve(engine_class: type | None = None, session_class: type[Session] = Session) -> None:
    """Answer until there are no more questions."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the output of libraries must not mix with the answers
    session, answered = session_class(engine_class), time.process_time()
    for line in sys.stdin:
        idle = time.process_time() - answered
        question = json.loads(line)
        try:
            answer = getattr(session, question.pop("do"))(**question)
        except Exception:
            answer = {"error": traceback.format_exc()}
        answer = {**answer, "idle_cpu": idle, "peak_mb": memory_mb(peak=True)}
        print(json.dumps(answer), file=answers, flush=True)
        answered = time.process_time()
