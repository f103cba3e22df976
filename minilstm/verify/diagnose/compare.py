"""Which mistake is it? Compares a function with ours, and with each known mistake in ours.

If its results are those of a known mistake, it is that mistake: in every part of every
random case, to six digits. Two mistakes at once are found by making both in our code.
What the catalogue does not explain is traced to the earliest place that explains it: in
a step to the equation (``causes.py``), in a sequence to a step, or to what a step
passes to the one before it (``through_time.py``). ``yours`` are the results of the
function under test, ``right`` are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from minilstm.reference.lstm import lstm_step
from minilstm.reference.sequence import lstm_sequence
from minilstm.verify.diagnose.diagnosis import (
    RAISES,
    Diagnosis,
    Finding,
    Parts,
    evidence,
    listed,
)
from minilstm.verify.diagnose.explain import (
    ALL_DIGITS,
    agree,
    differences,
    exactly,
    same,
)
from minilstm.verify.diagnose.linearity import not_linear
from minilstm.verify.diagnose.locate import (
    Locate,
    findings_of,
    in_a_step,
    in_time,
    plainly,
)
from minilstm.verify.diagnose.trials import (
    Trial,
    loss_trial,
    sequence_backward_trial,
    sequence_trial,
    step_backward_trial,
    step_trial,
)
from minilstm.verify.gradcheck.conduct import CHANGES_CACHE, CONSUMES_CACHE, KEEPS_SUMS

UNWRITTEN = "never written, or only added to"
LEFT_OVER = "np.empty and np.empty_like keep what was in memory before: use np.zeros."
ROUGH = (
    "It equals ours to six digits and no further: is something computed in float32, or"
    " by differences?"
)


def diagnose(
    my_step_backward: Callable, my_step: Callable | None = None, *, seed: int = 0
) -> Diagnosis:
    """Find out what is wrong with a backward step of an LSTM, and which known mistake it is.

    ``check_step`` finds out whether a backward step belongs to its own forward step;
    ``diagnose`` whether both are those of an LSTM.

    Parameters
    ----------
    my_step_backward : callable
        (dh, dc, cache, Wx, Wh) to (dx, dh_prev, dc_prev, grads), as
        ``reference.lstm_step_backward``. ``grads`` are the gradients of Wx, Wh and b,
        in this order or by name, in blocks i, f, g, o.
    my_step : callable, optional
        (x, h_prev, c_prev, Wx, Wh, b) to (h, c, cache). It is compared first, and
        ``my_step_backward`` gets its cache, of any form. Each backward step follows its
        own forward step, so an object may keep the cache, and ``my_step`` return None
        for it. Default: ``reference.lstm_step``.
    seed : int
        Of the random cases.

    Returns
    -------
    Diagnosis
        True if nothing is wrong. It prints as text.

    Raises
    ------
    InputError
        If a function does not return what it should in form.

    >>> from minilstm.reference import lstm_step_backward
    >>> diagnose(lstm_step_backward).right
    True
    """
    if my_step is not None:
        forward = examine(step_trial(seed), my_step)
        if not forward.right:
            return forward
    return examine(
        step_backward_trial(seed, my_step or lstm_step), my_step_backward, in_a_step
    )


def diagnose_sequence(
    my_backward: Callable, my_forward: Callable | None = None, *, seed: int = 0
) -> Diagnosis:
    """Find out what is wrong with backpropagation through time, and from which step on.

    Parameters
    ----------
    my_backward : callable
        (dh, (dhT, dcT), caches, Wx, Wh) to (dx, (dh0, dc0), grads), as
        ``reference.sequence.lstm_sequence_backward``; dh (T, B, H), dx (T, B, D).
    my_forward : callable, optional
        (x, (h0, c0), Wx, Wh, b) to (h, (hT, cT), caches). It is compared first, and
        ``my_backward`` gets its caches, of any form. Each backward pass follows its own
        forward pass; the caches may be used up, or kept on an object. Default: one
        cache of ``reference.lstm_step`` for each step.
    seed : int
        Of the random cases.

    Returns
    -------
    Diagnosis
        True if nothing is wrong. It prints as text.

    Raises
    ------
    InputError
        If a function does not return what it should in form.
    """
    if my_forward is not None:
        forward = examine(sequence_trial(seed), my_forward)
        if not forward.right:
            return forward
    return examine(
        sequence_backward_trial(seed, my_forward or lstm_sequence), my_backward, in_time
    )


def diagnose_step(my_step: Callable, *, seed: int = 0) -> Diagnosis:
    """Find out what is wrong with a forward step: (x, h_prev, c_prev, Wx, Wh, b) to (h, c, cache)."""
    return examine(step_trial(seed), my_step)


def diagnose_loss(my_loss: Callable, *, seed: int = 0) -> Diagnosis:
    """Find out what is wrong with a softmax cross-entropy and its gradient.

    ``my_loss`` : logits (T, B, V), targets (T, B), lengths (B,) to (loss, dlogits). The
    loss is the mean over the real tokens.
    """
    return examine(loss_trial(seed), my_loss)


def examine(trial: Trial, function: Callable, locate: Locate = plainly) -> Diagnosis:
    """Run the function through a trial, and explain what differs."""
    right, yours = trial.right(), trial.yours(function)
    wrong = differences(yours, right)
    bent, of_small = not_linear(trial, function, yours)
    if bent is None:
        findings = _findings(trial, function, yours, right, locate) if wrong else []
    elif bent.mistake is not None:
        findings = [bent]
    elif of_small:  # gradients are bounded; the small ones may have a mistake besides
        findings = [
            bent,
            *(
                _findings(trial, function, of_small, right, locate)
                if differences(of_small, right)
                else []
            ),
        ]
    else:
        place = [
            found.place
            for found in locate(replace(trial, catalogue=()), function, yours, right)
        ]
        findings = [
            replace(
                bent, place="\n".join(line for line in (bent.place, *place[:1]) if line)
            )
        ]
    unwritten = trial.never_written(function, yours)
    if unwritten:
        findings.append(
            Finding(
                None,
                tuple(unwritten),
                LEFT_OVER,
                heading=f"{listed(unwritten)}: {UNWRITTEN}",
            )
        )
    if not findings:
        findings = _at_other_sizes(trial, function) or _rough(yours, right)
    in_some = wrong or list(
        dict.fromkeys(part for finding in findings for part in finding.parts)
    )
    remark = f"{_when(in_some, yours, right)} {_raised(trial, function, yours)}".strip()
    cases = len(trial.sizes) + len(trial.more)
    notes = _notes_on_the_cache(trial, function)
    return Diagnosis(
        trial.title,
        cases,
        len(trial.catalogue),
        tuple(findings),
        tuple(in_some),
        remark,
        notes,
    )


def _findings(
    trial: Trial,
    function: Callable,
    yours: list[Parts],
    right: list[Parts],
    locate: Locate,
) -> list[Finding]:
    """Known mistakes that explain all; or what can be said of the place."""
    explained = exactly(yours, right, trial.known(), trial.ours)
    if explained:
        return findings_of(explained, yours, right)
    return locate(trial, function, yours, right)


def _notes_on_the_cache(trial: Trial, function: Callable) -> tuple[str, ...]:
    """The note of ``check_step`` on a backward pass that works in its cache, or uses it up; or on one that keeps sums."""
    if trial.forward is None:
        return ()
    # each after its own forward pass
    once, twice = (trial.yours(function, sizes=trial.sizes[-1:]) for _ in range(2))
    if not agree(twice, once):
        return (f"Your {KEEPS_SUMS}",)
    first, again = trial.second_call(function)
    if RAISES in first or agree([again], [first]):
        return ()
    return (CONSUMES_CACHE.format(again[RAISES]) if RAISES in again else CHANGES_CACHE,)


def _rough(yours: list[Parts], right: list[Parts]) -> list[Finding]:
    """Right to six digits, and not to nine."""
    wrong = differences(yours, right, ALL_DIGITS)
    return [Finding(None, tuple(wrong), ROUGH, heading="few digits")] if wrong else []


def _at_other_sizes(trial: Trial, function: Callable) -> list[Finding]:
    """What is right in all cases but those of unusual sizes."""
    for sizes, mine, ours in zip(
        trial.more, trial.yours(function, sizes=trial.more), trial.right(trial.more)
    ):
        wrong = differences([mine], [ours])
        if wrong:
            raises = mine.get(RAISES)
            details = (
                f"It raises {raises}."
                if raises
                else evidence(wrong[0], mine.get(wrong[0]), ours.get(wrong[0]))
            )
            heading = (
                f"right in {len(trial.sizes)} cases, but wrong at {trial.named(sizes)}"
            )
            return [Finding(None, tuple(wrong), details, heading=heading)]
    return []


def _when(wrong: Sequence[str], yours: Sequence[Parts], right: Sequence[Parts]) -> str:
    """From which time step on the gradients of the inputs are wrong; nothing if it is not the same in all cases."""
    if any(RAISES in mine for mine in yours):
        return ""
    bad = []  # for each case, step by step, the last one first
    for mine, ours in zip(yours, right):
        bad.append(
            [
                not same(mine.get(name), ours[name])
                for name in ours
                if name.startswith("dx[")
            ]
        )
    if not all(bad):
        return ""
    if not any(map(any, bad)):
        of_weights = all(name.startswith(("dWx", "dWh", "db")) for name in wrong)
        if wrong and of_weights:
            return (
                "All steps are right, but the sums over them for the weights are not."
            )
        return ""
    if all(map(all, bad)):
        return "It is wrong from the last step on, which is computed first."
    if all(not last and all(earlier) for last, *earlier in bad):
        return "It is right at the last step, wrong from the step before."
    longest = max(bad, key=len)
    if True not in longest:
        return ""
    T, first = len(longest), longest.index(True)
    if first == 0:
        return f"For T = {T}, it is wrong at step {T - 1}, which is computed first."
    return (
        f"For T = {T}, it is right down to step {T - first}, wrong at step"
        f" {T - 1 - first}."
    )


def _raised(trial: Trial, function: Callable, yours: Sequence[Parts]) -> str:
    """What it raises, and where: sizes are varied one at a time, from all equal."""
    raised = next((mine[RAISES] for mine in yours if RAISES in mine), None)
    if raised is None:
        return ""
    equal = (3,) * len(trial.letters)
    changed = lambda letters: tuple(
        2 if letter in letters else 3 for letter in trial.letters
    )
    if trial.raised(function, equal):
        if all(RAISES in mine for mine in yours):
            return f"It raises {raised}. It is called as {trial.call}."
        return f"It raises {raised}, at {trial.named(equal)} too."
    alone = [
        letter for letter in trial.letters if trial.raised(function, changed(letter))
    ]
    if len(alone) == 2 and not trial.raised(function, changed(alone)):
        return f"It raises {raised} where {alone[0]} and {alone[1]} differ."
    where = next(
        trial.named(sizes) for sizes, mine in zip(trial.sizes, yours) if RAISES in mine
    )
    if not alone:
        return f"It raises {raised} at {where}, and not at {trial.named(equal)}."
    return (
        f"It raises {raised} at {where}. It runs at {trial.named(equal)}, but not if"
        f" {' or '.join(alone)} alone becomes 2."
    )
