"""Readers of files: what they return, and their error if a file is broken."""

import builtins
import csv
import io
import json
import os

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minilstm.data.readers import (
    AG_NEWS_COLUMNS,
    read_csv,
    read_json,
    read_lines,
    read_recipes,
    read_sequences,
    read_text,
    split_sequences,
    split_text,
)
from minilstm.errors import InputError
from tests.helpers.paths import SHARED

DATA = SHARED / "data"
AG_NEWS = '"3","Fears for T N pension","Unions say, ""no"""\n"1","Kids\nwin","A second line"\n'
RECIPES = [
    {"title": "Toast", "directions": ["Cut bread.", "Toast it."]},
    {"title": "No directions"},
    {"title": None, "directions": ["Do not."]},
    {"title": "Tea", "directions": "Boil water.", "stars": 4},
    {"title": "", "directions": []},
]

# Text that a UTF-8 file can contain and that a reader accepts as text: no lone
# surrogates, no zero characters. It is a joined list, since st.text would merge both
# kinds of characters, and unusual ones would be rare.
awkward = st.sampled_from(["a", "\r", "\n", "\r\n", " ", '"', ",", "\ufeff", "\u2028", "\x0b", "\x85"])
any_character = st.characters(codec="utf-8", exclude_characters="\0")
file_text = st.lists(st.one_of(awkward, any_character)).map("".join)
cell = file_text.filter(lambda text: "\r" not in text)
# lone surrogates too: JSON writes them as escapes
json_string = st.text(st.characters())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all examples that Hypothesis draws."""
    return tmp_path_factory.mktemp("readers")


@pytest.fixture
def write(tmp_path):
    """Write a file, text in UTF-8 or bytes, and return its path."""
    def write_file(content, name="file.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path
    return write_file


def naive_newlines(text):
    """Every \\r\\n and every other \\r becomes \\n, a character at a time."""
    result = ""
    for position, character in enumerate(text):
        if character == "\r":
            result += "\n"
        elif character != "\n" or position == 0 or text[position - 1] != "\r":
            result += character
    return result


# ---- one running text, and lines ----

@given(file_text)
@settings(deadline=None)  # disks pause
def test_read_text_returns_the_written_text_with_plain_newlines(folder, text):
    path = folder / "text.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))
    if text.strip():
        assert read_text(path) == read_text(str(path)) == naive_newlines(text)
    else:
        with pytest.raises(InputError, match="white space"):
            read_text(path)


def test_the_byte_order_mark_is_dropped_and_newlines_are_plain(write):
    assert read_text(write(b"\xef\xbb\xbfone\r\ntwo\rthree\n")) == "one\ntwo\nthree\n"
    assert read_text(write("zero\ufeff")) == "zero\ufeff"


@given(file_text.filter(lambda text: text.strip()))
@example("one\u2028two\x85three\x0cfour\n")
@settings(deadline=None)  # disks pause
def test_read_lines_splits_at_newlines_only_and_drops_blank_lines(folder, text):
    path = folder / "lines.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))
    expected = []
    for line in naive_newlines(text).split("\n"):
        if line.strip():
            expected.append(line)
    assert read_lines(path) == expected


def test_read_lines_keeps_other_spaces(write):
    assert read_lines(write(" emma \r\n\r\n   \nava\tz")) == [" emma ", "ava\tz"]


# ---- files that no reader can read ----

ALL_READERS = [
    read_text, read_lines, read_sequences,
    lambda path: read_csv(path, 1), lambda path: read_json(path, ["title"]), read_recipes,
]


@pytest.mark.parametrize("reader", ALL_READERS)
@pytest.mark.parametrize("content, message", [
    (b"", "empty"),
    (b"\xef\xbb\xbf", "empty"),
    (b" \r\n\t\n", "white space"),
    (b"GIF\x00\x01", r"binary file \(byte 3 is zero\)"),
    (b"caf\xe9 au lait", "not UTF-8 .see line 1, byte E9"),
    (b"one\ncaf\xe9", "line 2, byte E9.*or its last letter is cut off"),
    (b"\xef\xbb\xbfcaf\xe9", "ends in the middle of a letter .its last bytes are E9"),
    (b"\xed\xa0\x80", "not UTF-8"),
    ("text".encode("utf-16"), "UTF-16.*--encoding utf-16$"),
    (b"\xfe\xff" + "text".encode("utf-16-be"), "UTF-16.*--encoding utf-16$"),
])
def test_a_file_that_is_not_text_is_refused(write, reader, content, message):
    path = write(content)
    with pytest.raises(InputError, match=message) as caught:
        reader(path)
    # a file that is not text is not called bad JSON, too
    assert "JSON" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("reader", ALL_READERS)
def test_a_missing_file_is_named(tmp_path, reader):
    path = tmp_path / "nowhere.txt"
    with pytest.raises(InputError, match="No such file") as caught:
        reader(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("reader", ALL_READERS)
def test_a_directory_is_named(tmp_path, reader):
    with pytest.raises(InputError, match="is a directory") as caught:
        reader(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_an_impossible_path_is_refused():
    with pytest.raises(InputError, match="cannot read"):
        read_text("no\0path")


def test_a_file_without_permission_is_named(write):
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no permission bits to take away")
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    path = write("text")
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied") as caught:
        read_text(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("error, reason", [
    (PermissionError(13, "Permission denied"), "Permission denied"),
    (OSError(5, "Input/output error"), "Input/output error"),
    (OSError("a reason without a number"), "a reason without a number"),
])
def test_an_error_of_the_system_becomes_an_input_error_with_its_reason(write, monkeypatch, error, reason):
    path = write("text")

    def refuse(*args, **kwargs):
        raise error

    with monkeypatch.context() as patch, pytest.raises(InputError) as caught:
        patch.setattr(builtins, "open", refuse)
        read_text(path)
    assert reason in str(caught.value) and str(path) in str(caught.value)


# ---- CSV ----

def test_a_csv_column_is_chosen_by_the_name_in_the_header(write):
    path = write('id,title\r\n1,"a, ""b"""\r\n2,\r\n\r\n3,"two\r\nlines"\r\n')
    assert read_csv(path, "title") == ['a, "b"', "two\nlines"]
    assert read_csv(path, "id") == ["1", "2", "3"]


