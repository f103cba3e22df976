"""The report of a run: a line or two an epoch, losses in other units, sampled texts."""

from __future__ import annotations

import textwrap
import time
import unicodedata
from collections.abc import Callable

from minilstm.layers.losses import bits, perplexity
from minilstm.training.loop import Callback, StepRecord, Training

WIDTH = 78


def is_shown(epoch: int) -> bool:
    """Whether an epoch is reported: the first 25, then every tenth."""
    return epoch <= 25 or epoch % 10 == 0


def in_other_units(nats: float, characters: float = 1.0) -> str:
    """A loss as bits per character and as perplexity.

    With unknown words, the bits per character are too low: such a word costs one token,
    but counts with all its letters.

    Parameters
    ----------
    nats : mean loss in nats per token.
    characters : mean number of characters per token.

    >>> in_other_units(2.0, characters=1.0)
    '2.885 bits per character, perplexity 7.389'
    """
    per_character = bits(nats) / characters
    return f"{per_character:.3f} bits per character, perplexity {perplexity(nats):.4g}"


class Progress(Callback):
    """Reports losses after each epoch that ``is_shown``, at the end, and in between.

    Parameters
    ----------
    steps_per_epoch : number of mini-batches in an epoch.
    floor : entropy floor in nats per token, if it is known.
    characters : mean number of characters per token. None: do not print the loss in
        other units, because it is not one of tokens.
    seconds : time between two lines within an epoch.
    bar : a tqdm bar, which is updated instead of printing these lines. Default: none.
    show : prints a line.
    """

    def __init__(
        self,
        steps_per_epoch: int,
        floor: float | None = None,
        characters: float | None = 1.0,
        seconds: float = 10.0,
        bar=None,
        show: Callable[[str], None] = print,
    ):
        self.steps_per_epoch = steps_per_epoch
        self.floor = floor
        self.characters = characters
        self.seconds, self.bar, self.show = seconds, bar, show
        self._shown_at = time.monotonic()

    def on_step(self, training: Training, record: StepRecord) -> None:
        if self.bar is not None:
            self.bar.set_description(
                f"epoch {record.epoch}, loss {record.loss:.3f}", refresh=False
            )
            self.bar.update(1)
        elif (
            time.monotonic() - self._shown_at >= self.seconds and not record.epoch_ends
        ):
            done = training.position or self.steps_per_epoch
            self.show(
                f"  epoch {record.epoch}, step {done:,} of {self.steps_per_epoch:,}:"
                f" loss {record.loss:.3f}"
            )
            self._shown_at = time.monotonic()

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        if is_shown(record.epoch):
            self._report(training, f"epoch {record.epoch}")

    def on_end(self, training: Training) -> None:
        if self.bar is not None:
            self.bar.close()
        if training.stop is None and training.position:  # ended within an epoch
            self._report(training, f"step {training.step:,}")
        elif training.stop is None and not is_shown(training.epoch):
            self._report(training, f"epoch {training.epoch}")

    def _report(self, training: Training, title: str) -> None:
        line = f"{title}: train {training.epoch_nats / training.epoch_tokens:.4f}"
        loss = training.history[-1].valid_loss if training.history else None
        if loss is not None:
            line += f", validation {loss:.4f}"
            if self.floor is not None:
                line += f", floor {self.floor:.4f}, gap {loss - self.floor:.4f}"
            if self.characters is not None:
                line += f"\n  validation: {in_other_units(loss, self.characters)}"
        self.show(line)
        self._shown_at = time.monotonic()


def as_item(text: str, width: int = WIDTH) -> str:
    """A text as an item of a list.

    Its own lines are indented by four columns, wrapped ones by six. Characters that
    cannot be printed are escaped.

    >>> print(as_item("To be, or not to be,\\nthat is the question", width=20))
      - To be, or not to
          be,
        that is the
          question
    """
    shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    if any(unicodedata.east_asian_width(c) in "WF" for c in shown):
        width //= 2  # such characters are two columns wide
    lines = [
        textwrap.wrap(
            line,
            width,
            initial_indent="    ",
            subsequent_indent="      ",
            break_on_hyphens=False,
        )
        or ["    "]
        for line in shown.split("\n")
    ]
    return "  - " + "\n".join(line for wrapped in lines for line in wrapped)[4:]
