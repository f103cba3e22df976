"""What can be typed: the commands of ``minilstm`` and their options.

An option that was not given is None; what then holds is decided by the command. Nothing heavy is imported here, so that
``minilstm --help`` answers at once.
"""

from __future__ import annotations

import argparse

from minilstm import __version__
from minilstm.cli.quantities import depth, factor, few, natural, positive, separator, share, temperatures, whole

CELLS = ("lstm", "gru", "rnn")
FORMATS = ("csv", "tsv", "json", "jsonl", "text")
TRAIN = """\
Train a model on a built-in corpus, `headlines` (characters) or `recipes`
(words), or on your own files, and keep model.npz, best.npz, history.csv,
samples.txt and loss.png in a folder. Ctrl-C saves and stops; --resume goes on.

No option is needed. What holds if one is left out stands in brackets."""
TRAIN_EXAMPLES = """\
examples:
  minilstm train headlines
  minilstm train book.txt --window 50
  minilstm train one.txt two.txt --window 50 --tokens words --layers 2
  minilstm train news.csv --preset headlines --as-published
  minilstm train --resume --out runs/book --epochs 8"""


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="minilstm", description="Train an LSTM on text, sample from it, check its gradients.")
    top.add_argument("--version", action="version", version=f"minilstm {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_train(commands)
    add_sample(commands)
    add_check(commands)
    add_worksheet(commands)
    add_exercise(commands)
    notebooks = commands.add_parser("notebooks", help="build the lessons as notebooks, NN_name.ipynb beside NN_name.py")
    notebooks.add_argument("numbers", nargs="*", type=few, metavar="NUMBER", help="of a lesson (all)")
    notebooks.add_argument("--force", action="store_true", help="also those that were changed or run; the old ones are kept")
    info = commands.add_parser("info", help="show versions, processor, and what model files hold")
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
        help="a built-in corpus; or files, which make one corpus: tables (.csv, .tsv), JSON (.json, .jsonl), or texts, of"
        " a sequence a line; compressed (.gz, .bz2, .xz) or not; - is standard input",
    )  # fmt: skip
    train.add_argument(
        "--preset", choices=("headlines", "recipes"),
        help="do as a published system did (model, tokens, optimizer, batch size, epochs), on your own AG News .csv or"
        " Epicurious .json; other options still count",
    )  # fmt: skip
    train.add_argument(
        "--as-published", action="store_const", const=True,
        help="a preset with its faults too: padding is learned and counted, nothing held out; headlines: padding on the left,"
        " the file's order, RMSprop",
    )  # fmt: skip
    text = train.add_argument_group("text")
    text.add_argument(
        "--column", metavar="NAME",
        help="what to read of a table: a number from 1, or a name in its header; of JSON: field[,field...]",
    )  # fmt: skip
    text.add_argument("--format", choices=FORMATS, help="what the files are (default: what their suffix says, or text)")
    text.add_argument(
        "--separator", type=separator, metavar="C", help="between the cells of a table; `tab` is a tab (default: found)"
    )
    text.add_argument(
        "--header", action=argparse.BooleanOptionalAction,
        help="whether a table's first row is a header (default: if its cells look like names)",
    )  # fmt: skip
    text.add_argument("--encoding", metavar="NAME", help="how characters are written, such as cp1252 (default: utf-8)")
    text.add_argument(
        "--tokens", choices=("chars", "words"), help="what the model reads and writes (recipes: words, else chars)"
    )
    text.add_argument(
        "--vocab", type=whole, metavar="V",
        help="number of ids: padding, unknown, and the most frequent words (files: 10000, recipes: all)",
    )  # fmt: skip
    text.add_argument(
        "--max-length", type=whole, metavar="T", help="cut sequences after T symbols (never; --preset recipes: 200)"
    )
    text.add_argument(
        "--window", type=whole, metavar="T", help="read the files as one running text, in windows of T symbols"
    )
    text.add_argument(
        "--no-carry", dest="carry", action="store_const", const=False,
        help="begin each window with an empty memory, in judging too, and shuffle them (each goes on where the last ended)",
    )  # fmt: skip
    text.add_argument(
        "--pool", type=whole, metavar="K",
        help="for speed: sort K batches' worth of shuffled sequences by length, cut them into batches, shuffle those (1: no)",
    )  # fmt: skip
    text.add_argument(
        "--batch-size", type=whole, metavar="B", help="sequences or windows side by side (headlines, recipes: 32, files: 16)"
    )
    model = train.add_argument_group("model")
    model.add_argument("--cell", choices=CELLS, help="kind of the recurrent layers (lstm)")
    model.add_argument("--hidden", type=whole, metavar="H", help="width of each recurrent layer (128)")
    model.add_argument("--layers", type=depth, metavar="N", help="number of recurrent layers (1)")
    model.add_argument(
        "--embedding", type=whole, metavar="E", help="width of a trained vector for each id (words: 100, characters: one-hot)"
    )
    model.add_argument("--dropout", type=share, metavar="P", help="share of numbers left out between layers in training (0)")
    model.add_argument(
        "--tied", action="store_const", const=True,
        help="one table for embedding and output; needs --embedding as wide as --hidden",
    )  # fmt: skip
    training = train.add_argument_group("training")
    training.add_argument(
        "--epochs", type=whole, metavar="N",
        help="passes through the text (headlines: 5, recipes: 6, files: 4, or as many as make 1,000 steps, at most 100)",
    )  # fmt: skip
    training.add_argument("--steps", type=whole, metavar="N", help="stop after this many steps in all")
    training.add_argument("--optimizer", choices=("adam", "rmsprop", "sgd"), help="how parameters are updated (adam)")
    training.add_argument(
        "--learning-rate", type=positive, metavar="R",
        help="step size at the start (headlines: 0.012, recipes, files, sgd: 0.01; rmsprop, presets: 0.001)",
    )  # fmt: skip
    training.add_argument(
        "--momentum", type=share, metavar="M", help="for sgd, rmsprop: share of the last step taken again (0)"
    )
    training.add_argument(
        "--schedule", choices=("constant", "step", "cosine"),
        help="step size: one and the same, smaller after every few epochs, or down to almost 0 (cosine; presets: constant)",
    )  # fmt: skip
    training.add_argument(
        "--decay-every", type=whole, metavar="N", help="for --schedule step: epochs between two steps down (1)"
    )
    training.add_argument(
        "--decay-factor", type=factor, metavar="F", help="for --schedule step: multiplies the step size (0.5)"
    )
    training.add_argument("--clip", type=positive, metavar="C", help="largest global norm of a gradient (1; presets: any)")
    training.add_argument("--clip-value", type=positive, metavar="C", help="largest entry of a gradient, of either sign (any)")
    training.add_argument("--seed", type=natural, metavar="S", help="for initial values, order, held-out part (0)")
    keeping = train.add_argument_group("keeping")
    keeping.add_argument("--out", metavar="DIR", help="folder of the run (runs/headlines, runs/FILE; several: runs/FOLDER)")
    keeping.add_argument("--resume", action="store_true", help="go on with the run in that folder; its options are kept")
    keeping.add_argument(
        "--save-every", type=positive, default=10.0, metavar="SEC", help="seconds between two savings (10)"
    )
    keeping.add_argument(
        "--curves", action=argparse.BooleanOptionalAction, help="draw the losses while training (default: in a terminal)"
    )


