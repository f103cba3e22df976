"""The command line: arguments in, an exit status out.

0: done, or stopped by you with everything saved. 1: the job failed. 2: the command cannot be carried out as it was given.

Only arguments are read here; what a command does stands in ``minilstm.commands`` and is loaded afterwards, so that
``minilstm --help`` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import signal
import sys
from collections.abc import Sequence

from minilstm import __version__
from minilstm.errors import MinilstmError


CELLS = ("lstm", "gru", "rnn")
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status and prints no traceback for anything that a user can mend."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a symbol that the terminal cannot show is no reason to stop
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = parser().parse_args(argv)
        use_one_thread()
        command = importlib.import_module(f"minilstm.commands.{arguments.command}")
        status = command.run(arguments)
        sys.stdout.flush()
        return status
    except MinilstmError as error:
        return complain(str(error), error.exit_status)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # we are on our way
        return complain("interrupted; what was saved before is whole (minilstm train: go on with --resume)", 1)
    except MemoryError:
        return complain("there is not enough memory for this; choose smaller sizes", 1)
    except BrokenPipeError:  # whoever read our output has gone: say no more, not even when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return complain(f"{place}{error.strerror or error}; what was saved before is whole", 1)


def use_one_thread() -> None:
    """One thread for matrix products, unless the environment says otherwise; takes effect before NumPy is first loaded.

    The products of a small model are over before a second thread has done its share, and threads that wait for each other
    come almost to a standstill when another program wants a core. With one thread, too, the same seed gives the same bits on
    any number of cores. Wide models gain from more: OPENBLAS_NUM_THREADS=2 minilstm train …
    """
    if not any(name in os.environ for name in THREAD_VARIABLES):
        for name in THREAD_VARIABLES:
            os.environ[name] = "1"


def complain(sentence: str, status: int) -> int:
    """One sentence to standard error."""
    print(f"minilstm: {sentence}", file=sys.stderr)
    return status


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="minilstm", description="Train an LSTM on text, sample from it, check its gradients.")
    top.add_argument("--version", action="version", version=f"minilstm {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_train(commands)
    add_sample(commands)
    add_check(commands)
    add_worksheet(commands)
    info = commands.add_parser("info", help="show versions, processor, and what model files hold")
    info.add_argument("models", nargs="*", metavar="DIR", help="folders of runs, or model files")
    return top


def add_train(commands) -> None:
    train = commands.add_parser(
        "train",
        help="train a character model",
        description="Train a character model on the built-in corpus `headlines` or on a file of your own, and keep"
        " model.npz, best.npz, history.csv, samples.txt and loss.png in a folder. Ctrl-C saves and stops; --resume goes on.",
    )
    train.add_argument(
        "source", metavar="headlines|FILE", help="`headlines`, or a UTF-8 text (a sequence a line), .csv or .json file"
    )
    text = train.add_argument_group("text")
    text.add_argument(
        "--column", help="of a .csv file: a name in its header row, or a number from 1; of .json: field[,field...]"
    )
    text.add_argument(
        "--window", type=whole, metavar="T", help="read the file as one running text, in windows of T symbols"
    )
    text.add_argument(
        "--batch-size", type=whole, metavar="B", help="sequences or windows side by side (headlines: 32, files: 16)"
    )
    model = train.add_argument_group("model")
    model.add_argument("--hidden", type=whole, metavar="H", help="width of each LSTM layer (128)")
    model.add_argument("--layers", type=few, metavar="N", help="number of LSTM layers (1)")
    model.add_argument("--embedding", type=whole, metavar="E", help="train vectors of this width (default: one-hot)")
    training = train.add_argument_group("training")
    training.add_argument("--epochs", type=whole, metavar="N", help="passes through the text (headlines: 5, files: 4)")
    training.add_argument("--steps", type=whole, metavar="N", help="stop after this many steps in all")
    training.add_argument(
        "--learning-rate", type=positive, metavar="R",
        help="Adam's step size at the start; it falls to almost 0 (headlines: 0.012, files: 0.01)",
    )
    training.add_argument("--clip", type=positive, metavar="C", help="longest gradient, by global norm (1)")
    training.add_argument("--seed", type=natural, metavar="S", help="of initial values, order and held-out part (0)")
    keeping = train.add_argument_group("keeping")
    keeping.add_argument("--out", metavar="DIR", help="folder of the run (runs/headlines, runs/FILE)")
    keeping.add_argument("--resume", action="store_true", help="go on with the run in that folder")
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
    prompts.add_argument("--prompt-file", metavar="FILE", help="a UTF-8 text; a newline at its end is no part of the prompt")
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


def whole(text: str) -> int:
    """A whole number of at least 1, and at most a billion."""
    return _number(text, int, lambda n: 1 <= n <= 10**9, "a whole number from 1 to a billion")


def natural(text: str) -> int:
    """A whole number of at least 0, and below 2 to the power of 63."""
    return _number(text, int, lambda n: 0 <= n < 2**63, "a whole number from 0 to 9223372036854775807")


def few(text: str) -> int:
    """A whole number of at least 1 for things of which nobody wants a million."""
    return _number(text, int, lambda n: 1 <= n <= 10**5, "a whole number from 1 to 100,000")


def positive(text: str) -> float:
    """A finite number above 0."""
    return _number(text, float, lambda x: 0 < x < math.inf, "a number above 0")


def temperatures(text: str) -> tuple[float, ...]:
    """Numbers above 0, separated by commas."""
    return tuple(positive(part) for part in text.split(","))


def _number(text, kind, fits, wanted):
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not fits(value):
        raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}")
    return value
