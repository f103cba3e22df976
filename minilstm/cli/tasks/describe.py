"""The task ``describe``: from numbers to a text about them.

    pictures    built in: scenes of 8x8 pixels, and sentences about them
    files       columns of numbers and a column of texts, from tables or JSON

Of `pictures` the lowest possible loss is known, and each sentence can be checked: it is
true of its picture or it is not. Numbers from files are standardized: each feature has
mean 0 and standard deviation 1 on the training set.
"""

from __future__ import annotations

import math
import shlex
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minilstm import seeds
from minilstm.cli.defaults import Settings
from minilstm.cli.sources import source_kind
from minilstm.cli.tasks.applying import check_options, check_same_data, inputs_of
from minilstm.cli.tasks.applying import print_notes, settings_for, sources_of
from minilstm.cli.tasks.examples import (
    VALIDATION_FRACTION,
    counted,
    encode,
    fingerprint,
    fit_tokenizer,
    read_files,
    shown,
    unknown_share,
)
from minilstm.cli.tasks.task import Examples, Task
from minilstm.cli.tasks.texts import (
    MISTAKES_SHOWN,
    SAMPLING,
    Written,
    greedy_texts,
    of_pairs,
    print_texts,
    score,
)
from minilstm.cli.terminal import terminal_width, wrap
from minilstm.corpora import pictures
from minilstm.data.pairs import VectorBatches
from minilstm.data.readers import split_sequences
from minilstm.errors import InputError
from minilstm.models.captioner import Captioner
from minilstm.models.memory import Memory
from minilstm.training.checkpoint import Checkpoint
from minilstm.training.loop import Training
from minilstm.training.progress import as_item, in_other_units

PICTURES, VALIDATION_PICTURES = 60_000, 2_000
ROLES = {"--column": "text", "--features": "numbers"}
CHECKED, EXAMPLES_SHOWN, AT_ONCE = 500, 3, 250


class Described(NamedTuple):
    """Vectors and the texts about them, as the model reads them."""

    vectors: np.ndarray  # (n, F), not standardized
    texts: list[str]


