"""What a gradient check found, and how it looks in a terminal of 80 columns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterCheck:
    """The comparison of one parameter's gradient with its slopes; prints as the sentence about its worst entry."""

    name: str
    shape: tuple[int, ...]
    absolute: float  # largest absolute error
    relative: float  # largest relative error
    where: tuple[int, ...] | None  # the entry of that relative error; None where only directions were compared
    ours: float  # the gradient under test there
    theirs: float  # the slope there
    verdict: str  # "ok", "WRONG", or "zero": nothing to compare
    title: str  # of the method
    wrong_entries: int = 0  # how many entries are wrong
    dead: bool = False  # whether the loss does not feel this parameter at all

    @property
    def place(self) -> str:
        """The entry as Python would index it."""
        return "" if self.where is None else str(list(self.where))

    def __str__(self) -> str:
        if self.verdict == "zero":
            return f"{self.name}: gradient and slope are zero in every entry, which proves nothing; choose other values"
        sentence = f"{self.name}{self.place}: your gradient is {self.ours:.12g}, the slope by {self.title} {self.theirs:.12g}"
        if self.wrong_entries > 1:
            sentence += f" ({self.wrong_entries} wrong entries)"
        if self.dead:
            sentence += "; the loss does not move with it at all: does your function read it from its argument?"
        return sentence


@dataclass(frozen=True)
class GradientCheck:
    """One row for each parameter. True if every gradient is right; prints as a table."""

    title: str
    tolerance: float
    loss: float
    evaluations: int
    rows: tuple[ParameterCheck, ...]

    @property
    def passed(self) -> bool:
        """Whether every parameter was tested and found right."""
        return all(row.verdict == "ok" for row in self.rows)

    @property
    def wrong(self) -> tuple[ParameterCheck, ...]:
        """The rows whose gradient is wrong."""
        return tuple(row for row in self.rows if row.verdict == "WRONG")

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        name_width = max(12, *(len(row.name) for row in self.rows))
        shape_width = max(9, *(len(_shape(row.shape)) for row in self.rows))
        place_width = max(5, *(len(row.place) for row in self.rows))
        lines = [
            f"{'parameter':<{name_width}}  {'shape':<{shape_width}}  {'absolute':>8}  {'relative':>8}"
            f"  {'where':<{place_width}}  verdict"
        ]
        for row in self.rows:
            lines.append(
                f"{row.name:<{name_width}}  {_shape(row.shape):<{shape_width}}  {row.absolute:>8.1e}  {row.relative:>8.1e}"
                f"  {row.place:<{place_width}}  {row.verdict}"
            )
        good = sum(row.verdict == "ok" for row in self.rows)
        lines.append(f"{self.title}, {self.evaluations:,} evaluations of a loss of {self.loss:.6g};")
        lines.append(f"{good} of {len(self.rows)} gradients are right to a relative error of {self.tolerance:.0e}")
        lines += [str(row) for row in self.rows if row.verdict != "ok"]
        return "\n".join(lines)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "number"
