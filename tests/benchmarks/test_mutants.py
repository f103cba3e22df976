"""Wrong backward passes by mutation: what a mutant is, how it is counted, and that nothing is misnamed."""

import ast
import sys

import numpy as np
import pytest

from tests.helpers.paths import BENCHMARKS
from tests.helpers.scripts import run_script

SCRIPT = BENCHMARKS / "mutants.py"
SOURCE = '''
def backward(dh, cache):
    h, t = cache
    a = dh * (1 - h**2)
    total = np.zeros(3)
    for t in range(2):
        total += (a @ h.T)[t].sum(axis=0)
    return a, total
'''


@pytest.fixture
def mutants(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import mutants

    yield mutants
    for name in [name for name in sys.modules if name == "mutants" or name.startswith("benchmark.")]:
        sys.modules.pop(name)


@pytest.fixture
def ours(mutants):
    """The subjects by title."""
    return {subject.title: subject for subject in mutants.subjects()}


def mutant(mutants, subject, right, wrong):
    """The mutant that has this change."""
    return next(made for made in subject.mutants() if (made.right, made.wrong) == (right, wrong))


def test_a_mutant_differs_in_one_statement_of_one_function(mutants):
    shapes = {"backward": {"dh": (2, 3), "h": (2, 3), "a": (2, 3), "total": (3,)}}
    found = list(mutants.mutants(SOURCE, ["backward"], shapes))
    changes = {(made.right, made.wrong) for made in found}
    assert ("a = dh * (1 - h ** 2)", "a = dh * (1 + h ** 2)") in changes
    assert ("a = dh * (1 - h ** 2)", "a = dh * (1 - 2 * h)") in changes
    assert ("a = dh * (1 - h ** 2)", "a = 1 - h ** 2") in changes
    assert ("total += (a @ h.T)[t].sum(axis=0)", "total = (a @ h.T)[t].sum(axis=0)") in changes
    assert ("total += (a @ h.T)[t].sum(axis=0)", "total += (a @ h)[t].sum(axis=0)") in changes
    assert ("total += (a @ h.T)[t].sum(axis=0)", "total += (a @ h.T)[t].sum()") in changes
    assert ("return (a, total)", "return (total, a)") in changes
    assert len(changes) == len({made.source for made in found}) > 20
    before = ast.unparse(ast.parse(SOURCE)).splitlines()
    for made in found:
        after = made.source.splitlines()
        assert len(after) == len(before) and sum(one != other for one, other in zip(before, after)) == 1


@pytest.mark.thorough
def test_every_subject_is_right_and_has_mutants(mutants, ours):
    for subject in ours.values():
        assert subject.diagnose(subject.source).right, subject.title
        assert len(subject.mutants()) > 40
    assert len(ours) >= 20


@pytest.mark.parametrize(
    "right, wrong, figures",
    [
        ("da = dh * (1 - h ** 2)", "da = dh * (1 - h)", {"with_entry": 1, "named": 1}),
        ("da = dh * (1 - h ** 2)", "da = dh * (2 - h ** 2)", {"without_entry": 1, "located": 1, "explained": 1}),
        ("dWh = h_prev.T @ da", "dWh = h_prev @ da", {"raised": 1}),
    ],
)
def test_a_mutant_is_counted_by_what_is_found(mutants, ours, right, wrong, figures):
    subject, count = ours["ours, rnn, step"], mutants.Count()
    mutants.count_in(subject, mutant(mutants, subject, right, wrong), count)
    assert {name: number for name, number in vars(count).items() if number} == figures


def test_a_wrong_name_or_place_is_counted_and_printed(mutants, ours, monkeypatch):
    subject, count = ours["ours, rnn, step"], mutants.Count()
    of_another = subject.diagnose(mutant(mutants, subject, "da = dh * (1 - h ** 2)", "da = dh * (1 - h)").source)
    monkeypatch.setattr(mutants.Subject, "diagnose", lambda *_: of_another)
    mutants.count_in(subject, mutant(mutants, subject, "da = dh * (1 - h ** 2)", "da = dh * (2 - h ** 2)"), count)
    assert count.misnamed == 1 and count.located == 0 and count.failures[0].startswith("misnamed: ours, rnn, step")


def test_a_part_belongs_to_its_output_and_to_its_block(mutants):
    belongs = mutants.is_or_belongs_to
    assert belongs("dz of step 1, forget gate", "dz, forget gate") and belongs("dWx, candidate", "dWx")
    assert belongs("dh_prev, handed on by step 1", "dh_prev") and belongs("dx[2]", "dx") and belongs("dc0", "dc_prev")
    assert not belongs("dz, forget gate", "dz, input gate") and not belongs("dWx", "dWh")


@pytest.mark.thorough
def test_of_forty_mutants_none_is_misnamed(mutants):
    counts = mutants.measure(40, 3, report=lambda _: None).values()
    total = lambda name: sum(getattr(count, name) for count in counts)
    assert total("misnamed") == 0, [count.failures for count in counts]
    assert total("named") >= 0.9 * total("with_entry") > 5
    assert total("located") >= 0.9 * total("without_entry") > 5


@pytest.mark.thorough
def test_the_script_writes_a_table(monkeypatch, capsys, tmp_path):
    file = tmp_path / "mutants.md"
    status, out, _ = run_script(monkeypatch, capsys, SCRIPT, "--count", 1, "--markdown", file, "--failures")
    text = file.read_text(encoding="utf-8")
    assert status == 0 and text.endswith(out[out.index("| code |") :].rstrip() + "\n") and "Misnamed: 0 (goal: 0)." in text
    assert text.startswith("# Wrong backward passes") and "--count 1 --seed 0" in text


def test_the_shapes_of_local_arrays_are_those_of_a_run(mutants):
    def inner(a):
        b = a.sum(axis=0)
        return b

    assert mutants.shapes_in(lambda: inner(np.ones((2, 3))), ["inner"]) == {"inner": {"a": (2, 3), "b": (3,)}}
