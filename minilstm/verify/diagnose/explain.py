"""Which mistakes of the catalogue explain some results: one, several made at once, or some of what is wrong.

A *place* is a part of a case. Names here: ``yours`` are the results of the function
under test, ``right`` those of ours, lists of parts by name with one entry for each
case.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from minilstm.verify.diagnose.diagnosis import RAISES, Parts
from minilstm.verify.diagnose.variant import Mistake

SIX_DIGITS = 1e-6  # relative to the largest entry of a part; a mistake changes digits long before these
ALL_DIGITS = 1e-9
# what kinds differ in
KIND = re.compile(
    r"input gate|forget gate|candidate|output gate|factor (1 - )?[ifo] |\bd?(Wx|Wh|b)\b"
)
Place = tuple[int, str]  # the number of a case, and the name of a part
# a mistake, or None, and the parts that it explains
Explained = list[tuple[Mistake | None, list[str]]]
Results = dict[Mistake, list[Parts]]


def differences(
    yours: Sequence[Parts], right: Iterable[Parts], tolerance: float = SIX_DIGITS
) -> list[str]:
    """Names of the parts that differ in some case, in the order of computing."""
    return _names(places(yours, right, tolerance))


def agree(yours: Sequence[Parts], right: Iterable[Parts]) -> bool:
    """Whether no part differs; no more cases are run than it takes to see."""
    return next(places(yours, right), None) is None


def places(
    yours: Sequence[Parts], right: Iterable[Parts], tolerance: float = SIX_DIGITS
) -> Iterator[Place]:
    """Where a part of a case differs."""
    for case, (mine, ours) in enumerate(zip(yours, right)):
        if RAISES in mine and RAISES in ours:
            continue
        names = (
            [RAISES]
            if RAISES in mine or RAISES in ours
            else list(dict.fromkeys([*ours, *mine]))
        )
        yield from (
            (case, name)
            for name in names
            if not same(mine.get(name), ours.get(name), tolerance)
        )


def _names(where: Iterable[Place]) -> list[str]:
    """Of the parts, each once, in the order of computing."""
    return list(dict.fromkeys(name for _, name in where))


def same(mine, ours, tolerance: float = SIX_DIGITS) -> bool:
    """Whether two arrays are equal to some digits of the largest entry of the second."""
    if not isinstance(mine, np.ndarray) or not isinstance(ours, np.ndarray):
        return False
    if mine.shape != ours.shape or mine.dtype.kind not in "fiu":
        return False
    # as nearly always: ten times as fast
    if mine.dtype == ours.dtype and mine.tobytes() == ours.tobytes():
        return True
    with np.errstate(invalid="ignore"):
        if (np.abs(mine - ours) <= tolerance * np.abs(ours).max(initial=0)).all():
            return True
    if np.isfinite(ours).all():
        return False
    # of what is infinite or NaN
    return np.array_equal(mine, ours, equal_nan=ours.dtype.kind == "f")


def ratio(mine, ours) -> str | None:
    """By which number all of a part is multiplied, to four digits, if it is one."""
    if (
        mine is None
        or ours is None
        or mine.shape != ours.shape
        or ours.size < 2
        or same(mine, ours)
        or not ours.any()
    ):
        return None
    if (
        mine.dtype.kind not in "fiu"
        or not np.isfinite(mine).all()
        or not np.isfinite(ours).all()
    ):
        return None
    number = float(np.sum(mine * ours) / np.sum(ours * ours))
    if abs(number - 1) > 1e-3 and same(mine, number * ours):
        return f"{number:.4g}"
    return None


def exactly(
    yours: list[Parts],
    right: list[Parts],
    known: Results,
    run: Callable[..., Iterable[Parts]],
) -> Explained:
    """One mistake, or several made at once, that give exactly these results; empty if there are none."""
    for mistake, result in known.items():
        if agree(yours, result):
            return [(mistake, differences(result, right))]
    together = _made_together(yours, right, known, run)
    return [(mistake, differences(known[mistake], right)) for mistake in together]


def partly(yours: list[Parts], right: list[Parts], known: Results) -> Explained:
    """Mistakes that explain some parts and contradict none, those that explain most first; and None for what is left."""
    wrong = differences(yours, right)
    explained: Explained = []
    left = set(wrong)
    shows_in = {
        mistake: differences(result, right) for mistake, result in known.items()
    }
    for mistake, parts in sorted(shows_in.items(), key=lambda pair: -len(pair[1])):
        if parts and set(parts) <= left - set(differences(yours, known[mistake])):
            explained.append((mistake, parts))
            left -= set(parts)
    return explained + (
        [(None, [name for name in wrong if name in left])] if left else []
    )


def _made_together(
    yours: list[Parts], right: list[Parts], known: Results, run
) -> Sequence[Mistake]:
    """Several mistakes which, all made in our code at once, give exactly these results; empty if there are none.

    Mistakes of one kind at several gates or weights come first: who makes it at one
    makes it at all. Then every pair is tried. Three and four are tried among mistakes
    that explain some part alone, and of these among the first twenty, since there are
    too many combinations of all. Our code is run only with those that together show in
    just these places, and of which each gives what it shows alone. Sets of places are
    the bits of a number.
    """
    numbers: dict[Place, int] = {}
    bits = lambda where: sum(
        1 << numbers.setdefault(place, len(numbers)) for place in where
    )
    wrong = bits(places(yours, right))
    shows = {mistake: bits(places(result, right)) for mistake, result in known.items()}
    shows = {
        mistake: shown
        for mistake, shown in shows.items()
        if shown and not shown & ~wrong
    }
    # shown, and otherwise yours
    spoilt = {
        mistake: shows[mistake] & bits(places(yours, known[mistake]))
        for mistake in shows
    }
    kinds: dict[str, list[Mistake]] = {}
    for mistake in shows:
        kinds.setdefault(KIND.sub("…", mistake.name), []).append(mistake)
    of_a_kind = (
        itertools.combinations(alike, size)
        for alike in kinds.values()
        for size in (4, 3)
        if len(alike) <= 4
    )
    explain_some = [mistake for mistake in shows if shows[mistake] != spoilt[mistake]]
    more = (itertools.combinations(explain_some[:20], size) for size in (3, 4))
    for made in itertools.chain(*of_a_kind, itertools.combinations(shows, 2), *more):
        once = often = 0
        for mistake in made:
            often |= once & shows[mistake]
            once |= shows[mistake]
        alone = once & ~often
        if once != wrong or any(spoilt[mistake] & alone for mistake in made):
            continue
        try:
            if agree(yours, run(made)):
                return made
        except ValueError:  # two mistakes about the same line
            continue
    return ()
