"""All tasks: by the option --task, by a built-in corpus, and by a model."""

from __future__ import annotations

from minilstm.cli.tasks.classify import ClassifyTask
from minilstm.cli.tasks.describe import DescribeTask
from minilstm.cli.tasks.language_model import LanguageModelTask
from minilstm.cli.tasks.tag import TagTask
from minilstm.cli.tasks.task import Task
from minilstm.cli.tasks.translate import TranslateTask
from minilstm.errors import InputError

TASKS: dict[str | None, Task] = {
    task.name: task
    for task in (
        LanguageModelTask(),
        ClassifyTask(),
        TagTask(),
        TranslateTask(),
        DescribeTask(),
    )
}


def task_for(kind: str, name: str | None) -> Task:
    """The task of a new run.

    Parameters
    ----------
    kind : a built-in corpus, or "file".
    name : of ``--task``, or None.

    Raises
    ------
    InputError
        If the built-in corpus is for another task.
    """
    if kind == "file":
        return TASKS[name]
    task = next(
        (task for task in TASKS.values() if kind in task.of_corpus), TASKS[None]
    )
    if name not in (None, task.name):
        what = f"--task {task.name}" if task.name else "language models"
        raise InputError(
            f"`{kind}` is a corpus for {what}; leave --task {name} out, or name your"
            " own file"
        )
    return task


def task_of_model(kind: str) -> Task:
    """The task that a model of this kind was trained for."""
    return next(task for task in TASKS.values() if task.kind == kind)