def test_without_a_header_a_csv_column_is_chosen_by_number(write):
    path = write("x,y\nz, \nx,y\n")
    assert read_csv(path, 1) == read_csv(path, "1") == ["x", "z", "x"]
    assert read_csv(path, 2) == read_csv(path, "2") == ["y", "y"]


def test_ag_news_columns_have_names_although_the_file_has_no_header(write):
    path = write(AG_NEWS)
    assert AG_NEWS_COLUMNS == ("class", "title", "description")
    assert read_csv(path, "class") == ["3", "1"]
    assert read_csv(path, "title") == ["Fears for T N pension", "Kids\nwin"] == read_csv(path, 2)
    assert read_csv(path, "description") == ['Unions say, "no"', "A second line"]


@pytest.mark.parametrize("content, header", [
    ("class,title,text\n1,a,b\n", None), ("1,title,description\n1,a,b\n", None), ("0,title,5\n1,a,b\n", True),
    ("1,title\n1,a\n", True),
])
def test_a_file_unlike_ag_news_has_its_own_header(write, content, header):
    assert read_csv(write(content), "title", header=header) == ["a"]


@given(st.lists(st.lists(cell, min_size=2, max_size=2), min_size=1), st.sampled_from([1, 2]))
@settings(deadline=None)  # disks pause
def test_every_cell_that_a_csv_file_can_hold_is_read_back(folder, rows, column):
    path = folder / "cells.csv"
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    path.write_bytes(b"\xef\xbb\xbf" + buffer.getvalue().encode("utf-8"))
    expected = [row[column - 1] for row in rows if row[column - 1].strip()]
    if expected:
        assert read_csv(path, column, ",", header=False) == expected
    else:
        with pytest.raises(InputError, match="holds no text"):
            read_csv(path, column, ",", header=False)


