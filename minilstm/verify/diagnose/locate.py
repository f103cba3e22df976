"""Where an unknown mistake begins: the earliest part that explains the others.

Places are reported in the order of computing. What follows from one place is no finding
of its own. A step is taken apart by ``causes.py``. A sequence is run with one step,
then two, then more, by ``through_time.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from minilstm.verify.diagnose.causes import finite, own_parts
from minilstm.verify.diagnose.diagnosis import RAISES, Finding, Parts
from minilstm.verify.diagnose.equations import EQUATIONS
from minilstm.verify.diagnose.explain import agree, differences, exactly, partly
from minilstm.verify.diagnose.search import in_words
from minilstm.verify.diagnose.search_in_time import in_words_of_steps
from minilstm.verify.diagnose.through_time import (
    as_step_backward,
    of_steps,
    one_step,
)
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.wording import (
    factor,
    findings_of,
    look,
    not_made_of,
    output_of,
    outputs_of,
    show,
    what_follows,
)

HANDED_ON = {"dh_prev", "dc_prev"}  # what a step hands to the one before
LONGEST = 8  # steps of a sequence that is tried
NUMBERS = {2: "two", 3: "three"}
STEPS_THAT_SHOW_ALL = 3  # the one between has states and gradients that are not zero
HANDED_ON_BY = "handed on by step"
NO_DZ = (
    "No three of dx, dh_prev, dWx, dWh and db are made of one and the same dz;"
    " look at these lines first."
)
FORM_FIRST = "Fix the shape, or what is NaN, first, and check again."
IN_THE_STEP = "A sequence of a single step (T = 1) is wrong already:"
MORE_IN_TIME = (
    "Fix the step first, and check again: with this mistake alone a longer sequence"
    " would give other numbers."
)
KEPT = (
    "Or it is computed rightly, and kept wrongly for the step before, as dh_next or"
    " dc_next."
)
NOT_ADDED = (
    "Where T = 1, dh[0] and dhT are added, so both have the same effect."
    " In yours they do not."
)
LOOK_FOR_DH = "It is right for T = 1 where dh[0] is zero: look where dh[t] is read."
LOOK_FOR_DHT = "It is right for T = 1 where dhT is zero: look where dhT is read."
LOOK_FOR_DCT = (
    "It is right for T = 1 where dcT is zero: look where dcT is read, and what becomes"
    " of dc_next in a step."
)


@dataclass(frozen=True)
class Tried:
    """A function that was run on a trial: its results, and those that belong there."""

    trial: Trial
    function: Callable
    yours: list[Parts]
    right: list[Parts]

    @property
    def raises(self) -> bool:
        """Whether it raised something in some case."""
        return any(RAISES in parts for parts in self.yours)

    def one_factor(self) -> bool:
        """Whether all of it is right but for one constant factor."""
        names = max(self.right, key=len)
        return factor(names, self.yours, self.right) != ""

    def without_catalogue(self) -> Tried:
        """The same, to look for places only."""
        return replace(self, trial=replace(self.trial, catalogue=()))


Locate = Callable[[Tried], list[Finding]]


def explain(tried: Tried, locate: Locate) -> list[Finding]:
    """Known mistakes that explain all; or what can be said of the place."""
    trial, yours, right = tried.trial, tried.yours, tried.right
    explained = exactly(yours, right, trial.known(), trial.ours)
    return findings_of(explained, yours, right) if explained else locate(tried)


def plainly(tried: Tried) -> list[Finding]:
    """Known mistakes in some parts, if it runs in all cases; then the other parts."""
    known = {} if tried.raises else tried.trial.known()
    explained = partly(tried.yours, tried.right, known)
    return findings_of(explained, tried.yours, tried.right)


def in_a_step(tried: Tried) -> list[Finding]:
    """The earliest causes within a backward step."""
    if tried.one_factor():
        return _one_factor(tried)
    trial = tried.trial
    own, own_right = (
        [
            own_parts(parts, case, trial.cell)
            for parts, case in zip(results, trial.cases)
        ]
        for results in (tried.yours, tried.right)
    )
    if not all("dh" in parts for parts in own):
        hint = _why_no_dz(tried)
        findings = plainly(tried)
        return [replace(found, place=found.place or hint) for found in findings]
    explained = partly(own, own_right, trial.known(own_parts))
    equations = EQUATIONS[trial.cell]
    findings = []
    for found in findings_of(explained, own, own_right):
        if not found.mistake:
            found = _with_place(found, not_made_of(equations.da, found.parts), " ")
            place = found.place.replace(
                "before equation (6)", f"before {equations.uses_dh}"
            )
            formula = in_words(found.parts, own, trial.cases, trial.cell)
            found = replace(found, formula=formula, place=place)
        findings.append(found)
    if len(findings) == 1:
        wrong = differences(tried.yours, tried.right)
        follows = what_follows(wrong, differences(own, own_right))
        return [_with_place(findings[0], follows, "\n")]
    return findings


def _why_no_dz(tried: Tried) -> str:
    """What to do where no dz could be solved for."""
    if tried.raises:
        return ""
    comparable = all(
        finite(mine.get(name), ours[name])
        for mine, ours in zip(tried.yours, tried.right)
        for name in ours
    )
    return NO_DZ if comparable else FORM_FIRST


def in_time(tried: Tried) -> list[Finding]:
    """By sequences of one step, then of two, then of more."""
    if tried.one_factor():
        return _one_factor(tried)
    # dx is not split into steps if its first axis is not time
    if tried.raises or any("dx" in parts for parts in tried.yours):
        return plainly(tried)
    trial = tried.trial
    if trial.lacks:  # with states of zeros, one step shows too little
        return _between_steps(tried)
    cell, function = trial.cell, tried.function
    step = one_step(trial)
    through_h = _try(step, as_step_backward(function, cell))
    through_state = _try(step, as_step_backward(function, cell, dh_is_final=True))
    if not agree(through_h.yours, through_h.right):
        return _in_one_step(tried, through_h, through_state)
    wrong = differences(through_state.yours, through_state.right)
    if wrong:
        shown = show(wrong, through_state.yours, through_state.right)
        return [Finding(None, tuple(wrong), shown, LOOK_FOR_DHT)]
    return _between_steps(tried)


def _in_one_step(tried: Tried, through_h: Tried, through_state: Tried) -> list[Finding]:
    """A sequence of one step is wrong, whose dh arrives as dh[0]."""
    if agree(through_state.yours, through_h.yours):
        findings = explain(through_h, in_a_step)
        if not _in_every_step(tried, findings):
            findings = explain(through_h.without_catalogue(), in_a_step)
    else:  # no step is wrong, but what goes into one or comes out
        findings = explain(through_h.without_catalogue(), in_a_step)
    if agree(through_state.yours, through_state.right):
        findings = [replace(found, place=LOOK_FOR_DH) for found in findings]
    elif _right_without_dc(through_h):
        findings = [replace(found, place=LOOK_FOR_DCT) for found in findings]
    else:
        findings = [
            _with_place(found, KEPT, " ") if set(found.parts) <= HANDED_ON else found
            for found in findings
        ]
        if not agree(through_state.yours, through_h.yours):
            findings = [_with_place(found, NOT_ADDED, " ") for found in findings]
    findings = [
        replace(found, evidence=f"{IN_THE_STEP}\n{found.evidence}")
        for found in findings
    ]
    if all(found.mistake for found in findings):
        findings[0] = _with_place(findings[0], MORE_IN_TIME, "\n")
    return findings


def _in_every_step(tried: Tried, findings: list[Finding]) -> bool:
    """Whether a known mistake for T = 1 may be that of longer sequences, too.

    If so, their last step is as with that mistake. Of what is handed on, the last step
    shows nothing. That is left to sequences of two.
    """
    made = [found.mistake for found in findings if found.mistake]
    if any(found.mistake and set(found.parts) <= HANDED_ON for found in findings):
        return False
    if len(made) != 1 or len(findings) != 1:
        return True
    last_step = lambda results: [dict([next(iter(parts.items()))]) for parts in results]
    return agree(last_step(tried.yours), last_step(tried.trial.ours(made)))


def _between_steps(tried: Tried) -> list[Finding]:
    """A single step is right, more are not; or a layout lacks the cell state of one."""
    findings = plainly(tried)
    known = [found for found in findings if found.mistake]
    unknown = [found for found in findings if not found.mistake]
    explained = outputs_of(part for found in known for part in found.parts)
    T = _shortest_wrong(tried)
    in_every_step = bool(tried.trial.lacks) and T <= STEPS_THAT_SHOW_ALL
    if T and in_every_step:
        T = STEPS_THAT_SHOW_ALL
    compared = of_steps(tried.trial, tried.function, T) if T else None
    differ = differences(compared.yours, compared.right) if compared else []
    wrong = tuple(name for name in differ if output_of(name) not in explained)
    if compared is None or not wrong:
        return findings
    left = tuple(part for found in unknown for part in found.parts)
    shown = f"For T = {T}: {show(wrong, compared.yours, compared.right)}"
    formula, where = in_words_of_steps(wrong, compared)
    place = _where_in_time(where, T)
    if in_every_step:
        place = look([re.sub(r" of step \d+", "", name) for name in where[:1]]) or place
    else:
        right_up_to = f"Sequences of up to {T - 1} steps are right; {T} are not."
        shown = f"{'T = 1 is right.' if T == 2 else right_up_to} {shown}"
    return [*known, Finding(None, left, shown, place, formula=formula, where=where)]


def _shortest_wrong(tried: Tried) -> int:
    """The length of the shortest sequence with a wrong part; 0 if none was found."""
    for T in range(1 if tried.trial.lacks else 2, LONGEST + 1):
        sizes = [(T, 2, 3, 4)]
        yours = tried.trial.yours(tried.function, sizes=sizes)
        if not agree(yours, tried.trial.right(sizes)):
            return T
    return 0


def _where_in_time(wrong: Sequence[str], T: int) -> str:
    """Where to look if a sequence of T steps is the shortest that is wrong."""
    first = wrong[0]
    step = re.search(r"step (\d+)", first)
    t = int(step[1]) if step else 0
    if HANDED_ON_BY in first:
        t -= 1
        of_step = [name for name in wrong if f"{HANDED_ON_BY} {t + 1}" in name]
        if len(of_step) == 2:
            return (
                f"The {_last(T)} right. Step {t} is not: either it gets both recurrent"
                f" gradients wrong, or its numbers (caches[{t}]) are not its own."
            )
        name = first.partition(",")[0]
        return (
            f"The {_last(T)} right, and so is step {t} but for the {name} that it gets:"
            " look where it is kept and read."
        )
    if step and t == T - 1:
        return (
            f"T = {T - 1} is right, and yet the last of {NUMBERS.get(T, T)} steps is"
            " not: is what it uses, dh[t] or caches[t] or a state, that of another"
            " step?"
        )
    if step:
        begin = first.partition(",")[0]
        of_step = [name for name in wrong if name.startswith(begin)]
        gates = ", ".join(name.partition(", ")[2] for name in of_step)
        which = f" ({gates})" if gates else ""
        return (
            f"The {_last(T)} right, and step {t} gets the right gradients. Wrong is"
            f" what it multiplies them by{which}: are the states and gates those of"
            f" step {t}, and the state before it that of the step before?"
        )
    return (
        f"The gradients dz of {'both' if T == 2 else 'all'} steps are right; look where they are added up to"
        f" {', '.join(outputs_of(wrong))}."
    )


def _last(T: int) -> str:
    return "last step is" if T == 2 else "steps after it are"


def _right_without_dc(tried: Tried) -> bool:
    """Whether it is right where dc is zero."""
    trial = tried.trial
    if "dc" not in trial.linear_in:
        return False
    without = lambda backward: lambda dh, dc, *rest: backward(dh, 0 * dc, *rest)
    ours = without(trial.cell.step_backward)
    right = [trial.parts_of(ours, case) for case in trial.cases]
    return agree(trial.yours(without(tried.function)), right)


def _one_factor(tried: Tried) -> list[Finding]:
    """All is wrong by one factor, which may have come in anywhere."""
    findings = findings_of(
        partly(tried.yours, tried.right, {}), tried.yours, tried.right
    )
    return [replace(found, place="") for found in findings]


def _try(trial: Trial, function: Callable) -> Tried:
    return Tried(trial, function, trial.yours(function), list(trial.ours()))


def _with_place(found: Finding, sentence: str, between: str) -> Finding:
    """The finding with one more sentence about the place."""
    return replace(found, place=f"{found.place}{between}{sentence}".strip())
