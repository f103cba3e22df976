"""Which cell, how many layers, how wide? 27 models, compared at equal steps and time.

    python benchmarks/experiments.py                     all of them, or those left
    python benchmarks/experiments.py --only gru:2:128    cell, layers, width; repeatable

The models are trained on the built-in headlines. Each is trained once, until both N
steps and S seconds are done. Its validation loss is measured twice: after step N, and
after the first step that ends S seconds or later. One run serves both, so its learning
rate must not depend on where the run ends, as a cosine schedule would. After s steps it
is

    (1)  ρ = ρ_0 / √(1 + s / k),                    k = 200

No ρ_0 suits both a narrow cell and a deep stack of wide ones. Four are tried for each
model, and the one with the lowest validation loss after N/10 steps is used. The time of
these trials does not count. Text, mini-batches and their order, initial values,
optimizer and clipping are those of ``minilstm train headlines``.

Other programs slow down a shared machine, so CPU time of one thread is measured:
forward, backward, clipping and update. Making headlines and evaluating models does not
count. The effect of other programs on the processor's caches remains in it.

Results are written after each model, completely or not at all, to ``experiments.json``
and ``experiments.md``. An interrupted run continues after the last model in them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice, product, repeat
from pathlib import Path

from minilstm.parallel.threads import BLAS_VARIABLES

if __name__ == "__main__":  # before NumPy is loaded, which looks only then
    os.environ.update(dict.fromkeys(BLAS_VARIABLES, "1"))

import llvmlite.binding as llvm
import numba
import numpy as np

import minilstm
from minilstm import seeds
from minilstm.cli import data
from minilstm.cli.lock import locked
from minilstm.cli.settings import Settings, build_model, build_optimizer, resolve_settings
from minilstm.corpora.headlines import headlines
from minilstm.data.batches import Batches
from minilstm.errors import InputError
from minilstm.files import replacing
from minilstm.models.language_model import LanguageModel
from minilstm.optim import clip
from minilstm.streams import make_writable
from minilstm.training.loop import evaluate

RATES, K = (0.0007, 0.002, 0.007, 0.02), 200  # of (1)
CELLS = ("rnn", "gru", "lstm")
MODELS = list(product(CELLS, (1, 2, 3), (64, 128, 256)))
MEASURED = ("loss_at_steps", "loss_at_seconds")
WIDTHS = (4, 7, 7, 11, 7, 8, 13, 7, 9, 7)  # of the printed columns, 80 in all


def steps_of(model: LanguageModel, settings: Settings, batches: Batches, rate: float) -> Iterator[tuple[int, float]]:
    """Train without end; yields, after each step, the steps and their seconds."""
    theta, optimizer, rng = model.parameters.flat, build_optimizer(settings), seeds.generator(settings["seed"], seeds.ORDER)
    state, spent = optimizer.init(theta), 0.0
    for done, batch in enumerate(chain.from_iterable(epoch(rng) for epoch in repeat(batches.epoch))):
        began = time.process_time()
        _, gradients, _, _ = model.loss_and_gradients(batch)
        clip(gradients.flat, max_norm=settings["clip"])
        state = optimizer.step(theta, gradients.flat, state, rate / math.sqrt(1 + done / K))  # (1)
        spent += time.process_time() - began
        yield done + 1, spent


def experiment(text: data.Data, cell: str, layers: int, hidden: int, steps: int, seconds: float) -> dict:
    """Choose a learning rate, train, measure: a row of the table."""
    settings = resolve_settings("headlines", {"cell": cell, "layers": layers, "hidden": hidden})
    build = lambda: build_model(settings, text.tokenizer.vocab_size)
    trials = {}
    for rate in RATES:
        model = build()
        deque(islice(steps_of(model, settings, text.train, rate), max(1, steps // 10)), maxlen=0)
        trials[rate] = evaluate(model, text.valid)
    rate = min(trials, key=trials.get)
    model, losses = build(), {}
    for done, spent in steps_of(model, settings, text.train, rate):
        if done == steps:
            losses["loss_at_steps"] = evaluate(model, text.valid)
        if spent >= seconds and "loss_at_seconds" not in losses:
            losses |= {"loss_at_seconds": evaluate(model, text.valid), "steps_in_time": done}
        if done >= steps and spent >= seconds:
            break
    return {
        "cell": cell, "layers": layers, "hidden": hidden, "parameters": model.parameters.flat.size,
        "trials": trials, "rate": rate, "steps_per_second": done / spent, **losses,
    }


def circumstances(steps: int, seconds: float) -> dict:
    """The settings and versions that all models of a table must have in common."""
    return {
        "steps": steps, "seconds": seconds, "rates": list(RATES), "k": K, "minilstm": minilstm.__version__,
        "Python": platform.python_version(), "NumPy": np.__version__, "Numba": numba.__version__,
        "processor": f"{llvm.get_host_cpu_name()}, {os.cpu_count()} cores",
    }


def table(report: dict, plain: str, best: str) -> list[list[str]]:
    """The headings and a row for each model.

    ``plain`` is the format of a loss, ``best`` that of the lowest loss of a column.
    """
    run, models = report["run"], report["models"]
    ends = f"{run['steps']:,} steps", f"{run['seconds']:g} s"
    rows = [["cell", "layers", "hidden", "parameters", "rate", "steps/s", *(text for end in ends for text in (end, "gap"))]]
    lowest = {column: min(model[column] for model in models) for column in MEASURED}
    for m in models:
        row = [m["cell"], m["layers"], m["hidden"], f"{m['parameters']:,}", m["rate"], f"{m['steps_per_second']:.1f}"]
        for column in MEASURED:
            mark = best if m[column] == lowest[column] else plain
            row += [mark.format(f"{m[column]:.4f}"), f"{m[column] - report['floor']:.4f}"]
        rows.append([str(cell) for cell in row])
    return rows


def printed(row: list[str]) -> str:
    return row[0].ljust(WIDTHS[0]) + "".join(cell.rjust(width) for cell, width in zip(row[1:], WIDTHS[1:]))


def markdown(report: dict) -> str:
    """The table, and how it was measured."""
    run, (headings, *rows), trial = report["run"], table(report, "{}", "**{}**"), max(1, report["run"]["steps"] // 10)
    rows = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return f"""# Which cell, how deep, how wide?

