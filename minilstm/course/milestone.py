"""The milestone: a model whose every gradient and update is the learner's own code.

When exercises 2 to 9 are right, their functions replace ours. ``own_model.py`` puts them
together. The first training steps are compared with ``minilstm.reference``. Then the
model learns the built-in headlines.
"""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from minilstm.corpora.grammar import Grammar
from minilstm.corpora.headlines import headlines
from minilstm.course import own_model
from minilstm.course.answers import Answers
from minilstm.course.exercise import Exercise, Result, copy_of
from minilstm.course.folder import numbered, shown
from minilstm.course.grading import Wrong
from minilstm.course.milestone_unit import USES
from minilstm.course.own_model import OwnFunctions, Params
from minilstm.data.batches import CorpusBatches, SequenceBatches
from minilstm.data.tokenizers import CharTokenizer
from minilstm.reference import language_model
from minilstm.reference.optimizers import AdamState

BACKWARD = "lstm_sequence_backward, exercise 5, and lstm_step_backward, exercise 3"
LOOK_AT = {  # the functions that made a gradient, in the order of the backward pass
    "output.b": "batch_loss, exercise 8",
    "output.W": "batch_loss, exercise 8",
    "lstm0.b": BACKWARD,
    "lstm0.Wh": BACKWARD,
    "lstm0.Wx": BACKWARD,
    "embedding.W": "embed_backward, exercise 7",
}
UPDATE = "adam_step and clip_by_global_norm, exercise 9"
STEPS, RATE, BETA2 = 1000, 0.015, 0.99  # of training; the rate falls to 0 as a cosine
B, D, H = 16, 16, 96


