"""What a gradient check found, and how it looks in a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterCheck:
    """One parameter's gradient beside its numerical derivatives.

    It prints as the sentence about its worst entry.
    """

    name: str
    shape: tuple[int, ...]
    absolute: float  # largest absolute error
    relative: float  # largest relative error
    # the entry of that relative error; None where only directions were compared
    where: tuple[int, ...] | None
    yours: float  # the gradient under test there
    derivative: float  # the numerical derivative there
    # "ok"; "WRONG"; "zero": nothing to compare; "unsure": too small for this method;
    # or "kink"
    verdict: str
    title: str  # of the method
    wrong_entries: int  # how many entries are wrong; 0 if that was not counted
    dead: bool  # whether the loss does not depend on this parameter
    loss: float
    floor: float = 0.0  # the denominator floor, see ``GradientCheck.legend``
    # entries with a kink, at which the gradient is one of the subgradients
    kinks: int = 0
    kink: str = ""  # the sentence about the first of them, or about the entry ``where``

    @property
    def place(self) -> str:
        """The entry as Python would index it."""
        return "" if self.where is None else str(list(self.where))

    def __str__(self) -> str:
        if self.verdict == "ok":
            return f"{self.name}: right" + (f"; {self.kink}" if self.kink else "")
        if self.verdict == "kink":
            return f"{self.name}: {self.kink}"
        if self.verdict == "zero":
            return (
                f"{self.name}: gradient and derivative are zero in every entry, or too"
                " small to"
                f" be seen beside a loss of {self.loss:.6g};"
                " that proves nothing, choose other"
                " values"
            )
        if self.verdict == "unsure":
            return (
                f"{self.name}: its derivatives are too small beside a loss of"
                f" {self.loss:.6g} to"
                f" be checked by {self.title} to this tolerance;"
                " subtract constants from the"
                ' loss, use method="complex", or a larger tolerance'
            )
        sentence = (
            f"{self.name}{self.place}: your gradient is {self.yours:.12g},"
            f" the derivative by {self.title} {self.derivative:.12g}"
        )
        if self.wrong_entries > 1:
            sentence += f" ({self.wrong_entries} wrong entries)"
        if self.dead:
            sentence += (
                "; the loss does not depend on it at all: does your function read it"
                " from its argument?"
            )
        if self.kink:
            sentence += f"; {self.kink}"
        return sentence


@dataclass(frozen=True)
class GradientCheck:
    """One row for each parameter. True if every gradient is right; prints as a table.

    ``problems`` are sentences about what is wrong besides single gradients, ``notes``
    about what is good to know.
    """

    title: str
    tolerance: float
    loss: float
    evaluations: int
    rows: tuple[ParameterCheck, ...]
    hint: str = ""  # what to do if a gradient is wrong
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    smallest_floor: float = 0.0  # of the denominators, by the rounding of the loss

    @property
    def passed(self) -> bool:
        """Whether every parameter was tested and is right, and all else, too."""
        return all(row.verdict == "ok" for row in self.rows) and not self.problems

    @property
    def wrong(self) -> tuple[ParameterCheck, ...]:
        """The rows whose gradient is wrong."""
        return tuple(row for row in self.rows if row.verdict == "WRONG")

    @property
    def legend(self) -> str:
        """What the numbers of the table are."""
        hidden = (
            f", or {self.smallest_floor:.4g} if that is more, since rounding of the"
            " loss hides what is smaller"
        )
        along = (
            " (gradient and derivative along random directions)"
            if self.title == "random projections"
            else ""
        )
        return (
            "relative error: |gradient - derivative| / max(|gradient|, |derivative|,"
            " floor),"
            f' at the entry "where"{along}; derivative: the numerical derivative;'
            " floor: the"
            " denominator floor, max(|derivative|) / 100, a hundredth of the"
            " parameter's"
            f" largest derivative{hidden if self.smallest_floor else ''}"
        )

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        name_width = max(12, *(len(row.name) for row in self.rows))
        shape_width = max(9, *(len(_shape(row.shape)) for row in self.rows))
        place_width = max(5, *(len(row.place) for row in self.rows))
        lines = [
            f"{'parameter':<{name_width}}  {'shape':<{shape_width}}  {'absolute':>8} "
            f" {'relative':>8}"
            f"  {'where':<{place_width}}  verdict"
        ]
        for row in self.rows:
            lines.append(
                f"{row.name:<{name_width}}  {_shape(row.shape):<{shape_width}} "
                f" {row.absolute:>8.1e}  {row.relative:>8.1e}"
                f"  {row.place:<{place_width}}  {row.verdict}"
            )
        good = sum(row.verdict == "ok" for row in self.rows)
        lines.append(
            f"{self.title}, {self.evaluations:,} evaluations of a loss of"
            f" {self.loss:.6g};"
        )
        lines.append(
            f"{good} of {len(self.rows)} gradients are right to a relative error of"
            f" {self.tolerance:.0e}"
        )
        lines += _wrap(self.legend, "")
        sentences = [str(row) for row in self.rows if row.verdict != "ok" or row.kinks]
        for sentence in (*self.problems, *sentences, *self.notes):
            lines += _wrap(sentence)
        if self.hint and self.wrong:
            lines += _wrap(self.hint, "")
        return "\n".join(lines)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "number"


def _wrap(text: str, indent: str = "   ") -> list[str]:
    return textwrap.wrap(text, 80, subsequent_indent=indent, break_on_hyphens=False)
