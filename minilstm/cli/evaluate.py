"""``minilstm evaluate``: how good a model is, on its validation set or on files."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from minilstm.cli.defaults import HOW_TO_READ
from minilstm.cli.settings import option
from minilstm.cli.tasks.applying import check_picture
from minilstm.cli.tasks.registry import task_of_model
from minilstm.cli.tasks.task import Task
from minilstm.errors import InputError
from minilstm.training.checkpoint import load


def run(arguments: Namespace) -> int:
    """The command."""
    path = Path(arguments.model)
    checkpoint = load(path / "model.npz" if path.is_dir() else path)
    task = task_of_model(checkpoint.training.model.kind)
    if task.name is not None:
        _check_options(arguments, task)
    return task.evaluate(arguments, checkpoint)


def _check_options(arguments: Namespace, task: Task) -> None:
    """Raise InputError for options without effect."""
    for name in (*HOW_TO_READ, "label", "target", "features"):
        value = getattr(arguments, name)
        if value is None:
            continue
        if name not in task.options:
            raise InputError(
                f"{option(name, value)} is not an option of --task {task.name}; leave"
                " it out"
            )
        if not arguments.files:
            raise InputError(
                f"{option(name, value)} is for a file; name one: minilstm evaluate DIR"
                " FILE"
            )
    if arguments.picture is not None and not task.has_classes:
        raise InputError(
            "--picture draws the confusion matrix of classes or labels, and this model"
            " has none; leave it out (`minilstm sample` draws attention)"
        )
    check_picture(arguments.picture)
