"""Several columns of a table, or fields of objects."""

import pytest

from minilstm.data.readers import read_columns
from minilstm.errors import InputError

TWO = [("--column", None), ("--target", None)]


def test_columns_are_read_in_the_order_asked_for_and_blank_cells_stay(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,size,word\nAnn,3,\nBob,4,b\n")
    cells = read_columns(path, [("--column", "word"), ("--label", "1")])
    assert cells.rows == [("", "Ann"), ("b", "Bob")] and cells.names == ["word", "name"]
    assert read_columns(path, [("--column", "word")], others=True).names == ["word", "name", "size"]


def test_a_table_of_two_columns_needs_no_choice(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("one\tuno\ntwo\tdos\nthree\ttres\n")
    assert read_columns(path, TWO, in_order=True).rows[0] == ("one", "uno")
    with pytest.raises(InputError, match="add --column"):
        read_columns(path, TWO)


def test_fields_of_objects_are_text_numbers_or_lists(tmp_path):
    path = tmp_path / "t.json"
    path.write_text('[{"a": "x", "b": [1, 0.5], "c": true}, {"a": null, "b": 2, "c": "y"}]')
    cells = read_columns(path, [("--column", "a"), ("--features", "b"), ("--label", "c")])
    assert cells.rows == [("x", "1 0.5", "true"), ("", "2", "y")]


@pytest.mark.parametrize(
    "text, column, words",
    [
        ('[{"a": {"b": 1}}]', "a", "object 1: 'a' must be text"),
        ('[{"a": 1}]', "b", "no 'b'; add --label NAME: a"),
        ('[{"a": 1}]', None, "no field was chosen; add --label"),
    ],
)
def test_wrong_objects_are_refused(tmp_path, text, column, words):
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_columns(path, [("--label", column)])


def test_plain_text_has_no_columns(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("some words\nand others")
    with pytest.raises(InputError, match="plain text.*--format"):
        read_columns(path, TWO)
