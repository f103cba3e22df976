"""``minilstm milestone``: train a model whose every step is the learner's own code."""

from __future__ import annotations

import math
import sys
import textwrap
import time
from argparse import Namespace
from collections.abc import Iterator

import numpy as np

from minilstm.cli.exercise import patiently
from minilstm.cli.terminal import harmless
from minilstm.course import milestone
from minilstm.course.folder import lessons, shown
from minilstm.course.grading import Wrong
from minilstm.course.milestone import Headlines, Own
from minilstm.course.milestone_unit import GOAL, USES, MilestoneUnit
from minilstm.course.progress import Progress
from minilstm.training.callbacks import StopOnSignal

ROWS = (1, 10, 30, 100, 200, 400, 600, 800)  # training steps with a row of the table
OURS = """\
Ours are the random weights, the loop over time, the output layer, and the draw of the
next character: minilstm/course/own_model.py. All else is yours."""


def run(arguments: Namespace) -> int:
    """The command: status 0 if the loss is below the goal in the end, else 1."""
    unit = MilestoneUnit(lessons())
    print(f"{unit.title}\n")
    if not ready(unit):
        return 1
    own = milestone.own_functions(unit.lessons)
    say(OURS)
    try:
        print()
        say(
            "Your backward pass and your central differences agree to"
            f" {milestone.check_gradient(own):.0e}. In 3 training steps your losses,"
            " gradients and weights equal those of minilstm.reference to"
            f" {milestone.compare(own):.0e}."
        )
        print(flush=True)
        with np.errstate(all="ignore"):  # an overflow in exp shows in the loss
            return trained(own, unit, arguments.steps or milestone.STEPS)
    except Wrong as error:
        say(f"It stops here: {error}.")
        return 1


def ready(unit: MilestoneUnit) -> bool:
    """Print which functions are right; whether all are."""
    first = ""
    for number, path, grading in milestone.grading(unit.lessons):
        names = ", ".join(USES[number])
        wrong = next((r for r in patiently(grading) if r.state != "right"), None)
        state = wrong.state if wrong else "right" if path.exists() else "not begun"
        print(f"  exercise {number}  {names:<34}{state}", flush=True)
        if state != "right" and not first:
            said = f"{wrong.task.name}: {wrong.sentence}" if wrong else ""
            first = f"First: minilstm exercise {number}\n{said}"
    print()
    if first:
        for line in first.rstrip().splitlines():
            say(line)
    return not first


def trained(own: Own, unit: MilestoneUnit, steps: int) -> int:
    """Train, let the model write, save what it wrote; the exit status."""
    task = Headlines()
    validation = task.validation()
    evaluate = lambda params: milestone.mean_loss(own, params, validation)
    minute = ", about a minute" if steps == milestone.STEPS else ""
    say(
        f"Training: {steps} steps of {milestone.B} headlines{minute}. Ctrl-C ends it"
        " early; the model writes all the same."
    )
    print("\n  step    loss   validation   a headline at temperature 0.7")
    with StopOnSignal() as interrupt:
        for step, loss, params in with_progress(own, task, steps):
            if step in ROWS and step < steps:
                row(step, loss, evaluate(params), task.written(own, params, 1, step)[0])
            if interrupt.received:
                break
        final = evaluate(params)
        texts = task.written(own, params, 10, 4)
    row(step, loss, final, "")
    if step < steps:
        print(f"Stopped after {step} of {steps} steps.")
    print(
        "\nTen headlines by your code, at temperature 0.7. The right ones are sentences"
    )
    print("of the grammar from which the corpus is drawn.")
    for text in texts:
        print(f"  {'right' if task.corpus.accepts(text) else 'wrong'}  {cut(text, 70)}")
    kept = unit.save(final, step, texts)
    print(f"They are saved in {shown(unit.path)}.")
    if kept:
        print(f"The headlines before are kept in {shown(kept)}.")
    share = own.clock.theirs_in_training / own.clock.training
    print()
    say(
        f"Your functions took {share:.0%} of the time of the training steps, ours the"
        " rest."
    )
    say(
        f"The validation loss is {final:.3f} nats per character. Blind guessing would be"
        f" {math.log(task.V):.3f}, and the entropy floor of the corpus is"
        f" {task.corpus.floor:.3f}."
    )
    if final < GOAL:
        Progress(unit.path.parent).record(unit, 1, 1)
        say(f"The milestone is reached: the loss is below {GOAL}. {unit.achieved}")
        return 0
    say(f"The milestone is a loss below {GOAL}: let it train to the end.")
    return 1


def with_progress(own: Own, task: Headlines, steps: int) -> Iterator[tuple]:
    """The steps of training, and in a terminal how long it will take."""
    begun = time.perf_counter()
    for step, loss, params in milestone.train(own, task, steps):
        left = (time.perf_counter() - begun) / step * (steps - step)
        if sys.stdout.isatty():
            print(f"\r{step:6}{loss:8.3f}   {left:4.0f} s left ", end="", flush=True)
        yield step, loss, params


def row(step: int, loss: float, validation: float, text: str) -> None:
    """A row of the table; it replaces the line of the progress."""
    start = "\r" if sys.stdout.isatty() else ""
    line = f"{start}{step:6}{loss:8.3f}{validation:13.3f}   {cut(text, 48)}"
    print(line.rstrip(), flush=True)


def cut(text: str, width: int) -> str:
    """Text for one line of a terminal."""
    text = harmless(text).replace("\n", " ")
    return text if len(text) <= width else text[: width - 3] + "..."


def say(sentence: str) -> None:
    """Print a sentence in 80 columns."""
    print(
        textwrap.fill(
            " ".join(sentence.split()),
            80,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
