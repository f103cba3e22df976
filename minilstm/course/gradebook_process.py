"""The process that grades one submission; ``gradebook.py`` starts it.

The job comes on standard input. Results go to a file of their own, each line with a
secret at its start, so that nothing that the submission prints is taken for a result.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from minilstm.course.answers import Answers
from minilstm.course.exercise import Exercise, copy_of
from minilstm.course.folder import numbered
from minilstm.errors import InputError


def main() -> None:
    """Grade the tasks of a submission from the one that the job names, in order.

    The job: ``path`` of the submission, ``exercise``, ``lessons``, ``first`` task from
    0, ``results`` (a file) and ``secret``.
    """
    job = json.loads(sys.stdin.read())
    file = open(job["results"], "a", encoding="utf-8")

    def say(**result: Any) -> None:
        file.write(f"{job['secret']}{json.dumps(result)}\n")
        file.flush()  # the next task may end the process

    class Submitted(Answers):
        def load(self) -> ModuleType:
            module = super().load()
            say(loaded=True)
            return module

    lessons, number = Path(job["lessons"]), job["exercise"]
    tasks = copy_of(number, lessons).tasks
    say(names=[task.name for task in tasks])
    path = Path(job["path"])
    os.chdir(path.parent)
    sys.path.append(str(path.parent))  # at the end: it hides no module of Python
    try:
        exercise = Exercise(
            Submitted(path), Answers(numbered(lessons / "solutions")[number]), tasks
        )
        rest = replace(exercise, tasks=tasks[job["first"] :])
        for task, result in enumerate(rest.results(), start=job["first"]):
            say(task=task, state=result.state, sentence=result.sentence)
    except InputError as error:
        say(problem=str(error))
    os._exit(0)  # also if threads of the submission run on


if __name__ == "__main__":
    main()
