"""AG News titles: accuracy and time of a step, beside PyTorch and Keras.

    python benchmarks/titles.py ag_news_test.csv --torch-python torch-env/bin/python \\
        --keras-python keras-env/bin/python --markdown titles.md

The file is AG News as it is published: class, title, text. Nine tenths of it, in one
random order, are for training, and the rest is the validation set; all engines get the
same words, ids, sizes and mini-batches (``benchmark/workers/titles_worker.py``). Each
trains once for every seed. Then they train on in turns; a ratio of times is taken within
each round. An engine whose Python is not given is left out.
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
from benchmark.workers.titles_worker import BATCH

from minilstm.data.pairs import pad
from minilstm.data.readers import read_csv
from minilstm.data.words import WordTokenizer
from minilstm.streams import make_writable

WORKER = Path(__file__).parent / "benchmark" / "workers" / "titles_worker.py"
VOCABULARY, E, H = 8_000, 64, 128


def write_job(source: Path, epochs: int, path: Path) -> tuple[int, int]:
    """Write the ids for all engines; returns the sizes of training and validation set."""
    titles = list(read_csv(source, "2"))
    labels = np.array([int(label) - 1 for label in read_csv(source, "1")])
    order = np.random.default_rng(0).permutation(len(titles))
    titles, labels = [titles[k] for k in order], labels[order]
    count = len(titles) * 9 // 10
    tokenizer = WordTokenizer.fit(titles[:count], VOCABULARY)
    padded, lengths = pad([tokenizer.encode(title) for title in titles])
    sizes = np.array([count, tokenizer.vocab_size, E, H, epochs])
    ids = np.ascontiguousarray(padded.T.astype(np.int64))
    np.savez(path, ids=ids, lengths=lengths, labels=labels, sizes=sizes)
    return count, len(titles) - count


def main() -> int:
    parser = argparse.ArgumentParser(description="AG News titles, beside PyTorch and Keras.")
    parser.add_argument("source", type=Path, metavar="CSV", help="class, title, text")
    parser.add_argument("--torch-python", metavar="PYTHON", help="a Python that has PyTorch")
    parser.add_argument("--keras-python", metavar="PYTHON", help="a Python that has Keras")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="(default: 3)")
    parser.add_argument("--epochs", type=int, default=4, metavar="N", help="(default: 4)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="(default: 7)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn (default: 1)")
    parser.add_argument("--markdown", type=Path, help="write the table to this file, too")
    options = parser.parse_args()
    pythons = {
        "minilstm": sys.executable,
        "PyTorch": options.torch_python,
        "Keras": options.keras_python,
    }
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.npz"
        count, rest = write_job(options.source, options.epochs, job)
        workers = {
            name: Worker(python, WORKER, name, job)
            for name, python in pythons.items()
            if python is not None
        }
        try:
            reached = {
                name: [
                    worker.ask(do="train", seed=seed)["accuracy"]
                    for seed in range(options.seeds)
                ]
                for name, worker in workers.items()
            }
            took: dict[str, list[float]] = {name: [] for name in workers}
            names = list(workers)
            for k in range(options.rounds + 1):
                for name in names[k % len(names) :] + names[: k % len(names)]:
                    seconds = workers[name].ask(do="steps", seconds=options.seconds)
                    if k:  # the first round warms up
                        took[name].append(1e3 * seconds["seconds"])
        finally:
            for worker in workers.values():
                worker.stop()
    lines = [
        f"Processor: {processor()}. {count:,} titles for training, {rest:,} for validation;"
        f" {options.epochs} epochs, mini-batches of {BATCH}, {options.seeds} seeds,"
        f" {options.rounds} rounds.",
        "",
        "| engine | accuracy, mean | from | to | ms per step | its time / ours |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in workers:
        a, ms = reached[name], took[name]
        ratios = sorted(theirs / ours for theirs, ours in zip(ms, took["minilstm"]))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        lines.append(
            f"| {name} | {statistics.mean(a):.1%} | {min(a):.1%} | {max(a):.1%} |"
            f" {statistics.median(ms):.2f} | {spread} |"
        )
    print(*lines, sep="\n")
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
