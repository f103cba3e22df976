"""The two published systems, as published, faults included: text, batches, model, optimizer.

    A   titles of AG News, by character     8 to a batch, in file order, padded on the left to the longest of the batch;
                                            the targets are the inputs shifted by one, and ``<eos>`` at the end
    B   recipes, by word                    32 to a batch, cut or padded on the right to 201 words;
                                            inputs are the first 200 of them, targets the last 200

Padding, id 0, is read and predicted as if it were text, and it counts in the loss. A: Microsoft, AI for Beginners, lesson 17
(GenerativeTF). B: Foster, Generative Deep Learning, 2nd edition (2023), chapter 5.
"""

import re
import string
from collections import Counter

import numpy as np

from minilstm.model import LanguageModel
from minilstm.optim import Adam, RMSprop
from minilstm.text import readers
from minilstm.text.batches import Batch
from minilstm.text.headlines import headlines
from minilstm.text.tokenizers import CharTokenizer

RECIPE_WORDS, RECIPE_LENGTH = 10_000, 201
WORD = re.compile(rf"[{re.escape(string.punctuation)}]|[^\s{re.escape(string.punctuation)}]+")


def titles(path: str | None) -> list[str]:
    """The titles of an AG News file; without one, headlines that the package makes up."""
    return readers.read_csv(path, "title") if path else headlines().sample_many(800, np.random.default_rng(0))


def recipes(path: str | None) -> list[str]:
    """The recipes of a JSON file; without one, texts of 5 to 30 made-up headlines, some too long, some too short."""
    if path:
        return ["Recipe for " + recipe for recipe in readers.read_json(path, ["title", "directions"])]
    rng = np.random.default_rng(0)
    return [" . ".join(headlines().sample_many(int(count), rng)) for count in rng.integers(5, 31, 640)]


def headline_batches(texts: list[str]) -> tuple[int, list[Batch]]:
    """V and the batches of system A; the ids of inputs and targets are (T, B)."""
    tokenizer = CharTokenizer.fit(texts)
    sequences = [tokenizer.encode(text) for text in texts]
    batches = []
    for first in range(0, len(sequences), 8):
        chosen = sequences[first : first + 8]
        ids = np.zeros((max(map(len, chosen)) + 1, len(chosen)), np.int32)  # (T + 1, B)
        ids[-1] = tokenizer.eos_id
        for b, sequence in enumerate(chosen):
            ids[-1 - len(sequence) : -1, b] = sequence
        batches.append(Batch(ids[:-1], ids[1:]))
    return tokenizer.vocab_size, batches


def recipe_batches(texts: list[str]) -> tuple[int, list[Batch]]:
    """V and the batches of system B. V is that of the published model, however few words the texts have."""
    words = [WORD.findall(text.lower()) for text in texts]
    counts = Counter(word for recipe in words for word in recipe)
    known = {word: k + 2 for k, (word, _) in enumerate(counts.most_common(RECIPE_WORDS - 2))}  # 0 padding, 1 unknown
    ids = np.zeros((RECIPE_LENGTH, len(words)), np.int32)  # (201, recipes)
    for column, recipe in enumerate(words):
        ids[: len(recipe), column] = [known.get(word, 1) for word in recipe[:RECIPE_LENGTH]]
    columns = [ids[:, first : first + 32] for first in range(0, len(words), 32)]
    return RECIPE_WORDS, [Batch(block[:-1], block[1:]) for block in columns]


def headline_model(V: int, seed: int = 0) -> LanguageModel:
    """One-hot → LSTM(128) → output(V)."""
    return LanguageModel(V, hidden=128, seed=seed)


def recipe_model(V: int, seed: int = 0) -> LanguageModel:
    """Embedding(V, 100) → LSTM(128) → output(V)."""
    return LanguageModel(V, embedding=100, hidden=128, seed=seed)


SYSTEMS = {
    "headlines": (titles, headline_batches, headline_model, RMSprop(0.001, rho=0.9, epsilon=1e-7)),
    "recipes": (recipes, recipe_batches, recipe_model, Adam(0.001, 0.9, 0.999, epsilon=1e-7, epsilon_hat=True)),
}
