"""Shared by the tests of the command line: pictures of the loss are not drawn."""

import pytest
from matplotlib.figure import Figure

SAVEFIG = Figure.savefig


@pytest.fixture(autouse=True)
def blank_pictures(monkeypatch):
    """A picture is a few bytes.

    Drawing one takes longer than training a tiny model.
    """
    monkeypatch.setattr(Figure, "savefig", lambda self, file, format: file.write(b"no picture, in a test"))


@pytest.fixture
def real_pictures(blank_pictures, monkeypatch):
    """Pictures are drawn, for a test that reads one."""
    monkeypatch.setattr(Figure, "savefig", SAVEFIG)
