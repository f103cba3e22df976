"""Pictures of the lessons: one style for all, and text if matplotlib is missing.

    if plt := pyplot():
        figure, axes = plt.subplots()
        ...
        save(figure, "04_valley")

Pictures are written to ``output/`` beside the lesson, those of a quick run to
``output/quick/``. Git ignores both. The pictures on the page of the lessons are
committed in ``pictures/``. Only a full run with ``--publish`` writes there. The PNG text
chunks of every picture say which code drew it, and a test reads them.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tokenize
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from minilstm import __version__
from minilstm.cli.error_messages import first_line
from minilstm.course.folder import NUMBERED, shown
from minilstm.errors import to_install
from minilstm.files import replacing
from minilstm.training.plots import COLOURS, load_matplotlib

STYLE: dict[Any, Any] = {
    "figure.figsize": (7, 3.8), "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 11,
    "axes.grid": True, "axes.axisbelow": True, "grid.alpha": 0.25, "font.size": 11,
    "legend.frameon": False, "lines.linewidth": 1.6, "image.cmap": "cividis",
}  # fmt: skip


def quick() -> bool:
    """Whether this is a quick run: ``--quick``, or MINILSTM_QUICK=1 in a notebook."""
    return "--quick" in options() or os.environ.get("MINILSTM_QUICK", "") not in (
        "",
        "0",
    )


def publish() -> bool:
    """Whether ``--publish`` was given, which needs a full run."""
    if "--publish" not in options():
        return False
    if quick():
        refuse(
            "--publish is for a full run: leave out --quick, and unset MINILSTM_QUICK"
        )
    return True


def options() -> set[str]:
    """The options that were typed; an unknown one ends the program with status 2."""
    typed = set(sys.argv[1:]) if script() else set()
    if unknown := typed - {"--quick", "--publish"}:
        refuse(f"{' '.join(sorted(unknown))} is none of a lesson's options")
    return typed


def refuse(sentence: str) -> NoReturn:
    """Print how to run a lesson, and a reason, and end the program with status 2."""
    print(
        f"usage: python {sys.argv[0]} [--quick | --publish]\n{sentence}",
        file=sys.stderr,
    )
    raise SystemExit(2)


def in_notebook() -> bool:
    """Whether this runs in a notebook, which shows figures below the cell."""
    return "ipykernel" in sys.modules


def pyplot() -> Any | None:
    """matplotlib's pyplot in the style of the lessons.

    Returns None, and prints why, if matplotlib is not installed or cannot be loaded.
    """
    publish()  # a mistyped option is refused before the run and not at its end
    try:
        matplotlib = load_matplotlib()
    except ImportError:
        print(f"(no picture without matplotlib: {to_install('lessons')})")
        return None
    except Exception as error:  # a lesson also runs without pictures
        print(f"(no picture: matplotlib cannot be loaded: {first_line(error)})")
        return None
    if not in_notebook():
        matplotlib.use("Agg")
    from cycler import cycler
    from matplotlib import pyplot as plt

    plt.rcParams.update(STYLE | {"axes.prop_cycle": cycler(color=COLOURS)})
    return plt


def save(figure: Any, name: str) -> Path:
    """Write a figure as NAME.png with its provenance, whole or not at all.

    Prints the path, too. With ``--publish`` the picture that has the name of its lesson
    is written to ``pictures/``, all others to ``output/``.

    Parameters
    ----------
    figure : a matplotlib figure.
    name : the name of the file, without ``.png``.

    Returns
    -------
    path : the file.
    """
    lesson = script()
    path = (
        (lesson.parent if lesson else Path.cwd())
        / "output"
        / ("quick" if quick() else "")
        / f"{name}.png"
    )
    if publish() and lesson and lesson.stem == name:
        path = lesson.parent / "pictures" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        figure.savefig(file, format="png", metadata=provenance(lesson))
    print(f"picture: {shown(path)}")
    if not in_notebook():
        from matplotlib import pyplot as plt

        plt.close(figure)
    return path


def script() -> Path | None:
    """The lesson that runs; None in a notebook, a prompt, or an editor's console."""
    path = Path(getattr(sys.modules["__main__"], "__file__", None) or "")
    return (
        path.resolve() if NUMBERED.fullmatch(path.name) and not in_notebook() else None
    )


def provenance(lesson: Path | None) -> dict[str, str]:
    """The PNG text chunks of a picture: its lesson, a hash of the code, and the run."""
    code = (
        {}
        if lesson is None
        else {
            "Lesson": lesson.stem,
            "Code": code_hash(lesson.read_text(encoding="utf-8")),
        }
    )
    return code | {"Run": "quick" if quick() else "full", "Version": __version__}


def code_hash(source: str) -> str:
    """SHA-256 of a script without comments, empty lines and a lesson's text."""
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    code = "\n".join(line.rstrip() for line in lines if line.strip())
    return hashlib.sha256(code.encode()).hexdigest()


def bars(
    labels: Sequence[str],
    values: Sequence[float],
    width: int = 40,
    form: str = "{:.3f}",
) -> str:
    """Horizontal bars as text.

    Parameters
    ----------
    labels : the labels on the left.
    values : at least 0.
    width : characters of the longest bar.
    form : how a value is printed on the right.

    >>> print(bars(["a", "bb"], [1, 0.5], width=8))
    a   ████████ 1.000
    bb  ████     0.500
    """
    longest, most = max(map(len, labels), default=0), max(values, default=0) or 1
    bar = lambda value: "█" * round(width * value / most)
    return "\n".join(
        f"{label:<{longest}}  {bar(value):<{width}} {form.format(value)}"
        for label, value in zip(labels, values)
    )
