"""A function under test on a trial: what differs, what explains it, what else to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from minilstm.verify.diagnose.diagnosis import RAISES, Diagnosis, Finding, Parts, listed
from minilstm.verify.diagnose.explain import ALL_DIGITS, agree, differences, same
from minilstm.verify.diagnose.linearity import holds_numbers, not_linear
from minilstm.verify.diagnose.locate import Locate, Tried, explain, plainly
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.wording import evidence
from minilstm.verify.gradcheck.conduct import CHANGES_CACHE, CONSUMES_CACHE, KEEPS_SUMS

UNWRITTEN = "never written, or only added to"
LEFT_OVER = "np.empty and np.empty_like keep what was in memory before: use np.zeros."
ROUGH = (
    "It equals ours to six digits and no further: is something computed in float32, or"
    " by differences?"
)


def examine(trial: Trial, function: Callable, locate: Locate = plainly) -> Diagnosis:
    """Run the function through a trial, and explain what differs."""
    tried = Tried(trial, function, trial.yours(function), trial.right())
    wrong = differences(tried.yours, tried.right)
    findings = [
        *_differing(tried, wrong, locate),
        *_unwritten(tried),
    ]
    if not findings:
        findings = _at_other_sizes(trial, function) or _rough(tried)
    in_findings = (part for found in findings for part in found.parts)
    wrong_parts = wrong or list(dict.fromkeys(in_findings))
    remark = f"{_when(wrong_parts, tried)} {_raised(tried)}".strip()
    return Diagnosis(
        title=trial.title,
        cases=len(trial.sizes) + len(trial.more),
        known=len(trial.catalogue),
        findings=tuple(findings),
        wrong_parts=tuple(wrong_parts),
        remark=remark,
        notes=_notes_on_the_cache(trial, function),
    )


def _differing(tried: Tried, wrong: Sequence[str], locate: Locate) -> list[Finding]:
    """What explains the differences, or what is not linear although nothing differs."""
    nonlinear, of_small = not_linear(tried.trial, tried.function, tried.yours)
    if nonlinear is None:
        return explain(tried, locate) if wrong else []
    if nonlinear.mistake is not None:
        return [nonlinear]
    if of_small:  # large gradients are bounded; small ones may show another mistake
        small = replace(tried, yours=of_small)
        differ = differences(of_small, tried.right)
        return [nonlinear, *(explain(small, locate) if differ else [])]
    found = locate(tried.without_catalogue())[0]
    lines = (line for line in (nonlinear.place, found.place) if line)
    where = found.where or found.parts
    return [
        replace(nonlinear, place="\n".join(lines), formula=found.formula, where=where)
    ]


def _unwritten(tried: Tried) -> list[Finding]:
    """Parts that hold what was in memory before."""
    parts = tried.trial.never_written(tried.function, tried.yours)
    if not parts:
        return []
    heading = f"{listed(parts)}: {UNWRITTEN}"
    return [Finding(None, tuple(parts), LEFT_OVER, heading=heading)]


def _at_other_sizes(trial: Trial, function: Callable) -> list[Finding]:
    """What is right in all cases but those of unusual sizes."""
    results = trial.yours(function, sizes=trial.more), trial.right(trial.more)
    for sizes, mine, ours in zip(trial.more, *results):
        wrong = differences([mine], [ours])
        if wrong:
            first = wrong[0]
            details = (
                f"It raises {mine[RAISES]}."
                if RAISES in mine
                else evidence(first, mine.get(first), ours.get(first))
            )
            right = f"right in {len(trial.sizes)} cases"
            heading = f"{right}, but wrong at {trial.named(sizes)}"
            return [Finding(None, tuple(wrong), details, heading=heading)]
    return []


def _rough(tried: Tried) -> list[Finding]:
    """Right to six digits, and not to nine."""
    wrong = differences(tried.yours, tried.right, ALL_DIGITS)
    return [Finding(None, tuple(wrong), ROUGH, heading="few digits")] if wrong else []


def _notes_on_the_cache(trial: Trial, function: Callable) -> tuple[str, ...]:
    """A note on a backward pass that keeps sums, changes its cache, or uses it up."""
    if trial.forward is None:
        return ()
    # each after its own forward pass
    once, twice = (trial.yours(function, sizes=trial.sizes[-1:]) for _ in range(2))
    if not all(map(holds_numbers, once)):
        return ()  # what is no number is equal to nothing, not even to itself
    if not agree(twice, once):
        return (f"Your {KEEPS_SUMS}",)
    first, again = trial.second_call(function)
    if RAISES in first or agree([again], [first]):
        return ()
    return (CONSUMES_CACHE.format(again[RAISES]) if RAISES in again else CHANGES_CACHE,)


def _when(wrong: Sequence[str], tried: Tried) -> str:
    """From which time step on dx is wrong; "" if cases differ in that."""
    if tried.raises:
        return ""
    cases = [_wrong_steps(mine, ours) for mine, ours in zip(tried.yours, tried.right)]
    if not all(cases):
        return ""
    if not any(map(any, cases)):
        of_weights = all(name.startswith(("dWx", "dWh", "db")) for name in wrong)
        if wrong and of_weights:
            return (
                "All steps are right, but the sums over them for the weights are not."
            )
        return ""
    if all(map(all, cases)):
        return "It is wrong from the last step on, which is computed first."
    if all(not last and all(earlier) for last, *earlier in cases):
        return "It is right at the last step, wrong from the step before."
    longest = max(cases, key=len)
    if True not in longest:
        return ""
    T, first = len(longest), longest.index(True)
    if first == 0:
        return f"For T = {T}, it is wrong at step {T - 1}, which is computed first."
    return (
        f"For T = {T}, it is right down to step {T - first},"
        f" wrong at step {T - 1 - first}."
    )


def _wrong_steps(mine: Parts, ours: Parts) -> list[bool]:
    """Whether dx is wrong, step by step, the last one first."""
    steps = [name for name in ours if name.startswith("dx[")]
    return [not same(mine.get(name), ours[name]) for name in steps]


def _raised(tried: Tried) -> str:
    """What it raises, and where: sizes are varied one at a time, from all equal."""
    if not tried.raises:
        return ""
    trial = tried.trial
    of_sizes = dict(zip(trial.sizes, tried.yours))
    first = next(sizes for sizes, mine in of_sizes.items() if RAISES in mine)
    what = f"It raises {of_sizes[first][RAISES]}"
    raises_at = lambda sizes: bool(trial.raised(tried.function, sizes))
    equal = (3,) * len(trial.letters)
    at_equal = trial.named(equal)
    if raises_at(equal):
        if all(RAISES in mine for mine in tried.yours):
            return f"{what}. It is called as {trial.call}."
        return f"{what}, at {at_equal} too."

    def changed(letters: Sequence[str]) -> tuple[int, ...]:
        return tuple(2 if letter in letters else 3 for letter in trial.letters)

    alone = [letter for letter in trial.letters if raises_at(changed(letter))]
    if len(alone) == 2 and not raises_at(changed(alone)):
        return f"{what} where {alone[0]} and {alone[1]} differ."
    where = trial.named(first)
    if not alone:
        return f"{what} at {where}, and not at {at_equal}."
    return (
        f"{what} at {where}. It runs at {at_equal}, but not if {' or '.join(alone)}"
        " alone becomes 2."
    )