class DescribeTask(Task):
    """A text about a vector of numbers."""

    name = "describe"
    kind = Captioner.kind
    options = frozenset({
        *("column", "format", "separator", "header", "encoding", "features"),
        *("tokens", "vocab", "max_length", "embedding"),
    })  # fmt: skip
    defaults = {
        "batch_size": 32, "learning_rate": 0.01, "epochs": None,
        "hidden": 128, "embedding": 32,
    }  # fmt: skip
    of_corpus = {
        "pictures": {
            "tokens": "words", "batch_size": 64, "epochs": 8, "vocab": None,
            "hidden": 192, "learning_rate": 0.004,
        }
    }  # fmt: skip

    def resolve_settings(self, kind: str, given: Settings) -> Settings:
        if kind != "file" and "max_length" in given:
            raise InputError(
                "--max-length cuts texts, but the entropy floor of `pictures` is that of"
                " whole sentences; leave it out"
            )
        return super().resolve_settings(kind, given)

    def load(self, sources: Sequence[str], settings: Settings) -> Examples:
        rng = seeds.generator(settings["seed"], seeds.VALIDATION)
        is_file = source_kind(sources) == "file"
        notes: tuple[str, ...] = ()
        if is_file:
            names, described, notes = read_described(sources, settings)
            order = range(len(described.texts))
            parts = split_sequences(order, rng, VALIDATION_FRACTION)
            train, valid = (
                Described(described.vectors[part], [described.texts[k] for k in part])
                for part in parts
            )
            mean, scale = _standard(train.vectors)
        else:
            names = []
            train = Described(*pictures.sample(PICTURES, rng))
            valid = Described(*pictures.sample(VALIDATION_PICTURES, rng))
            width = train.vectors.shape[1]
            mean, scale = np.zeros(width), np.ones(width)
        tokenizer = fit_tokenizer(train.texts, settings)
        limit = settings["max_length"]
        ids = encode(tokenizer, train.texts, limit, "text")
        valid_ids = encode(tokenizer, valid.texts, limit, "text")
        start, end = tokenizer.padding_id, tokenizer.eos_id
        characters = sum(map(len, valid.texts)) / sum(map(len, valid_ids))
        floor = None if is_file else pictures.floor()
        best = None
        if floor is not None:
            best = (
                f"entropy floor: {floor:.4f} nats per word,"
                f" {in_other_units(floor, characters)}; no model can do better. 100 %"
                " of the sentences can be true"
            )
        return Examples(
            train=VectorBatches(
                list(_scaled(train.vectors, mean, scale)), ids,
                min(settings["batch_size"], len(ids)), settings["pool"], start, end,
            ),
            valid=VectorBatches(
                list(_scaled(valid.vectors, mean, scale)), valid_ids,
                min(AT_ONCE, len(valid_ids)), 1, start, end,
            ),
            description=f"{counted(len(ids), 'text')} about"
            f" {train.vectors.shape[1]:,} numbers each, {len(tokenizer.tokens):,}"
            f" different {tokenizer.unit}s; validation set:"
            f" {counted(len(valid_ids), 'text')}"
            + unknown_share(tokenizer, valid_ids),
            fingerprint=fingerprint(
                train.vectors, train.texts, valid.vectors, valid.texts
            ),
            notes=notes,
            tokenizer=tokenizer,
            floor=floor,
            best=best,
            unit=tokenizer.unit,
            characters=characters,
            kept={
                "characters": characters, "length": max(map(len, ids)) + 1,
                "feature_names": names,
                "mean": mean.tolist(), "scale": scale.tolist(),
            },
            own=valid,
        )  # fmt: skip

    def build_model(self, settings: Settings, examples: Examples) -> Captioner:
        names = ("embedding", "hidden", "layers", "cell", "dropout", "seed")
        return Captioner(
            len(examples.kept["mean"]),
            examples.tokenizer.vocab_size,
            **{name: settings[name] for name in names},
        )

    def report(
        self, training: Training, checkpoint: Checkpoint, examples: Examples
    ) -> str:
        """How many texts about the validation set are right, greedy, and the first."""
        described: Described = examples.own
        some = Described(described.vectors[:CHECKED], described.texts[:CHECKED])
        written = _write(checkpoint, some.vectors)
        count = of_pairs(len(some.texts), len(described.texts), "text")
        lines = [f"  {_sentence(checkpoint, some, written)} of {count} (greedy)"]
        for k, true in enumerate(some.texts[:EXAMPLES_SHOWN]):
            lines.append(as_item(f"{written.shown(k)!r}; true: {shown(true)}"))
        return "\n".join(lines)

    def share_right(self, checkpoint: Checkpoint, examples: Examples) -> float:
        written = _write(checkpoint, examples.own.vectors)
        return _share_right(checkpoint, examples.own, written)

    def commands(self, path: Path) -> list[str]:
        model = shlex.quote(str(path))
        return [
            f"minilstm sample {model} --features NUMBERS",
            f"minilstm evaluate {model}",
        ]

    def sample(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Print a text about each vector."""
        chosen = check_options(
            arguments, {**SAMPLING, "features": None}, "a model that describes"
        )
        settings = checkpoint.settings

        def parse(text: str, k: int) -> np.ndarray:
            vector = numbers(text.replace(",", " "), f"vector {k}")
            if len(vector) != len(settings["mean"]):
                raise InputError(
                    f"vector {k} has {counted(len(vector), 'number')}, but the model"
                    f" reads {len(settings['mean']):,}{_named(settings)}"
                )
            return np.array(vector)

        several = chosen["features"] is None or len(chosen["features"]) > 1
        inputs = inputs_of(chosen["features"], "vector", parse, "features", "NUMBERS")
        for k, (text, vector) in enumerate(inputs):
            if several:
                print("\n" * (k > 0) + "\n".join(wrap(text, terminal_width())))
            memory = _encode(checkpoint, [vector])
            print_texts(checkpoint, memory, {**chosen, "picture": None}, k, several)
        return 0

    def evaluate(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Print how many texts are right, greedy, and the first that are not."""
        settings, width = checkpoint.settings, terminal_width()
        sources, what = sources_of(arguments, settings)
        if arguments.files:
            how = settings_for(arguments, settings)
            _, described, notes = read_described(sources, how)
            if described.vectors.shape[1] != len(settings["mean"]):
                raise InputError(
                    f"{what} has {described.vectors.shape[1]:,} numbers per row, but the"
                    f" model reads {len(settings['mean']):,}{_named(settings)}"
                )
            print_notes(notes)
        else:
            examples = self.load(settings["sources"], settings)
            check_same_data(checkpoint, examples.fingerprint, arguments.model)
            described = examples.own
        written = _write(checkpoint, described.vectors)
        measured = score(written.texts, described.texts, checkpoint.tokenizer)
        count = counted(len(described.texts), "text")
        print(f"{what}: {count}, greedy")
        right = measured.right
        if settings["sources"] == ["pictures"] and not arguments.files:
            right = _are_true(described, written.texts)
            print(f"{_sentence(checkpoint, described, written)} of {count}")
        print("\n".join(wrap(measured.sentence(checkpoint.tokenizer.unit), width)))
        wrong = [k for k, is_right in enumerate(right) if not is_right]
        for k in wrong[:MISTAKES_SHOWN]:
            print(as_item(f"{written.shown(k)!r}; true: {described.texts[k]!r}"))
        return 0


def read_described(
    sources: Sequence[str], settings: Settings
) -> tuple[list[str], Described, tuple[str, ...]]:
    """Names of the features, vectors and texts, and notes on how files were read.

    Raises
    ------
    InputError
        If a cell of a feature is not a number, or rows have not as many numbers.
    """
    columns: list[tuple[str, str | None]] = [("--column", settings["column"])]
    asked = settings["features"]
    if asked is not None:
        typed_in = [part.strip() for part in asked.split(",")]
        columns += [("--features", part or None) for part in typed_in]
    files = read_files(
        sources, settings, columns, ROLES, others=asked is None, needed=1
    )
    names = files.names[1:]
    if not names:
        raise InputError(
            "there is no column but that of the texts; add columns of numbers"
        )
    vectors: list[list[float]] = []
    counts: list[int] = []  # of the numbers in each cell of the first row
    for k, row in enumerate(files.rows):
        vector: list[float] = []
        for c, (name, cell) in enumerate(zip(names, row[1:])):
            place = f"{files.place(k)}, column {name!r}"
            found = numbers(cell, place)
            if k == 0:
                counts.append(len(found))
            if len(found) != counts[c]:
                raise InputError(
                    f"{place}: {counted(len(found), 'number')}, but {counts[c]:,} in"
                    " the first row; give every row as many"
                )
            vector += found
        vectors.append(vector)
    texts = [row[0] for row in files.rows]
    return names, Described(np.array(vectors), texts), files.notes


def numbers(cell: str, place: str) -> list[float]:
    """The numbers of a cell, with spaces between; at least one, all finite.

    Raises InputError with the place.
    """
    if "," in cell:
        raise InputError(
            f"{place}: {cell!r} has a comma; write a decimal point, or spaces between"
            " several numbers"
        )
    found = []
    for part in cell.split():
        try:
            number = float(part)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputError(f"{place}: {part!r} is not a number; correct it")
        found.append(number)
    if not found:
        raise InputError(f"{place} is blank; give it a number")
    return found


def _standard(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (F,); 1 for a feature that is constant."""
    scale = vectors.std(axis=0)
    return vectors.mean(axis=0), np.where(scale > 0, scale, 1.0)


def _scaled(vectors: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Standardized vectors (n, F), as the model reads them."""
    return ((vectors - mean) / scale).astype(np.float32)


def _encode(checkpoint: Checkpoint, vectors: Sequence[np.ndarray]) -> Memory:
    mean, scale = (np.array(checkpoint.settings[name]) for name in ("mean", "scale"))
    return checkpoint.training.model.encode(_scaled(np.array(vectors), mean, scale))


def _write(checkpoint: Checkpoint, vectors: np.ndarray) -> Written:
    """The greedy text about each vector."""
    return greedy_texts(
        checkpoint, lambda some: _encode(checkpoint, some), list(vectors)
    )


def _share_right(checkpoint: Checkpoint, some: Described, written: Written) -> float:
    """The share of texts that are right: true sentences, or exact match."""
    if checkpoint.settings["sources"] == ["pictures"]:
        return float(np.mean(_are_true(some, written.texts)))
    return score(written.texts, some.texts, checkpoint.tokenizer).exact


def _sentence(checkpoint: Checkpoint, some: Described, written: Written) -> str:
    """The share of texts that are right, and what "right" means."""
    are_pictures = checkpoint.settings["sources"] == ["pictures"]
    what = "true of their picture:" if are_pictures else "exact match"
    return f"{what} {_share_right(checkpoint, some, written):.2%}"


def _are_true(some: Described, written: list[str]) -> list[bool]:
    """Whether each sentence describes its picture of the built-in corpus."""
    return [pictures.is_true(t, v) for t, v in zip(written, some.vectors)]


def _named(settings: Settings) -> str:
    """The features of the run, for a message."""
    names = ", ".join(settings["feature_names"][:8])
    return f" ({names}{', …' * (len(settings['feature_names']) > 8)})" if names else ""
