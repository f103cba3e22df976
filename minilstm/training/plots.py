"""Pictures, drawn with matplotlib (extra ``lessons``). Drawing one without it raises ImportError.

They are drawn on a canvas of their own. What pyplot would draw on, a window or a notebook, is not asked.
Colours that the colour-blind tell apart: Okabe and Ito, Color universal design (2008).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilstm.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minilstm.training.loop import HistoryRow

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
BLUE, ORANGE, *_, GREY = COLOURS


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


def loss_picture(history: Sequence[HistoryRow], path: str | Path) -> None:
    """The losses of a run as a PNG file."""
    load_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    draw_losses(figure.add_subplot(), history)
    with replacing(path) as file:
        figure.savefig(file, format="png")


def draw_losses(axes: Axes, history: Sequence[HistoryRow]) -> None:
    """Training and held-out loss over the steps, with the floor drawn in where there is one."""
    from matplotlib.ticker import LogLocator

    axes.plot([row.step for row in history], [row.train_loss for row in history], color=BLUE, label="training")
    held_out = [(row.step, row.valid_loss) for row in history if row.valid_loss is not None]
    if held_out:
        axes.plot(*zip(*held_out), "o-", color=ORANGE, markersize=4, label="held out")
    floor = next((row.floor for row in history if row.floor is not None), None)
    if floor is not None:
        axes.axhline(floor, color=GREY, linestyle="--", linewidth=1.2, label=f"floor, {floor:.3f}")
    axes.set_yscale("log")  # the last hundredths matter as much as the first whole
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 3, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats a symbol)")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if history:
        axes.legend(frameon=False)
