"""The head of the report: the machine, the versions and the threads."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

from benchmark.processes import TITLES, Workers, WorkerError, variants

FEATURES = ("avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd", "neon", "sve")


def processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def load() -> str:
    """The machine's load: processes that want a core, on average over a minute."""
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"


def described(answer: dict[str, Any]) -> str:
    facts = ("version", "python", "numpy", "numba", "blas", "threads")
    return "; ".join(f"{fact} {answer[fact]}" for fact in facts if answer.get(fact))


def head(workers: Workers) -> dict[str, str]:
    """The lines by name; an engine whose process does not answer is absent."""
    features = llvm.get_host_cpu_features()
    lines = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{processor()} ({llvm.get_host_cpu_name()}), {os.cpu_count()} cores, "
                     f"{', '.join(name for name in FEATURES if features.get(name)) or 'no wide vectors'}",
        "system": platform.platform(),
        "load before": load(),
        "threads": f"{workers.threads} for each engine, which may use fewer",
    }
    matrices: dict[str, set[str]] = {}
    for engine in list(workers.pythons):
        for variant in variants(engine, "step", True) if engine in ("minilstm", "bare") else ["its own"]:
            name = f"{TITLES[engine]}, {variant}" if engine in ("minilstm", "bare") else TITLES[engine]
            try:
                with workers.start(engine, variant) as worker:
                    answer = worker.ask("hello", timeout=120)
            except WorkerError as error:
                workers.absent[engine] = str(error)
                workers.pythons.pop(engine, None)
                break
            lines[name] = described(answer)
            matrices.setdefault(variant, set()).add(answer.get("blas", ""))
    for variant, found in matrices.items():
        if "thread" in variant and len(found) > 1:
            lines[f"WARNING, {variant}"] = "minilstm and the bare products use different matrix libraries or kernels"
    return lines
