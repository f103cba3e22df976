"""The learner's copies of the exercises, in ``lessons/my``, which git ignores.

The blank ones in ``lessons/exercises`` are never edited, so the checkout stays clean and a
copy can be renewed. Nothing that a learner wrote is lost: before a file is replaced, it is
kept beside it under a numbered name.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
from dataclasses import dataclass
from pathlib import Path

from minilstm.course.answers import Answers
from minilstm.course.grading import Task
from minilstm.errors import InputError
from minilstm.files import replacing, write_new


@dataclass(frozen=True)
class Copy:
    """One exercise: the course's own file, and the learner's, which may not be there yet.

    Parameters
    ----------
    blank : the file in ``lessons/exercises``.
    path : the learner's file, of the same name, in ``lessons/my``.
    tasks : what is to be answered.
    blanks : how many blanks, each an ellipsis, all tasks have together.
    """

    blank: Path
    path: Path
    tasks: tuple[Task, ...]
    blanks: int

    def filled_in(self) -> bool:
        """Whether somebody answered in the course's own file."""
        try:
            found = Answers(self.blank)
        except InputError:  # no Python any more
            return True
        return sum(len(found.blanks(task.name)) for task in self.tasks) < self.blanks

    def renew(self) -> Path | None:
        """Make the learner's file what the course's own is now; returns where the old one is kept, if there was another."""
        content, kept = self.blank.read_bytes(), None
        self.path.parent.mkdir(exist_ok=True)
        try:
            write_new(self.path, content)
        except FileExistsError:
            kept = keep(self.path) if self.path.read_bytes() != content else None
            with replacing(self.path) as file:
                file.write(content)
        return kept

    def restore(self) -> bool:
        """Put the blank exercise back as git has it; returns whether it is blank now. What is in it must be kept before."""
        try:
            subprocess.run(
                ["git", "checkout", "--quiet", "HEAD", "--", self.blank.name],
                cwd=self.blank.parent,
                capture_output=True,
            )
        except OSError:  # no git here
            pass
        return not self.filled_in()


def keep(path: Path) -> Path:
    """Copy a file to the first name that is free: of ``02_one_step.py``, to ``02_one_step.1.py`` beside it."""
    content = path.read_bytes()
    for number in itertools.count(1):
        kept = path.with_name(f"{path.stem}.{number}{path.suffix}")
        with contextlib.suppress(FileExistsError):
            write_new(kept, content)
            break
    return kept
