"""The learner's copies of the exercises, in ``lessons/my``, which git ignores.

The blank exercises in ``lessons/exercises`` are never edited. So the clone stays clean,
and a copy can be made again. Nothing that a learner wrote is lost: before a file is
replaced, it is kept beside the new one under a numbered name.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from minilstm.errors import InputError
from minilstm.files import replacing, write_new

if TYPE_CHECKING:
    from minilstm.course.grading import Task


@dataclass(frozen=True)
class Copy:
    """One exercise: the blank file, and the learner's copy, which may not exist yet.

    Parameters
    ----------
    blank : the file in ``lessons/exercises``.
    path : the learner's file, of the same name, in ``lessons/my``.
    tasks : the tasks of the exercise.
    blanks : the number of blanks ``...`` in all its tasks.
    """

    blank: Path
    path: Path
    tasks: tuple[Task, ...]
    blanks: int

    def filled_in(self) -> bool:
        """Whether the blank file has answers, or is no Python."""
        from minilstm.course.answers import Answers  # loads what grading needs

        try:
            found = Answers(self.blank)
        except InputError:
            return True
        return sum(len(found.blanks(task.name)) for task in self.tasks) < self.blanks

    def renew(self) -> Path | None:
        """Copy the blank file to the learner's.

        Returns
        -------
        kept : where the learner's old file is kept; None if it did not differ.
        """
        return renew(self.path, self.blank.read_bytes())

    def restore(self) -> bool:
        """Restore the blank file by git; first keep what is in it.

        Returns
        -------
        blank : whether the file is blank now.
        """
        try:
            subprocess.run(
                ["git", "checkout", "--quiet", "HEAD", "--", self.blank.name],
                cwd=self.blank.parent,
                capture_output=True,
            )
        except OSError:  # git is not installed
            pass
        return not self.filled_in()


def renew(path: Path, content: bytes) -> Path | None:
    """Write a file of the learner's; what was there is kept beside it.

    Returns
    -------
    kept : where the old file is kept; None if it did not differ.
    """
    kept = None
    path.parent.mkdir(exist_ok=True)
    try:
        write_new(path, content)
    except FileExistsError:
        kept = keep(path) if path.read_bytes() != content else None
        with replacing(path) as file:
            file.write(content)
    return kept


def keep(path: Path) -> Path:
    """Copy a file to a free name beside it: ``02_one.py`` to ``02_one.1.py``."""
    content = path.read_bytes()
    for number in itertools.count(1):
        kept = path.with_name(f"{path.stem}.{number}{path.suffix}")
        with contextlib.suppress(FileExistsError):
            write_new(kept, content)
            break
    return kept
