"""What the lessons in ``lessons/`` share: pictures, exercises and how they are marked, notebooks.

A lesson prints σ, ⊙ and bars. So importing this package, which every lesson does before it prints, makes its output
take them whatever the encoding; a call in each lesson would be one more line to explain to learners.
"""

from minilstm.course.marking import Task, Wrong, check_array, same
from minilstm.course.pictures import COLOURS, bars, pyplot, quick, save
from minilstm.streams import make_writable

__all__ = ["COLOURS", "Task", "Wrong", "bars", "check_array", "mark", "pyplot", "quick", "same", "save"]

make_writable()


def mark(path: str) -> None:
    """Mark an exercise and end the program: the last line of every exercise file."""
    import sys

    from minilstm.cli.main import main

    sys.exit(main(["exercise", "--file", path, *sys.argv[1:]]))