@pytest.mark.parametrize("content, column, message", [
    ("id,title\n1,a\n", "name", "no column is 'name'.*--column NUMBER or NAME: 1 or id, 2 or title$"),
    ("id,title\n1,a\n", None, "no column was chosen.*1 or id, 2 or title$"),
    ("id,title\n1,a\n", 3, "no column is 3.*1 or id, 2 or title$"),
    ("id,title\n1,a\n", "3", "no column is 3.*1 or id, 2 or title$"),
    ("id,title\n1,a\n", 0, "no column is 0.*1 or id, 2 or title$"),
    ("id,title\n1,a\n", -1, "no column is -1.*1 or id, 2 or title$"),
    ("id,title\n1,a\n", 1.0, "no column is 1.0"),
    ("1\n2\n", 2, r"no column is 2.*--column NUMBER: 1 \('1'\)$"),
    ("1,a\n2,a\n", "title", r"called 'title'.*no header.*--header.*--column NUMBER: 1 \('1'\), 2 \('a'\)$"),
    ("id,id\n1,a\n", "id", "2 columns are called 'id', so choose one by its number; add --column"),
    (AG_NEWS, "headline", "no column is 'headline'.*1 or class, 2 or title, 3 or description$"),
    (AG_NEWS, None, "no column was chosen.*1 or class, 2 or title, 3 or description$"),
    ("id,title\n1,a\n2\n", "id", "line 3: expected 2 fields as in the first row, found 1"),
    ('id,title\n1,"a\nb"\n\n2,a,b\n', "id", "line 5: expected 2 fields as in the first row, found 3"),
    ('id,title\n1,"a\n2,b\n', "id", "line 2: a quote opens a cell that never ends"),
    ('id,title\n"1\n1","a\n2,b\n', "id", "line 3: a quote opens a cell that never ends"),
    ('id,title\n1,"a\n2,"b"\n', "id", "line 2: the row that begins there is malformed"),
    ('id,title\n1,"a" b\n', "id", "line 2: the row that begins there is malformed"),
    ("id,title\n1, \n2,\n", "title", "column 'title' of .* holds no text"),
    ("id,title\n", "title", "has a header, but no rows; add rows, or say --no-header"),
    ('""\n', 1, "column 1 of .* holds no text"),
])
def test_read_csv_says_what_is_wrong(write, content, column, message):
    path = write(content, "file.csv")
    with pytest.raises(InputError, match=message) as caught:
        read_csv(path, column)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_cell_beyond_the_limit_of_csv_is_read_and_the_limit_left_as_it_was(write, quote):
    before, cell = csv.field_size_limit(), "x" * (csv.field_size_limit() + 1)
    path = write(f"id,title\n1,{quote}{cell}{quote}\n", "file.csv")
    assert read_csv(path, "title") == [cell]
    with pytest.raises(InputError, match="line 3: a quote opens a cell that never ends"):
        read_csv(write(f'id,title\n1,{cell}\n2,"{cell}\n'), "title")
    assert csv.field_size_limit() == before


def test_the_columns_to_choose_from_are_shown_briefly(write):
    with pytest.raises(InputError) as caught:
        read_csv(write("x" * 5000 + ",b\n"), None)
    assert len(str(caught.value)) < 500


# ---- JSON ----

def test_json_fields_are_joined_and_entries_that_lack_one_are_skipped(write):
    path = write(json.dumps(RECIPES), "recipes.json")
    both = ["Toast | Cut bread. Toast it.", "Tea | Boil water."]
    assert read_json(path, ["title", "directions"]) == both
    assert read_json(path, ("directions", "title"), separator="\n") == [
        "Cut bread. Toast it.\nToast", "Boil water.\nTea"]
    assert read_json(path, ["title"]) == ["Toast", "No directions", "Tea"]


def test_recipes_are_read_in_their_published_form_and_those_without_directions_are_counted(write):
    path = write(json.dumps(RECIPES), "recipes.json")
    assert read_recipes(path) == (["Recipe for Toast | Cut bread. Toast it.", "Recipe for Tea | Boil water."], 3)


@pytest.mark.parametrize("content, message", [
    ([{"title": "Tea", "directions": [" ", ""]}], "holds no recipes: no object has both"),
    ([{"name": "Tea", "steps": ["Boil."]}], "holds no recipes"),
    ([{"title": "Tea", "directions": [1]}], r"entry 0 \(counted from 0\): 'directions' must be a string or a list"),
    ([{"title": "Tea", "directions": ["Boil."]}, {"title": {}}], "entry 1 .*'title' must be"),
    ({"title": "Tea"}, "must hold a JSON list"),
])
def test_a_file_without_recipes_is_refused(write, content, message):
    with pytest.raises(InputError, match=message):
        read_recipes(write(json.dumps(content), "recipes.json"))


@given(st.lists(st.one_of(st.none(), json_string, st.lists(json_string)), min_size=1))
@example(["\ud83d", "\ude00"])
@settings(deadline=None)  # disks pause
def test_every_string_that_json_can_hold_is_read_back(folder, values):
    path = folder / "values.json"
    path.write_text(json.dumps([{"value": value, "other": 1} for value in values]), encoding="utf-8")
    expected = []
    # JSON joins two surrogates in a string to one character
    for value in json.loads(json.dumps(values)):
        text = " ".join(value) if isinstance(value, list) else value
        if text is not None and text.strip():
            expected.append(text)
    if expected:
        assert read_json(path, ["value"]) == expected
    else:
        with pytest.raises(InputError, match="no entry has"):
            read_json(path, ["value"])


