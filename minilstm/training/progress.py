"""What a run tells while it goes on: lines now and then, and a text of any length within the width of a screen."""

from __future__ import annotations

import textwrap
import time
import unicodedata

from minilstm.layers.losses import bits, perplexity
from minilstm.training.loop import Callback, StepRecord, Training

WIDTH = 78


def is_shown(epoch: int) -> bool:
    """Whether an epoch is shown and sampled from: the first 25, then every tenth, since short texts take many."""
    return epoch <= 25 or epoch % 10 == 0


def in_other_units(nats: float, characters: float = 1.0) -> str:
    """A mean loss in nats a token as bits a character, of which a token stands for so many on average, and as perplexity.

    Where words are unknown, bits a character are too few: such a word is one guess, but counts with all its letters.

    >>> in_other_units(2.0, characters=1.0)
    '2.885 bits a character, perplexity 7.389'
    """
    return f"{bits(nats) / characters:.3f} bits a character, perplexity {perplexity(nats):.4g}"


class Progress(Callback):
    """A line or two after each epoch that ``is_shown`` and at the end, and one now and then, or a bar if there is one.

    Now and then is every ``seconds`` seconds.

    ``floor`` in nats a token, if it is known; ``characters`` that a token stands for on average.
    """

    def __init__(
        self, steps_an_epoch: int, floor: float | None = None, characters: float = 1.0, seconds: float = 10.0, bar=None,
        show=print,
    ):  # fmt: skip
        self.steps_an_epoch, self.floor, self.characters = steps_an_epoch, floor, characters
        self.seconds, self.bar, self.show = seconds, bar, show
        self._shown_at = time.monotonic()

    def on_step(self, training: Training, record: StepRecord) -> None:
        if self.bar is not None:
            self.bar.set_description(f"epoch {record.epoch}, loss {record.loss:.3f}", refresh=False)
            self.bar.update(1)
        elif time.monotonic() - self._shown_at >= self.seconds and not record.epoch_ends:
            done = training.position or self.steps_an_epoch
            self.show(f"  epoch {record.epoch}, step {done:,} of {self.steps_an_epoch:,}: loss {record.loss:.3f}")
            self._shown_at = time.monotonic()

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        if is_shown(record.epoch):
            self._tell(training, f"epoch {record.epoch}")

    def on_end(self, training: Training) -> None:
        if self.bar is not None:
            self.bar.close()
        if training.stop is None and training.position:  # ended within an epoch
            self._tell(training, f"step {training.step:,}")
        elif training.stop is None and not is_shown(training.epoch):
            self._tell(training, f"epoch {training.epoch}")

    def _tell(self, training: Training, place: str) -> None:
        line = f"{place}: train {training.epoch_nats / training.epoch_tokens:.4f}"
        held_out = training.history[-1].valid_loss if training.history else None
        if held_out is not None:
            line += f", held out {held_out:.4f}"
            if self.floor is not None:
                line += f", floor {self.floor:.4f}, gap {held_out - self.floor:.4f}"
            line += f"\n  held out: {in_other_units(held_out, self.characters)}"
        self.show(line)
        self._shown_at = time.monotonic()


def as_item(text: str, width: int = WIDTH) -> str:
    """A text as an item of a list: its own lines are indented by four, what had to be wrapped by six.

    >>> print(as_item("To be, or not to be,\\nthat is the question", width=20))
      - To be, or not to
          be,
        that is the
          question
    """
    shown = "".join(symbol if symbol.isprintable() or symbol == "\n" else repr(symbol)[1:-1] for symbol in text)
    if any(unicodedata.east_asian_width(symbol) in "WF" for symbol in shown):
        width //= 2  # such symbols are two columns wide
    lines = [
        textwrap.wrap(line, width, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False) or ["    "]
        for line in shown.split("\n")
    ]
    return "  - " + "\n".join(line for wrapped in lines for line in wrapped)[4:]
