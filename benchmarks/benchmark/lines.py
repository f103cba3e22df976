"""Workers of small benchmarks: a process each, asked and answering by lines of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any


class Worker:
    """An engine in a process of its own, which waits while another one is measured."""

    def __init__(self, python: str, script: Path, name: str, job: Path):
        self.name = name
        ours = {"OPENBLAS_NUM_THREADS": "1", "MINILSTM_THREADS": "2"}
        self.process = subprocess.Popen(
            [python, str(script), name, str(job)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | (ours if name == "minilstm" else {}),
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(question), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(
                f"{self.name} ended without an answer (see above); its option names a Python"
                " that has it, and NumPy"
            )
        return json.loads(answer)

    def stop(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
