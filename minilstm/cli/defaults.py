"""Default values of options, and the presets of published systems.

Plain values only: this module imports nothing heavy, so that ``minilstm --help`` can
show them at once. A test compares the choices with what the program has.
``settings.py`` combines them with the options given.

A preset sets what its authors published: model, tokenizer, optimizer, batch size,
epochs, and how they generate samples after each epoch.

    headlines    Microsoft, AI for Beginners, lesson 17 (GenerativeTF): characters,
                 one-hot, LSTM(128). It names no optimizer, so Keras takes RMSprop;
                 this counts as one of its bugs.
    recipes      Foster, Generative Deep Learning, 2nd edition (2023), chapter 5:
                 10,000 words, Embedding(100), LSTM(128), Adam
"""

from __future__ import annotations

from typing import Any

Settings = dict[str, Any]

CELLS = ("lstm", "gru", "rnn")
POOLINGS = ("final", "last", "mean", "max")
FORMATS = ("csv", "tsv", "json", "jsonl", "text")
OPTIMIZERS = ("adam", "rmsprop", "sgd")

# of train; None: none, or decided by the text
DEFAULTS: Settings = {
    "preset": None, "as_published": None,
    "column": None, "format": None, "separator": None, "header": None, "encoding": None,
    "tokens": "chars", "vocab": None, "max_length": None,
    "window": None, "carry": True, "pool": 1,
    "cell": "lstm", "hidden": 128, "layers": 1, "embedding": None, "dropout": 0.0,
    "tied": False,
    "optimizer": "adam", "momentum": 0.0,
    "schedule": "cosine", "decay_every": 1, "decay_factor": 0.5,
    "clip": 1.0, "clip_value": None, "seed": 0, "steps": None,
    "prompts": None, "temperature": 0.7, "greedy": False, "length": 120,
    "task": None, "label": None, "bidirectional": False, "pooling": "final",
    "target": None, "attention": 0, "reverse_source": False,
    "features": None,
}  # fmt: skip
# settings that a language model does not have, and the tasks that do
OF_TASKS = {
    "label": "classify or tag", "pooling": "classify", "target": "translate",
    "bidirectional": "classify, tag or translate",
    "attention": "translate", "reverse_source": "translate",
    "features": "describe",
}  # fmt: skip
TASKS = ("classify", "tag", "translate", "describe")
POOLINGS = ("final", "last", "mean", "max")
HOW_TO_READ = ("column", "format", "separator", "header", "encoding")  # files
OF_SOURCE: dict[str, Settings] = {
    "headlines": {"batch_size": 32, "learning_rate": 0.012, "epochs": 5},
    "recipes": {
        "tokens": "words", "embedding": 100, "length": 200,
        "batch_size": 32, "learning_rate": 0.01, "epochs": 6,
    },
    # for the epochs of a file see settings.epochs_of_file
    "file": {"batch_size": 16, "learning_rate": 0.01, "epochs": None},
}  # fmt: skip
# for files with --tokens words
OF_WORDS: Settings = {"vocab": 10_000, "embedding": 100, "length": 60}
KERAS: Settings = {
    "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "clip": None,
}  # fmt: skip
PRESETS: dict[str, Settings] = {
    "headlines": {
        **KERAS, "tokens": "chars", "embedding": None,
        "batch_size": 8, "epochs": 4,
        "prompts": ["Today "], "greedy": True, "length": 100,
    },
    "recipes": {
        **KERAS, "tokens": "words", "vocab": 10_000, "embedding": 100,
        "max_length": 200, "batch_size": 32, "epochs": 25,
        "prompts": ["recipe for"], "temperature": 1.0,
        "length": 98,  # 100 words, those of the prompt included
    },
}  # fmt: skip
PUBLISHED_BUGS: dict[str, Settings] = {
    "headlines": {"optimizer": "rmsprop"},
    "recipes": {},
}
EPOCHS, STEPS, MOST_EPOCHS = 4, 1_000, 100  # of files, without --epochs and --steps
SAMPLE: Settings = {"temperature": 0.7, "length": 300, "count": 5, "seed": 0}
TEMPERATURES_SHOWN = (1.0, 0.2)  # by sample --show-top
# of check: for a model, and for a file
CHECK: Settings = {
    "model": "language-model", "cell": "lstm", "dropout": 0.0, "seed": 0,
    "method": "complex",
}  # fmt: skip
CHECK_SECONDS = 30
# of the models that check builds
SIZES = {"V": 7, "E": 3, "H": 5, "L": 2, "T": 6, "B": 4}
_OF_CLASSES = {**SIZES, "H": 6, "C": 3}
SIZES_OF = {
    "language-model": SIZES,
    "classifier": _OF_CLASSES,
    "tagger": _OF_CLASSES,
    "encoder-decoder": {**SIZES, "H": 6, "S": 5, "K": 4},
    "captioner": {**SIZES, "F": 3},
}
