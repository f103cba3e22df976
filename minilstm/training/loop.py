"""The training loop: batch → loss and gradients → clip → optimizer → one flat parameter vector.

``train_steps`` is a generator: it does one step, yields a small record of it, and waits. A learner can walk through it
with ``next``; ``fit`` runs it to the end and tells callbacks what happened.

Everything that a run needs to go on stands in a ``Training``. Saved after any step and loaded again, it goes on to
bit-for-bit the same parameters, for the order of an epoch's batches is drawn from a copy of ``rng``: until the epoch has
ended, ``rng`` is as it was when the epoch began, and the order can be drawn again. What dropout leaves out in a step is
drawn by a generator of that step's own.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from minilstm import seeds
from minilstm.data.batches import Batches
from minilstm.errors import InputError, NotFiniteError
from minilstm.models.language_model import LanguageModel, States
from minilstm.optim import Optimizer, OptimizerState, clip_up_to_a_factor
from minilstm.parallel.ownership import shares_model

Schedule = Callable[[int], float]  # from the number of steps done to the learning rate of the next


class StepRecord(NamedTuple):
    """What happened in one step."""

    epoch: int  # counted from 1
    step: int  # counted from 1, over all epochs
    loss: float  # mean nats a real token, before the update
    norm: float  # global norm of the gradient, before clipping of either kind
    tokens: int  # real tokens in the batch
    epoch_ends: bool


class HistoryRow(NamedTuple):
    """One row of ``history.csv``: losses in nats a token, None where there is none."""

    epoch: int
    step: int
    train_loss: float  # mean over all tokens since the row before
    valid_loss: float | None
    floor: float | None
    tokens_per_second: float
    seconds: float  # of training, since the beginning


@dataclass
class Training:
    """A run: the model, how it is trained, how far it has come, and what was seen on the way."""

    model: LanguageModel
    optimizer: Optimizer
    optimizer_state: OptimizerState
    rng: np.random.Generator  # as it was at the beginning of the epoch that is under way
    epoch: int = 0  # epochs that are done
    position: int = 0  # batches of the next epoch that are done
    step: int = 0
    state: States | None = None  # carried from batch to batch within an epoch of running text
    seconds: float = 0.0
    nats: float = 0.0  # summed over the tokens since the last row of the history
    tokens: int = 0
    row_seconds: float = 0.0
    epoch_nats: float = 0.0  # summed over the tokens of the epoch that is under way, or has just ended
    epoch_tokens: int = 0
    valid_loss: float | None = None  # of the epoch that has just ended
    unreported: StepRecord | None = None  # last step of an epoch or run whose end the callbacks have not all heard of
    history: list[HistoryRow] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    stop: str | None = None  # a callback's reason to end here

    def __copy__(self) -> Training:
        """A run of its own: with one model and one state of the optimizer, two would get into each other's way."""
        return copy.deepcopy(self)

    @classmethod
    def begin(cls, model: LanguageModel, optimizer: Optimizer, rng: np.random.Generator) -> Training:
        """A run before its first step. ``rng``, as ``numpy.random.default_rng(seed)`` makes it, draws the batches' order."""
        if not isinstance(getattr(rng, "bit_generator", None), np.random.PCG64):
            raise InputError(f"rng must come from numpy.random.default_rng(seed), for others cannot be saved; not {rng!r}")
        return cls(model, optimizer, optimizer.init(model.parameters.flat), rng)


class Callback:
    """What ``fit`` tells: overwrite what you want to hear. ``callbacks.py`` has those that we need."""

    def on_milestone(self, training: Training) -> None:
        """An epoch or the run has ended, and nobody has been told yet: save it now, whatever happens afterwards."""

    def on_step(self, training: Training, record: StepRecord) -> None:
        """A step was done."""

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        """An epoch has ended; called before the ``on_step`` of its last step."""

    def on_end(self, training: Training) -> None:
        """The run is over, or was stopped."""


def train_steps(
    training: Training,
    batches: Batches,
    epochs: int | None = None,
    steps: int | None = None,
    clip_norm: float | None = None,
    schedule: Schedule | None = None,
    clip_value: float | None = None,
) -> Iterator[StepRecord]:
    """Train step by step, and yield a record after each.

    From the first step to the last, no other thread can use the model. An iterator that is not wanted to its end gives the
    model free by ``close()``, or when it is deleted.

    Parameters
    ----------
    training : changed in place; may have come some way already.
    epochs, steps : where to end, counted from the very beginning of the run; at least one of them.
    clip_norm : the longest gradient (global norm) that is let through unscaled; None for any.
    schedule : learning rate of each step, counted from 0; the optimizer's own, always the same, if left out.
    clip_value : the largest entry of the gradient, of either sign, that is let through uncut; None for any. Comes before
        ``clip_norm``, which judges what is left.

    Raises
    ------
    NotFiniteError : when a loss, a norm or an updated parameter is NaN or infinite, before anybody hears of that step.
    InUseError : when another thread computes with the model or trains it.
    """
    if epochs is None and steps is None:
        raise InputError("say how long to train: epochs, steps, or both")
    for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
        if limit is not None and not limit > 0:
            raise InputError(f"{name} must be greater than 0, or None, not {limit!r}")
    if not 0 <= training.position < len(batches):
        raise InputError(
            f"this run has done {training.position} batches of its epoch, but there are {len(batches)} in these;"
            f" go on with the batches that it was begun with"
        )
    with training.model.owned() as use:
        for record in _steps(training, batches, epochs, steps, clip_norm, schedule, clip_value):
            yield record
            use.go_on()


