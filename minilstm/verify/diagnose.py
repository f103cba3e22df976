"""Which mistake is it? Runs a function beside ours on random cases, and beside ours with each mistake of the catalogue in it.

If its results are those of a known mistake, it is that mistake: in every part of every case, to six digits and more. Two at
once are found by making both in our code. What nothing in the catalogue explains is said to be unknown, with the place where
it differs first, in the order in which a backward pass computes.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from minilstm.cells.lstm import lstm_step
from minilstm.verify.sequence import lstm_sequence
from minilstm.verify.trials import (
    RAISES,
    Parts,
    Trial,
    loss_trial,
    sequence_backward_trial,
    sequence_trial,
    step_backward_trial,
    step_trial,
)
from minilstm.verify.variant import Mistake

TOLERANCE = 1e-6  # relative to the largest entry of a part; a mistake changes digits long before these


@dataclass(frozen=True)
class Finding:
    """A mistake, or something wrong that is none of the known ones, and the parts in which it shows."""

    mistake: Mistake | None
    parts: tuple[str, ...]
    evidence: str  # one entry, with both values

    def __str__(self) -> str:
        if self.mistake is None:
            return f"none of the known ones\n{self.evidence}"
        lines = [self.mistake.name, self.mistake.sentence, self.mistake.why, self.evidence]
        return "\n".join(lines + ([f"Made before: {self.mistake.seen}."] if self.mistake.seen else []))


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a function. True if nothing is; prints as text of 80 columns."""

    title: str
    cases: int
    findings: tuple[Finding, ...]
    wrong_parts: tuple[str, ...]
    when: str = ""  # for sequences: from which step on

    @property
    def right(self) -> bool:
        """Whether every part of every case equals ours."""
        return not self.findings

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes of the catalogue that were recognized."""
        return tuple(finding.mistake for finding in self.findings if finding.mistake is not None)

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        if self.right:
            return f"Your {self.title} is right: all that it gives equals ours in {self.cases} random cases."
        lines = _wrap(f"Your {self.title} is wrong in {_list(self.wrong_parts)}. {self.when}", "")
        for number, finding in enumerate(self.findings, start=1):
            first, *rest = str(finding).splitlines()
            lines += _wrap(f"{number}. {first}", "   ")
            for sentence in rest:
                lines += _wrap("   " + sentence, "   ")
        return "\n".join(lines)


def diagnose(my_step_backward: Callable, my_step: Callable | None = None, *, seed: int = 0) -> Diagnosis:
    """What is wrong with one step of an LSTM taken backward, and which known mistake it is.

    Parameters
    ----------
    my_step_backward : (dh, dc, cache, Wx, Wh) to (dx, dh_prev, dc_prev, grads), as ``cells.lstm_step_backward``; grads are the
        gradients of Wx, Wh and b, in this order or by name.
    my_step : (x, h_prev, c_prev, Wx, Wh, b) to (h, c, cache), whose cache, of any form, ``my_step_backward`` gets. It is
        looked at first. Left out, the cache is that of ``cells.lstm_step``.
    seed : of the random cases.

    >>> from minilstm.cells import lstm_step_backward
    >>> diagnose(lstm_step_backward).right
    True
    """
    if my_step is not None:
        forward = examine(step_trial(seed), my_step)
        if not forward.right:
            return forward
    return examine(step_backward_trial(seed, my_step or lstm_step), my_step_backward)


def diagnose_sequence(my_backward: Callable, my_forward: Callable | None = None, *, seed: int = 0) -> Diagnosis:
    """What is wrong with backpropagation through time, from which step on, and which known mistake it is.

    Parameters
    ----------
    my_backward : (dh, (dhT, dcT), caches, Wx, Wh) to (dx, (dh0, dc0), grads), as ``verify.sequence.lstm_sequence_backward``.
    my_forward : (x, (h0, c0), Wx, Wh, b) to (h, (hT, cT), caches), whose caches, of any form, ``my_backward`` gets. It is
        looked at first. Left out, there is one cache of ``cells.lstm_step`` for each step.
    seed : of the random cases.
    """
    if my_forward is not None:
        forward = examine(sequence_trial(seed), my_forward)
        if not forward.right:
            return forward
    return examine(sequence_backward_trial(seed, my_forward or lstm_sequence), my_backward)


def diagnose_step(my_step: Callable, *, seed: int = 0) -> Diagnosis:
    """What is wrong with one step forward: (x, h_prev, c_prev, Wx, Wh, b) to (h, c, cache)."""
    return examine(step_trial(seed), my_step)


def diagnose_loss(my_loss: Callable, *, seed: int = 0) -> Diagnosis:
    """What is wrong with a softmax cross-entropy and its gradient.

    ``my_loss`` : logits (T, B, V), targets (T, B), lengths (B,) to (loss, dlogits), the loss being the mean over real tokens.
    """
    return examine(loss_trial(seed), my_loss)


def examine(trial: Trial, function: Callable) -> Diagnosis:
    """Run the function through a trial, and explain what differs."""
    right, theirs = trial.ours(), trial.theirs(function)
    wrong = differences(theirs, right)
    findings = [_finding(mistake, parts, theirs, right) for mistake, parts in _explain(trial, theirs, right, wrong)]
    return Diagnosis(trial.title, len(trial.cases), tuple(findings), tuple(wrong), _when(theirs, right))


def differences(theirs: Sequence[Parts], right: Sequence[Parts]) -> list[str]:
    """Names of the parts that differ in some case, in the order of computation."""
    return list(dict.fromkeys(_differences(theirs, right)))


def agree(theirs: Sequence[Parts], right: Sequence[Parts]) -> bool:
    """Whether no part differs."""
    return next(_differences(theirs, right), None) is None


def _differences(theirs: Sequence[Parts], right: Sequence[Parts]) -> Iterator[str]:
    for mine, ours in zip(theirs, right):
        if RAISES in mine and RAISES in ours:
            continue
        if RAISES in mine or RAISES in ours:
            yield RAISES
            continue
        yield from (name for name in [*ours, *mine] if not _same(mine.get(name), ours.get(name)))


def _same(mine, ours) -> bool:
    if mine is None or ours is None:
        return mine is ours
    if mine.shape != ours.shape or mine.dtype.kind not in "fiu":
        return False
    if np.array_equal(mine, ours, equal_nan=ours.dtype.kind == "f"):
        return True
    with np.errstate(invalid="ignore"):
        return bool((np.abs(mine - ours) <= TOLERANCE * np.abs(ours).max(initial=0)).all())


def _explain(trial: Trial, theirs, right, wrong: list[str]) -> list[tuple[Mistake | None, list[str]]]:
    """Mistakes with the parts that each explains; None for what nothing explains."""
    if not wrong:
        return []
    results = {mistake: trial.ours([mistake]) for mistake in trial.catalogue}
    for mistake, result in results.items():
        if agree(theirs, result):
            return [(mistake, wrong)]
    footprints = {mistake: differences(result, right) for mistake, result in results.items()}
    together = _made_together(trial, theirs, wrong, results, footprints)
    if together:
        return [(mistake, footprints[mistake]) for mistake in together]
    found: list[tuple[Mistake | None, list[str]]] = []
    left = set(wrong)
    for mistake, footprint in sorted(footprints.items(), key=lambda pair: -len(pair[1])):
        if set(footprint) <= left and not set(footprint) & set(differences(theirs, results[mistake])):
            found.append((mistake, footprint))
            left -= set(footprint)
    return found + ([(None, [name for name in wrong if name in left])] if left else [])


def _made_together(trial: Trial, theirs, wrong, results, footprints) -> Sequence[Mistake]:
    """Several mistakes which, all made in our code at once, give exactly these results; empty if there are none."""
    seen_alone = [  # each is the only reason for some part
        mistake for mistake in footprints if set(footprints[mistake]) - set(differences(theirs, results[mistake]))
    ]
    sets = itertools.chain(
        itertools.combinations(footprints, 2), *(itertools.combinations(seen_alone[:20], size) for size in (3, 4))
    )
    for made in sets:
        if set().union(*(footprints[mistake] for mistake in made)) != set(wrong):
            continue
        try:
            if agree(theirs, trial.ours(made)):
                return made
        except ValueError:  # two mistakes about the same line
            continue
    return ()


def _finding(mistake: Mistake | None, parts: list[str], theirs, right) -> Finding:
    """With an entry of the first of its parts that shows the difference."""
    for mine, ours in zip(theirs, right):
        if RAISES in mine:
            continue
        for name in parts:
            if not _same(mine.get(name), ours.get(name)):
                return Finding(mistake, tuple(parts), _evidence(name, mine.get(name), ours.get(name)))
    raised = next((mine[RAISES] for mine in theirs if RAISES in mine), "")
    return Finding(mistake, tuple(parts), f"It raises {raised}.")


def _evidence(name: str, mine, ours) -> str:
    if ours is None:
        return f"{name}: it belongs to the caller." if name.endswith("place") else f"{name} is not expected."
    if mine is None:
        return f"{name} is missing."
    if mine.shape != ours.shape:
        return f"{name} has the shape {mine.shape} where {ours.shape} belongs."
    if mine.dtype.kind not in "fiu":
        return f"{name} holds {mine.dtype}, not real numbers."
    where = np.unravel_index(np.nan_to_num(np.abs(mine - ours), nan=np.inf).argmax(), ours.shape)
    index = str([int(k) for k in where]) if where else ""
    sentence = f"In {name}, entry {index} is {mine[where]:.6g} where {ours[where]:.6g} belongs." if index else (
        f"{name} is {mine:.6g} where {ours:.6g} belongs."
    )
    if not mine.any():
        return sentence + " All of it is zero."
    ratio = float(np.sum(mine * ours) / np.sum(ours * ours)) if ours.any() else 0.0
    if ours.size > 1 and _same(mine, ratio * ours):
        return sentence + f" All of it is {ratio:.4g} times what belongs there."
    return sentence


def _when(theirs: Sequence[Parts], right: Sequence[Parts]) -> str:
    """From which time step on the gradients of the inputs are wrong."""
    mine, ours = theirs[0], right[0]
    steps = [name for name in ours if name.startswith("dx[")]  # the last step first
    if RAISES in mine or not steps:
        return ""
    bad = [not _same(mine.get(name), ours[name]) for name in steps]
    if not any(bad):
        return "All steps are right; what is made of them is not."
    if bad[0]:
        return "It is wrong from the last step on, which is computed first."
    if bad[1]:
        return "It is right at the last step, wrong from the step before."
    return f"It is right down to step {len(steps) - bad.index(True)}, wrong at step {len(steps) - 1 - bad.index(True)}."


def _list(parts: Sequence[str]) -> str:
    """Parts as a reader would name them: the gates of one output together."""
    gates: dict[str, list[str]] = {}
    for part in parts:
        output, _, gate = part.partition(", ")
        gates.setdefault(output, []).append(gate)
    named = lambda few: "" if few == [""] else " (all gates)" if len(few) == 4 else f" ({', '.join(few)})"
    return ", ".join(output + named(few) for output, few in gates.items())


def _wrap(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text.rstrip(), 80, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
