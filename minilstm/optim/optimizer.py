"""The interface of an optimizer: constants, and two functions of a state.

An optimizer is a frozen dataclass whose fields are its constants. Its state is a
NamedTuple of flat arrays, each with the shape and dtype of the parameters; its last
field is the number of steps taken, ``t``. A checkpoint stores ``kind``, the constants
and the arrays by name, and that is enough to continue a run.

Any number of models and threads may use one optimizer. A state belongs to one vector of
parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np

from minilstm.errors import NotFiniteError
from minilstm.parallel import threads


class OptimizerState(Protocol):
    """Flat arrays (P,), which depend on the kind of optimizer, and ``t``."""

    @property
    def t(self) -> int:
        """Number of steps taken."""


class Optimizer(Protocol):
    """Adam, RMSprop, SGD, or another optimizer with this interface."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    kind: ClassVar[str]
    State: ClassVar[type[Any]]

    @property
    def learning_rate(self) -> float:
        """The learning rate of every step that is not given another."""

    def init(self, theta: np.ndarray) -> OptimizerState:
        """The state before the first step."""

    def step(
        self,
        theta: np.ndarray,
        g: np.ndarray,
        state: Any,
        rate: float | None = None,
        scale: float = 1.0,
    ) -> OptimizerState:
        """One step: changes ``theta`` and the arrays of ``state`` in place.

        Parameters
        ----------
        theta, g : (P,) arrays
            Parameters and their gradient.
        state : OptimizerState
            From ``init`` or the last ``step``.
        rate : float, optional
            Learning rate of this step. Default: ``learning_rate``.
        scale : float
            Factor of g, from clipping by norm.

        Returns
        -------
        state : OptimizerState
            To be given to the next step. It has the same arrays.

        Raises
        ------
        NotFiniteError
            If a parameter has become NaN or infinite. All of them have been changed.
        """


def update_in_chunks(
    kernel: Callable[..., bool],
    g: np.ndarray,
    scalars: tuple,
    vectors: tuple[np.ndarray, ...],
) -> None:
    """Apply a kernel to all parameters, in chunks on several threads if they are many.

    The kernel takes g, the scalars and the vectors, all (P,), and returns whether all
    parameters are finite. Raises NotFiniteError if not.
    """
    jobs = [
        partial(kernel, g[chunk], *scalars, *(v[chunk] for v in vectors))
        for chunk in threads.chunks(g.size)
    ]
    if not all(threads.run(jobs)):
        raise NotFiniteError(
            "a parameter has become NaN or infinite;"
            " take a lower learning rate, or clip the gradients"
        )
