"""The options of ``minilstm learn``, ``puzzles`` and ``milestone``."""

from __future__ import annotations

from minilstm.cli.option_types import count


def add_learn(commands) -> None:
    learn = commands.add_parser(
        "learn",
        help="work through the exercises: every save of yours is graded",
        description="Work through the exercises of the course, in order or from any."
        " In a terminal: shows what is done, copies the next exercise to lessons/my,"
        " and grades your copy at every save, until it is right; then the next one"
        " follows. Without a terminal: shows what is done. Your code runs in a process"
        " of its own, with a time limit.",
    )
    learn.add_argument(
        "name",
        nargs="?",
        metavar="NUMBER",
        help="begin here (default: the first that is not done)",
    )
    instead = learn.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="only show what is done")
    instead.add_argument(
        "--once",
        action="store_true",
        help="grade once, and show the first thing that is wrong; status 0: all right",
    )
    instead.add_argument(
        "--hint",
        action="count",
        default=0,
        help="a hint for the first task that is not right; --hint --hint: another too",
    )
    instead.add_argument(
        "--solution",
        action="store_true",
        help="the solution of that task; of all tasks if all are right",
    )
    instead.add_argument(
        "--reset",
        action="store_true",
        help="begin again with a blank file; what you wrote is kept beside it",
    )
    instead.add_argument(
        "--copy",
        metavar="FOLDER",
        help="copy the lessons and exercises to this folder; no file that is there is"
        " changed",
    )


def add_puzzles(commands) -> None:
    puzzles = commands.add_parser(
        "puzzles",
        help="answer the gradient puzzles of the lessons, one expression each",
        description="Thirty gradients, each in one expression. Without a number, grade"
        " lessons/my/puzzles.py, which is made the first time, and list what is right."
        " With a number, pose this puzzle and those after it in the terminal; right"
        " answers are saved in that file. The exit status is 0 if all puzzles are right,"
        " or the one that was named; else 1.",
    )
    puzzles.add_argument(
        "number",
        nargs="?",
        type=count,
        metavar="NUMBER",
        help="number of a puzzle (default: list all)",
    )
    puzzles.add_argument(
        "--hint",
        action="count",
        default=0,
        help="print a hint; --hint --hint: another one",
    )
    puzzles.add_argument("--solution", action="store_true", help="print the solution")
    puzzles.add_argument(
        "--reset",
        action="store_true",
        help="begin again with a blank file; the old one is kept beside it",
    )


def add_milestone(commands) -> None:
    milestone = commands.add_parser(
        "milestone",
        help="train a model by your own solutions of exercises 2 to 9",
        description="Take the functions of your exercises 2 to 9, check them, compare"
        " the first training steps with minilstm.reference, and train a model of"
        " headlines with them, in about a minute. The headlines that it writes are"
        " saved in lessons/my/headlines.txt. The exit status is 0 if the validation"
        " loss is below the goal, else 1.",
    )
    milestone.add_argument(
        "--steps",
        type=count,
        metavar="N",
        help="number of training steps (default: 1000)",
    )
