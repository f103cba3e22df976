"""The milestone: a model is trained by the functions of a learner's exercises alone."""

import shutil
import signal

import numpy as np
import pytest

from minilstm.cli.course_text import to_do
from minilstm.course import milestone, own_model
from minilstm.course.folder import numbered
from minilstm.course.grading import Wrong
from minilstm.course.milestone import STEPS, Headlines
from minilstm.course.milestone_unit import GOAL, USES, MilestoneUnit
from minilstm.course.progress import Progress
from minilstm.course.units import unit_of, units
from tests.helpers.paths import LESSONS

FILES = {number: numbered(LESSONS / "solutions")[number].name for number in USES}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder ``lessons/`` in which exercises 2 to 9 are solved."""
    folder = tmp_path / "lessons"
    for part in ("exercises", "solutions", "grading", "my"):
        (folder / part).mkdir(parents=True)
        for name in FILES.values():
            shutil.copy(LESSONS / ("solutions" if part == "my" else part) / name, folder / part)
    monkeypatch.chdir(tmp_path)
    return folder


def edit(course, number, old, new):
    """Change a learner's file."""
    path = course / "my" / FILES[number]
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def without_grading(monkeypatch):
    """Skip the grading of exercises 2 to 9, which takes seconds."""
    monkeypatch.setattr("minilstm.cli.milestone.ready", lambda unit: True)


# What is theirs


def test_it_says_which_exercises_are_missing_or_wrong(run, course):
    edit(course, 2, "h = o * np.tanh(c)", "h = o * c")
    edit(course, 6, "def forget_bias(steps, share):", "def forget_bias(steps, share):\n    return ...\n")
    (course / "my" / FILES[8]).unlink()
    status, out, error = run("milestone")
    assert (status, error) == (1, "")
    said = {number: next(line for line in out.splitlines() if f"exercise {number} " in line) for number in USES}
    assert [said[n].split()[-1] for n in USES] == ["wrong", "right", "right", "right", "answered", "right", "begun", "right"]
    assert "First: minilstm exercise 2" in out and "lstm_step" in out and "output tanh left out" in out
    assert "Training" not in out and not (course / "my" / "headlines.txt").exists()
    assert max(map(len, out.splitlines())) <= 80


def test_training_calls_only_the_learners_functions(course, monkeypatch):
    for number, names in USES.items():
        with open(course / "my" / FILES[number], "a", encoding="utf-8") as file:
            for name in names:
                file.write(f"\n_{name} = {name}\ndef {name}(*a):\n    CALLS.append('{name}')\n    return _{name}(*a)\n")
    calls = []
    monkeypatch.setattr("builtins.CALLS", calls, raising=False)
    own = milestone.own_functions(course)
    milestone.check_gradient(own)
    task = Headlines()
    *_, (step, loss, params) = milestone.train(own, task, steps=2)
    assert step == 2 and set(calls) == {name for names in USES.values() for name in names}
    milestone_steps = calls.count("lstm_step")
    assert calls.count("lstm_step_backward") > 50 and milestone_steps > 50
    texts = task.written(own, params, 2, seed=0)
    assert len(texts) == 2 and calls.count("lstm_step") == milestone_steps + 70
    assert 0 < own.clock.theirs_in_training < min(own.clock.training, own.clock.theirs)


def test_three_training_steps_equal_the_reference(course):
    own = milestone.own_functions(course)
    assert milestone.compare(own) < 1e-12
    assert milestone.check_gradient(own) < 1e-6


@pytest.mark.parametrize(
    "number, old, new, said",
    [
        (3, "dc_prev = dc * f ", "dc_prev = dc * 0 ", "gradient of lstm0.b differs .*; look at .* lstm_step_backward,"),
        (5, "dWh += grads[1]", "dWh = grads[1]", "gradient of lstm0.Wh differs .*; look at lstm_sequence_backward, exercise 5"),
        (7, "np.add.at(total, ids, dx)", "total[ids] += dx", "gradient of embedding.W differs .*; look at embed_backward"),
        (8, "loss = losses.mean()", "loss = losses.sum()", "the loss differs .*; look at batch_loss, exercise 8"),
        (9, "if too_long else 1.0", "", "the new .* differs .*; look at adam_step"),
        (9, "m_hat / (", "m / (", "the new .* differs .*; look at adam_step"),
    ],
)
def test_a_difference_from_the_reference_names_the_function(course, number, old, new, said):
    edit(course, number, old, new)
    with pytest.raises(Wrong, match=said):
        milestone.compare(milestone.own_functions(course))


def test_what_their_code_raises_is_one_sentence_with_function_file_and_line(run, course, monkeypatch):
    without_grading(monkeypatch)
    edit(course, 9, "m_hat = m /", "m_hat = m / None #")
    status, out, error = run("milestone", "--steps", "2")
    assert status == 1 and not error
    assert f"It stops here: adam_step of lessons/my/{FILES[9]}, line " in out and "TypeError" in " ".join(out.split())


