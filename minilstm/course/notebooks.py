"""Lessons as notebooks: the same cells in another file, for those who want to run them one by one in a browser."""

from __future__ import annotations

import json
from pathlib import Path

from minilstm.errors import InputError
from minilstm.files import replacing, write_new


def build(lesson: Path, folder: Path, force: bool = False) -> Path:
    """Write ``NN_name.ipynb`` for a lesson, without outputs; needs jupytext.

    Raises InputError where one is already whose cells are others, of an older lesson or somebody's work, unless ``force``.
    """
    try:
        import jupytext
    except ImportError:
        raise InputError('notebooks are built by jupytext, which is not installed: pip install -e ".[notebooks]"') from None
    path = folder / f"{lesson.stem}.ipynb"
    text = jupytext.writes(jupytext.read(lesson, fmt="py:percent"), fmt="ipynb")
    try:
        write_new(path, text.encode())
    except FileExistsError:
        if not force and _cells(path.read_text(encoding="utf-8")) != _cells(text):
            raise InputError(
                f"{path} is there, and it was changed or run; move it away, or say --force to lose what is in it"
            ) from None
        with replacing(path) as file:
            file.write(text.encode())
    return path


def _cells(text: str) -> list[tuple] | None:
    """What is in the cells of a notebook; None if it is none."""
    try:
        return [(cell["cell_type"], "".join(cell["source"]), cell.get("outputs")) for cell in json.loads(text)["cells"]]
    except (ValueError, KeyError, TypeError):
        return None
