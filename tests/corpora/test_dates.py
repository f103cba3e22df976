"""The corpus `dates`, against `datetime`, and over all days and forms."""

import calendar
import datetime
import doctest
import re
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minilstm.corpora import dates as module
from minilstm.corpora.dates import FORMS, TABLES, forms, sample
from minilstm.errors import InputError
from tests.helpers.frequencies import chi_square

FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
DAYS = [FIRST + datetime.timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
some_day = st.dates(FIRST, LAST)

# Written down by hand, apart from the module's templates.
KNOWN = {
    "1998-03-03": [
        "Tuesday, 3rd of March 1998", "March 3, 1998", "3 March 1998", "Tue Mar 3 1998", "3 Mar '98", "March 3rd, '98",
        "Dienstag, 3. März 1998", "Dienstag, den 3. März 1998", "Di., 3. März 1998", "am 3. März 1998",
        "mardi 3 mars 1998", "le 3 mars 1998", "mar. 3 mars 1998",
        "martes, 3 de marzo de 1998", "el 3 de marzo de 1998", "mar, 3 mar 1998",
        "martedì 3 marzo 1998", "3 marzo 1998", "mar 3 mar 1998", "3 marzo '98",
        "3.3.1998", "03.03.1998", "3.3.98", "1998/03/03", "1998/3/3", "1998.3.3", "3/3/1998", "19980303", "1998-03-03",
    ],
    "2024-02-01": [
        "Thursday, 1st of February 2024", "the 1st of February, 2024", "01-Feb-2024", "1. Februar '24",
        "Donnerstag, 1. Februar 2024", "jeudi 1er février 2024", "1er févr. 2024", "jueves 1 de febrero de 2024",
        "giovedì 1º febbraio 2024", "1.2.24", "2024/2/1",
    ],
    "2000-05-06": ["Saturday, May 6, 2000", "Samstag, 6. Mai 2000", "sam. 6 mai 2000", "sáb, 6 may 2000", "6 mag 2000"],
    "1999-06-13": ["13 June 1999 (Sunday)", "June 13th, 1999", "So., 13. Juni 1999",
                   "13 juin 1999", "13 de junio de 1999", "13 giugno 1999"],
    "1999-07-12": ["12 Jul 1999", "Montag, 12. Juli 1999", "12 juil. 1999", "12 de julio de 1999", "lun 12 lug 1999"],
    "1999-04-14": ["14 Apr 1999", "14. April 1999", "mercredi 14 avril 1999", "mié, 14 abr 1999", "14 aprile 1999"],
    "1999-08-11": ["Wed Aug 11 1999", "Mittwoch, 11. August 1999", "11 août 1999", "11 de agosto de 1999", "11 agosto 1999"],
    "1949-12-22": [
        "22nd December 1949", "22 December 1949 (Thursday)", "22. Dez. 1949", "22 déc. 1949", "jue, 22 dic 1949",
        "gio 22 dic 1949", "22/12/1949", "12/22/1949",
    ],
}
UNKNOWN = {
    "1998-03-03": ["03/03/1998", "3/3/98", "Monday, 3rd of March 1998", "3 march 1998", "3th of March 1998"],
    "2024-02-01": ["1/2/2024", "2/1/2024", "jeudi 1 février 2024", "2.1.24"],
    "1949-12-22": ["22.12.49", "22 Dec '49"],
    "2050-01-13": ["13.1.50", "January 13th, '50"],
}


@pytest.mark.thorough
def test_no_text_stands_for_two_days():
    """Over all days and forms, by 64-bit hashes; texts whose hashes are equal are compared themselves."""
    hashes, numbers = [], []
    for number, day in enumerate(DAYS):
        texts = forms(day.isoformat())
        hashes.extend(map(hash, texts))
        numbers.extend([number] * len(texts))
    assert len(hashes) > 40 * len(DAYS)
    order = np.argsort(np.array(hashes))
    hashes, numbers = np.array(hashes)[order], np.array(numbers)[order]
    same = (hashes[1:] == hashes[:-1]) & (numbers[1:] != numbers[:-1])
    pairs = [(forms(DAYS[a].isoformat()), forms(DAYS[b].isoformat())) for a, b in zip(numbers[1:][same], numbers[:-1][same])]
    assert [set(a) & set(b) for a, b in pairs if set(a) & set(b)] == []


def test_days_are_written_as_people_write_them():
    for iso, texts in KNOWN.items():
        assert set(texts) <= set(forms(iso)), set(texts) - set(forms(iso))
    for iso, texts in UNKNOWN.items():
        assert set(texts) & set(forms(iso)) == set()


def test_weekdays_months_and_years_are_those_of_the_calendar():
    """Every weekday that a form names is that of `datetime`, and every number is one of this day."""
    weekdays = {language: tables[1] for language, tables in TABLES.items()}
    assert weekdays["English"] == list(calendar.day_name)
    for day in DAYS[:: 73]:
        texts = list(forms(day.isoformat()))
        for language, names in weekdays.items():
            right = names[day.weekday()]
            assert any(right in text for text in texts)
            for text in texts:
                assert not any(re.search(rf"\b{name}\b", text) for name in names if name != right), text
        for text in texts:
            numbers = {int(number) for number in re.findall(r"\d+", text)}
            assert numbers <= {day.day, day.month, day.year, day.year % 100, int(f"{day:%Y%m%d}")}, text
            assert day.day in numbers or f"{day:%Y%m%d}" in text


def test_all_languages_name_the_same_months_and_weekdays():
    for language, (months, weekdays, short_months, short_weekdays) in TABLES.items():
        assert [len(names) for names in (months, weekdays, short_months, short_weekdays)] == [12, 7, 12, 7]
        for names, shorts in ((months, short_months), (weekdays, short_weekdays)):
            assert len(set(names)) == len(names) and len(set(shorts)) == len(shorts)
            for name, short in zip(names, shorts):  # an abbreviation is a beginning
                assert name.startswith(short.rstrip(".")), (language, name, short)
        assert "".join(name[0] for name in months) in {"JFMAMJJASOND", "jfmamjjasond", "efmamjjasond", "gfmamglasond"}
        assert "".join(name[0] for name in weekdays) in {"MTWTFSS", "MDMDFSS", "lmmjvsd", "lmmgvsd"}
    assert TABLES["English"][0] == list(calendar.month_name)[1:] and TABLES["English"][3] == list(calendar.day_abbr)


@given(some_day)
def test_the_probabilities_of_all_forms_sum_to_1(day):
    texts = forms(day.isoformat())
    assert sum(texts.values()) == pytest.approx(1, rel=1e-12)
    assert all(p > 0 for p in texts.values())
    assert unicodedata.is_normalized("NFC", "".join(texts)) and "  " not in " ".join(texts)


@given(some_day)
@example(datetime.date(1949, 5, 12))
@example(datetime.date(1950, 5, 13))
@example(datetime.date(2049, 12, 12))
@example(datetime.date(2050, 12, 5))
def test_years_of_two_digits_and_slashes_follow_their_rules(day):
    texts = forms(day.isoformat())
    short = [text for text in texts if str(day.year) not in text]
    assert bool(short) == (1950 <= day.year <= 2049)
    assert all(f"{day.year % 100:02}" in text for text in short)
    slashes = {text for text in texts if text.endswith(f"/{day.year}")}
    both = {f"{day.day}/{day.month}/{day.year}", f"{day.month}/{day.day}/{day.year}"}
    assert slashes == (both if day.day > 12 or day.day == day.month else set())


@pytest.mark.parametrize("iso", ["1998-03-03", "2024-02-01", "2077-12-31"])
def test_forms_are_drawn_as_often_as_their_probabilities_say(iso, monkeypatch):
    monkeypatch.setattr(module, "FIRST", iso)
    monkeypatch.setattr(module, "LAST", iso)
    pairs = sample(20_000, np.random.default_rng(4))
    assert {target for _, target in pairs} == {iso}
    assert abs(chi_square([source for source, _ in pairs], forms(iso))) < 4


def test_a_probability_is_a_weight_divided_by_the_weights_of_the_forms_that_fit():
    total = sum(weight for templates in FORMS.values() for weight, _ in templates)
    assert forms("1998-12-22")["22 décembre 1998"] == pytest.approx(5 / total)
    assert forms("1998-03-03")["3/3/1998"] == pytest.approx(6 / total)  # day first and month first
    shorter = sum(weight for templates in FORMS.values() for weight, text in templates if "{yy}" in text)
    assert forms("1949-12-22")["22 décembre 1949"] == pytest.approx(5 / (total - shorter))


def test_days_are_uniform_and_each_source_is_a_form_of_its_target():
    pairs = sample(20_000, np.random.default_rng(6))
    for source, target in pairs[:2000]:
        assert source in forms(target)
        assert FIRST <= datetime.date.fromisoformat(target) <= LAST
    decades = [target[:3] for _, target in pairs]
    years = {str(decade): sum(day.year // 10 == decade for day in DAYS) / len(DAYS) for decade in range(190, 210)}
    assert abs(chi_square(decades, years)) < 4
    numbers = {n: sum(day.day == n for day in DAYS) / len(DAYS) for n in range(1, 32)}
    assert abs(chi_square([int(target[8:]) for _, target in pairs], numbers)) < 4


def test_the_first_and_the_last_day_are_drawn(monkeypatch):
    monkeypatch.setattr(module, "FIRST", "2099-12-30")
    assert {target for _, target in sample(200, np.random.default_rng(0))} == {"2099-12-30", "2099-12-31"}


def test_the_same_seed_draws_the_same_pairs():
    pairs = sample(100, np.random.default_rng(1))
    assert sample(100, np.random.default_rng(1)) == pairs != sample(100, np.random.default_rng(2))
    assert sample(0, np.random.default_rng(1)) == []


@pytest.mark.parametrize("iso", ["1899-12-31", "2100-01-01", "1998-02-29", "1998-3-3", "1998", "NaT", "", "1998-03-03Z"])
def test_what_is_no_day_of_the_corpus_is_refused(iso):
    with pytest.raises(InputError, match="from 1900-01-01 to 2099-12-31"):
        forms(iso)


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
