"""Tests of the tests: every mistake of the catalogue makes a property fail.

``diagnose`` names each of them. ``python -m pytest tests/verify/test_mistakes.py -s``
prints the table.
"""

import contextlib
import inspect
import io
from functools import partial

import pytest
from hypothesis import Phase, settings

import minilstm.layers.lstm
from minilstm import kernels, reference
from minilstm.layers import LSTM
from minilstm.reference import loss as losses
from minilstm.reference import sequence
from minilstm.verify import MISTAKES, diagnose, diagnose_loss, diagnose_sequence, diagnose_step
from minilstm.verify.diagnose import mistakes
from minilstm.verify.diagnose.trials import (
    ALSO_OF_THE_LOOP,
    ONLY_IN_A_STEP,
    loss_trial,
    sequence_backward_trial,
    sequence_trial,
    step_backward_trial,
    step_trial,
)
from minilstm.verify.diagnose.variant import Mistake, variant
from tests.helpers.recurrent import CELLS
from tests.layers import test_properties
from tests.verify import cells, shapes

# a wrong kernel runs as Python, which is faster than compiling it
NOT_COMPILED = lambda function: function
QUICK = settings(max_examples=10, phases=[Phase.generate], database=None, deadline=None, derandomize=True)
OF_A_STEP = [
    test_properties.test_a_complex_step_through_a_time_step_equals_its_backward,
    test_properties.test_a_time_step_equals_the_oracle_forward_and_backward,
    test_properties.test_step_backward_gives_the_same_twice_and_changes_nothing,
]
OF_A_SEQUENCE = [
    test_properties.test_a_complex_step_through_a_sequence_equals_its_backward,
    test_properties.test_layer_and_reference_equal_the_oracle,
    test_properties.test_sequence_backward_gives_the_same_twice_and_changes_nothing,
]
OF_THE_LOSS = [
    test_properties.test_a_complex_step_through_the_loss_equals_its_backward,
    test_properties.test_the_loss_is_the_oracles_mean_over_the_real_tokens,
    test_properties.test_large_logits_have_the_right_loss_and_gradient,
]
# where a mistake is placed, which tests must fail, which function must name it
ROOMS = [
    (mistakes.STEP, reference, OF_A_STEP, step_trial, diagnose_step),
    (mistakes.STEP_BACKWARD, reference, OF_A_STEP, step_backward_trial, diagnose),
    (mistakes.SEQUENCE, sequence, OF_A_SEQUENCE, sequence_trial, lambda f: diagnose_sequence(lambda *a: None, f)),
    (mistakes.SEQUENCE_BACKWARD, sequence, OF_A_SEQUENCE, sequence_backward_trial, diagnose_sequence),
    (mistakes.LOSS, losses, OF_THE_LOSS, loss_trial, diagnose_loss),
    *cells.ROOMS,
    *shapes.ROOMS,
]


def fails(test, cell=CELLS["lstm"]) -> bool:
    """Whether a property test fails, without shrinking to the smallest example.

    If the test is for every cell, it runs for ``cell``.
    """
    arguments = {"cell": cell} if "cell" in inspect.signature(test).parameters else {}
    if isinstance(test, partial):  # a case of a parametrized test
        test, arguments = test.func, test.keywords
    kept = getattr(test, "_hypothesis_internal_use_settings", None)
    test._hypothesis_internal_use_settings = QUICK
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            test(**arguments)
    except Exception:  # an assertion, or shapes that do not fit
        return True
    finally:
        test._hypothesis_internal_use_settings = kept
    return False


def put(patch, mistake, places):
    """Our function with a mistake in its place: under its name in modules, or in a dictionary of functions."""
    wrong, name, found = variant(mistake.function, [mistake]), mistake.function.__name__, 0
    for place in places if isinstance(places, list) else [places]:
        keys = [key for key, function in place.items() if function is mistake.function] if isinstance(place, dict) else []
        for key in keys:
            patch.setitem(place, key, wrong)
        if getattr(place, name, None) is mistake.function:
            patch.setattr(place, name, wrong)
            found += 1
        found += len(keys)
    assert found, f"{name} is in none of these places"


@pytest.mark.thorough
def test_the_properties_hold_for_the_correct_code():
    assert not any(fails(test) for _, _, tests, _, _ in ROOMS for test in tests)


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:overflow", "ignore:divide by zero", "ignore:invalid value")
def test_every_mistake_makes_a_property_fail_and_is_named(monkeypatch):
    print(f"\n{'mistake':<62}{'properties that fail':<24}named")
    count = 0
    for catalogue, places, tests, trial, diagnosis in ROOMS:
        for mistake in catalogue:
            with monkeypatch.context() as patch:
                put(patch, mistake, places)
                failing = [number for number, test in enumerate(tests, start=1) if fails(test)]
            named = diagnosis(trial().build([mistake])).mistakes
            print(f"{mistake.name:<62}{', '.join(map(str, failing)):<24}{'yes' if named == (mistake,) else 'NO'}")
            assert failing, f"{mistake.name}: no property fails"
            assert named == (mistake,), f"{mistake.name} is taken for {[m.name for m in named]}"
            count += 1
    assert count == len(MISTAKES) > 100


