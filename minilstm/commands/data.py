"""From the source named on the command line to batches: what a run is trained on and what it is judged by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.text import headlines
from minilstm.text.batches import Batches, CorpusBatches, SequenceBatches
from minilstm.text.windows import WindowBatches, running_text
from minilstm.text.grammar import Grammar
from minilstm.text.readers import read_sequences, read_text, split_sequences, split_text
from minilstm.text.tokenizers import CharTokenizer

EPOCH_OF_HEADLINES, HELD_OUT_HEADLINES = 19_200, 2_000
HELD_OUT = 0.1  # share of a file
LONGEST_SEQUENCE = 5_000  # symbols; anything longer is a running text


@dataclass(frozen=True)
class Data:
    """Text, made ready for a run."""

    train: Batches
    valid: Batches
    tokenizer: CharTokenizer
    prompts: list[str]  # for samples after each epoch
    description: str
    fingerprint: str  # of everything that is trained on
    corpus: Grammar | None = None  # for the built-in corpus, whose floor is known


def load(settings: dict[str, Any]) -> Data:
    """Read the source, divide it into a training and a held-out part, and make batches.

    ``settings`` holds source, column, window, batch_size and seed.
    """
    rng = np.random.default_rng([settings["seed"], 1])
    source, window = settings["source"], settings["window"]
    if source == "headlines":
        corpus = headlines.headlines()
        if settings["column"] is not None:
            raise InputError("--column is for .csv and .json files; `headlines` has no columns")
        if window is not None:
            raise InputError("--window is for running text; `headlines` are short sequences, each read whole")
        return _headlines(corpus, settings["batch_size"], rng)
    try:
        return _of_file(source, window, settings["column"], settings["batch_size"], rng)
    except InputError as error:
        if source in str(error):
            raise
        raise InputError(f"{source}: {error}") from error


def _of_file(source: str, window: int | None, column: str | None, batch_size: int, rng: np.random.Generator) -> Data:
    if window is not None and Path(source).suffix.lower() not in (".csv", ".json"):
        if column is not None:
            raise InputError("--column is for .csv and .json files; this one is read as plain text")
        text, held_out_text = split_text(read_text(source), rng, HELD_OUT)
        parts = [text], [held_out_text]
    else:
        parts = split_sequences(read_sequences(source, column), rng, HELD_OUT)
    tokenizer = CharTokenizer.fit(text for part in parts for text in part)
    train, valid = ([tokenizer.encode(text) for text in part] for part in parts)
    eos_id = tokenizer.eos_id
    batches: tuple[Batches, Batches]
    if window is None:
        longest = max(map(len, train + valid))
        if longest > LONGEST_SEQUENCE:
            raise InputError(
                f"the longest sequence has {longest:,} symbols, too many to go through in one piece;"
                f" read the file as one running text, with --window 50"
            )
        batches = (
            SequenceBatches(train, batch_size, eos_id),
            SequenceBatches(valid, min(batch_size, len(valid)), eos_id),
        )
        unit = f"{len(train):,} sequences"
    else:
        ids, held_out = running_text(train, eos_id), running_text(valid, eos_id)
        rows = max(1, min(batch_size, len(held_out) // window))
        batches = (
            WindowBatches(ids, batch_size, window, eos_id),
            WindowBatches(held_out, rows, min(window, len(held_out)), eos_id),
        )
        unit = f"windows of {window}"
    return Data(
        train=batches[0],
        valid=batches[1],
        tokenizer=tokenizer,
        prompts=_openings(parts[1]),
        description=f"{sum(map(len, train)):,} symbols of {len(tokenizer.symbols)} kinds in {unit};"
        f" held out {sum(map(len, valid)):,}",
        fingerprint=_fingerprint(tokenizer, train + valid),
    )


def _headlines(corpus: Grammar, batch_size: int, rng: np.random.Generator) -> Data:
    """New headlines in every epoch, and some to judge by, drawn from the same grammar but by other random numbers."""
    held_out = corpus.sample_many(HELD_OUT_HEADLINES, rng)
    tokenizer = CharTokenizer.fit(["".join(corpus.alphabet), *corpus.sample_many(HELD_OUT_HEADLINES, rng)])
    ids = [tokenizer.encode(sentence) for sentence in held_out]
    return Data(
        train=CorpusBatches(corpus, tokenizer, EPOCH_OF_HEADLINES, batch_size),
        valid=SequenceBatches(ids, min(batch_size, len(ids)), tokenizer.eos_id),
        tokenizer=tokenizer,
        prompts=[*headlines.PROMPTS, headlines.UNFAMILIAR_PROMPT],
        description=f"{EPOCH_OF_HEADLINES:,} new headlines an epoch, {len(tokenizer.symbols)} kinds of symbols;"
        f" held out {len(ids):,}",
        fingerprint=_fingerprint(tokenizer, ids),
        corpus=corpus,
    )


def _fingerprint(tokenizer: CharTokenizer, sequences: list[np.ndarray]) -> str:
    digest = hashlib.sha256("".join(tokenizer.symbols).encode("utf-8", "surrogatepass"))
    for ids in sequences:
        digest.update(ids.tobytes() + b"|")
    return digest.hexdigest()


def _openings(texts: list[str]) -> list[str]:
    """First words of held-out lines, to let a model go on from."""
    lines = [line.strip() for text in texts[:50] for line in text[:5000].splitlines()]
    words = [line.split()[0][:20] + " " for line in lines if " " in line]
    words = words or [line[:1] for line in lines if line] or [texts[0][:1]]
    return list(dict.fromkeys(words))[:4]
