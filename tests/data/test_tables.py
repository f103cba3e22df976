"""Tables: the separator, the column and the header are found and reported."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minilstm.data.readers import read_csv, read_sequences
from minilstm.data.readers.tables import looks_like_header
from minilstm.errors import InputError

STARS = "2,the food was cold and the waiter was rude\n1,lovely place\n5,we will come again\n"
AG_NEWS = '"3","Fears for T N pension after talks","Unions say no"\n"1","Kids win","A line"\n'


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="file.csv"):
        (tmp_path / name).write_bytes(content.encode())
        return tmp_path / name
    return write_file


def how(path, column, **options):
    return read_sequences(path, column, **options).how


# ---- header or not ----

@pytest.mark.parametrize("content", [
    "id,title\n1,a\n", "class,title,description\n1,a,b\n", "1,title,description\n1,a b c d e,f\n",
    "1,title,description\n7,a b c d e,f\n", ",title,text\n0,a,b\n", ",text\n0,a\n", "text\na long line of text\n",
    '"Lyrics, English",Year of publication\nla la la,1999\n', "標題,文\n一,二\n",
    "#,Name,Total (%)\n1,a,3\n", "_id,text\n1,a\n",
])
def test_a_row_of_names_is_a_header(write, content):
    (first, *rows) = csv.reader(io.StringIO(content))
    last = len(first)
    assert looks_like_header(first, rows) and "first row a header" in how(write(content), last)
    assert read_csv(write(content), last) == [row[-1] for row in rows]


@pytest.mark.parametrize("content", [
    STARS, AG_NEWS, "Anna,f\nBruno,m\nCleo,f\n", "1,2\n3,4\n", "1,lovely place\n2,a b\n", "2024-01-05,lovely place\n1,b\n",
    "Go on with all of it now,Continue tout cela maintenant\nb,c\n", '"x"\n"x"\n', f"{'x' * 41},title\na,b\n",
])
def test_any_other_first_row_is_data(write, content):
    rows = list(csv.reader(io.StringIO(content)))
    last = len(rows[0])
    assert not looks_like_header(rows[0], rows[1:]) and "no header" in how(write(content), last)
    assert read_csv(write(content), last) == [row[-1] for row in rows]


def test_a_name_that_returns_after_a_thousand_rows_is_still_a_header(write):
    rows = [str(k) for k in range(1000)]
    path = write("\n".join(["name", *rows, "name"]))
    assert "first row a header" in how(path, 1) and read_csv(path, "name") == [*rows, "name"]
    path = write("\n".join(["name", *rows[1:], "name", "other"]))
    assert "no header" in how(path, 1) and read_csv(path, 1) == ["name", *rows[1:], "name", "other"]


@pytest.mark.parametrize("header, cells", [(True, ["lovely place", "we will come again"]), (False, None)])
def test_the_option_decides_whether_there_is_a_header(write, header, cells):
    path = write(STARS)
    assert read_csv(path, 2, header=header) == (cells or [line.partition(",")[2] for line in STARS.splitlines()])
    assert read_csv(write("id,title\n1,a\n"), 2, header=header) == (["a"] if header else ["title", "a"])


# ---- a number is a number ----

def test_a_number_chooses_a_column_by_position_for_any_cells(write):
    path = write(STARS)
    assert read_csv(path, "2") == read_csv(path, 2) == [line.partition(",")[2] for line in STARS.splitlines()]
    path = write(AG_NEWS)
    assert read_csv(path, "3") == ["Unions say no", "A line"]
    path = write("id,3,text\n1,a,b\n2,c,d\n")
    assert read_csv(path, "3") == ["b", "d"] and read_csv(path, "2") == ["a", "c"]
    assert "column 3 'text' (a number counts columns; the one called '3' is number 2)" in how(path, "3")
    with pytest.raises(InputError, match=r"1 or id, 2 \('3'\), 3 or text$"):
        read_csv(path, None)


@given(st.lists(st.sampled_from(["1", "2", "3", "title", "a b c d e"]), min_size=3, max_size=9), st.integers(1, 3),
       st.booleans())
@settings(deadline=None)
def test_a_number_is_never_compared_with_the_cells(tmp_path_factory, cells, number, header):
    rows = [cells[k : k + 3] for k in range(0, len(cells) - 2, 3)]
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    expected = [row[number - 1] for row in rows[header:]]
    if expected:
        assert read_csv(path, str(number), header=header) == read_csv(path, number, header=header) == expected


@pytest.mark.parametrize("name, number", [("class", 1), ("title", 2), ("description", 3)])
def test_the_names_of_ag_news_are_those_of_a_file_whose_rows_all_begin_with_a_class(write, name, number):
    path = write(AG_NEWS)
    assert read_csv(path, name) == read_csv(path, number)
    assert f"no header, columns of AG News, column {number} {name!r}" in how(path, name)
    path = write(AG_NEWS + '"5","x","y"\n')
    with pytest.raises(InputError, match="no AG News file, for row 3 begins with '5'.*by its number"):
        read_csv(path, name)
    assert len(read_csv(path, number)) == 3


def test_a_name_needs_a_header(write):
    for content in (STARS, "1,a,b,c\n2,a,e,f\n", "5,a long title of many words,x\n1,b,x\n"):
        with pytest.raises(InputError, match="no column is called 'title', for the first row is no header"):
            read_csv(write(content), "title")


# ---- separators ----

@pytest.mark.parametrize("separator, called", [(",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "|")])
def test_the_separator_is_found_and_reported(write, separator, called):
    rows = [["id", "title", "text"], *([str(k), f"Titel {k}", "ein Satz, mit Komma; und mehr"] for k in range(20))]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator).writerows(rows)
    path = write(buffer.getvalue())
    assert read_csv(path, "title") == [row[1] for row in rows[1:]]
    assert read_csv(path, "text") == [row[2] for row in rows[1:]]
    assert f"separated by {called}, first row a header, column 2 'title'" == how(path, "title")


@pytest.mark.parametrize("content, cells", [
    # a comma and a space in every row are prose
    ("1;ja, gut\n2;nein, schlecht\n", ["ja, gut", "nein, schlecht"]),
    ("1,a;b\n2,c\n", ["a;b", "c"]),
    ("1,2;3\n2,3;4\n", ["2;3", "3;4"]),  # a comma if undecided
    ('1,"a;b;c"\n2,"d;e"\n', ["a;b;c", "d;e"]),
    ("eee,e\nee,ee\n", ["e", "ee"]),
])
def test_the_separator_splits_all_rows_into_equally_many_cells(write, content, cells):
    assert read_csv(write(content), 2, header=False) == cells


def test_one_column_needs_no_separator(write):
    assert read_csv(write("text\nline one\nline two\n"), "text") == ["line one", "line two"]


def test_a_given_separator_is_used(write):
    path = write("1:b c\n2:e, f\n")
    assert read_csv(path, 2, separator=":") == ["b c", "e, f"]
    assert "separated by ':'" in how(path, 2, separator=":")
    assert read_csv(write("1;2,5\n2;3,5\n"), 2, separator=";") == ["2,5", "3,5"]


def test_uneven_rows_are_reported_with_the_separator_that_was_found(write):
    with pytest.raises(InputError, match="line 3: expected 3 fields as in the first row, found 2, cut at semicolons"):
        read_csv(write("id;title;text\n1;a;b\n2;c\n"), "title")


def test_a_tab_separated_file_is_read_with_and_without_quoting(write):
    assert read_sequences(write("id\ttext\n0\tday 0\n", "d.tsv"), "text").sequences == ["day 0"]
    assert read_sequences(write('1\t"a\tb"\n2\tc\n', "d.tsv"), 2).sequences == ["a\tb", "c"]
    for content in ('id\ttext\n1\t"So," he said\n2\tb\n', 'id\ttext\n1\t"So, he said\n2\tb\n'):
        read = read_sequences(write(content, "d.tsv"), "text")
        assert read.sequences == [content.split("\t")[2].partition("\n")[0], "b"] and "quotes taken as they are" in read.how
    with pytest.raises(InputError, match="line 2: expected 2 fields"):
        read_sequences(write("a\tb\nc\n", "d.tsv"), 1)


def test_blank_lines_count_in_the_reported_line_number(write):
    with pytest.raises(InputError, match="line 4: expected 2"):
        read_csv(write("\n\na,b\nc\n"), 1)
