"""Lessons as notebooks: the same cells, to run one by one in a browser."""

from __future__ import annotations

import json
from pathlib import Path

from minilstm.course.copies import keep
from minilstm.errors import InputError, to_install
from minilstm.files import replacing, write_new


def build(lesson: Path, folder: Path, force: bool = False) -> tuple[Path, Path | None]:
    """Write ``NN_name.ipynb`` for a lesson, without outputs; needs jupytext.

    Parameters
    ----------
    lesson : the script.
    folder : where the notebook is written.
    force : keep an existing notebook with other cells or outputs beside the new one.

    Returns
    -------
    path : the new notebook.
    kept : where the old one is kept; None if there was no other.

    Raises
    ------
    InputError
        If jupytext is missing, or if a changed notebook exists and there is no force.
    """
    try:
        import jupytext
    except ImportError:
        raise InputError(
            "notebooks are built by jupytext, which is not installed:"
            f" {to_install('notebooks')}"
        ) from None
    path = folder / f"{lesson.stem}.ipynb"
    text = jupytext.writes(jupytext.read(lesson, fmt="py:percent"), fmt="ipynb")
    kept = None
    try:
        write_new(path, text.encode())
    except FileExistsError:
        if _cells(path.read_text(encoding="utf-8")) != _cells(text):
            if not force:
                raise InputError(
                    f"{path} is there, and it was changed or run;"
                    " --force builds a new one and keeps the old one beside it"
                ) from None
            kept = keep(path)
        with replacing(path) as file:
            file.write(text.encode())
    return path, kept


def _cells(text: str) -> list[tuple] | None:
    """Type, source and outputs of each cell; None if the text is not a notebook."""
    try:
        return [
            (cell["cell_type"], "".join(cell["source"]), cell.get("outputs"))
            for cell in json.loads(text)["cells"]
        ]
    except (ValueError, KeyError, TypeError):
        return None
