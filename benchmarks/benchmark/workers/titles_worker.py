"""The engines of ``benchmarks/titles.py``, and the process in which one of them waits.

    python titles_worker.py ENGINE JOB.npz

The job has padded ids (n, T) with their lengths and labels, how many of them are for
training, and the sizes. Questions come in as lines of JSON, answers go out so:

    {"do": "train", "seed": k}         train a new model; the validation accuracy
    {"do": "steps", "seconds": S}      train on for so long: the median seconds of a step

All engines have one model: embedding, dropout, a bidirectional LSTM, the final hidden
states of both directions, dropout, a dense layer. Adam, a constant rate, mini-batches in a random
order. This file runs in every engine's environment: it needs NumPy and the engine.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

CLASSES, DROPOUT, RATE, BATCH = 4, 0.5, 0.002, 32


class Job(NamedTuple):
    """Titles as ids, right-padded by 0."""

    ids: np.ndarray  # (n, T)
    lengths: np.ndarray  # (n,)
    labels: np.ndarray  # (n,)
    count: int  # of the first titles, which are for training
    V: int
    E: int
    H: int  # of both directions together
    epochs: int

    def batches(self, seed: int):
        """Indices of the mini-batches of all epochs."""
        rng = np.random.default_rng(seed)
        for _ in range(self.epochs):
            order = rng.permutation(self.count)
            for start in range(0, self.count - BATCH + 1, BATCH):
                yield order[start : start + BATCH]

    def part(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids (B, T) as long as the longest, lengths and labels."""
        lengths = self.lengths[rows]
        return self.ids[rows, : lengths.max()], lengths, self.labels[rows]


class Ours:
    """minilstm."""

    def __init__(self, job: Job):
        from minilstm.models import Classifier, LabelledBatch
        from minilstm.optim import Adam

        self.job, self.Classifier, self.batch = job, Classifier, LabelledBatch
        self.adam = Adam(RATE)

    def begin(self, seed: int) -> None:
        V, E, H = self.job[4:7]
        self.model = self.Classifier(
            CLASSES, V, embedding=E, hidden=H, bidirectional=True, dropout=DROPOUT, seed=seed
        )
        self.state = self.adam.init(self.model.parameters.flat)
        self.rng = np.random.default_rng(seed)

    def step(self, ids, lengths, labels) -> None:
        batch = self.batch(np.ascontiguousarray(ids.T), labels, lengths)
        _, gradients, _, _ = self.model.loss_and_gradients(batch, None, self.rng)
        flat = self.model.parameters.flat
        self.state = self.adam.step(flat, gradients.flat, self.state)

    def predict(self, ids, lengths) -> np.ndarray:
        return self.model.logits(np.ascontiguousarray(ids.T), lengths).argmax(axis=1)


class Torch:
    """PyTorch, with packed sequences."""

    def __init__(self, job: Job):
        import torch

        torch.set_num_threads(2)
        self.job, self.torch = job, torch

    def begin(self, seed: int) -> None:
        torch, nn, job = self.torch, self.torch.nn, self.job
        torch.manual_seed(seed)
        self.m = nn.ModuleDict({
            "embedding": nn.Embedding(job.V, job.E),
            "lstm": nn.LSTM(job.E, job.H // 2, batch_first=True, bidirectional=True),
            "dropout": nn.Dropout(DROPOUT), "linear": nn.Linear(job.H, CLASSES),
        })
        with torch.no_grad():  # as the other two initialize it
            self.m["embedding"].weight.uniform_(-0.05, 0.05)
        self.adam = torch.optim.Adam(self.m.parameters(), RATE)

    def logits(self, ids, lengths):
        torch, m = self.torch, self.m
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            m["dropout"](m["embedding"](torch.from_numpy(ids))),
            torch.from_numpy(lengths), batch_first=True, enforce_sorted=False,
        )
        _, (h, _) = m["lstm"](packed)
        return m["linear"](m["dropout"](torch.cat([*h], dim=1)))

    def step(self, ids, lengths, labels) -> None:
        self.m.train()
        self.adam.zero_grad()
        targets = self.torch.from_numpy(labels)
        loss = self.torch.nn.functional.cross_entropy(self.logits(ids, lengths), targets)
        loss.backward()
        self.adam.step()

    def predict(self, ids, lengths) -> np.ndarray:
        self.m.eval()
        with self.torch.no_grad():
            return self.logits(ids, lengths).argmax(dim=1).numpy()


class Keras:
    """Keras on TensorFlow, with masking, one length for all."""

    def __init__(self, job: Job):
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras

        self.job, self.keras = job, keras

    def begin(self, seed: int) -> None:
        keras, job = self.keras, self.job
        keras.utils.set_random_seed(seed)
        layers = keras.layers
        self.m = keras.Sequential([
            layers.Embedding(job.V, job.E, mask_zero=True),
            layers.Dropout(DROPOUT), layers.Bidirectional(layers.LSTM(job.H // 2)),
            layers.Dropout(DROPOUT), layers.Dense(CLASSES),
        ])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.m.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss)

    def whole(self, ids) -> np.ndarray:
        """Padded to one length, so that the graph is compiled once."""
        padded = np.zeros((len(ids), self.job.ids.shape[1]), ids.dtype)
        padded[:, : ids.shape[1]] = ids
        return padded

    def step(self, ids, lengths, labels) -> None:
        self.m.train_on_batch(self.whole(ids), labels)

    def predict(self, ids, lengths) -> np.ndarray:
        return self.m.predict(self.whole(ids), batch_size=256, verbose=0).argmax(axis=1)


ENGINES: dict[str, Any] = {"minilstm": Ours, "PyTorch": Torch, "Keras": Keras}


def accuracy(engine: Any, job: Job) -> float:
    rows = np.arange(job.count, len(job.ids))
    ids, lengths, labels = job.part(rows)
    return float((engine.predict(ids, lengths) == labels).mean())


def answer(engine: Any, job: Job, question: dict[str, Any]) -> dict[str, float]:
    if question["do"] == "train":
        engine.begin(question["seed"])
        for rows in job.batches(question["seed"]):
            engine.step(*job.part(rows))
        return {"accuracy": accuracy(engine, job)}
    times: list[float] = []
    batches = job.batches(0)
    while sum(times) < question["seconds"] or len(times) < 4:
        rows = next(batches, None)
        if rows is None:
            batches = job.batches(len(times))
            continue
        began = time.perf_counter()
        engine.step(*job.part(rows))
        times.append(time.perf_counter() - began)
    return {"seconds": statistics.median(times[1:])}


def serve(name: str, path: Path) -> None:
    """Answer each line of JSON on standard input by a line of JSON."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    with np.load(path) as file:
        sizes = file["sizes"].tolist()
        job = Job(file["ids"], file["lengths"], file["labels"], *sizes)
    engine = ENGINES[name](job)
    for line in sys.stdin:
        print(json.dumps(answer(engine, job, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
