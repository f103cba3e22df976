"""Text that is really a table or a list gets a warning; prose does not."""

import json

import pytest

from minilstm.data.readers import read_sequences
from minilstm.data.readers.structure import CHARACTERS, structure_of

OBJECTS = [{"title": f"headline {k}", "text": "to be, or not"} for k in range(9)]
LINES = "".join(json.dumps(entry) + "\n" for entry in OBJECTS)
TABLE = "".join(f"{k}{{0}}a line of it{{0}}and more\n" for k in range(9))
PROSE = {
    "verse": "Roses are red,\nViolets are blue,\nSugar is sweet,\nAnd so are you.\n",
    "verse with a comma in every line": "Roses are red, violets blue\nSugar is sweet, and so are you\nLilies, too\n",
    "names": "emma\nolivia\nava\nisabella\n",
    "a song": "[Verse 1]\nLa la la\n[Chorus]\nLa, la, la\n",
    "a program": "def f(a,b):\n\treturn a,b\n\nx = [f(1,2),3]\nprint({'a': x})\n",
    "an indented program": "\ta = 1;\n\tb = 2;\n\tc = 3;\n",
    "C": '#include <stdio.h>\nint main(void) {\n  printf("a,b");\n  return 0;\n}\n',
    "a set": '{ "a", "b" }\n{ "c" }\n{ "d" }\n',
    "dialogue": '"Well," he said\n"Yes," she said\n"No," said I\n',
    "two lines": "a,b\nc,d\n",
    "mathematics": "a < b, b < c\n<a, b> is a product\n",
    "hearts": "<3 you\nlove it </3\n",
}


@pytest.mark.parametrize("text, what", [
    (LINES, "jsonl"), ("\n" + LINES, "jsonl"), (json.dumps(OBJECTS), "json"), (json.dumps(OBJECTS, indent=1), "json"),
    (json.dumps(OBJECTS[0]), "json"), (TABLE.format("\t"), "tsv"), (TABLE.format(","), "csv"), (TABLE.format(";"), "csv"),
    ("Anna\tf\nBruno\tm\nCleo\tf\n", "tsv"), ("<!DOCTYPE html>\n<p>Well</p>\n", "markup"),
    ('<?xml version="1.0"?>\n<a>b</a>', "markup"),
    ("<!-- made by -->\n<p>a</p>", "markup"), ("<doc id='1'>\nOnce\n</doc>\n", "markup"),
])
def test_structured_text_is_recognized(text, what):
    assert structure_of(text) == what
    # wherever the examined part ends
    assert structure_of(text * (CHARACTERS // len(text) + 2)) == what


@pytest.mark.parametrize("text", PROSE.values(), ids=PROSE)
def test_prose_verse_and_programs_get_no_warning(text):
    assert structure_of(text) is None


@pytest.mark.parametrize("name", ["tinyshakespeare.txt", "names.txt"])
def test_real_texts_get_no_warning(real_data, name):
    assert read_sequences(real_data(name)).how == ""


@pytest.mark.parametrize("text, column", [(LINES, "title"), (json.dumps(OBJECTS), "title"), (TABLE.format("\t"), "2"),
                                          (TABLE.format(";"), "2")])
def test_the_suggested_option_reads_the_text(tmp_path, text, column):
    path = tmp_path / "some.txt"
    path.write_text(text)
    message = read_sequences(path).how
    assert message.startswith("some.txt looks like ") and message.count(". ") == 0
    kind = message.split("--format ")[1].split()[0]
    assert read_sequences(path, column, kind).sequences[:1] in (["headline 0"], ["a line of it"])
    # with --format text there is no warning
    assert read_sequences(path, format="text").how == ""
