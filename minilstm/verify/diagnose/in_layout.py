"""The diagnosis of functions in the shapes of a course, in its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from minilstm.errors import InputError
from minilstm.verify.cells import CELLS
from minilstm.verify.diagnose.diagnosis import Diagnosis, Finding
from minilstm.verify.diagnose.examine import examine
from minilstm.verify.diagnose.locate import Locate, in_a_step, in_time, plainly
from minilstm.verify.diagnose.mistakes_in_summed_loss import (
    SUMMED_LOSS,
    summed_loss_with,
)
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.trials import (
    loss_trial,
    sequence_backward_trial,
    sequence_trial,
    step_backward_trial,
    step_trial,
)
from minilstm.verify.layouts.adapted import Adapted, adapted_loss, only_what_it_has
from minilstm.verify.layouts.layout import SEQUENCE, CellLayout
from minilstm.verify.layouts.lines import line_that_makes
from minilstm.verify.layouts.recognize import advice, as_ours, of_another_layout
from minilstm.verify.layouts.words import Words


def diagnose_in_layout(
    layout: CellLayout,
    kind: str,
    my_forward: Callable | None,
    my_backward: Callable | None,
    seed: int,
) -> Diagnosis:
    """The diagnosis of functions of another layout, forward first, in its words."""
    code = Adapted(layout, kind)
    if my_forward is None:
        raise InputError(
            f"hand in your own forward {kind} as the second argument: what its cache"
            " has is known to your code alone"
        )
    trial, backward_trial, locate = step_trial, step_backward_trial, in_a_step
    if kind == SEQUENCE:
        trial, backward_trial = sequence_trial, sequence_backward_trial
        locate = in_time
    forward, cell = code.forward(my_forward), CELLS[layout.cell]
    found = examine(only_what_it_has(trial(seed, cell), code, kind), forward)
    if not found.right or my_backward is None:
        return in_words(found, Words(layout, kind), my_forward)
    of_backward = only_what_it_has(
        backward_trial(seed, forward, cell), code, f"{kind}_backward"
    )
    for bias in code.choices:
        found = examine(of_backward, code.backward(my_backward, bias), locate)
        if not found.right:
            break
    return in_words(found, Words(layout, kind, bias), my_backward)


def diagnose_loss_in_layout(
    layout: CellLayout, my_loss: Callable, seed: int
) -> Diagnosis:
    """The diagnosis of a loss, which may be a mean over tokens or over sequences."""
    trial = loss_trial(seed)
    if layout.loss_over == "sequences":
        trial = replace(
            trial,
            title="loss per sequence",
            catalogue=SUMMED_LOSS,
            build=summed_loss_with,
        )
    names = ", ".join(layout.signature("loss").argument_names)
    trial = replace(trial, call=f"({names})")
    found = examine(trial, adapted_loss(layout, my_loss))
    return in_words(found, Words(layout, "loss"), my_loss)


def examine_ours(
    trial: Trial, function: Callable, locate: Locate = plainly
) -> Diagnosis:
    """The diagnosis of a function that should be as ours; or advice which layout fits."""
    found = examine(trial, as_ours(function), locate)
    known = of_another_layout(function)
    if found.right or known is None:
        return found
    note = advice(known)
    return replace(found, notes=(*found.notes, f"{note[0].upper()}{note[1:]}."))


def in_words(found: Diagnosis, words: Words, function: Callable) -> Diagnosis:
    """The diagnosis in the learner's words, with lines of the learner's function."""
    findings = []
    for finding in found.findings:
        line = _line(finding, words, function)
        place = f"{finding.place}\nYour {line}" if line else finding.place
        findings.append(replace(finding, place=place.strip()))
    legend = words.legend(found.text)
    notes = (*found.notes, legend) if legend else found.notes
    return replace(found, findings=tuple(findings), notes=notes, words=words)


def _line(finding: Finding, words: Words, function: Callable) -> str:
    """The learner's line that is meant, if all parts of a finding are one array.

    What a forward pass returns depends on all of its lines. Only a known mistake shows
    that it is made in the last one.
    """
    if finding.heading or not finding.parts:
        return ""
    first, mistake = finding.parts[0], finding.mistake
    if first[0] in "hc" and not (mistake and mistake.right.startswith(f"{first} = ")):
        return ""
    made = words.array_of(finding.parts)
    return line_that_makes(function, made) if made else ""
