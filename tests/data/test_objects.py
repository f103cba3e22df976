"""JSON Lines, and fields whose names are hard to type."""

import json
import shlex

import pytest

from minilstm.data.readers import read_json, read_recipes, read_sequences
from minilstm.errors import InputError

ENTRIES = [{"title": f"headline {k}", "text": ["to be", "or not"]} for k in range(3)]
ODD = [
    {" text": f"line {k}", "Lyrics, English": f"la {k}", 'the "best"': "x", "a,b": "y", "a": "z", "b": "w"} for k in range(3)
]


@pytest.fixture
def write(tmp_path):
    def write_file(content, name):
        (tmp_path / name).write_text(content, "utf-8")
        return tmp_path / name
    return write_file


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".JSONL"])
def test_json_lines_are_read_as_one_object_per_line(write, suffix):
    path = write("\n\n".join(map(json.dumps, ENTRIES)) + "\n", "lines" + suffix)
    assert read_sequences(path, "title") == ([f"headline {k}" for k in range(3)], "JSON Lines, field 'title'")
    assert read_sequences(path, "title,text").sequences[0] == "headline 0 | to be or not"
    assert read_json(path, ["text"], lines=True) == ["to be or not"] * 3


def test_recipes_are_read_from_json_lines_too(write):
    path = write('{"title": "Tea", "directions": ["Boil."]}\n{"title": "Air"}\n', "r.jsonl")
    assert read_recipes(path, lines=True) == (["Recipe for Tea | Boil."], 1)


@pytest.mark.parametrize("content, name, column, message", [
    ('{"a": "x"}\n{"a": }\n', "f.jsonl", "a", "not JSON at line 2, column 7 .*correct the line$"),
    ('[{"a": "x"},\n {"a": "y"}]\n', "f.jsonl", "a", "not JSON at line 1.*one list of objects, add --format json$"),
    ('[{"a": "x"}]\n', "f.jsonl", "a", "line 1, must be an object.*--format json"),
    ('{"a": "x"}\n{"a": "y"}\n', "f.json", "a", "not JSON at line 2.*each line is an object of its own, add --format jsonl$"),
    ('{"a": "x"}\n', "f.jsonl", None, "f.jsonl: choose one or more of its fields by --column: a$"),
    ("[" * 100_000 + "\n", "f.jsonl", "a", "nested too deeply"),
])
def test_errors_in_json_lines_suggest_the_right_format(write, content, name, column, message):
    with pytest.raises(InputError, match=message):
        read_sequences(write(content, name), column)


@pytest.mark.parametrize("typed, first", [
    (" text", "line 0"), ("Lyrics, English", "la 0"), ('the "best"', "x"), ("a,b", "y"), ('a,"b"', "z | w"), ("b , a", "w | z"),
    ('" text","Lyrics, English"', "line 0 | la 0"), ('a,"the ""best"""', "z | x"), (" a ", "z"), ('"a,b"', "y"),
])
def test_any_key_can_be_read(write, typed, first):
    path = write(json.dumps(ODD), "odd.json")
    assert read_sequences(path, typed).sequences[0] == first


def test_the_suggested_fields_can_be_typed_unchanged(write):
    path = write(json.dumps([dict(list(entry.items())[:4]) for entry in ODD]), "odd.json")
    with pytest.raises(InputError) as caught:
        read_sequences(path)
    single, several = str(caught.value).split("by --column: ")[1].split("; several: --column ")
    names = [part for part in shlex.split(single.replace(", '", " '").replace(", a", " a"))]
    assert names == [" text", "Lyrics, English", 'the "best"', "a,b"]
    assert [read_sequences(path, name).sequences[0] for name in names] == ["line 0", "la 0", "x", "y"]
    assert read_sequences(path, *shlex.split(several)).sequences[0] == "line 0 | la 0"


def test_unbalanced_quotes_belong_to_a_name(write):
    with pytest.raises(InputError, match="no entry has a value for the field '\"a'"):
        read_sequences(write(json.dumps(ODD), "odd.json"), '"a')