def add_sample(commands) -> None:
    sample = commands.add_parser(
        "sample",
        help="let a trained model write",
        description="Let a trained model write, and look at how it does: the likeliest next symbols (--show-top), samples at"
        " several temperatures with their diversity and likelihood (--compare), the likeliest texts (--beam).",
    )
    sample.add_argument("model", metavar="DIR", help="folder of a run, or a model file")
    prompts = sample.add_argument_group("what the text begins with (default: the prompts of the run, in turn)")
    prompts.add_argument("--prompt", action="append", metavar="TEXT", help="may be given more than once; taken in turn")
    prompts.add_argument("--prompt-file", metavar="FILE", help="a text; a newline at its end is no part of the prompt")
    prompts.add_argument("--encoding", metavar="NAME", help="how characters of that file are written (default: utf-8)")
    ways = sample.add_argument_group("how to write")
    ways.add_argument("--temperature", type=float, metavar="T", help="below 1 safer, above 1 wilder (0.7)")
    ways.add_argument("--top-k", type=int, metavar="K", help="draw from the K likeliest symbols only")
    ways.add_argument("--top-p", type=float, metavar="P", help="draw from the likeliest symbols of joint probability P")
    ways.add_argument("--greedy", action="store_true", default=None, help="always take the likeliest symbol")
    ways.add_argument("--beam", type=few, metavar="WIDTH", help="look for the likeliest texts among WIDTH beginnings")
    ways.add_argument("--length", type=whole, metavar="N", help="at most N symbols after the prompt (300)")
    ways.add_argument("--count", type=few, metavar="N", help="number of texts (5)")
    ways.add_argument("--seed", type=natural, metavar="S", help="the same seed writes the same texts (0)")
    looks = sample.add_argument_group("what to look at")
    looks.add_argument(
        "--show-top", type=few, metavar="K",
        help="the K likeliest next symbols and their percentages at temperatures 1.0 and T (0.2); nothing is written",
    )
    looks.add_argument(
        "--compare", type=temperatures, metavar="T,T,...",
        help="texts at these temperatures side by side, then how varied and how likely they are",
    )


