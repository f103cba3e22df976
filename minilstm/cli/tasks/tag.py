"""The task ``tag``: a label for each token of a sequence.

Files have one of two forms:

    lines       a token and its label on each line, with a tab or spaces between; a
                blank line ends a sequence (CoNLL). Columns between are ignored.
    columns     a table or JSON: --column has tokens with spaces between, --label as
                many labels
"""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minilstm import seeds
from minilstm.cli.defaults import OF_WORDS, Settings
from minilstm.cli.tasks.applying import (
    check_options,
    check_same_data,
    inputs_of,
    print_notes,
    settings_for,
    sources_of,
    warn_of_unknown,
)
from minilstm.cli.tasks.confusion import class_table, confusion_matrix, matrix_lines
from minilstm.cli.tasks.examples import (
    VALIDATION_FRACTION,
    check_length,
    counted,
    fingerprint,
    read_files,
    shown,
    unknown_share,
)
from minilstm.cli.tasks.task import Examples, Task
from minilstm.cli.terminal import harmless, terminal_width, wrap
from minilstm.data.pairs import TaggedBatches, pad
from minilstm.data.protocol import Tokenizer
from minilstm.data.readers import format_of, name_of, read_text, split_sequences
from minilstm.data.whitespace import WhitespaceTokenizer
from minilstm.errors import InputError
from minilstm.models.tagger import Tagger
from minilstm.training.checkpoint import Checkpoint
from minilstm.training.loop import Training
from minilstm.training.progress import as_item

AT_ONCE, EXAMPLES_SHOWN, MOST_LABELS = 250, 2, 1_000
DOCUMENT = "-DOCSTART-"  # a line of CoNLL files that is no token

Rows = Sequence[tuple[str, str]]  # tokens and labels, with spaces between


class Tagged(NamedTuple):
    """Sequences of tokens and labels, as the model reads them."""

    rows: Rows
    ids: list[np.ndarray]
    labels: list[np.ndarray]  # -1: a label that the training set lacks


