"""The pictures of docs/learn.md show what ``minilstm learn`` prints today."""

import re
import runpy
import subprocess
import sys

import pytest
from PIL import Image

from minilstm.course.pictures import code_hash
from tests.helpers.paths import ROOT

SCRIPT = ROOT / "docs" / "pictures" / "draw_terminal.py"
PICTURES = sorted(SCRIPT.parent.glob("*.png"))
CLOCK = re.compile(r"\d\d:\d\d:\d\d")


def text(path):
    """The text of the screen, without the time of day."""
    with Image.open(path) as image:
        return CLOCK.sub("hh:mm:ss", image.text["Description"])


def test_the_page_shows_all_pictures_and_describes_them():
    page = (ROOT / "docs" / "learn.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"!\[([^\]]+)\]\(pictures/([^)]+)\)", page))
    assert sorted(shown.values()) == [path.name for path in PICTURES] and len(PICTURES) == 4


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_small_and_was_drawn_by_this_script(path):
    assert path.stat().st_size < 60_000
    with Image.open(path) as image:
        assert image.text["Code"] == code_hash(SCRIPT.read_text(encoding="utf-8"))
        assert len(image.convert("RGB").getcolors()) > 10  # there is text on it
    assert max(map(len, text(path).splitlines())) <= 80


def test_without_pyte_the_script_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyte", None)
    with pytest.raises(SystemExit, match=r"^pyte is missing: python -m pip install pyte matplotlib$"):
        runpy.run_path(str(SCRIPT))


@pytest.mark.thorough
def test_a_new_session_shows_the_same_screens(tmp_path):
    pytest.importorskip("pyte", reason="the screen is kept by pyte")
    pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    drawn = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True)
    assert drawn.returncode == 0, drawn.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in PICTURES]
    for path in PICTURES:
        assert text(tmp_path / path.name) == text(path)
