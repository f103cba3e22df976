"""What the lessons in ``lessons/`` share: pictures, exercises and their grading, notebooks.

A lesson prints σ, ⊙ and bars. Importing this package makes the output accept them in any
encoding; every lesson imports it before it prints.
"""

from minilstm.course.grading import Task, Wrong, check_array, same
from minilstm.course.pictures import COLOURS, bars, pyplot, quick, save
from minilstm.streams import make_writable

__all__ = [
    "COLOURS",
    "Task",
    "Wrong",
    "bars",
    "check_array",
    "grade",
    "pyplot",
    "quick",
    "same",
    "save",
]

make_writable()


def grade(path: str) -> None:
    """Grade an exercise and end the program: the last line of every exercise file."""
    import sys

    from minilstm.cli.main import main

    sys.exit(main(["exercise", "--file", path, *sys.argv[1:]]))