class TagTask(Task):
    """A label for each token."""

    name = "tag"
    kind = Tagger.kind
    has_classes = True
    options = frozenset({
        *("column", "format", "separator", "header", "encoding", "label"),
        *("vocab", "max_length", "embedding", "bidirectional"),
    })  # fmt: skip
    defaults = {
        "batch_size": 16, "learning_rate": 0.01, "epochs": None, "hidden": 64,
        "tokens": "words", "vocab": OF_WORDS["vocab"], "embedding": 64,
        "bidirectional": True,
    }  # fmt: skip

    def load(self, sources: Sequence[str], settings: Settings) -> Examples:
        rng = seeds.generator(settings["seed"], seeds.VALIDATION)
        rows, notes = read_tagged(sources, settings)
        train, valid = split_sequences(rows, rng, VALIDATION_FRACTION)
        labels = tuple(sorted({name for _, names in train for name in names.split()}))
        if len(labels) < 2:
            raise InputError(
                f"all tokens of the training set have the label {labels[0]!r}; a tagger"
                " needs at least two labels"
            )
        if len(labels) > MOST_LABELS:
            raise InputError(
                f"there are {len(labels):,} different labels, and at most"
                f" {MOST_LABELS:,} are possible; the last column must be the labels"
            )
        tokenizer = WhitespaceTokenizer.fit(
            [text for text, _ in train], settings["vocab"]
        )
        limit = settings["max_length"]
        tagged = encode_tagged(train, tokenizer, labels, limit)
        checked = encode_tagged(valid, tokenizer, labels, limit)
        seen = [k for k, some in enumerate(checked.labels) if some.min() >= 0]
        if not seen:
            raise InputError(
                "every sequence of the validation set has a label that the training set"
                " lacks: give more sequences"
            )
        return Examples(
            train=TaggedBatches(
                tagged.ids, tagged.labels,
                min(settings["batch_size"], len(train)), settings["pool"],
            ),
            valid=TaggedBatches(
                [checked.ids[k] for k in seen], [checked.labels[k] for k in seen],
                min(AT_ONCE, len(seen)),
            ),
            description=f"{counted(len(train), 'sequence')},"
            f" {sum(map(len, tagged.ids)):,} tokens, {len(tokenizer.tokens):,}"
            f" different ones that occur at least twice, {counted(len(labels), 'label')};"
            f" validation set: {counted(len(valid), 'sequence')}"
            + unknown_share(tokenizer, checked.ids),
            fingerprint=fingerprint(list(train), list(valid)),
            notes=(*notes, *_note_of_unseen(checked)),
            tokenizer=tokenizer,
            labels=labels,
            unit="token",
            kept={"characters": None},
            own=checked,
        )  # fmt: skip

    def build_model(self, settings: Settings, examples: Examples) -> Tagger:
        names = ("embedding", "hidden", "layers", "cell", "bidirectional", "dropout")
        return Tagger(
            len(examples.labels),
            examples.tokenizer.vocab_size,
            seed=settings["seed"],
            **{name: settings[name] for name in names},
        )

    def report(
        self, training: Training, checkpoint: Checkpoint, examples: Examples
    ) -> str:
        """The accuracy on the validation set, and the first sequences."""
        tagged: Tagged = examples.own
        predicted = predict(training.model, tagged.ids)
        right = np.concatenate([p == y for p, y in zip(predicted, tagged.labels)])
        lines = [f"  accuracy {right.mean():.2%} of {counted(len(right), 'token')}"]
        for (text, _), some in zip(tagged.rows[:EXAMPLES_SHOWN], predicted):
            names = " ".join(examples.labels[k] for k in some.tolist())
            lines.append(as_item(f"{shown(text)}: {shown(names)[1:-1]}"))
        return "\n".join(lines)

    def share_right(self, checkpoint: Checkpoint, examples: Examples) -> float:
        tagged: Tagged = examples.own
        predicted = predict(checkpoint.training.model, tagged.ids)
        right = [p == y for p, y in zip(predicted, tagged.labels)]
        return float(np.concatenate(right).mean())

    def commands(self, path: Path) -> list[str]:
        model = shlex.quote(str(path))
        return [f"minilstm sample {model} --input TEXT", f"minilstm evaluate {model}"]

    def sample(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Print a line for each token, with its label; a blank line between inputs."""
        chosen = check_options(arguments, {"input": None}, "a tagger")

        def parse(text: str, _: int) -> np.ndarray:
            ids = checkpoint.tokenizer.encode(text)
            check_length(len(ids), checkpoint.tokenizer, "text")
            return ids

        for k, (text, ids) in enumerate(inputs_of(chosen["input"], "text", parse)):
            warn_of_unknown(checkpoint.tokenizer, text)
            (predicted,) = predict(checkpoint.training.model, [ids])
            lines = [
                f"{harmless(token)}\t{checkpoint.labels[label]}"
                for token, label in zip(text.split(), predicted.tolist())
            ]
            print("\n" * (k > 0) + "\n".join(lines), flush=True)
        return 0

    def evaluate(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Print accuracy, whole sequences, a table of the labels, and confusions."""
        settings, labels = checkpoint.settings, checkpoint.labels
        sources, what = sources_of(arguments, settings)
        if arguments.files:
            rows, notes = read_tagged(sources, settings_for(arguments, settings))
            print_notes(notes)
            tagged = encode_tagged(
                rows, checkpoint.tokenizer, labels, settings["max_length"]
            )
        else:
            examples = self.load(settings["sources"], settings)
            check_same_data(checkpoint, examples.fingerprint, arguments.model)
            tagged = examples.own
        predicted = predict(checkpoint.training.model, tagged.ids)
        _print_evaluation(tagged, predicted, labels, what, arguments.picture)
        return 0


def _print_evaluation(
    tagged: Tagged,
    predicted: list[np.ndarray],
    labels: tuple[str, ...],
    what: str,
    picture: str | None,
) -> None:
    width = terminal_width()
    true_names = [
        name
        for (_, line), ids in zip(tagged.rows, tagged.ids)
        for name in line.split()[: len(ids)]
    ]
    names = [*labels, *sorted(set(true_names) - set(labels))]
    number = {name: k for k, name in enumerate(names)}
    true = np.array([number[name] for name in true_names])
    matrix = confusion_matrix(true, np.concatenate(predicted), len(names))
    right = int(np.trace(matrix))
    whole = sum(np.array_equal(p, y) for p, y in zip(predicted, tagged.labels))
    count = len(tagged.rows)
    for sentence in (
        f"{what}: {counted(count, 'sequence')}, {counted(len(true), 'token')}",
        *_note_of_unseen(tagged),
        f"accuracy: {right / len(true):.2%} of the tokens ({right:,} right)",
        f"sequences without a wrong label: {whole / count:.2%} ({whole:,})",
        "always the most frequent label: accuracy"
        f" {matrix.sum(axis=1).max() / len(true):.2%}",
    ):
        print("\n".join(wrap(sentence, width)))
    print("\n" + "\n".join(class_table(matrix, names)))
    print("\n" + "\n".join(matrix_lines(matrix, names, width)))
    if picture is not None:
        from minilstm.cli.tasks.pictures import confusion_picture

        drawn = confusion_picture(matrix, names, picture)
        print(f"\n{drawn} is drawn in {picture}")


def predict(model: Tagger, ids: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The most likely label (n,) of each token of each sequence."""
    found = []
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        best = model.logits(*pad(some)).argmax(axis=2)  # (T, B)
        found += [best[: len(sequence), b] for b, sequence in enumerate(some)]
    return found


def encode_tagged(
    rows: Rows, tokenizer: Tokenizer, labels: Sequence[str], limit: int | None
) -> Tagged:
    """Sequences as the model reads them, cut after ``limit`` tokens."""
    number = {name: k for k, name in enumerate(labels)}
    all_ids, all_labels = [], []
    for text, names in rows:
        ids = tokenizer.encode(text)[:limit]
        check_length(len(ids), tokenizer, "sequence")
        all_ids.append(ids)
        some = [number.get(name, -1) for name in names.split()[:limit]]
        all_labels.append(np.array(some))
    return Tagged(rows, all_ids, all_labels)


def read_tagged(
    sources: Sequence[str], settings: Settings
) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Tokens and labels of each sequence, with spaces between; notes on the files.

    Raises
    ------
    InputError
        If a token has no label, or a row has not as many labels as tokens.
    """
    is_table = any(settings[name] is not None for name in ("column", "label")) or not {
        "text",
        "tsv",
    }.issuperset(settings["format"] or format_of(source) for source in sources)
    if not is_table:
        for name in ("separator", "header"):
            if settings[name] is not None:
                raise InputError(
                    f"--{name} is for tables; add --column and --label, or leave it out"
                )
        rows: list[tuple[str, str]] = []
        for source in sources:
            rows += _lines(read_text(source, settings["encoding"]), name_of(source))
        return rows, ()
    columns = [("--column", settings["column"]), ("--label", settings["label"])]
    roles = {"--column": "tokens", "--label": "labels"}
    files = read_files(sources, settings, columns, roles)
    for k, (text, names) in enumerate(files.rows):
        tokens, labels = len(text.split()), len(names.split())
        if tokens != labels:
            raise InputError(
                f"{files.place(k)}: {counted(tokens, 'token')}, but"
                f" {counted(labels, 'label')}; give one label for each token"
            )
    return [(row[0], row[1]) for row in files.rows], files.notes


def _lines(text: str, name: str) -> list[tuple[str, str]]:
    """Sequences from lines of a token and a label; a blank line ends one."""
    rows, tokens, labels = [], [], []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        parts = line.split()
        if parts and parts[0] == DOCUMENT:
            continue
        if parts:
            if len(parts) < 2:
                raise InputError(
                    f"{name}, line {number:,}: {parts[0]!r} has no label; write a"
                    " token, a tab and a label on each line, or name columns with --column and"
                    " --label"
                )
            tokens.append(parts[0])
            labels.append(parts[-1])
        elif tokens:
            rows.append((" ".join(tokens), " ".join(labels)))
            tokens, labels = [], []
    return rows


def _note_of_unseen(tagged: Tagged) -> tuple[str, ...]:
    """A sentence about labels that the training set lacks, if there are any."""
    pairs = zip(tagged.rows, tagged.labels)
    unseen = [
        name
        for (_, names), labels in pairs
        for name, k in zip(names.split(), labels)
        if k < 0
    ]
    if not unseen:
        return ()
    different = sorted(set(unseen))
    named = ", ".join(map(repr, different[:5])) + ", …" * (len(different) > 5)
    return (
        f"{counted(len(unseen), 'token')} with a label that the training set lacks"
        f" ({named}): counted as wrong; their sequences are left out of the loss",
    )
