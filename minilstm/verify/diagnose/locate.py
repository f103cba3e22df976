"""When no known mistake explains all: which parts are known, and where the rest begins.

Places are reported in the order of computing. What follows from one place is no finding
of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from minilstm.reference.lstm import lstm_step_backward
from minilstm.verify.diagnose.causes import finite, own_parts
from minilstm.verify.diagnose.diagnosis import RAISES, Finding, Parts, evidence, listed
from minilstm.verify.diagnose.explain import (
    Explained,
    agree,
    differences,
    exactly,
    partly,
    ratio,
    same,
)
from minilstm.verify.diagnose.through_time import (
    ARRIVES,
    as_step,
    as_step_backward,
    of_two_steps,
)
from minilstm.verify.diagnose.trials import Trial, step_backward_trial

Locate = Callable[[Trial, Callable, list[Parts], list[Parts]], list[Finding]]
MADE_BY = {
    "c": "Look at equations (1) to (4).",
    "h": "Look at equations (5) and (6).",
    "dh": "What follows is right for this dh. Look at what dh is before equation (6) uses it.",
    "dc": "What follows is right for this dc. Look where it is made: equation (6).",
    "dc_prev": "Look where dc_prev is made of dc: equation (4).",
    "dz, input gate": "Look where dzi is made of dc: equations (4) and (2).",
    "dz, forget gate": "Look where dzf is made of dc: equations (4) and (1).",
    "dz, candidate": "Look where dzg is made of dc: equations (4) and (3).",
    "dz, output gate": "Look where dzo is made of dh: equations (6) and (5).",
}
OUTPUTS = ("dx", "dh_prev", "dWx", "dWh", "db")
NO_DZ = (
    "No three of dx, dh_prev, dWx, dWh and db are made of one and the same dz;"
    " look at these lines first."
)
HANDED_ON = {"dh_prev", "dc_prev"}  # what a step hands to the one before
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
STATES = {
    "dh[0]": "It is right for T = 1 where dh[0] is zero: look where dh[t] is read.",
    "dhT": "It is right for T = 1 where dhT is zero: look where dhT is read.",
    "dcT": "It is right for T = 1 where dcT is zero: look where dcT is read, and what becomes of dc_next in a step.",
}


def plainly(
    trial: Trial, function: Callable, yours: list[Parts], right: list[Parts]
) -> list[Finding]:
    """Known mistakes in some parts, if it runs in all cases; of the rest which parts they are."""
    known = {} if any(RAISES in parts for parts in yours) else trial.known()
    return findings_of(partly(yours, right, known), yours, right)


def in_a_step(
    trial: Trial, function: Callable, yours: list[Parts], right: list[Parts]
) -> list[Finding]:
    """The earliest causes within a backward step."""
    if _factor(list(right[0]), yours, right):
        return _one_factor(yours, right)
    inside = lambda results: [
        own_parts(parts, case) for parts, case in zip(results, trial.cases)
    ]
    own = inside(yours)
    if not all("dz, candidate" in parts for parts in own):
        comparable = all(
            finite(mine.get(name), ours[name])
            for mine, ours in zip(yours, right)
            for name in ours
        )
        hint = (
            ""
            if any(RAISES in parts for parts in yours)
            else NO_DZ
            if comparable
            else FORM_FIRST
        )
        return [
            replace(finding, place=finding.place or hint)
            for finding in plainly(trial, function, yours, right)
        ]
    own_right = inside(right)
    findings = findings_of(
        partly(own, own_right, trial.known(own_parts)), own, own_right
    )
    findings = [
        f
        if f.mistake
        else replace(f, place=f"{f.place} {_made_of_dz(f.parts)}".strip())
        for f in findings
    ]
    follow = _follow(differences(yours, right), differences(own, own_right))
    if follow and len(findings) == 1:
        findings = [
            replace(findings[0], place=f"{findings[0].place}\n{follow}".strip())
        ]
    return findings


def in_time(
    trial: Trial, function: Callable, yours: list[Parts], right: list[Parts]
) -> list[Finding]:
    """By sequences of one step, then of two, then of more."""
    longest: Parts = max(right, key=lambda parts: len(parts))
    if _factor([*longest], yours, right):
        return _one_factor(yours, right)
    # dx is whole where its first axis is not time
    if any(RAISES in parts or "dx" in parts for parts in yours):
        return plainly(trial, function, yours, right)
    one_step = step_backward_trial(trial.seed, as_step(trial.your_forward))
    if not trial.catalogue:
        one_step = replace(one_step, catalogue=())
    through_h = as_step_backward(function)
    through_state = as_step_backward(function, dh_is_final=True)
    of_step = one_step.yours(through_h)
    of_state = one_step.yours(through_state)
    right_of_step = list(one_step.ours())
    if differences(of_step, right_of_step):
        # then it is no step that goes wrong, but what goes into one or comes out
        if not agree(of_state, of_step):
            one_step = replace(one_step, catalogue=())
        findings = _of_one_step(one_step, through_h, of_step, right_of_step)
        if not _in_every_step(trial, findings, yours):
            findings = _of_one_step(
                replace(one_step, catalogue=()), through_h, of_step, right_of_step
            )
        kept = lambda finding: KEPT if set(finding.parts) <= HANDED_ON else ""
        places = [f"{finding.place} {kept(finding)}".strip() for finding in findings]
        if agree(of_state, right_of_step):
            places = [STATES["dh[0]"]] * len(findings)
        elif _right_without_dc(one_step, through_h):
            places = [STATES["dcT"]] * len(findings)
        elif not agree(of_state, of_step):
            places = [f"{place} {NOT_ADDED}".strip() for place in places]
        details = [
            replace(f, evidence=f"{IN_THE_STEP}\n{f.evidence}", place=place)
            for f, place in zip(findings, places)
        ]
        more = MORE_IN_TIME if all(finding.mistake for finding in details) else ""
        return [
            replace(details[0], place=f"{details[0].place}\n{more}".strip()),
            *details[1:],
        ]
    wrong = differences(of_state, right_of_step)
    if wrong:
        return [
            Finding(
                None,
                tuple(wrong),
                _shown(wrong, of_state, right_of_step),
                STATES["dhT"],
            )
        ]
    return _between_steps(trial, function, yours, right)


def _of_one_step(
    one_step: Trial, function: Callable, yours: list[Parts], right: list[Parts]
) -> list[Finding]:
    explained = exactly(yours, right, one_step.known(), one_step.ours)
    if explained:
        return findings_of(explained, yours, right)
    return in_a_step(one_step, function, yours, right)


def _in_every_step(trial: Trial, findings: list[Finding], yours: list[Parts]) -> bool:
    """Whether what has a name for T = 1 may have it in longer sequences: their last step is as with that mistake.

    Of what is handed on, the last step shows nothing. That is left to sequences of two.
    """
    made = [finding.mistake for finding in findings if finding.mistake]
    if any(finding.mistake and set(finding.parts) <= HANDED_ON for finding in findings):
        return False
    last_step = lambda results: [dict([next(iter(parts.items()))]) for parts in results]
    return (
        len(made) != 1
        or len(findings) != 1
        or agree(last_step(yours), last_step(trial.ours(made)))
    )


def _between_steps(
    trial: Trial, function: Callable, yours: list[Parts], right: list[Parts]
) -> list[Finding]:
    """A single step is right, more are not."""
    findings = plainly(trial, function, yours, right)
    known = [f for f in findings if f.mistake]
    unknown = [f for f in findings if not f.mistake]
    left = tuple(part for finding in unknown for part in finding.parts)
    outputs = {_output(part) for finding in known for part in finding.parts}
    of_two, right_of_two = of_two_steps(trial, function)
    wrong = [
        name
        for name in differences(of_two, right_of_two)
        if _output(name) not in outputs
    ]
    if wrong:
        first = "T = 1 is right. For T = 2: " + _shown(wrong, of_two, right_of_two)
        return [*known, Finding(None, left, first, _where_of_two(wrong))]
    lengths = [
        T
        for T in range(2, 9)
        if not agree(
            trial.yours(function, sizes=[(T, 2, 3, 4)]), trial.right([(T, 2, 3, 4)])
        )
    ]
    if of_two and lengths and lengths[0] > 2:
        place = (
            f"Sequences of up to {lengths[0] - 1} steps are right;"
            f" {lengths[0]} are not (B, D, H = 2, 3, 4)."
        )
        return [*known, *(replace(finding, place=place) for finding in unknown)]
    return findings


def _where_of_two(wrong: Sequence[str]) -> str:
    first = wrong[0]
    if "step 1" in first and first not in ARRIVES:
        return ("T = 1 is right, and yet the last of two steps is not: is what it uses, dh[t] or caches[t] or a state, that"
                " of another step?")  # fmt: skip
    if ARRIVES[0] in wrong and ARRIVES[1] in wrong:
        return ("The last step is right. Step 0 is not: either it gets both recurrent gradients wrong, or its numbers"
                " (caches[0]) are not its own.")  # fmt: skip
    if first in ARRIVES:
        name = first.partition(",")[0]
        return (
            f"The last step is right, and so is step 0 but for the {name} that it gets:"
            " look where it is kept and read."
        )
    if first.startswith("dz of step 0"):
        gates = ", ".join(
            dict.fromkeys(
                name.partition(", ")[2]
                for name in wrong
                if name.startswith("dz of step 0")
            )
        )
        return (f"The last step is right, and step 0 gets the right dh and dc. Wrong is what it multiplies them by ({gates}):"
                " are the states and gates those of step 0, and c_prev its initial one?")  # fmt: skip
    names = ", ".join(dict.fromkeys(map(_output, wrong)))
    return (
        "The gradients dz of both steps are right; look where they are added up to"
        f" {names}."
    )


def _right_without_dc(trial: Trial, function: Callable) -> bool:
    without = lambda backward: lambda dh, dc, *rest: backward(dh, 0 * dc, *rest)
    ours = [trial.parts_of(without(lstm_step_backward), case) for case in trial.cases]
    return agree(trial.yours(without(function)), ours)


def findings_of(
    explained: Explained, yours: list[Parts], right: list[Parts]
) -> list[Finding]:
    """The explanation as findings."""
    return [
        Finding(
            mistake,
            tuple(parts),
            _shown(parts, yours, right, mistake is not None),
            "" if mistake else _places(parts),
        )
        for mistake, parts in explained
    ]


def _output(part: str) -> str:
    return part.partition(", ")[0].partition("[")[0]


def _places(parts: Sequence[str]) -> str:
    """Where to look, in the order of computing."""
    sentences = [
        MADE_BY[name]
        for part in parts
        for name in (part, part.partition(", ")[0])
        if name in MADE_BY
    ]
    return " ".join(dict.fromkeys(sentences))


def _made_of_dz(parts: Sequence[str]) -> str:
    """Of a step whose dz could be solved for: which outputs are not made of it."""
    outputs = [name for name in dict.fromkeys(map(_output, parts)) if name in OUTPUTS]
    if outputs and any(part.startswith("dz") for part in parts):
        return f"Besides, {_and(outputs)} not made of this dz."
    return f"dz is right; look where {_and(outputs)} made of it." if outputs else ""


def _and(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"


def _follow(wrong: Sequence[str], causes: Sequence[str]) -> str:
    """What is wrong for no other reason than the causes."""
    own = {_output(part) for part in causes}
    names = list(
        dict.fromkeys(_output(part) for part in wrong if _output(part) not in own)
    )
    if names and set(own) & {"dh", "dc", "dz"}:
        return f"What else is wrong follows from it: {', '.join(names)}."
    return ""


def _factor(parts: Sequence[str], yours: list[Parts], right: list[Parts]) -> str:
    """By which number all of these parts are multiplied, in every case, if it is one."""
    both = [
        (mine.get(name), ours.get(name))
        for mine, ours in zip(yours, right)
        for name in parts
        if {name} & {*mine, *ours}
    ]
    numbers = {ratio(mine, ours) or "" for mine, ours in both}
    return numbers.pop() if len(numbers) == 1 else ""


def _one_factor(yours: list[Parts], right: list[Parts]) -> list[Finding]:
    """All is wrong by the same factor, which need not have come in at any of the places where it shows."""
    return [
        replace(finding, place="")
        for finding in findings_of(partly(yours, right, {}), yours, right)
    ]


def _shown(
    parts: Sequence[str],
    yours: list[Parts],
    right: list[Parts],
    one_is_enough: bool = False,
) -> str:
    """The first entry that shows the difference; of an unknown mistake three, and all that is a constant times what belongs."""
    output_of = lambda name: name.partition(", ")[0]
    # an output that could not be cut into gates
    find = lambda results, name: results.get(name, results.get(output_of(name)))
    shown: dict[str, str] = {}  # the first of each output
    cases = [(mine, ours) for mine, ours in zip(yours, right) if RAISES not in mine]
    for mine, ours in cases:
        for name in parts:
            if {name} & {*mine, *ours} and not same(find(mine, name), ours.get(name)):
                # not one part for each step
                whole = (
                    mine.get(_output(name))
                    if name not in mine and "[" in name
                    else None
                )
                shape = (
                    f"{_output(name)} has the shape {whole.shape};"
                    " its first axis is not time."
                    if whole is not None
                    else ""
                )
                shown.setdefault(
                    _output(name),
                    shape or evidence(name, find(mine, name), ours.get(name)),
                )
    if one_is_enough:
        return next(iter(shown.values()), "")
    ratios: dict[str, list[str]] = {}
    for name in parts:
        number = _factor([name], yours, right)
        if number:
            ratios.setdefault(number, []).append(name)
    constant = [
        f"All of {listed(names)} is {number} times what belongs there."
        for number, names in ratios.items()
    ]
    # then one number is example enough
    explained = sum(map(len, ratios.values())) == len(parts)
    return " ".join([*list(shown.values())[: 1 if explained else 3], *constant])