Validation loss of `minilstm train headlines` in nats per character, after {run["steps"]:,} steps
and after {run["seconds"]:g} seconds of training on one thread. Beside it is the gap to the entropy
floor of {report["floor"]:.4f}; no model is better than the floor on average. The lowest losses are
bold.

The learning rate of step s is rate / √(1 + s / {run["k"]}). The rate is the best of
{", ".join(map(str, run["rates"]))} after {trial:,} steps. This says little about a model
that has hardly begun to learn by then, such as the deepest LSTMs (`trials` in
`experiments.json`). Every model was trained once, from seed 0, so small differences may
be chance.

`python benchmarks/experiments.py --steps {run["steps"]} --seconds {run["seconds"]:g}`, minilstm {run["minilstm"]},
Python {run["Python"]}, NumPy {run["NumPy"]}, Numba {run["Numba"]}, {run["processor"]}

""" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def write(folder: Path, report: dict) -> None:
    for name, text in (("experiments.json", json.dumps(report, indent=1) + "\n"), ("experiments.md", markdown(report))):
        with replacing(folder / name) as file:
            file.write(text.encode("utf-8"))


def place(model: dict) -> tuple[int, int, int]:
    """The place of a model in the table."""
    return CELLS.index(model["cell"]), model["layers"], model["hidden"]


def model_named(text: str) -> tuple[str, int, int]:
    cell, layers, hidden = text.split(":")
    if cell not in CELLS or int(layers) < 1 or int(hidden) < 1:
        raise ValueError(text)
    return cell, int(layers), int(hidden)


def main() -> int:
    parser = argparse.ArgumentParser(description="Train models of many sizes on built-in headlines and compare their losses.")
    parser.add_argument("--steps", type=int, default=1000, metavar="N", help="measure after N training steps (default: 1000)")
    parser.add_argument("--seconds", type=float, default=45, metavar="S", help="and after S seconds of training (default: 45)")
    parser.add_argument(
        "--only", type=model_named, action="append", metavar="CELL:LAYERS:HIDDEN", help="train this model; may be repeated"
    )
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).with_name("results"), metavar="FOLDER",
        help="for experiments.json and experiments.md (default: benchmarks/results)",
    )
    arguments = parser.parse_args()
    if arguments.steps < 1 or not 0 < arguments.seconds < math.inf:
        parser.error("--steps must be at least 1, --seconds greater than 0")
    try:
        with locked(arguments.out):
            return run(arguments, parser)
    except InputError as error:
        parser.error(str(error))


def run(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Train the models that the report in the locked folder lacks."""
    steps, seconds, path = arguments.steps, arguments.seconds, arguments.out / "experiments.json"
    report = {"run": circumstances(steps, seconds), "floor": headlines().floor, "models": []}
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["run"] != report["run"]:
            parser.error(f"{path} is of another run, {kept['run']}; move it away, or choose another folder with --out")
        report = kept

    text = data.load(["headlines"], resolve_settings("headlines", {}))
    there = {(model["cell"], model["layers"], model["hidden"]) for model in report["models"]}
    wanted = [model for model in arguments.only or MODELS if model not in there]
    for number, (cell, layers, hidden) in enumerate(wanted, 1):
        model = experiment(text, cell, layers, hidden, steps, seconds)
        report["models"] = sorted([*report["models"], model], key=place)
        write(arguments.out, report)
        losses = ", ".join(f"{model[column]:.4f}" for column in MEASURED)
        print(f"{number} of {len(wanted)}: {cell}:{layers}:{hidden} at rate {model['rate']}, validation {losses}", flush=True)
    write(arguments.out, report)
    print("\n".join(map(printed, table(report, "{} ", "{}*"))))
    print(f"entropy floor {report['floor']:.4f} nats per character; *: lowest of its column")
    print(arguments.out / "experiments.md")
    return 0


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
