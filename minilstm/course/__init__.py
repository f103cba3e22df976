"""Tools for the lessons in ``lessons/``: pictures, exercises, grading, notebooks.

Lessons print σ, ⊙ and bars. Importing this package makes the output accept them in any
encoding, so every lesson imports it before it prints.
"""

from minilstm.course.compare import Wrong, check_array, same
from minilstm.course.grading import Case, Task
from minilstm.course.pictures import COLOURS, bars, pyplot, quick, save
from minilstm.streams import make_writable

__all__ = [
    "COLOURS",
    "Case",
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
    """Grade an exercise file and end the program; every exercise file calls this last.

    Parameters
    ----------
    path : the file. Options of ``minilstm exercise`` are read from ``sys.argv``.

    Raises
    ------
    SystemExit
        Always: with status 0 if every task is right, or help was asked for, else 1.
    """
    import sys

    from minilstm.cli.main import main

    sys.exit(main(["exercise", "--file", path, *sys.argv[1:]]))
