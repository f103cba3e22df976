"""The driver's side of the benchmark: one worker process for each variant of an engine.

``workers/serving.py`` has the questions and answers. A worker may be late, die or
answer with an error. Each is a ``WorkerError`` whose message goes into the report.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import minilstm
from minilstm.parallel.threads import BLAS_VARIABLES, OUR_VARIABLE

FOLDER = Path(__file__).parent / "workers"
ROOT = Path(minilstm.__file__).parents[1]
SCRIPTS = {"minilstm": "ours.py", "torch": "torch_worker.py", "keras": "keras_worker.py", "jax": "jax_worker.py",
           "bare": "roofline.py"}
TITLES = {"minilstm": "minilstm", "torch": "PyTorch", "keras": "Keras", "jax": "JAX", "bare": "bare products"}
PEERS = ("torch", "keras", "jax")
WAYS = {  # variants of minilstm: its BLAS threads and its own threads, of N
    "our threads": lambda n: (1, n),  # what the command line does
    "BLAS threads": lambda n: (n, 1),
    "one thread": lambda n: (1, 1),
}


class WorkerError(Exception):
    """A worker failed; the message is one sentence or ends the worker's traceback."""


def environment(threads: int, way: str | None = None) -> dict[str, str]:
    """Environment variables of a worker: the threads of every library.

    Our own workers get minilstm's path, and the threads of their variant.
    """
    of_blas, own = WAYS[way](threads) if way else (threads, threads)
    settings = {**os.environ, **dict.fromkeys(BLAS_VARIABLES, str(of_blas)), OUR_VARIABLE: str(own)}
    settings |= {"NUMBA_NUM_THREADS": str(threads), "BENCHMARK_THREADS": str(threads)}
    if way:
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        settings["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    else:
        settings.pop("PYTHONPATH", None)
    return settings


class Worker:
    """One process, which ends with the ``with`` block."""

    def __init__(self, python: str, script: Path, threads: int = 2, way: str | None = None):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [python, "-u", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            encoding="utf-8", env=environment(threads, way), start_new_session=True,
        )
        if hasattr(os, "sched_setaffinity"):
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self.process.pid, sorted(os.sched_getaffinity(0))[:threads])
        self.answers: queue.Queue[str] = queue.Queue()
        self.idle_cpu, self.ended = 0.0, False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put("")

    def ask(self, do: str, timeout: float = 600, **details: Any) -> dict[str, Any]:
        """Send a question and return the answer; raises WorkerError."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **details}) + "\n")
            self.process.stdin.flush()
            line = self.answers.get(timeout=timeout)
        except queue.Empty:
            raise WorkerError(f"no answer to {do!r} within {timeout:g} seconds") from None
        except OSError:
            line = ""
        if not line:
            self.process.wait()
            self.errors.seek(0)
            last = self.errors.read().decode("utf-8", "replace").strip().splitlines()[-5:]
            raise WorkerError(f"the process ended with status {self.process.returncode}: {' / '.join(last)}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"].strip().splitlines()[-1])
        self.idle_cpu += answer["idle_cpu"]
        return answer

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process and all that it started; once, as ids are reused."""
        if self.ended:
            return
        self.ended = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.errors.close()


@dataclass
class Workers:
    """The interpreter of each engine, and why a peer is absent."""

    pythons: dict[str, str]
    absent: dict[str, str] = field(default_factory=dict)
    threads: int = 2
    scripts: dict[str, Path] = field(default_factory=lambda: {name: FOLDER / file for name, file in SCRIPTS.items()})

    def start(self, engine: str, variant: str) -> Worker:
        """A new process; variants of minilstm and bare products set threads."""
        return Worker(self.pythons[engine], self.scripts[engine], self.threads, variant if variant in WAYS else None)


def our_workers(threads: int = 2) -> Workers:
    return Workers({"minilstm": sys.executable, "bare": sys.executable}, threads=threads)


def variants(engine: str, kind: str, one_hot: bool) -> list[str]:
    """The variants in which an engine can run a workload.

    Of minilstm the first one counts, of other engines the fastest.
    """
    if engine in ("minilstm", "bare"):
        return list(WAYS) if kind == "step" else ["our threads"]
    if kind == "generate":
        torch, jax = ("eye", "gather") if one_hot else ("embedding", "embedding")
        return {"torch": [torch, f"{torch} cell", f"{torch} cell single"], "keras": ["published"],
                "jax": [jax, f"{jax} rbg"]}[engine]
    if engine == "torch":
        ways_in = ["one_hot", "eye"] if one_hot else ["embedding"]
        if kind == "epoch":
            return [f"{way} {padding}" for way in ways_in for padding in ("padded", "packed")]
        return [f"{way} padded{more}" for way in ways_in for more in ("", " head")] + [f"{ways_in[0]} padded compiled"]
    if engine == "keras":
        return ["train_on_batch", "function", "xla"]
    ways_in = ["gather", "one_hot"] if one_hot else ["embedding"]
    return [*ways_in, f"{ways_in[0]} unrolled"]
