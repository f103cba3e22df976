"""Text that fits a terminal and cannot harm it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.cli.terminal import beside, columns, harmless, pad, terminal_width, title, wrap


def test_control_characters_are_shown_and_newlines_and_tabs_stay():
    assert harmless("a\x1b[2J\r\x00\x9b\x7fb\n\tc é 漢 \\") == "a\\x1b[2J\\r\\x00\\x9b\\x7fb\n\tc é 漢 \\"


def test_wide_characters_fill_two_columns_and_combining_ones_none():
    assert [columns(text) for text in ("", "abc", "漢字", "e\u0301", "a\u200bb")] == [0, 3, 4, 1, 2]
    assert pad("漢", 4) == "漢  "


@pytest.mark.parametrize(
    "text, width, lines",
    [
        ("", 5, [""]),
        ("red hood", 8, ["red hood"]),
        ("red hood", 7, ["red", "hood"]),
        ("red hood", 4, ["red", "hood"]),
        ("red hood", 3, ["red", "hoo", "d"]),
        ("a\n\nb", 3, ["a", "", "b"]),
        ("a b c d", 3, ["a b", "c d"]),
        ("漢字漢", 4, ["漢字", "漢"]),
        ("漢", 1, ["漢"]),
        ("a\tb", 9, ["a   b"]),
        ("ab ", 2, ["ab"]),
        ("ab   cd", 3, ["ab", " cd"]),
    ],
)
def test_lines_are_broken_at_spaces_if_possible(text, width, lines):
    assert wrap(text, width) == lines


@given(st.text("ab 漢\n"), st.integers(2, 9))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text, width):
    lines = wrap(text, width)
    assert max(map(columns, lines)) <= width
    assert not any(line.endswith(" ") for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_texts_are_printed_side_by_side():
    assert beside(["one two", "x"], 5) == ["one   | x", "two   |"]


@given(st.text(min_size=1), st.integers(20, 60))
def test_a_title_is_one_harmless_line_that_fits_and_shows_the_end_of_the_prompt(prompt, width):
    line = title(prompt, width)
    assert columns(line) <= width and line.startswith("after ") and line.isprintable()
    assert repr(prompt) in line or repr(prompt[-1])[1:-1] in line and "…" in line


def test_without_a_terminal_there_are_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "57")
    assert terminal_width() == 57
    monkeypatch.setenv("COLUMNS", "3")
    assert terminal_width() == 20
