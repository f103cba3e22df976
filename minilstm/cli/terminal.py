"""Text for a terminal: what is harmless to show there, how wide it is, and columns.

A model may generate any character that it has read, also control characters, which a
terminal obeys. East Asian characters fill two columns of a terminal and combining marks
none, so that a string's length is not its width.
"""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence

NARROWEST = 20  # columns; on less nothing can be laid out
BETWEEN = " | "


def terminal_width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return max(NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def can_show(characters: str) -> bool:
    """Whether the output is a terminal that moves its cursor and prints these characters."""
    moves = os.environ.get("TERM", "dumb") not in ("", "dumb")
    moves = moves or "WT_SESSION" in os.environ  # Windows Terminal
    if not (sys.stdout.isatty() and moves):
        return False
    try:
        characters.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return True


def harmless(text: str) -> str:
    """Control characters as Python writes them, but newlines and tabs as they are.

    >>> harmless("red: " + chr(27) + "[31m")
    'red: \\\\x1b[31m'
    """
    return "".join(
        repr(c)[1:-1] if unicodedata.category(c) == "Cc" and c not in "\n\t" else c
        for c in text
    )


def columns(text: str) -> int:
    """How many columns a line of text fills."""
    return sum(map(_columns, text))


def pad(text: str, width: int) -> str:
    """The text, and spaces up to this width."""
    return text + " " * (width - columns(text))


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most this width, broken at spaces if there are some.

    Newlines stay. No line ends with a space.
    """
    lines = []
    for line in text.expandtabs(4).split("\n"):
        line = line.rstrip(" ")
        while (fitting := _fitting(line, width)) < len(line):
            space = line.rfind(" ", 1, fitting + 1)
            cut = fitting if space < 0 else space
            lines.append(line[:cut].rstrip(" "))
            line = line[cut:].removeprefix(" ")
        lines.append(line)
    return lines


def beside(texts: Sequence[str], width: int) -> list[str]:
    """Lines with the texts side by side, each wrapped to a column of this width."""
    wrapped = [wrap(text, width) for text in texts]
    height = max(map(len, wrapped))
    rows = zip(*(lines + [""] * (height - len(lines)) for lines in wrapped))
    return [BETWEEN.join(pad(part, width) for part in row).rstrip() for row in rows]


def title(prompt: str, width: int) -> str:
    """A line to stand above the texts of a prompt; of a long one it shows the end."""
    room = width - columns("after ''")
    shown = repr(prompt)[1:-1]
    if columns(shown) > room:
        prompt = "…" + prompt[-room:]
        while columns(repr(prompt)[1:-1]) > room:
            prompt = "…" + prompt[2:]
    return f"after {prompt!r}"


def _columns(c: str) -> int:
    if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def _fitting(line: str, width: int) -> int:
    """How many characters fit, at least one."""
    used = 0
    for k, c in enumerate(line):
        used += _columns(c)
        if used > width and k > 0:
            return k
    return len(line)
