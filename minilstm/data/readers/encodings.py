"""From bytes to characters, and what a file seems to be that is not UTF-8.

Nothing is guessed: a file is UTF-8, or it is refused with what was found and
the option that reads it. A wrong guess would be learned as text, for Windows-1252 read
as Latin-1 gives characters too, only others. What can be found:

    a byte order mark       UTF-32 before UTF-16, whose mark begins that of UTF-32
    zero bytes              UTF-16 or UTF-32 without a mark, or no text at all
    a letter cut in two     UTF-8 whose end is missing
    few bad places          UTF-8 with a mistake: its line and its bytes
    many                    another encoding: those that it may be, and how they read it
"""

from __future__ import annotations

import codecs
import re
import unicodedata

from minilstm.errors import InputError, to_install

MARKS = {
    codecs.BOM_UTF32_LE: ("UTF-32", "utf-32"),
    codecs.BOM_UTF32_BE: ("UTF-32", "utf-32"),
    codecs.BOM_UTF16_LE: ("UTF-16", "utf-16"),
    codecs.BOM_UTF16_BE: ("UTF-16", "utf-16"),
}
SAMPLE = 1 << 16  # bytes that a guess looks at
SHOWN = 40  # characters of a line that a guess is shown by
GUESSES = 3
COMMON = [
    "cp1252",
    "cp1251",
    "koi8_r",
    "shift_jis",
    "gb18030",
    "big5",
    "euc_jp",
    "euc_kr",
]
WESTERN = 0.4  # share of bytes beyond ASCII; a Western text has fewer
NO_CHARACTERS = {"Cc", "Cn", "Co", "Cs"}  # categories that no text is full of
INSTALL = to_install("encodings")


def decode(data: bytes, encoding: str | None, name: str) -> str:
    """The characters of a file; a byte order mark is dropped.

    Parameters
    ----------
    encoding : as Python calls it; None: UTF-8.
    name : of the file, for messages.

    Raises InputError, with what was found, if the bytes are no text in this encoding.
    """
    if encoding is None:
        _check_marks_and_zeros(data, name)
    try:
        text = data.decode("utf-8" if encoding is None else encoding)
    except UnicodeDecodeError as error:
        found = (
            _not_utf8(data, error)
            if encoding is None
            else _not_in(data, error, encoding)
        )
        raise InputError(f"{name} {found}") from error
    except (LookupError, ValueError) as error:
        raise InputError(
            f"there is no encoding of text called {encoding!r}:"
            " try utf-8, cp1252, latin-1,"
            " utf-16, cp1251, shift_jis, gb18030 or big5"
        ) from error
    if "\0" in text:
        raise InputError(_binary(name, data.find(b"\0")))
    return text.removeprefix("\ufeff")