def test_the_page_has_its_goal_and_its_count_of_functions():
    page = " ".join((LESSONS.parent / "docs" / "learn.md").read_text(encoding="utf-8").split())
    assert sum(map(len, USES.values())) == 11 and "takes eleven of your functions" in page
    assert f"below {GOAL} nats per character. Our solutions reach 0.37" in page


def test_puzzles_and_milestone_follow_exercise_9(course):
    names = [unit.name for unit in units(LESSONS)]
    assert names[8:12] == ["9", "puzzles", "milestone", "10"] and len(names) == 21
    assert [unit.name for unit in units(course)] == [*map(str, USES), "milestone"]  # there is no table of puzzles
    unit = unit_of("milestone", course)
    assert to_do(unit) == ["  run       minilstm milestone"] and unit.needs == tuple("23456789")
    assert [len(task.hints) for task in unit.tasks()] == [2] and "minilstm exercise" in unit.solution("headlines")


# Training


def test_a_short_run_is_saved_and_does_not_reach_the_goal(run, course, monkeypatch):
    without_grading(monkeypatch)
    unit = MilestoneUnit(course)
    unit.reset()
    assert [r.state for r in unit.results()] == ["not answered"]
    status, out, error = run("milestone", "--steps", "2")
    assert (status, error) == (1, "") and f"a loss below {GOAL}: let it train to the end" in out
    words = " ".join(out.split())
    assert "Blind guessing would be 4.304, and the entropy floor of the corpus is 0.225." in words
    assert words.count(" wrong ") == 10 and " right " not in words.split("corpus is drawn.")[1]
    assert max(map(len, out.splitlines())) <= 80
    (result,) = unit.results()
    assert result.state == "wrong" and result.sentence.endswith(f"below {GOAL}: minilstm milestone")
    assert [path.name for path in (course / "my").glob("headlines*")] == ["headlines.txt"]
    monkeypatch.setattr("minilstm.course.milestone_unit.GOAL", 9.0)
    assert [r.state for r in unit.results()] == ["right"]
    monkeypatch.setattr("minilstm.cli.milestone.GOAL", 9.0)
    status, out, _ = run("milestone", "--steps", "1")
    assert status == 0 and "The milestone is reached" in out and "kept in lessons/my/headlines.1.txt" in out
    assert Progress(course / "my").state(unit).done


def test_ctrl_c_ends_training_early_and_the_model_still_writes(run, course, monkeypatch):
    without_grading(monkeypatch)
    train = milestone.train

    def interrupted(*arguments):
        for step, loss, params in train(*arguments):
            if step == 2:
                signal.raise_signal(signal.SIGINT)
            yield step, loss, params

    monkeypatch.setattr(milestone, "train", interrupted)
    status, out, error = run("milestone", "--steps", "50")
    assert (status, error) == (1, "") and "Stopped after 2 of 50 steps." in out
    assert "after 2 training steps" in (course / "my" / "headlines.txt").read_text(encoding="utf-8")


def test_a_loss_that_is_not_finite_ends_training(course):
    own = milestone.own_functions(course)
    broken = own_model.OwnFunctions(**{**vars(own.functions), "batch_loss": lambda a, y, n: (np.nan, a)})
    with pytest.raises(Wrong, match="the loss became nan in training step 1"):
        next(milestone.train(milestone.Own(broken, own.central_differences, own.forget_bias), Headlines(), 2))


def test_training_begins_with_their_forget_bias(course):
    own = milestone.own_functions(course)
    _, _, params = next(milestone.train(own, Headlines(), steps=2))
    i, f, g, o = np.split(params["lstm0.b"], 4)
    bias = -np.log(2**0.5 - 1)  # σ(bias)² is ½
    assert abs(own.forget_bias(2, 0.5) - bias) < 1e-12
    for block, first in ((i, 0), (f, bias), (g, 0), (o, 0)):  # Adam's first step is the learning rate
        assert 0 < np.abs(block - first).max() < 1.01 * milestone.RATE


def test_the_first_steps_lower_the_loss(course):
    own, task = milestone.own_functions(course), Headlines()
    losses = [loss for _, loss, _ in milestone.train(own, task, steps=12)]
    assert abs(losses[0] - np.log(task.V)) < 0.2 and losses[-1] < losses[0] - 0.7


@pytest.mark.thorough
def test_the_solutions_reach_the_goal(course):
    own, task = milestone.own_functions(course), Headlines()
    *_, (step, _, params) = milestone.train(own, task)
    loss = milestone.mean_loss(own, params, task.validation())
    assert step == STEPS and task.corpus.floor < loss < GOAL - 0.05