@pytest.mark.parametrize("content, fields, message", [
    (RECIPES, ["name"], "no entry has a value for the field 'name'; choose from title, directions, stars; "),
    (RECIPES, ["title", "name"], "no entry has a value for the field 'name'"),
    ([{"title": None}], ["title"], "no entry has a value for the field 'title'"),
    (RECIPES, None, "choose one or more of its fields by --column: title, directions, stars; several: --column title,dir"),
    (RECIPES, [], "choose one or more of its fields by --column: title, directions, stars; several: --column title,dir"),
    (RECIPES, "title", r"not one string: write \['title'\]"),
    ([{"a": "x"}, {"b": "y"}], ["a", "b"], r"no entry has text in all fields of \['a', 'b'\]"),
    ([{"a": " "}], ["a"], r"no entry has text in all fields of \['a'\]"),
    (RECIPES, ["stars"], r"entry 3 \(counted from 0\): 'stars' must be a string or a list of strings"),
    ([{"a": "x"}, {"a": {"b": 1}}], ["a"], r"entry 1 \(counted from 0\): 'a' must be"),
    ([{"a": ["x", 1]}], ["a"], r"entry 0 \(counted from 0\): 'a' must be"),
    ({"title": "x"}, ["title"], "must hold a JSON list of objects"),
    ("title", ["title"], "must hold a JSON list of objects"),
    ([], ["title"], "must hold a JSON list of objects, at least one"),
    ([{"title": "x"}, "y"], ["title"], r"entry 1 \(counted from 0\) must be an object"),
    (["x"], ["title"], r"entry 0 \(counted from 0\) must be an object"),
])
def test_read_json_says_what_is_wrong(write, content, fields, message):
    with pytest.raises(InputError, match=message):
        read_json(write(json.dumps(content)), fields)


@pytest.mark.parametrize("content, message", [
    ('[{"title": "x"},\n {"title": }]', "not JSON at line 2, column 12"),
    ('[{"title": "x"}', "not JSON at line 1, column 16"),
    ("[" * 200_000, "nested too deeply for JSON"),
    ('[{"a":' * 100_000, "nested too deeply for JSON"),
])
def test_broken_json_is_refused_with_its_position(write, content, message):
    path = write(content, "broken.json")
    with pytest.raises(InputError, match=message) as caught:
        read_json(path, ["title"])
    assert str(path) in str(caught.value)


def test_a_number_too_long_for_python_is_read_like_any_other(write):
    digits = "9" * 10_000
    assert read_json(write(f'[{{"title": "x", "n": {digits}}}, {{"title": "y", "n": -{digits}}}]'), ["title"]) == ["x", "y"]
    with pytest.raises(InputError, match="'n' must be a string"):
        read_json(write(f'[{{"title": "x", "n": {digits}}}]'), ["n"])


# ---- by suffix ----

def test_read_sequences_chooses_the_reader_by_suffix(write):
    assert read_sequences(write("emma\nava\n", "names.txt")) == (["emma", "ava"], "")
    assert read_sequences(write("emma,1\n", "names")).sequences == ["emma,1"]
    assert read_sequences(write("emma\nava\n"), running=True).sequences == ["emma\nava\n"]
    assert read_sequences(str(write("name\nemma\n", "names.CSV")), "name").sequences == ["emma"]
    path = write(json.dumps(RECIPES), "recipes.json")
    assert read_sequences(path, "title, directions").sequences == read_json(path, ["title", "directions"])
    assert read_sequences(path, "title").sequences == read_json(path, ["title"])


@pytest.mark.parametrize("content, name, column, message", [
    ("emma\n", "names.txt", "title", "read as plain text: say what it is, by --format csv, tsv, json or jsonl$"),
    ("emma\n", "names.txt", 1, "read as plain text"),
    ("id,title\n1,a\n", "file.csv", None, "1 or id, 2 or title"),
    (json.dumps(RECIPES), "file.json", None, "title, directions, stars"),
    (json.dumps(RECIPES), "file.json", 2, "field '2'"),
])
def test_read_sequences_says_what_is_wrong_with_the_column(write, content, name, column, message):
    with pytest.raises(InputError, match=message):
        read_sequences(write(content, name), column)


# ---- the validation set ----

shares = st.floats(0, 1, exclude_min=True, exclude_max=True)


