"""The rounds of the benchmark: trials of all variants, then turns of the fastest ones.

    trial    a process for each variant: prepare, compare with minilstm (``check.py``),
             a few steps
    rounds   in each round, a turn for each variant that is left: all of minilstm, and
             the two fastest of every other engine. Only one process runs at a time.
             Each round begins with another engine.

So other work of the machine affects all engines alike. What remains of its effect shows
in the spread between rounds. An idle process waits for a line on its standard input;
the CPU time that it uses meanwhile is reported.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmark.check import Disagreement, check_same
from benchmark.processes import WAYS, Workers, Worker, WorkerError, variants
from benchmark.workloads import Workload

KEPT_VARIANTS = 2  # of each engine after the trials; of minilstm all
LONGEST_PREPARATION = 120  # seconds for compiling and a first pass


@dataclass(frozen=True)
class Settings:
    """A turn lasts ``seconds``, with at least ``least`` steps after an untimed one."""

    rounds: int = 7
    seconds: float = 1.0
    least: int = 3
    trial: float = 0.5
    pause: float = 0.15  # seconds between turns, as idle threads first wait busily


@dataclass
class Candidate:
    """One variant of one engine, with its process and its measurements."""

    engine: str
    variant: str
    worker: Worker
    prepared: float = 0.0
    rounds: list[list[float]] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)
    agreement: dict[str, float] = field(default_factory=dict)

    def turn(self, question: dict[str, Any]) -> list[float]:
        self.last = self.worker.ask(**question)
        return self.last["seconds"]

    def middle(self) -> float:
        return median(second for turn in self.rounds for second in turn)

    def result(self) -> dict[str, Any]:
        return {"variant": self.variant, "prepared": self.prepared, "rounds": self.rounds, "agreement": self.agreement,
                "peak_mb": self.last.get("peak_mb"), "loss": self.last.get("loss"), "idle_cpu": self.worker.idle_cpu}


def question_of(workload: Workload, engine: str, settings: Settings, trial: bool = False) -> dict[str, Any]:
    """The question that a worker answers in a turn."""
    if workload.kind == "epoch" and engine != "bare":
        return {"do": "epoch", "timeout": 3600}
    if workload.kind == "generate":
        length = workload.length
        # as the unit is seconds per token, a short text is enough
        if engine == "keras":
            length = min(length, 30 if workload.E else 60)
        return {"do": "generate", "prompt": [2, 3, 4][: 1 if workload.E else 3], "length": length, "count": workload.count}
    return {"do": "steps", "seconds": settings.trial if trial else settings.seconds, "least": settings.least}


def engines_of(workload: Workload, workers: Workers) -> list[str]:
    """The engines of a workload. minilstm is first: its gradients are the reference."""
    chosen = [engine for engine in workers.pythons if engine != "bare" or workload.kind == "step"]
    if workload.kind == "generate" and workload.count > 1:
        # as published: one text
        chosen = [engine for engine in chosen if engine != "keras"]
    return chosen


def measure_rounds(workload: Workload, job: Path, workers: Workers, settings: Settings) -> dict[str, Any]:
    """The measurements by engine: the variant that counts, and the others."""
    reference: tuple[float, dict[str, np.ndarray]] | None = None
    engines: dict[str, Any] = {}
    began = time.perf_counter()
    with ExitStack() as processes:
        running: list[Candidate] = []
        for engine in engines_of(workload, workers):
            tried: dict[str, Any] = {}
            fit: list[tuple[float, Candidate]] = []
            for variant in variants(engine, workload.kind, workload.E == 0):
                if engine != "minilstm" and reference is None:
                    raise WorkerError(f"minilstm itself did not run {workload.name}: {engines['minilstm']['tried']}")
                stack = ExitStack()
                try:
                    candidate = Candidate(engine, variant, stack.enter_context(workers.start(engine, variant)))
                    reference = prepare(candidate, job, workload, reference)
                    took = median(candidate.turn(question_of(workload, engine, settings, trial=True)))
                except (WorkerError, Disagreement) as error:
                    tried[variant] = {"refused" if isinstance(error, Disagreement) else "failed": str(error)}
                    stack.close()
                    continue
                tried[variant] = {"seconds": took, "prepared": candidate.prepared}
                fit.append((took, candidate))
                processes.push(stack)
                fit.sort(key=lambda pair: pair[0])
                while len(fit) > (len(WAYS) if engine == "minilstm" else KEPT_VARIANTS):
                    fit.pop()[1].worker.__exit__()
            engines[engine] = {"tried": tried}
            running += [candidate for _, candidate in fit]
        for k in range(settings.rounds):
            for candidate in running[k % len(running):] + running[: k % len(running)]:
                time.sleep(settings.pause)
                candidate.rounds.append(candidate.turn(question_of(workload, candidate.engine, settings)))
        for engine in engines:
            mine = [candidate for candidate in running if candidate.engine == engine]
            if mine:
                best = min(mine, key=lambda c: (c.variant != "our threads" if engine == "minilstm" else False, c.middle()))
                engines[engine] |= best.result() | {"others": [c.result() for c in mine if c is not best]}
    return {"engines": engines, "absent": workers.absent, "took": time.perf_counter() - began}


def prepare(candidate: Candidate, job: Path, workload: Workload, reference: Any) -> Any:
    """Build, compile, and compare with minilstm; returns minilstm's loss and gradients.

    An epoch's first pass, which compiles all shapes, counts as preparation.
    """
    ask = candidate.worker.ask
    candidate.prepared = ask("prepare", job=str(job), variant=candidate.variant, timeout=LONGEST_PREPARATION)["seconds"]
    if candidate.engine == "bare":
        return reference
    to = job.with_name("gradients.npz")
    loss = ask("gradients", to=str(to), timeout=LONGEST_PREPARATION)["loss"]
    with np.load(to) as file:
        gradients = dict(file)
    if reference is None:
        reference = loss, gradients
    candidate.agreement = check_same(*reference, loss, gradients)
    first = question_of(workload, candidate.engine, Settings(least=1, trial=0), trial=True)
    began = time.perf_counter()
    candidate.turn(first | {"timeout": LONGEST_PREPARATION})
    candidate.prepared += time.perf_counter() - began
    return reference
