"""Long-range agreement: does a recipe use later what it named before?

A recipe for steamed leeks with chives needs leeks, chives and steam in its directions.
The pot that is put on the stove must be the pot that is used later. What was covered
must be uncovered. An agreement is due at such a later place of the text. It is kept if
the right word stands there. A model that has forgotten generates another word of the
kind, or none. This needs no parser, so any text can be evaluated:

    named     main, herb, side and method are named by the title, before the first `|`.
              An agreement is due at each word of the kind in the directions. It is kept
              if the title has this word, too.
    taken     vessel, cover, extra (a sauce ...) and fire (the oven ...) are named by
              the first word of the kind in the directions. An agreement is due at each
              later word of the kind. It is kept if it is the same word.
    measured  degrees, and the minutes in a sentence that names a method, are kept if
              they lie in the range of the title's method. A method without an oven has
              no degrees, so any degrees are wrong.
    closed    an open bracket or quotation mark must be closed before its sentence ends.

At the end of a text, an agreement is not kept in three cases: its kind was named or
taken and no word of it returned; a fire was not put out; a cover was not taken off. So
a model cannot score well by writing little. For a text that was cut off, `ended=False`,
these are not counted, since the words could still have come.

The distance of an agreement is a number of words. It counts from the last place that
says what to write (in the title, or later). It ends where the agreement is due, or at
the end of the text. For so long the model has to remember. A table counts each distance
for the nearest of 10, 20, 50 and 100, by ratio.

Agreement as a test of memory: Linzen, Dupoux and Goldberg (2016), Assessing the ability
of LSTMs to learn syntax-sensitive dependencies (there it is the number of a verb).
Closing brackets and quotation marks: Karpathy, Johnson and Fei-Fei (2015), Visualizing
and understanding recurrent networks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minilstm.corpora.pantry import WORDS
from minilstm.data.punctuation import split_words

NEAR = (10, 20, 50, 100)  # words


def _lists(names: str) -> list[str]:
    """All words of some lists of the corpus."""
    return [str(word) for name in names.split() for word in WORDS[name]]


NAMED = {
    "main": _lists("roots joints fish game pulses greens summer fruit"),
    "herb": _lists("garden tender woody spices fresh sunny sweet"),
    "side": _lists("nuts dried briny grains leaves bowls cheeses berries"),
    "method": [
        *("roast", "bake", "braise", "simmer", "steam", "grill", "poach"),
        *("roasted", "baked", "braised", "simmered", "steamed", "grilled", "poached"),
    ],
}
TAKEN = {
    "vessel": _lists("trays dishes pots woks pans"),
    "cover": _lists("lids flat_things wraps"),
    "extra": _lists("savory drizzles creamy"),
    "fire": ["oven", "stove", "barbecue"],
}
KIND = {word: kind for kind, words in {**NAMED, **TAKEN}.items() for word in words}
MEANS = {
    "roasted": "roast",
    "baked": "bake",
    "braised": "braise",
    "simmered": "simmer",
    "steamed": "steam",
    "grilled": "grill",
    "poached": "poach",
}
MEASURED = {  # the numbers that go with a method
    "degrees": {
        "roast": _lists("hot warm"),
        "bake": _lists("mild"),
        "braise": _lists("low"),
    },
    "minutes": {
        "roast": _lists("roasted_time roast_time"),
        "bake": _lists("bake_time"),
        "braise": _lists("braise_time"),
        "simmer": _lists("simmer_time"),
        "steam": _lists("steam_time"),
        "grill": _lists("grill_time"),
        "poach": _lists("poach_time"),
    },
}
# turn off the oven, put out the barbecue, take off the lid
UNDONE_BY = {"fire": ("off", "out"), "cover": ("off",)}
CLOSED_BY = {"(": ")", '"': '"'}
CLOSED = {"(": "bracket", '"': "quote"}
KINDS = (*NAMED, *TAKEN, *MEASURED, *CLOSED.values())


@dataclass(frozen=True)
class Agreement:
    """A place where agreement is due.

    Attributes
    ----------
    kind : one of ``KINDS``.
    distance : words since the text last said what to write.
    kept : whether the right word stands there.
    """

    kind: str
    distance: int
    kept: bool


def agreements(words: Sequence[str], ended: bool = True) -> list[Agreement]:
    """All agreements that are due in a text.

    Parameters
    ----------
    words : the text, as `split_words` makes them.
    ended : whether the text came to its end, and was not just cut off.

    Examples
    --------
    >>> text = "Recipe for steamed leeks with dill | Light the stove. Steam the beans."
    >>> for agreement in agreements(split_words(text), ended=False): print(agreement)
    Agreement(kind='method', distance=9, kept=True)
    Agreement(kind='main', distance=10, kept=False)
    """
    found: list[Agreement] = []
    expected: dict[str, set[str]] = {}  # for each kind, the words that agree
    last_seen: dict[str, int] = {}  # where, for each kind and each open mark
    finished: set[str] = set()  # kinds that lack nothing at the end
    title_end = words.index("|") if "|" in words else len(words)
    method_in_sentence = False

    for at, word in enumerate(words):
        kind, meant = KIND.get(word), MEANS.get(word, word)
        if at < title_end:
            if kind in NAMED:
                expected.setdefault(kind, set()).add(meant)
                last_seen[kind] = at
            continue
        if kind in TAKEN and kind not in expected:
            expected[kind] = {meant}
            last_seen[kind] = at
        elif kind in expected:
            kept = meant in expected[kind]
            found.append(Agreement(kind, at - last_seen[kind], kept))
            if kept:
                last_seen[kind] = at
            if kind not in UNDONE_BY or words[at - 2] in UNDONE_BY[kind]:
                finished.add(kind)
        method_in_sentence = word != "." and (method_in_sentence or kind == "method")
        is_meant = word == "degrees" or method_in_sentence
        if word in MEASURED and "method" in expected and is_meant:
            if words[at - 1].isdecimal():
                ranges = (
                    MEASURED[word].get(method, ()) for method in expected["method"]
                )
                kept = any(_in_range(words[at - 1], numbers) for numbers in ranges)
                found.append(Agreement(word, at - last_seen["method"], kept))
        for opening, closing in CLOSED_BY.items():
            if opening in last_seen and word in (closing, opening, "."):
                distance = at - last_seen.pop(opening)
                found.append(Agreement(CLOSED[opening], distance, word == closing))
                if word == opening != closing:
                    last_seen[opening] = at
            elif word == opening:
                last_seen[opening] = at
    if ended:
        left = {kind: kind for kind in expected if kind not in finished}
        left |= {mark: kind for mark, kind in CLOSED.items() if mark in last_seen}
        end = len(words)
        found += [
            Agreement(kind, end - last_seen[key], False) for key, kind in left.items()
        ]
    return found


def _in_range(number: str, numbers: Sequence[str]) -> bool:
    values = [int(number) for number in numbers]
    return bool(values) and min(values) <= int(number) <= max(values)


@dataclass(frozen=True)
class Tally:
    """How many agreements were due in some texts, and how many were kept.

    Attributes
    ----------
    texts : number of texts.
    due, kept : number of agreements by kind and nearest distance.
    """

    texts: int
    due: Counter[tuple[str, int]]
    kept: Counter[tuple[str, int]]

    def due_per_text(self, kind: str | None = None, near: int | None = None) -> float:
        """Mean number of agreements due per text. Default: of all of them."""
        return _sum(self.due, kind, near) / self.texts if self.texts else math.nan

    def share_kept(self, kind: str | None = None, near: int | None = None) -> float:
        """Fraction of these agreements that were kept; NaN if none was due."""
        due = _sum(self.due, kind, near)
        return _sum(self.kept, kind, near) / due if due else math.nan

    def __str__(self) -> str:
        lines = [
            "long-range agreement: how much is kept (and how often it is due per text)",
            "",
            "words      " + "".join(f"{f'about {near}':>16}" for near in NEAR),
        ]
        for kind in (*KINDS, None):
            cells = [
                f"{self.share_kept(kind, near):8.1%}"
                f" ({self.due_per_text(kind, near):5.2f})"
                if _sum(self.due, kind, near)
                else "-"
                for near in NEAR
            ]
            lines.append(
                f"{kind or 'all':<11}" + "".join(f"{cell:>16}" for cell in cells)
            )
        return "\n".join(lines)


def kept_by_distance(texts: Iterable[str], ended: bool = True) -> Tally:
    """Count the agreements of many texts; `ended` as for `agreements`."""
    due: Counter[tuple[str, int]] = Counter()
    kept: Counter[tuple[str, int]] = Counter()
    count = 0
    for text in texts:
        count += 1
        for agreement in agreements(split_words(text), ended):
            place = agreement.kind, nearest(agreement.distance)
            due[place] += 1
            kept[place] += agreement.kept
    return Tally(count, due, kept)


def nearest(distance: int) -> int:
    """The nearest of 10, 20, 50, 100 by ratio; borders are 14.1, 31.6 and 70.7."""
    return min(NEAR, key=lambda near: abs(math.log(distance / near)))


def _sum(counts: Counter[tuple[str, int]], kind: str | None, near: int | None) -> int:
    return sum(
        n for (k, d), n in counts.items() if kind in (None, k) and near in (None, d)
    )
