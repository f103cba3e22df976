"""Which mistake is it? ``diagnose`` and the order in which it asks.

If the results of a function are those of ours with a known mistake, it is that mistake:
in every part of every random case, to six digits. Several mistakes at once are found by
making them all in our code. What the catalogue does not explain is traced to the place
where it begins. ``yours`` are the results of the function under test, ``right`` ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from minilstm.errors import InputError
from minilstm.reference.lstm import lstm_step
from minilstm.reference.sequence import lstm_sequence
from minilstm.verify.diagnose.diagnosis import RAISES, Diagnosis, Finding, Parts, listed
from minilstm.verify.diagnose.explain import ALL_DIGITS, agree, differences, same
from minilstm.verify.diagnose.linearity import not_linear
from minilstm.verify.diagnose.locate import (
    Locate,
    Tried,
    explain,
    in_a_step,
    in_time,
    plainly,
)
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.trials import (
    loss_trial,
    sequence_backward_trial,
    sequence_trial,
    step_backward_trial,
    step_trial,
)
from minilstm.verify.diagnose.wording import evidence
from minilstm.verify.layouts.adapted import Adapted, only_what_it_has
from minilstm.verify.layouts.described import find_layout, is_ours
from minilstm.verify.layouts.layout import SEQUENCE, STEP, CellLayout
from minilstm.verify.layouts.lines import line_that_makes
from minilstm.verify.layouts.words import Words
from minilstm.verify.gradcheck.conduct import CHANGES_CACHE, CONSUMES_CACHE, KEEPS_SUMS

UNWRITTEN = "never written, or only added to"
LEFT_OVER = "np.empty and np.empty_like keep what was in memory before: use np.zeros."
TANH_TWICE = "tanh of tanh(c)"  # or a cache that has c where ours has tanh(c)
IF_CACHE_KEEPS_C = (
    "The last field of the cache is tanh(c): if your cache keeps c, give your own"
    " forward {} as the second argument."
)
CACHE_KEEPS_C = (
    "That is with c as the last field of the cache, where reference.lstm_step has"
    " tanh(c). Give your own forward {} as the second argument, to check both."
)
ROUGH = (
    "It equals ours to six digits and no further: is something computed in float32, or"
    " by differences?"
)


def diagnose(
    my_step_backward: Callable,
    my_step: Callable | None = None,
    *,
    layout="minilstm",
    cell: str = "lstm",
    seed: int = 0,
) -> Diagnosis:
    """Find out what is wrong with a backward step of an LSTM.

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
        for it. Default: ``reference.lstm_step``. Its cache is the named tuple (x,
        h_prev, c_prev, i, f, g, o, tanh_c).
    layout : str, Layout or dict
        A name of ``LAYOUTS``, or a description of other shapes and names, see
        docs/check-your-code.md. If it is not ours, both functions are needed.
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
    form = find_layout(layout, cell)
    if not is_ours(form):
        return _in_layout(form, STEP, my_step, my_step_backward, seed)
    if my_step is not None:
        forward = examine(step_trial(seed), my_step)
        if not forward.right:
            return forward
    trial = step_backward_trial(seed, my_step or lstm_step)
    found = examine(trial, my_step_backward, in_a_step)
    if my_step is not None:
        return found
    with_c = step_backward_trial(seed, lstm_step_keeping_c)
    return about_the_cache(found, with_c, my_step_backward)


