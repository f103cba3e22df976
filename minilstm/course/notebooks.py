"""Lessons as notebooks: the same cells in another file, for those who want to run them one by one in a browser."""

from __future__ import annotations

from pathlib import Path

from minilstm.checkpoint import replacing
from minilstm.errors import InputError


def build(lesson: Path, folder: Path) -> Path:
    """Write ``NN_name.ipynb`` for a lesson, without outputs; needs jupytext."""
    try:
        import jupytext
    except ImportError:
        raise InputError('notebooks are built by jupytext, which is not installed: pip install -e ".[notebooks]"') from None
    path = folder / f"{lesson.stem}.ipynb"
    text = jupytext.writes(jupytext.read(lesson, fmt="py:percent"), fmt="ipynb")
    with replacing(path) as file:
        file.write(text.encode())
    return path
