"""The options of ``minilstm train``."""

from __future__ import annotations

import argparse

from minilstm.cli.defaults import CELLS, DEFAULTS, EPOCHS, MOST_EPOCHS
from minilstm.cli.defaults import OF_SOURCE, OF_WORDS, OPTIMIZERS, PRESETS, STEPS
from minilstm.cli.option_types import decay_factor, depth, natural, positive
from minilstm.cli.option_types import positive_integer, rate
from minilstm.cli.tasks.options import add_reading_options, add_train_options

TRAIN = """\
Train a model on a built-in corpus or on your own files. Without --task it is a
language model, which generates text. Built-in corpora: `headlines` (in
characters), `recipes` (in words), `topics` (headlines to classify), `dates`
and `addition` (to translate), and `pictures` (to describe).

The run is kept in one folder: model.npz (all that is needed to continue),
best.npz (the model of the lowest validation loss), history.csv, samples.txt
and loss.png. Ctrl-C saves and stops; --resume continues.

Every option has a default, so `minilstm train FILE` is enough."""
TRAIN_EXAMPLES = """\
examples:
  minilstm train headlines
  minilstm train book.txt --window 50
  minilstm train one.txt two.txt --window 50 --tokens words --layers 2
  minilstm train news.csv --preset headlines --as-published
  minilstm train news.csv --task classify --column title --label class
  minilstm train words.conll --task tag
  minilstm train pairs.tsv --task translate
  minilstm train homes.csv --task describe --column text --features rooms,size
  minilstm train --resume --out runs/book --epochs 8"""


