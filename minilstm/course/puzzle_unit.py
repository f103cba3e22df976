"""The puzzles in the list of all that there is to do, and their file.

Nothing heavy is imported before something is graded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from minilstm.course.copies import renew
from minilstm.course.folder import shown
from minilstm.errors import InputError
from minilstm.files import replacing

if TYPE_CHECKING:
    from minilstm.course.exercise import Result
    from minilstm.course.grading import Task
    from minilstm.course.puzzles import Puzzle


@dataclass(frozen=True)
class PuzzleUnit:
    """The puzzles as a ``Unit`` of the course.

    Parameters
    ----------
    lessons : the folder ``lessons/``.
    """

    lessons: Path
    needs: tuple[str, ...] = ()
    seconds: float = 20
    name = "puzzles"
    title = "Gradient puzzles"
    lesson = None
    achieved = "You can now write down the gradient of any line of a forward pass."

    @property
    def path(self) -> Path:
        return self.lessons / "my" / "puzzles.py"

    @cached_property
    def parts(self) -> Mapping[str, Sequence[Puzzle]]:
        """The table: puzzles by part."""
        from minilstm.course.answers import Answers

        return Answers(self.lessons / "grading" / "puzzles.py").load().PARTS

    @property
    def puzzles(self) -> list[Puzzle]:
        """All puzzles, in order."""
        return [puzzle for part in self.parts.values() for puzzle in part]

    def reset(self) -> Path | None:
        from minilstm.course.puzzle_file import blank

        return renew(self.path, blank(self.parts).encode())

    def tasks(self) -> Sequence[Task]:
        from minilstm.course.puzzle_file import tasks

        return tasks(self.puzzles)

    def results(self) -> Iterator[Result]:
        from minilstm.course.puzzle_file import results

        return results(self.text(), self.puzzles)

    def solution(self, task: str) -> str:
        name = task.split(",")[0]
        return f"{name} = {self.puzzles[int(name[1:]) - 1].solution}"

    def text(self) -> str:
        """What is in the learner's file.

        Raises
        ------
        InputError
            If it is not a text in UTF-8.
        """
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(
                f"{shown(self.path)} is not a text in UTF-8; save it as one and try again"
            ) from None

    def save(self, number: int, answer: str) -> None:
        """Write an answer to its line."""
        from minilstm.course.puzzle_file import with_answer

        text = with_answer(self.text(), number, answer)
        with replacing(self.path) as file:
            file.write(text.encode())