def _check_marks_and_zeros(data: bytes, name: str) -> None:
    """Refuse UTF-16 and UTF-32, with or without a byte order mark, and non-text."""
    for mark, (kind, encoding) in MARKS.items():
        if data.startswith(mark):
            raise InputError(
                f"{name} is {kind}, by its first bytes: add --encoding {encoding}"
            )
    zero = data.find(b"\0")
    if zero >= 0:
        wide = _wide_encoding(data)
        if wide is None:
            raise InputError(_binary(name, zero))
        raise InputError(f"{name} looks like {wide[:6].upper()}: add --encoding {wide}")


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 in either byte order, if the bytes make sense in it."""
    sample = data[:SAMPLE]
    odd, even = sample[1::2].count(0), sample[::2].count(0)
    order = "le" if odd >= even else "be"  # zeros are the upper halves of Latin letters
    for encoding in ("utf-32-le", "utf-32-be", f"utf-16-{order}"):
        if len(data) % (4 if "32" in encoding else 2):
            continue
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(sample)
        except UnicodeDecodeError:
            continue
        characters = (c for c in text if not c.isspace())
        if all(unicodedata.category(c) not in NO_CHARACTERS for c in characters):
            return encoding
    return None


def _binary(name: str, zero: int) -> str:
    return f"{name} looks like a binary file (byte {zero} is zero): name a text file"


def _not_in(data: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    place = _place(data, error.start, error.end)
    return (
        f"is not {encoding}: {place} means nothing in it;"
        " leave --encoding out to see what it may be"
    )


def _not_utf8(data: bytes, error: UnicodeDecodeError) -> str:
    """What was found in bytes that are not UTF-8, and what to do."""
    text = data.decode("utf-8", "replace")
    bad = len(re.findall("\ufffd+", text)) - data.count("\ufffd".encode())
    good = len(text) - len(text.encode("ascii", "ignore")) - text.count("\ufffd")
    is_cut = error.end == len(data) and error.reason == "unexpected end of data"
    place = _place(data, error.start, error.end)
    if is_cut and (good or error.end - error.start > 1):
        return (
            "ends in the middle of a letter (its last bytes are"
            f" {_hex(data[error.start :])}) and"
            " seems to be cut off: get it again, or keep what is whole of it, the first"
            f" {error.start:,} bytes, as `head -c {error.start} FILE > WHOLE` does"
        )
    if good > bad:
        others = f", and {bad - 1:,} more places" if bad > 1 else ""
        return f"is UTF-8, but not in {place}{others}: correct it there"
    cut = " (or its last letter is cut off)" if is_cut else ""
    return f"is not UTF-8 (see {place}){cut}{_likely(data, error.start)}"


def _likely(data: bytes, bad: int) -> str:
    """Encodings that it may be, and what each makes of the line of byte ``bad``."""
    first, last = data.rfind(b"\n", 0, bad) + 1, data.find(b"\n", bad)
    line = data[
        max(first, bad - SAMPLE) : min(len(data) if last < 0 else last, bad + SAMPLE)
    ]
    guesses, is_own = _guesses(data[max(0, bad - SAMPLE) : bad + SAMPLE])
    readings: dict[str, str] = {}  # what is read, by which; encodings may agree
    for encoding in guesses:
        try:
            data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        readings.setdefault(_excerpt(line.decode(encoding, "ignore")), encoding)
    better = f"; {INSTALL} guesses better" if is_own else ""
    if not readings:
        return f", and its encoding cannot be found: add --encoding NAME{better}"
    found = [
        f"--encoding {name}, which reads {line!r}" for line, name in readings.items()
    ]
    return f": add {' or '.join(found[:GUESSES])}{better}"


def _guesses(sample: bytes) -> tuple[list[str], bool]:
    """Encodings, the likeliest first; and whether that is a judgement of our own."""
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return _own_guesses(sample), True
    matches = sorted(
        from_bytes(sample), key=lambda match: (match.chaos, -match.coherence)
    )
    best = [match for match in matches if match.chaos == matches[0].chaos]
    names = [
        next(
            (name for name in COMMON if name in match.could_be_from_charset),
            match.encoding,
        )
        for match in best
    ]
    return sorted(names, key=lambda name: name != COMMON[0]), False


def _own_guesses(sample: bytes) -> list[str]:
    """Windows-1252 or Latin-1 for a Western text: they differ in bytes 80 to 9F."""
    if sum(byte > 0x7F for byte in sample) > WESTERN * len(sample):
        return []
    return ["cp1252" if any(0x80 <= byte <= 0x9F for byte in sample) else "latin-1"]


def _excerpt(line: str) -> str:
    """The line around its first character that is not ASCII."""
    place = next((k for k, character in enumerate(line) if character > "\x7f"), 0)
    return line[max(0, place - SHOWN // 2) : place + SHOWN // 2].strip()


def _place(data: bytes, start: int, end: int) -> str:
    """Line and bytes, for people."""
    newline = b"\n" if b"\n" in data else b"\r"
    line = data.count(newline, 0, start) + 1
    return f"line {line:,}, byte{'s' * (end - start > 1)} {_hex(data[start:end])}"


def _hex(some: bytes) -> str:
    return some.hex(" ").upper()
