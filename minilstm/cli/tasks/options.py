"""Options of the tasks: of ``train``, ``sample`` and ``evaluate``.

This module imports nothing heavy, so that ``minilstm --help`` answers at once.
"""

from __future__ import annotations

import argparse

from minilstm.cli.defaults import FORMATS, POOLINGS, TASKS
from minilstm.cli.option_types import natural, separator

EVALUATE = """\
Measure a trained model that is not a language model, on its validation set or
on files of your own. Classes and labels: accuracy, precision, recall and F1 of
each, and the confusion matrix. Texts: exact match and mean edit distance, greedy."""


def add_train_options(train) -> None:
    """The task, its columns, and sizes that only some models have."""
    task = train.add_argument_group("task")
    task.add_argument(
        "--task",
        choices=TASKS,
        help="what to learn from your files (default: to generate text; built-in"
        " corpora have their own task)."
        " classify: the class of a text, from --column and --label."
        " tag: a label for each token, from lines with a token, a tab and a label,"
        " where a blank line ends a sequence; or from --column and --label, with as"
        " many tokens as labels, between spaces."
        " translate: a target text, from --column (the source) and --target; a table"
        " of two columns needs neither."
        " describe: a text about numbers, from --column (the text) and --features",
    )
    task.add_argument(
        "--label",
        metavar="NAME",
        help="for --task classify and tag: column or field with the classes or labels;"
        " named as for --column",
    )
    task.add_argument(
        "--target",
        metavar="NAME",
        help="for --task translate: column or field with the target texts (default:"
        " the second of two columns)",
    )
    task.add_argument(
        "--features",
        metavar="NAME,NAME,...",
        help="for --task describe: columns or fields with numbers; one cell may have"
        " several, with spaces between, and a decimal point in each (default: all"
        " columns but --column)",
    )
    task.add_argument(
        "--attention",
        type=natural,
        metavar="K",
        help="for --task translate: width of additive attention, 0 for none (default:"
        " 64; addition: 0)",
    )
    task.add_argument(
        "--reverse-source",
        action="store_const",
        const=True,
        help="for --task translate: read each source last token first (default:"
        " addition only)",
    )
    task.add_argument(
        "--bidirectional",
        action=argparse.BooleanOptionalAction,
        help="read each input in both directions, each with half of --hidden (default:"
        " in one; tag and dates: in both)",
    )
    task.add_argument(
        "--pooling",
        choices=POOLINGS,
        help="for --task classify: what the class is predicted from. final: the final"
        " hidden state; last: the output at the last token; mean, max: over all tokens"
        " (default: final)",
    )


def add_reading_options(parser, otherwise: str = "{}") -> None:
    """How to read tables and JSON.

    Parameters
    ----------
    otherwise : a default, with {} for that of ``train``.
    """
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="format of the files (default:"
        f" {otherwise.format('by their suffix, else text')})",
    )
    parser.add_argument(
        "--separator",
        type=separator,
        metavar="C",
        help="character between the cells of a table; `tab` is a tab (default:"
        f" {otherwise.format('found in the file')})",
    )
    parser.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether a table's first row is a header (default:"
        f" {otherwise.format('if its cells look like names')})",
    )
    parser.add_argument(
        "--encoding",
        metavar="NAME",
        help="encoding of the characters, such as cp1252 (default:"
        f" {otherwise.format('utf-8')})",
    )


def add_sample_options(sample) -> None:
    """Inputs of models that are not language models."""
    inputs = sample.add_argument_group("input: for models of the other tasks")
    inputs.add_argument(
        "--input",
        action="append",
        metavar="TEXT",
        help="text to classify, to tag or to translate; may be given several times"
        " (default: the lines of standard input)",
    )
    inputs.add_argument(
        "--features",
        action="append",
        metavar="NUMBERS",
        help="numbers to describe, such as 0.5,-1,0; may be given several times"
        " (default: the lines of standard input)",
    )
    inputs.add_argument(
        "--picture",
        metavar="FILE",
        help="draw where attention looks for the first input into this PNG file",
    )


def add_evaluate(commands) -> None:
    """The command ``evaluate``."""
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a trained model that is not a language model",
        description=EVALUATE,
    )
    evaluate.add_argument(
        "model", metavar="DIR", help="folder of a run, or a model file"
    )
    evaluate.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="files with examples, read like those of the run (default: its validation"
        " set)",
    )
    for option, metavar, what in (
        ("--column", "NAME", "column of the texts"),
        ("--label", "NAME", "column of the classes or labels"),
        ("--target", "NAME", "column of the targets"),
        ("--features", "NAME,...", "columns of the numbers"),
    ):
        evaluate.add_argument(
            option, metavar=metavar, help=f"{what} in FILE (default: as in the run)"
        )
    add_reading_options(evaluate, "as in the run")
    evaluate.add_argument(
        "--picture",
        metavar="FILE",
        help="draw the confusion matrix into this PNG file",
    )
