"""From the sources named on the command line to batches: what a run is trained on and what it is judged by."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minilstm.commands.settings import OF_SOURCE, Settings
from minilstm.commands.sources import kind_of, told
from minilstm.errors import InputError
from minilstm.text import headlines, recipes
from minilstm.text.batches import Batches, CorpusBatches, SequenceBatches
from minilstm.text.grammar import Grammar
from minilstm.text.protocol import Corpus, Tokenizer
from minilstm.text.published import LeftPadded, RightPadded
from minilstm.text.readers import read_recipes, read_sequences, read_text, split_sequences, split_text
from minilstm.text.tokenizers import CharTokenizer
from minilstm.text.windows import LooseWindows, WindowBatches, running_text
from minilstm.text.wordgrammar import WordGrammar
from minilstm.text.words import WordTokenizer

CORPORA: dict[str, Callable[[], Grammar | WordGrammar]] = {"headlines": headlines.headlines, "recipes": recipes.recipes}
PROMPTS = {"headlines": (*headlines.PROMPTS, headlines.UNFAMILIAR_PROMPT), "recipes": recipes.PROMPTS}
EPOCH = {"headlines": 19_200, "recipes": 4_800}  # new texts that the grammar writes
HELD_OUT_TEXTS = {"headlines": 2_000, "recipes": 500}
HELD_OUT = 0.1  # share of a file
WHOLE_FILES = 10  # of so many files, whole ones are held out; of fewer, a stretch of each
WITH_COLUMNS = {".csv", ".json"}
LONG_LINE = 300  # characters, on average: rather a paragraph than a line
LONGEST_SEQUENCE = 5_000  # symbols; anything longer is a running text


@dataclass(frozen=True)
class Data:
    """Text, made ready for a run."""

    train: Batches
    valid: Batches | None  # none where nothing is held out, as published
    tokenizer: Tokenizer
    prompts: list[str]  # for samples after each epoch
    description: str
    fingerprint: str  # of everything that is trained on
    characters: float  # that a token stands for, on average
    corpus: Corpus | None = None  # a built-in corpus, whose floor is known


def load(sources: Sequence[str], settings: Settings) -> Data:
    """Read the sources, divide them into a training and a held-out part, and make batches."""
    rng = np.random.default_rng([settings["seed"], 1])
    if kind_of(sources) != "file":
        return _of_grammar(sources[0], settings, rng)
    try:
        return _of_files(sources, settings, rng)
    except InputError as error:
        if any(source in str(error) for source in sources):
            raise
        raise InputError(f"{told(sources)}: {error}") from error


def _of_grammar(name: str, settings: Settings, rng: np.random.Generator) -> Data:
    """New texts in every epoch, and some to judge by, drawn from the same grammar but by other random numbers."""
    corpus, count = CORPORA[name](), HELD_OUT_TEXTS[name]
    held_out, others = corpus.sample_many(count, rng), corpus.sample_many(count, rng)
    if settings["as_published"]:
        texts = corpus.sample_many(EPOCH[name], rng)
        return _published(texts, settings, f"{len(texts):,} {name}")
    tokenizer = _fit_to_grammar(corpus, settings, others)
    ids = [tokenizer.encode(text) for text in held_out]
    is_its_own = settings["tokens"] == OF_SOURCE[name].get("tokens", "chars") and not _unknown(tokenizer, held_out + others)
    return Data(
        train=CorpusBatches(corpus, tokenizer, EPOCH[name], settings["batch_size"]),
        valid=SequenceBatches(ids, min(settings["batch_size"], len(ids)), tokenizer.eos_id),
        tokenizer=tokenizer,
        prompts=_readable(settings["prompts"] or PROMPTS[name], tokenizer, held_out),
        description=f"{EPOCH[name]:,} new {name} an epoch, {_kinds(tokenizer)}; held out {count:,}"
        f"{_unknown(tokenizer, held_out)}",
        fingerprint=_fingerprint(tokenizer, ids),
        characters=_characters(held_out, ids),
        corpus=corpus if is_its_own else None,
    )


def _fit_to_grammar(corpus: Grammar | WordGrammar, settings: Settings, texts: list[str]) -> Tokenizer:
    """All symbols of the grammar, the most frequent of the texts first."""
    if isinstance(corpus, WordGrammar):
        words = " ".join(corpus.vocabulary)
        every = [words, words.upper()] if settings["tokens"] == "chars" else [words]
    else:
        every = ["".join(corpus.alphabet)] if settings["tokens"] == "chars" else []
    if settings["tokens"] == "chars":
        return CharTokenizer.fit(every + texts)
    return WordTokenizer.fit(every + texts, settings["vocab"])


def _of_files(sources: Sequence[str], settings: Settings, rng: np.random.Generator) -> Data:
    texts, note = _read(sources, settings)
    if settings["as_published"]:
        return _published(texts, settings, f"{len(texts):,} sequences{note}")
    if settings["window"] is None and len(texts) < 2:
        raise InputError("holding some out takes at least 2 sequences, and there is one; for running text add --window 50")
    if settings["window"] is None or len(texts) >= WHOLE_FILES:
        train, valid = split_sequences(texts, rng, HELD_OUT)
    else:
        train, valid = (list(part) for part in zip(*(split_text(text, rng, HELD_OUT) for text in texts)))
    tokenizer = _fit(train, valid, settings)
    ids, held_out = ([tokenizer.encode(text) for text in part] for part in (train, valid))
    ids, held_out = [s for s in ids if len(s)], [s for s in held_out if len(s)]
    unit = f"windows of {settings['window']}" if settings["window"] else f"{len(ids):,} sequences"
    return Data(
        train=_batches(ids, settings, tokenizer.eos_id),
        valid=_batches(held_out, settings, tokenizer.eos_id, to_judge_by=True),
        tokenizer=tokenizer,
        prompts=_readable(settings["prompts"] or (), tokenizer, valid),
        description=f"{sum(map(len, ids)):,} {tokenizer.unit}s, {_kinds(tokenizer)}, in {unit};"
        f" held out {sum(map(len, held_out)):,}{_unknown(tokenizer, valid)}{note}",
        fingerprint=_fingerprint(tokenizer, ids + held_out),
        characters=_characters(valid, held_out),
    )


def _read(sources: Sequence[str], settings: Settings) -> tuple[list[str], str]:
    """The sequences of all files, or their running texts; and what is to be told about it."""
    kinds, preset, column = {_suffix(source) for source in sources}, settings["preset"], settings["column"]
    if preset == "recipes":
        if kinds != {".json"} or column is not None:
            raise InputError("--preset recipes reads .json files, lists of objects with `title` and `directions`, no columns")
        read = [read_recipes(source) for source in sources]
        left_out = sum(count for _, count in read)
        note = f"; {left_out:,} without title or directions left out" if left_out else ""
        return [text for texts, _ in read for text in texts], note
    if preset == "headlines" and ".json" in kinds:
        raise InputError("--preset headlines reads a .csv file with a column of titles, or a text with a headline a line")
    if preset == "headlines" and column is None and ".csv" in kinds:
        column = "title"
    if column is not None and not kinds & WITH_COLUMNS:
        raise InputError("--column is for .csv and .json files, and this is plain text; leave --column out")
    if settings["window"] is not None and not kinds & WITH_COLUMNS:
        return [read_text(source) for source in sources], ""
    columns = [column if _suffix(source) in WITH_COLUMNS else None for source in sources]
    texts = [text for source, its in zip(sources, columns) for text in read_sequences(source, its)]
    are_long = not kinds & WITH_COLUMNS and sum(map(len, texts)) > LONG_LINE * len(texts)
    return texts, "; its lines are long, and each is a sequence of its own: for running text add --window 256" * are_long


def _suffix(source: str) -> str:
    return Path(source).suffix.lower()


def _fit(train: list[str], valid: list[str], settings: Settings) -> Tokenizer:
    """Characters of both parts, so that all can be read; words of the training part, as in earnest."""
    if settings["tokens"] == "chars":
        return CharTokenizer.fit(train + valid)
    tokenizer = WordTokenizer.fit(train, settings["vocab"])
    limited = tokenizer.vocab_size == settings["vocab"]
    if tokenizer.share_unknown(valid) == 1:
        raise InputError("all words of the held-out part are unknown: give more text" + ", or a larger --vocab" * limited)
    return tokenizer


def _published(texts: list[str], settings: Settings, what: str) -> Data:
    """Nothing held out, padding learned and counted: see ``minilstm.text.published``."""
    tokenizer = _fit(texts, texts, settings)
    ids = [tokenizer.encode(text) for text in texts]
    batches: Batches = LeftPadded(ids, settings["batch_size"], tokenizer.eos_id)
    if settings["preset"] == "recipes":
        batches = RightPadded(ids, settings["batch_size"], settings["max_length"])
    return Data(
        train=batches,
        valid=None,
        tokenizer=tokenizer,
        prompts=_readable(settings["prompts"], tokenizer, texts),
        description=f"{what}, {_kinds(tokenizer)}; as published: padding is learned and counted, nothing is held out",
        fingerprint=_fingerprint(tokenizer, ids),
        characters=_characters(texts, ids),
    )


def _batches(ids: list[np.ndarray], settings: Settings, eos_id: int, to_judge_by: bool = False) -> Batches:
    """Sequences or windows. To judge by, there may be fewer than a batch of them."""
    if not ids:
        raise InputError("nothing is left to learn from, or to judge by: give more text")
    batch_size, window, longest = settings["batch_size"], settings["window"], settings["max_length"]
    if window is None:
        if longest is None and max(map(len, ids)) > LONGEST_SEQUENCE:
            raise InputError(
                f"the longest sequence has {max(map(len, ids)):,} symbols, too many to go through in one piece;"
                f" read the file as one running text, with --window 50"
            )
        if to_judge_by:
            return SequenceBatches(ids, min(batch_size, len(ids)), eos_id, max_steps=longest)
        return SequenceBatches(ids, batch_size, eos_id, max_steps=longest, pool=settings.get("pool", 1))
    text = running_text(ids, eos_id)
    if to_judge_by:
        window = min(window, len(text))
        batch_size = max(1, min(batch_size, len(text) // window))
    return (WindowBatches if settings["carry"] else LooseWindows)(text, batch_size, window, eos_id)


def _kinds(tokenizer: Tokenizer) -> str:
    return f"{len(tokenizer.symbols):,} kinds of {tokenizer.unit}s"


def _unknown(tokenizer: Tokenizer, texts: list[str]) -> str:
    share = tokenizer.share_unknown(texts) if isinstance(tokenizer, WordTokenizer) else 0
    return f" ({share:.1%} unknown)" if share else ""


def _characters(texts: list[str], ids: list[np.ndarray]) -> float:
    """Characters of the texts for each token that stands for them."""
    return sum(map(len, texts)) / sum(map(len, ids))


def _fingerprint(tokenizer: Tokenizer, sequences: list[np.ndarray]) -> str:
    between = "" if tokenizer.unit == "character" else " "
    digest = hashlib.sha256(between.join(tokenizer.symbols).encode("utf-8", "surrogatepass"))
    for ids in sequences:
        digest.update(ids.tobytes() + b"|")
    return digest.hexdigest()


def _readable(prompts: Sequence[str], tokenizer: Tokenizer, texts: list[str]) -> list[str]:
    """The prompts that the tokenizer has all tokens of; or, if there are none, beginnings of lines of the texts.

    If it has none of these either, its first token, which is the most frequent one.
    """
    can_read = lambda prompt: _is_known(tokenizer, prompt)
    openings = _openings(texts, 2 if tokenizer.unit == "word" else 1)
    return list(filter(can_read, prompts)) or list(filter(can_read, openings))[:4] or [tokenizer.symbols[0]]


def _is_known(tokenizer: Tokenizer, prompt: str) -> bool:
    """Whether the prompt holds at least one token, and none that the tokenizer has no id for."""
    if tokenizer.unit == "character":
        return 0 < len(prompt) and set(prompt) <= set(tokenizer.symbols)
    ids = tokenizer.encode(prompt)
    return len(ids) > 0 and tokenizer.unknown_id not in ids


def _openings(texts: list[str], words: int) -> list[str]:
    """The first words of lines, each with the white space that follows it there; or else their first characters."""
    lines = [line.lstrip() for text in texts[:50] for line in text[:5000].splitlines()]
    found = [re.match(rf"(?:\S+\s+){{{words}}}(?=\S)", line) for line in lines]
    openings = [match[0][:40] for match in found if match] or [line[:1] for line in lines if line]
    return list(dict.fromkeys(openings))
