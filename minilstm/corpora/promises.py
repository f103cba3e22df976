"""Long-range agreement: does a recipe use later what it named before?

A recipe for steamed leeks with chives needs leeks, chives and steam in its directions.
The pot that is put on the stove must be the pot that is used later; what was covered
must be uncovered. Here each such obligation is called a promise. It is due at a later
place of the text, and is kept if the right word stands there. A model that has
forgotten generates another word of the kind, or nothing. This needs no parser, so any
text can be evaluated:

    named     main, herb, side and method are promised by the title, before the first `|`.
              Each word of the kind in the directions is due, and is kept if the title
              has this word, too.
    taken     vessel, cover, extra (a sauce, a salad ...) and fire (the oven, the stove ...)
              are promised by the first word of the kind in the directions. Each later
              word of the kind is due, and is kept if it is the same.
    measured  degrees, and the minutes in a sentence that names a method, are kept if they
              lie in the range of the title's method. A method without an oven has no
              degrees, so any degrees break the promise.
    closed    an open bracket or quotation mark is due at the end of its sentence.

At the end of a text, a promise is broken if its kind was named or taken and no word of
it returned, if a fire was not put out, or if a cover was not taken off. So a model
cannot score well by writing little. For a text that was cut off, `ended=False`, these
are not counted, since they could still have been kept.

The distance of a promise is the number of words since the last place that says what to
write (in the title, or later), up to the place where it is due or to the end of the
text. For so long the model has to remember. A table counts each distance for the
nearest of 10, 20, 50 and 100, by ratio.

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

NEAR = (10, 20, 50, 100)                     # words


def _lists(names: str) -> list[str]:
    """All words of some lists of the corpus."""
    return [str(word) for name in names.split() for word in WORDS[name]]


NAMED = {
    "main": _lists("roots joints fish game pulses greens summer fruit"),
    "herb": _lists("garden tender woody spices fresh sunny sweet"),
    "side": _lists("nuts dried briny grains leaves bowls cheeses berries"),
    "method": "roast roasted bake baked braise braised simmer simmered steam steamed grill grilled poach poached".split(),
}
TAKEN = {
    "vessel": _lists("trays dishes pots woks pans"),
    "cover": _lists("lids flat_things wraps"),
    "extra": _lists("savory drizzles creamy"),
    "fire": ["oven", "stove", "barbecue"],
}
KIND = {word: kind for kind, words in {**NAMED, **TAKEN}.items() for word in words}
MEANS = {"roasted": "roast", "baked": "bake", "braised": "braise", "simmered": "simmer", "steamed": "steam",
         "grilled": "grill", "poached": "poach"}
MEASURED = {                                 # the numbers that go with a method
    "degrees": {"roast": _lists("hot warm"), "bake": _lists("mild"), "braise": _lists("low")},
    "minutes": {"roast": _lists("roasted_time roast_time"), "bake": _lists("bake_time"), "braise": _lists("braise_time"),
                "simmer": _lists("simmer_time"), "steam": _lists("steam_time"), "grill": _lists("grill_time"),
                "poach": _lists("poach_time")},
}
UNDONE_BY = {"fire": ("off", "out"), "cover": ("off",)}        # turn off the oven, put out the barbecue
CLOSED_BY = {"(": ")", '"': '"'}
CLOSED = {"(": "bracket", '"': "quote"}
KINDS = (*NAMED, *TAKEN, *MEASURED, *CLOSED.values())


@dataclass(frozen=True)
class Promise:
    """A place where a promise is due: its kind, distance in words, and whether it is kept."""

    kind: str
    distance: int
    kept: bool


def promises(words: Sequence[str], ended: bool = True) -> list[Promise]:
    """All promises of a text that were due.

    Parameters
    ----------
    words : the text, as `split_words` makes them.
    ended : whether the text came to its end, and was not just cut off.

    Examples
    --------
    >>> words = split_words("Recipe for steamed leeks with dill | Light the stove. Steam the beans.")
    >>> for promise in promises(words, ended=False): print(promise)
    Promise(kind='method', distance=9, kept=True)
    Promise(kind='main', distance=10, kept=False)
    """
    found: list[Promise] = []
    promised: dict[str, set[str]] = {}       # for each kind, what may stand in the places that are due
    reminder: dict[str, int] = {}            # for each kind, and each mark that is open, where it was last seen
    settled: set[str] = set()                # kinds that the end of the text need not be asked about
    title_end = words.index("|") if "|" in words else len(words)
    method_in_sentence = False

    for at, word in enumerate(words):
        kind, meant = KIND.get(word), MEANS.get(word, word)
        if at < title_end:
            if kind in NAMED:
                promised.setdefault(kind, set()).add(meant)
                reminder[kind] = at
            continue
        if kind in TAKEN and kind not in promised:
            promised[kind] = {meant}
            reminder[kind] = at
        elif kind in promised:
            kept = meant in promised[kind]
            found.append(Promise(kind, at - reminder[kind], kept))
            if kept:
                reminder[kind] = at
            if kind not in UNDONE_BY or words[at - 2] in UNDONE_BY[kind]:
                settled.add(kind)
        method_in_sentence = word != "." and (method_in_sentence or kind == "method")
        if word in MEASURED and "method" in promised and (word == "degrees" or method_in_sentence):
            if words[at - 1].isdecimal():
                kept = any(_in_range(words[at - 1], MEASURED[word].get(method, ())) for method in promised["method"])
                found.append(Promise(word, at - reminder["method"], kept))
        for opening, closing in CLOSED_BY.items():
            if opening in reminder and word in (closing, opening, "."):
                found.append(Promise(CLOSED[opening], at - reminder.pop(opening), word == closing))
                if word == opening != closing:
                    reminder[opening] = at
            elif word == opening:
                reminder[opening] = at
    if ended:
        unfinished = [kind for kind in promised if kind not in settled]
        found += [Promise(kind, len(words) - reminder[kind], False) for kind in unfinished]
        found += [Promise(CLOSED[mark], len(words) - reminder[mark], False) for mark in CLOSED if mark in reminder]
    return found


def _in_range(number: str, numbers: Sequence[str]) -> bool:
    return bool(numbers) and min(map(int, numbers)) <= int(number) <= max(map(int, numbers))


@dataclass(frozen=True)
class Tally:
    """How many promises of some texts were due, and how many were kept.

    Attributes
    ----------
    texts : number of texts.
    due, kept : number of promises by kind and nearest distance.
    """

    texts: int
    due: Counter[tuple[str, int]]
    kept: Counter[tuple[str, int]]

    def due_a_text(self, kind: str | None = None, near: int | None = None) -> float:
        """Mean number of promises due in a text. Default: of all kinds and distances."""
        return _sum(self.due, kind, near) / self.texts if self.texts else math.nan

    def share_kept(self, kind: str | None = None, near: int | None = None) -> float:
        """Fraction of these promises that were kept; NaN if none was due."""
        due = _sum(self.due, kind, near)
        return _sum(self.kept, kind, near) / due if due else math.nan

    def __str__(self) -> str:
        lines = ["share of promises kept, and in brackets how many were due a text", "",
                 "words      " + "".join(f"{f'about {near}':>16}" for near in NEAR)]
        for kind in (*KINDS, None):
            cells = [f"{self.share_kept(kind, near):8.1%} ({self.due_a_text(kind, near):5.2f})"
                     if _sum(self.due, kind, near) else "-" for near in NEAR]
            lines.append(f"{kind or 'all':<11}" + "".join(f"{cell:>16}" for cell in cells))
        return "\n".join(lines)


def kept_by_distance(texts: Iterable[str], ended: bool = True) -> Tally:
    """Count the promises of many texts; `ended` as for `promises`."""
    due: Counter[tuple[str, int]] = Counter()
    kept: Counter[tuple[str, int]] = Counter()
    count = 0
    for text in texts:
        count += 1
        for promise in promises(split_words(text), ended):
            place = promise.kind, nearest(promise.distance)
            due[place] += 1
            kept[place] += promise.kept
    return Tally(count, due, kept)


def nearest(distance: int) -> int:
    """The nearest of 10, 20, 50 and 100 by ratio: the borders are 14.1, 31.6 and 70.7."""
    return min(NEAR, key=lambda near: abs(math.log(distance / near)))


def _sum(counts: Counter[tuple[str, int]], kind: str | None, near: int | None) -> int:
    return sum(n for (k, d), n in counts.items() if kind in (None, k) and near in (None, d))
