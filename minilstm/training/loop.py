"""The training loop: mini-batch → loss and gradients → clipping → optimizer step.

``train_steps`` is a generator: each ``next`` does one training step and yields a record
of it, so a learner can watch step by step. ``fit`` runs it to the end and calls
callbacks.

A ``Training`` has all that a run needs to continue. Saved after any step and loaded
again, it reaches bit for bit the same parameters. For this, ``rng`` stays as it was at
the beginning of the epoch, and a copy of it draws the order of the mini-batches; a
resumed run draws the same order again. Each step has a dropout generator of its own.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from minilstm import seeds
from minilstm.data.batches import Batches
from minilstm.errors import InputError, NotFiniteError
from minilstm.layers.stack import States
from minilstm.models.model import Model
from minilstm.optim import Optimizer, OptimizerState, clip_up_to_a_factor
from minilstm.parallel.ownership import shares_model

Schedule = Callable[[int], float]  # training steps done → learning rate of the next


class StepRecord(NamedTuple):
    """What happened in one training step."""

    epoch: int  # counted from 1
    step: int  # counted from 1, over all epochs
    loss: float  # mean over the real tokens in nats, before the update
    norm: float  # global norm of the gradient, before any clipping
    tokens: int  # real tokens in the mini-batch
    epoch_ends: bool


class HistoryRow(NamedTuple):
    """One row of ``history.csv``: losses in nats per token, None if not measured."""

    epoch: int
    step: int
    train_loss: float  # mean over all tokens since the previous row
    valid_loss: float | None
    floor: float | None  # entropy floor of a built-in corpus
    tokens_per_second: float
    seconds: float  # of training, since the run began


@dataclass
class Training:
    """A run: model and optimizer, the progress so far, and the history."""

    model: Any  # of minilstm.models; Any, since each kind has methods of its own
    optimizer: Optimizer
    optimizer_state: OptimizerState
    rng: np.random.Generator  # as at the beginning of the current epoch
    epoch: int = 0  # epochs done
    position: int = 0  # mini-batches done of the current epoch
    step: int = 0  # training steps done
    # passed on between mini-batches within an epoch of running text
    state: States | None = None
    seconds: float = 0.0
    nats: float = 0.0  # summed over the tokens since the last row of the history
    tokens: int = 0
    row_seconds: float = 0.0
    epoch_nats: float = 0.0  # summed over the tokens of the current or just ended epoch
    epoch_tokens: int = 0
    valid_loss: float | None = None  # of the epoch that has just ended
    # last step of an epoch or run not yet reported to all callbacks
    unreported: StepRecord | None = None
    history: list[HistoryRow] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    stop: str | None = None  # reason of a callback to end the run

    def __copy__(self) -> Training:
        """A deep copy: two runs must not share a model or an optimizer state."""
        return copy.deepcopy(self)

    @classmethod
    def begin(
        cls, model: Model, optimizer: Optimizer, rng: np.random.Generator
    ) -> Training:
        """A run before its first training step.

        Parameters
        ----------
        model, optimizer : what is trained, and how.
        rng : from ``numpy.random.default_rng``; draws the order of the mini-batches.

        Raises
        ------
        InputError : if rng has another bit generator, which a checkpoint cannot hold.
        """
        if not isinstance(getattr(rng, "bit_generator", None), np.random.PCG64):
            raise InputError(
                "rng must come from numpy.random.default_rng(seed), since others"
                f" cannot be saved; not {rng!r}"
            )
        return cls(model, optimizer, optimizer.init(model.parameters.flat), rng)


class Callback:
    """Methods that ``fit`` calls; override those you need. See ``callbacks.py``."""

    def on_milestone(self, training: Training) -> None:
        """An epoch or the run has ended, and is not reported yet: save it now."""

    def on_step(self, training: Training, record: StepRecord) -> None:
        """After each training step."""

    def on_epoch(self, training: Training, record: StepRecord) -> None:
        """After each epoch, before the ``on_step`` of its last step."""

    def on_end(self, training: Training) -> None:
        """After the run has ended or was stopped."""


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

    No other thread can use the model until the last step. To stop earlier, ``close()``
    or delete the iterator; that frees the model.

    Parameters
    ----------
    training : the run, which is changed in place; it may have been trained already.
    batches : the training set, in mini-batches.
    epochs, steps : where to end, counted from the start of the run; at least one of
        them.
    clip_norm : limit of the gradient's global norm. Default: no clipping.
    schedule : learning rate of each step, counted from 0. Default: the optimizer's.
    clip_value : limit of each entry of the gradient, of either sign; applied before
        ``clip_norm``. Default: no clipping.

    Yields
    ------
    StepRecord : of each training step, after the update.

    Raises
    ------
    InputError : if no end or a wrong limit is given, or the mini-batches are not those
        that the run was begun with.
    NotFiniteError : if a loss, a norm or an updated parameter is NaN or infinite; the
        step yields no record.
    InUseError : if another thread computes with the model or trains it.
    """
    if epochs is None and steps is None:
        raise InputError("say how long to train: epochs, steps, or both")
    for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
        if limit is not None and not limit > 0:
            raise InputError(f"{name} must be greater than 0, or None, not {limit!r}")
    if not 0 <= training.position < len(batches):
        raise InputError(
            f"this run has done {training.position} mini-batches of its epoch, but"
            f" there are {len(batches)} in these;"
            f" continue it with the mini-batches that it was begun with"
        )
    with training.model.owned() as use:
        for record in _steps(
            training, batches, epochs, steps, clip_norm, schedule, clip_value
        ):
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
    while (epochs is None or training.epoch < epochs) and (
        steps is None or training.step < steps
    ):
        order_rng = copy.deepcopy(training.rng)
        for batch in batches.epoch(order_rng, training.position):
            if steps is not None and training.step >= steps:
                return
            began = time.perf_counter()
            # NotFiniteError reports it below, instead of warnings
            with np.errstate(all="ignore"):
                dropout_rng = (
                    seeds.generator(model.seed, seeds.DROPOUT, training.step)
                    if model.dropout
                    else None
                )
                loss, gradients, state, _ = model.loss_and_gradients(
                    batch, training.state, dropout_rng
                )
                norm, scale = clip_up_to_a_factor(gradients.flat, clip_value, clip_norm)
                rate = (
                    training.optimizer.learning_rate
                    if schedule is None
                    else schedule(training.step)
                )
                if not (math.isfinite(loss) and math.isfinite(norm)):
                    raise _not_finite(training, loss, norm, rate, clip_norm, clip_value)
                try:
                    training.optimizer_state = training.optimizer.step(
                        model.parameters.flat,
                        gradients.flat,
                        training.optimizer_state,
                        rate,
                        scale,
                    )
                except NotFiniteError:
                    raise _not_finite(
                        training, loss, norm, rate, clip_norm, clip_value
                    ) from None
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
                training.rng = order_rng
                training.epoch = epoch
                training.position = 0
                training.state = None
            training.row_seconds += time.perf_counter() - began
            yield StepRecord(epoch, training.step, loss, norm, batch.tokens, ends)


