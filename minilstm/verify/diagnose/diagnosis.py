"""What ``diagnose`` found, in words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilstm.verify.diagnose.variant import Mistake

Parts = dict[str, Any]  # results, by name
RAISES = "raises"  # the part that holds what a function raised


@dataclass(frozen=True)
class Finding:
    """A mistake, or something wrong that is none of the known ones, and the parts in which it shows."""

    mistake: Mistake | None
    parts: tuple[str, ...]
    evidence: str
    place: str = ""  # where to look, in whole sentences
    heading: str = ""  # what an unknown mistake is called, if anything can be said

    def __str__(self) -> str:
        first = str(self.mistake) if self.mistake is not None else self.heading
        return "\n".join(line for line in (first, self.evidence, self.place) if line)


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a function. True if nothing is; prints as text of 80 columns."""

    title: str
    cases: int
    known: int  # mistakes that it was compared with
    findings: tuple[Finding, ...]
    wrong_parts: tuple[str, ...]
    remark: str = ""  # for sequences, from which step on; what it raises
    notes: tuple[str, ...] = ()  # what is good to know, and no mistake

    @property
    def right(self) -> bool:
        """Whether every part of every case equals ours."""
        return not self.findings

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes of the catalogue that were recognized."""
        return tuple(
            finding.mistake for finding in self.findings if finding.mistake is not None
        )

    def __bool__(self) -> bool:
        return self.right

    @property
    def text(self) -> str:
        """The same as when it is printed, in lines of any length."""
        if self.right:
            right = (
                f"Your {self.title} is right: it equals ours in {self.cases} random"
                " cases."
            )
            return "\n".join([right, *self.notes])
        parts = [part for part in self.wrong_parts if part != RAISES]
        lines = [
            f"Your {self.title} is wrong{' in ' if parts else ''}{listed(parts)}."
            f" {self.remark}".rstrip()
        ]
        named = [
            finding
            for finding in self.findings
            if finding.mistake is not None or finding.heading
        ]
        for number, finding in enumerate(named, start=1):
            first, *rest = str(finding).splitlines()
            lines += [f"{number}. {first}", *("   " + sentence for sentence in rest)]
        for finding in (finding for finding in self.findings if finding not in named):
            which = "What is left is" if named else "It is"
            lines.append(
                f"{which} none of the known ones ({self.known} mistakes were tried,"
                " alone and in pairs)."
            )
            lines += ["   " + sentence for sentence in str(finding).splitlines()]
        return "\n".join([*lines, *self.notes])

    def __str__(self) -> str:
        indent = lambda line: "   " if line[0] in " 123456789" else ""
        return "\n".join(
            part
            for line in self.text.splitlines()
            for part in _wrap(line, indent(line))
        )


def evidence(name: str, yours, right) -> str:
    """What a part is and what it should be, at the entry that is furthest from it."""
    if right is None:
        owner, _, changed = name.partition(", ")
        if changed:
            return f"Your function changes {owner}, which belongs to the caller."
        return f"{name} is not expected."
    if yours is None:
        return f"{name} is missing."
    if yours.shape != right.shape:
        return f"{name} has the shape {yours.shape} where {right.shape} belongs."
    if yours.dtype.kind not in "fiu":
        return f"{name} holds {yours.dtype}, not real numbers."
    with np.errstate(invalid="ignore"):
        where = np.unravel_index(
            np.nan_to_num(np.abs(yours - right), nan=np.inf).argmax(), right.shape
        )
    entry = f"In {name}, entry {[int(k) for k in where]}" if where else name
    return f"{entry} is {yours[where]:.6g} where {right[where]:.6g} belongs."


def listed(parts: Sequence[str]) -> str:
    """Parts as a reader would name them: the gates of one output together, and its time steps."""
    gates: dict[str, list[str]] = {}
    for part in parts:
        output, _, gate = part.partition(", ")
        gates.setdefault(output, []).append(gate)
    named = lambda few: (
        "" if "" in few else " (all gates)" if len(few) == 4 else f" ({', '.join(few)})"
    )
    names = [output + named(few) for output, few in gates.items()]
    steps = [name for name in names if name.endswith("]") and name[:2] in ("dx", "h[")]
    if len(steps) > 1:
        names = [
            f"{steps[0].partition('[')[0]} of several steps",
            *(name for name in names if name not in steps),
        ]
    return ", ".join(names)


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text.rstrip(),
        80,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
