"""The built-in corpus `dates`: dates as people write them, and the same in ISO 8601.

    Tuesday, 3rd of March 1998      1998-03-03
    le mardi 3 mars 1998            1998-03-03
    3.3.98                          1998-03-03

The days are those from 1900-01-01 to 2099-12-31, all equally likely. They are written
in English, German, French, Spanish or Italian, or in numbers. Each language has its own
names, abbreviations, ordinals and word order. Weekdays are right by the calendar.

A form is a template with a weight w. A day is written in a form that fits it:

    (1)  P(form | day) = w(form) / Σ_{forms f that fit the day} w(f)

Most forms fit all days. The others follow rules, so that no text is ambiguous:

    two digits    A year of two digits, "98" or "'98", lies between 1950 and 2049.
    dots          "3.12.1998", "3.12.98": the day is first. "1998.12.3": the year is.
    slashes       "1998/12/03": the year is first. With the year last, some people
                  write the day first, others the month. Both occur, but only where
                  one number is above 12 or the two are equal: "25/12/1998",
                  "12/25/1998", "3/3/1998". "3/12/1998" does not occur.

No text stands for two days; a test proves it for all days and forms. So the target is
a function of the source: the best possible accuracy is 100 %, and the entropy floor of
the target is 0 nats. The weekday adds nothing to the rest of a date. A model has to
learn to ignore it.

English dates to ISO 8601 are an example of attention in Ng's course Sequence Models
(deeplearning.ai, 2018). Names and abbreviations of months and weekdays: Unicode CLDR,
Gregorian calendar.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache, lru_cache
from itertools import accumulate

import numpy as np

from minilstm.errors import InputError

FIRST, LAST = "1900-01-01", "2099-12-31"
TWO_DIGITS = range(1950, 2050)               # years that may be written with two digits

NAMES = {  # months, weekdays from Monday, and both abbreviated
    "English": (
        "January February March April May June July August "
        "September October November December",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "Mon Tue Wed Thu Fri Sat Sun",
    ),
    "German": (
        "Januar Februar März April Mai Juni Juli August "
        "September Oktober November Dezember",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
        "Mo. Di. Mi. Do. Fr. Sa. So.",
    ),
    "French": (
        "janvier février mars avril mai juin juillet août "
        "septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "lun. mar. mer. jeu. ven. sam. dim.",
    ),
    "Spanish": (
        "enero febrero marzo abril mayo junio julio agosto "
        "septiembre octubre noviembre diciembre",
        "lunes martes miércoles jueves viernes sábado domingo",
        "ene feb mar abr may jun jul ago sept oct nov dic",
        "lun mar mié jue vie sáb dom",
    ),
    "Italian": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto "
        "settembre ottobre novembre dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "lun mar mer gio ven sab dom",
    ),
}
TABLES = {language: [row.split() for row in rows] for language, rows in NAMES.items()}

# d, dd: day; th: its ordinal, 3rd; first: 1er or 1º on the first of a month, else d;
# m, mm, month, mon: month; weekday, wd: weekday; y, yy: year of four digits, of two
FORMS: dict[str, list[tuple[int, str]]] = {
    "English": [
        (5, "{month} {d}, {y}"), (5, "{d} {month} {y}"),
        (3, "{weekday}, {month} {d}, {y}"), (3, "{weekday}, {d} {month} {y}"),
        (3, "{weekday}, {th} of {month} {y}"), (3, "{month} {th}, {y}"),
        (2, "the {th} of {month}, {y}"), (2, "{th} {month} {y}"),
        (2, "{d} {month} {y} ({weekday})"), (3, "{mon} {d}, {y}"), (3, "{d} {mon} {y}"),
        (2, "{wd}, {d} {mon} {y}"), (2, "{wd} {mon} {d} {y}"), (2, "{dd}-{mon}-{y}"),
        (2, "{d} {mon} '{yy}"), (2, "{month} {th}, '{yy}"),
    ],
    "German": [
        (5, "{d}. {month} {y}"), (3, "{weekday}, {d}. {month} {y}"),
        (2, "{d}. {mon} {y}"), (2, "{weekday}, den {d}. {month} {y}"),
        (2, "{wd}, {d}. {mon} {y}"), (1, "am {d}. {month} {y}"),
        (1, "{d}. {month} '{yy}"),
    ],
    "French": [
        (5, "{first} {month} {y}"), (3, "{weekday} {first} {month} {y}"),
        (2, "le {first} {month} {y}"), (2, "le {weekday} {first} {month} {y}"),
        (2, "{first} {mon} {y}"), (2, "{wd} {first} {mon} {y}"),
    ],
    "Spanish": [
        (5, "{d} de {month} de {y}"), (3, "{weekday}, {d} de {month} de {y}"),
        (2, "el {d} de {month} de {y}"), (2, "{weekday} {d} de {month} de {y}"),
        (2, "{d} {mon} {y}"), (2, "{wd}, {d} {mon} {y}"),
    ],
    "Italian": [
        (5, "{first} {month} {y}"), (3, "{weekday} {first} {month} {y}"),
        (2, "{d} {mon} {y}"), (2, "{wd} {d} {mon} {y}"), (2, "{first} {month} '{yy}"),
    ],
    "numbers": [
        (4, "{d}.{m}.{y}"), (3, "{dd}.{mm}.{y}"), (3, "{d}.{m}.{yy}"),
        (2, "{y}.{m}.{d}"), (4, "{y}/{mm}/{dd}"), (2, "{y}/{m}/{d}"),
        (3, "{d}/{m}/{y}"), (3, "{m}/{d}/{y}"), (1, "{y}{mm}{dd}"),
        (1, "{y}-{mm}-{dd}"),
    ],
}
FIRSTS = {"French": "1er", "Italian": "1º"}


def sample(count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Draw days, and a form for each.

    Parameters
    ----------
    count : int
        Number of pairs.
    rng : numpy.random.Generator
        Draws them; the same state draws the same pairs.

    Returns
    -------
    list of (str, str)
        Source, and target such as 1998-03-03, always ten characters.

    Examples
    --------
    >>> for source, target in sample(4, np.random.default_rng(1)):
    ...     print(f"{source:20}{target}")
    August 21st, 1994   1994-08-21
    14/5/2002           2002-05-14
    13-Jan-2051         2051-01-13
    3. Feb. 2090        2090-02-03
    """
    days = rng.integers(_number(FIRST), _number(LAST) + 1, size=count)
    pairs = []
    for day, uniform in zip(days.tolist(), rng.random(count).tolist()):
        iso = _iso(day)
        entries, thresholds = _fitting(*_fits(iso))
        language, template = entries[bisect_right(thresholds, uniform)]
        pairs.append((_write(day, language, template), iso))
    return pairs