def test_mistakes_in_a_step_are_named_in_a_whole_sequence_too():
    for trial, catalogue in ((sequence_backward_trial, mistakes.STEP_BACKWARD), (sequence_trial, mistakes.STEP)):
        for mistake in catalogue:
            # these 69 orders are similar
            if "in the order" in mistake.name or mistake.name in ONLY_IN_A_STEP:
                continue
            diagnosis = diagnose_sequence if trial is sequence_backward_trial else None
            wrong = trial().build([mistake])
            named = (diagnosis(wrong) if diagnosis else diagnose_sequence(sequence.lstm_sequence_backward, wrong)).mistakes
            if mistake.name in ALSO_OF_THE_LOOP:
                assert len(named) == 1 and named[0] in mistakes.SEQUENCE_BACKWARD, mistake.name
            else:
                assert named == (mistake,), f"{mistake.name} is taken for {[m.name for m in named]}"


def test_every_entry_of_the_catalogue_says_what_is_wrong_and_why():
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES)
    for mistake in MISTAKES:
        assert mistake.sentence.endswith(".") and mistake.why.endswith(".") and mistake.right != mistake.wrong


def test_a_mistake_in_a_missing_line_is_refused():
    gone = Mistake("gone", reference.lstm_step_backward, "dq = dc * f", "dq = dc", "(4)", "There is no such line.")
    with pytest.raises(ValueError, match="occurs 0 times in lstm_step_backward"):
        variant(reference.lstm_step_backward, [gone])


IN_THE_ENGINE = [  # mistakes in the engine: the loop of the layer, and the kernel
    (LSTM, "backward_packed", "np.matmul(packing.before(h).T", "np.matmul(h[packing.B:].T"),
    (minilstm.layers.lstm, "loop_backward", "np.matmul(dz[rows], Wh.T, out=dh_next[:n])", "dh_next[:n] = 0"),
    (minilstm.layers.lstm, "loop_backward", "pack_weights(Wh.T, ", "pack_weights(-Wh.T, "),
    (LSTM, "backward_packed", "packing.sort(dstate[0]), packing.sort(dstate[1])", "packing.sort(dstate[0]), 0 * dstate[1]"),
    (LSTM, "backward_packed", "packing.unsort(dh_next), packing.unsort(dc)", "dh_next, dc"),
    (kernels.lstm, "lstm_step_backward", "dc[r, j] *= f[j]", "dc[r, j] *= i[j]"),
    (kernels.lstm, "lstm_step_backward", "dc[r, j] *= f[j]", "dc[r, j] = 0"),
    (kernels.lstm, "lstm_step_backward", "dzi[j] = dc[r, j] * g[j]", "dzi[j] = dc[r, j] * i[j]"),
    (kernels.lstm, "lstm_step_backward", "dc[r, j] * c_prev[r, j] * f[j]", "dc[r, j] * f[j]"),
    (kernels.lstm, "lstm_step_backward", "db[j] += dz[r, j]", "db[j] = dz[r, j]"),
    (kernels.lstm, "lstm_steps", "slice(state_starts[t], state_starts[t] + n)", "slice(0, n)"),
    (kernels.lstm, "lstm_steps", "multiply_packed(h[before]", "multiply_packed(c[before]"),
    (kernels.lstm, "lstm_steps_backward", "multiply_packed(dz[rows], Wh_T", "multiply_packed(dz[:n], Wh_T"),
    (kernels.lstm, "lstm_steps_backward", "range(counts.size - 1, -1, -1)", "range(counts.size)"),
]


@pytest.mark.parametrize("home, name, right, wrong", IN_THE_ENGINE)
def test_mistakes_in_the_compiled_engine_make_properties_fail_too(monkeypatch, home, name, right, wrong):
    ours = getattr(home, name)
    mistake = Mistake("in the engine", getattr(ours, "py_func", ours), right, wrong, "", "")
    monkeypatch.setattr(home, name, variant(mistake.function, [mistake], kernel=NOT_COMPILED))
    tests = [
        test_properties.test_layer_and_reference_equal_the_oracle,
        test_properties.test_with_lengths_every_sequence_is_as_if_it_were_alone,
    ]
    assert any(fails(test) for test in tests)


def test_public_reports_of_a_mistake_are_links():
    reports = {mistake.seen: mistake.reports for mistake in MISTAKES}
    assert reports["nicodjimenez/lstm 9, 47"] == (
        "https://github.com/nicodjimenez/lstm/issues/9, https://github.com/nicodjimenez/lstm/issues/47"
    )
    assert reports["explosion/thinc, NumPy backward"] == "https://github.com/explosion/thinc (NumPy backward)"
    assert reports[""] == ""
    for seen, links in reports.items():
        assert links.count("https://github.com/") == links.count("/issues/") + seen.count("thinc")
    assert all(mistake.reports in str(mistake) for mistake in MISTAKES)
