"""Lessons as notebooks: the same cells in another file, for those who want to run them one by one in a browser."""

from __future__ import annotations

import json
from pathlib import Path

from minilstm.course.copies import keep
from minilstm.errors import InputError
from minilstm.files import replacing, write_new


def build(lesson: Path, folder: Path, force: bool = False) -> tuple[Path, Path | None]:
    """Write ``NN_name.ipynb`` for a lesson, without outputs; needs jupytext.

    A notebook that is there already may have other cells, of an older lesson or somebody's work: then ``force`` keeps it
    beside the new one, and InputError is raised without. Returns the new one, and the one that is kept, if any.
    """
    try:
        import jupytext
    except ImportError:
        raise InputError(
            'notebooks are built by jupytext, which is not installed: pip install -e ".[notebooks]"'
        ) from None
    path = folder / f"{lesson.stem}.ipynb"
    text = jupytext.writes(jupytext.read(lesson, fmt="py:percent"), fmt="ipynb")
    kept = None
    try:
        write_new(path, text.encode())
    except FileExistsError:
        if _cells(path.read_text(encoding="utf-8")) != _cells(text):
            if not force:
                said = f"{path} is there, and it was changed or run; --force builds a new one and keeps it beside"
                raise InputError(said) from None
            kept = keep(path)
        with replacing(path) as file:
            file.write(text.encode())
    return path, kept


def _cells(text: str) -> list[tuple] | None:
    """What is in the cells of a notebook; None if it is none."""
    try:
        return [
            (cell["cell_type"], "".join(cell["source"]), cell.get("outputs"))
            for cell in json.loads(text)["cells"]
        ]
    except (ValueError, KeyError, TypeError):
        return None
