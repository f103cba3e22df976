"""``minilstm evaluate``: how good a model is, on its validation set or on files."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from minilstm.cli.tasks.registry import task_of_model
from minilstm.training.checkpoint import load


def run(arguments: Namespace) -> int:
    """The command."""
    path = Path(arguments.model)
    checkpoint = load(path / "model.npz" if path.is_dir() else path)
    return task_of_model(checkpoint.training.model.kind).evaluate(arguments, checkpoint)