@given(st.integers(2, 300), st.integers(0, 2**32), shares)
def test_split_sequences_makes_two_ordered_parts_that_share_nothing(total, seed, held_out):
    sequences = [str(number) for number in range(total)]
    train, valid = split_sequences(sequences, np.random.default_rng(seed), held_out)
    assert train and valid
    assert sorted(train + valid, key=int) == sequences
    assert train == sorted(train, key=int) and valid == sorted(valid, key=int)
    assert abs(len(valid) - held_out * total) <= 1
    assert (train, valid) == split_sequences(sequences, np.random.default_rng(seed), held_out)


@given(st.integers(2, 300), st.integers(0, 2**32), shares)
def test_split_text_takes_one_contiguous_validation_part(total, seed, held_out):
    # each character once
    text = "".join(chr(0x4e00 + number) for number in range(total))
    train, valid = split_text(text, np.random.default_rng(seed), held_out)
    assert train and valid and valid in text
    start = text.index(valid)
    assert train == text[:start] + text[start + len(valid):]
    assert abs(len(valid) - held_out * total) <= 1
    assert (train, valid) == split_text(text, np.random.default_rng(seed), held_out)


def test_every_sequence_and_every_part_can_become_the_validation_set():
    rng = np.random.default_rng(0)
    alone = {split_sequences(list("abcde"), rng, 0.2)[1][0] for _ in range(200)}
    assert alone == set("abcde")
    assert {split_text("abcde", rng, 0.4)[1] for _ in range(200)} == {"ab", "bc", "cd", "de"}


def test_the_validation_set_is_a_tenth_by_default():
    rng = np.random.default_rng(0)
    assert [len(part) for part in split_sequences(["a"] * 50, rng)] == [45, 5]
    assert [len(part) for part in split_text("a" * 50, rng)] == [45, 5]


@pytest.mark.parametrize("split, sequences", [(split_sequences, ["a", "b", "c"]), (split_text, "abc")])
@pytest.mark.parametrize("held_out", [0, 1, -0.1, 1.5, float("nan"), float("inf"), "0.1", None, True])
def test_a_fraction_outside_0_to_1_is_refused(split, sequences, held_out):
    with pytest.raises(InputError, match=f"fraction must be .* between 0 and 1.*not {held_out!r}"):
        split(sequences, np.random.default_rng(0), held_out)


@pytest.mark.parametrize("split, sequences, message", [
    (split_sequences, ["a"], "at least 2 sequences to choose from, and there are 1"),
    (split_sequences, [], "at least 2 sequences to choose from, and there are 0"),
    (split_text, "a", "at least 2 characters to choose from, and there are 1"),
    (split_sequences, "abc", "not one string: use split_text"),
    (split_text, ["a", "b"], "not list: use split_sequences"),
])
def test_too_little_or_the_wrong_kind_to_split_is_refused(split, sequences, message):
    with pytest.raises(InputError, match=message):
        split(sequences, np.random.default_rng(0))


@pytest.mark.parametrize("split, sequences", [(split_sequences, ["a", "b"]), (split_text, "ab")])
@pytest.mark.parametrize("rng", [0, None, np.random.RandomState(0)])
def test_a_seed_in_place_of_a_generator_is_refused(split, sequences, rng):
    with pytest.raises(InputError, match="rng must be a numpy Generator"):
        split(sequences, rng)


# ---- real data ----

@pytest.mark.parametrize("name, column, count, first", [
    ("ag_news_test.csv", "title", 7600, "Fears for T N pension after talks"),
    ("ag_news_test.csv", 2, 7600, "Fears for T N pension after talks"),
    ("names.txt", None, 32033, "emma"),
    ("public_domain_recipes.json", "title,directions", 409, None),
])
def test_real_files_are_read_completely(name, column, count, first):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout")
    sequences = read_sequences(path, column).sequences
    assert len(sequences) == count
    assert first is None or sequences[0] == first


def test_the_real_recipes_are_read_completely(real_data):
    recipes, left_out = read_recipes(real_data("public_domain_recipes.json"))
    assert (len(recipes), left_out) == (409, 0)
    assert recipes[0].startswith("Recipe for Älplermagronen (Alpine macaroni) | Fry bacon cubes in pot")


def test_a_real_text_is_read_to_the_last_byte():
    path = DATA / "tinyshakespeare.txt"
    if not path.exists():
        pytest.skip("tinyshakespeare.txt is not beside this checkout")
    assert len(read_text(path).encode("utf-8")) == 1_115_394
