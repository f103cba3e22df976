"""What ``diagnose`` found, and how it is printed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from minilstm.verify.diagnose.mistakes import MISTAKES
from minilstm.verify.diagnose.variant import Mistake

Parts = dict[str, Any]  # results, by name
RAISES = "raises"  # the part that holds what a function raised
CHANGED = ", changed in place"  # after the name of an argument
INDENT = "   "


@dataclass(frozen=True)
class Finding:
    """A known mistake, or an unknown one, and the parts in which it shows."""

    mistake: Mistake | None
    parts: tuple[str, ...]
    evidence: str
    place: str = ""  # where to look, in whole sentences
    heading: str = ""  # what an unknown mistake is called, if anything can be said
    where: tuple[str, ...] = ()  # quantities that it points to, if not the parts
    formula: str = ""  # what was computed in place of the right one

    def __str__(self) -> str:
        first = str(self.mistake) if self.mistake is not None else self.heading
        lines = first, self.formula, self.evidence, self.place
        return "\n".join(line for line in lines if line)

    @property
    def has_a_name(self) -> bool:
        """Whether it is a known mistake, or has a heading."""
        return self.mistake is not None or self.heading != ""


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a function. True if nothing is; prints in 80 columns."""

    title: str
    cases: int
    known: int  # mistakes that it was compared with
    findings: tuple[Finding, ...]
    wrong_parts: tuple[str, ...]
    remark: str = ""  # for sequences, from which step on; what it raises
    notes: tuple[str, ...] = ()  # what is good to know, and no mistake
    words: Callable[[str], str] = str  # from ours to those of the layout

    @property
    def right(self) -> bool:
        """Whether every part of every case equals ours."""
        return not self.findings

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes of the catalogue that were recognized."""
        return tuple(f.mistake for f in self.findings if f.mistake is not None)

    def __bool__(self) -> bool:
        return self.right

    @property
    def text(self) -> str:
        """The same as when it is printed, in lines of any length."""
        return "\n".join(map(self.words, [*self._lines(), *self.notes]))

    def _lines(self) -> Iterable[str]:
        if self.right:
            yield (
                f"Your {self.title} is right: it equals ours in {self.cases} random"
                " cases."
            )
            return
        parts = [part for part in self.wrong_parts if part != RAISES]
        where = f" in {listed(parts)}" if parts else ""
        yield f"Your {self.title} is wrong{where}. {self.remark}".rstrip()
        named = [finding for finding in self.findings if finding.has_a_name]
        for number, finding in enumerate(named, start=1):
            first, *rest = str(finding).splitlines()
            yield f"{number}. {first}"
            yield from (INDENT + line for line in rest)
        for finding in self.findings:
            if not finding.has_a_name:
                if all(part.endswith(CHANGED) for part in finding.parts):
                    yield str(finding)  # says all there is to know
                    continue
                which = "What is left is" if named else "It is"
                yield (
                    f"{which} none of the known ones: {self.known} of the"
                    f" {len(MISTAKES)} known mistakes were tried, alone and in pairs,"
                    f" those of a {self.title}."
                )
                yield from (INDENT + line for line in str(finding).splitlines())

    def __str__(self) -> str:
        return "\n".join(
            part for line in self.text.splitlines() for part in _wrapped(line)
        )


def listed(parts: Iterable[str]) -> str:
    """Parts as a reader would name them: gates of an output together, and steps."""
    gates: dict[str, list[str]] = {}
    for part in parts:
        output, _, gate = part.partition(", ")
        gates.setdefault(output, []).append(gate)
    names = [output + _gates(of_output) for output, of_output in gates.items()]
    steps = [name for name in names if name.endswith("]") and name[:2] in ("dx", "h[")]
    if len(steps) > 1:
        output = steps[0].partition("[")[0]
        others = (name for name in names if name not in steps)
        names = [f"{output} of several steps", *others]
    return ", ".join(names)


def _gates(gates: list[str]) -> str:
    """In brackets, the gates of one output that are meant; "" for an output itself."""
    if "" in gates:
        return ""
    return " (all gates)" if len(gates) == 4 else f" ({', '.join(gates)})"


def _wrapped(line: str) -> list[str]:
    """Lines of at most 80 columns; those of a list are indented."""
    return textwrap.wrap(
        line.rstrip(),
        80,
        subsequent_indent=INDENT if line[0] in " 123456789" else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
