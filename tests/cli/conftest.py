"""What the tests of the command line share: pictures of the loss that take no time to draw."""

import pytest
from matplotlib.figure import Figure

SAVEFIG = Figure.savefig


@pytest.fixture(autouse=True)
def blank_pictures(monkeypatch):
    """A picture is a few bytes: drawing one takes longer than training a tiny model."""
    monkeypatch.setattr(Figure, "savefig", lambda self, file, format: file.write(b"no picture, in a test"))


@pytest.fixture
def real_pictures(blank_pictures, monkeypatch):
    """Pictures are drawn, for a test that looks at one."""
    monkeypatch.setattr(Figure, "savefig", SAVEFIG)
