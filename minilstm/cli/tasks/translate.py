"""The task ``translate``: from a source text to a target text.

    dates       built in: dates as people write them, to ISO 8601; with attention
    addition    built in: 535+61 to 596; the source is read in reverse
    files       a column of sources and a column of targets, from tables or JSON

In both built-in corpora the target is a function of the source, so 100 % of the targets
can be right.
"""

from __future__ import annotations

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
    check_picture,
    check_same_data,
    inputs_of,
    print_notes,
    settings_for,
    sources_of,
    warn_of_unknown,
)
from minilstm.cli.tasks.examples import (
    LONGEST,
    VALIDATION_FRACTION,
    counted,
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
    Score,
    Written,
    greedy_texts,
    of_pairs,
    print_texts,
    score,
)
from minilstm.cli.terminal import harmless, terminal_width, wrap
from minilstm.corpora import addition, dates
from minilstm.data.pairs import PairBatches, pad
from minilstm.data.protocol import Tokenizer
from minilstm.data.readers import split_sequences
from minilstm.errors import InputError
from minilstm.models.encoder_decoder import EncoderDecoder
from minilstm.models.memory import Memory
from minilstm.training.checkpoint import Checkpoint
from minilstm.training.loop import Training
from minilstm.training.progress import as_item

PAIRS = {"dates": 20_000, "addition": 45_000}  # of the built-in corpora
VALIDATION_PAIRS = {"dates": 2_000, "addition": 5_000}
DIGITS = 3  # of the numbers of `addition`
ROLES = {"--column": "source", "--target": "target"}
CHECKED, EXAMPLES_SHOWN, AT_ONCE = 1_000, 3, 250

Rows = Sequence[tuple[str, ...]]  # of a source and a target


class Pairs(NamedTuple):
    """Sources and targets, as the model reads them."""

    rows: Rows
    sources: list[np.ndarray]
    targets: list[np.ndarray]


