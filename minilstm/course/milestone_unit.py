"""The milestone in the list of all that there is to do: its name, goal and result.

The training is in ``milestone.py``; here nothing heavy is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from minilstm.course.copies import renew

if TYPE_CHECKING:
    from minilstm.course.exercise import Result
    from minilstm.course.grading import Task

USES = {  # what the milestone calls, by the number of the exercise
    2: ("gates", "lstm_step"),
    3: ("lstm_step_backward",),
    4: ("central_differences",),
    5: ("lstm_sequence_backward",),
    6: ("forget_bias",),
    7: ("embed", "embed_backward"),
    8: ("batch_loss",),
    9: ("clip_by_global_norm", "adam_step"),
}
# In nats per character. The solutions of the course reach 0.37; a test trains them.
GOAL = 0.45
SAVED = re.compile(r"validation loss (\d+\.\d+)")
RUN = "minilstm milestone"
NOTHING_YET = f"No headlines yet. To train your model: {RUN}\n"


@dataclass(frozen=True)
class MilestoneUnit:
    """The milestone as a ``Unit`` of the course; its file has the headlines.

    Parameters
    ----------
    lessons : the folder ``lessons/``.
    """

    lessons: Path
    needs: tuple[str, ...] = tuple(map(str, USES))
    seconds: float = 20
    name = "milestone"
    title = "Milestone: headlines by your own code"
    lesson = None
    achieved = "Your own code, forward and backward, has trained a language model."

    @property
    def path(self) -> Path:
        return self.lessons / "my" / "headlines.txt"

    def reset(self) -> Path | None:
        return renew(self.path, NOTHING_YET.encode())

    def save(self, loss: float, steps: int, texts: list[str]) -> Path | None:
        """Write headlines and validation loss to the file; the old one is kept.

        Returns
        -------
        kept : where it is kept; None if there was none, or a blank one.
        """
        head = f"{self.title}: validation loss {loss:.4f} after {steps} training steps"
        if self.path.exists() and self.path.read_text("utf-8") == NOTHING_YET:
            self.path.unlink()
        return renew(self.path, "\n".join([head, "", *texts, ""]).encode())

    def tasks(self) -> list[Task]:
        from minilstm.course.grading import Task

        hints = (
            f"Run: {RUN}. It says what is missing, and then trains for a minute.",
            f"The goal is a validation loss below {GOAL}. The solutions of exercises 2"
            " to 9 reach it.",
        )
        return [Task("headlines", str, hints)]

    def results(self) -> Iterator[Result]:
        from minilstm.course.exercise import Result

        (task,) = self.tasks()
        text = self.path.read_text(encoding="utf-8", errors="replace")
        found = SAVED.search(text)
        if found is None:
            yield Result(task, "not answered", f"in another terminal: {RUN}")
        elif float(found[1]) < GOAL:
            yield Result(task, "right", f"{found[0]}, which is below {GOAL}")
        else:
            sentence = f"{found[0]}; the goal is below {GOAL}: {RUN}"
            yield Result(task, "wrong", sentence)

    def solution(self, task: str) -> str:
        return "# The milestone calls your exercises 2 to 9: minilstm exercise 2 --solution"
