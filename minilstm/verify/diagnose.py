"""Which mistake is it? Runs a function beside ours on random cases, and beside ours with each mistake of the catalogue in it.

If its results are those of a known mistake, it is that mistake: in every part of every case, to six digits. Two at once are
found by making both in our code. What nothing in the catalogue explains is said to be unknown, with the place where it differs
first, in the order in which a backward pass computes. Names here: ``yours`` are the results of the function under test,
``right`` those of ours.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from minilstm.cells.lstm import lstm_step
from minilstm.verify.diagnosis import RAISES, Diagnosis, Finding, evidence, listed
from minilstm.verify.sequence import lstm_sequence
from minilstm.verify.trials import (
    Parts,
    Trial,
    loss_trial,
    sequence_backward_trial,
    sequence_trial,
    step_backward_trial,
    step_trial,
)
from minilstm.verify.variant import Mistake

SIX_DIGITS = 1e-6  # relative to the largest entry of a part; a mistake changes digits long before these
ALL_DIGITS = 1e-9
KIND = re.compile(r"input gate|forget gate|candidate|output gate|factor (1 - )?[ifo] |\bd?(Wx|Wh|b)\b")  # what kinds differ in
Place = tuple[int, str]  # the number of a case, and the name of a part
Explained = list[tuple[Mistake | None, list[str]]]  # a mistake, or None, and the parts that it explains


def diagnose(my_step_backward: Callable, my_step: Callable | None = None, *, seed: int = 0) -> Diagnosis:
    """What is wrong with one step of an LSTM taken backward, and which known mistake it is.

    Parameters
    ----------
    my_step_backward : (dh, dc, cache, Wx, Wh) to (dx, dh_prev, dc_prev, grads), as ``cells.lstm_step_backward``; grads are the
        gradients of Wx, Wh and b, in this order or by name, in blocks i, f, g, o.
    my_step : (x, h_prev, c_prev, Wx, Wh, b) to (h, c, cache), whose cache, of any form, ``my_step_backward`` gets. It is
        looked at first. Left out, the cache is that of ``cells.lstm_step``.
    seed : of the random cases.

    ``check_step`` tells whether a backward step belongs to its own forward step; this, whether both are those of an LSTM.

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
    my_backward : (dh, (dhT, dcT), caches, Wx, Wh) to (dx, (dh0, dc0), grads), as ``verify.sequence.lstm_sequence_backward``;
        dh (T, B, H), dx (T, B, D).
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
    right, yours = list(trial.ours()), trial.yours(function)
    wrong = differences(yours, right)
    explained = _explain(trial, yours, right, wrong)
    findings = [Finding(mistake, tuple(parts), _evidence(mistake, parts, yours, right)) for mistake, parts in explained]
    if not wrong:
        wrong = differences(yours, right, ALL_DIGITS)
        rough = "It equals ours to six digits and no further: is something computed in float32, or by differences?"
        findings = [Finding(None, tuple(wrong), rough)] if wrong else []
    remark = f"{_when(wrong, yours, right)} {_raised(trial, yours)}".strip()
    return Diagnosis(trial.title, len(trial.cases), len(trial.catalogue), tuple(findings), tuple(wrong), remark)


def differences(yours: Sequence[Parts], right: Iterable[Parts], tolerance: float = SIX_DIGITS) -> list[str]:
    """Names of the parts that differ in some case, in the order of computing."""
    return _names(_places(yours, right, tolerance))


def agree(yours: Sequence[Parts], right: Iterable[Parts]) -> bool:
    """Whether no part differs; no more cases are run than it takes to see."""
    return next(_places(yours, right), None) is None


def _places(yours: Sequence[Parts], right: Iterable[Parts], tolerance: float = SIX_DIGITS) -> Iterator[Place]:
    """Where a part of a case differs."""
    for case, (mine, ours) in enumerate(zip(yours, right)):
        if RAISES in mine and RAISES in ours:
            continue
        names = [RAISES] if RAISES in mine or RAISES in ours else [*ours, *mine]
        yield from ((case, name) for name in names if not _same(mine.get(name), ours.get(name), tolerance))


def _names(places: Iterable[Place]) -> list[str]:
    """Of the parts, each once, in the order of computing."""
    return list(dict.fromkeys(name for _, name in places))


def _same(mine, ours, tolerance: float = SIX_DIGITS) -> bool:
    if not isinstance(mine, np.ndarray) or not isinstance(ours, np.ndarray):
        return False
    if mine.shape != ours.shape or mine.dtype.kind not in "fiu":
        return False
    if np.array_equal(mine, ours, equal_nan=ours.dtype.kind == "f"):
        return True
    with np.errstate(invalid="ignore"):
        return bool((np.abs(mine - ours) <= tolerance * np.abs(ours).max(initial=0)).all())


