"""The commands of ``minilstm`` and their options.

An option that was not given is None; the command then chooses its default. This module
imports nothing heavy, so that ``minilstm --help`` answers at once.
"""

from __future__ import annotations

import argparse

from minilstm import __version__
from minilstm.cli.quantities import count, decay_factor, depth, natural, positive
from minilstm.cli.quantities import positive_integer, rate, separator, temperatures

CELLS = ("lstm", "gru", "rnn")
FORMATS = ("csv", "tsv", "json", "jsonl", "text")
SHORT_HELP = """\
usage: minilstm COMMAND ...

Three commands to begin with:
  minilstm train headlines          train a model; takes about a minute
  minilstm sample runs/headlines    generate text with it
  minilstm check                    check every gradient of a small model

minilstm --help lists all commands, minilstm COMMAND --help the options of one."""
TRAIN = """\
Train a model of characters or words on a built-in corpus, `headlines`
(characters) or `recipes` (words), or on your own files.

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
  minilstm train --resume --out runs/book --epochs 8"""


def parser() -> argparse.ArgumentParser:
    """All commands and their options. Without a command, ``command`` is None."""
    top = argparse.ArgumentParser(
        prog="minilstm",
        description="Train an LSTM on text, generate text with it, check its gradients.",
        epilog="minilstm COMMAND --help lists the options of a command.",
    )
    top.add_argument("--version", action="version", version=f"minilstm {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    add_train(commands)
    add_sample(commands)
    add_check(commands)
    add_worksheet(commands)
    add_exercise(commands)
    notebooks = commands.add_parser(
        "notebooks", help="build the lessons as notebooks, NN_name.ipynb beside NN_name.py"
    )
    notebooks.add_argument(
        "numbers", nargs="*", type=count, metavar="NUMBER",
        help="number of a lesson (default: all lessons)",
    )
    notebooks.add_argument(
        "--force", action="store_true",
        help="also replace notebooks that were changed or run; the old ones are kept",
    )
    info = commands.add_parser(
        "info", help="show versions, the processor, and what model files contain"
    )
    info.add_argument("models", nargs="*", metavar="DIR", help="folders of runs, or model files")
    return top


def add_train(commands) -> None:
    train = commands.add_parser(
        "train",
        help="train a model of characters or words",
        description=TRAIN,
        epilog=TRAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.add_argument(
        "sources", nargs="*", metavar="headlines|recipes|FILE",
        help="a built-in corpus, or files, which make one corpus: tables (.csv, .tsv), JSON"
        " (.json, .jsonl), or text with one sequence per line. Compressed files (.gz, .bz2,"
        " .xz) work too; - is standard input",
    )
    train.add_argument(
        "--preset", choices=("headlines", "recipes"),
        help="use the settings of a published system (model, tokens, optimizer, batch size,"
        " epochs) on your own AG News .csv or Epicurious .json; other options override them",
    )
    train.add_argument(
        "--as-published", action="store_const", const=True,
        help="reproduce the original bugs of a preset, so that you can measure their effect:"
        " padding is learned and counted, and there is no validation set; headlines also: padding"
        " on the left, no shuffling, RMSprop",
    )
    text = train.add_argument_group("text")
    text.add_argument(
        "--column", metavar="NAME",
        help="column of a table: a name in its header, or a number from 1; of JSON:"
        " field[,field...]",
    )
    text.add_argument(
        "--format", choices=FORMATS, help="format of the files (default: by their suffix, else text)"
    )
    text.add_argument(
        "--separator", type=separator, metavar="C",
        help="character between the cells of a table; `tab` is a tab (default: found in the file)",
    )
    text.add_argument(
        "--header", action=argparse.BooleanOptionalAction,
        help="whether a table's first row is a header (default: if its cells look like names)",
    )
    text.add_argument("--encoding", metavar="NAME", help="encoding of the characters, such as cp1252 (default: utf-8)")
    text.add_argument("--tokens", choices=("chars", "words"), help="what one token is (default: chars; recipes: words)")
    text.add_argument(
        "--vocab", type=positive_integer, metavar="V",
        help="size of the vocabulary: padding, unknown, and the most frequent words"
        " (default: 10000; recipes: all words)",
    )
    text.add_argument(
        "--max-length", type=positive_integer, metavar="T",
        help="cut sequences after T tokens (default: never; --preset recipes: 200)",
    )
    text.add_argument(
        "--window", type=positive_integer, metavar="T",
        help="read the files as one long text, in windows of T tokens (truncated BPTT)",
    )
    text.add_argument(
        "--no-carry", dest="carry", action="store_const", const=False,
        help="reset the state at every window, in training and validation, and shuffle the"
        " windows (default: carry the state over)",
    )
    text.add_argument(
        "--pool", type=positive_integer, metavar="K",
        help="bucketing by length, for speed: sort the sequences of K mini-batches by length"
        " (default: 1, no bucketing)",
    )
    text.add_argument(
        "--batch-size", type=positive_integer, metavar="B",
        help="sequences or windows in a mini-batch (default: 16; headlines, recipes: 32)",
    )
    model = train.add_argument_group("model")
    model.add_argument("--cell", choices=CELLS, help="kind of the recurrent layers (default: lstm)")
    model.add_argument(
        "--hidden", type=positive_integer, metavar="H",
        help="width of each recurrent layer (default: 128)",
    )
    model.add_argument(
        "--layers", type=depth, metavar="N", help="number of recurrent layers (default: 1)"
    )
    model.add_argument(
        "--embedding", type=positive_integer, metavar="E",
        help="width of the embedding (default: 100 for words; one-hot for characters)",
    )
    model.add_argument(
        "--dropout", type=rate, metavar="P", help="dropout rate between layers (default: 0)"
    )
    model.add_argument(
        "--tied", action="store_const", const=True,
        help="tied weights: use the embedding as the output matrix too; needs --embedding as wide"
        " as --hidden",
    )
    training = train.add_argument_group("training")
    training.add_argument(
        "--epochs", type=positive_integer, metavar="N",
        help="passes over the training set (default: headlines 5, recipes 6, files 4, or for short"
        " files as many as make 1,000 training steps, at most 100)",
    )
    training.add_argument(
        "--steps", type=positive_integer, metavar="N",
        help="stop after N training steps in all (default: set by --epochs)",
    )
    training.add_argument(
        "--optimizer", choices=("adam", "rmsprop", "sgd"),
        help="how gradients change the parameters (default: adam)",
    )
    training.add_argument(
        "--learning-rate", type=positive, metavar="R",
        help="learning rate at the start (default: headlines 0.012, recipes, files and sgd 0.01,"
        " rmsprop and presets 0.001)",
    )
    training.add_argument(
        "--momentum", type=rate, metavar="M", help="momentum of sgd and rmsprop (default: 0)"
    )
    training.add_argument(
        "--schedule", choices=("constant", "step", "cosine"),
        help="learning rate: constant, lower after every few epochs, or half a cosine down to"
        " almost 0 (default: cosine; presets: constant)",
    )
    training.add_argument(
        "--decay-every", type=positive_integer, metavar="N",
        help="for --schedule step: lower the learning rate every N epochs (default: 1)",
    )
    training.add_argument(
        "--decay-factor", type=decay_factor, metavar="F",
        help="for --schedule step: multiply the learning rate by F (default: 0.5)",
    )
    training.add_argument(
        "--clip", type=positive, metavar="C",
        help="clip the gradient's global norm at C (default: 1; presets: no clipping)",
    )
    training.add_argument(
        "--clip-value", type=positive, metavar="C",
        help="clip every entry of the gradient at C and -C (default: no clipping)",
    )
    training.add_argument(
        "--seed", type=natural, metavar="S",
        help="seed of the initial weights, the order and the validation set (default: 0)",
    )
    files = train.add_argument_group("files of the run")
    files.add_argument(
        "--out", metavar="DIR",
        help="folder of the run (default: runs/headlines, runs/FILE; several files: runs/FOLDER)",
    )
    files.add_argument(
        "--resume", action="store_true", help="continue the run in that folder, with its options"
    )
    files.add_argument(
        "--save-every", type=positive, default=10.0, metavar="SEC",
        help="seconds from one checkpoint to the next (default: 10)",
    )
    files.add_argument(
        "--curves", action=argparse.BooleanOptionalAction,
        help="draw the losses while training, on a logarithmic scale (default: in a terminal)",
    )


def add_sample(commands) -> None:
    sample = commands.add_parser(
        "sample",
        help="generate text with a trained model",
        description="Generate text with a trained model. Or show how it generates: the most likely"
        " next tokens (--show-top), texts at several temperatures with their diversity and"
        " likelihood (--compare), the most likely texts (--beam).",
    )
    sample.add_argument("model", metavar="DIR", help="folder of a run, or a model file")
    prompts = sample.add_argument_group("prompt: the text to continue")
    prompts.add_argument(
        "--prompt", action="append", metavar="TEXT",
        help="text to continue; may be given several times, then they take turns (default: the"
        " prompts of the run)",
    )
    prompts.add_argument(
        "--prompt-file", metavar="FILE",
        help="the prompt is the content of this file; a newline at its end is ignored",
    )
    prompts.add_argument(
        "--encoding", metavar="NAME", help="encoding of that file (default: utf-8)"
    )
    ways = sample.add_argument_group("how to generate")
    ways.add_argument("--temperature", type=float, metavar="τ", help="below 1 safer, above 1 more varied (default: 0.7)")
    ways.add_argument("--top-k", type=int, metavar="K", help="sample from the K most likely tokens only (default: all)")
    ways.add_argument(
        "--top-p", type=float, metavar="P",
        help="sample from the most likely tokens of joint probability P only (default: all)",
    )
    ways.add_argument(
        "--greedy", action="store_true", default=None, help="always take the most likely token"
    )
    ways.add_argument(
        "--beam", type=count, metavar="WIDTH",
        help="beam search: the most likely texts that a beam of this width finds",
    )
    ways.add_argument(
        "--length", type=positive_integer, metavar="N",
        help="at most N tokens after the prompt (default: 300)",
    )
    ways.add_argument("--count", type=count, metavar="N", help="number of texts (default: 5)")
    ways.add_argument("--seed", type=natural, metavar="S", help="the same seed generates the same texts (default: 0)")
    looks = sample.add_argument_group("what to show instead")
    looks.add_argument(
        "--show-top", type=count, metavar="K",
        help="the K most likely next tokens with their probabilities, at temperature 1.0 and at"
        " --temperature (default here: 0.2); generates nothing",
    )
    looks.add_argument(
        "--compare", type=temperatures, metavar="τ,τ,...",
        help="texts at these temperatures side by side, then how varied and how likely they are",
    )


def add_check(commands) -> None:
    check = commands.add_parser(
        "check",
        help="check all gradients of a model",
        description="Check the gradients of a random model, from token ids to loss: of every"
        " parameter and of both initial states, with sequences of different lengths. They are"
        " compared with numerical derivatives. The complex step must agree to a relative error of"
        " 1e-12. Central differences and projections have rounding errors of their own and must"
        " agree to 1e-5. The exit status is 1 if a gradient is wrong.",
    )
    check.add_argument("--cell", choices=CELLS, default="lstm", help="recurrent cell (default: lstm)")
    check.add_argument(
        "--dropout", type=rate, default=0.0, metavar="P",
        help="dropout rate between layers, with one fixed mask (default: 0)",
    )
    check.add_argument(
        "--tied", action="store_true",
        help="tied weights: use the embedding as the output matrix too; needs E equal to H",
    )
    check.add_argument(
        "--sizes", metavar="V=7,E=3,H=5,L=2,T=6,B=4",
        help="any of: vocabulary V, embedding E (0: one-hot), hidden size H, layers L, time steps"
        " T, sequences in the mini-batch B (default: as shown)",
    )
    check.add_argument(
        "--seed", type=natural, default=0, metavar="S",
        help="seed of the weights, ids, lengths and initial states (default: 0)",
    )
    check.add_argument(
        "--method", choices=("complex", "central", "projections", "all"), default="complex",
        help="complex step, central differences, or random projections (default: complex)",
    )


def add_worksheet(commands) -> None:
    worksheet = commands.add_parser(
        "worksheet",
        help="compute an LSTM by hand",
        description="Every number of the forward and backward pass of a model small enough for"
        " paper: its equation, its formula, and the formula with the numbers filled in. Or a"
        " spreadsheet that computes them itself.",
    )
    worksheet.add_argument("--hidden", type=natural, default=2, metavar="H", help="hidden units, at most 4 (default: 2)")
    worksheet.add_argument(
        "--input", type=natural, default=2, metavar="D",
        help="inputs per time step, at most 4 (default: 2)",
    )
    worksheet.add_argument("--steps", type=natural, default=2, metavar="T", help="time steps, at most 4 (default: 2)")
    worksheet.add_argument(
        "--seed", type=natural, default=0, metavar="S",
        help="seed of the weights and inputs (default: 0)",
    )
    worksheet.add_argument(
        "--format", choices=("text", "markdown", "csv", "xlsx"),
        help="xlsx is a spreadsheet (default: by the suffix of --out, else text)",
    )
    worksheet.add_argument(
        "--out", metavar="FILE",
        help="write to a new file (default: the screen; a spreadsheet: worksheet.xlsx)",
    )


def add_exercise(commands) -> None:
    exercise = commands.add_parser(
        "exercise",
        help="grade your answers to an exercise of the lessons",
        description="Grade your answers to an exercise. The first time, the exercise is copied to"
        " lessons/my/NN_name.py: fill in its blanks there, and run the command again. The exit"
        " status is 0 if all is right, 1 if something is wrong or not answered, 2 if the file is"
        " not Python or cannot be found.",
    )
    exercise.add_argument(
        "number", nargs="?", type=count, metavar="NUMBER",
        help="number of the lesson (default: list the exercises)",
    )
    exercise.add_argument(
        "--file", metavar="FILE", help="grade this file (default: your copy in lessons/my)"
    )
    exercise.add_argument(
        "--task", type=positive_integer, metavar="K",
        help="with --hint or --solution: the Kth task (default: the first that is not right)",
    )
    instead = exercise.add_mutually_exclusive_group()
    instead.add_argument(
        "--hint", action="count", default=0, help="give a hint; --hint --hint: give another one too"
    )
    instead.add_argument("--solution", action="store_true", help="show the solution")
    instead.add_argument(
        "--reset", action="store_true",
        help="start again with a blank copy; what you wrote is kept beside it",
    )
    instead.add_argument(
        "--move", action="store_true",
        help="move answers from lessons/exercises to lessons/my; nothing is lost",
    )
