"""Where an unknown mistake begins: the earliest part that explains the others.

Places are reported in the order of computing. What follows from one place is no finding
of its own. A step is taken apart by ``causes.py``. A sequence is run with one step,
then two, then more, by ``through_time.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from minilstm.reference.lstm import lstm_step_backward
from minilstm.verify.diagnose.causes import finite, own_parts
from minilstm.verify.diagnose.diagnosis import RAISES, Finding, Parts
from minilstm.verify.diagnose.explain import agree, differences, exactly, partly
from minilstm.verify.diagnose.through_time import (
    ARRIVES,
    as_step,
    as_step_backward,
    of_two_steps,
)
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.trials import step_backward_trial
from minilstm.verify.diagnose.wording import (
    factor,
    findings_of,
    not_made_of_dz,
    output_of,
    outputs_of,
    show,
    what_follows,
)

HANDED_ON = {"dh_prev", "dc_prev"}  # what a step hands to the one before
LONGEST = 8  # steps of a sequence that is tried
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
        [own_parts(parts, case) for parts, case in zip(results, trial.cases)]
        for results in (tried.yours, tried.right)
    )
    if not all("dz, candidate" in parts for parts in own):
        hint = _why_no_dz(tried)
        findings = plainly(tried)
        return [replace(found, place=found.place or hint) for found in findings]
    explained = partly(own, own_right, trial.known(own_parts))
    findings = [
        found if found.mistake else _with_place(found, not_made_of_dz(found.parts), " ")
        for found in findings_of(explained, own, own_right)
    ]
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
    one_step = step_backward_trial(trial.seed, as_step(trial.your_forward))
    if not trial.catalogue:
        one_step = replace(one_step, catalogue=())
    through_h = _try(one_step, as_step_backward(tried.function))
    through_state = _try(one_step, as_step_backward(tried.function, dh_is_final=True))
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
    """A single step is right, more are not."""
    findings = plainly(tried)
    known = [found for found in findings if found.mistake]
    unknown = [found for found in findings if not found.mistake]
    explained = outputs_of(part for found in known for part in found.parts)
    two, right_two = of_two_steps(tried.trial, tried.function)
    wrong = [
        name for name in differences(two, right_two) if output_of(name) not in explained
    ]
    if wrong:
        left = tuple(part for found in unknown for part in found.parts)
        shown = "T = 1 is right. For T = 2: " + show(wrong, two, right_two)
        return [*known, Finding(None, left, shown, _where_of_two(wrong))]
    shortest = _shortest_wrong(tried)
    if two and shortest > 2:
        place = (
            f"Sequences of up to {shortest - 1} steps are right;"
            f" {shortest} are not (B, D, H = 2, 3, 4)."
        )
        return [*known, *(replace(found, place=place) for found in unknown)]
    return findings


def _shortest_wrong(tried: Tried) -> int:
    """The length of the shortest sequence with a wrong part; 0 if none was found."""
    for T in range(2, LONGEST + 1):
        sizes = [(T, 2, 3, 4)]
        yours = tried.trial.yours(tried.function, sizes=sizes)
        if not agree(yours, tried.trial.right(sizes)):
            return T
    return 0


def _where_of_two(wrong: Sequence[str]) -> str:
    """Where to look if a sequence of two is wrong, and one of one is right."""
    first = wrong[0]
    if "step 1" in first and first not in ARRIVES:
        return (
            "T = 1 is right, and yet the last of two steps is not: is what it uses,"
            " dh[t] or caches[t] or a state, that of another step?"
        )
    if ARRIVES[0] in wrong and ARRIVES[1] in wrong:
        return (
            "The last step is right. Step 0 is not: either it gets both recurrent"
            " gradients wrong, or its numbers (caches[0]) are not its own."
        )
    if first in ARRIVES:
        name = first.partition(",")[0]
        return (
            f"The last step is right, and so is step 0 but for the {name} that it gets:"
            " look where it is kept and read."
        )
    if first.startswith("dz of step 0"):
        of_step_0 = [name for name in wrong if name.startswith("dz of step 0")]
        gates = ", ".join(name.partition(", ")[2] for name in of_step_0)
        return (
            "The last step is right, and step 0 gets the right dh and dc. Wrong is what"
            f" it multiplies them by ({gates}): are the states and gates those of step"
            " 0, and c_prev its initial one?"
        )
    return (
        "The gradients dz of both steps are right; look where they are added up to"
        f" {', '.join(outputs_of(wrong))}."
    )


def _right_without_dc(tried: Tried) -> bool:
    """Whether it is right where dc is zero."""
    without = lambda backward: lambda dh, dc, *rest: backward(dh, 0 * dc, *rest)
    trial, ours = tried.trial, without(lstm_step_backward)
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
