"""What is benchmarked: models, mini-batches and targets.

    letters    B sequences of T time steps; vocabulary V, embedding E (0: one-hot
               input), L layers of width H

A training step has a random mini-batch without padding. An epoch has real mini-batches
with padding, in the order of the text, the same for all engines: titles by character,
recipes by word. Without files, the text comes from the grammars. All biases are random,
so that no check passes because they are zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from minilstm.corpora.headlines import headlines
from minilstm.corpora.recipes import recipes
from minilstm.data.batches import SequenceBatches
from minilstm.data.readers import read_csv, read_recipes
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.words import WordTokenizer
from minilstm.models.batch import Batch
from minilstm.models.language_model import LanguageModel

# in quick runs
LARGEST = {"T": 8, "B": 4, "V": 60, "E": 6, "H": 8, "batches": 3, "length": 6, "count": 3}
RANDOM_BATCHES = 4
NEVER = -1000.0  # logit of the end token when generation is timed, so that no text ends
UNIT = {"step": "ms per step", "epoch": "s for these batches", "generate": "tokens per second"}


@dataclass(frozen=True)
class Workload:
    """Sizes and targets.

    Targets: ``speed`` is the ratio to the fastest peer, ``over_torch`` that to PyTorch,
    ``share`` the share of the bare products in our step, and ``rate`` the tokens per
    second of generation. ``text`` names the text of an epoch, which has at most
    ``batches`` mini-batches. ``count`` texts of ``length`` tokens are generated.
    """

    name: str
    title: str
    kind: str
    B: int
    T: int
    V: int
    E: int
    H: int
    L: int
    speed: float | None = None
    share: float | None = None
    rate: float | None = None
    over_torch: float | None = None
    text: str | None = None
    batches: int = RANDOM_BATCHES
    length: int = 0
    count: int = 1

    def quick(self) -> Workload:
        """The same, small enough for a test, and without targets."""
        small: dict[str, Any] = {name: min(getattr(self, name), most) for name, most in LARGEST.items()}
        if self.kind == "epoch":
            small["T"] = self.T  # with fewer steps there would be no padding
        return replace(self, **small, speed=None, share=None, rate=None, over_torch=None)

    @property
    def sizes(self) -> dict[str, int]:
        return {"V": self.V, "E": self.E, "H": self.H, "L": self.L}


STEPS = (
    Workload("A8", "headlines (A), B = 8", "step", 8, 64, 84, 0, 128, 1, speed=2.0, share=0.60),
    Workload("A64", "headlines (A), B = 64", "step", 64, 64, 84, 0, 128, 1, speed=1.5, share=0.70),
    Workload("C128", "char-rnn, two layers of 128", "step", 50, 50, 65, 0, 128, 2, speed=1.2, share=0.70),
    Workload("C512", "char-rnn, two layers of 512", "step", 50, 50, 65, 0, 512, 2, speed=1.0, share=0.85),
    Workload("PTB", "Penn Treebank, small", "step", 20, 35, 10_000, 200, 200, 2, speed=1.3, share=0.80),
    Workload("B", "recipes (B)", "step", 32, 200, 10_000, 100, 128, 1, speed=1.6, share=0.80),
)
EPOCHS = (
    Workload("epoch-A", "headlines, real batches of 8", "epoch", 8, 200, 84, 0, 128, 1, speed=2.5, text="titles", batches=240),
    Workload("epoch-B", "recipes, real batches of 32", "epoch", 32, 200, 10_000, 100, 128, 1, speed=2.5, text="recipes",
             batches=8),
)
GENERATION = (
    Workload("generate-A", "characters (A), one text", "generate", 1, 3, 84, 0, 128, 1, rate=100_000, over_torch=10,
             length=4_000),
    Workload("generate-A64", "characters (A), 64 texts", "generate", 64, 3, 84, 0, 128, 1, length=400, count=64),
    Workload("generate-B", "words (B), one text", "generate", 1, 3, 10_000, 100, 128, 1, rate=4_000, length=400),
)
WORKLOADS = {workload.name: workload for workload in (*STEPS, *EPOCHS, *GENERATION)}


def texts(kind: str, source: Path | None, count: int) -> list[str]:
    """At most ``count`` titles or recipes, from the file or from the grammar."""
    if source is not None:
        read = read_csv(source, "title") if kind == "titles" else read_recipes(source)[0]
        return list(islice(read, count))
    grammar = headlines() if kind == "titles" else recipes()
    return grammar.sample_many(count, np.random.default_rng(0))


def real_batches(workload: Workload, source: Path | None) -> tuple[Workload, list[Batch]]:
    """Mini-batches in the order of the text, and the workload with their true sizes."""
    read = texts(workload.text or "titles", source, workload.B * workload.batches)
    words = workload.text == "recipes"
    tokenizer = WordTokenizer.fit(read, max(workload.V, 3)) if words else CharTokenizer.fit(read)
    ids = [tokenizer.encode(text) for text in read]
    batches = list(SequenceBatches([s for s in ids if len(s)], workload.B, tokenizer.eos_id, max_steps=workload.T).epoch())
    V = max(workload.V, tokenizer.vocab_size)  # a small text may have fewer words
    return replace(workload, V=V, batches=len(batches)), batches


def random_batches(workload: Workload, rng: np.random.Generator) -> list[Batch]:
    shape, lengths = (workload.T, workload.B), np.full(workload.B, workload.T)
    draw = lambda: rng.integers(1, workload.V - 1, shape, dtype=np.int32)
    return [Batch(draw(), draw(), lengths) for _ in range(workload.batches)]


def write_job(workload: Workload, path: Path, source: Path | None = None) -> Workload:
    """Write random weights and the mini-batches to a file for all engines.

    Returns the workload with its true sizes.
    """
    rng = np.random.default_rng(0)
    if workload.kind == "epoch":
        workload, batches = real_batches(workload, source)
    else:
        batches = random_batches(workload, rng)
    parameters = LanguageModel(workload.V, workload.E or None, workload.H, workload.L).parameters
    for name, values in parameters.items():
        if name.endswith(".b"):
            values += rng.uniform(-0.1, 0.1, values.shape)
    if workload.kind == "generate":
        parameters["output.b"][-1 if workload.E == 0 else 0] = NEVER
    arrays = {f"weights/{name}": values for name, values in parameters.items()}
    for k, batch in enumerate(batches):
        assert batch.lengths is not None
        arrays |= {f"inputs{k}": batch.inputs, f"targets{k}": batch.targets, f"lengths{k}": batch.lengths}
    np.savez(path, **workload.sizes, **arrays)
    return workload


def described(workload: Workload, job: Path) -> dict:
    """Sizes and, for real mini-batches, the share of padding."""
    facts = {name: value for name, value in vars(workload).items() if name not in ("batches", "length", "count")}
    facts["unit"] = UNIT[workload.kind]
    if workload.kind == "epoch":
        with np.load(job) as file:
            sizes = sum(file[name].size for name in file.files if name.startswith("inputs"))
            real = sum(int(file[name].sum()) for name in file.files if name.startswith("lengths"))
        facts |= {"batches": workload.batches, "tokens": real, "padding": 1 - real / sizes}
    if workload.kind == "generate":
        facts |= {"length": workload.length, "count": workload.count}
    return facts
