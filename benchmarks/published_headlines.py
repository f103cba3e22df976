"""Does the published headline system give the published losses? Its first four epochs.

    python benchmarks/published_headlines.py ag_news_test.csv

The yardstick is the published notebook's own code (Microsoft, AI for Beginners, lesson
17, GenerativeTF), run in Keras 3 on the 7,600 titles of the AG News test file (Zhang,
Zhao and LeCun 2015), which is public. minilstm draws its own initial values, three
times, from the same distributions: Glorot uniform, orthogonal, zero biases but forget
bias 1. An epoch's loss is as Keras reports it:

    (1)  L = Σ_k B_k l_k / Σ_k B_k

l_k is the mean loss of mini-batch k before its update, in nats per position, padding
included.

Exit status: 0 if in every epoch the mean over the seeds is within 2 % of the yardstick;
1 if not; 2 if the file is another one. It takes a few minutes, fewest with
``OPENBLAS_NUM_THREADS=1``, since the matrices are small.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from published import Run

import minilstm
from minilstm.errors import InputError
from minilstm.streams import make_writable

YARDSTICK = np.array([2.2739, 1.8718, 1.7728, 1.7115])
TOLERANCE = 0.02
SEEDS = (0, 1, 2)
TITLES, V = 7_600, 83


def epochs(run: Run) -> Iterator[float]:
    """Continue training; yields the loss (1) of each epoch."""
    sizes = [batch.inputs.shape[1] for batch in run.text.train.epoch()]
    records = run.steps(len(YARDSTICK) * len(sizes))
    for _ in YARDSTICK:
        losses = [record.loss for record in islice(records, len(sizes))]
        yield float(np.average(losses, weights=sizes))                     # (1)


def main() -> int:
    parser = argparse.ArgumentParser(description="Train the published headline system and compare its losses with Keras's.")
    parser.add_argument("csv", help="ag_news_test.csv: class, title, description")
    parser.add_argument("--json", metavar="FILE", help="write all losses to FILE")
    arguments = parser.parse_args()
    try:
        runs = [Run.begin("headlines", arguments.csv, seed) for seed in SEEDS]
    except InputError as error:
        parser.error(str(error))
    titles = sum(batch.inputs.shape[1] for batch in runs[0].text.train.epoch())
    vocab_size = runs[0].training.model.vocab_size
    if (titles, vocab_size) != (TITLES, V):
        parser.error(f"{arguments.csv} has {titles:,} titles and V = {vocab_size}; the yardstick is for the AG News test"
                     f" file, with {TITLES:,} titles and V = {V}")

    print(f"{'epoch':>6}{'minilstm':>10}{'spread':>9}{'yardstick':>11}{'difference':>12}")
    losses, differences = [], []
    for epoch, (yardstick, *seeds) in enumerate(zip(YARDSTICK, *map(epochs, runs)), 1):
        mean, spread = np.mean(seeds), np.ptp(seeds) / np.mean(seeds)
        losses.append(seeds)
        differences.append(float(mean / yardstick - 1))
        print(f"{epoch:>6}{mean:>10.4f}{spread:>9.2%}{yardstick:>11.4f}{differences[-1]:>+12.2%}", flush=True)
    agrees = all(abs(difference) <= TOLERANCE for difference in differences)
    print(f"{'within' if agrees else 'NOT WITHIN'} {TOLERANCE:.0%}")
    if arguments.json:
        report = {
            "source": Path(arguments.csv).name, "V": V, "optimizer": repr(runs[0].training.optimizer),
            "minilstm": minilstm.__version__, "seeds": SEEDS, "losses": losses, "yardstick": YARDSTICK.tolist(),
            "differences": differences, "agrees": agrees,
        }
        Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0 if agrees else 1


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
