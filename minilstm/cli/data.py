"""From the sources on the command line to mini-batches of training and validation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from minilstm import seeds
from minilstm.cli.defaults import OF_SOURCE, Settings
from minilstm.cli.sources import describe, source_kind
from minilstm.corpora import headlines, recipes
from minilstm.corpora.grammar import Grammar
from minilstm.corpora.wordgrammar import WordGrammar
from minilstm.data.batches import Batches, CorpusBatches, SequenceBatches
from minilstm.data.encoded import EncodedTexts, in_chunks
from minilstm.data.protocol import Corpus, Tokenizer
from minilstm.data.published import LeftPadded, RightPadded
from minilstm.data.readers import (
    TABLES,
    WITH_COLUMNS,
    Reading,
    format_of,
    name_of,
    read_recipes,
    read_sequences,
    split_sequences,
    split_text,
)  # fmt: skip
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.windows import StatelessWindows, WindowBatches, running_text
from minilstm.data.words import WordTokenizer
from minilstm.errors import InputError

CORPORA: dict[str, Callable[[], Grammar | WordGrammar]] = {
    "headlines": headlines.headlines,
    "recipes": recipes.recipes,
}
PROMPTS = {
    "headlines": (*headlines.PROMPTS, headlines.UNFAMILIAR_PROMPT),
    "recipes": recipes.PROMPTS,
}
EPOCH = {"headlines": 19_200, "recipes": 4_800}  # new texts that the grammar writes
VALIDATION_TEXTS = {"headlines": 2_000, "recipes": 500}
VALIDATION_FRACTION = 0.1  # of the files
# from so many files on, the validation set is whole files; else a part of each
WHOLE_FILES = 10
LONG_LINE = 300  # mean characters; more than that is a paragraph
SHOWN = 60  # characters of the first sequence in a report
NOTED = 3  # files whose reading is reported
LONGEST_SEQUENCE = 5_000  # tokens; anything longer needs --window


@dataclass(frozen=True)
class Data:
    """The text of a run, in mini-batches."""

    train: Batches
    valid: Batches | None  # None with --as-published
    tokenizer: Tokenizer
    prompts: list[str]  # for samples after each epoch
    description: str
    fingerprint: str  # of the whole text
    characters: float  # mean characters per token
    corpus: Corpus | None = None  # a built-in corpus, whose entropy floor is known
    notes: tuple[str, ...] = ()  # how the files were read


def load(sources: Sequence[str], settings: Settings) -> Data:
    """Read the sources, split off the validation set, and make mini-batches."""
    rng = seeds.generator(settings["seed"], seeds.VALIDATION)
    if source_kind(sources) != "file":
        return _of_grammar(sources[0], settings, rng)
    try:
        return _of_files(sources, settings, rng)
    except InputError as error:
        if any(name_of(source) in str(error) for source in sources):
            raise
        raise InputError(f"{describe(sources)}: {error}") from error


def _of_grammar(name: str, settings: Settings, rng: np.random.Generator) -> Data:
    """New texts in every epoch, and a validation set from the same grammar."""
    corpus, count = CORPORA[name](), VALIDATION_TEXTS[name]
    valid, others = corpus.sample_many(count, rng), corpus.sample_many(count, rng)
    if settings["as_published"]:
        texts = corpus.sample_many(EPOCH[name], rng)
        return _published(texts, settings, f"{len(texts):,} {name}")
    tokenizer = _fit_to_grammar(corpus, settings, others)
    ids = EncodedTexts(tokenizer, valid)
    own_tokens = OF_SOURCE[name].get("tokens", "chars")
    unknown = _unknown(tokenizer, valid + others)
    is_its_own = settings["tokens"] == own_tokens and not unknown
    return Data(
        train=CorpusBatches(corpus, tokenizer, EPOCH[name], settings["batch_size"]),
        valid=SequenceBatches(
            ids, min(settings["batch_size"], len(ids)), tokenizer.eos_id
        ),
        tokenizer=tokenizer,
        prompts=_readable(settings["prompts"] or PROMPTS[name], tokenizer, valid),
        description=f"{EPOCH[name]:,} new {name} per epoch, {_kinds(tokenizer)};"
        f" validation set: {count:,} {name}{_unknown(tokenizer, valid)}",
        fingerprint=_fingerprint(tokenizer, ids),
        characters=_characters(valid, ids),
        corpus=corpus if is_its_own else None,
    )


def _fit_to_grammar(
    corpus: Grammar | WordGrammar, settings: Settings, texts: list[str]
) -> Tokenizer:
    """All tokens of the grammar, the most frequent of the texts first."""
    if isinstance(corpus, WordGrammar):
        words = " ".join(corpus.vocabulary)
        every = [words, words.upper()] if settings["tokens"] == "chars" else [words]
    else:
        every = ["".join(corpus.alphabet)] if settings["tokens"] == "chars" else []
    if settings["tokens"] == "chars":
        return CharTokenizer.fit(every + texts)
    return WordTokenizer.fit(every + texts, settings["vocab"])


def _of_files(
    sources: Sequence[str], settings: Settings, rng: np.random.Generator
) -> Data:
    texts, remark, notes = read(sources, settings)
    more = [f"… and {len(notes) - NOTED:,} more files"] if len(notes) > NOTED else []
    shown_notes = (*notes[:NOTED], *more)
    if settings["as_published"]:
        return replace(
            _published(texts, settings, f"{_sequences(len(texts))}{remark}"),
            notes=shown_notes,
        )
    if settings["window"] is None and len(texts) < 2:
        raise InputError(
            "a validation set takes at least 2 sequences, and there is one;"
            " for one long text add --window 50"
        )
    if settings["window"] is None or len(texts) >= WHOLE_FILES:
        train, valid = split_sequences(texts, rng, VALIDATION_FRACTION)
    else:
        train, valid = (
            list(part)
            for part in zip(
                *(split_text(text, rng, VALIDATION_FRACTION) for text in texts)
            )
        )
    del texts  # as much memory as both sets together
    tokenizer = _fit(train, valid, settings)
    ids, valid_ids = EncodedTexts(tokenizer, train), EncodedTexts(tokenizer, valid)
    if settings["window"] is None:
        _check_batch_size(ids, valid_ids, settings["batch_size"])
    unit = (
        f"windows of {settings['window']}"
        if settings["window"]
        else _sequences(len(ids))
    )
    return Data(
        train=_batches(ids, settings, tokenizer.eos_id),
        valid=_batches(valid_ids, settings, tokenizer.eos_id, to_validate=True),
        tokenizer=tokenizer,
        prompts=_readable(settings["prompts"] or (), tokenizer, valid),
        description=(
            f"{len(ids.ids):,} {tokenizer.unit}s, {_kinds(tokenizer)}, in {unit};"
            f" validation set: {len(valid_ids.ids):,} {tokenizer.unit}s"
            f"{_unknown(tokenizer, valid)}{remark}"
        ),
        fingerprint=_fingerprint(tokenizer, chain(ids, valid_ids)),
        characters=_characters(valid, valid_ids),
        notes=shown_notes,
    )


def read(
    sources: Sequence[str], settings: Settings
) -> tuple[list[str], str, list[str]]:
    """The sequences of all files, or their long texts; a remark; how each was read."""
    kinds = [settings["format"] or format_of(source) for source in sources]
    preset, column = settings["preset"], settings["column"]
    if preset == "recipes":
        return _read_recipes(sources, kinds, settings)
    if preset == "headlines" and not {"json", "jsonl"}.isdisjoint(kinds):
        raise InputError(
            "--preset headlines reads a .csv file with a column of titles, or a text"
            " with a headline a line"
        )
    if preset == "headlines" and column is None and not TABLES.isdisjoint(kinds):
        column = "title"
    have_columns = not WITH_COLUMNS.isdisjoint(kinds)
    are_tables = not TABLES.isdisjoint(kinds)
    texts, notes = [], []
    for source, kind in zip(sources, kinds):
        for_column = kind in WITH_COLUMNS or not have_columns
        for_table = kind in TABLES or not are_tables
        read = read_sequences(
            source,
            column if for_column else None,
            settings["format"],
            settings["separator"] if for_table else None,
            settings["header"] if for_table else None,
            settings["encoding"],
            running=settings["window"] is not None and not have_columns,
        )
        texts += read.sequences
        if kind in WITH_COLUMNS:
            notes.append(_describe_reading(source, read))
        elif read.how:
            notes.append(read.how)
    are_long = (
        not have_columns
        and settings["window"] is None
        and sum(map(len, texts)) > LONG_LINE * len(texts)
    )
    remark = (
        "; its lines are long, and each is a sequence of its own:"
        " for one long text add --window 256" * are_long
    )
    return texts, remark, notes


def _read_recipes(
    sources: Sequence[str], kinds: list[str], settings: Settings
) -> tuple[list[str], str, list[str]]:
    given = [
        name for name in ("column", "separator", "header") if settings[name] is not None
    ]
    if not {"json", "jsonl"}.issuperset(kinds) or given:
        raise InputError(
            "--preset recipes reads .json files, lists of objects with `title` and"
            " `directions`, no columns"
        )
    read = [
        read_recipes(source, settings["encoding"], kind == "jsonl")
        for source, kind in zip(sources, kinds)
    ]
    left_out = sum(count for _, count in read)
    remark = f"; {left_out:,} without title or directions left out" if left_out else ""
    return [text for texts, _ in read for text in texts], remark, []


def _describe_reading(source: str, read: Reading) -> str:
    """How a file was read, with its first sequence, which shows a mistake."""
    first = read.sequences[0]
    shown = first if len(first) <= SHOWN else first[:SHOWN] + "…"
    return f"{Path(name_of(source)).name}: {read.how}; {_sequences(len(read.sequences))}, the first: {shown!r}"


def _fit(train: list[str], valid: list[str], settings: Settings) -> Tokenizer:
    """Characters of both sets, so that all can be read; words of training only."""
    if settings["tokens"] == "chars":
        return CharTokenizer.fit(train + valid)
    tokenizer = WordTokenizer.fit(train, settings["vocab"])
    limited = tokenizer.vocab_size == settings["vocab"]
    if tokenizer.share_unknown(valid) == 1:
        raise InputError(
            "all words of the validation set are unknown: give more text"
            + ", or a larger --vocab" * limited
        )
    return tokenizer


def _published(texts: list[str], settings: Settings, what: str) -> Data:
    """No validation set; padding is learned: see ``minilstm.data.published``."""
    tokenizer = _fit(texts, texts, settings)
    ids = EncodedTexts(tokenizer, texts)
    batches: Batches = LeftPadded(ids, settings["batch_size"], tokenizer.eos_id)
    if settings["preset"] == "recipes":
        batches = RightPadded(ids, settings["batch_size"], settings["max_length"])
    return Data(
        train=batches,
        valid=None,
        tokenizer=tokenizer,
        prompts=_readable(settings["prompts"], tokenizer, texts),
        description=(
            f"{what}, {_kinds(tokenizer)}; as published: padding is learned and"
            " counted, no validation set"
        ),
        fingerprint=_fingerprint(tokenizer, ids),
        characters=_characters(texts, ids),
    )


def _check_batch_size(train: EncodedTexts, valid: EncodedTexts, size: int) -> None:
    """Raise InputError if there are too few sequences for one mini-batch."""
    if 0 < len(train) < size:
        raise InputError(
            f"{_sequences(len(train))} for training ({len(valid)} {'is' if len(valid) == 1 else 'are'} for"
            f" validation), too few for one mini-batch of {size}; add --batch-size {len(train)}"
        )


def _batches(
    ids: EncodedTexts, settings: Settings, eos_id: int, to_validate: bool = False
) -> Batches:
    """Sequences or windows. A validation set may be smaller than a mini-batch."""
    if not ids:
        raise InputError(
            "the training set or the validation set is empty: give more text"
        )
    batch_size = settings["batch_size"]
    window = settings["window"]
    longest = settings["max_length"]
    if window is None:
        if longest is None and ids.lengths.max() > LONGEST_SEQUENCE:
            raise InputError(
                f"the longest sequence has {ids.lengths.max():,} tokens, too many for"
                " one backward pass;"
                " read the file as one long text, with --window 50"
            )
        if to_validate:
            return SequenceBatches(
                ids, min(batch_size, len(ids)), eos_id, max_steps=longest
            )
        return SequenceBatches(
            ids, batch_size, eos_id, max_steps=longest, pool=settings.get("pool", 1)
        )
    text = running_text(ids, eos_id)
    if to_validate:
        window = min(window, len(text))
        batch_size = max(1, min(batch_size, len(text) // window))
    return (WindowBatches if settings["carry"] else StatelessWindows)(
        text, batch_size, window, eos_id
    )


def _sequences(count: int) -> str:
    return f"{count:,} sequence" + "s" * (count != 1)


def _kinds(tokenizer: Tokenizer) -> str:
    return f"{len(tokenizer.tokens):,} different {tokenizer.unit}s"


def _unknown(tokenizer: Tokenizer, texts: list[str]) -> str:
    share = (
        tokenizer.share_unknown(texts) if isinstance(tokenizer, WordTokenizer) else 0
    )
    return f" ({share:.1%} unknown)" if share else ""


def _characters(texts: list[str], ids: EncodedTexts) -> float:
    """Mean characters per token."""
    return sum(map(len, texts)) / len(ids.ids)


def _fingerprint(tokenizer: Tokenizer, sequences: Iterable[np.ndarray]) -> str:
    between = "" if tokenizer.unit == "character" else " "
    digest = hashlib.sha256(
        between.join(tokenizer.tokens).encode("utf-8", "surrogatepass")
    )
    for ids in sequences:
        for chunk in in_chunks(ids):
            digest.update(chunk.data)
        digest.update(b"|")
    return digest.hexdigest()


def _readable(
    prompts: Sequence[str], tokenizer: Tokenizer, texts: list[str]
) -> list[str]:
    """The prompts that the model can read.

    If there are none, beginnings of lines of the texts. If the model cannot read these
    either, its first token, which is the most frequent one.
    """
    can_read = lambda prompt: _is_known(tokenizer, prompt)
    openings = _openings(texts, 2 if tokenizer.unit == "word" else 1)
    return (
        list(filter(can_read, prompts))
        or list(filter(can_read, openings))[:4]
        or [tokenizer.tokens[0]]
    )


def _is_known(tokenizer: Tokenizer, prompt: str) -> bool:
    """Whether the prompt has a token, and only known ones."""
    if tokenizer.unit == "character":
        return 0 < len(prompt) and set(prompt) <= set(tokenizer.tokens)
    ids = tokenizer.encode(prompt)
    return len(ids) > 0 and tokenizer.unknown_id not in ids


def _openings(texts: list[str], words: int) -> list[str]:
    """The first words of lines with the space after them, or else first characters."""
    lines = [line.lstrip() for text in texts[:50] for line in text[:5000].splitlines()]
    found = [re.match(rf"(?:\S+\s+){{{words}}}(?=\S)", line) for line in lines]
    openings = [match[0][:40] for match in found if match] or [
        line[:1] for line in lines if line
    ]
    return list(dict.fromkeys(openings))
