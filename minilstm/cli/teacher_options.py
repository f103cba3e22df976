"""Options of the commands for teachers: ``grade`` and ``worksheet``."""

from __future__ import annotations

from minilstm.cli.option_types import count, natural, positive, positive_integer


def add_grade(commands) -> None:
    grade = commands.add_parser(
        "grade",
        help="for teachers: grade a folder of submissions",
        description="Grade all submissions to exercises in a folder and in its"
        " sub-folders, one for each student. The name of a file tells the exercise:"
        " 03_one_step_backward.py, ada_03_answers.py. Each submission RUNS in a process"
        " of its own, in a temporary copy, with limits of time and memory, and without"
        " network where the system allows that. This does not stop malice: a"
        " submission can read and change your files, the solutions, and its own"
        " grades. The exit status is 0 if all were graded, right or wrong, and 1 if"
        " one could not be run to its end.",
    )
    grade.add_argument("folder", metavar="FOLDER", help="where the submissions are")
    grade.add_argument(
        "--csv",
        metavar="FILE",
        help="also write the grades to a CSV file; an older one is kept beside it; -"
        " is standard output (default: no file)",
    )
    grade.add_argument(
        "--exercise",
        type=count,
        metavar="N",
        help="grade this exercise only, also in files whose names tell none (default: all"
        " exercises)",
    )
    grade.add_argument(
        "--jobs",
        type=positive_integer,
        default=1,
        metavar="N",
        help="grade N submissions at the same time (default: %(default)s)",
    )
    grade.add_argument(
        "--seconds",
        type=positive,
        default=30.0,
        metavar="S",
        help="time limit of a process (default: 30)",
    )
    grade.add_argument(
        "--memory",
        type=positive,
        default=2.0,
        metavar="GB",
        help="memory limit of a process, on Linux (default: 2)",
    )


def add_worksheet(commands) -> None:
    worksheet = commands.add_parser(
        "worksheet",
        help="compute an LSTM by hand",
        description="Every number of the forward and backward pass of a model small"
        " enough for paper: its equation, its formula, and the formula with the"
        " numbers filled in. In the last block one weight learns, and the loss is"
        " computed again. Or a spreadsheet that computes all this itself.",
    )
    worksheet.add_argument(
        "--hidden",
        type=natural,
        default=2,
        metavar="H",
        help="hidden units, at most 4 (default: %(default)s)",
    )
    worksheet.add_argument(
        "--input",
        type=natural,
        default=2,
        metavar="D",
        help="inputs per time step, at most 4 (default: %(default)s)",
    )
    worksheet.add_argument(
        "--steps",
        type=natural,
        default=2,
        metavar="T",
        help="time steps, at most 4 (default: %(default)s)",
    )
    numbers = worksheet.add_mutually_exclusive_group()
    numbers.add_argument(
        "--seed",
        type=natural,
        default=0,
        metavar="S",
        help="seed of the weights and inputs (default: %(default)s)",
    )
    numbers.add_argument(
        "--name",
        metavar="NAME",
        help="the sheet of this student: the name is printed, and the seed follows"
        " from it (default: no name)",
    )
    worksheet.add_argument(
        "--weight",
        metavar="W",
        help="the weight that learns in the last block, such as Wx[1,f2] (default: one"
        " of the output layer)",
    )
    worksheet.add_argument(
        "--blank",
        action="store_true",
        help="leave out all that is to be computed",
    )
    worksheet.add_argument(
        "--solution",
        metavar="FILE",
        help="with --blank: also write the same sheet with its results to a new file"
        " (default: only the blank one)",
    )
    worksheet.add_argument(
        "--check",
        metavar="FILE",
        help="check a .csv or .xlsx sheet that was filled in; the other options must be"
        " those that it was made with (default: make a sheet)",
    )
    worksheet.add_argument(
        "--format",
        choices=("text", "markdown", "csv", "xlsx"),
        help="xlsx is a spreadsheet (default: by the suffix of --out, else text)",
    )
    worksheet.add_argument(
        "--out",
        metavar="FILE",
        help="write to a new file (default: the screen; a spreadsheet: worksheet.xlsx)",
    )