def diagnose_sequence(
    my_backward: Callable,
    my_forward: Callable | None = None,
    *,
    layout="minilstm",
    cell: str = "lstm",
    seed: int = 0,
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
        forward pass; the caches may be used up, or kept on an object. Default: a list
        with the cache of ``reference.lstm_step``, (x, h_prev, c_prev, i, f, g, o,
        tanh_c), of each step.
    layout : str, Layout or dict
        A name of ``LAYOUTS``, or a description of other shapes and names, see
        docs/check-your-code.md. If it is not ours, both functions are needed.
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
    form = find_layout(layout, cell)
    if not is_ours(form):
        return _in_layout(form, SEQUENCE, my_forward, my_backward, seed)
    if my_forward is not None:
        forward = examine(sequence_trial(seed), my_forward)
        if not forward.right:
            return forward
    trial = sequence_backward_trial(seed, my_forward or lstm_sequence)
    found = examine(trial, my_backward, in_time)
    if my_forward is not None:
        return found
    with_c = sequence_backward_trial(seed, lstm_sequence_keeping_c)
    return about_the_cache(found, with_c, my_backward)


def about_the_cache(found: Diagnosis, with_c: Trial, function: Callable) -> Diagnosis:
    """The diagnosis, unless the function is right with c in the cache for tanh(c)."""
    what = found.title.split()[1]  # of "backward step", "backward pass through time"
    if found.right:
        return found
    if not differences(with_c.yours(function), with_c.right()):
        found = examine(with_c, function)
        return replace(found, notes=(CACHE_KEEPS_C.format(what), *found.notes))
    if TANH_TWICE in {mistake.name for mistake in found.mistakes}:
        return replace(found, notes=(IF_CACHE_KEEPS_C.format(what), *found.notes))
    return found


def lstm_step_keeping_c(*inputs):
    """Our forward step with another cache: c is its last field, without a name."""
    h, c, cache = lstm_step(*inputs)
    return h, c, (*cache[:-1], c)


def lstm_sequence_keeping_c(*inputs):
    """Our forward pass with such a cache for each step."""
    h, final, caches = lstm_sequence(*inputs)
    with_c = lambda cache: cache.f * cache.c_prev + cache.i * cache.g
    return h, final, [(*cache[:-1], with_c(cache)) for cache in caches]


def diagnose_step(
    my_step: Callable, *, layout="minilstm", cell: str = "lstm", seed: int = 0
) -> Diagnosis:
    """Find out what is wrong with a forward step of an LSTM.

    ``my_step`` : (x, h_prev, c_prev, Wx, Wh, b) to (h, c, cache), or as the layout
    says. ``layout`` : as in ``diagnose``.
    """
    form = find_layout(layout, cell)
    if not is_ours(form):
        return _in_layout(form, STEP, my_step, None, seed)
    return examine(step_trial(seed), my_step)


def diagnose_loss(my_loss: Callable, *, seed: int = 0) -> Diagnosis:
    """Find out what is wrong with a softmax cross-entropy and its gradient.

    ``my_loss`` : logits (T, B, V), targets (T, B), lengths (B,) to (loss, dlogits). The
    loss is the mean over the real tokens.
    """
    return examine(loss_trial(seed), my_loss)


def _in_layout(
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
        locate = plainly if code.lacks else in_time
    forward = code.forward(my_forward)
    found = examine(only_what_it_has(trial(seed), code, kind), forward)
    if not found.right or my_backward is None:
        return in_words(found, Words(layout, kind), my_forward)
    of_backward = only_what_it_has(
        backward_trial(seed, forward), code, f"{kind}_backward"
    )
    for bias in code.choices:
        found = examine(of_backward, code.backward(my_backward, bias), locate)
        if not found.right:
            break
    return in_words(found, Words(layout, kind, bias), my_backward)


def in_words(found: Diagnosis, words: Words, function: Callable) -> Diagnosis:
    """The diagnosis in the learner's words, with lines of the learner's function."""
    findings = []
    for finding in found.findings:
        made = words.array_of(finding.parts)
        line = line_that_makes(function, made) if made else ""
        place = f"{finding.place}\nYour {line}" if line else finding.place
        findings.append(replace(finding, place=place.strip()))
    legend = words.legend(found.text)
    notes = (*found.notes, legend) if legend else found.notes
    return replace(found, findings=tuple(findings), notes=notes, words=words)


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
    places = [found.place for found in locate(tried.without_catalogue())]
    lines = (line for line in (nonlinear.place, *places[:1]) if line)
    return [replace(nonlinear, place="\n".join(lines))]


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