def add_train(commands) -> None:
    train = commands.add_parser(
        "train",
        help="train a model",
        description=TRAIN,
        epilog=TRAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.add_argument(
        "sources", nargs="*", metavar="CORPUS|FILE",
        help="a built-in corpus, or files, which make one corpus: tables (.csv,"
        " .tsv), JSON (.json, .jsonl), or text with one sequence per line. Compressed"
        " files (.gz, .bz2, .xz) work too; - is standard input",
    )
    train.add_argument(
        "--preset", choices=("headlines", "recipes"),
        help="use the settings of a published system (model, tokens, optimizer, batch"
        " size, epochs) on your own AG News .csv or Epicurious .json; other options"
        " override them",
    )
    train.add_argument(
        "--as-published", action="store_const", const=True,
        help="reproduce the original bugs of a preset, so that you can measure their"
        " effect: padding is learned and counted, and there is no validation set;"
        " headlines also: padding on the left, no shuffling, RMSprop",
    )
    add_train_options(train)
    text = train.add_argument_group("text")
    text.add_argument(
        "--column", metavar="NAME",
        help="column of a table: a name in its header, or a number from 1; of JSON:"
        " field[,field...]",
    )
    add_reading_options(text)
    text.add_argument(
        "--tokens", choices=("chars", "words"),
        help=f"what one token is (default: {DEFAULTS['tokens']}; recipes: words)",
    )
    text.add_argument(
        "--vocab", type=positive_integer, metavar="V",
        help="size of the vocabulary: padding, unknown, and the most frequent words"
        f" (default: {OF_WORDS['vocab']}; recipes: all words)",
    )
    text.add_argument(
        "--max-length", type=positive_integer, metavar="T",
        help="cut sequences after T tokens (default: never; --preset recipes:"
        f" {PRESETS['recipes']['max_length']})",
    )
    text.add_argument(
        "--window", type=positive_integer, metavar="T",
        help="read the files as one long text, in windows of T tokens (truncated BPTT)",
    )
    text.add_argument(
        "--no-carry", dest="carry", action="store_const", const=False,
        help="reset the state at every window, in training and validation, and"
        " shuffle the windows (default: carry the state over)",
    )
    text.add_argument(
        "--pool", type=positive_integer, metavar="K",
        help="bucketing by length, for speed: sort the sequences of K mini-batches by"
        f" length (default: {DEFAULTS['pool']}, no bucketing)",
    )
    text.add_argument(
        "--batch-size", type=positive_integer, metavar="B",
        help="sequences or windows in a mini-batch (default:"
        f" {OF_SOURCE['file']['batch_size']}; headlines, recipes:"
        f" {OF_SOURCE['recipes']['batch_size']})",
    )
    model = train.add_argument_group("model")
    model.add_argument(
        "--cell", choices=CELLS,
        help=f"kind of the recurrent layers (default: {DEFAULTS['cell']})",
    )
    model.add_argument(
        "--hidden", type=positive_integer, metavar="H",
        help=f"width of each recurrent layer (default: {DEFAULTS['hidden']})",
    )
    model.add_argument(
        "--layers", type=depth, metavar="N",
        help=f"number of recurrent layers (default: {DEFAULTS['layers']})",
    )
    model.add_argument(
        "--embedding", type=positive_integer, metavar="E",
        help=f"width of the embedding (default: {OF_WORDS['embedding']} for words;"
        " one-hot for characters)",
    )
    model.add_argument(
        "--dropout", type=rate, metavar="P",
        help=f"dropout rate between layers (default: {DEFAULTS['dropout']:g})",
    )
    model.add_argument(
        "--tied", action="store_const", const=True,
        help="tied weights: use the embedding as the output matrix too; needs"
        " --embedding as wide as --hidden",
    )
    training = train.add_argument_group("training")
    training.add_argument(
        "--epochs", type=positive_integer, metavar="N",
        help="passes over the training set (default: headlines"
        f" {OF_SOURCE['headlines']['epochs']}, recipes"
        f" {OF_SOURCE['recipes']['epochs']}, files {EPOCHS}, or for short files as"
        f" many as make {STEPS:,} training steps, at most {MOST_EPOCHS})",
    )
    training.add_argument(
        "--steps", type=positive_integer, metavar="N",
        help="stop after N training steps in all (default: set by --epochs)",
    )
    training.add_argument(
        "--optimizer", choices=OPTIMIZERS,
        help=f"how gradients change the parameters (default: {DEFAULTS['optimizer']})",
    )
    training.add_argument(
        "--learning-rate", type=positive, metavar="R",
        help=f"learning rate at the start (default: headlines"
        f" {OF_SOURCE['headlines']['learning_rate']}, recipes, files and sgd"
        f" {OF_SOURCE['file']['learning_rate']}, rmsprop and presets"
        f" {PRESETS['headlines']['learning_rate']})",
    )
    training.add_argument(
        "--momentum", type=rate, metavar="M",
        help=f"momentum of sgd and rmsprop (default: {DEFAULTS['momentum']:g})",
    )
    training.add_argument(
        "--schedule", choices=("constant", "step", "cosine"),
        help="learning rate: constant, lower after every few epochs, or half a cosine"
        f" down to almost 0 (default: {DEFAULTS['schedule']}; presets: constant)",
    )
    training.add_argument(
        "--decay-every", type=positive_integer, metavar="N",
        help="for --schedule step: lower the learning rate every N epochs (default:"
        f" {DEFAULTS['decay_every']})",
    )
    training.add_argument(
        "--decay-factor", type=decay_factor, metavar="F",
        help="for --schedule step: multiply the learning rate by F (default:"
        f" {DEFAULTS['decay_factor']})",
    )
    training.add_argument(
        "--clip", type=positive, metavar="C",
        help=f"clip the gradient's global norm at C (default: {DEFAULTS['clip']:g};"
        " presets: no clipping)",
    )
    training.add_argument(
        "--clip-value", type=positive, metavar="C",
        help="clip every entry of the gradient at C and -C (default: no clipping)",
    )
    training.add_argument(
        "--seed", type=natural, metavar="S",
        help="seed of the initial weights, the order and the validation set (default:"
        f" {DEFAULTS['seed']})",
    )
    files = train.add_argument_group("files of the run")
    files.add_argument(
        "--out", metavar="DIR",
        help="folder of the run (default: runs/headlines, runs/FILE; several files:"
        " runs/FOLDER)",
    )
    files.add_argument(
        "--resume", action="store_true",
        help="continue the run in that folder, with its options",
    )
    files.add_argument(
        "--save-every", type=positive, default=10.0, metavar="SEC",
        help="seconds from one checkpoint to the next (default: %(default)g)",
    )
    files.add_argument(
        "--curves", action=argparse.BooleanOptionalAction,
        help="draw the losses while training, on a logarithmic scale (default: in a"
        " terminal)",
    )
