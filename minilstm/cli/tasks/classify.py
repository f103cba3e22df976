"""The task ``classify``: name the class of a text.

    topics      built in: headlines, cut after ten characters, and their topics
    files       a column of texts and a column of classes, from tables or JSON

Of `topics` the best possible accuracy and cross-entropy are known exactly
(``minilstm.corpora.classgrammar``).
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
from minilstm.cli.tasks.applying import (
    check_options,
    check_same_data,
    inputs_of,
    print_notes,
    settings_for,
    sources_of,
    warn_of_cut,
    warn_of_unknown,
)
from minilstm.cli.tasks.confusion import class_table, confusion_matrix, matrix_lines
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
from minilstm.cli.terminal import harmless, pad, terminal_width, wrap
from minilstm.cli.terminal import columns as columns_of
from minilstm.corpora.topics import CLASSES, topics
from minilstm.data.pairs import LabelledBatches, pad as pad_ids
from minilstm.data.protocol import Tokenizer
from minilstm.data.readers import split_sequences
from minilstm.errors import InputError
from minilstm.models.classifier import Classifier
from minilstm.training.checkpoint import Checkpoint
from minilstm.training.loop import Training
from minilstm.training.progress import as_item

HEADLINES, VALIDATION_HEADLINES = 20_000, 4_000  # of `topics`
AT_ONCE = 500  # texts whose classes are predicted together
CLASSES_SHOWN, EXAMPLES_SHOWN = 5, 3
MOST_CLASSES = 1_000
ROLES = {"--column": "text", "--label": "class"}

Rows = Sequence[tuple[str, ...]]  # of a text and its class


class Texts(NamedTuple):
    """Texts with their classes, as the model reads them."""

    texts: list[str]
    ids: list[np.ndarray]
    labels: np.ndarray  # (n,); -1: a class that the training set lacks
    names: list[str]  # of the class of each text


class ClassifyTask(Task):
    """A class for each text."""

    name = "classify"
    kind = Classifier.kind
    has_classes = True
    options = frozenset({
        *("column", "format", "separator", "header", "encoding", "label"),
        *("tokens", "vocab", "max_length", "embedding", "bidirectional", "pooling"),
    })  # fmt: skip
    defaults = {"batch_size": 32, "learning_rate": 0.01, "epochs": None, "hidden": 64,
                "embedding": 32}  # fmt: skip
    of_corpus = {
        "topics": {"batch_size": 64, "epochs": 4, "max_length": 10, "embedding": None}
    }

    def load(self, sources: Sequence[str], settings: Settings) -> Examples:
        rng = seeds.generator(settings["seed"], seeds.VALIDATION)
        kind = source_kind(sources)
        train: Rows
        valid: Rows
        notes: tuple[str, ...] = ()
        if kind == "file":
            files = read_files(
                sources,
                settings,
                [("--column", settings["column"]), ("--label", settings["label"])],
                ROLES,
            )
            _check_repeated(files.rows, files.names[1])
            train, valid = split_sequences(files.rows, rng, VALIDATION_FRACTION)
            notes = files.notes
        else:
            train = _headlines(HEADLINES, rng, settings["max_length"])
            valid = _headlines(VALIDATION_HEADLINES, rng, settings["max_length"])
        labels: tuple[str, ...] = CLASSES
        if kind == "file":
            names = {label.strip() for _, label in train}
            labels = tuple(sorted(names, key=_natural))
            _check_classes(labels)
        tokenizer = fit_tokenizer([text for text, _ in train], settings)
        encoded = encode_texts(train, tokenizer, labels, settings["max_length"])
        valid_texts = encode_texts(valid, tokenizer, labels, settings["max_length"])
        seen = valid_texts.labels >= 0
        if not seen.any():
            raise InputError(
                "the training set has none of the classes of the validation set: give"
                " more examples of each class"
            )
        batch_size = min(settings["batch_size"], len(train))
        floor, best = None, None
        if kind != "file":
            floor, best = _best_possible(settings["max_length"], valid_texts)
        return Examples(
            train=LabelledBatches(
                encoded.ids, encoded.labels.tolist(), batch_size, settings["pool"]
            ),
            valid=LabelledBatches(
                [ids for ids, is_seen in zip(valid_texts.ids, seen) if is_seen],
                valid_texts.labels[seen].tolist(),
                min(AT_ONCE, int(seen.sum())),
            ),
            description=f"{counted(len(train), 'text')},"
            f" {counted(len(labels), 'class')}, {len(tokenizer.tokens):,} different"
            f" {tokenizer.unit}s; validation set: {counted(len(valid), 'text')}"
            + unknown_share(tokenizer, valid_texts.ids),
            fingerprint=fingerprint(
                encoded.ids, encoded.names, valid_texts.ids, valid_texts.names
            ),
            notes=(*notes, *_note_of_unseen(valid_texts, "the validation set")),
            tokenizer=tokenizer,
            labels=labels,
            floor=floor,
            best=best,
            unit="text",
            kept={"characters": None},
            own=valid_texts,
        )

    def unit_of(self, checkpoint: Checkpoint) -> str:
        return "text"

    def build_model(self, settings: Settings, examples: Examples) -> Classifier:
        names = ("embedding", "hidden", "layers", "cell", "bidirectional", "pooling")
        return Classifier(
            len(examples.labels),
            examples.tokenizer.vocab_size,
            dropout=settings["dropout"],
            seed=settings["seed"],
            **{name: settings[name] for name in names},
        )

    def report(
        self, training: Training, checkpoint: Checkpoint, examples: Examples
    ) -> str:
        """The accuracy on the validation set, and the first predictions."""
        texts: Texts = examples.own
        p = probabilities(training.model, texts.ids)
        right = p.argmax(axis=1) == texts.labels
        lines = [f"  accuracy {right.mean():.2%} of {counted(len(right), 'text')}"]
        for k in range(min(EXAMPLES_SHOWN, len(right))):
            best = int(p[k].argmax())
            found = f"{examples.labels[best]} ({p[k, best]:.0%})"
            truth = "" if right[k] else f"; true class: {texts.names[k]}"
            lines.append(as_item(f"{shown(texts.texts[k])}: {found}{truth}"))
        return "\n".join(lines)

    def share_right(self, checkpoint: Checkpoint, examples: Examples) -> float:
        texts: Texts = examples.own
        p = probabilities(checkpoint.training.model, texts.ids)
        return float((p.argmax(axis=1) == texts.labels).mean())

    def commands(self, path: Path) -> list[str]:
        model = shlex.quote(str(path))
        return [f"minilstm sample {model} --input TEXT", f"minilstm evaluate {model}"]

    def sample(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Print the probabilities of the most likely classes of each input."""
        chosen = check_options(
            arguments, {"input": None, "show_top": CLASSES_SHOWN}, "a classifier"
        )
        settings, labels = checkpoint.settings, checkpoint.labels
        count = min(chosen["show_top"], len(labels))
        width = max(columns_of(harmless(name)) for name in labels)
        parse = lambda text, _: encode(
            checkpoint.tokenizer, [text], settings["max_length"], "text"
        )
        for k, (text, ids) in enumerate(inputs_of(chosen["input"], "text", parse)):
            warn_of_unknown(checkpoint.tokenizer, text)
            warn_of_cut(checkpoint.tokenizer, text, settings["max_length"])
            (p,) = probabilities(checkpoint.training.model, ids)
            print("\n" * (k > 0) + "\n".join(wrap(harmless(text), terminal_width())))
            for c in np.argsort(-p, kind="stable")[:count].tolist():
                print(
                    f"  {p[c]:>7.2%}  {pad(harmless(labels[c]), width).rstrip()}",
                    flush=True,
                )
        return 0

    def evaluate(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Print accuracy, cross-entropy, a table of the classes, and confusions."""
        settings, labels = checkpoint.settings, checkpoint.labels
        _, what = sources_of(arguments, settings)
        best = None
        if arguments.files:
            sources, _ = sources_of(arguments, settings)
            how = settings_for(arguments, settings)
            columns = [("--column", how["column"]), ("--label", how["label"])]
            files = read_files(sources, how, columns, ROLES)
            print_notes(files.notes)
            texts = encode_texts(
                files.rows, checkpoint.tokenizer, labels, settings["max_length"]
            )
        else:
            examples = self.load(settings["sources"], settings)
            check_same_data(checkpoint, examples.fingerprint, arguments.model)
            texts, best = examples.own, examples.best
        p = probabilities(checkpoint.training.model, texts.ids)
        print_evaluation(p, texts, labels, what, arguments.picture, best)
        return 0


def print_evaluation(
    p: np.ndarray,
    texts: Texts,
    labels: tuple[str, ...],
    what: str,
    picture: str | None,
    best: str | None = None,
) -> None:
    """Print how good predictions are, given the probabilities (n, C) of the classes."""
    width = terminal_width()
    unseen = sorted(set(texts.names) - set(labels), key=_natural)
    names = [*labels, *unseen]
    true = np.array([names.index(name) for name in texts.names])
    predicted, seen = p.argmax(axis=1), texts.labels >= 0
    matrix = confusion_matrix(true, predicted, len(names))
    right = int(np.trace(matrix))
    head = [f"{what}: {counted(len(true), 'text')}", *_note_of_unseen(texts, what)]
    head.append(f"accuracy: {right / len(true):.2%} ({right:,} right)")
    if seen.any():
        of_true = np.maximum(p[seen, texts.labels[seen]], np.finfo(p.dtype).tiny)
        loss = float(-np.log(of_true).mean())
        head.append(f"cross-entropy: {loss:.4f} nats per text")
    if best is not None:
        head.append(best)
    frequent = max(int(row.sum()) for row in matrix) / len(true)
    head.append(f"always the most frequent class: accuracy {frequent:.2%}")
    for sentence in head:
        print("\n".join(wrap(sentence, width)))
    print("\n" + "\n".join(class_table(matrix, names)))
    print("\n" + "\n".join(matrix_lines(matrix, names, width)))
    if picture is not None:
        from minilstm.cli.tasks.pictures import confusion_picture

        drawn = confusion_picture(matrix, names, picture)
        print(f"\n{drawn} is drawn in {picture}")


def probabilities(model: Classifier, ids: Sequence[np.ndarray]) -> np.ndarray:
    """Probabilities (n, C) of the classes of n texts."""
    order = np.argsort([len(text) for text in ids], kind="stable")
    found = np.empty((len(ids), model.classes), model.dtype)
    for first in range(0, len(ids), AT_ONCE):
        some = order[first : first + AT_ONCE]
        found[some] = model.probabilities(*pad_ids([ids[k] for k in some]))
    return found


def encode_texts(
    rows: Rows,
    tokenizer: Tokenizer,
    labels: Sequence[str],
    max_length: int | None,
) -> Texts:
    """Rows of a text and a class, as the model reads them."""
    number = {name: k for k, name in enumerate(labels)}
    texts, names = [row[0] for row in rows], [row[1].strip() for row in rows]
    ids = encode(tokenizer, texts, max_length, "text")
    return Texts(texts, ids, np.array([number.get(n, -1) for n in names]), names)


def _headlines(count: int, rng: np.random.Generator, characters: int | None) -> Rows:
    texts, labels = topics().sample(count, rng, characters)
    return [(text, CLASSES[k]) for text, k in zip(texts, labels.tolist())]


def _best_possible(characters: int | None, texts: Texts) -> tuple[float | None, str]:
    """The cross-entropy of the best classifier on these texts; and a sentence.

    None instead of 0, which has no place on a logarithmic scale.
    """
    if characters is None:
        return None, "best possible: accuracy 100 %, cross-entropy 0"
    accuracy, floor = topics().best_possible(characters)
    p = np.array([topics().posteriors(text)[-1] for text in texts.texts])
    mine = float((p.argmax(axis=1) == texts.labels).mean())
    nats = float(-np.log(p[np.arange(len(p)), texts.labels]).mean())
    sentence = (
        f"best possible (Bayes-optimal), from {characters} characters: accuracy"
        f" {accuracy:.2%}, cross-entropy {floor:.4f} nats per text on average;"
        f" {mine:.2%} and {nats:.4f} on this validation set"
    )
    return (nats if nats > 0 else None), sentence


def _check_classes(labels: Sequence[str]) -> None:
    if len(labels) < 2:
        raise InputError(
            f"all examples of the training set have the class {labels[0]!r}; a"
            " classifier needs at least two classes"
        )
    if len(labels) > MOST_CLASSES:
        raise InputError(
            f"the column of --label has {len(labels):,} different values, and at most"
            f" {MOST_CLASSES:,} classes are possible; name a column of classes"
        )


def _check_repeated(rows: Rows, name: str) -> None:
    """Raise InputError if no class occurs twice."""
    different = len({label.strip() for _, label in rows})
    if different == len(rows) > 1:
        raise InputError(
            f"column {name!r} has {different:,} different values in {len(rows):,} rows;"
            " is it the label? Name the column of classes with --label"
        )


def _note_of_unseen(texts: Texts, what: str) -> tuple[str, ...]:
    """A sentence about classes that the training set lacks, if there are any."""
    unseen = sorted({n for n, k in zip(texts.names, texts.labels) if k < 0})
    if not unseen:
        return ()
    count = int((texts.labels < 0).sum())
    named = ", ".join(map(repr, unseen[:5])) + ", …" * (len(unseen) > 5)
    return (
        f"{counted(count, 'text')} of {what}"
        f" {'has' if count == 1 else 'have'} a class that the training set lacks"
        f" ({named}): counted as wrong, and left out of the loss",
    )


def _natural(label: str) -> tuple[float, str]:
    """A key that sorts numbers by size, and before words."""
    return (int(label) if label.isdecimal() else math.inf, label)
