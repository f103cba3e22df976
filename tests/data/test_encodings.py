"""The message about a file that is not UTF-8; the encoding that it suggests works."""

import bz2
import gzip
import io
import lzma
import re
import sys
import zipfile

import pytest

from minilstm.data.readers import read_lines, read_sequences, read_text
from minilstm.errors import InputError

QUOTES = "don’t say “it” – twice\n"
FRENCH = "Hélène écrivait à sa mère des lettres où le café était bon.\n"
RUSSIAN = "Широка страна моя родная, много в ней лесов, полей и рек!\n"
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたか頓と見当がつかぬ。\n"


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="file.txt"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name
    return write_file


@pytest.fixture(params=["with charset-normalizer", "without it"])
def either_way(request, monkeypatch):
    """With the package that guesses encodings (if installed) and without it."""
    if request.param == "without it":
        monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    else:
        pytest.importorskip("charset_normalizer")


def complaint(path, **options):
    with pytest.raises(InputError) as caught:
        read_text(path, **options)
    assert str(path) in str(caught.value) or "encoding" in options
    return str(caught.value)


def advised(sentence):
    """The encoding that the message names first."""
    return re.search(r"--encoding (\S+?)(,|$)", sentence)[1]


@pytest.mark.parametrize("text, encoding", [
    (QUOTES * 60, "cp1252"), ("café\n" * 50, "latin-1"), (FRENCH * 20, "cp1252"), ("Straße, schön und grün\n" * 20, "latin-1"),
    (FRENCH, "latin-1"),
])
def test_a_western_text_gets_the_right_encoding_suggested(write, either_way, text, encoding):
    path = write(text.encode(encoding))
    sentence = complaint(path)
    assert read_text(path, advised(sentence)) == text
    line = text.split("\n")[0]
    assert "line 1, byte" in sentence and any(word in sentence for word in line.split() if not word.isascii())


@pytest.mark.parametrize("text, encoding", [(RUSSIAN * 20, "cp1251"), (JAPANESE * 20, "shift_jis"), (RUSSIAN * 20, "koi8-r")])
def test_other_encodings_are_guessed_only_with_the_package(write, monkeypatch, text, encoding):
    path = write(text.encode(encoding))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "charset_normalizer", None)
        sentence = complaint(path)
    assert "cannot be found" in sentence and 'pip install "minilstm[encodings]"' in sentence and "latin" not in sentence.lower()
    pytest.importorskip("charset_normalizer")
    assert read_text(path, advised(complaint(path))) == text


def test_without_the_package_the_message_names_it(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    assert 'pip install "minilstm[encodings]" guesses better' in complaint(write(QUOTES.encode("cp1252")))


@pytest.mark.parametrize("text, kept, last", [("le café est fermé", 1, "C3"), ("“twice”", 2, "E2 80"), ("a 😀", 3, "F0 9F 98")])
def test_a_file_cut_inside_a_character_is_reported_with_what_to_do(write, text, kept, last):
    whole = text[:-1].encode()
    path = write(whole + text[-1].encode()[:kept])
    sentence = complaint(path)
    assert f"its last bytes are {last}" in sentence and "--encoding" not in sentence
    count = int(re.search(r"head -c (\d+)", sentence)[1])
    assert path.read_bytes()[:count] == whole


def test_a_single_error_in_utf8_is_reported_with_its_line_and_bytes(write):
    lines = [QUOTES.encode()] * 30
    lines[17] = b"don\xfft say\n"
    assert "is UTF-8, but not in line 18, byte FF: correct it there" in complaint(write(b"".join(lines)))
    lines[20] = b"caf\xe9\n"
    assert "line 18, byte FF, and 1 more places: correct" in complaint(write(b"".join(lines)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["plain words\n" * 3, JAPANESE * 2, "a", "soft\u00adhyphen, family 👩\u200d👩\n"])
def test_wide_encodings_are_named_with_and_without_a_byte_order_mark(write, encoding, text):
    path = write(text.encode(encoding))
    sentence = complaint(path)
    assert encoding[:6].upper() in sentence and advised(sentence) == encoding
    assert read_text(path, advised(sentence)) == text


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be"])
def test_wide_text_without_latin_letters_is_recognized_by_its_byte_order(write, encoding):
    assert advised(complaint(write("吾輩は猫である".encode(encoding)))) == encoding


def test_a_byte_order_mark_of_the_other_order_is_recognized_too(write):
    for mark, encoding in [(b"\xfe\xff", "utf-16"), (b"\x00\x00\xfe\xff", "utf-32")]:
        path = write(mark + "text".encode(f"{encoding}-be"))
        assert advised(complaint(path)) == encoding and read_text(path, encoding) == "text"


@pytest.mark.parametrize("name", ["nosuch", "rot13", "", "x\0y", "hex", "é"])
def test_an_unknown_encoding_is_refused_in_one_sentence(write, name):
    assert f"no encoding of text called {name!r}" in complaint(write(b"text"), encoding=name)


def test_bytes_that_are_invalid_in_the_encoding_are_reported(write):
    sentence = complaint(write(b"one\ntwo \x81\n"), encoding="cp1252")
    assert "is not cp1252: line 2, byte 81 means nothing in it; leave --encoding out" in sentence
    assert "binary" in complaint(write(b"one\0two"), encoding="latin-1")


@pytest.mark.parametrize("suffix, pack", [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_a_compressed_file_is_read_as_its_contents(write, suffix, pack):
    assert read_text(write(pack(QUOTES.encode()))) == QUOTES  # for any file name
    path = write(pack(b"id,title\n1,a b\n2,c d\n"), "news.csv" + suffix)
    assert read_sequences(path, "title").sequences == ["a b", "c d"]
    assert "UTF-8" in complaint(write(pack(FRENCH.encode("latin-1"))))
    packed = pack(QUOTES.encode() * 9)
    assert "is compressed by" in (sentence := complaint(write(packed[:-9]))) and "damaged" in sentence


def test_archives_and_documents_are_named_in_the_error(write):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "text")
    tar = b"a.txt".ljust(257, b"\0") + b"ustar\0" + b"\0" * 250
    for content, what in [(archive.getvalue(), "a zip archive"), (b"%PDF-1.7\n", "a PDF"), (tar, "a tar archive"),
                          (gzip.compress(tar), "a tar archive")]:
        assert what in complaint(write(content))


def test_standard_input_is_read_like_a_file(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("été\r\n\r\nhiver".encode())))
    assert read_lines("-") == ["été", "hiver"]
    with pytest.raises(InputError, match="standard input is empty"):
        read_lines("-")  # standard input is at its end
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="cannot read standard input"):
        read_lines("-")
