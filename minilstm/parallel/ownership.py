"""Which threads may use one model at once, and for what.

    compute    logits, losses, samples: any number of threads;
               each call has work arrays of its own
    take       gradients: one thread at a time;
               each call overwrites the gradients that the last one returned
    train      or load weights: one thread, and no other may even compute;
               the parameters change between two of its steps

A second thread that does not fit is refused at once. It does not wait: what it would
find later is another model. The thread that has the model may do everything else with
it, too: callbacks evaluate and sample while they train.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from minilstm.errors import InUseError

# what another thread must not be doing when this one wants to begin
EXCLUDES = {
    "compute": {"train"},
    "take": {"take", "train"},
    "train": {"compute", "take", "train"},
}
WANTS = {
    "compute": "compute with this model",
    "take": "take gradients of this model",
    "train": "train or load this model",
}
DOES = {
    "compute": "computes with it",
    "take": "takes gradients of it",
    "train": "trains or loads it (a train_steps iterator does until it ends, is closed"
    " or is deleted)",
}
WHEN = {"train": ", before that begins or in a callback of the training,"}

F = TypeVar("F", bound=Callable[..., Any])


class Use:
    """One use of a model, as a context.

    Raises InUseError where another thread excludes it.
    """

    thread: threading.Thread  # in which it goes on

    def __init__(self, ownership: Ownership, purpose: str):
        self.purpose = purpose
        self._ownership = ownership

    def __enter__(self) -> Use:
        self._ownership.admit(self)
        return self

    def __exit__(self, *error) -> None:
        self._ownership.end(self)

    def go_on(self) -> None:
        """In the thread that asks, which may be another one than before.

        An iterator can be handed from thread to thread.
        """
        self._ownership.admit(self)


class Ownership:
    """Who uses one model now."""

    def __init__(self):
        # reentrant: an iterator that nobody holds any more may be collected, and end its
        # use, at any moment
        self._lock = threading.RLock()
        self._uses: list[Use] = []

    def use(self, purpose: str) -> Use:
        """A context in which this thread computes, takes or trains (see above)."""
        return Use(self, purpose)

    def admit(self, use: Use) -> None:
        """Let a use begin or go on in this thread, or raise InUseError."""
        here = threading.current_thread()
        with self._lock:
            for other in tuple(self._uses):
                if other is use or other.thread is here or not other.thread.is_alive():
                    continue
                if other.purpose in EXCLUDES[use.purpose]:
                    raise InUseError(
                        f"thread {here.name} cannot {WANTS[use.purpose]} while thread"
                        f" {other.thread.name} {DOES[other.purpose]}; make a copy with"
                        f" copy.deepcopy(model){WHEN.get(other.purpose, '')} and use that"
                    )
            use.thread = here
            if use not in self._uses:
                self._uses.append(use)

    def end(self, use: Use) -> None:
        """The uses that it kept out are possible again."""
        with self._lock:
            self._uses.remove(use)


def shares_model(function: F) -> F:
    """Let no other thread train the function's first argument, a model, meanwhile."""

    @functools.wraps(function)
    def guarded(model, *arguments, **options):
        with model.shared():
            return function(model, *arguments, **options)

    return cast(F, guarded)