def _steps(
    training: Training,
    batches: Batches,
    epochs: int | None,
    steps: int | None,
    clip_norm: float | None,
    schedule: Schedule | None,
    clip_value: float | None,
) -> Iterator[StepRecord]:
    model = training.model
    while (epochs is None or training.epoch < epochs) and (steps is None or training.step < steps):
        order_rng = copy.deepcopy(training.rng)
        for batch in batches.epoch(order_rng, training.position):
            if steps is not None and training.step >= steps:
                return
            began = time.perf_counter()
            with np.errstate(all="ignore"):  # what is not finite is told below, once and in words
                dropout_rng = seeds.generator(model.seed, seeds.DROPOUT, training.step) if model.dropout else None
                loss, gradients, state, _ = model.loss_and_gradients(batch, training.state, dropout_rng)
                norm, scale = clip_up_to_a_factor(gradients.flat, clip_value, clip_norm)
                rate = training.optimizer.learning_rate if schedule is None else schedule(training.step)
                if not (math.isfinite(loss) and math.isfinite(norm)):
                    raise _not_finite(training, loss, norm, rate, clip_norm, clip_value)
                try:
                    training.optimizer_state = training.optimizer.step(
                        model.parameters.flat, gradients.flat, training.optimizer_state, rate, scale
                    )
                except NotFiniteError:
                    raise _not_finite(training, loss, norm, rate, clip_norm, clip_value) from None
            training.state = state if batches.carries_state else None
            training.step += 1
            if training.position == 0:
                training.epoch_nats, training.epoch_tokens = 0.0, 0
            training.position += 1
            training.nats += loss * batch.tokens
            training.tokens += batch.tokens
            training.epoch_nats += loss * batch.tokens
            training.epoch_tokens += batch.tokens
            epoch, ends = training.epoch + 1, training.position == len(batches)
            if ends:
                training.rng, training.epoch, training.position, training.state = order_rng, epoch, 0, None
            training.row_seconds += time.perf_counter() - began
            yield StepRecord(epoch, training.step, loss, norm, batch.tokens, ends)


def _not_finite(
    training: Training, loss: float, norm: float, rate: float, clip_norm: float | None, clip_value: float | None
) -> NotFiniteError:
    return NotFiniteError(
        f"training stops at step {training.step + 1}: the loss is {loss:.6g}, the gradient's norm {norm:.6g}, the largest"
        f" parameter {np.abs(training.model.parameters.flat).max():.3g}. Usual causes: a learning rate that is too high"
        f" (it is {rate:g}), gradients that are not clipped (the limit of their norm is {clip_norm}, of an entry {clip_value});"
        f" the last checkpoint is kept"
    )


def fit(
    training: Training,
    batches: Batches,
    epochs: int | None = None,
    steps: int | None = None,
    clip_norm: float | None = None,
    schedule: Schedule | None = None,
    callbacks: Sequence[Callback] = (),
    clip_value: float | None = None,
) -> Training:
    """Train to the end of ``epochs`` or ``steps``, or until a callback sets ``training.stop``; see ``train_steps``.

    The end of an epoch or of the run is saved first (``on_milestone``) and reported afterwards. A run that was cut off in
    between, and goes on here, reports it now.
    """
    with training.model.owned():
        unreported, training.unreported = training.unreported, None
        if unreported is not None and unreported.epoch_ends:
            _report(training, unreported, callbacks, lambda callback: callback.on_epoch(training, unreported))
        last = unreported
        for record in train_steps(training, batches, epochs, steps, clip_norm, schedule, clip_value):
            last = record
            if record.epoch_ends:
                _report(training, record, callbacks, lambda callback: callback.on_epoch(training, record))
            for callback in callbacks:
                callback.on_step(training, record)
            if training.stop is not None:
                break
        ends_within_epoch = training.stop is None and training.position > 0
        _report(training, last if ends_within_epoch else None, callbacks, lambda callback: callback.on_end(training))
    return training


def _report(
    training: Training, record: StepRecord | None, callbacks: Sequence[Callback], tell: Callable[[Callback], None]
) -> None:
    """Have the run saved, with the note that ``record`` is not reported yet; then report it."""
    training.unreported = record
    try:
        for callback in callbacks:
            callback.on_milestone(training)
        for callback in callbacks:
            tell(callback)
    finally:
        training.unreported = None


@shares_model
def evaluate(model: LanguageModel, batches: Batches) -> float:
    """Mean loss in nats over every token of ``batches``, in their order."""
    nats, tokens, state = 0.0, 0, None
    for batch in batches.epoch():
        loss, after = model.loss(batch, state)
        state = after if batches.carries_state else None
        nats += loss * batch.tokens
        tokens += batch.tokens
    return nats / tokens