def _explain(trial: Trial, yours: list[Parts], right: list[Parts], wrong: list[str]) -> Explained:
    """One mistake that explains all; or several, made at once; or those that explain a part, and None for what is left."""
    if not wrong:
        return []
    results = trial.known()
    for mistake, result in results.items():
        if agree(yours, result):
            return [(mistake, wrong)]
    shows_at = {mistake: list(_places(result, right)) for mistake, result in results.items()}
    differs_at = {mistake: set(_places(yours, result)) for mistake, result in results.items()}
    shows_in = {mistake: _names(places) for mistake, places in shows_at.items()}
    differs_in = {mistake: set(_names(places)) for mistake, places in differs_at.items()}
    explain_some = [mistake for mistake in results if set(shows_in[mistake]) - differs_in[mistake]]
    together = _made_together(trial, yours, set(_places(yours, right)), shows_at, differs_at, explain_some)
    if together:
        return [(mistake, shows_in[mistake]) for mistake in together]
    explained: Explained = []
    left = set(wrong)
    for mistake, parts in sorted(shows_in.items(), key=lambda pair: -len(pair[1])):
        if parts and set(parts) <= left - differs_in[mistake]:
            explained.append((mistake, parts))
            left -= set(parts)
    return explained + ([(None, [name for name in wrong if name in left])] if left else [])


def _made_together(trial: Trial, yours, wrong: set[Place], shows_at, differs_at, explain_some) -> Sequence[Mistake]:
    """Several mistakes which, all made in our code at once, give exactly these results; empty if there are none.

    Mistakes of one kind at several gates or weights come first: who makes it at one makes it at all. Then every pair is tried.
    Three and four are tried among mistakes that explain some part alone, and of these among the first twenty, since there are
    too many combinations of all. Our code is run only with those that together show in just these places, and of which each
    gives what it shows alone.
    """
    kinds: dict[str, list[Mistake]] = {}
    for mistake in shows_at:
        kinds.setdefault(KIND.sub("…", mistake.name), []).append(mistake)
    of_a_kind = (itertools.combinations(same, size) for same in kinds.values() for size in (4, 3) if len(same) <= 4)
    more = (itertools.combinations(explain_some[:20], size) for size in (3, 4))
    for made in itertools.chain(*of_a_kind, itertools.combinations(shows_at, 2), *more):
        times_shown = Counter(itertools.chain(*(shows_at[mistake] for mistake in made)))
        if times_shown.keys() != wrong or any(times_shown[at] == 1 for m in made for at in shows_at[m] if at in differs_at[m]):
            continue
        try:
            if agree(yours, trial.ours(made)):
                return made
        except ValueError:  # two mistakes about the same line
            continue
    return ()


def _evidence(mistake: Mistake | None, parts: Sequence[str], yours, right) -> str:
    """The first part that shows the difference; of an unknown mistake also what is a constant times what belongs there."""
    output_of = lambda name: name.partition(", ")[0]
    whole = lambda mine, name: mine.get(name, mine.get(output_of(name)))  # an output that could not be cut into gates
    cases = [(mine, ours) for mine, ours in zip(yours, right) if RAISES not in mine]
    pairs = [(name, whole(mine, name), ours.get(name)) for mine, ours in cases for name in parts if {name} & {*mine, *ours}]
    shown: dict[str, str] = {}  # the first of each output
    for name, mine, ours in pairs:
        if not _same(mine, ours):
            shown.setdefault(output_of(name).partition("[")[0], evidence(name, mine, ours))
    if mistake is not None:
        return next(iter(shown.values()), "")
    ratios: dict[str, list[str]] = {}
    for name, mine, ours in pairs[: len(parts)]:
        ratio = _ratio(mine, ours)
        if ratio is not None:
            ratios.setdefault(f"{ratio:.4g}", []).append(name)
    constant = [f"All of {listed(names)} is {ratio} times what belongs there." for ratio, names in ratios.items()]
    explained = sum(map(len, ratios.values())) == len(parts)  # then one number is example enough
    return " ".join([*list(shown.values())[: 1 if explained else 3], *constant])


def _ratio(mine, ours) -> float | None:
    """By which number all of a part is multiplied, if it is one."""
    if mine is None or ours is None or mine.shape != ours.shape or ours.size < 2 or _same(mine, ours) or not ours.any():
        return None
    if mine.dtype.kind not in "fiu" or not np.isfinite(mine).all() or not np.isfinite(ours).all():
        return None
    ratio = float(np.sum(mine * ours) / np.sum(ours * ours))
    return ratio if abs(ratio - 1) > 1e-3 and _same(mine, ratio * ours, SIX_DIGITS * abs(ratio)) else None


def _when(wrong: Sequence[str], yours: Sequence[Parts], right: Sequence[Parts]) -> str:
    """From which time step on the gradients of the inputs are wrong, in the longest case."""
    mine, ours = max(zip(yours, right), key=lambda pair: len(pair[1]))
    steps = [name for name in ours if name.startswith("dx[")]  # the last step first
    if RAISES in mine or not steps:
        return ""
    bad = [not _same(mine.get(name), ours[name]) for name in steps]
    if not any(bad):
        of_weights = all(name.startswith(("dWx", "dWh", "db")) for name in wrong)
        return "All steps are right, but what the weights collect from them is not." if wrong and of_weights else ""
    if bad[0]:
        return "It is wrong from the last step on, which is computed first."
    if bad[1]:
        return "It is right at the last step, wrong from the step before."
    return f"It is right down to step {len(steps) - bad.index(True)}, wrong at step {len(steps) - 1 - bad.index(True)}."


def _raised(trial: Trial, yours: Sequence[Parts]) -> str:
    raised = next((mine[RAISES] for mine in yours if RAISES in mine), None)
    if raised is None:
        return ""
    always = all(RAISES in mine for mine in yours)
    return f"It raises {raised}. It is called as {trial.call}." if always else f"It raises {raised} where D and H differ."
