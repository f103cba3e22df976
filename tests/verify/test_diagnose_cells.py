"""``diagnose`` for a GRU and a simple RNN: right code passes, known mistakes are named, others have a place."""

import numpy as np
import pytest

from minilstm import InputError, reference
from minilstm.verify import cells, diagnose, diagnose_sequence, diagnose_step
from minilstm.verify.diagnose import trials
from minilstm.verify.diagnose.variant import Mistake, variant
from tests.helpers.text import one_line
from tests.verify.test_diagnose import names

OTHERS = [cells.GRU, cells.RNN]
TRIALS = {
    "step": trials.step_trial,
    "step_backward": trials.step_backward_trial,
    "sequence": trials.sequence_trial,
    "sequence_backward": trials.sequence_backward_trial,
}


def changed(function, right, wrong):
    """Our function with a line changed."""
    return variant(function, [Mistake("a slip", function, right, wrong, "", "")])


def diagnosed(cell, kind, function):
    """The diagnosis of a function of a cell."""
    return {
        "step": lambda: diagnose_step(function, cell=cell.name),
        "step_backward": lambda: diagnose(function, cell=cell.name),
        "sequence": lambda: diagnose_sequence(cell.sequence_backward, function, cell=cell.name),
        "sequence_backward": lambda: diagnose_sequence(function, cell=cell.name),
    }[kind]()


def through_time(cell, step_backward):
    """Our backward pass through time with another step."""
    return lambda *arguments: cell.sequence_backward(*arguments, step=step_backward)


@pytest.mark.parametrize("cell", cells.CELLS.values(), ids=cells.CELLS)
def test_our_own_functions_are_right(cell):
    x, state, dh = np.ones((3, 2, 4)), tuple(np.ones((2, 5)) for _ in cell.state), np.ones((3, 2, 5))
    case = cell.sequence_case(np.random.default_rng(0), 3, 2, 4, 5)
    _, _, caches = cell.sequence(x, state, *[case[name] for name in cell.weights])
    dx, _, grads = cell.sequence_backward(dh, state, caches, case["Wx"], case["Wh"])
    assert all(np.abs(d).max() > 0 for d in (dx, *grads))
    assert diagnose(cell.step_backward, cell.step, cell=cell.name).right
    assert diagnose_sequence(cell.sequence_backward, cell.sequence, cell=cell.name).right


@pytest.mark.parametrize("kind", TRIALS)
@pytest.mark.parametrize("cell", OTHERS, ids=lambda cell: cell.name)
def test_every_known_mistake_of_a_cell_is_named(cell, kind):
    trial = TRIALS[kind](cell=cell)
    for mistake in getattr(trials.CATALOGUES[cell], kind)[::9]:  # all of them: test_mistakes.py
        found = diagnosed(cell, kind, trial.build([mistake]))
        assert found.mistakes == (mistake,), f"{mistake.name} is taken for {names(found)}"


def test_two_mistakes_of_a_gru_are_named():
    wanted = "r missing in dq, GRU", "dWx averaged over the batch, GRU"
    slips = [mistake for mistake in trials.CATALOGUES[cells.GRU].step_backward if mistake.name in wanted]
    wrong = trials.step_backward_trial(cell=cells.GRU).build(slips)
    assert set(diagnose(wrong, cell="gru").mistakes) == set(slips) and len(slips) == 2


@pytest.mark.parametrize(
    "cell, right, wrong, parts, words",
    [
        (cells.GRU, "dan = dn * (1 - n**2)", "dan = dn * (1 - n**4)", ("da, candidate",),
         "Your da of the candidate equals dh * (1 - z) * (1 - n**4) where dh * (1 - z) * (1 - n**2) belongs:"
         " (1 - n**4) in place of (1 - n**2)."),
        (cells.GRU, "dr = dan * q", "dr = dan * q * z", ("da, reset gate",), "r * (1 - r) belongs: z is too much. "),
        (cells.GRU, "daz = dz * z * (1 - z)", "daz = dz * z * (1 - r)", ("da, update gate",), "(1 - r) in place of (1 - z)."),
        (cells.GRU, "dq = dan * r", "dq = dan * r * 2", ("dq",),
         "Your dq equals 2 * dan * r where dan * r belongs: 2 is too much."),
        (cells.GRU, "dh * z + dah", "dh * n + dah", ("dh_prev",),
         "Your dh_prev equals dh * n + da @ Wh.T where dh * z + da @ Wh.T belongs."),
        (cells.GRU, "[dar, daz, dan]", "[dar, daz, dn]", ("da of the side of x, candidate",),
         "Your da of the side of x of the candidate equals dh * (1 - z) where dan belongs"),
        (cells.GRU, "dn = dh * (1 - z)", "dh = dh * (2 + n); dn = dh * (1 - z)", ("dh",), "In dh, entry"),
        (cells.RNN, "da = dh * (1 - h**2)", "da = dh * (1 - h * h_prev)", ("da",), "dh * (1 - h_prev * h) where"),
        (cells.RNN, "dh_prev = da @ Wh.T", "dh_prev = da @ Wh.T + dh", ("dh_prev",),
         "Your dh_prev equals dh + da @ Wh.T where da @ Wh.T belongs."),
    ],
)
def test_an_unknown_mistake_has_its_place_and_its_formula(cell, right, wrong, parts, words):
    step = changed(cell.step_backward, right, wrong)
    found, in_time = diagnose(step, cell=cell.name), diagnose_sequence(through_time(cell, step), cell=cell.name)
    assert found.findings[0].parts == in_time.findings[0].parts == parts and names(found) == names(in_time) == []
    assert words in one_line(found) and words in one_line(in_time)


def test_a_state_may_be_returned_without_a_tuple():
    def forward(x, state, *weights):
        h, (hT,), caches = cells.GRU.sequence(x, state, *weights)
        return h, hT, caches

    def backward(*arguments):
        dx, (dh0,), grads = cells.GRU.sequence_backward(*arguments)
        return dx, dh0, grads._asdict()

    assert diagnose_sequence(backward, forward, cell="gru").right


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: diagnose(reference.lstm_step_backward, cell="cnn"), "cell must be one of lstm, gru, rnn, not 'cnn'"),
        (lambda: diagnose(lambda dh, cache, Wx, Wh: (dh, dh), cell="gru"),
         r"must return \(dx, dh_prev, grads\); it returned 2 values"),
        (lambda: diagnose(lambda dh, *a: (dh, dh, (dh,)), cell="gru"), "the gradients must be 4 arrays, of Wx, Wh, bx and bh"),
        (lambda: diagnose_step(lambda *a: a[0], cell="rnn"), r"your step must return \(h, cache\)"),
        (lambda: diagnose_sequence(lambda *a: (1, (1, 2), 3), cell="rnn"), r"must be a tuple \(dh0,\); it returned 2 values"),
        (lambda: diagnose_sequence(lambda *a: (1, (1,), 3), cell="lstm"), r"must be a pair \(dh0, dc0\); it returned 1 values"),
    ],
)
def test_a_wrong_form_is_refused_with_what_belongs_there(call, words):
    with pytest.raises(InputError, match=words):
        call()