def forms(iso: str) -> dict[str, float]:
    """All texts that stand for a day, and the probability of each: (1).

    Parameters
    ----------
    iso : str
        A day from 1900-01-01 to 2099-12-31.

    Returns
    -------
    dict from str to float
        The probabilities sum to 1. A text that two forms write occurs once.

    Raises
    ------
    InputError
        If `iso` is no such day.

    Examples
    --------
    >>> texts = forms("1998-03-03")
    >>> "mardi 3 mars 1998" in texts, "3/3/1998" in texts, "03/03/1998" in texts
    (True, True, False)
    >>> "3/12/1998" in forms("1998-12-03")
    False
    """
    day = _day(iso)
    entries, thresholds = _fitting(*_fits(iso))
    probabilities = np.diff([0.0, *thresholds, 1.0]).tolist()
    texts: dict[str, float] = {}
    for (language, template), probability in zip(entries, probabilities):
        text = _write(day, language, template)
        texts[text] = texts.get(text, 0.0) + probability
    return texts


def _fits(iso: str) -> tuple[bool, bool]:
    """Whether a year of two digits, and slashes with the year last, fit a day."""
    year, month, day = map(int, iso.split("-"))
    return year in TWO_DIGITS, day > 12 or day == month


@cache
def _fitting(
    two_digits: bool, slashes: bool
) -> tuple[list[tuple[str, str]], list[float]]:
    """Pairs (language, template) that fit, and running sums of (1) without the last."""
    fitting = [
        (weight, (language, template))
        for language, templates in FORMS.items()
        for weight, template in templates
        if two_digits or "{yy}" not in template
        if slashes or "/{y}" not in template
    ]
    weights, entries = zip(*fitting)
    return list(entries), [total / sum(weights) for total in accumulate(weights)][:-1]


def _write(day: int, language: str, template: str) -> str:
    """A day, by its number, in one form."""
    return template.format_map(_fields(day, language))


@lru_cache(maxsize=8)
def _fields(day: int, language: str) -> dict[str, str]:
    """What the fields of a template stand for."""
    year, month, d = _iso(day).split("-")
    number = str(int(d))
    fields = {
        "d": number, "dd": d, "th": _ordinal(int(d)), "m": str(int(month)), "mm": month,
        "first": FIRSTS.get(language, number) if d == "01" else number,
        "y": year, "yy": year[2:],
    }
    if language in TABLES:
        months, weekdays, short_months, short_weekdays = TABLES[language]
        at, weekday = int(month) - 1, (day + 3) % 7  # 1970-01-01, day 0: a Thursday
        fields |= {"month": months[at], "mon": short_months[at]}
        fields |= {"weekday": weekdays[weekday], "wd": short_weekdays[weekday]}
    return fields


def _ordinal(d: int) -> str:
    """An English ordinal number."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(d % 10, "th")
    return f"{d}th" if d in (11, 12, 13) else f"{d}{ending}"


def _iso(day: int) -> str:
    """The day with this number."""
    return str(np.datetime64(day, "D"))


def _number(iso: str) -> int:
    """Days since 1970-01-01."""
    return int(np.datetime64(iso, "D").astype(np.int64))


def _day(iso: str) -> int:
    """The number of a day, after a check."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", iso, re.ASCII) and FIRST <= iso <= LAST:
            return _number(iso)
    except ValueError:  # such as 1998-02-30
        pass
    raise InputError(f"expected a day from {FIRST} to {LAST}, got {iso!r}")
