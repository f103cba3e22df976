"""Where does the time of a training step go? Times every part of it, on one thread.

    export OPENBLAS_NUM_THREADS=1
    python benchmarks/step_profile.py            A8 (8 headlines) and B (32 recipes)
    python benchmarks/step_profile.py A64 --steps 50 --json profile.json

While a step runs, a clock runs around every matrix product, every kernel and every
Python function that calls them. An outer clock stops while an inner one runs, so
nothing is counted twice. A time loop is one kernel: its products are timed again alone,
on arrays of the same shapes, and the rest of the loop counts as gates. The times are
medians over the steps. A clock costs some tenths of a microsecond; compare ``with
clocks`` and ``without``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from benchmark.workloads import STEPS, random_batches

import minilstm.layers.losses
import minilstm.layers.lstm
import minilstm.layers.recurrent
import minilstm.models.per_token
from minilstm import LSTM, Adam, LanguageModel, kernels
from minilstm.kernels.compile import kernel
from minilstm.layers.packing import Packing
from minilstm.parallel import threads
from minilstm.models.per_token import PerTokenReplica
from minilstm.streams import make_writable

WORKLOADS = {workload.name: workload for workload in STEPS}
PRODUCTS = {  # modules that multiply matrices, and which products these are
    minilstm.layers.lstm: "products with Wh",
    minilstm.layers.recurrent: "products with Wx",
    minilstm.layers.losses: "output layer's products",
}
LOOPS = ("lstm_steps", "lstm_steps_backward")
KERNELS = {
    **{(kernels.lstm, name): name for name in LOOPS},
    (kernels.lstm, "lstm_step"): "gates", (kernels.lstm, "lstm_step_backward"): "gates, backward",
    (kernels.softmax, "softmax_cross_entropy_backward"): "softmax and its gradient",
    (kernels.embedding, "gather"): "gathering rows", (kernels.embedding, "gather_backward"): "scattering rows",
    (kernels.adam, "adam_step"): "Adam",
}
PYTHON = {
    (LanguageModel, "_check_batch"): "batch checked and packed",
    **{(Packing, name): "states put in order" for name in ("sort", "unsort", "before", "last")},
    (minilstm.layers.lstm, "pack_weights"): "Wh packed",
    **{(LSTM, name): "Python of the layers" for name in ("forward_packed", "backward_packed", "zero_state")},
    (minilstm.models.per_token, "output_loss"): "Python of the output layer",
    **{(PerTokenReplica, name): "Python of the replica" for name in ("forward", "loss_and_gradients")},
    (LanguageModel, "loss_and_gradients"): "Python of the model",
    (Adam, "step"): "Python of the optimizer",
}


class Clocks:
    """Seconds by part since the last ``take``; an outer clock stops for an inner."""

    def __init__(self):
        self.seconds: dict[str, float] = defaultdict(float)
        self.within = 0.0  # seconds of the inner clocks of the one that runs

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments, **named):
            outside, self.within = self.within, 0.0
            began = time.perf_counter()
            result = function(*arguments, **named)
            took = time.perf_counter() - began
            self.seconds[part] += took - self.within
            self.within = outside + took
            return result

        return timed

    def take(self) -> dict[str, float]:
        taken, self.seconds = self.seconds, defaultdict(float)
        return taken

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Puts clocks around every product, every kernel and their callers."""
        parts = KERNELS | PYTHON
        before = {place: getattr(*place) for place in parts}
        for place, part in parts.items():
            setattr(*place, self.around(part, before[place]))
        for module, part in PRODUCTS.items():
            setattr(module, "np", TimedNumPy(self.around(part, np.matmul)))
        try:
            yield
        finally:
            for place, function in before.items():
                setattr(*place, function)
            for module in PRODUCTS:
                setattr(module, "np", np)


class TimedNumPy:
    """NumPy, with a clock around ``matmul``."""

    def __init__(self, matmul: Callable[..., Any]):
        self.matmul = matmul

    def __getattr__(self, name: str):
        return getattr(np, name)


