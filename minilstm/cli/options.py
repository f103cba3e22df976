"""The commands of ``minilstm`` and their options, but for those of train.

An option that was not given is None; the command then chooses its default, most often
that of ``defaults.py``. This module imports nothing heavy, so that ``minilstm --help``
answers at once.
"""

from __future__ import annotations

import argparse

from minilstm import __version__
from minilstm.cli.defaults import CELLS, CHECK_SECONDS, DEFAULTS, POOLINGS, SAMPLE
from minilstm.cli.defaults import SIZES, SIZES_OF, TEMPERATURES_SHOWN
from minilstm.cli.course_options import add_learn, add_milestone, add_puzzles
from minilstm.cli.option_types import count, natural, positive_integer, rate
from minilstm.cli.option_types import seconds, seed_or_name, temperatures
from minilstm.cli.tasks.options import add_evaluate, add_sample_options
from minilstm.cli.teacher_options import add_grade, add_worksheet
from minilstm.cli.train_options import add_train

SHORT_HELP = """\
usage: minilstm COMMAND ...

Four commands to begin with:
  minilstm train headlines          train a model; takes about a minute
  minilstm sample runs/headlines    generate text with it
  minilstm check                    check every gradient of a small model
  minilstm learn                    exercises, graded at every save

minilstm --help lists all commands, minilstm COMMAND --help the options of one."""


