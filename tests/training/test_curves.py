"""Curves as text, and when they are drawn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import Adam, LanguageModel
from minilstm.data.batches import SequenceBatches
from minilstm.training.callbacks import ValidationLoss, History
from minilstm.training.curves import HEIGHT, NARROWEST, ROWS, WIDEST, LiveCurves, draw
from minilstm.training.loop import HistoryRow, Training, fit
from tests.helpers.terminal import screen

LOSSES = st.floats(0, 1e30) | st.sampled_from([math.inf, math.nan])


def rows(losses, validation=(), floor=None):
    """Ten steps per row; the validation loss belongs to the last of them."""
    validation = [None] * (len(losses) - len(validation)) + list(validation)
    return [HistoryRow(1, 10 * k, a, b, floor, 1.0, 1.0) for k, (a, b) in enumerate(zip(losses, validation), 1)]


def cells(text):
    """The characters right of the axis, from top to bottom, equally wide."""
    lines = text.split("\n")[:ROWS]
    assert all(line.count("│") == 1 for line in lines)
    parts = [line.split("│")[1] for line in lines]
    return [part.ljust(max(map(len, parts))) for part in parts]


@given(
    st.lists(st.tuples(LOSSES, st.none() | LOSSES), max_size=60), st.none() | st.floats(1e-3, 10),
    st.integers(NARROWEST - 1, WIDEST - 1), st.booleans(),
)
def test_any_history_gives_a_block_of_fixed_height_within_the_width(losses, floor, width, colours):
    text = draw([HistoryRow(1, 7 * k, a, b, floor, 1.0, 1.0) for k, (a, b) in enumerate(losses, 1)], width, colours)
    if not any(math.isfinite(a) for a, _ in losses):
        assert text == ""
        return
    lines = screen(text)
    assert len(lines) == text.count("\n") + 1 == HEIGHT and max(map(len, lines)) <= width
    assert ("o validation" in lines[-1]) == any(b is not None and math.isfinite(b) for _, b in losses)
    assert ("floor" in lines[-1]) == (floor is not None)


def test_a_falling_loss_falls_from_the_top_left_to_the_bottom_right():
    picture = cells(draw(rows([math.exp(-k / 5) for k in range(40)]), 79))
    heights = [[k for k, line in enumerate(picture) if line[column] != " "] for column in range(2, len(picture[0]))]
    assert all(heights) and heights[0] == [0] and heights[-1] == [ROWS - 1]
    middles = [sum(rows_of) / len(rows_of) for rows_of in heights]
    assert middles == sorted(middles)
    # halfway on the logarithmic axis, too
    assert abs(middles[len(middles) // 2] - (ROWS - 1) / 2) < 1


def test_validation_losses_are_drawn_where_they_were_measured():
    picture = cells(draw(rows([4.0, 2.0, 1.0, 1.0], [4.0, 1.0]), 79))
    places = [(k, line.index("o") / 69) for k, line in enumerate(picture) if "o" in line]
    assert [k for k, _ in places] == [0, ROWS - 1]
    assert [place for _, place in places] == pytest.approx([0.75, 1.0], abs=0.03)


def test_the_entropy_floor_is_a_dotted_line_over_the_whole_width():
    picture = cells(draw(rows([4.0, 2.0], floor=0.5), 79))
    assert len(picture[-1]) == 69 and len(set(picture[-1])) == 1 and picture[-1][0] != " "


def test_the_numbers_at_the_side_belong_to_their_lines():
    lines = draw(rows([8.0, 1.0]), 79).split("\n")
    labels = {k: float(line.split("│")[0]) for k, line in enumerate(lines[:ROWS]) if line.split("│")[0].strip()}
    assert sorted(labels) == [0, 4, 8] and labels[4] == pytest.approx(math.sqrt(8), rel=1e-3)
    assert 1 < labels[8] < 1.3 and 6.5 < labels[0] < 8
    assert lines[-2].endswith("step 20") and "training 1.0000" in lines[-1]


def test_a_long_history_is_thinned_and_keeps_its_end():
    history = rows([2.0] * 9999 + [1.0])
    assert "step 100,000" in draw(history, 79) and "training 1.0000" in draw(history, 79)
    assert cells(draw(history, 79))[-1].strip()


def watched(put, size=(80, 40), steps=10, seconds=0.0, every=2):
    run = Training.begin(LanguageModel(7, hidden=4), Adam(0.02), np.random.default_rng(0))
    batches = SequenceBatches([np.array([1, 2, 3])] * 20, 4, 6)
    lines = []
    curves = LiveCurves(put, lambda: size, lines.append, seconds=seconds)
    return fit(run, batches, steps=steps, callbacks=[ValidationLoss(batches), History(every), curves]), lines


def test_curves_are_drawn_when_the_history_grows_and_at_the_end():
    shown = []
    run, lines = watched(shown.append)
    assert [row.step for row in run.history] == [2, 4, 5, 6, 8, 10] and lines == []
    assert [text.split("\n")[-2].split()[-1] for text in shown] == ["2", "4", "5", "6", "8", "10", "10"]
    assert shown[-1] == draw(run.history, 79)


def test_curves_are_drawn_at_the_given_interval_and_after_each_epoch():
    shown = []
    watched(shown.append, steps=14, seconds=1e9)
    assert [text.split("\n")[-2].split()[-1] for text in shown] == ["2", "5", "10", "14"]


@pytest.mark.parametrize("size", [(NARROWEST - 1, 40), (80, HEIGHT + 4)])
def test_curves_are_removed_when_there_is_no_room(size):
    shown = []
    watched(shown.append, size)
    assert set(shown) == {""}


def test_a_failing_drawing_is_reported_once_and_the_run_continues_to_the_same_bits():
    calls = []

    def broken(text):
        calls.append(text)
        raise ValueError("no such colour")

    run, lines = watched(broken)
    whole, _ = watched(lambda text: None)
    assert len(calls) == 1 and len(lines) == 1 and "ValueError: no such colour" in lines[0] and "goes on" in lines[0]
    assert run.step == 10 and (run.model.parameters.flat == whole.model.parameters.flat).all()


def test_ctrl_c_while_drawing_is_not_a_failing_drawing():
    def pressed(text):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watched(pressed)
