"""Sentences of a diagnosis: what a part is, what belongs there, and where to look.

A part is named by its output and, behind a comma, its gate: ``dWx, forget gate``; or by
its output and a step: ``dx[2]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from minilstm.verify.diagnose.diagnosis import RAISES, Finding, Parts, listed
from minilstm.verify.diagnose.explain import Explained, ratio, same

LOOK = {  # where to look for an unknown mistake in a part
    "c": "Look at equations (1) to (4).",
    "h": "Look at equations (5) and (6).",
    "dh": "What follows is right for this dh. Look at what dh is before equation (6)"
    " uses it.",
    "dc": "What follows is right for this dc. Look where it is made: equation (6).",
    "dc_prev": "Look where dc_prev is made of dc: equation (4).",
    "dz, input gate": "Look where dzi is made of dc: equations (4) and (2).",
    "dz, forget gate": "Look where dzf is made of dc: equations (4) and (1).",
    "dz, candidate": "Look where dzg is made of dc: equations (4) and (3).",
    "dz, output gate": "Look where dzo is made of dh: equations (6) and (5).",
    "da, reset gate": "Look where dar is made of dan: equations (4) and (1).",
    "da, update gate": "Look where daz is made of dh: equations (5) and (2).",
    "da, candidate": "Look where dan is made of dh: equations (5) and (4).",
    "dq": "Look where dq is made of dan: equation (4).",
    "da": "Look where da is made of dh: equation (1).",
}
MADE_OF_DA = ("dx", "dh_prev", "dWx", "dWh", "db", "dbx", "dbh")


def output_of(part: str) -> str:
    """The output that a part belongs to, without gate and step."""
    return part.partition(", ")[0].partition("[")[0]


def outputs_of(parts: Iterable[str]) -> list[str]:
    """The outputs that some parts belong to, each once."""
    return list(dict.fromkeys(map(output_of, parts)))


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
        distance = np.nan_to_num(np.abs(yours - right), nan=np.inf)
    where = np.unravel_index(distance.argmax(), right.shape)
    entry = f"In {name}, entry {[int(k) for k in where]}" if where else name
    return f"{entry} is {yours[where]:.6g} where {right[where]:.6g} belongs."


def findings_of(
    explained: Explained, yours: list[Parts], right: list[Parts]
) -> list[Finding]:
    """The explanation as findings: one entry for a known mistake, three for others."""
    findings = []
    for mistake, parts in explained:
        if mistake:
            shown = next(iter(entries(parts, yours, right)), "")
            findings.append(Finding(mistake, tuple(parts), shown))
        else:
            shown, place = show(parts, yours, right), look(parts)
            findings.append(Finding(None, tuple(parts), shown, place))
    return findings


def show(parts: Sequence[str], yours: list[Parts], right: list[Parts]) -> str:
    """Up to three entries, and all that is a constant times what belongs there."""
    factors: dict[str, list[str]] = {}
    for name in parts:
        number = factor([name], yours, right)
        if number:
            factors.setdefault(number, []).append(name)
    constant = [
        f"All of {listed(names)} is {number} times what belongs there."
        for number, names in factors.items()
    ]
    all_constant = sum(map(len, factors.values())) == len(parts)
    examples = entries(parts, yours, right)[: 1 if all_constant else 3]
    return " ".join([*examples, *constant])


def entries(parts: Sequence[str], yours: list[Parts], right: list[Parts]) -> list[str]:
    """For each output, the first entry that shows the difference."""
    found: dict[str, str] = {}
    for mine, ours in zip(yours, right):
        if RAISES in mine:
            continue
        for name in parts:
            # an output that could not be split into gates has one part
            part = mine.get(name, mine.get(name.partition(", ")[0]))
            if name not in mine and name not in ours or same(part, ours.get(name)):
                continue
            output = output_of(name)
            if output in found:
                continue
            if "[" in name and name not in mine and output in mine:
                found[output] = (
                    f"{output} has the shape {mine[output].shape};"
                    " its first axis is not time."
                )
            else:
                found[output] = evidence(name, part, ours.get(name))
    return list(found.values())


def factor(parts: Iterable[str], yours: list[Parts], right: list[Parts]) -> str:
    """The number by which all of these parts are multiplied in every case, or ""."""
    numbers = {
        ratio(mine.get(name), ours.get(name)) or ""
        for mine, ours in zip(yours, right)
        for name in parts
        if name in mine or name in ours
    }
    return numbers.pop() if len(numbers) == 1 else ""


def look(parts: Sequence[str]) -> str:
    """Where to look, in the order of computing."""
    return " ".join(dict.fromkeys(LOOK[part] for part in parts if part in LOOK))


def not_made_of(da: str, parts: Sequence[str]) -> str:
    """Of a step whose dz, or da, is known: which outputs are not made of it."""
    outputs = [name for name in outputs_of(parts) if name in MADE_OF_DA]
    if not outputs:
        return ""
    if any(part.startswith(da) for part in parts):
        return f"Besides, {_are(outputs)} not made of this {da}."
    return f"{da} is right; look where {_are(outputs)} made of it."


def what_follows(wrong: Sequence[str], causes: Sequence[str]) -> str:
    """What is wrong for no other reason than the causes."""
    own = outputs_of(causes)
    names = [name for name in outputs_of(wrong) if name not in own]
    if not names or not {"dh", "dc", "dz", "da", "dq"} & set(own):
        return ""
    return f"What else is wrong follows from it: {', '.join(names)}."


def _are(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"
