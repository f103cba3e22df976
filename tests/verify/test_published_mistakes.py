"""Mistakes that public code had are named by ``minilstm check``, as docs/check-a-file.md shows."""

import re

import pytest

from minilstm.verify.files.check import check_source
from minilstm.verify.files.known import known_in
from minilstm.verify.layouts.presets import LAYOUTS
from tests.helpers import transcripts
from tests.helpers.commands import check_in_this_process
from tests.helpers.paths import ROOT
from tests.helpers.text import one_line

NAMED = {  # the place, the mistake, and what it is in the words of the file
    "cs231n.py": ("lstm_step_backward (line 21): wrong", "only the part of dc through next_h",
                  "dnext_h * o * (1 - tanh_c**2)", "In dprev_c[0, 0] is"),
    "deeplearning_ai.ipynb": ("lstm_backward (code cell 4, line 1): wrong", "both gradients dropped between steps",
                              "right at the last step, wrong from the step before", "dbf, dbi, dbc, dbo, dWf"),
    "d2l.py": ("lstm_step_backward (line 27): wrong", "sigmoid in place of its derivative at the forget gate",
               "wrong in db_f, dW_xf, dW_hf, dX, dH_prev", "F is already the sigmoid", "In db_f[0] is"),
    "pytorch.py": ("lstm_cell_backward (line 23): wrong", "bias of the input gate from its neighbour",
                   "wrong in grad_bias_ih (input gate)", "In grad_bias_ih[0] (rows 0 to H: your input gate)"),
    "minilstm.py": ("lstm_step_backward (line 21): wrong", "tanh of tanh(c)", "(1 - np.tanh(tanh_c)**2)", "In dc_prev, entry"),
}  # fmt: skip
ROUNDING = re.compile(r"\d(\.\d+)?e-\d+")


def printed(name):
    """The results as the command prints them, without its first lines."""
    events = []
    check_source(ROOT / transcripts.PUBLISHED_FOLDER / name, events.append)
    return "\n".join(event.text for event in events if event.kind == "result")


@pytest.mark.parametrize("name", NAMED)
def test_the_mistake_is_named_in_the_words_of_the_file(name):
    text = one_line(printed(name))
    assert [words for words in NAMED[name] if words not in text] == [], text


@pytest.mark.parametrize("name", transcripts.PUBLISHED)
def test_the_transcripts_of_the_page_are_what_is_printed(run, name, monkeypatch):
    monkeypatch.chdir(ROOT)
    check_in_this_process(monkeypatch)
    status, out, error = run(*transcripts.command(name))
    assert (status, error) == (1, "")
    assert max(map(len, out.splitlines())) <= 80
    same = lambda text: ROUNDING.sub("small", text)
    assert same(transcripts.in_page()[name]) == same(transcripts.transcript(name, out)), "python -m tests.helpers.transcripts"


def test_the_page_has_the_names_of_all_layouts_and_of_their_first_functions():
    page = transcripts.PAGE.read_text(encoding="utf-8")
    seen = {known.layout.name: known for known in reversed(known_in(LAYOUTS.values()))}
    assert len(seen) == len(LAYOUTS)
    for layout, known in seen.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{layout}` |"))
        assert all(f"`{name}`" in row for name in known.names), layout