@dataclass
class Clock:
    """Seconds in the learner's functions, and in training, and in both."""

    theirs: float = 0.0
    training: float = 0.0
    theirs_in_training: float = 0.0

    @contextlib.contextmanager
    def of_training(self) -> Iterator[None]:
        """Counts what happens meanwhile as training."""
        begun, before = time.perf_counter(), self.theirs
        yield
        self.training += time.perf_counter() - begun
        self.theirs_in_training += self.theirs - before

    def timed(self, function: Callable) -> Callable:
        """The function; its time is counted as theirs."""

        @wraps(function)
        def call(*arguments: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.theirs += time.perf_counter() - begun

        return call


@dataclass(frozen=True)
class Own:
    """The learner's functions, ready to be called.

    Parameters
    ----------
    functions : what the model calls.
    central_differences, forget_bias : of exercises 4 and 6.
    clock : how long ``functions`` take.
    """

    functions: OwnFunctions
    central_differences: Callable
    forget_bias: Callable
    clock: Clock = field(default_factory=Clock)


def grading(lessons: Path) -> Iterator[tuple[int, Path, Iterator[Result]]]:
    """Grade all tasks that the milestone uses.

    Yields
    ------
    number, path, results : of one exercise; a file that is not there has no results.

    Raises
    ------
    InputError
        If a file is not Python.
    """
    for number, names in USES.items():
        copy = copy_of(number, lessons)
        results: Iterator[Result] = iter(())
        if copy.path.exists():
            tasks = tuple(task for task in copy.tasks if task.name in names)
            solutions = Answers(numbered(lessons / "solutions")[number])
            results = Exercise(Answers(copy.path.resolve()), solutions, tasks).results()
        yield number, copy.path, results


def own_functions(lessons: Path) -> Own:
    """Load the learner's files, and take the functions from them.

    ``lstm_step_backward`` of exercise 3 replaces the package's in the file of exercise
    5, so that the gradient goes through the learner's step.
    """
    paths = {number: copy_of(number, lessons).path.resolve() for number in USES}
    answers = {number: Answers(path) for number, path in paths.items()}
    modules: dict[int, ModuleType] = {n: a.load() for n, a in answers.items()}
    setattr(modules[5], "lstm_step_backward", modules[3].lstm_step_backward)
    guarded = {
        name: _guarded(answers[number], name, getattr(modules[number], name))
        for number, names in USES.items()
        for name in names
    }
    own = Own(
        OwnFunctions(**{f.name: guarded[f.name] for f in fields(OwnFunctions)}),
        guarded["central_differences"],
        guarded["forget_bias"],
    )
    return replace(own, functions=own.functions.wrapped(own.clock.timed))


def compare(own: Own, steps: int = 3) -> float:
    """Train a small model, and beside it the same model by ``minilstm.reference``.

    Returns
    -------
    difference : the largest relative difference of any loss, gradient or parameter.

    Raises
    ------
    Wrong
        If one is not rounding; the message names the function to look at.
    """
    task = Headlines()
    rng = np.random.default_rng(1)
    params = own_model.initial_parameters(task.V, 5, 6, 1.0, rng)
    theirs, adam = params, dict.fromkeys(params, AdamState())
    moments, worst = own_model.initial_moments(params), 0.0
    batches = task.training(steps, 4).epoch(rng)
    for step, batch in enumerate(batches, start=1):
        inputs, targets, lengths = batch.inputs, batch.targets, batch.lengths
        right = language_model.loss_and_gradients(theirs, inputs, targets, lengths)
        loss, grads = own_model.loss_and_gradients(own.functions, params, batch)
        checks: list[tuple[str, Any, Any, str]]
        checks = [("the loss", loss, right[0], "batch_loss, exercise 8")]
        checks += [
            (f"the gradient of {name}", grads[name], right[1][name], functions)
            for name, functions in LOOK_AT.items()
        ]
        _, params, moments = own_model.train_step(
            own.functions, params, moments, batch, RATE
        )
        _, theirs, adam = language_model.train_step(
            theirs, adam, inputs, targets, lengths, RATE, 1.0
        )
        checks += [
            (f"the new {name}", params[name], theirs[name], UPDATE) for name in params
        ]
        for what, yours, wanted, functions in checks:
            difference = np.abs(np.subtract(yours, wanted)).max()
            difference /= np.abs(wanted).max() + 1e-300
            if not difference < 1e-9:
                raise Wrong(
                    f"in training step {step}, {what} differs from minilstm.reference by"
                    f" {difference:.2g} of its size; look at {functions}"
                )
            worst = max(worst, float(difference))
    return worst


def check_gradient(own: Own) -> float:
    """Their backward pass beside their central differences, for one bias of each block.

    Returns
    -------
    difference : the largest difference, relative to the largest derivative.
    """
    task, rng = Headlines(), np.random.default_rng(2)
    params = own_model.initial_parameters(task.V, 5, 1, 1.0, rng)
    batch = next(task.training(1, 3).epoch(rng))

    def loss(b: np.ndarray) -> float:
        moved = {**params, "lstm0.b": b}
        return own_model.loss_and_gradients(own.functions, moved, batch)[0]

    _, grads = own_model.loss_and_gradients(own.functions, params, batch)
    numerical = own.central_differences(loss, params["lstm0.b"])
    largest = np.abs(numerical).max()
    return float(np.abs(grads["lstm0.b"] - numerical).max() / largest)


class Headlines:
    """The corpus, its characters as ids, and a validation set."""

    def __init__(self) -> None:
        self.corpus: Grammar = headlines()
        self.tokenizer = CharTokenizer.fit(["".join(self.corpus.alphabet)])
        self.V = self.tokenizer.vocab_size

    def training(self, steps: int, size: int) -> CorpusBatches:
        """New headlines for so many mini-batches of this size."""
        return CorpusBatches(self.corpus, self.tokenizer, steps * size, size)

    def validation(self, count: int = 200) -> SequenceBatches:
        """Headlines of other random numbers than those of training."""
        texts = self.corpus.sample_many(count, np.random.default_rng(2))
        ids = [self.tokenizer.encode(text) for text in texts]
        return SequenceBatches(ids, 50, self.tokenizer.eos_id)

    def written(
        self, own: Own, params: Params, count: int, seed: int, temperature: float = 0.7
    ) -> list[str]:
        """Headlines by the model; each begins as a random headline does."""
        rng = np.random.default_rng(seed)
        first = [text[0] for text in self.corpus.sample_many(count, rng)]
        ids = np.array([self.tokenizer.encode(letter)[0] for letter in first])
        columns = own_model.write(own.functions, params, ids, 70, temperature, rng).T
        return [self.tokenizer.complete(a, row) for a, row in zip(first, columns)]


def mean_loss(own: Own, params: Params, validation: SequenceBatches) -> float:
    """Validation loss in nats per character."""
    return own_model.mean_loss(own.functions, params, validation.epoch())


def train(own: Own, task: Headlines, steps: int = STEPS) -> Iterator[tuple]:
    """Train the model.

    Yields
    ------
    step, loss, params : after every step, the loss of its mini-batch.
    """
    bias = float(own.forget_bias(2, 0.5))  # of dc, a half is left after two steps
    rng = np.random.default_rng(0)
    params = own_model.initial_parameters(task.V, D, H, bias, rng)
    moments = own_model.initial_moments(params)
    batches = task.training(steps, B).epoch(np.random.default_rng(1))
    for step, batch in enumerate(batches, start=1):
        rate = RATE * 0.5 * (1 + np.cos(np.pi * (step - 1) / steps))
        with own.clock.of_training():
            loss, params, moments = own_model.train_step(
                own.functions, params, moments, batch, rate, BETA2
            )
        if not np.isfinite(loss):
            raise Wrong(f"the loss became {loss} in training step {step}")
        yield step, loss, params


def _guarded(answers: Answers, name: str, function: Callable) -> Callable:
    """The function; what it raises becomes ``Wrong``, with its name, file and line.

    Changed arguments are not looked for: grading has done that, and copies take time.
    """
    everything = tuple(inspect.signature(function).parameters)
    call = answers.guarded(function, may_change=everything)

    @wraps(function)
    def named(*arguments: Any) -> Any:
        try:
            return call(*arguments)
        except Wrong as error:
            place = f"{name} of {shown(answers.path)}"
            raise Wrong(f"{place}, {error}") from None

    return named
