"""Pictures of the losses, drawn with matplotlib (extra ``lessons``).

Drawing without matplotlib raises ImportError. Figures have a canvas of their own and
never use pyplot, so no window opens and no notebook is needed. The colours are distinct
for colour-blind people too: Okabe and Ito, Color universal design (2008).
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
    """Import matplotlib, even if MPLBACKEND names a backend that is not installed here.

    Notebooks set such a name for the programs that they start.

    Returns
    -------
    The module.

    Raises
    ------
    ImportError : if matplotlib is not installed.
    """
    is_first = "matplotlib" not in sys.modules
    # an unknown name would make the import fail
    chosen = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if chosen is not None:
            os.environ["MPLBACKEND"] = chosen
    if is_first and chosen:
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = chosen
    return matplotlib


def loss_picture(
    history: Sequence[HistoryRow], path: str | Path, unit: str = "token"
) -> None:
    """Draw the losses of a run into a PNG file; see ``draw_losses``.

    Raises
    ------
    ImportError : if matplotlib is not installed.
    OSError : if the file cannot be written.
    """
    load_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    draw_losses(figure.add_subplot(), history, unit)
    with replacing(path) as file:
        figure.savefig(file, format="png")


def draw_losses(axes: Axes, history: Sequence[HistoryRow], unit: str = "token") -> None:
    """Draw training and validation loss over the steps, and the entropy floor if known.

    Parameters
    ----------
    axes : matplotlib axes to draw on.
    history : rows of the history; losses in nats per unit.
    unit : what the loss is a mean over. Default: tokens.
    """
    from matplotlib.ticker import LogLocator

    axes.plot(
        [row.step for row in history],
        [row.train_loss for row in history],
        color=BLUE,
        label="training",
    )
    validation = [
        (row.step, row.valid_loss) for row in history if row.valid_loss is not None
    ]
    if validation:
        axes.plot(
            *zip(*validation), "o-", color=ORANGE, markersize=4, label="validation"
        )
    floor = next((row.floor for row in history if row.floor is not None), None)
    if floor is not None:
        axes.axhline(
            floor,
            color=GREY,
            linestyle="--",
            linewidth=1.2,
            label=f"floor, {floor:.3f}",
        )
    axes.set_yscale("log")  # late, small improvements stay visible
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 3, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xlabel("training step")
    axes.set_ylabel(f"loss (nats per {unit})")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if history:
        axes.legend(frameon=False)
