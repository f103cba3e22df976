"""The table of experiments and the published systems.

The table has the right rows, and continues where it was interrupted. The published
systems are compared on the batches that they train on. Other files and programs are
refused.
"""

import json

import numpy as np
import pytest

from minilstm.cli.lock import locked
from tests.helpers.paths import BENCHMARKS
from tests.helpers.scripts import run_script

SCRIPT = BENCHMARKS / "experiments.py"
TWO = ["--only", "gru:2:5", "--only", "rnn:1:4"]


@pytest.fixture
def experiments(tmp_path, monkeypatch, capsys):
    """Run the script for a few steps; returns its status, output and errors."""

    def run(*options, steps=2):
        few = ["--steps", steps, "--seconds", "1e-6", "--out", tmp_path]
        return run_script(monkeypatch, capsys, SCRIPT, *few, *options)

    return run


def rows(text):
    """Cell, layers, hidden, parameters, both losses and their gaps of every row."""
    lines = [line.replace(",", "").replace("*", " ").replace("|", " ").split() for line in text.splitlines()]
    chosen = [line for line in lines if len(line) == 10 and line[0] in ("rnn", "gru", "lstm")]
    return [(line[0], *map(int, line[1:4]), *line[6:]) for line in chosen]


@pytest.mark.thorough
def test_the_table_has_a_row_for_each_model_and_a_second_call_continues(experiments, tmp_path):
    status, out, err = experiments(*TWO)
    assert status == 0, err
    path = tmp_path / "experiments.json"
    report = json.loads(path.read_text())
    assert [(m["cell"], m["layers"], m["hidden"], m["steps_in_time"]) for m in report["models"]] == [
        ("rnn", 1, 4, 1), ("gru", 2, 5, 1)  # in the order of the table
    ]
    assert [m["parameters"] for m in report["models"]] == [
        74 * 4 + 4 * 4 + 4 + 4 * 74 + 74, 3 * 5 * (74 + 5 + 2) + 3 * 5 * (5 + 5 + 2) + 5 * 74 + 74
    ]
    assert all(m["loss_at_steps"] != m["loss_at_seconds"] for m in report["models"])
    for losses in ("loss_at_steps", "loss_at_seconds"):
        assert all(report["floor"] < m[losses] < 5 for m in report["models"])
    expected = []
    for m in report["models"]:
        losses = [x for loss in (m["loss_at_steps"], m["loss_at_seconds"]) for x in (loss, loss - report["floor"])]
        expected.append((m["cell"], m["layers"], m["hidden"], m["parameters"], *(f"{x:.4f}" for x in losses)))
    assert rows(out) == expected == rows((tmp_path / "experiments.md").read_text(encoding="utf-8"))
    assert [len(line) for line in out.splitlines()[2:5]] == [80, 80, 80]

    report["models"][0]["loss_at_steps"] = 0.25  # training again would not give this
    path.write_text(json.dumps(report))
    status, out, err = experiments(*TWO, "--only", "lstm:1:3")
    assert status == 0, err
    again = json.loads(path.read_text())
    assert again["models"][:2] == report["models"] and again["models"][2]["cell"] == "lstm" and len(again["models"]) == 3
    markdown = (tmp_path / "experiments.md").read_text(encoding="utf-8")
    # the lowest of each column
    assert markdown.count("**") == 4 and "**0.2500**" in markdown and "0.2500*" in out


@pytest.mark.thorough
def test_models_of_other_runs_are_not_mixed_in(experiments, tmp_path):
    assert experiments(*TWO)[0] == 0
    kept = (tmp_path / "experiments.json").read_text()
    status, _, err = experiments(*TWO, steps=3)
    assert status == 2 and "is of another run" in err
    assert (tmp_path / "experiments.json").read_text() == kept


def test_two_benchmarks_never_write_to_one_report_at_once(experiments, tmp_path):
    with locked(tmp_path):
        status, _, err = experiments(*TWO)
    assert status == 2 and "another run is at work" in err and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("model", ["lstm:1", "cnn:1:64", "gru:0:64"])
def test_an_unknown_model_is_refused(experiments, model):
    status, _, err = experiments("--only", model)
    assert status == 2 and "--only" in err


TITLES = "".join(f"1,Title number {k},nothing\n" for k in range(20))
RECIPES = json.dumps([{"title": f"soup {k}", "directions": ["Boil it.", "Eat it."]} for k in range(70)])


@pytest.mark.parametrize("system, name, text, sizes", [("headlines", "t.csv", TITLES, (8, 8, 4)),
                                                       ("recipes", "r.json", RECIPES, (6, 32, 32))])
def test_keras_gets_the_batches_that_our_model_trains_on(system, name, text, sizes, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    from published import Run

    (tmp_path / name).write_text(text)
    run, seen = Run.begin(system, str(tmp_path / name), seed=1), []
    model = run.training.model
    # for any number of words
    assert system == "headlines" or model.vocab_size == 10_000

    def look(batch, state, dropout_rng):
        seen.append(batch)
        return 1.0, model.parameters.zeros_like(), None, ()

    monkeypatch.setattr(model, "loss_and_gradients", look)
    batches = run.batches(7)  # two epochs, and one batch more
    assert len(list(run.steps(7))) == len(seen) == len(batches) == 7
    for ours, theirs in zip(seen, batches):
        assert ours.lengths is theirs.lengths is None
        np.testing.assert_array_equal(ours.inputs, theirs.inputs)
        np.testing.assert_array_equal(ours.targets, theirs.targets)
    assert sorted(batch.inputs.shape[1] for batch in batches[:3]) == sorted(sizes)


@pytest.mark.parametrize("script, options, words", [
    ("published_headlines.py", ["t.csv"], "has 20 titles and V = "),
    ("published_headlines.py", ["absent.csv"], "absent.csv"),
    ("keras_fidelity.py", ["--keras-python", "no-python"], "pip install tensorflow-cpu"),
    ("keras_fidelity.py", ["--keras-python", "no-python", "--steps", "0"], "--steps must be at least 1"),
])
def test_what_cannot_be_compared_is_refused_with_status_2(script, options, words, tmp_path, monkeypatch, capsys):
    (tmp_path / "t.csv").write_text(TITLES)
    monkeypatch.chdir(tmp_path)
    status, _, err = run_script(monkeypatch, capsys, SCRIPT.with_name(script), *options)
    assert status == 2 and words in " ".join(err.split())
