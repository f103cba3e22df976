"""Pictures of the lessons: one look for all of them, and text where there is no matplotlib.

    if plt := pyplot():
        figure, axes = plt.subplots()
        ...
        save(figure, "04_valley")

Colours that the colour-blind tell apart: Okabe and Ito, Color universal design (2008).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minilstm.course.folder import shown
from minilstm.files import replacing
from minilstm.refusals import first_line

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
STYLE: dict[Any, Any] = {
    "figure.figsize": (7, 3.8), "figure.dpi": 110, "figure.constrained_layout.use": True, "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.alpha": 0.25,
    "axes.titlesize": 10, "legend.frameon": False, "lines.linewidth": 1.6, "image.cmap": "cividis",
}  # fmt: skip


def quick() -> bool:
    """Whether the lesson was asked to be short: ``--quick``, or MINILSTM_QUICK=1 where there is no command line.

    A lesson has no other option; whoever types one is told so, and the program ends with status 2.
    """
    options = [] if in_notebook() else sys.argv[1:]
    if set(options) - {"--quick"}:
        print(f"usage: python {sys.argv[0]} [--quick]\n{' '.join(options)} is none of a lesson's options", file=sys.stderr)
        raise SystemExit(2)
    return bool(options) or os.environ.get("MINILSTM_QUICK", "") not in ("", "0")


def in_notebook() -> bool:
    """Whether a notebook runs us, and shows figures below the cell."""
    return "ipykernel" in sys.modules


def load_matplotlib() -> Any:
    """matplotlib, even if MPLBACKEND names a backend that is not installed here, for example that of a notebook.

    Raises ImportError if it is not installed.
    """
    is_first = "matplotlib" not in sys.modules
    chosen = os.environ.pop("MPLBACKEND", None)  # with an unknown name there, it refuses to be imported
    try:
        import matplotlib
    finally:
        if chosen is not None:
            os.environ["MPLBACKEND"] = chosen
    if is_first and chosen:
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = chosen
    return matplotlib


def pyplot() -> Any | None:
    """matplotlib's pyplot in the look of the lessons; None, and a sentence, where it is not installed."""
    try:
        matplotlib = load_matplotlib()
    except ImportError:
        print('(no picture without matplotlib: pip install -e ".[lessons]")')
        return None
    except Exception as error:  # broken in one of many ways; a lesson can be read without pictures
        print(f"(no picture, for matplotlib cannot be loaded: {first_line(error)})")
        return None
    if not in_notebook():
        matplotlib.use("Agg")
    from cycler import cycler
    from matplotlib import pyplot as plt

    plt.rcParams.update(STYLE | {"axes.prop_cycle": cycler(color=COLOURS)})
    return plt


def save(figure: Any, name: str) -> Path:
    """Write a figure to ``output/NAME.png`` beside the lesson, whole or not at all, and say where."""
    lesson = getattr(sys.modules["__main__"], "__file__", None)
    folder = (Path.cwd() if in_notebook() or lesson is None else Path(lesson).resolve().parent) / "output"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.png"
    with replacing(path) as file:
        figure.savefig(file, format="png")
    print(f"picture: {shown(path)}")
    if not in_notebook():
        from matplotlib import pyplot as plt

        plt.close(figure)
    return path


def bars(labels: Sequence[str], values: Sequence[float], width: int = 40, form: str = "{:.3f}") -> str:
    """A bar of text for each value, at least 0; the largest is ``width`` wide.

    >>> print(bars(["a", "bb"], [1, 0.5], width=8))
    a   ████████ 1.000
    bb  ████     0.500
    """
    longest, most = max(map(len, labels), default=0), max(values, default=0) or 1
    bar = lambda value: "█" * round(width * value / most)
    return "\n".join(
        f"{label:<{longest}}  {bar(value):<{width}} {form.format(value)}" for label, value in zip(labels, values)
    )