def parser() -> argparse.ArgumentParser:
    """All commands and their options. Without a command, ``command`` is None."""
    top = argparse.ArgumentParser(
        prog="minilstm",
        description="Train an LSTM on text, generate text with it, check its"
        " gradients.",
        epilog="minilstm COMMAND --help lists the options of a command.",
    )
    top.add_argument("--version", action="version", version=f"minilstm {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    add_train(commands)
    add_sample(commands)
    add_evaluate(commands)
    add_check(commands)
    add_worksheet(commands)
    add_learn(commands)
    add_exercise(commands)
    add_grade(commands)
    add_puzzles(commands)
    add_milestone(commands)
    notebooks = commands.add_parser(
        "notebooks",
        help="build the lessons as notebooks, NN_name.ipynb beside NN_name.py",
    )
    notebooks.add_argument(
        "numbers",
        nargs="*",
        type=count,
        metavar="NUMBER",
        help="number of a lesson (default: all lessons)",
    )
    notebooks.add_argument(
        "--force",
        action="store_true",
        help="also replace notebooks that were changed or run; the old ones are kept",
    )
    info = commands.add_parser(
        "info", help="show versions, the processor, and what model files contain"
    )
    info.add_argument(
        "models", nargs="*", metavar="DIR", help="folders of runs, or model files"
    )
    return top


def add_sample(commands) -> None:
    sample = commands.add_parser(
        "sample",
        help="generate text with a trained model, or apply it to inputs",
        description="Generate text with a trained model. Or show how it generates:"
        " the most likely next tokens (--show-top), texts at several temperatures"
        " with their diversity and likelihood (--compare), the most likely texts"
        " (--beam).",
    )
    sample.add_argument("model", metavar="DIR", help="folder of a run, or a model file")
    prompts = sample.add_argument_group("prompt: the text to continue")
    prompts.add_argument(
        "--prompt",
        action="append",
        metavar="TEXT",
        help="text to continue; may be given several times, then they take turns"
        " (default: the prompts of the run)",
    )
    prompts.add_argument(
        "--prompt-file",
        metavar="FILE",
        help="the prompt is the content of this file; a newline at its end is ignored",
    )
    prompts.add_argument(
        "--encoding", metavar="NAME", help="encoding of that file (default: utf-8)"
    )
    ways = sample.add_argument_group("how to generate")
    ways.add_argument(
        "--temperature",
        type=float,
        metavar="τ",
        help=f"below 1 safer, above 1 more varied (default: {SAMPLE['temperature']})",
    )
    ways.add_argument(
        "--top-k",
        type=int,
        metavar="K",
        help="sample from the K most likely tokens only (default: all)",
    )
    ways.add_argument(
        "--top-p",
        type=float,
        metavar="P",
        help="sample from the most likely tokens of joint probability P only"
        " (default: all)",
    )
    ways.add_argument(
        "--greedy",
        action="store_true",
        default=None,
        help="always take the most likely token",
    )
    ways.add_argument(
        "--beam",
        type=count,
        metavar="WIDTH",
        help="beam search: the most likely texts that a beam of this width finds",
    )
    ways.add_argument(
        "--length",
        type=positive_integer,
        metavar="N",
        help=f"at most N tokens after the prompt (default: {SAMPLE['length']});"
        " of a translator or describer: with the end token (default: that of the"
        " longest text in its training set)",
    )
    ways.add_argument(
        "--count",
        type=count,
        metavar="N",
        help=f"number of texts (default: {SAMPLE['count']})",
    )
    ways.add_argument(
        "--seed",
        type=natural,
        metavar="S",
        help=f"the same seed generates the same texts (default: {SAMPLE['seed']})",
    )
    add_sample_options(sample)
    looks = sample.add_argument_group("what to show instead")
    looks.add_argument(
        "--show-top",
        type=count,
        metavar="K",
        help="the K most likely next tokens with their probabilities, at temperature"
        f" {TEMPERATURES_SHOWN[0]} and at"
        f" --temperature (default here: {TEMPERATURES_SHOWN[1]}); generates nothing. Of a"
        " classifier: the K most likely classes (default: 5)",
    )
    looks.add_argument(
        "--compare",
        type=temperatures,
        metavar="τ,τ,...",
        help="texts at these temperatures side by side, then how varied and how"
        " likely they are",
    )


def add_check(commands) -> None:
    check = commands.add_parser(
        "check",
        help="check all gradients of a model, or the functions in a file of yours",
        description="Without FILE: check the gradients of a random model, from token"
        " ids to loss: of every parameter, and of a language model's initial states,"
        " with sequences of different lengths. They are compared with numerical"
        " derivatives. The complex step must agree to a relative error of 1e-12."
        " Central differences and projections have rounding errors of their own and"
        " must agree to 1e-5. With FILE: find its forward and backward functions, by"
        " names and arguments of known courses, check them, and name their mistakes."
        " The code in FILE is executed, in a process of its own: check only files that"
        " you trust. The exit status is 1 if a gradient is wrong.",
    )
    check.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a .py file or a notebook, .ipynb, whose functions are checked (default:"
        " check a model of minilstm)",
    )
    both = check.add_argument_group("for both")
    both.add_argument(
        "--cell",
        choices=CELLS,
        help=f"recurrent cell (default: {DEFAULTS['cell']}; of a file: by the names of"
        " its functions)",
    )
    files = check.add_argument_group("for a file")
    files.add_argument(
        "--layout",
        metavar="LAYOUT",
        help="what the arguments of the functions hold: the name of a layout, or a file"
        " NAME.json that describes one (default: by names and arguments)",
    )
    files.add_argument(
        "--function",
        action="append",
        metavar="NAME",
        help="check this function, with its forward or backward; may be given several"
        " times (default: all that are known)",
    )
    files.add_argument(
        "--time",
        type=seconds,
        metavar="SECONDS",
        help="time limit for running the file and checking it (default:"
        f" {CHECK_SECONDS})",
    )
    models = check.add_argument_group("for a model")
    models.add_argument(
        "--model",
        choices=SIZES_OF,
        help="kind of model (default: language-model)",
    )
    models.add_argument(
        "--bidirectional",
        action="store_true",
        help="layers that read in both directions; of an encoder-decoder, the"
        " encoder's; needs H even (default: one direction)",
    )
    models.add_argument(
        "--pooling",
        choices=POOLINGS,
        help="how a classifier makes one vector of a sequence (default: final)",
    )
    models.add_argument(
        "--reverse-source",
        action="store_true",
        help="an encoder-decoder that reads the source last token first (default: first"
        " token first)",
    )
    models.add_argument(
        "--dropout",
        type=rate,
        metavar="P",
        help="dropout rate between layers, with one fixed mask (default: 0)",
    )
    models.add_argument(
        "--tied",
        action="store_true",
        help="tied weights: use the embedding as the output matrix too; needs E equal"
        " to H",
    )
    models.add_argument(
        "--sizes",
        metavar=",".join(f"{letter}={size}" for letter, size in SIZES.items()),
        help="any of: vocabulary V, embedding E (0: one-hot), hidden size H, layers"
        " L, time steps T, sequences in the mini-batch B (default: as shown); classes C"
        " of a classifier or tagger (3); source steps S (5) and attention K (4; 0:"
        " none) of an encoder-decoder; features F of a captioner (3)",
    )
    models.add_argument(
        "--seed",
        type=natural,
        metavar="S",
        help="seed of the weights, ids, lengths and initial states (default: 0)",
    )
    models.add_argument(
        "--method",
        choices=("complex", "central", "projections", "all"),
        help="complex step, central differences, or random projections (default:"
        " complex)",
    )


def add_exercise(commands) -> None:
    exercise = commands.add_parser(
        "exercise",
        help="grade your answers to an exercise of the lessons",
        description="Grade your answers to an exercise. The first time, the exercise"
        " is copied to lessons/my/NN_name.py: fill in its blanks there, and run the"
        " command again. The exit status is 0 if all is right, 1 if something is"
        " wrong or not answered, 2 if the file is not Python or cannot be found.",
    )
    exercise.add_argument(
        "number",
        nargs="?",
        type=count,
        metavar="NUMBER",
        help="number of the lesson (default: list the exercises)",
    )
    exercise.add_argument(
        "--file",
        metavar="FILE",
        help="grade this file (default: your copy in lessons/my)",
    )
    exercise.add_argument(
        "--task",
        type=positive_integer,
        metavar="K",
        help="with --hint or --solution: the Kth task (default: the first that is not"
        " right)",
    )
    exercise.add_argument(
        "--seed",
        type=seed_or_name,
        metavar="S",
        help="make a copy that differs from others, by a number or a student's name;"
        " exercises 1, 2 and 9 have several variations (default: the usual one)",
    )
    exercise.add_argument(
        "--all",
        action="store_true",
        help="for teachers: write all exercises, blank, to the new folder --out",
    )
    exercise.add_argument(
        "--out",
        metavar="FOLDER",
        help="with --all: the new folder (default: none; name one)",
    )
    instead = exercise.add_mutually_exclusive_group()
    instead.add_argument(
        "--hint",
        action="count",
        default=0,
        help="give a hint; --hint --hint: give another one too",
    )
    instead.add_argument("--solution", action="store_true", help="show the solution")
    instead.add_argument(
        "--reset",
        action="store_true",
        help="start again with a blank copy; what you wrote is kept beside it",
    )
    instead.add_argument(
        "--move",
        action="store_true",
        help="move answers from lessons/exercises to lessons/my; nothing is lost",
    )
