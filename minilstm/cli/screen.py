"""The output of a run: lines that stay, live curves below them, a progress bar.

To print a line, bar and curves are erased, the line takes their place, and they are
drawn below it again, all in one write.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import textwrap

from minilstm.cli.terminal import can_show
from minilstm.errors import to_install
from minilstm.training.callbacks import StopOnSignal
from minilstm.training.loop import Callback, Training
from minilstm.training.progress import WIDTH

UP_AND_ERASE = "\r\x1b[{}A\x1b[J"  # up by so many lines, then erase the rest
WIDEST_BAR = 76  # leaves room for the ^C that a terminal shows behind it
COMPILING = "compiling kernels (the first time) or loading them ..."


class Screen:
    """Prints lines. If the reader of a pipe has ended, the run stops as by Ctrl-C."""

    def __init__(self, interrupt: StopOnSignal):
        self.interrupt, self.bar = interrupt, None
        self._block, self._columns = "", 0

    def __call__(self, text: str) -> None:
        self._write(text + "\n", self._block)

    def paragraph(self, text: str) -> None:
        """Print a sentence or two, wrapped; paths are not broken."""
        self(
            textwrap.fill(
                text,
                WIDTH,
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        )

    def put(self, block: str) -> None:
        """Show a block of lines below all others; it replaces the block before."""
        self._write("", block)

    def let_be(self) -> None:
        """Leave bar and block as they are; print all that follows below them."""
        self.bar, self._block = None, ""

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        return os.get_terminal_size(sys.stdout.fileno())

    def _write(self, text: str, block: str) -> None:
        try:
            with (
                contextlib.nullcontext()
                if self.bar is None
                else self.bar.external_write_mode()
            ):
                print(
                    self._erasure() + text + block,
                    end="\n" if block else "",
                    flush=True,
                )
            self._block = block
            self._columns = self.size()[0] if block else 0
        except OSError as error:
            # EIO: the terminal was closed
            if error.errno not in (errno.EPIPE, errno.EIO):
                raise
            self._block = ""
            sys.stdout = open(os.devnull, "w", encoding="utf-8")
            self.interrupt.received = True

    def _erasure(self) -> str:
        """Codes that erase the block; None if the terminal may have wrapped it."""
        if not self._block or self.size()[0] < self._columns:
            return ""
        return UP_AND_ERASE.format(self._block.count("\n") + 1)


def bar(training: Training, total: int):
    """A progress bar, if there are a terminal and tqdm; else None.

    The first training step compiles the kernels, or loads compiled ones. Until it is
    done the bar says so, and its time does not count for the estimate.
    """
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None

    class Bar(tqdm):
        bar_format: str | None

        def update(self, n=1):
            if self.bar_format is None:
                return super().update(n)
            self.bar_format = None
            self.n += n
            self.initial = self.last_print_n = self.n
            self.start_t = self.last_print_t = self._time()
            return self.refresh()

        @property
        def format_dict(self):
            known = super().format_dict
            return {**known, "ncols": min(known["ncols"] or WIDEST_BAR, WIDEST_BAR)}

    return Bar(
        total=total, initial=training.step, unit="step", leave=False,
        dynamic_ncols=True, bar_format=COMPILING,
    )  # fmt: skip


def live_curves(screen: Screen, asked: bool | None) -> list[Callback]:
    """The curves, if there are a terminal and plotille; says what is missing."""
    if asked is False or not (asked or sys.stdout.isatty()):
        return []
    try:
        from minilstm.training import curves
    except ImportError:
        if asked:
            screen(
                f"no live curves, because plotille is missing: {to_install('lessons')}"
            )
        return []
    if not can_show(curves.CHARACTERS):
        if asked:
            screen(
                "no live curves, because the output is not a terminal that can show"
                " them"
            )
        return []
    return [
        curves.LiveCurves(
            screen.put, screen.size, screen, colours=not os.environ.get("NO_COLOR")
        )
    ]
