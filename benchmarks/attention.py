"""A training step of an encoder-decoder with additive attention, against PyTorch.

    python benchmarks/attention.py --torch-python torch-env/bin/python

Each engine runs in a process of its own and waits while the other one is measured. Before
anything is timed, both compute loss and gradients from the same weights on the same
mini-batch; if they differ, nothing is timed and the exit status is 1. Then they train in
turns, and each round begins with the other one. A ratio is taken within each round;
reported are medians, and of the ratio also the smallest and the largest value.

A step is forward, backward, clipping and Adam. Sources and targets have random lengths
between half of S or T and the whole. The PyTorch model is written as its users write it:
``nn.LSTM`` over packed sequences as encoder, ``nn.LSTMCell`` in a loop as decoder; the
keys are computed once, and so is the output layer.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from benchmark.lines import Worker
from benchmark.machine import processor
from benchmark.workers.attention_worker import WEIGHTS, Sizes

from minilstm.models import EncoderDecoder
from minilstm.streams import make_writable

WORKER = Path(__file__).parent / "benchmark" / "workers" / "attention_worker.py"
SEED = 0
TOLERANCE = 1e-4  # of the largest gradient of an array, in float32


CASES = {
    "dates": Sizes(64, 28, 11, 60, 64, 128, 128),
    "phonemes": Sizes(64, 10, 10, 45, 128, 256, 256),
    "sentences": Sizes(32, 40, 40, 2_000, 128, 256, 256),
}
QUICK = Sizes(3, 4, 3, 9, 4, 6, 5)


def batch_of(sizes: Sizes, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random ids, right-padded; the first pair is the longest."""
    B, S, T, V = sizes[:4]
    lengths = lambda n: np.array([n, *rng.integers((n + 1) // 2, n + 1, B - 1)])
    ids = lambda n: rng.integers(1, V - 1, (n, B))
    return {
        "source": ids(S), "source_lengths": lengths(S),
        "inputs": ids(T), "targets": ids(T), "lengths": lengths(T),
    }


def difference(first: Path, second: Path) -> float:
    """The largest one of all gradients, relative to the largest entry of each array."""
    with np.load(first) as a, np.load(second) as b:
        assert set(a.files) == set(b.files)
        return max(
            float(np.abs(a[k] - b[k]).max() / max(np.abs(b[k]).max(), 1e-12))
            for k in a.files
        )


def compare(
    name: str, sizes: Sizes, torch_python: str, rounds: int, seconds: float
) -> tuple[str, bool]:
    """A row of the table, and whether the gradients agree."""
    rng = np.random.default_rng(SEED)
    V, E, H, K = sizes[3:]
    parameters = EncoderDecoder(V, V, E, H, attention=K, bidirectional=True).parameters
    parameters.flat += rng.uniform(-0.05, 0.05, parameters.flat.size)  # biases, too
    for key in ("Wq", "Wa", "v"):  # so that attention prefers some steps; else its
        parameters[f"decoder.attention.{key}"][...] *= 4  # gradients nearly cancel
    weights = {WEIGHTS + key: array for key, array in parameters.items()}
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.npz"
        np.savez(job, sizes=np.array(sizes), **weights, **batch_of(sizes, rng))
        workers = {
            engine: Worker(python, WORKER, engine, job)
            for engine, python in (("minilstm", sys.executable), ("PyTorch", torch_python))
        }
        try:
            files = {engine: Path(folder) / f"{engine}.npz" for engine in workers}
            losses = [
                worker.ask(do="gradients", to=str(files[engine]))["loss"]
                for engine, worker in workers.items()
            ]
            error = difference(*files.values())
            if error > TOLERANCE or abs(losses[0] - losses[1]) > TOLERANCE:
                return f"| {name} | REFUSED: gradients differ by {error:.1e} | | | |", False
            took: dict[str, list[float]] = {engine: [] for engine in workers}
            for k in range(rounds + 1):
                order = list(workers.items())[:: 1 if k % 2 else -1]
                for engine, worker in order:
                    taken = worker.ask(do="steps", seconds=seconds)["seconds"]
                    if k:  # the first round warms up
                        took[engine].append(1e3 * taken)
        finally:
            for worker in workers.values():
                worker.stop()
    ratios = sorted(b / a for a, b in zip(took["minilstm"], took["PyTorch"]))
    ours, theirs = (statistics.median(took[engine]) for engine in ("minilstm", "PyTorch"))
    spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    return f"| {name} | {error:.0e} | {ours:,.1f} | {theirs:,.1f} | {spread} |", True


def main() -> int:
    parser = argparse.ArgumentParser(
        description="An encoder-decoder with attention: a training step against PyTorch."
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument(
        "--torch-python", default=sys.executable, help="a Python that has PyTorch"
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn")
    parser.add_argument("--quick", action="store_true", help="everything tiny")
    parser.add_argument("--markdown", type=Path, help="write the table to this file, too")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.cases if name not in CASES]:
        parser.error(f"there is no case {unknown[0]!r}; there are: {', '.join(CASES)}")
    lines = [
        f"Processor: {processor()}. {arguments.rounds} rounds, two threads each.",
        "",
        "| case | gradients differ by | minilstm, ms | PyTorch, ms | PyTorch / minilstm |",
        "|---|---:|---:|---:|---:|",
    ]
    print(*lines, sep="\n", flush=True)
    all_agree = True
    for name in arguments.cases or CASES:
        sizes = QUICK if arguments.quick else CASES[name]
        row, agree = compare(
            name, sizes, arguments.torch_python, arguments.rounds, arguments.seconds
        )
        all_agree &= agree
        lines.append(row)
        print(row, flush=True)
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if all_agree else 1


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