class TranslateTask(Task):
    """A target text for each source text."""

    name = "translate"
    kind = EncoderDecoder.kind
    options = frozenset({
        *("column", "format", "separator", "header", "encoding", "target"),
        *("tokens", "vocab", "max_length", "embedding", "bidirectional"),
        *("attention", "reverse_source"),
    })  # fmt: skip
    defaults = {
        "batch_size": 32, "learning_rate": 0.005, "epochs": None,
        "hidden": 128, "embedding": 64, "attention": 64,
    }  # fmt: skip
    of_corpus = {
        "dates": {
            "batch_size": 64, "epochs": 4, "embedding": 32, "bidirectional": True,
        },
        "addition": {
            "batch_size": 64, "epochs": 8, "embedding": 32, "learning_rate": 0.01,
            "attention": 0, "reverse_source": True,
        },
    }  # fmt: skip

    def resolve_settings(self, kind: str, given: Settings) -> Settings:
        if given.get("cell", "lstm") != "lstm":
            if given.get("attention"):
                raise InputError("--attention needs --cell lstm; leave one of them out")
            given = {**given, "attention": 0}
        return super().resolve_settings(kind, given)

    def load(self, sources: Sequence[str], settings: Settings) -> Examples:
        rng = seeds.generator(settings["seed"], seeds.VALIDATION)
        kind = source_kind(sources)
        notes: tuple[str, ...] = ()
        best = None
        train: Rows
        valid: Rows
        if kind == "file":
            columns = _columns(settings["column"], settings["target"])
            files = read_files(sources, settings, columns, ROLES, in_order=True)
            train, valid = split_sequences(files.rows, rng, VALIDATION_FRACTION)
            notes = files.notes
        else:
            count, more = PAIRS[kind], VALIDATION_PAIRS[kind]
            if kind == "dates":
                pairs = dates.sample(count + more, rng)
            else:
                pairs = addition.sample(count + more, DIGITS, rng)
            train, valid = pairs[:count], pairs[count:]
            best = (
                "best possible: exact match 100 %, loss 0, because each source has one"
                " target"
            )
        tokenizer = fit_tokenizer([row[0] for row in train], settings)
        target_tokenizer = fit_tokenizer([row[1] for row in train], settings)
        limit = settings["max_length"]
        encoded = encode_pairs(train, tokenizer, target_tokenizer, limit)
        valid_pairs = encode_pairs(valid, tokenizer, target_tokenizer, limit)
        if not encoded.rows or not valid_pairs.rows:
            raise InputError(
                "the training set or the validation set is empty: give more pairs"
                + ", or a larger --max-length" * (limit is not None)
            )
        start, end = target_tokenizer.padding_id, target_tokenizer.eos_id
        longest = max(map(len, encoded.targets))
        omitted = len(train) + len(valid) - len(encoded.rows) - len(valid_pairs.rows)
        more_notes = _note_of_omitted(omitted, limit)
        return Examples(
            train=PairBatches(
                encoded.sources, encoded.targets,
                min(settings["batch_size"], len(encoded.rows)), settings["pool"],
                start, end,
            ),
            valid=PairBatches(
                valid_pairs.sources, valid_pairs.targets,
                min(AT_ONCE, len(valid_pairs.rows)), 1, start, end,
            ),
            description=f"{counted(len(encoded.rows), 'pair')}, {len(tokenizer.tokens):,}"
            f" different {tokenizer.unit}s in sources,"
            f" {len(target_tokenizer.tokens):,} in targets; validation set:"
            f" {counted(len(valid_pairs.rows), 'pair')}"
            + unknown_share(tokenizer, valid_pairs.sources),
            fingerprint=fingerprint(list(encoded.rows), list(valid_pairs.rows)),
            notes=(*notes, *more_notes),
            tokenizer=tokenizer,
            target_tokenizer=target_tokenizer,
            best=best,
            unit=target_tokenizer.unit,
            characters=_characters(valid_pairs),
            kept={"characters": _characters(valid_pairs), "length": longest + 1},
            own=valid_pairs,
        )  # fmt: skip

    def unit_of(self, checkpoint: Checkpoint) -> str:
        assert checkpoint.target_tokenizer is not None
        return checkpoint.target_tokenizer.unit

    def build_model(self, settings: Settings, examples: Examples) -> EncoderDecoder:
        names = ("embedding", "hidden", "layers", "cell", "bidirectional")
        return EncoderDecoder(
            examples.tokenizer.vocab_size,
            examples.target_tokenizer.vocab_size,
            attention=settings["attention"] or None,
            reverse_source=settings["reverse_source"],
            dropout=settings["dropout"],
            seed=settings["seed"],
            **{name: settings[name] for name in names},
        )

    def report(
        self, training: Training, checkpoint: Checkpoint, examples: Examples
    ) -> str:
        """Exact match on the validation set, greedy, and the first outputs."""
        pairs: Pairs = examples.own
        written, measured = _measure(checkpoint, pairs, CHECKED)
        count = of_pairs(len(written.texts), len(pairs.rows), "pair")
        lines = [f"  exact match {measured.exact:.2%} of {count} (greedy)"]
        for k, (source, target, *_) in enumerate(pairs.rows[:EXAMPLES_SHOWN]):
            truth = "" if measured.right[k] else f"; true: {shown(target)}"
            text = shown(written.shown(k))
            lines.append(as_item(f"{shown(source)}: {text}{truth}"))
        return "\n".join(lines)

    def share_right(self, checkpoint: Checkpoint, examples: Examples) -> float:
        return _measure(checkpoint, examples.own)[1].exact

    def commands(self, path: Path) -> list[str]:
        model = shlex.quote(str(path))
        return [f"minilstm sample {model} --input TEXT", f"minilstm evaluate {model}"]

    def sample(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Print the target of each input."""
        chosen = check_options(
            arguments, {**SAMPLING, "input": None, "picture": None}, "a translator"
        )
        model = checkpoint.training.model
        if chosen["picture"] is not None and model.attention is None:
            raise InputError(
                "--picture draws attention, and this model has none; train one with"
                " --attention K"
            )
        check_picture(chosen["picture"])

        def parse(text: str, _: int) -> np.ndarray:
            ids = checkpoint.tokenizer.encode(text)
            _check_length(len(ids), checkpoint.tokenizer, "source")
            return ids

        several = chosen["input"] is None or len(chosen["input"]) > 1
        for k, (text, ids) in enumerate(inputs_of(chosen["input"], "text", parse)):
            warn_of_unknown(checkpoint.tokenizer, text)
            if several:
                print(
                    "\n" * (k > 0) + "\n".join(wrap(harmless(text), terminal_width()))
                )
            picture = chosen["picture"] if k == 0 else None
            memory = encode(model, [ids])
            source = ids.tolist()
            print_texts(checkpoint, memory, chosen, k, several, source, picture)
        return 0

    def evaluate(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Print exact match, mean edit distance, and the first wrong outputs."""
        settings, tokenizer = checkpoint.settings, checkpoint.target_tokenizer
        assert tokenizer is not None
        sources, what = sources_of(arguments, settings)
        if arguments.files:
            how = settings_for(arguments, settings)
            columns, limit = _columns(how["column"], how["target"]), how["max_length"]
            files = read_files(sources, how, columns, ROLES, in_order=True)
            pairs = encode_pairs(files.rows, checkpoint.tokenizer, tokenizer, limit)
            omitted = _note_of_omitted(len(files.rows) - len(pairs.rows), limit)
            if not pairs.rows:
                raise InputError(
                    f"every pair of {what} has more than the {limit} tokens of"
                    " --max-length; give shorter ones"
                )
            print_notes((*files.notes, *omitted))
        else:
            examples = self.load(settings["sources"], settings)
            check_same_data(checkpoint, examples.fingerprint, arguments.model)
            pairs = examples.own
        written, measured = _measure(checkpoint, pairs)
        print(f"{what}: {counted(len(pairs.rows), 'pair')}, greedy")
        print("\n".join(wrap(measured.sentence(tokenizer.unit), terminal_width())))
        wrong = [k for k, right in enumerate(measured.right) if not right]
        for k in wrong[:MISTAKES_SHOWN]:
            source, target = pairs.rows[k][:2]
            text = shown(written.shown(k))
            print(as_item(f"{shown(source)}: {text}; true: {shown(target)}"))
        return 0


def _measure(
    checkpoint: Checkpoint, pairs: Pairs, most: int | None = None
) -> tuple[Written, Score]:
    """The greedy targets of the first pairs, and how good they are."""
    model, tokenizer = checkpoint.training.model, checkpoint.target_tokenizer
    assert tokenizer is not None
    written = greedy_texts(
        checkpoint, lambda some: encode(model, some), pairs.sources[:most]
    )
    true = [row[1] for row in pairs.rows[:most]]
    return written, score(written.texts, true, tokenizer)


def _note_of_omitted(count: int, limit: int | None) -> list[str]:
    if not count:
        return []
    return [f"{counted(count, 'pair')} with more than {limit} tokens left out"]


def encode(model: EncoderDecoder, sources: Sequence[np.ndarray]) -> Memory:
    """What the decoder begins with, for these sources."""
    return model.encode(*pad(sources))


def encode_pairs(
    rows: Rows, tokenizer: Tokenizer, target_tokenizer: Tokenizer, limit: int | None
) -> Pairs:
    """Pairs as the model reads them; those longer than the limit are left out.

    Raises
    ------
    InputError
        If a text has no token, or is longer than ``LONGEST`` and there is no limit.
    """
    kept, sources, targets = [], [], []
    for row in rows:
        source, target = tokenizer.encode(row[0]), target_tokenizer.encode(row[1])
        if limit is not None and max(len(source), len(target)) > limit:
            continue
        _check_length(len(source), tokenizer, "source")
        _check_length(len(target), target_tokenizer, "target")
        kept.append(row)
        sources.append(source)
        targets.append(target)
    return Pairs(kept, sources, targets)


def _check_length(length: int, tokenizer: Tokenizer, what: str) -> None:
    if length == 0:
        raise InputError(f"a {what} has no {tokenizer.unit} in it; take it out")
    if length > LONGEST // 5:  # attention looks at the whole source at every step
        raise InputError(
            f"a {what} has {length:,} {tokenizer.unit}s, and the limit is"
            f" {LONGEST // 5:,}; add --max-length T to leave out longer ones, or"
            " shorten it"
        )


def _columns(source: str | None, target: str | None) -> list[tuple[str, str | None]]:
    return [("--column", source), ("--target", target)]


def _characters(pairs: Pairs) -> float:
    """Mean characters per target token, without ends."""
    tokens = sum(map(len, pairs.targets))
    return sum(len(row[1]) for row in pairs.rows) / max(1, tokens)