def add_check(commands) -> None:
    check = commands.add_parser(
        "check",
        help="check all gradients of a model",
        description="Check the gradients of a random model, from ids to loss: of every parameter and both initial states,"
        " with sequences of different lengths. The complex step must agree to a relative error of 1e-12, differences, which"
        " have rounding errors of their own, to 1e-5. Ends with status 1 if a gradient is wrong.",
    )
    check.add_argument("--cell", choices=CELLS, default="lstm", help="recurrent cell (lstm)")
    check.add_argument(
        "--dropout", type=share, default=0.0, metavar="P", help="leave out this share between layers, the same ones always (0)"
    )
    check.add_argument("--tied", action="store_true", help="one table for embedding and output; needs E as large as H")
    check.add_argument(
        "--sizes", metavar="V=7,E=3,H=5,L=2,T=6,B=4",
        help="any of: ids V, embedding E (0: one-hot), hidden H, layers L, steps T, sequences B",
    )
    check.add_argument("--seed", type=natural, default=0, metavar="S", help="of weights, ids, lengths and states (0)")
    check.add_argument(
        "--method", choices=("complex", "central", "projections", "all"), default="complex",
        help="complex step, central differences, random projections (complex)",
    )


def add_worksheet(commands) -> None:
    worksheet = commands.add_parser(
        "worksheet",
        help="compute an LSTM by hand",
        description="Every number of the forward and backward pass of a model small enough for paper, with its equation, its"
        " formula, and the numbers put in; or a spreadsheet that computes them itself.",
    )
    worksheet.add_argument("--hidden", type=natural, default=2, metavar="H", help="hidden units, at most 4 (2)")
    worksheet.add_argument("--input", type=natural, default=2, metavar="D", help="inputs a step, at most 4 (2)")
    worksheet.add_argument("--steps", type=natural, default=2, metavar="T", help="time steps, at most 4 (2)")
    worksheet.add_argument("--seed", type=natural, default=0, metavar="S", help="of the numbers that are given (0)")
    worksheet.add_argument(
        "--format", choices=("text", "markdown", "csv", "xlsx"), help="xlsx is a spreadsheet (what FILE's ending says; text)"
    )
    worksheet.add_argument("--out", metavar="FILE", help="write to a new file (screen; a spreadsheet: worksheet.xlsx)")


def add_exercise(commands) -> None:
    exercise = commands.add_parser(
        "exercise",
        help="grade your answers to an exercise of the lessons",
        description="Grade your answers to an exercise. The first time, the exercise is copied to"
        " lessons/my/NN_name.py: fill in its blanks there, and run the command again. Status 0 if all is right,"
        " 1 if something is wrong or not answered, 2 if the file is not Python or cannot be found.",
    )
    exercise.add_argument("number", nargs="?", type=few, metavar="NUMBER", help="of the lesson (left out: list them)")
    exercise.add_argument("--file", metavar="FILE", help="grade this file instead of the one in lessons/my")
    exercise.add_argument("--task", type=whole, metavar="K", help="for help: the Kth task (the first that is not right)")
    instead = exercise.add_mutually_exclusive_group()
    instead.add_argument("--hint", action="count", default=0, help="give a hint; --hint --hint: and another one")
    instead.add_argument("--solution", action="store_true", help="show the solution")
    instead.add_argument("--reset", action="store_true", help="begin again with a blank copy; what you wrote is kept beside it")
    instead.add_argument(
        "--move", action="store_true", help="move what was filled in in lessons/exercises to lessons/my; nothing is lost"
    )