multiply_packed = kernels.packed_weights.multiply_packed


@kernel
def products_of_steps(T, x, packed, y):
    for t in range(T):
        multiply_packed(x[t], packed, y)


def products_of_loop(name: str, B: int, T: int, H: int, layers: int) -> float:
    """Seconds of the products in a time loop that is one kernel, over all layers."""
    rng, blocks = np.random.default_rng(0), 4 * H
    rows, columns = (H, blocks) if name == "lstm_steps" else (blocks, H)
    x = rng.standard_normal((T, B, rows), np.float32)
    packed = rng.standard_normal(kernels.packed_weights.shape(np.empty((rows, columns), np.float32)), np.float32)
    y, times = np.empty((B, columns), np.float32), []
    for _ in range(20):
        began = time.perf_counter()
        products_of_steps(T, x, packed, y)
        times.append(time.perf_counter() - began)
    return layers * statistics.median(times)


def profile(name: str, steps: int) -> dict[str, Any]:
    """Milliseconds by part."""
    w = WORKLOADS[name]
    model, optimizer = LanguageModel(w.V, w.E or None, w.H, w.L), Adam()
    state = optimizer.init(model.parameters.flat)
    batch = random_batches(w, np.random.default_rng(0))[0]

    def step() -> float:
        nonlocal state
        began = time.perf_counter()
        _, gradients, _, _ = model.loss_and_gradients(batch)
        state = optimizer.step(model.parameters.flat, gradients.flat, state)
        return time.perf_counter() - began

    step()
    clocks, parts = Clocks(), defaultdict(list)
    with_clocks, without = [], []
    for _ in range(steps):
        without.append(step())
        with clocks.in_place():
            with_clocks.append(step())
        for part, seconds in clocks.take().items():
            parts[part].append(seconds)
    taken = {part: statistics.median(seconds) for part, seconds in parts.items()}
    whole = statistics.median(with_clocks)
    between = whole - sum(taken.values())
    for loop, gates in zip(LOOPS, ("gates", "gates, backward")):
        if loop in taken:
            inside = min(taken[loop], products_of_loop(loop, w.B, w.T, w.H, w.L))
            taken["products with Wh"] = taken.get("products with Wh", 0) + inside
            taken[gates] = taken.pop(loop) - inside
    ordered = dict(sorted(taken.items(), key=lambda item: -item[1]))
    return {
        "workload": name,
        "steps": steps,
        "without clocks, ms": 1e3 * statistics.median(without),
        "with clocks, ms": 1e3 * whole,
        "parts, ms": {part: 1e3 * seconds for part, seconds in ordered.items()},
        "between the parts, ms": 1e3 * between,
    }


def table(result: dict[str, Any]) -> str:
    whole = result["with clocks, ms"]
    lines = [f"| {result['workload']}: one step on one thread | ms | share |", "|---|---:|---:|"]
    lines += [f"| {part} | {ms:.3f} | {ms / whole:.1%} |" for part, ms in result["parts, ms"].items()]
    rest = result["between the parts, ms"]
    lines.append(f"| in none of these | {rest:.3f} | {rest / whole:.1%} |")
    lines.append(f"| all, with clocks (without: {result['without clocks, ms']:.3f}) | {whole:.3f} | |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Where the time of a training step goes.")
    parser.add_argument("workloads", nargs="*", default=["A8", "B"], metavar="NAME",
                        help=f"some of {', '.join(WORKLOADS)} (default: A8 B)")
    parser.add_argument("--steps", type=int, default=20, metavar="N",
                        help="steps with clocks, and as many without (default: 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.workloads if name not in WORKLOADS]:
        parser.error(f"there is no workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    if arguments.steps < 1:
        parser.error("--steps must be at least 1")
    threads.ours = lambda: 1
    results = []
    for name in arguments.workloads:
        results.append(profile(name, arguments.steps))
        print(table(results[-1]) + "\n", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
