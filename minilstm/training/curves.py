"""Curves of the losses as text, drawn during a run.

A character of a terminal has 2 x 4 braille dots, which plotille (extra ``lessons``)
sets. Importing this file without plotille raises ImportError. The scale is logarithmic,
as in ``plots``. The curves differ in shape, so that they need no colours.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from plotille import Canvas, color

from minilstm.training.loop import Callback, HistoryRow, StepRecord, Training

# of the 256 that terminals number; legible on black and on white
BLUE, ORANGE, GREY = 33, 208, 245
ROWS, NARROWEST, WIDEST = 9, 60, 80
HEIGHT = ROWS + 2  # of the whole text: with the axis and the legend
MARGIN = 10  # columns left of the dots
CHARACTERS = "⣿│└─┄"  # which a terminal must be able to show


def draw(history: Sequence[HistoryRow], width: int, colours: bool = False) -> str:
    """Training and validation loss over the steps, and the entropy floor if known.

    Parameters
    ----------
    history : rows of the history; losses in nats per token.
    width : most columns of a line.
    colours : whether to add colour codes, which take no columns.

    Returns
    -------
    ``HEIGHT`` lines of text; "" if there is no finite training loss yet.
    """
    training = [
        (row.step, row.train_loss) for row in history if math.isfinite(row.train_loss)
    ]
    measured = [
        (row.step, row.valid_loss) for row in history if row.valid_loss is not None
    ]
    validation = [(step, loss) for step, loss in measured if math.isfinite(loss)]
    floor = next((row.floor for row in history if row.floor is not None), None)
    levels = [loss for _, loss in training + validation] + (
        [] if floor is None else [floor]
    )
    if not training:
        return ""
    low, high = _log(min(levels)), _log(max(levels))
    space = max(0.05 * (high - low), 0.005)
    low, high = low - space, high + space
    columns, last = width - MARGIN, max(1, history[-1].step)
    canvas = Canvas(
        columns,
        ROWS,
        0,
        low,
        last * (1 + 1 / columns),
        high,
        mode="byte",
        no_color=not colours,
    )
    if floor is not None:
        for k in range(columns):
            canvas.point((k + 0.1) * canvas.xmax / columns, _log(floor), color=GREY)
    # more points than dots would only take time
    stride = 1 + len(training) // (4 * columns)
    points = [*training[:-1:stride], training[-1]]
    for (step, loss), (next_step, next_loss) in zip(points[:1] + points, points):
        canvas.line(step, _log(loss), next_step, _log(next_loss), color=BLUE)
    for step, loss in validation:
        canvas.point(step, _log(loss), color=ORANGE, marker="o")

    lines = []
    for k, dots in enumerate(canvas.plot().replace("\u2800", " ").split("\n")):
        middle = math.exp(high - (k + 0.5) / ROWS * (high - low))
        label = _number(middle) if k % 4 == 0 else ""
        lines.append(f"{label:>{MARGIN - 2}} │{dots}".rstrip())
    lines.append(f"{'loss':>{MARGIN - 2}} └" + f" step {last:,}".rjust(columns, "─"))
    legend: list[tuple[str, float, int]] = [("─ training", training[-1][1], BLUE)]
    legend += [("o validation", validation[-1][1], ORANGE)] if validation else []
    legend += [("┄ floor", floor, GREY)] if floor is not None else []
    entries = [
        color(f"{name} {_number(loss)}", fg=shade, mode="byte", no_color=not colours)
        for name, loss, shade in legend
    ]
    return "\n".join([*lines, "   " + "  ".join(entries)])


def _log(loss: float) -> float:
    return math.log(max(loss, 1e-9))


def _number(loss: float) -> str:
    """A loss in at most eight characters."""
    return f"{loss:.4f}" if loss < 999 else f"{loss:.1e}"


class LiveCurves(Callback):
    """Draws the curves when the history has a new row, and at the end.

    Needs History before it among the callbacks.

    Parameters
    ----------
    put : shows a text in place of the previous one.
    size : returns columns and lines of the terminal, which may change.
    show : prints a line.
    colours : whether to use colours.
    seconds : least time between two drawings within an epoch.
    """

    def __init__(
        self,
        put: Callable[[str], None],
        size: Callable[[], tuple[int, int]],
        show: Callable[[str], None] = print,
        colours: bool = False,
        seconds: float = 0.25,
    ):
        self.put = put
        self.size = size
        self.show = show
        self.colours = colours
        self.seconds = seconds
        self._failed, self._rows, self._drawn_at = False, 0, -math.inf

    def on_step(self, training: Training, record: StepRecord) -> None:
        due = record.epoch_ends or time.monotonic() - self._drawn_at >= self.seconds
        if due and len(training.history) != self._rows:
            self._draw(training)

    def on_end(self, training: Training) -> None:
        self._draw(training)

    def _draw(self, training: Training) -> None:
        if self._failed:
            return
        try:
            columns, lines = self.size()
            fits = columns >= NARROWEST and lines >= HEIGHT + 5
            self.put(
                draw(training.history, min(columns, WIDEST) - 1, self.colours)
                if fits
                else ""
            )
        except Exception as error:  # a picture must never end a run
            self._failed = True
            self.show(
                f"the curves could not be drawn ({type(error).__name__}: {error});"
                " training goes on without them"
            )
        self._rows, self._drawn_at = len(training.history), time.monotonic()
