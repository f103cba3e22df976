"""Real files on disk to Python strings.

What comes out is either one running text, or a list of sequences: short texts that each
begin and end by themselves (a headline, a recipe, a name).

    read_text        any text file         one running text
    read_lines       any text file         a sequence a line
    read_csv         a table               a sequence a row, from one column
    read_json        objects               a sequence an object, from one or more fields
    read_recipes     objects               a sequence per object: title and directions
    read_columns     a table, objects      several columns or fields of each
    read_sequences   any of these          as the suffix says, or as it was asked for

Real files are broken in many ways, and a model learns whatever it is given. So a reader
either understands a file from its first byte to its last, or raises an InputError that
names the file, the place and what to do; and whatever had to be decided, it reports.

    files      bytes of a file, compressed or not, or of standard input
    encodings  bytes to characters
    plain      running text and lines            structure  what only looks like text
    rows       the rows of a table               tables     one column of them
    objects    fields of JSON                    formats    which of all these a file is
    columns    several columns or fields
    validation splits texts into training set and validation set
"""

from minilstm.data.readers.columns import read_columns
from minilstm.data.readers.files import STANDARD_INPUT, name_of
from minilstm.data.readers.formats import (
    FORMATS,
    TABLES,
    WITH_COLUMNS,
    format_of,
    read_sequences,
)
from minilstm.data.readers.validation import split_sequences, split_text
from minilstm.data.readers.objects import read_json, read_recipes
from minilstm.data.readers.plain import read_lines, read_text
from minilstm.data.readers.reading import Reading
from minilstm.data.readers.tables import AG_NEWS_COLUMNS, read_csv

__all__ = [
    "AG_NEWS_COLUMNS", "FORMATS", "Reading", "STANDARD_INPUT", "TABLES", "WITH_COLUMNS",
    "format_of", "name_of", "read_columns", "read_csv", "read_json", "read_lines",
    "read_recipes", "read_sequences", "read_text", "split_sequences", "split_text",
]  # fmt: skip
