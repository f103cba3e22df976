"""Which known mistakes explain some results?

One mistake, several made at once, or some that explain a share of what is wrong.
``yours`` are the results of the function under test and ``right`` those of ours: parts
by name, one dictionary for each case. A *place* is a part of a case.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from minilstm.verify.diagnose.diagnosis import RAISES, Parts
from minilstm.verify.diagnose.variant import Mistake

# relative to the largest entry of a part; a mistake changes digits long before these
SIX_DIGITS = 1e-6
ALL_DIGITS = 1e-9
ROUNDING = 1e-13  # numbers below it are zero
# what mistakes of one kind differ in
KIND = re.compile(
    r"input gate|forget gate|candidate|output gate|factor (1 - )?[ifo] |\bd?(Wx|Wh|b)\b"
)
OF_MANY = 20  # mistakes of which three and four are tried together
Place = tuple[int, str]  # the number of a case, and the name of a part
Results = dict[Mistake, list[Parts]]
Run = Callable[..., Iterable[Parts]]  # our function with some mistakes, on all cases
# a mistake, or None, and the parts that it explains
Explained = list[tuple[Mistake | None, list[str]]]


def differences(
    yours: Sequence[Parts], right: Iterable[Parts], tolerance: float = SIX_DIGITS
) -> list[str]:
    """Names of the parts that differ in some case, in the order of computing."""
    names = (name for _, name in places(yours, right, tolerance))
    return list(dict.fromkeys(names))


def agree(yours: Sequence[Parts], right: Iterable[Parts]) -> bool:
    """Whether no part differs. It runs no more cases than it needs."""
    return next(places(yours, right), None) is None


def places(
    yours: Sequence[Parts], right: Iterable[Parts], tolerance: float = SIX_DIGITS
) -> Iterator[Place]:
    """Where a part of a case differs."""
    for case, (mine, ours) in enumerate(zip(yours, right)):
        if RAISES in mine and RAISES in ours:
            continue
        if RAISES in mine or RAISES in ours:
            yield case, RAISES
            continue
        for name in dict.fromkeys([*ours, *mine]):
            if not same(mine.get(name), ours.get(name), tolerance):
                yield case, name


def same(mine, ours, tolerance: float = SIX_DIGITS) -> bool:
    """Whether two arrays are equal to some digits of the second's largest entry."""
    if not _are_comparable(mine, ours):
        return False
    if mine.dtype == ours.dtype and mine.tobytes() == ours.tobytes():
        return True  # nearly always, and ten times as fast
    with np.errstate(invalid="ignore"):
        if (np.abs(mine - ours) <= tolerance * np.abs(ours).max(initial=0)).all():
            return True
    if np.isfinite(ours).all():
        return False
    return np.array_equal(mine, ours, equal_nan=ours.dtype.kind == "f")


def without_rounding(parts: Parts) -> Parts:
    """Zeros in place of rounding errors.

    With some mistakes a gradient is a sum that cancels. What rounding leaves of it
    differs with the order of the sum.
    """
    cleared = {}
    for name, part in parts.items():
        array = np.asarray(part)
        if array.dtype.kind == "f":
            array = np.where(np.abs(array) < ROUNDING, 0, array)
        cleared[name] = array
    return cleared


def ratio(mine, ours) -> str | None:
    """By which number all of a part is multiplied, to four digits, if it is one."""
    if not _are_comparable(mine, ours) or same(mine, ours):
        return None
    if ours.size < 2 or not ours.any() or not np.isfinite([mine, ours]).all():
        return None
    number = float(np.sum(mine * ours) / np.sum(ours * ours))
    is_one = abs(number - 1) > 1e-3 and same(mine, number * ours)
    return f"{number:.4g}" if is_one else None


def _are_comparable(mine, ours) -> bool:
    """Whether both are arrays of one shape, and the first holds real numbers."""
    if not isinstance(mine, np.ndarray) or not isinstance(ours, np.ndarray):
        return False
    return mine.shape == ours.shape and mine.dtype.kind in "fiu"


def exactly(
    yours: list[Parts], right: list[Parts], known: Results, run: Run
) -> Explained:
    """One mistake, or several at once, that give exactly these results; else empty."""
    for mistake, result in known.items():
        if agree(yours, result):
            return [(mistake, differences(result, right))]
    together = _made_together(yours, right, known, run)
    return [(mistake, differences(known[mistake], right)) for mistake in together]


def partly(yours: list[Parts], right: list[Parts], known: Results) -> Explained:
    """Mistakes that explain some parts and contradict none; None for what is left.

    Those that explain most come first.
    """
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
    if left:
        explained.append((None, [name for name in wrong if name in left]))
    return explained


def _made_together(
    yours: list[Parts], right: list[Parts], known: Results, run: Run
) -> Sequence[Mistake]:
    """Several mistakes that, made in our code at once, give exactly these results.

    Our code runs only with those that together show in just these places, and of which
    each gives what it shows alone. Sets of places are the bits of a number. Empty if
    there are none.
    """
    numbers: dict[Place, int] = {}

    def bits(where: Iterable[Place]) -> int:
        return sum(1 << numbers.setdefault(place, len(numbers)) for place in where)

    wrong = bits(places(yours, right))
    shows: dict[Mistake, int] = {}  # where a mistake shows
    changed: dict[Mistake, int] = {}  # where it shows, and your results are others
    for mistake, result in known.items():
        shown = bits(places(result, right))
        if shown and not shown & ~wrong:
            shows[mistake] = shown
            changed[mistake] = shown & bits(places(yours, result))
    explain_some = [mistake for mistake in shows if shows[mistake] != changed[mistake]]
    for made in _combinations(list(shows), explain_some):
        once = often = 0
        for mistake in made:
            often |= once & shows[mistake]
            once |= shows[mistake]
        alone = once & ~often
        if once != wrong or any(changed[mistake] & alone for mistake in made):
            continue
        try:
            if agree(yours, run(made)):
                return made
        except ValueError:  # two mistakes about the same line
            continue
    return ()


def _combinations(
    mistakes: list[Mistake], explain_some: list[Mistake]
) -> Iterator[tuple[Mistake, ...]]:
    """Combinations to try, the likely ones first.

    Mistakes of one kind at several gates or weights come first: who makes it at one
    makes it at all. Then every pair. Of three and four there are too many. So they are
    tried among the first mistakes that explain some part alone.
    """
    kinds: dict[str, list[Mistake]] = {}
    for mistake in mistakes:
        kinds.setdefault(KIND.sub("…", mistake.name), []).append(mistake)
    for alike in kinds.values():
        if len(alike) <= 4:
            yield from itertools.combinations(alike, 4)
            yield from itertools.combinations(alike, 3)
    yield from itertools.combinations(mistakes, 2)
    for size in (3, 4):
        yield from itertools.combinations(explain_some[:OF_MANY], size)
