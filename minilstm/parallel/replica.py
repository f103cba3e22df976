"""A replica of a model: its layers, with buffers and a gradient of its own (data parallelism).

A replica computes one shard of a mini-batch, which may be all of it. All replicas of a
model read the same parameters. A replica's loss and gradient are its part of the mean
over the whole mini-batch: added up, they are those of the mini-batch.

Each computation borrows replicas from its model, and no two borrow the same one. Without
other threads, a computation gets the replica of the last one, with its buffers.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from minilstm.layers import Workspace
from minilstm.layers.stack import States
from minilstm.params import ParameterVector


class Replica(ABC):
    """Forward and backward through a model's layers, with its parameters."""

    def __init__(
        self, layers: dict[str, Any], parameters: ParameterVector, tied: bool = False
    ):
        self.layers, self.parameters = layers, parameters
        self._workspaces = {name: Workspace() for name in layers}
        self._tied = tied

    def __getstate__(self) -> dict[str, Any]:
        """All but the views: a copy makes them again, over its own vectors."""
        views = ("_params", "_grads")
        return {name: value for name, value in vars(self).items() if name not in views}

    def __copy__(self) -> Replica:
        return copy.deepcopy(self)

    @cached_property
    def gradients(self) -> ParameterVector:
        """Gradients of the last ``loss_and_gradients``; allocated when first needed."""
        return self.parameters.zeros_like()

    @cached_property
    def _params(self) -> dict[str, dict[str, np.ndarray]]:
        return _by_layer(self.layers, self.parameters, self._tied)

    @cached_property
    def _grads(self) -> dict[str, dict[str, np.ndarray]]:
        return _by_layer(self.layers, self.gradients, self._tied)

    @abstractmethod
    def loss(self, shard: Any) -> tuple[float, States]:
        """The shard's part of the loss, and the state after it."""

    @abstractmethod
    def loss_and_gradients(self, shard: Any) -> tuple[float, States, States]:
        """The shard's part of the loss, the state after it, and dL/d(initial state).

        Its part of the gradients is written to ``gradients``.
        """


class Replicas:
    """All replicas of one model. Each has one borrower at a time."""

    def __init__(self, make: Callable[[], Any]):
        self._make = make
        self._free: list[Any] = []  # the last one is lent next

    def borrow(self, count: int) -> Borrowed:
        """A context with ``count`` replicas, which no other thread has until it ends."""
        return Borrowed(self, count)

    def take(self) -> Any:
        """A free replica, or a new one."""
        try:
            return self._free.pop()  # methods of a list are atomic
        except IndexError:
            return self._make()

    def give_back(self, borrowed: list[Any]) -> None:
        """Return replicas, so that the next ``take`` gets them in the same order."""
        self._free.extend(reversed(borrowed))


class Borrowed:
    """A context: replicas on loan."""

    def __init__(self, lender: Replicas, count: int):
        self._lender, self._count = lender, count

    def __enter__(self) -> list[Any]:
        self._borrowed = [self._lender.take() for _ in range(self._count)]
        return self._borrowed

    def __exit__(self, error, *more) -> None:
        # after an error a computation may have stopped halfway: discard its replicas
        if error is None:
            self._lender.give_back(self._borrowed)


def _by_layer(
    layers: dict[str, Any], vector: ParameterVector, tied: bool
) -> dict[str, dict[str, np.ndarray]]:
    """Views into the vector, by layer.

    The W (H, V) of a tied output layer is a view of the embedding's table, transposed.
    """
    views = {name: vector.layer(name) for name in layers}
    if tied:
        views["output"] = {"W": vector["embedding.W"].T, **views["output"]}
    return views