def _not_finite(
    training: Training,
    loss: float,
    norm: float,
    rate: float,
    clip_norm: float | None,
    clip_value: float | None,
) -> NotFiniteError:
    return NotFiniteError(
        f"training stops at step {training.step + 1}: the loss is {loss:.6g}, the"
        f" gradient's norm {norm:.6g}, the largest"
        f" parameter {np.abs(training.model.parameters.flat).max():.3g}. Usual causes:"
        " the learning rate is too high"
        f" ({rate:g}), or gradients are not clipped (limit of the norm:"
        f" {clip_norm}, of an entry: {clip_value})."
        f" The last checkpoint is kept"
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
    """Train until ``epochs`` or ``steps`` are done, or a callback ends the run.

    The end of an epoch or of the run is saved first (``on_milestone``) and reported
    then. If a run was killed in between, the resumed run makes up for the report.

    Parameters
    ----------
    training : the run, which is changed in place; it may have been trained already.
    batches : the training set, in mini-batches.
    epochs, steps : where to end, counted from the start of the run; at least one of
        them.
    clip_norm, schedule, clip_value : as for ``train_steps``.
    callbacks : called in this order; one ends the run by setting ``training.stop``.

    Returns
    -------
    ``training``.

    Raises
    ------
    InputError, NotFiniteError, InUseError : as ``train_steps`` does.
    """
    with training.model.owned():
        unreported, training.unreported = training.unreported, None
        if unreported is not None and unreported.epoch_ends:
            _report(
                training,
                unreported,
                callbacks,
                lambda callback: callback.on_epoch(training, unreported),
            )
        last = unreported
        for record in train_steps(
            training, batches, epochs, steps, clip_norm, schedule, clip_value
        ):
            last = record
            if record.epoch_ends:
                _report(
                    training,
                    record,
                    callbacks,
                    lambda callback: callback.on_epoch(training, record),
                )
            for callback in callbacks:
                callback.on_step(training, record)
            if training.stop is not None:
                break
        ends_within_epoch = training.stop is None and training.position > 0
        _report(
            training,
            last if ends_within_epoch else None,
            callbacks,
            lambda callback: callback.on_end(training),
        )
    return training


def _report(
    training: Training,
    record: StepRecord | None,
    callbacks: Sequence[Callback],
    notify: Callable[[Callback], None],
) -> None:
    """Save the run, marked with a ``record`` not reported yet; then report it."""
    training.unreported = record
    try:
        for callback in callbacks:
            callback.on_milestone(training)
        for callback in callbacks:
            notify(callback)
    finally:
        training.unreported = None


@shares_model
def evaluate(model: Model, batches: Batches) -> float:
    """Mean loss of a model on a data set, usually the validation set.

    Parameters
    ----------
    model : the model; it is not changed.
    batches : the data set, in mini-batches. For a running text, the state is passed on
        from each to the next.

    Returns
    -------
    Mean cross-entropy over all real tokens, in nats.

    Raises
    ------
    InUseError : if another thread trains the model.
    """
    nats, tokens, state = 0.0, 0, None
    for batch in batches.epoch():
        loss, after = model.loss(batch, state)
        state = after if batches.carries_state else None
        nats += loss * batch.tokens
        tokens += batch.tokens
    return nats / tokens
